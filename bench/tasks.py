"""Tasks: runs a second beside task-spooler and a bare spawn, the delay from a change to a start beside entr and watchman,
and the time until a large tree is watched."""

import json
import os
import select
import shutil
import socket
import statistics
import subprocess
import tempfile
import time

from peers import memory
from rows import Row

TOML = """\
[task.true]
run = ["true"]
[task.changed]
run = "echo >told"
watch = ["*.txt"]
debounce = "0s"
"""
GIVE_UP = 30  # seconds


def tasks(place, effort):
    return runs(place, effort) + changes(place, effort) + [large_tree(place)]


class Project:
    """A project of its own, with the place's environment."""

    def __init__(self, place, name, toml):
        self.place, self.directory = place, place.root / name
        self.directory.mkdir(exist_ok=True)
        (self.directory / "hob.toml").write_text(toml)
        self.hob("ping")  # starts the daemon
        self.hob("reload")  # accepts all units: they may start by themselves
        self.daemon = place.status(self.directory)["daemon"]

    def hob(self, *words):
        return self.place.run_hob(*words, project=self.directory)

    def watched_after(self):
        """Milliseconds until the first watch was ready."""
        limit = time.monotonic() + GIVE_UP
        while time.monotonic() < limit:
            with open(self.daemon["log"]) as log:
                found = [json.loads(line) for line in log if '"msg":"watching"' in line]
            if found:
                return found[0]["after_ms"]
            time.sleep(0.01)
        raise SystemExit("bench: hob did not watch")

    def end(self):
        self.place.run_hob("shutdown", "--now", project=self.directory, check=False)


# --- runs


