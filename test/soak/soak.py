#!/usr/bin/env python3
"""A stress test of some minutes: 16 clients with random verbs, kills, stops, reloads, a disk that fills up,
services that change their user, write half lines, or start in a directory that does not answer, and a task that edits
hob.toml.

    soak.py --hob BUILD/hob --worker BUILD/test-programs/echo_worker [--minutes 10] [--seed N]

First a storm, in which the daemon is killed and stopped and loses its files; then a steady part, in which one daemon
survives all that clients and disk do. In between everything pauses for checks: one daemon, no orphan,
nothing stuck, no unknown failure, constant memory and descriptors, an intact database. Exits 1 at the end if a check
not hold.
"""

import argparse
import collections
import json
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

CLIENTS = 16
COMMAND_LIMIT = 45  # seconds; longer than all limits of hob
CHECK_EVERY = 25     # seconds of work between two checks
DISK_KIB = 6144  # the write-ahead log of the database alone takes up to 4 MiB
RSS_SLACK_KIB = 1024
DESCRIPTORS_SLACK = 12  # two workers more or less
# The sleep that identifies the process of each service.
SERVICES = {"stay": b"86401", "web": b"86402"}
# Those that only root has: one that changes its user, and one whose directory does not answer now and then.
ROOT_SERVICES = {"user": b"86403", "far": b"86404"}
# Errors that a client may get while daemons are killed and disks are full; all others are findings.
KNOWN_CODES = {"usage", "config", "no_daemon", "start_failed", "crash_loop", "wedged", "denied", "instance_elsewhere",
               "timeout", "unit_unknown", "unit_failed", "worker_error", "worker_died", "cancelled"}
STEADY_CODES = {"config", "unit_unknown", "unit_failed", "worker_error", "worker_died", "cancelled", "timeout"}
RUN_OWN = (2, 124, 125, 126, 127, 130)  # what `hob run` itself exits with; 2: hob.toml is broken


def parent_of(pid):
    fields = read(f"/proc/{pid}/stat").rpartition(b")")[2].split()
    return int(fields[1]) if len(fields) > 1 else 0


def read(path):
    try:
        return Path(path).read_bytes()
    except OSError:
        return b""


def is_service(words):
    return words[0].endswith(b"sleep") and words[1] in (*SERVICES.values(), *ROOT_SERVICES.values())


