#!/usr/bin/env python3
"""The shape of the sources: long functions and files, JSON and failures made by hand, states compared as strings.

Every finding is `file:line: what`; see CONTRIBUTING.md. `--report` prints the longest functions and the share of short ones.
"""

import pathlib
import re
import sys

FUNCTION_AIM = 40      # lines, from its first to its last
FUNCTION_SHARE = 0.99  # of all functions are within the aim
FUNCTION_LIMIT = 80
FILE_LIMIT = 400

OPENS_SCOPE = re.compile(r"^\s*(namespace|class|struct|enum|union|extern|switch|if|for|while|do|else|try|catch|return|case)\b")

STATES = "stopped|waiting|starting|ready|stopping|backoff|failed|cold|warm|idle|scheduled|queued|running|held|draining|wedged|ok|lost"
FORBIDDEN = [
    # JSON is written by util/json_writer alone.
    (re.compile(r'R"\w*\(\s*\{+"'), "JSON written by hand: use util/json/json_writer.hpp", ("src/util/json/json_writer.",)),
    # Not the shape of params as an error spells it, {\"unit\":NAME}.
    (re.compile(r'"\{\{?\\"(?!\w+\\":[A-Z])'), "JSON written by hand: use util/json/json_writer.hpp",
     ("src/util/json/json_writer.", "src/ipc/message.")),
    (re.compile(rf'(state|phase|kind|status|verdict)\w*(\(\))?\s*[=!]==?\s*"({STATES})"'), "a state compared as a string: use its enum",
     ("src/cmd/runs/page.",)),  # JavaScript
    # A failure's parts are its members.
    (re.compile(r"""find\("'?: |find\("': "|what\(\)\)?\s*\.\s*(find|substr|starts_with)"""),
     "a message cut apart: a failure has tried() and reason()", ()),
    (re.compile(r"//.*\b(DESIGN|FAILURES|ROOMS|STYLE)(\.md|\b)"), "a comment that cites what is not in the repository", ()),
]


def functions(lines):
    """(first, last) line numbers of functions, as clang-format lays them out."""
    start = None
    for number, line in enumerate(lines, 1):
        if start is None:
            if line.rstrip().endswith("{"):
                first = first_line(lines, number)
                head = lines[first - 1]
                indent = len(head) - len(head.lstrip())
                if indent in (0, 4) and not OPENS_SCOPE.match(head) and "(" in opening(lines, number):
                    start, closing = first, " " * indent + "}"
        elif line.rstrip() in (closing, closing + ";"):
            yield start, number
            start = None


def first_line(lines, number):
    """Where the declaration begins whose `{` is on line `number`: its other lines are indented further."""
    while number > 1 and re.match(r"\s{5,}\S|\s+[:,] ", lines[number - 1]) and not lines[number - 2].rstrip().endswith((";", "}", "{")):
        number -= 1
    return number


def opening(lines, number):
    return "\n".join(lines[first_line(lines, number) - 1 : number])


def self_check():
    """What is forbidden is found, and what looks like it is not."""
    def hits(line):
        return [what for pattern, what, _ in FORBIDDEN if pattern.search(line)]

    assert hits('std::string text = R"({"id":)";')
    assert hits('fmt::format("{{\\"id\\":{}}}", id)')
    assert hits('if (unit.state == "ready") {')
    assert hits('const auto colon = text.find("\': ");')
    assert hits("// As DESIGN 3.2 says.")
    assert not hits('if (name == "web") {')
    body = ["int f(int a,", "      int b) {", "    return a + b;", "}"]
    assert list(functions(body)) == [(1, 4)], list(functions(body))
    assert not list(functions(["namespace x {", "}"]))


def main():
    self_check()
    root = pathlib.Path(sys.argv[1])
    found, lengths = [], []
    for path in sorted(p for p in (root / "src").rglob("*") if p.suffix in (".cpp", ".hpp")):
        name = str(path.relative_to(root))
        lines = path.read_text(encoding="utf-8").split("\n")
        if len(lines) - 1 > FILE_LIMIT:
            found.append(f"{name}:1: {len(lines) - 1} lines; a file holds at most {FILE_LIMIT}")
        for first, last in functions(lines):
            lengths.append((last - first + 1, f"{name}:{first}"))
            if last - first + 1 > FUNCTION_LIMIT:
                found.append(f"{name}:{first}: a function of {last - first + 1} lines; stop at {FUNCTION_LIMIT}")
        for number, line in enumerate(lines, 1):
            for pattern, what, except_in in FORBIDDEN:
                if pattern.search(line) and not name.startswith(except_in or ("-",)) and "// shape:" not in line:
                    found.append(f"{name}:{number}: {what}")
    lengths.sort(reverse=True)
    short = sum(1 for length, _ in lengths if length <= FUNCTION_AIM) / max(1, len(lengths))
    if short < FUNCTION_SHARE:
        found.append(f"src: only {short:.2%} of {len(lengths)} functions are within {FUNCTION_AIM} lines; the longest:")
        found.extend(f"    {where}: {length}" for length, where in lengths[:20])
    if "--report" in sys.argv:
        print(f"{short:.2%} of {len(lengths)} functions are within {FUNCTION_AIM} lines")
        print("\n".join(f"{length} {where}" for length, where in lengths[:25]))
    print("\n".join(found))
    sys.exit(1 if found else 0)


main()
