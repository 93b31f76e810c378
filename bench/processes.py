"""Whole processes, warm and cold, compared with static C programs that do the same."""

import os
import pathlib
import statistics
import time

from rows import Row, at_most


def warm(place, effort):
    place.run_hob("ping")
    page = place.socket().removesuffix(".sock") + ".page"
    place.run_hob("call", "echo", "hello")
    times = place.whole_processes(
        effort.rounds,
        {
            "c": [place.program("ping_client"), place.c_server()],
            "ping": place.hob_words("ping"),
            "status": place.hob_words("status", "--json"),
            "page": [place.program("page"), page],
            "prompt": place.hob_words("prompt"),
            "call": place.hob_words("call", "echo", "hello"),
        },
    )
    group = "warm, whole processes"
    return [
        Row(group, "hob ping", times["ping"], "us", "C client", times["c"], at_most(1.4), at_most(1.2)),
        Row(group, "hob status --json", times["status"], "us", "C client", times["c"], at_most(1.6), at_most(1.2)),
        Row(group, "hob prompt", times["prompt"], "us", "C reader of the page", times["page"]),
        Row(group, "hob call echo hello", times["call"], "us", "C client", times["c"]),
    ]


def cold(place, effort):
    times = place.whole_processes(
        effort.cold_rounds,
        {
            "c": (
                [place.program("ping_client"), "--stop", str(place.c)],
                [place.program("ping_client"), "--cold", str(place.c)],
            ),
            "ping": (place.hob_words("shutdown"), place.hob_words("ping")),
        },
    )
    group = "cold, whole processes"
    rows = [Row(group, "hob ping", times["ping"], "us", "C client and server", times["c"], at_most(3), at_most(2))]
    crowds, warm_ones = [], []
    for _ in range(effort.repeats):
        crowds.append(crowd(place, 64))
        warm_ones.append(place.whole_processes(64, {"ping": place.hob_words("ping")})["ping"])
    took = statistics.median(each[0] for each in crowds)
    daemons, errors = max(each[1] for each in crowds), sum(each[2] for each in crowds)
    allowed = 64 * statistics.median(warm_ones) + times["ping"]
    rows.append(Row(group, "64 cold clients", took, "us", "64 warm + 1 cold", allowed, at_most(1)))
    rows.append(Row(group, "64 cold clients: daemons", daemons, "", must=at_most(1)))
    rows.append(Row(group, "64 cold clients: errors", errors, "", must=at_most(0)))
    return rows


def crowd(place, count):
    """Simultaneous clients without a daemon: microseconds until the last has ended, daemons, failed clients."""
    place.run_hob("shutdown")
    words = ["-C", str(place.project), "ping", "--json"]
    outputs = [str(place.c / f"crowd.{i}") for i in range(count)]
    began = time.perf_counter_ns()
    # The cheapest way to start processes in Python: a Popen takes longer than a client.
    started = [
        os.posix_spawn(
            place.hob, [place.hob, *words], place.env,
            file_actions=[(os.POSIX_SPAWN_OPEN, 1, output, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)],
        )
        for output in outputs
    ]
    codes = [os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) for pid in started]
    took = (time.perf_counter_ns() - began) / 1000
    replies = [(pathlib.Path(output).read_bytes(), code) for output, code in zip(outputs, codes, strict=True)]
    pids = {reply.split(b'"pid":')[1].split(b",")[0] for reply, code in replies if code == 0}
    return took, len(pids), sum(code != 0 for _, code in replies)


def size(place, _):
    c = os.path.getsize(place.program("ping_server"))
    return [Row("size", "binary", os.path.getsize(place.hob) / 2**20, "MiB", "C server", c / 2**20)]
