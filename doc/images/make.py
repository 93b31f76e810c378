#!/usr/bin/env python3
"""Makes the pictures of the README: `hob status` in a terminal and the page of `hob runs --html`.

Usage: doc/images/make.py HOB. Needs tmux, chromium and python3. The project in the
pictures is made here, runs for a few seconds and is removed again.
"""

import html
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
PROJECT = """\
[service.db]
run = "while :; do sleep 1; done"
ready = { delay = "0s" }

[service.web]
run = "python3 -u -m http.server 8471 --bind 127.0.0.1"
after = ["db"]
ready = { tcp = 8471 }

[worker.sum]
run = "bc -l"
protocol = "lines"

[task.build]
run = "sleep 0.4; echo built"
watch = ["src/*.c"]

[task.backup]
run = "echo 'no space left' >&2; exit 3"
every = "6h"

[task.mail]
run = "sleep 0.2"
every = "5m"
"""
COLORS = {"1": "font-weight:600", "2": "opacity:.6", "31": "color:#e5534b", "32": "color:#57ab5a",
          "33": "color:#c69026", "34": "color:#539bf5", "36": "color:#39c5cf"}


def to_html(screen):
    """A screen as tmux prints it with -e, its colours as spans."""
    out, active = [], []
    for part in re.split(r"(\x1b\[[0-9;]*m)", screen):
        if match := re.fullmatch(r"\x1b\[([0-9;]*)m", part):
            for code in match[1].split(";"):
                if code in ("", "0"):
                    active = []
                elif code == "39":
                    active = [each for each in active if not each.startswith("3")]
                elif code in COLORS:
                    active.append(code)
        elif active:
            out.append(f'<span style="{";".join(COLORS[code] for code in active)}">{html.escape(part)}</span>')
        else:
            out.append(html.escape(part))
    return "".join(out)


def photograph(page, picture, size):
    with tempfile.TemporaryDirectory() as profile:
        subprocess.run(["chromium", "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
                        "--disable-background-networking", "--disable-component-update", "--disable-sync",
                        "--hide-scrollbars", f"--user-data-dir={profile}", f"--window-size={size}",
                        f"--screenshot={picture}", f"file://{page}"],
                       check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def terminal(command, cwd, env):
    """What `command` shows in a terminal of 80 columns, cut after its last line."""
    name = f"hob-pictures-{os.getpid()}"
    tmux = ["tmux", "-L", name, "-f", "/dev/null"]
    done = cwd / "done"
    subprocess.run([*tmux, "new-session", "-d", "-x", "80", "-y", "24",
                    f"printf '$ {command}\\n'; {command}; touch {done}; sleep 60"], cwd=cwd, env=env, check=True)
    while not done.exists():
        time.sleep(0.05)
    screen = subprocess.run([*tmux, "capture-pane", "-e", "-p"], env=env, check=True, capture_output=True, text=True).stdout
    subprocess.run([*tmux, "kill-server"], env=env, check=False)
    return screen.rstrip()


def main():
    hob = str(pathlib.Path(sys.argv[1]).resolve())
    work = pathlib.Path(tempfile.mkdtemp(prefix="me-"))
    project = work / "shop"
    (project / "src").mkdir(parents=True)
    (project / "src/a.c").write_text("")
    (project / "hob.toml").write_text(PROJECT)
    env = {"PATH": f"{pathlib.Path(hob).parent}:{os.environ['PATH']}", "HOME": str(work), "LANG": "C.UTF-8", "LC_ALL": "C.UTF-8", "TERM": "xterm-256color",
           "HOB_RUNTIME_DIR": str(work / "run"), "HOB_STATE_DIR": str(work / "state")}

    def run(*words):
        return subprocess.run([hob, *words], cwd=project, env=env, capture_output=True, text=True)

    try:
        run("start")
        run("call", "sum", "2+3")
        for task in ["build", "mail", "build", "backup", "build", "mail"]:
            run("run", task)
            time.sleep(0.5)
        screen = to_html(terminal("hob status", project, env))
        lines = screen.count("\n") + 1
        page = work / "status.html"
        page.write_text('<meta charset="utf-8"><body style="margin:0;background:#22272e"><pre style="margin:0;padding:18px;'
                        'color:#adbac7;font:15px/1.45 monospace">' + screen + "</pre></body>")
        photograph(page, HERE / "status.png", f"800,{lines * 22 + 36}")
        page = work / "runs.html"
        run("runs", "--html", str(page))
        photograph(page, HERE / "runs.png", "900,640")
    finally:
        run("shutdown", "--now")
        shutil.rmtree(work)


main()
