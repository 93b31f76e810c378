"""Services: a thousand at once, a restart after kill -9, captured output; beside s6, runit and supervisord."""

import json
import os
import pathlib
import shutil
import signal
import statistics
import subprocess
import time

from peers import context_switches, memory
from place import interleaved
from rows import Row, at_least, at_most
from supervisors import SUPERVISORD, supervised

MANY_PROGRAMS = """\
[program:one]
command=sleep infinity
process_name=%(process_num)d
numprocs={count}
autostart=false
startsecs=0
"""


def services(place, effort):
    rows = restarts_and_output(place, effort)
    return many(place, effort) + rows


def restarts_and_output(place, effort):
    with supervised(place) as (hob, *others):
        took = restarts(effort, [hob, *others])
        rows = [
            Row("a service after kill -9", "until the next one runs", took[hob.name], "us", one.name, took[one.name])
            for one in others
        ]
        for size, how in ((0, "a line a write"), (4096, "4 KiB a write")):
            lines = effort.lines if size else effort.lines // 4
            cases = {one.name: lambda o=one, n=lines, s=size: o.chatter(n, s) for one in (hob, *others)}
            rate = interleaved(max(3, effort.repeats // 2), **cases)
            for one in others:
                asked = (at_least(1), at_least(2)) if one.name != "supervisord" else ()
                what = f"lines of a service, {how}"
                rows.append(Row("captured lines of services", what, rate[hob.name], "/s", one.name, rate[one.name], *asked))
    return rows


def restarts(effort, all_of_them):
    """Medians. runsv delays the restart of a service that died within a second, so all services live longer.

    s6-supervise waits a second after every death, and supervisord polls about once a second."""
    took = {one.name: [] for one in all_of_them}
    order = list(all_of_them)
    for _ in range(effort.restarts):
        time.sleep(1.2)
        for one in order:
            took[one.name].append(one.restart())
        order.append(order.pop(0))  # the first one runs with cold caches
    return {name: statistics.median(each) for name, each in took.items()}


def cpu(pid):
    """CPU time of all threads in microseconds."""
    return sum(int(path.read_text().split()[0]) for path in pathlib.Path(f"/proc/{pid}/task").glob("*/schedstat")) / 1e3


class ManyUnderHob:
    name = "hob"
    folder = "many"

    def __init__(self, place, count):
        self.place, self.count = place, count
        self.directory = place.root / self.folder
        self.directory.mkdir()
        # The same daemon without units first, to know what they add.
        (self.directory / "hob.toml").write_text("")
        self.hob("daemon")
        self.pid = self.status()["daemon"]["pid"]
        self.empty = memory(self.pid)
        self.keeper = self.status()["daemon"]["keeper_pid"]
        self.empty_keeper = memory(self.keeper)
        (self.directory / "hob.toml").write_text(self.configuration())
        self.hob("reload")

    def configuration(self):
        return "".join(f'[service.s{i}]\nrun = ["sleep", "infinity"]\n' for i in range(self.count))

    def hob(self, *words):
        return self.place.run_hob(*words, project=self.directory)

    def status(self):
        return self.place.status(self.directory)

    def start(self):
        self.hob("--timeout", "5m", "start")

    def stop(self):
        self.hob("--timeout", "5m", "stop", *(f"s{i}" for i in range(self.count)))

    def up(self):
        units = self.status()["units"]
        return len({unit["pid"] for unit in units if unit["state"] == "ready"})

    def replace_daemon(self):
        """Kills the daemon. The seconds until the next one answers."""
        pid = self.status()["daemon"]["pid"]
        began = time.perf_counter()
        os.kill(pid, signal.SIGKILL)
        self.hob("ping")
        return time.perf_counter() - began

    def end(self):
        self.place.run_hob("shutdown", "--now", project=self.directory, check=False)


class ManyWithPorts(ManyUnderHob):
    """Each service has a port, which is a variable of all of them, and two groups."""

    name = "hob with ports and groups"
    folder = "many-with-ports"

    def configuration(self):
        ports = "".join(f"PORT_{i} = {20000 + i}\n" for i in range(self.count))
        return "[ports]\n" + ports + "".join(
            f'[service.s{i}]\nrun = ["sleep", "infinity"]\ngroups = ["all", "g{i % 10}"]\n'
            f'env = {{ PORT = "${{PORT_{i}}}" }}\n'
            for i in range(self.count)
        )

    def start(self):
        self.hob("--timeout", "5m", "start", "@all")

    def stop(self):
        self.hob("--timeout", "5m", "stop", "@all")


class ManyUnderSupervisord:
    name = "supervisord"

    def __init__(self, place, count):
        self.place = place
        directory = place.root / "many-supervisord"
        directory.mkdir()
        self.config = directory / "conf"
        settings = SUPERVISORD.format(place=directory, descriptors=256)
        self.config.write_text(settings)
        self.process = self.daemon(directory)
        self.empty = memory(self.process.pid)
        self.process.terminate()
        self.process.wait()
        # It has two open files for each program.
        settings = SUPERVISORD.format(place=directory, descriptors=256 + 4 * count)
        self.config.write_text(settings + MANY_PROGRAMS.format(count=count))
        self.process = self.daemon(directory)
        self.pid = self.process.pid

    def daemon(self, directory):
        (directory / "sock").unlink(missing_ok=True)
        process = self.place.start(["supervisord", "-c", str(self.config)], directory / "sock")
        self.place.started.remove(process)
        return process

    def control(self, *words, check=True):
        return subprocess.run(
            ["supervisorctl", "-c", str(self.config), *words],
            env=self.place.env, check=check, capture_output=True, text=True,
        ).stdout

    def start(self):
        self.control("start", "all")

    def stop(self):
        self.control("stop", "all")

    def status(self):
        # Its status is not 0 if a program is not up.
        return self.control("status", check=False)

    def up(self):
        return self.status().count("RUNNING")

    def end(self):
        self.process.terminate()
        self.process.wait()


def timed(call, *words):
    began = time.perf_counter()
    call(*words)
    return time.perf_counter() - began


def expect(one, count, state):
    if one.up() != count:
        raise SystemExit(f"bench: of the services under {one.name} {one.up()} are up after {state}, not {count}")


def many(place, effort):
    kinds = [ManyUnderHob, ManyWithPorts, *([ManyUnderSupervisord] if shutil.which("supervisord") else [])]
    all_of_them = []
    try:
        all_of_them += [kind(place, effort.services) for kind in kinds]
        found = measure_many(effort, all_of_them)
        kept = keeper_rows(effort, all_of_them[0])
    finally:
        for one in all_of_them:
            one.end()
    hob, other = found["hob"], found.get("supervisord", {})
    group = f"{effort.services} services, sleep infinity"
    # Other Python processes that start or end change its share of common files by more than the effect.
    other.pop("PSS for each", None)
    plain = [
        Row(group, what, hob[what], unit, "supervisord" if what in other else "", other.get(what))
        for what, unit in MEASURES.items()
    ]
    ports = found[ManyWithPorts.name]
    group = f"{effort.services} services with ports and groups"
    with_ports = [
        Row(group, what, ports[what], unit, "without them", hob[what]) for what, unit in MEASURES.items()
    ]
    return plain + with_ports + kept


def keeper_rows(effort, hob):
    """What the keeper needs, and how long the daemon after one that was killed takes to go on with everything."""
    hob.start()
    before = {unit["pid"] for unit in hob.status()["units"]}
    took = statistics.median(hob.replace_daemon() for _ in range(max(3, effort.repeats // 4)))
    if {unit["pid"] for unit in hob.status()["units"]} != before:
        raise SystemExit("bench: a service has not outlived its daemon")
    group = f"the keeper, {effort.services} services"
    rows = [
        Row(group, "its private memory without services", hob.empty_keeper[1], "KiB", must=at_most(128)),
        Row(group, "its private memory", memory(hob.keeper)[1], "KiB", must=at_most(512)),
        Row(group, "daemon killed, until the next one answers", took * 1e3, "ms"),
    ]
    hob.stop()
    return rows


MEASURES = {
    "start of all": "ms",
    "stop of all": "ms",
    "status of all": "ms",
    "CPU of the daemon, a start": "us",
    "CPU of the daemon, a stop": "us",
    "PSS for each": "KiB",
    "private memory for each": "KiB",
    "context switches a second, nothing happens": "",
}


def measure_many(effort, all_of_them):
    values = {one.name: {what: [] for what in MEASURES} for one in all_of_them}
    for _ in range(effort.service_rounds):
        for one in all_of_them:
            note = values[one.name]
            for verb, what in ((one.start, "start"), (one.stop, "stop")):
                before = cpu(one.pid)
                note[f"{what} of all"].append(timed(verb) * 1e3)
                note[f"CPU of the daemon, a {what}"].append((cpu(one.pid) - before) / effort.services)
                expect(one, effort.services if what == "start" else 0, what)
                if what == "start":
                    at_rest(one, effort, note)
    return {name: {what: statistics.median(each) for what, each in note.items()} for name, note in values.items()}


def at_rest(one, effort, note):
    note["status of all"].append(statistics.median(timed(one.status) for _ in range(effort.repeats)) * 1e3)
    for what, now, empty in zip(("PSS for each", "private memory for each"), memory(one.pid), one.empty, strict=True):
        note[what].append((now - empty) / effort.services)
    time.sleep(1)
    before = context_switches(one.pid)
    time.sleep(effort.idle)
    note["context switches a second, nothing happens"].append((context_switches(one.pid) - before) / effort.idle)
