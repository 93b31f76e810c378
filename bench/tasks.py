#!/usr/bin/env python3
"""What tasks cost: runs of `true` beside task-spooler and a bare fork and exec, from a change to a start beside
entr, and how long a large tree takes to be watched.

    python3 bench/tasks.py --hob build/hob [--runs N] [--json]

Needs tsp (task-spooler) and entr in PATH for their rows; without them those rows are absent.
"""

import argparse
import json
import os
import shutil
import socket
import statistics
import subprocess
import tempfile
import time


def project(hob, toml):
    """A project of its own; the environment in which hob serves it."""
    root = tempfile.mkdtemp(prefix="hob-bench-")
    env = dict(os.environ, HOB_RUNTIME_DIR=root + "/r", HOB_STATE_DIR=root + "/s")
    os.mkdir(root + "/p")
    with open(root + "/p/hob.toml", "w") as file:
        file.write(toml)

    def run(*words):
        done = subprocess.run([hob, *words], cwd=root + "/p", env=env, capture_output=True, text=True)
        if done.returncode != 0:
            raise SystemExit(f"hob {' '.join(words)}: {done.stderr}")
        return done.stdout

    return root, run


def done_with(root, run):
    run("shutdown")
    shutil.rmtree(root)


def memory(pid):
    with open(f"/proc/{pid}/status") as file:
        return next(int(line.split()[1]) for line in file if line.startswith("VmRSS:"))


def runs_over_one_connection(hob, count):
    """Runs a second, each with its durable record, asked one after the other; the daemon's growth in KiB."""
    root, run = project(hob, '[task.t]\nrun = ["true"]\n')
    run("run", "t")
    status = json.loads(run("status", "--json"))["daemon"]
    with socket.socket(socket.AF_UNIX) as wire:
        wire.connect(status["socket"])
        lines = wire.makefile("rwb")
        lines.readline()

        def one():
            lines.write(b'{"jsonrpc":"2.0","id":1,"method":"task.run","params":{"task":"t"}}\n')
            lines.flush()
            while b'"id":1' not in (line := lines.readline())[:30] and line:
                pass

        for _ in range(count // 10):
            one()
        before = memory(status["pid"])
        began = time.perf_counter()
        for _ in range(count):
            one()
        took = time.perf_counter() - began
    grown = memory(status["pid"]) - before
    done_with(root, run)
    return count / took, grown


def whole_commands(hob, count):
    root, run = project(hob, '[task.t]\nrun = ["true"]\n')
    run("run", "t")
    began = time.perf_counter()
    for _ in range(count):
        run("run", "t")
    rate = count / (time.perf_counter() - began)
    done_with(root, run)
    return rate


def bare_runs(count):
    began = time.perf_counter()
    for _ in range(count):
        os.waitpid(os.posix_spawn("/bin/true", ["true"], os.environ), 0)
    return count / (time.perf_counter() - began)


def spooled_runs(count):
    tsp = shutil.which("tsp")
    if not tsp:
        return None
    where = tempfile.mkdtemp(prefix="hob-bench-")
    env = dict(os.environ, TS_SOCKET=where + "/socket", TMPDIR=where)
    subprocess.run([tsp, "-n", "true"], env=env, stdout=subprocess.DEVNULL, check=True)
    began = time.perf_counter()
    for _ in range(count):
        subprocess.run([tsp, "-n", "-f", "true"], env=env, stdout=subprocess.DEVNULL)
    rate = count / (time.perf_counter() - began)
    subprocess.run([tsp, "-K"], env=env)
    shutil.rmtree(where)
    return rate


def appears(path, limit=20):
    began = time.perf_counter()
    while time.perf_counter() - began < limit:
        if os.path.exists(path):
            return
        time.sleep(0.0005)
    raise SystemExit(f"{path} did not appear")


def change_to_start(hob, rounds):
    """Milliseconds from a write to the command's first deed; no debounce."""
    root, run = project(hob, '[task.t]\nrun = ["touch", "done"]\nwatch = ["*.txt"]\ndebounce = "0s"\n')
    run("run", "--", "true")
    log = json.loads(run("status", "--json"))["daemon"]["log"]
    while '"msg":"watching"' not in open(log).read():
        time.sleep(0.01)
    found = []
    for turn in range(rounds):
        time.sleep(0.05)
        began = time.perf_counter()
        with open(root + "/p/a.txt", "w") as file:
            file.write(str(turn))
        appears(root + "/p/done")
        found.append(1000 * (time.perf_counter() - began))
        time.sleep(0.1)
        os.unlink(root + "/p/done")
    done_with(root, run)
    return statistics.median(found)


def entr_to_start(rounds):
    if not shutil.which("entr"):
        return None
    root = tempfile.mkdtemp(prefix="hob-bench-")
    with open(root + "/a.txt", "w") as file:
        file.write("0")
    watcher = subprocess.Popen(["entr", "-n", "-p", "touch", "done"], cwd=root, stdin=subprocess.PIPE,
                               stdout=subprocess.DEVNULL, text=True)
    watcher.stdin.write("a.txt\n")
    watcher.stdin.close()
    found = []
    time.sleep(0.5)
    for turn in range(rounds):
        time.sleep(0.05)
        began = time.perf_counter()
        with open(root + "/a.txt", "w") as file:
            file.write(str(turn))
        appears(root + "/done")
        found.append(1000 * (time.perf_counter() - began))
        time.sleep(0.1)
        os.unlink(root + "/done")
    watcher.kill()
    watcher.wait()
    shutil.rmtree(root)
    return statistics.median(found)


def large_tree(hob, folders=5000, files=10):
    """Milliseconds until 50,000 files in 5,000 folders are watched."""
    root, run = project(hob, '[task.t]\nrun = ["true"]\nwatch = ["src/**"]\n')
    for folder in range(folders):
        path = f"{root}/p/src/{folder // 100}/{folder}"
        os.makedirs(path)
        for file in range(files):
            open(f"{path}/{file}", "w").close()
    run("run", "--", "true")
    log = json.loads(run("status", "--json"))["daemon"]["log"]
    while True:
        ready = [json.loads(line) for line in open(log) if '"msg":"watching"' in line]
        if ready:
            break
        time.sleep(0.01)
    done_with(root, run)
    return ready[0]["after_ms"]


def main():
    options = argparse.ArgumentParser()
    options.add_argument("--hob", required=True)
    options.add_argument("--runs", type=int, default=10000)
    options.add_argument("--json", action="store_true")
    given = options.parse_args()
    hob = os.path.abspath(given.hob)
    rate, grown = runs_over_one_connection(hob, given.runs)
    rows = [
        ("runs of true: hob, over one connection, a second", rate),
        ("runs of true: hob run, whole command, a second", whole_commands(hob, max(given.runs // 20, 1))),
        ("runs of true: tsp -n -f, whole command, a second", spooled_runs(max(given.runs // 20, 1))),
        ("runs of true: bare spawn, a second", bare_runs(given.runs)),
        (f"growth of the daemon over {given.runs} runs, KiB", grown),
        ("from a change to a start: hob, ms", change_to_start(hob, 20)),
        ("from a change to a start: entr, ms", entr_to_start(20)),
        ("50,000 files in 5,000 folders watched after, ms", large_tree(hob)),
    ]
    if given.json:
        print(json.dumps(dict(rows)))
        return
    for name, value in rows:
        print(f"{name:52}" + ("absent" if value is None else f"{value:12.1f}"))


if __name__ == "__main__":
    main()
