#!/usr/bin/env python3
"""Measures hob beside the same work in static C and beside other programs: interleaved runs, medians, ratios.

Run by `./dev bench`. Numbers are reported, never asserted: machines differ, ratios within one run do less.
"""

import argparse
import dataclasses
import json
import os
import shutil
import sys

import build
import logs
import peers
import processes
import projects
import protocols
import services
import tasks
import throughput
from place import Place
from rows import table

GROUPS = {
    "warm": processes.warm,
    "cold": processes.cold,
    "idle": peers.idle,
    "requests": throughput.requests,
    "call": throughput.through,
    "logs": logs.logs,
    "services": services.services,
    "projects": projects.projects,
    "tasks": tasks.tasks,
    "protocols": protocols.protocols,
    "peers": peers.peers,
    "size": processes.size,
    "build": build.build,
}


@dataclasses.dataclass
class Effort:
    """Numbers of rounds, and durations."""

    rounds: int = 500  # warm processes
    cold_rounds: int = 80
    repeats: int = 9  # of each series of requests
    requests: int = 40000
    lines: int = 1200000
    peer_rounds: int = 60
    peer_cold_rounds: int = 12
    idle: int = 10  # seconds
    restarts: int = 15
    services: int = 1000  # at the same time
    service_rounds: int = 2  # starts and stops of all of them
    runs: int = 3100  # three times, plus a tenth of it as whole commands: 10,000 in all
    changes: int = 20  # of a watched file
    history: int = 1000000  # runs
    protocol_rounds: int = 300  # of one request, each over a pipe and through hob


QUICK = Effort(
    rounds=100, cold_rounds=15, repeats=3, requests=8000, lines=200000, peer_rounds=8, peer_cold_rounds=2, idle=2,
    restarts=4, services=100, service_rounds=1, runs=300, changes=5, history=100000, protocol_rounds=50,
)


class Bench(Place):
    """A place that also has a redis server, if one is installed."""

    redis_socket = None

    def redis(self):
        # Debian's redis-tools has the server under another name; its own name selects its role.
        binary = shutil.which("redis-server") or shutil.which("redis-check-rdb")
        if self.redis_socket is None and binary:
            self.redis_socket = str(self.root / "redis.sock")
            words = ["redis-server", "--port", "0", "--unixsocket", self.redis_socket, "--save", "", "--dir"]
            words += [str(self.root), "--pidfile", str(self.root / "redis.pid"), "--daemonize", "no"]
            server = self.start(words, self.redis_socket, executable=os.path.realpath(binary))
            (self.root / "redis.pid").write_text(f"{server.pid}\n")
        return self.redis_socket


def chosen_groups(options):
    if options.only:
        return options.only
    # `peers` measures them, and hob, while idle.
    groups = [name for name in GROUPS if name not in ("build", "idle")]
    return [*groups, "build"] if options.build else groups


def main():
    parser = argparse.ArgumentParser(prog="./dev bench", description=__doc__.splitlines()[0])
    parser.add_argument("--hob", required=True, help=argparse.SUPPRESS)
    parser.add_argument("--programs", required=True, help=argparse.SUPPRESS)
    parser.add_argument("--only", action="append", choices=GROUPS, help="one group; may be given more than once")
    parser.add_argument("--quick", action="store_true", help="fewer rounds: rough figures only")
    parser.add_argument("--build", action="store_true", help="also time a clean build, which takes minutes")
    parser.add_argument("--json", action="store_true", help="rows as JSON")
    options = parser.parse_args()
    effort = QUICK if options.quick else Effort()
    rows = []
    with Bench(options) as place:
        for name in chosen_groups(options):
            if sys.stderr.isatty():
                print(f"measuring: {name}", file=sys.stderr)
            rows += GROUPS[name](place, effort)
    if options.json:
        print(json.dumps([row.as_json() for row in rows], indent=1))
        return
    print(table(rows))
    missed = [row.what for row in rows if row.met == "no"]
    print(f"\n{len(missed)} of {sum(row.must is not None for row in rows)} rows miss their must" if missed else "")


if __name__ == "__main__":
    main()
