"""One service each under hob, s6, runit and supervisord: the same program, its output captured with rotation."""

import contextlib
import functools
import json
import os
import pathlib
import select
import shutil
import subprocess
import tempfile
import time

LOG_SIZE, LOG_FILES = 10485760, 5

SUPERVISORD = """\
[unix_http_server]
file={place}/sock
[supervisord]
nodaemon=true
silent=true
minfds={descriptors}
logfile={place}/supervisord.log
pidfile={place}/supervisord.pid
[rpcinterface:supervisor]
supervisor.rpcinterface_factory=supervisor.rpcinterface:make_main_rpcinterface
[supervisorctl]
serverurl=unix://{place}/sock
"""

# The shortest restart delay that each allows.
HOB = """\
[log]
max_size = "{size}B"
max_files = {files}
[service.one]
run = {command}
restart = "always"
backoff = {{ min = "1ms", max = "1ms" }}
"""

PROGRAM = """\
[program:one]
command={command}
startsecs=0
autorestart=true
stdout_logfile={place}/log
stdout_logfile_maxbytes={size}
stdout_logfile_backups={files}
redirect_stderr=true
"""


def script(path, command):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\nexec {command}\n")
    path.chmod(0o700)


class Supervised:
    """Supervises one `worker --service`; waits until it is up, and sends it commands."""

    def __init__(self, place, name):
        self.place, self.name = place, name
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="service-", dir=place.root))
        self.up_path, self.told_path = self.directory / "up", self.directory / "told"
        os.mkfifo(self.up_path)
        os.mkfifo(self.told_path)
        self.up = os.open(self.up_path, os.O_RDWR | os.O_CLOEXEC)
        self.told = os.open(self.told_path, os.O_RDWR | os.O_CLOEXEC)
        self.words = [place.program("worker"), "--service", str(self.up_path), str(self.told_path)]
        self.command = " ".join(self.words)
        self.process = None
        self.pid = None

    def begin(self):
        self.launch()
        self.await_up()

    def run(self, *words):
        # In its own session, like a daemon.
        self.process = subprocess.Popen(
            words, env=self.place.env, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, start_new_session=True
        )

    def await_up(self):
        """The pid that the program itself reports once it runs."""
        if not select.select([self.up], [], [], 60)[0]:
            raise SystemExit(f"bench: the service under {self.name} did not come up")
        self.pid = int(os.read(self.up, 64))

    def end(self):
        if self.process:
            self.process.terminate()
            self.process.wait()
        os.close(self.up)
        os.close(self.told)

    def restart(self):
        """Microseconds from `kill -9` until the next one runs."""
        began = time.perf_counter_ns()
        os.kill(self.pid, 9)
        self.await_up()
        return (time.perf_counter_ns() - began) / 1000

    def chatter(self, lines, size):
        """Lines a second until the last one is in the file."""
        tag = f"{time.monotonic_ns()}"
        limit = time.monotonic() + 120
        began = time.perf_counter()
        os.write(self.told, f"chatter {lines} {size} {tag}\n".encode())
        while not self.has_kept(f"the end {tag}".encode()):
            if time.monotonic() > limit:
                raise SystemExit(f"bench: the last line of the service under {self.name} was not captured")
            time.sleep(0.0005)
        return lines / (time.perf_counter() - began)

    def has_kept(self, text):
        # The file may already have been rotated.
        for path in (self.log(), self.last_rotated()):
            with contextlib.suppress(FileNotFoundError, TypeError), open(path, "rb") as log:
                log.seek(max(0, os.fstat(log.fileno()).st_size - 200))
                if text in log.read():
                    return True
        return False

    def last_rotated(self):
        return max(self.log().parent.glob("@*"), default=None)


class Hob(Supervised):
    def launch(self):
        config = HOB.format(size=LOG_SIZE, files=LOG_FILES, command=json.dumps(self.words))
        (self.directory / "hob.toml").write_text(config)
        self.hob("start")

    def hob(self, *words, check=True):
        return self.place.run_hob(*words, check=check, project=self.directory)

    def log(self):
        return self.place.root / "s" / self.key / "log" / "one.log"

    @functools.cached_property
    def key(self):
        return self.place.status(project=self.directory)["instance"]

    def last_rotated(self):
        return f"{self.log()}.1"

    def end(self):
        self.hob("shutdown", "--now", check=False)
        super().end()


class S6(Supervised):
    def launch(self):
        scan = self.directory / "scan"
        (self.directory / "log").mkdir()
        script(scan / "one" / "run", self.command)
        script(scan / "one" / "log" / "run", f"s6-log n{LOG_FILES} s{LOG_SIZE} T {self.log().parent}")
        self.run("s6-svscan", str(scan))

    def log(self):
        return self.directory / "log" / "current"


class Runit(Supervised):
    def launch(self):
        service = self.directory / "one"
        (self.directory / "log").mkdir()
        (self.directory / "log" / "config").write_text(f"s{LOG_SIZE}\nn{LOG_FILES}\n")
        script(service / "run", self.command)
        script(service / "log" / "run", f"svlogd -tt {self.log().parent}")
        self.run("runsv", str(service))

    def log(self):
        return self.directory / "log" / "current"


class Supervisord(Supervised):
    def launch(self):
        config = self.directory / "conf"
        config.write_text(
            (SUPERVISORD + PROGRAM).format(
                place=self.directory, descriptors=64, command=self.command, size=LOG_SIZE, files=LOG_FILES
            )
        )
        self.run("supervisord", "-c", str(config))

    def log(self):
        return self.directory / "log"

    def last_rotated(self):
        return f"{self.log()}.1"


@contextlib.contextmanager
def supervised(place):
    """Hob and the other installed supervisors, each with its service up: [Hob, ...]."""
    kinds = {"hob": (Hob, "sh"), "s6-supervise, s6-log": (S6, "s6-svscan"), "runsv, svlogd": (Runit, "runsv")}
    kinds["supervisord"] = (Supervisord, "supervisord")
    with contextlib.ExitStack() as ending:
        all_of_them = []
        for name, (kind, program) in kinds.items():
            if shutil.which(program):
                one = kind(place, name)
                ending.callback(one.end)
                one.begin()
                all_of_them.append(one)
        yield all_of_them