def runs(place, effort):
    project = Project(place, "tasks", TOML)
    cases = {
        "asked": lambda: asked(project, effort.runs),
        "spawned": lambda: spawned(effort.runs),
        "command": lambda: rate_of(effort.runs // 10, lambda: project.hob("run", "true")),
    }
    if shutil.which("tsp"):
        cases["spooled"] = lambda: spooled(place, effort.runs // 10)
    try:
        asked(project, effort.runs // 10)
        before = memory(project.daemon["pid"])
        rates = {name: [] for name in cases}
        for _ in range(3):
            for name, case in cases.items():
                rates[name].append(case())
        after = memory(project.daemon["pid"])
    finally:
        project.end()
    rate = {name: statistics.median(each) for name, each in rates.items()}
    many = 3 * (effort.runs + effort.runs // 10)
    rows = [
        Row("runs of true, with a durable record", "over one connection", rate["asked"], "/s", "a bare spawn",
            rate["spawned"]),
        Row("runs of true, with a durable record", "hob run, whole command", rate["command"], "/s",
            *(("tsp -nf", rate["spooled"]) if "spooled" in rate else ())),
    ]
    for what, now, then in zip(("PSS", "private memory"), after, before, strict=True):
        rows.append(Row("runs of true, with a durable record", f"growth of {what} over {many}", now - then, "KiB"))
    return rows


def rate_of(count, one):
    began = time.perf_counter()
    for _ in range(count):
        one()
    return count / (time.perf_counter() - began)


def asked(project, count):
    with socket.socket(socket.AF_UNIX) as wire:
        wire.connect(project.daemon["socket"])
        lines = wire.makefile("rwb")
        lines.readline()

        def one():
            lines.write(b'{"jsonrpc":"2.0","id":1,"method":"task.run","params":{"task":"true"}}\n')
            lines.flush()
            while b'"id":1' not in (line := lines.readline())[:30]:
                if not line:
                    raise SystemExit("bench: the daemon has gone")

        return rate_of(count, one)


def spawned(count):
    return rate_of(count, lambda: os.waitpid(os.posix_spawn("/bin/true", ["true"], os.environ), 0))


def spooled(place, count):
    where = tempfile.mkdtemp(dir=place.root)
    env = place.env | {"TS_SOCKET": where + "/socket", "TMPDIR": where}
    one = ["tsp", "-n", "-f", "true"]
    subprocess.run(one, env=env, check=True, capture_output=True)
    try:
        return rate_of(count, lambda: subprocess.run(one, env=env, check=True, capture_output=True))
    finally:
        subprocess.run(["tsp", "-K"], env=env, check=False)


# --- from a change to a start


class Told:
    """A directory with a fifo `told`, to which the started command writes, and a.txt, which is changed."""

    def __init__(self, directory):
        self.directory = directory
        os.mkfifo(directory / "told")
        self.fifo = os.open(directory / "told", os.O_RDWR | os.O_NONBLOCK)

    def milliseconds(self):
        """Seconds from the change until the command has written."""
        time.sleep(0.15)  # the effects of the previous change have ended
        began = time.perf_counter()
        (self.directory / "a.txt").write_text(str(began))
        if not select.select([self.fifo], [], [], GIVE_UP)[0]:
            raise SystemExit(f"bench: nothing was started in {self.directory}")
        took = time.perf_counter() - began
        os.read(self.fifo, 4096)
        return took * 1e3

    def drain(self, seconds):
        """Reads until nothing is written for so long."""
        while select.select([self.fifo], [], [], seconds)[0]:
            os.read(self.fifo, 4096)


class UnderHob:
    name = "hob"

    def __init__(self, place):
        self.project = Project(place, "changes", TOML)
        self.told = Told(self.project.directory)
        self.project.watched_after()

    def end(self):
        self.project.end()


class UnderEntr:
    name = "entr"

    def __init__(self, place):
        directory = place.root / "entr"
        directory.mkdir()
        (directory / "a.txt").write_text("")
        self.told = Told(directory)
        self.process = subprocess.Popen(
            ["entr", "-n", "sh", "-c", "echo >told"], cwd=directory, env=place.env, stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, text=True,
        )
        self.process.stdin.write("a.txt\n")
        self.process.stdin.close()
        self.told.drain(1)  # it starts the command once at first

    def end(self):
        self.process.kill()
        self.process.wait()


class UnderWatchman:
    """Its trigger, because Debian has no watchman-make. It settles for 20 ms by default and 1 ms at least."""

    name = "watchman"

    def __init__(self, place):
        directory = place.root / "watchman"
        directory.mkdir()
        (directory / ".watchmanconfig").write_text('{"settle": 1}')
        self.words = ["watchman", "-U", f"{directory}.sock", "-o", f"{directory}.log", "--statefile", f"{directory}.state"]
        self.env = place.env
        self.told = Told(directory)
        (directory / "a.txt").write_text("")
        self.ask("watch", directory)
        self.ask("--", "trigger", directory, "told", "*.txt", "--", "sh", "-c", "echo >told")
        self.told.drain(1)

    def ask(self, *words):
        subprocess.run([*self.words, *words], env=self.env, check=True, capture_output=True)

    def end(self):
        subprocess.run([*self.words, "shutdown-server"], env=self.env, check=False, capture_output=True)


def changes(place, effort):
    kinds = [UnderHob] + [kind for kind in (UnderEntr, UnderWatchman) if shutil.which(kind.name)]
    all_of_them = []
    try:
        for kind in kinds:
            all_of_them.append(kind(place))
        took = {one.name: [] for one in all_of_them}
        for _ in range(effort.changes):
            for one in all_of_them:
                took[one.name].append(one.told.milliseconds())
    finally:
        for one in all_of_them:
            one.end()
    hob, *others = ((name, statistics.median(each)) for name, each in took.items())
    group, what = "from a change of a file to a start", "debounce 0"
    if not others:
        return [Row(group, what, hob[1], "ms")]
    return [Row(group, what, hob[1], "ms", name, each) for name, each in others]


def large_tree(place, folders=5000, files=10):
    directory = place.root / "large"
    for folder in range(folders):
        path = directory / "src" / str(folder // 100) / str(folder)
        path.mkdir(parents=True)
        for file in range(files):
            (path / str(file)).touch()
    project = Project(place, directory.name, '[task.t]\nrun = ["true"]\nwatch = ["src/**"]\n')
    try:
        took = project.watched_after()
    finally:
        project.end()
    return Row("a large tree", f"{folders * files} files in {folders} folders watched after", took, "ms")
