"""A large project: many services with ports and groups, and a history of a million runs."""

import pathlib
import sqlite3
import statistics
import time

from peers import memory
from rows import Row
from services import cpu, timed

FRONT = 10  # one service of so many is in the group `front`
FIRST_PORT = 20000


def projects(place, effort):
    return with_ports_and_groups(place, effort) + [history(place, effort)]


def with_ports_and_groups(place, effort):
    directory = place.root / "grouped"
    directory.mkdir()
    ports = "".join(f"PORT_{i} = {FIRST_PORT + i}\n" for i in range(effort.services))
    units = "".join(
        f'[service.s{i}]\nrun = ["sleep", "infinity"]\ngroups = [{group(i)}]\nenv = {{ URL = "http://localhost:${{PORT_{i}}}" }}\n'
        for i in range(effort.services)
    )
    (directory / "hob.toml").write_text(f"[ports]\n{ports}{units}")
    group_name = f"{effort.services} services with ports and groups"
    hob = lambda *words: place.run_hob("--timeout", "5m", *words, project=directory)
    try:
        hob("daemon")
        pid = place.status(directory)["daemon"]["pid"]
        empty = memory(pid)
        rows = []
        for what, words in (
            ("start @front, the ports chosen", ("start", "@front")),
            ("start @all", ("start", "@all")),
            ("status", ("status",)),
            ("status @front", ("status", "@front")),
            ("env", ("env",)),
            ("stop @front", ("stop", "@front")),
            ("stop @all", ("stop", "@all")),
        ):
            before = cpu(pid)
            took = timed(hob, *words)
            rows.append(Row(group_name, what, took * 1e3, "ms"))
            rows.append(Row(group_name, f"{what}: CPU of the daemon", (cpu(pid) - before) / 1e3, "ms"))
            if words == ("start", "@all"):
                each = (memory(pid)[1] - empty[1]) / effort.services
                rows.append(Row(group_name, "private memory for each", each, "KiB"))
        return rows
    finally:
        place.run_hob("shutdown", "--now", project=directory, check=False)


def group(number):
    return '"all", "front"' if number % FRONT == 0 else '"all"'


def history(place, effort):
    """Until the newest of a long history are shown, without a daemon."""
    directory = place.root / "history"
    directory.mkdir()
    (directory / "hob.toml").write_text('[task.t]\nrun = "true"\nkeep = 1000000\n')
    place.run_hob("run", "t", project=directory)
    database = pathlib.Path(place.status(directory)["daemon"]["log"]).with_name("hob.db")
    place.run_hob("shutdown", project=directory)
    began = int(time.time() * 1000) - effort.history * 1000
    with sqlite3.connect(database) as opened:
        opened.executemany(
            "INSERT INTO run (task, trigger, cause, state, started_at, ended_at, exit) VALUES ('t', 'timer', '', ?, ?, ?, ?)",
            (
                ("ok" if i % 100 else "failed", began + i * 1000, began + i * 1000 + 500, int(i % 100 == 0))
                for i in range(effort.history)
            ),
        )
    opened.close()
    took = [timed(lambda: place.run_hob("runs", "-n", "20", project=directory)) for _ in range(effort.repeats)]
    return Row(f"{effort.history} runs in the history", "runs -n 20", statistics.median(took) * 1e3, "ms")
