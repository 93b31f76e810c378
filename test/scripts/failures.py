#!/usr/bin/env python3
"""Holds test/failures.txt and the tests named after its rows against each other.

    failures.py SOURCE                 every row has a test, and every such test a row
    failures.py SOURCE --run BUILD     runs those tests and prints the table: held, failed, not possible here
"""

import os
import re
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as xml
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROW = re.compile(r"^([A-Z]\d\d) (\S.*)$")
CASE = re.compile(r"BOOST_(?:AUTO|FIXTURE|DATA)_TEST_CASE\(\s*((?:[A-Z]\d\d_)+\w+)")


def read_rows(source):
    rows, wrong = {}, []
    for number, line in enumerate((source / "test/failures.txt").read_text().splitlines(), 1):
        if not line or line.startswith("#"):
            continue
        found = ROW.match(line)
        if not found or found[1] in rows:
            wrong.append(f"test/failures.txt:{number}: not a row, or there twice: {line}")
            continue
        rows[found[1]] = found[2]
    return rows, wrong


def ids_of(case):
    return re.findall(r"([A-Z]\d\d)_", re.match(r"(?:[A-Z]\d\d_)+", case)[0])


def read_cases(source):
    """{stem of the test's file: [names of its cases]}"""
    cases = {}
    for kind in ("unit", "e2e"):
        for file in sorted((source / "test" / kind).rglob("*.cpp")):
            names = CASE.findall(file.read_text())
            if names:
                cases[file.stem] = names
    return cases


def check(rows, cases):
    wrong = []
    tested = {}
    for stem, names in cases.items():
        for name in names:
            for row in ids_of(name):
                tested.setdefault(row, []).append((stem, name))
                if row not in rows:
                    wrong.append(f"{stem}: {name}: test/failures.txt has no row {row}")
    for row in rows:
        if row not in tested:
            wrong.append(f"no test is named after {row}")
    return tested, wrong


def run_one(build, stem, names, directory):
    """{case: 'passed' | 'failed: …' | 'not possible: …'} of one executable."""
    program = build / "test" / f"test_{stem}"
    if not program.exists():
        return {name: "failed: it is not built" for name in names}
    report, impossible = directory / f"{stem}.xml", directory / f"{stem}.impossible"
    environment = dict(os.environ, HOB_TEST_IMPOSSIBLE=str(impossible), HOB_TEST_LOCK_SECONDS="30")
    said = subprocess.run(
        [program, "--run_test=*/" + ",".join(names), "--report_level=detailed",
         "--report_format=XML", f"--report_sink={report}", "--color_output=no"],
        cwd=build / "test", env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        errors="replace")
    results = {name: "failed: it did not run" for name in names}
    try:
        # A case with data is a suite, with a case for each.
        for kind in ("TestSuite", "TestCase"):
            for case in xml.parse(report).iter(kind):
                if case.get("name") in results:
                    results[case.get("name")] = "passed" if case.get("result") == "passed" else "failed"
    except (OSError, xml.ParseError):
        results = {name: "failed: no report" for name in names}
    if impossible.exists():
        for line in impossible.read_text().splitlines():
            name, _, why = line.partition("\t")
            if results.get(name) == "passed":
                results[name] = "not possible: " + why
    if any(result.startswith("failed") for result in results.values()):
        sys.stderr.write(f"--- {stem}\n{said.stdout}\n")
    return results


def run(rows, cases, build):
    results = {}
    with tempfile.TemporaryDirectory() as directory, ThreadPoolExecutor(2) as pool:
        jobs = {stem: pool.submit(run_one, build, stem, names, Path(directory)) for stem, names in cases.items()}
        for stem, job in jobs.items():
            for name, result in job.result().items():
                results[stem, name] = result
    return results


def verdict_of(tests, results):
    outcomes = [(name, results[stem, name]) for stem, name in tests]
    failed = [name for name, result in outcomes if result.startswith("failed")]
    impossible = [result for _, result in outcomes if result.startswith("not possible")]
    if failed:
        return "failed", "; ".join(failed)
    if impossible:
        whole = len(impossible) == len(outcomes)
        return ("not possible here" if whole else "held in part"), "; ".join(sorted(set(impossible)))
    return "held", ""


def print_table(rows, tested, results):
    counts = {}
    for row, text in rows.items():
        verdict, why = verdict_of(tested[row], results) if row in tested else ("no test", "")
        counts[verdict] = counts.get(verdict, 0) + 1
        print(f"{row}  {verdict:<17} {len(tested.get(row, [])):>3} tests  {text}")
        if why:
            print(f"     {why}")
    print(", ".join(f"{count} {verdict}" for verdict, count in counts.items()))
    return counts.get("failed", 0) == 0


def main():
    source = Path(sys.argv[1])
    rows, wrong = read_rows(source)
    cases = read_cases(source)
    tested, more = check(rows, cases)
    wrong += more
    for line in wrong:
        print(line)
    if "--run" not in sys.argv:
        return 1 if wrong else 0
    results = run(rows, cases, Path(sys.argv[sys.argv.index("--run") + 1]).resolve())
    good = print_table(rows, tested, results)
    return 0 if good and not wrong else 1


sys.exit(main())
