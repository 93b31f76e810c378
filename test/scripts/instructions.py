#!/usr/bin/env python3
"""Instructions of a warm client and of a start, counted by valgrind, against test/scripts/instructions.limits.

Instructions do not depend on what else the machine does, as times do. With --update the measured counts are written
into the file, and their head room is kept.
"""

import argparse
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import time

READY = "hob::util::release_startup_memory()"  # the daemon calls it when all is up


def skip_reason(binary):
    """Why this build is not the one that the limits are for, or None."""
    headers = subprocess.run(["readelf", "-lW", binary], check=True, capture_output=True, text=True).stdout
    if "INTERP" in headers:
        return "not linked statically, as sanitized builds are"
    comment = subprocess.run(["readelf", "-p", ".comment", binary], check=True, capture_output=True, text=True).stdout
    return "compiled by clang" if "clang" in comment else None


class Scene:
    def __init__(self, binary, directory):
        self.directory = pathlib.Path(directory)
        project = self.directory / "project"
        project.mkdir()
        (project / "hob.toml").write_text('[worker.cat]\nrun = "cat"\nprotocol = "lines"\n')
        self.hob = [binary, "-C", str(project)]
        # Its length counts, so it is the same everywhere.
        self.environment = {"PATH": "/usr/bin:/bin", "HOME": directory, "HOB_RUNTIME_DIR": f"{directory}/r",
                            "HOB_STATE_DIR": f"{directory}/s"}

    def run(self, words, check=True):
        return subprocess.run(words, env=self.environment, check=check, capture_output=True, text=True, timeout=60)

    def counted(self, options=()):
        output = self.directory / "callgrind"
        return ["valgrind", "--tool=callgrind", f"--callgrind-out-file={output}", *options]

    def client(self, *words, status=0):
        """The fewest of three: greeting and reply come together, or one after the other."""
        return min(self.client_once(words, status) for _ in range(3))

    def client_once(self, words, status):
        ran = self.run([*self.counted(), *self.hob, *words], check=False)
        found = re.search(r"Collected : (\d+)", ran.stderr)
        if ran.returncode != status or not found:
            sys.exit(f"cannot count 'hob {' '.join(words)}': status {ran.returncode}\n{ran.stderr}")
        return int(found[1])

    def start(self):
        words = [*self.counted([f"--dump-before={READY}"]), *self.hob, "daemon", "--foreground"]
        with subprocess.Popen(words, env=self.environment, stderr=subprocess.DEVNULL) as daemon:
            try:
                limit = time.monotonic() + 60
                while self.run([*self.hob, "--no-spawn", "ping"], check=False).returncode != 0:
                    if daemon.poll() is not None or time.monotonic() > limit:
                        sys.exit("cannot count a start: the daemon did not become ready under valgrind")
                    time.sleep(0.02)
                self.run([*self.hob, "shutdown"])
                daemon.wait(timeout=60)
            finally:
                daemon.kill()
        first = self.directory / "callgrind.1"
        if not first.exists():
            sys.exit(f"cannot count a start: the daemon does not call {READY} any more")
        return int(re.search(r"^totals: (\d+)", first.read_text(), re.MULTILINE)[1])


def measure(binary):
    with tempfile.TemporaryDirectory(prefix="hobi-", dir="/tmp") as directory:
        scene = Scene(os.path.abspath(binary), directory)
        counts = {}
        scene.run([*scene.hob, "call", "cat", "x"])
        try:
            counts["warm_ping"] = scene.client("ping")
            counts["warm_status_json"] = scene.client("status", "--json")
            counts["warm_call"] = scene.client("call", "cat", "x")
        finally:
            scene.run([*scene.hob, "shutdown"])
        counts["client_without_daemon"] = scene.client("--no-spawn", "ping", status=3)
        counts["daemon_start"] = scene.start()
    return counts


def read_limits(path):
    """{name: (count, head room in percent)}"""
    rows = (line.split() for line in path.read_text().splitlines() if line and not line.startswith("#"))
    return {name: (int(count), int(room.rstrip("%"))) for name, count, room in rows}


def write_limits(path, counts, limits):
    head = [line for line in path.read_text().splitlines() if line.startswith("#")]
    rows = [f"{name} {count} {limits[name][1]}%" for name, count in counts.items()]
    path.write_text("\n".join([*head, *rows]) + "\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("source", type=pathlib.Path)
    parser.add_argument("--update", action="store_true")
    options = parser.parse_args()
    binary = os.environ["HOB_BINARY"]
    if reason := skip_reason(binary):
        print(f"skipped: {binary} is {reason}")
        return 0
    path = options.source / "test/scripts/instructions.limits"
    limits = read_limits(path)
    counts = measure(binary)
    if options.update:
        write_limits(path, counts, limits)
        return 0
    failed = False
    for name, count in counts.items():
        before, room = limits[name]
        most = before * (100 + room) // 100
        failed |= count > most
        print(f"{name:24}{count:>10} of at most {most:>10} ({(count / before - 1) * 100:+.1f} % since it was set)"
              f"{'  TOO MANY' if count > most else ''}")
    if failed:
        print("If this is the price of something wanted, say so in the commit and set the limit anew:\n"
              "    HOB_BINARY=build/hob python3 test/scripts/instructions.py . --update\n"
              "Else see doc/performance.md, 'How to measure', for how to find what costs them.", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
