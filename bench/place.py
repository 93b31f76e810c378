"""Directories for hob and for the programs it is compared with; runs, times and ends them."""

import json
import os
import pathlib
import shutil
import statistics
import subprocess
import tempfile
import time

CONFIG = """\
[log]
max_size = "10MiB"
[worker.echo]
run = ["{worker}"]
protocol = "lines"
[worker.chatty]
run = ["{worker}"]
protocol = "lines"
call_timeout = "5m"
"""


class Place:
    def __init__(self, options):
        self.hob = os.path.abspath(options.hob)
        self.programs = pathlib.Path(options.programs).absolute()
        self.root = pathlib.Path(tempfile.mkdtemp(prefix="hobb-"))
        self.project = self.root / "p"
        self.project.mkdir()
        (self.project / "hob.toml").write_text(CONFIG.format(worker=self.programs / "worker"))
        self.c = self.root / "c"
        self.c.mkdir()
        self.env = {
            "PATH": os.environ.get("PATH", "/usr/bin:/bin"),
            "HOME": str(self.root),
            "HOB_RUNTIME_DIR": str(self.root / "r"),
            "HOB_STATE_DIR": str(self.root / "s"),
        }
        self.started = []
        self.cores = os.sched_getaffinity(0)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.run_hob("shutdown", "--now", check=False)
        subprocess.run([self.program("ping_client"), "--stop", str(self.c)], check=False)
        for process in self.started:
            process.terminate()
            process.wait()
        shutil.rmtree(self.root, ignore_errors=True)

    def program(self, name):
        return str(self.programs / name)

    def hob_words(self, *words):
        """Runs a command in the project, as people do."""
        return [self.hob, *words]

    def run_hob(self, *words, check=True, project=None):
        ran = subprocess.run(
            self.hob_words(*words), cwd=project or self.project, env=self.env, check=False, capture_output=True,
            text=True,
        )
        if check and ran.returncode != 0:
            raise SystemExit(f"bench: {ran.stderr.strip()}")
        return ran

    def status(self, project=None):
        return json.loads(self.run_hob("status", "--json", project=project).stdout)

    def socket(self):
        return self.status()["daemon"]["socket"]

    def start(self, words, socket, **how):
        """A server that stays in the foreground; returns once its socket is there."""
        # In its own session, like a daemon: the kernel shares the processor between sessions.
        process = subprocess.Popen(
            words, env=self.env, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, start_new_session=True, **how
        )
        self.started.append(process)
        limit = time.monotonic() + 30
        while not os.path.exists(socket):
            if process.poll() is not None or time.monotonic() > limit:
                raise SystemExit(f"bench: {words[0]} did not start")
            time.sleep(0.001)
        return process

    def c_server(self):
        path = str(self.c / "warm.sock")
        if not os.path.exists(path):
            self.start([self.program("ping_server"), path], path)
        return path

    def pinned(self, core, *pids):
        """Keeps these processes, and all that they start, on one core."""
        for pid in pids:
            for thread in os.listdir(f"/proc/{pid}/task"):
                os.sched_setaffinity(int(thread), {core} if core is not None else self.cores)

    def output_of(self, *words):
        """The number that one of our C programs prints."""
        return float(subprocess.run(words, env=self.env, check=True, capture_output=True, text=True).stdout)

    def whole_processes(self, rounds, cases):
        """Median microseconds of every case, interleaved. A case: a command, or (a preparing command, a command)."""
        words = []
        for case in cases.values():
            preparation, command = case if isinstance(case, tuple) else ([], case)
            words += [*([","] if words else []), *([*preparation, "/"] if preparation else []), *command]
        ran = subprocess.run(
            [self.program("run"), str(rounds), *words],
            cwd=self.project, env=self.env, capture_output=True, text=True, check=False,
        )
        if ran.returncode != 0:
            raise SystemExit(f"bench: {ran.stderr.strip()}")
        rows = [[float(word) for word in line.split()] for line in ran.stdout.splitlines()]
        return {name: statistics.median(row[i] for row in rows) for i, name in enumerate(cases)}


def interleaved(rounds, **cases):
    """Medians of the functions' results, with one call of each in every round."""
    values = {name: [] for name in cases}
    for _ in range(rounds):
        for name, case in cases.items():
            values[name].append(case())
    return {name: statistics.median(each) for name, each in values.items()}
