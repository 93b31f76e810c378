#!/usr/bin/env python3
"""Writes packaging/order.ld: what the warm client touches, then what the daemon does, for the linker to put together.

A page fault maps what lies around it; what a short run needs and what it does not need lie far apart otherwise. Run by
`./dev order`, with a binary that was linked with a map. A part that is not there any more is skipped by the linker.
"""

import argparse
import bisect
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import time

# What runs under valgrind is chosen for the processor that it imitates; these are chosen by newer ones.
TWINS = {
    "-avx2.o": ["-evex.o"],
    "-avx-unaligned-erms.o": ["-evex-unaligned-erms.o", "-avx512-unaligned-erms.o"],
    "-avx2-unaligned-erms.o": ["-evex-unaligned-erms.o", "-avx512-unaligned-erms.o"],
    "-avx2-movbe.o": ["-evex-movbe.o"],
}
KINDS = (".text", ".rodata", ".data", ".bss")

HEAD = """\
/* What the warm client touches, then what a start of the daemon does, side by side: fewer page faults. Written by
 * ./dev order, see doc/performance.md.
 * Only the place of things depends on this file: a line that fits nothing any more does no harm. */
"""


def sections_of(map_file):
    """(address, size, section, object) of every input section, ascending."""
    found = []
    pattern = re.compile(r"^ (\.[^\s]+)(?:\s+0x([0-9a-f]+)\s+0x([0-9a-f]+)\s+(\S.*))?$")
    rest = re.compile(r"^\s+0x([0-9a-f]+)\s+0x([0-9a-f]+)\s+(\S.*)$")
    name = None
    started = False
    for line in map_file.read_text().splitlines():
        started = started or line.startswith("Linker script and memory map")
        if not started:
            continue
        if match := pattern.match(line):
            name = match[1]
            if match[2]:
                found.append((int(match[2], 16), int(match[3], 16), name, match[4]))
                name = None
        elif name and (match := rest.match(line)):
            found.append((int(match[1], 16), int(match[2], 16), name, match[3]))
            name = None
        else:
            name = None
    # What is read-only once relocated has to stay where it can be made so.
    wanted = (each for each in found if each[0] and each[1] and not each[2].startswith(".data.rel.ro"))
    return sorted(each for each in wanted if each[2].startswith(KINDS))


def traced(command, log):
    return ["valgrind", "--tool=lackey", "--trace-mem=yes", f"--log-file={log}", *command]


def addresses_in(log):
    """Addresses that a run read, wrote or executed."""
    found = set()
    with open(log, encoding="ascii", errors="replace") as lines:
        for line in lines:
            if line[:2] in ("I ", " L", " S", " M"):
                found.add(int(line[3:].split(",")[0], 16))
    return sorted(found)


def client_runs(hob, environment, log):
    quiet = {"env": environment, "check": True, "stdout": subprocess.DEVNULL}
    subprocess.run([*hob, "call", "cat", "x"], **quiet)
    for verb in (["ping"], ["status", "--json"], ["prompt"], ["call", "cat", "x"]):
        subprocess.run(traced([*hob, *verb], log), **quiet)
        yield addresses_in(log)
    subprocess.run([*hob, "shutdown"], **quiet)


def daemon_run(hob, environment, log):
    """A start and two questions, no end."""
    quiet = {"env": environment, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    daemon = subprocess.Popen(traced([*hob, "daemon", "--foreground"], log), **quiet)
    try:
        limit = time.monotonic() + 60
        while subprocess.run([*hob, "--no-spawn", "status"], check=False, **quiet).returncode != 0:
            if time.monotonic() > limit or daemon.poll() is not None:
                raise SystemExit("order: the daemon did not start under valgrind")
            time.sleep(0.05)
        subprocess.run([*hob, "ping"], check=True, **quiet)
    finally:
        daemon.kill()
        daemon.wait()
    yield addresses_in(log)


def pattern_of(section, where):
    """A line of a linker script that means this input section, or None."""
    if match := re.search(r"([^/]+\.a)\(([^)]+)\)$", where):
        archive, member = match[1], match[2]
        # Our own sections have a name for every function; wherever a library does not, its object is named.
        if section.count(".") == 1 or not section.split(".")[2].startswith("_Z"):
            lines = [f"*{archive}:{member}({section})"]
            for ending, twins in TWINS.items():
                if member.endswith(ending):
                    stem = member.removesuffix(ending)
                    lines += [f"*{archive}:{stem}{twin}(.text .text.*)" for twin in twins]
            return lines
        return [f"*({section})"]
    return [f"*({section})"] if section.count(".") > 1 else [f"*{os.path.basename(where)}({section})"]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--hob", required=True)
    parser.add_argument("--map", required=True, type=pathlib.Path)
    parser.add_argument("--output", required=True, type=pathlib.Path)
    options = parser.parse_args()
    sections = sections_of(options.map)
    starts = [each[0] for each in sections]
    order = {kind: {} for kind in KINDS}

    def note(addresses, group):
        for address in addresses:
            at = bisect.bisect_right(starts, address) - 1
            if at < 0 or address >= starts[at] + sections[at][1]:
                continue
            _, size, name, where = sections[at]
            kind = next(kind for kind in KINDS if name.startswith(kind))
            for line in pattern_of(name, where):
                # Small ones first: of a large one only a part is touched.
                order[kind].setdefault(line, (group, size))

    with tempfile.TemporaryDirectory(prefix="hobo-") as directory:
        project = pathlib.Path(directory) / "p"
        project.mkdir()
        (project / "hob.toml").write_text('[worker.cat]\nrun = "cat"\nprotocol = "lines"\n')
        environment = {"PATH": os.environ["PATH"], "HOME": directory, "HOB_RUNTIME_DIR": f"{directory}/r",
                       "HOB_STATE_DIR": f"{directory}/s"}
        hob = [os.path.abspath(options.hob), "-C", str(project)]
        for group, runs in enumerate((client_runs, daemon_run)):
            for addresses in runs(hob, environment, f"{directory}/trace"):
                note(addresses, group)
    with options.output.open("w") as output:
        output.write(HEAD)
        # Warm data ends where the warm part of what starts as zero begins.
        for kind, place in ((".text", "BEFORE"), (".rodata", "BEFORE"), (".data", "AFTER"), (".bss", "BEFORE")):
            lines = "\n".join(f"        {line}" for line in sorted(order[kind], key=order[kind].get))
            output.write(f"SECTIONS {{\n    {kind}.warm : {{\n{lines}\n    }}\n}}\nINSERT {place} {kind};\n")
    print(f"{options.output}: " + ", ".join(f"{len(lines)} {kind}" for kind, lines in order.items()), file=sys.stderr)


if __name__ == "__main__":
    main()
