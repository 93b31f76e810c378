"""Requests a second on open connections, and the time that a call to a worker adds.

Where the kernel puts two processes that wake each other decides more than what they do: on one core, a reply is a
switch; on two, it is a wake-up of a core that may sleep. So one connection is measured with both ends on one core, and
many connections with the ends on two.
"""

import os

from place import interleaved
from rows import Row, at_least, at_most

CALL = '{"jsonrpc":"2.0","id":1,"method":"worker.call","params":{"unit":"echo","method":"say","params":["x"]}}'


class Loads:
    """Client programs, on their own core or on that of the server."""

    def __init__(self, place):
        self.place = place
        cores = sorted(place.cores)
        self.servers_core, self.other_core = cores[0], cores[-1]
        self.servers = [place.status()["daemon"]["pid"], *(process.pid for process in place.started)]

    def __enter__(self):
        self.place.pinned(self.servers_core, *self.servers)
        return self

    def __exit__(self, *_):
        self.place.pinned(None, *self.servers, os.getpid())

    def on(self, core, *words):
        def run():
            self.place.pinned(core, os.getpid())
            return self.place.output_of(*words)

        return run

    def together(self, *words):
        return self.on(self.servers_core, *words)

    def apart(self, *words):
        return self.on(self.other_core, *words)


def requests(place, effort):
    place.run_hob("ping")
    hob, c, redis = place.socket(), place.c_server(), place.redis()
    load, count = place.program("load"), str(effort.requests)
    with Loads(place) as loads:
        cases = {
            "hob_1": loads.together(load, hob, "hob", "1", "1", count),
            "c_1": loads.together(load, c, "hob", "1", "1", count),
            "hob_50": loads.apart(load, hob, "hob", "50", "1", count),
            "c_50": loads.apart(load, c, "hob", "50", "1", count),
            "hob_50_16": loads.apart(load, hob, "hob", "50", "16", count),
        }
        if redis:
            cases |= {
                "redis_1": loads.together(load, redis, "redis", "1", "1", count),
                "redis_50": loads.apart(load, redis, "redis", "50", "1", count),
                "redis_50_16": loads.apart(load, redis, "redis", "50", "16", count),
            }
        rate = interleaved(effort.repeats, **cases)
    group = "requests on open connections"
    one, fifty = "hob.ping, 1 connection, 1 core", "hob.ping, 50 connections, 2 cores"
    rows = [Row(group, one, rate["hob_1"], "/s", "C server", rate["c_1"], at_least(0.85), at_least(0.95))]
    rows.append(Row(group, fifty, rate["hob_50"], "/s", "C server", rate["c_50"]))
    if redis:
        rows.insert(1, Row(group, one, rate["hob_1"], "/s", "redis PING", rate["redis_1"]))
        rows.append(
            Row(group, fifty, rate["hob_50"], "/s", "redis PING", rate["redis_50"], at_least(1), at_least(1.5))
        )
        piped = "the same, 16 requests at once"
        rows.append(Row(group, piped, rate["hob_50_16"], "/s", "redis PING", rate["redis_50_16"]))
    return rows


def through(place, effort):
    place.run_hob("call", "echo", "hello")
    hob, c = place.socket(), place.c_server()
    load, count = place.program("load"), str(effort.requests // 4)
    with Loads(place) as loads:
        worker = next(unit["pid"] for unit in place.status()["units"] if unit["name"] == "echo")
        loads.servers.append(worker)
        place.pinned(loads.servers_core, worker)
        rate = interleaved(
            effort.repeats,
            ping=loads.together(load, hob, "hob", "1", "1", count),
            call=loads.together(load, hob, "hob", "1", "1", count, CALL),
            socket=loads.together(load, c, "hob", "1", "1", count),
            pipe=loads.together(place.program("worker"), "--pipe", count),
        )
    took = {name: 1e6 / each for name, each in rate.items()}
    group, trip = "through to a worker, 1 core", "round trip, C server"
    added = took["call"] - took["ping"]
    return [
        Row(group, "worker.call less hob.ping", added, "us", trip, took["socket"], at_most(2), at_most(1.2)),
        Row(group, "the worker on a bare pipe", took["pipe"], "us", trip, took["socket"]),
        Row(group, "worker.call", took["call"], "us", trip, took["socket"]),
    ]
