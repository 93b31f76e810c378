#!/usr/bin/env python3
"""What hob costs, beside the same work in static C: interleaved runs, medians, ratios.

Run by `./dev bench`. Numbers are reported, never asserted: machines differ, ratios within one run do less.
"""

import argparse
import json
import os
import pathlib
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time


class Place:
    """Directories for hob and for the C programs; ends what it started."""

    def __init__(self, options):
        self.options = options
        self.root = pathlib.Path(tempfile.mkdtemp(prefix="hobb-"))
        self.project = self.root / "p"
        self.project.mkdir()
        (self.project / "hob.toml").write_text("")
        self.c = self.root / "c"
        self.c.mkdir()
        self.env = {
            "PATH": os.environ.get("PATH", "/usr/bin:/bin"),
            "HOME": str(self.root),
            "HOB_RUNTIME_DIR": str(self.root / "r"),
            "HOB_STATE_DIR": str(self.root / "s"),
        }
        self.servers = []

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.hob("shutdown", "--now", check=False)
        self.stop_cold_c()
        for server in self.servers:
            server.kill()
            server.wait()
        shutil.rmtree(self.root, ignore_errors=True)

    def spawn(self, arguments):
        """Runs a program as cheaply as Python can; microseconds from start to exit."""
        started = time.perf_counter_ns()
        pid = os.posix_spawn(
            arguments[0],
            arguments,
            self.env,
            file_actions=[(os.POSIX_SPAWN_OPEN, 1, "/dev/null", os.O_WRONLY, 0)],
        )
        _, status = os.waitpid(pid, 0)
        elapsed = (time.perf_counter_ns() - started) / 1000
        if status != 0:
            raise SystemExit(f"bench: {' '.join(arguments)} ended with {os.waitstatus_to_exitcode(status)}")
        return elapsed

    def hob(self, *arguments, check=True):
        return subprocess.run(
            [self.options.hob, *arguments], cwd=self.project, env=self.env, check=check, capture_output=True, text=True
        )

    def hob_times(self, *arguments):
        return self.spawn([self.options.hob, "-C", str(self.project), *arguments])

    def c_server(self):
        path = str(self.c / "warm.sock")
        self.servers.append(subprocess.Popen([self.options.server, path]))
        while not os.path.exists(path):
            time.sleep(0.001)
        return path

    def stop_cold_c(self):
        """Ends the server that ping_client --cold started: the one listening on our socket."""
        path = self.c / "c.sock"
        if not path.exists():
            return
        with socket.socket(socket.AF_UNIX) as client:
            try:
                client.connect(str(path))
            except OSError:
                return
            credentials = client.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12)
        pid = int.from_bytes(credentials[:4], sys.byteorder)
        os.kill(pid, signal.SIGKILL)
        path.unlink()
        while pathlib.Path(f"/proc/{pid}/stat").exists():
            if pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z":
                break
            time.sleep(0.0005)


def interleaved(rounds, **cases):
    """Medians, in the order given; one run of each a round, so that a noisy moment hits all of them."""
    times = {name: [] for name in cases}
    for _ in range(rounds):
        for name, case in cases.items():
            times[name].append(case())
    return {name: statistics.median(values) for name, values in times.items()}


def warm(place, rounds):
    place.hob("ping")
    path = place.c_server()
    return interleaved(
        rounds,
        c=lambda: place.spawn([place.options.client, path]),
        ping=lambda: place.hob_times("ping"),
        status=lambda: place.hob_times("status", "--json"),
    )


def cold(place, rounds):
    def cold_hob():
        place.hob("shutdown")
        return place.hob_times("ping")

    def cold_c():
        place.stop_cold_c()
        return place.spawn([place.options.client, "--cold", str(place.c)])

    return interleaved(rounds, c=cold_c, ping=cold_hob)


def requests_a_second(place, rounds, requests):
    place.hob("ping")
    status = json.loads(place.hob("status", "--json").stdout)
    ours = status["daemon"]["socket"]
    theirs = str(place.c / "warm.sock")

    def measure(path):
        client = subprocess.run([place.options.client, "--many", path, str(requests)], capture_output=True, check=True)
        return float(client.stdout)

    return interleaved(rounds, c=lambda: measure(theirs), hob=lambda: measure(ours))


def context_switches(pid):
    total = 0
    for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
        for line in (task / "status").read_text().splitlines():
            if "ctxt_switches" in line:
                total += int(line.split()[1])
    return total


def memory(pid):
    fields = {}
    for line in pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()[1:]:
        name, _, rest = line.partition(":")
        fields[name] = int(rest.split()[0])
    return fields


def idle(place, seconds):
    place.hob("ping")
    pid = json.loads(place.hob("ping", "--json").stdout)["pid"]
    time.sleep(0.5)
    before = context_switches(pid)
    time.sleep(seconds)
    kib = memory(pid)
    return {"switches": context_switches(pid) - before, "pss": kib["Pss"], "anonymous": kib["Pss_Anon"]}


def row(what, value, unit, reference=None, must=None):
    return {"what": what, "value": round(value, 1), "unit": unit, "reference": reference and round(reference, 1),
            "ratio": round(value / reference, 2) if reference else None, "must": must}


def measure_all(place, options):
    rows = []
    times = warm(place, options.rounds)
    rows.append(row("hob ping, warm", times["ping"], "us", times["c"], "<= 1.4"))
    rows.append(row("hob status --json, warm", times["status"], "us", times["c"], "<= 1.6"))
    rate = requests_a_second(place, max(3, options.rounds // 40), 20000)
    rows.append(row("hob.ping on one connection", rate["hob"], "/s", rate["c"], ">= 0.85"))
    times = cold(place, max(5, options.rounds // 5))
    rows.append(row("hob ping, cold", times["ping"], "us", times["c"], "<= 3"))
    rest = idle(place, options.idle)
    rows.append(row(f"context switches, idle for {options.idle} s", rest["switches"], "", None, "0"))
    rows.append(row("PSS, idle", rest["pss"], "KiB", None, "<= 4608"))
    rows.append(row("private anonymous memory, idle", rest["anonymous"], "KiB", None, "<= 512"))
    return rows


def table(rows):
    print(f"{'':40} {'hob':>12} {'C':>12} {'ratio':>7}  must")
    for r in rows:
        value = f"{r['value']:g} {r['unit']}".strip()
        reference = f"{r['reference']:g} {r['unit']}".strip() if r["reference"] else ""
        ratio = f"{r['ratio']:.2f}" if r["ratio"] else ""
        print(f"{r['what']:40} {value:>12} {reference:>12} {ratio:>7}  {r['must']}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--hob", required=True)
    parser.add_argument("--client", required=True)
    parser.add_argument("--server", required=True)
    parser.add_argument("--rounds", type=int, default=300)
    parser.add_argument("--idle", type=int, default=10, help="seconds to watch the idle daemon")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    for name in ("hob", "client", "server"):
        setattr(options, name, os.path.abspath(getattr(options, name)))
    with Place(options) as place:
        rows = measure_all(place, options)
    if options.json:
        print(json.dumps(rows))
    else:
        table(rows)


if __name__ == "__main__":
    main()
