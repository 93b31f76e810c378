"""Requests a second on open connections, and what a call through to a worker adds."""

from place import interleaved
from rows import Row, at_least, at_most

CALL = '{"jsonrpc":"2.0","id":1,"method":"worker.call","params":{"unit":"echo","method":"say","params":["x"]}}'


def requests(place, effort):
    place.run_hob("ping")
    hob, c = place.socket(), place.c_server()
    redis = place.redis()
    count = str(effort.requests)

    def load(socket, kind, connections, depth):
        return lambda: place.output_of(place.program("load"), socket, kind, str(connections), str(depth), count)

    cases = {"hob_1": load(hob, "hob", 1, 1), "c_1": load(c, "hob", 1, 1), "hob_50": load(hob, "hob", 50, 1)}
    cases |= {"c_50": load(c, "hob", 50, 1), "hob_50_16": load(hob, "hob", 50, 16)}
    if redis:
        cases |= {"redis_1": load(redis, "redis", 1, 1), "redis_50": load(redis, "redis", 50, 1)}
        cases |= {"redis_50_16": load(redis, "redis", 50, 16)}
    rate = interleaved(effort.repeats, **cases)
    group = "requests on open connections"
    one = "1 connection: hob.ping"
    fifty = "50 connections: hob.ping"
    rows = [Row(group, one, rate["hob_1"], "/s", "C server", rate["c_1"], at_least(0.85), at_least(0.95))]
    if redis:
        rows.append(Row(group, one, rate["hob_1"], "/s", "redis PING", rate["redis_1"]))
    rows.append(Row(group, fifty, rate["hob_50"], "/s", "C server", rate["c_50"]))
    if redis:
        rows.append(
            Row(group, fifty, rate["hob_50"], "/s", "redis PING", rate["redis_50"], at_least(1), at_least(1.5))
        )
        piped = "50 connections, 16 deep: hob.ping"
        rows.append(Row(group, piped, rate["hob_50_16"], "/s", "redis PING", rate["redis_50_16"]))
    return rows


def through(place, effort):
    place.run_hob("call", "echo", "hello")
    hob, c = place.socket(), place.c_server()
    count = str(effort.requests // 4)
    load = place.program("load")
    rate = interleaved(
        effort.repeats,
        ping=lambda: place.output_of(load, hob, "hob", "1", "1", count),
        call=lambda: place.output_of(load, hob, "hob", "1", "1", count, CALL),
        socket=lambda: place.output_of(load, c, "hob", "1", "1", count),
        pipe=lambda: place.output_of(place.program("worker"), "--pipe", count),
    )
    took = {name: 1e6 / each for name, each in rate.items()}
    group = "through to a worker"
    trip = "round trip, C server"
    added = took["call"] - took["ping"]
    return [
        Row(group, "worker.call less hob.ping", added, "us", trip, took["socket"], at_most(2), at_most(1.2)),
        Row(group, "the worker on a bare pipe", took["pipe"], "us", trip, took["socket"]),
        Row(group, "worker.call", took["call"], "us", trip, took["socket"]),
    ]