class Place:
    """Directories, environment and processes of this soak."""

    def __init__(self, arguments):
        self.root = Path(tempfile.mkdtemp(prefix="hob-soak-"))
        # Copies, so that a build meanwhile does no harm.
        self.hob = shutil.copy(arguments.hob, self.root / "hob")
        self.worker = shutil.copy(arguments.worker, self.root / "echo_worker")
        self.project, self.state, self.runtime = self.root / "p", self.root / "s", self.root / "r"
        for directory in (self.project, self.state, self.root / "h"):
            directory.mkdir(mode=0o700)
        self.small_disk = os.geteuid() == 0 and self.mount()
        self.far = self.mount_far() if os.geteuid() == 0 else None
        self.mark = f"SOAK_ID={self.root.name}"
        self.environment = {"HOME": str(self.root / "h"), "PATH": "/usr/bin:/bin", "LANG": "C.UTF-8",
                            "HOB_STATE_DIR": str(self.state / "hob"), "HOB_RUNTIME_DIR": str(self.runtime),
                            "SOAK_ID": self.root.name, "HOB_LOG": "debug"}
        self.configure("good")

    def mount(self):
        return subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={DISK_KIB}k,mode=0700", "tmpfs", self.state],
                              check=False).returncode == 0

    def mount_far(self):
        """A directory of the project that another process answers for, as a network file system has them."""
        (self.root / "source").mkdir()
        (self.project / "far").mkdir()
        server = subprocess.Popen(["bindfs", "-f", self.root / "source", self.project / "far"])
        end = time.monotonic() + 10
        while not os.path.ismount(self.project / "far"):
            if server.poll() is not None or time.monotonic() > end:
                sys.exit("bindfs does not mount")
            time.sleep(0.02)
        return server

    def services(self):
        return SERVICES | (ROOT_SERVICES if self.far else {})

    def configure(self, kind, extra=0):
        text = "[daemon]\nshutdown_timeout = \"4s\"\n[log]\nmax_size = \"64KiB\"\nmax_files = 2\n"
        for name in ["echo", "other"] + [f"extra{i}" for i in range(extra)]:
            text += f"[worker.{name}]\nrun = [\"{self.worker}\"]\nprotocol = \"jsonrpc\"\ncall_timeout = \"5s\"\n"
            text += "stop = { timeout = \"1s\" }\n"
        text += '[service.stay]\nrun = ["sleep", "86401"]\nstop = { timeout = "1s" }\n'
        text += '[service.web]\nrun = "echo at your service; exec sleep 86402"\nafter = ["stay"]\n'
        text += 'ready = { log = "at your service", timeout = "20s" }\nstop = { timeout = "1s" }\n'
        if self.far:
            text += '[service.user]\nrun = "exec setpriv --reuid 65534 --clear-groups sleep 86403"\n'
            text += '[service.far]\nrun = ["sleep", "86404"]\ncwd = "far"\nstop = { timeout = "1s" }\n'
        text += '[service.mute]\nrun = "while :; do printf half; sleep 0.05; done"\nstop = { timeout = "1s" }\n'
        text += '[task.edit]\nrun = "echo \\"# $HOB_RUN\\" >> hob.toml"\nkeep = 20\n'
        text += '[service.flap]\nrun = ["sh", "-c", "sleep 0.1; exit 1"]\n'
        text += 'max_restarts = 2\nbackoff = { min = "50ms" }\n'
        text += '[task.tick]\nrun = ["true"]\nevery = "1s"\nkeep = 20\n'
        text += '[task.slow]\nrun = ["sleep", "0.2"]\noverlap = "queue"\nkeep = 20\n'
        text += '[task.seen]\nrun = ["true"]\nwatch = ["src/**"]\ndebounce = "50ms"\nkeep = 20\n'
        if kind == "broken":
            text += "[worker.x\n"
        temporary = self.project / ".hob.toml.new"
        temporary.write_text(text)
        temporary.rename(self.project / "hob.toml")

    def fill(self):
        try:
            with open(self.state / "filler", "ab", buffering=0) as file:
                while True:
                    file.write(b"f" * 4096)
        except OSError:
            pass

    def free(self):
        (self.state / "filler").unlink(missing_ok=True)

    def start(self, *words, **more):
        return subprocess.Popen([self.hob, *words], cwd=self.project, env=self.environment, stdin=subprocess.DEVNULL,
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, errors="replace", **more)

    def run(self, *words):
        """(status, stdout, stderr); status None: stuck."""
        process = self.start(*words)
        try:
            out, err = process.communicate(timeout=COMMAND_LIMIT)
            return process.returncode, out, err
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
            return None, "", ""

    def processes(self):
        """{pid: command line} of all processes of this test except zombies."""
        found = {}
        for entry in os.listdir("/proc"):
            if not entry.isdigit() or int(entry) == os.getpid():
                continue
            if self.mark.encode() in read(f"/proc/{entry}/environ").split(b"\0"):
                words = read(f"/proc/{entry}/cmdline").split(b"\0")
                if words != [b""]:
                    found[int(entry)] = words
        return found

    def daemons(self):
        """Pids of the daemons, without children that have forked but not executed yet."""
        found = {
            pid for pid, words in self.processes().items() if any(w.startswith(b"--handover=") for w in words)
        }
        return [pid for pid in found if parent_of(pid) not in found]

    def database(self):
        return next((self.state / "hob").glob("*/hob.db"), None)

    def clear(self):
        for pid in self.processes():
            os.kill(pid, signal.SIGKILL)
        if self.small_disk:
            subprocess.run(["umount", "-l", self.state], check=False)
        if self.far:
            self.far.send_signal(signal.SIGCONT)
            subprocess.run(["umount", "-l", self.project / "far"], check=False)
            self.far.wait()
        shutil.rmtree(self.root, ignore_errors=True)


