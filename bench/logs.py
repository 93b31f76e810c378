"""Lines a second captured from a chatty child, with times and rotation, beside s6-log and svlogd."""

import os
import shutil
import subprocess
import time

from place import interleaved
from rows import Row, at_least


def ends_with(path, tag):
    try:
        with open(path, "rb") as log:
            log.seek(max(0, os.fstat(log.fileno()).st_size - 200))
            return f"the end {tag}\"".encode() in log.read()
    except FileNotFoundError:
        return False


def by_hob(place, lines, size):
    log = place.root / "s" / place.status()["instance"] / "log" / "chatty.log"
    tag = f"{time.monotonic_ns()}"
    limit = time.monotonic() + 120
    place.run_hob("call", "chatty", "ready")
    began = time.perf_counter()
    place.run_hob("--timeout", "5m", "call", "chatty", "chatter", f"[{lines},{size},{tag}]")
    while not ends_with(log, tag):
        if time.monotonic() > limit:
            raise SystemExit("bench: the last line of the child was not captured")
        time.sleep(0.0005)
    return lines / (time.perf_counter() - began)


def by_filter(place, words, lines, size):
    """Runs `chatter | words` until the filter has ended."""
    began = time.perf_counter()
    with subprocess.Popen(
        [place.program("worker"), "--chatter", str(lines), str(size)], stdout=subprocess.PIPE
    ) as child:
        # In its own session, like the daemon.
        subprocess.run(words, stdin=child.stdout, env=place.env, check=True, start_new_session=True)
    return lines / (time.perf_counter() - began)


def logs(place, effort):
    place.run_hob("ping")
    peers = {}
    if shutil.which("s6-log"):
        directory = place.root / "s6"
        peers["s6-log"] = ["s6-log", "n5", "s10485760", "T", str(directory)]
    if shutil.which("svlogd"):
        directory = place.root / "sv"
        directory.mkdir(exist_ok=True)
        (directory / "config").write_text("s10485760\nn5\n")
        peers["svlogd"] = ["svlogd", "-tt", str(directory)]
    rows = []
    for size, how in ((0, "a line a write"), (4096, "4 KiB a write")):
        lines = effort.lines if size else effort.lines // 4
        cases = {"hob": lambda n=lines, s=size: by_hob(place, n, s)}
        for name, words in peers.items():
            cases[name] = lambda w=words, n=lines, s=size: by_filter(place, w, n, s)
        rate = interleaved(max(3, effort.repeats // 2), **cases)
        for name in peers:
            rows.append(
                Row("captured lines", f"lines of a child, {how}", rate["hob"], "/s", name, rate[name],
                    at_least(1), at_least(2))
            )
    return rows