class Soak:
    def __init__(self, place, seed):
        self.place, self.random = place, random.Random(seed)
        self.findings, self.counts = [], collections.Counter()
        self.working, self.finished = threading.Event(), threading.Event()
        self.busy, self.guard = 0, threading.Condition()
        self.steady = False

    def report(self, text):
        with self.guard:
            self.findings.append(text)
        print(f"FOUND {text}", flush=True)

    # --- clients

    def verb(self, choose):
        common = [["ping"]] * 3 + [["call", "echo", "echo", '{"a":[1,2]}']] * 6 + [
            ["status", "--json"], ["list", "--json"], ["prompt"], ["logs", "-n", "5"], ["logs", "echo", "-n", "5"],
            ["call", "other", "sleep", '{"ms":%d}' % choose.randrange(200)],
            ["--timeout", "%dms" % choose.randrange(1, 300), "call", "other", "sleep", '{"ms":150}'],
            ["call", "echo", "echo", '"%s"' % ("x" * choose.randrange(100000))],
            ["call", "nobody", "x"], ["call", "echo", "nothing"], ["reload"], ["check"], ["events"],
            ["restart", "other"], ["stop", "extra0"], ["start", "extra0"], ["call", "extra0", "die"],
            ["call", "other", "escape"], ["doctor", "--json"], ["status", "--watch"],
            ["start", "web"], ["stop", "web"], ["restart", "stay"], ["start", "flap"], ["stop", "stay"], ["reload", "--dry-run"],
            ["--timeout", "5s", "wait", "web"], ["logs", "stay", "web", "-n", "5"],
            ["start", "mute"], ["stop", "mute"], ["restart", "far"], ["start", "user"], ["stop", "user"],
            ["run", "edit"], ["run", "slow"], ["run", "tick"], ["run", "--", "true"], ["run", "--", "sh", "-c", "echo out; echo err >&2"],
            ["run", "--detach", "--", "sleep", "0.3"], ["run", "--", "seq", "20000"], ["runs"], ["runs", "tick", "--json"]]
        rough = [["shutdown"], ["shutdown", "--now"], ["restart", "--daemon"], ["daemon"], ["status", "--all"]]
        return choose.choice(common if self.steady else common * 2 + rough)

    def client(self, number):
        choose = random.Random(self.random.randrange(1 << 30) + number)
        while not self.finished.is_set():
            if not self.working.wait(0.2):
                continue
            with self.guard:
                if not self.working.is_set():
                    continue
                self.busy += 1
            try:
                self.run_command(choose)
            finally:
                with self.guard:
                    self.busy -= 1
                    self.guard.notify_all()

    def run_command(self, choose):
        words = self.verb(choose)
        endless = words[0] == "events" or "--watch" in words
        process = self.place.start("--json", *words) if "--json" not in words else self.place.start(*words)
        began = time.monotonic()
        ending = None
        if endless or choose.random() < 0.05:  # interrupted or killed at a random point
            try:
                out, err = process.communicate(timeout=choose.random() * (2 if endless else 0.05))
            except subprocess.TimeoutExpired:
                ending = choose.choice([signal.SIGINT, signal.SIGKILL, signal.SIGTERM])
                process.send_signal(ending)
        try:
            out, err = process.communicate(timeout=COMMAND_LIMIT)
        except subprocess.TimeoutExpired:
            self.report(f"stuck for {COMMAND_LIMIT} s: hob {' '.join(words)[:100]}")
            process.kill()
            process.communicate()
            return
        self.check_result(words, process.returncode, err, ending, time.monotonic() - began)

    def check_result(self, words, status, err, ending, took):
        self.counts[words[0], status] += 1
        if ending is not None:
            return
        name = f"hob {' '.join(words)[:80]}: status {status} after {took:.1f} s: {err[-400:]}"
        if status not in ((0, *RUN_OWN) if words[0] == "run" else (0, 1, 2, 3, 4)):
            self.report(name)
        elif status != 0 and words[0] not in ("status", "check", "doctor", "list", "prompt"):
            try:
                code = json.loads(err.strip().splitlines()[-1])["error"]["code"]
            except (ValueError, IndexError, KeyError, TypeError):
                return self.report("no error code: " + name)
            if code not in (STEADY_CODES if self.steady else KNOWN_CODES):
                self.report("an unexpected error: " + name)

    # --- disturbances

    def chaos(self):
        while not self.finished.is_set():
            if not self.working.wait(0.2):
                continue
            with self.guard:
                if not self.working.is_set():
                    continue
                self.busy += 1
            try:
                self.disturb()
            finally:
                with self.guard:
                    self.busy -= 1
                    self.guard.notify_all()
            time.sleep(self.random.random() * 0.7)

    def disturb(self):
        kinds = ["edit", "edit", "break", "fill", "free", "free", "hup", "kill worker", "kill service", "touch", "freeze"]
        if not self.steady:
            kinds += ["kill", "kill", "stop", "stop", "term", "unlink socket", "unlink pid", "remove runtime"]
        kind = self.random.choice(kinds)
        self.counts["trouble", kind] += 1
        place = self.place
        if kind == "edit":
            place.configure("good", self.random.randrange(3))
        elif kind == "break":
            place.configure("broken")
        elif kind == "fill" and place.small_disk:
            place.fill()
        elif kind == "free":
            place.free()
        elif kind == "unlink socket":
            self.unlink("*.sock")
        elif kind == "unlink pid":
            self.unlink("*.pid")
        elif kind == "remove runtime":
            shutil.rmtree(place.runtime, ignore_errors=True)
        elif kind == "kill worker":
            workers = [pid for pid, words in place.processes().items() if words[0].endswith(b"echo_worker")]
            self.signal_one(workers, signal.SIGKILL)
        elif kind == "kill service":
            self.signal_one([pid for pid, words in place.processes().items() if is_service(words)], signal.SIGKILL)
        elif kind == "freeze":
            self.freeze()
        elif kind == "touch":
            (place.project / "src").mkdir(exist_ok=True)
            (place.project / "src" / str(self.random.randrange(20))).write_text("changed")
        else:
            self.signal_daemon(kind)

    def freeze(self):
        if not self.place.far:
            return
        self.place.far.send_signal(signal.SIGSTOP)
        time.sleep(self.random.random() * 2)
        self.place.far.send_signal(signal.SIGCONT)

    def unlink(self, pattern):
        for file in self.place.runtime.glob(pattern):
            file.unlink(missing_ok=True)

    def signal_one(self, pids, number):
        if not pids:
            return None
        pid = self.random.choice(pids)
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            return None
        return pid

    def signal_daemon(self, kind):
        numbers = {"hup": signal.SIGHUP, "kill": signal.SIGKILL, "stop": signal.SIGSTOP, "term": signal.SIGTERM}
        pid = self.signal_one(self.place.daemons(), numbers[kind])
        if kind == "stop" and pid:
            time.sleep(self.random.random() * 2)
            try:
                os.kill(pid, signal.SIGCONT)
            except ProcessLookupError:
                pass

    # --- checks

    def pause(self):
        self.working.clear()
        with self.guard:
            if not self.guard.wait_for(lambda: self.busy == 0, COMMAND_LIMIT + 20):
                self.report("clients did not finish")
        self.place.free()
        self.place.configure("good", 1)

    def wait_for(self, what, holds, limit=20):
        end = time.monotonic() + limit
        while not holds():
            if time.monotonic() > end:
                self.report(f"{what}: {self.describe()}")
                return False
            time.sleep(0.05)
        return True

    def describe(self):
        return {pid: b" ".join(words).decode(errors="replace")[:120] for pid, words in self.place.processes().items()}

    def run_ok(self, *words):
        status, out, err = self.place.run(*words)
        if status != 0:
            self.report(f"at rest: hob {' '.join(words)}: status {status}: {err[-400:]}")
        return out

    def check_at_rest(self):
        """Checks at rest: one daemon that serves, and only its units besides. Returns its pid."""
        self.run_ok("daemon")
        self.run_ok("reload")
        self.run_ok("restart", "echo")
        if self.run_ok("call", "echo", "echo", "[1]") != "[1]\n":
            self.report("at rest: a wrong answer")
        self.wait_for("not exactly one daemon", lambda: len(self.place.daemons()) == 1)
        pid = (self.place.daemons() or [0])[0]
        self.run_ok("stop", "flap", "mute")
        self.run_ok("start", *self.place.services())
        for name, mark in self.place.services().items():
            self.wait_for(f"not exactly one process of the service {name}",
                         lambda: sum(is_service(words) and words[1] == mark
                                     for words in self.place.processes().values()) == 1)
        allowed = (b"echo_worker", b"hob")
        # Runs of the task that its timer starts come and go.
        self.wait_for("orphans", lambda: all(words[0].endswith(allowed) or is_service(words)
                                            for words in self.place.processes().values()))
        # Compared by number: a run of that task may begin at any time.
        seen = [run["id"] for run in json.loads(self.run_ok("runs", "--json") or "[]") if run["state"] == "running"]
        self.wait_for("runs that do not end", lambda: not any(
            run["id"] in seen and run["state"] == "running" for run in json.loads(self.run_ok("runs", "--json") or "[]")))
        status = json.loads(self.run_ok("status", "--json") or "{}")
        if status.get("daemon", {}).get("pid") != pid:
            self.report(f"status reports another daemon than {pid}")
        return pid

    def end(self):
        """Stops the daemon, and checks that nothing is left."""
        self.run_ok("shutdown")
        self.wait_for("left after the shutdown", lambda: not self.place.processes())
        left = [str(f) for f in self.place.runtime.glob("*")] if self.place.runtime.exists() else []
        if left:
            self.report(f"files left in the runtime directory: {left}")
        left = [str(f) for f in (self.place.state / "hob").rglob("*.new-*")]
        if left:
            self.report(f"unfinished files left in the state directory: {left}")
        database = self.place.database()
        if database and sqlite3.connect(database).execute("PRAGMA integrity_check").fetchone() != ("ok",):
            self.report("the database is damaged")
        if list((self.place.state / "hob").glob("*/hob.db.corrupt-*")):
            self.report("a database was set aside as corrupt")

    def usage(self, pid):
        status = dict(line.split(":", 1) for line in read(f"/proc/{pid}/status").decode().splitlines() if ":" in line)
        try:
            descriptors = len(os.listdir(f"/proc/{pid}/fd"))
        except OSError:
            descriptors = 0
        return int(status.get("VmRSS", "0 kB").split()[0]), descriptors

    # --- the whole test

    def part(self, name, seconds):
        if self.steady:
            self.run_ok("daemon")  # looking verbs do not start it
        end = time.monotonic() + seconds
        first = None
        while time.monotonic() < end:
            self.working.set()
            time.sleep(max(1, min(CHECK_EVERY, end - time.monotonic())))
            self.pause()
            pid = self.check_at_rest()
            rss, descriptors = self.usage(pid)
            print(f"{name}: daemon {pid}, {rss} KiB, {descriptors} descriptors, "
                  f"{sum(self.counts.values())} commands", flush=True)
            if self.steady:
                if first is None:
                    first = (pid, rss, descriptors)
                elif pid != first[0]:
                    self.report(f"another daemon in the steady part: {pid} after {first[0]}")
                elif rss > first[1] + RSS_SLACK_KIB or descriptors > first[2] + DESCRIPTORS_SLACK:
                    self.report(f"not constant: {first[1]} KiB and {first[2]} descriptors became {rss} and {descriptors}")
            else:
                self.end()

    def run(self, minutes):
        threads = [threading.Thread(target=self.client, args=(i,)) for i in range(CLIENTS)]
        threads.append(threading.Thread(target=self.chaos))
        for thread in threads:
            thread.start()
        try:
            self.part("storm", minutes * 30)
            self.steady = True
            self.part("steady", minutes * 30)
            self.end()
        finally:
            self.finished.set()
            for thread in threads:
                thread.join()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--hob", required=True)
    parser.add_argument("--worker", required=True)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 30))
    arguments = parser.parse_args()
    place = Place(arguments)
    print(f"seed {arguments.seed}, in {place.root}, "
          + (f"state on {DISK_KIB} KiB" if place.small_disk else "no small disk: not root"), flush=True)
    soak = Soak(place, arguments.seed)
    try:
        soak.run(arguments.minutes)
    finally:
        log = b"".join(read(f) for f in (place.state / "hob").glob("*/daemon.log*"))
        place.clear()
    for (verb, status), count in sorted(soak.counts.items(), key=str):
        print(f"{verb:>9} {status!s:>16} {count:>8}")
    if soak.findings:
        sys.stderr.write(f"{len(soak.findings)} findings; the end of the log:\n{log[-3000:].decode(errors='replace')}\n")
    print("no findings" if not soak.findings else f"{len(soak.findings)} findings")
    return 1 if soak.findings else 0


sys.exit(main())
