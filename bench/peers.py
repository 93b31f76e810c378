"""The same for other programs with a client and a daemon: their own cheapest command, warm, cold, idle."""

import pathlib
import shutil
import subprocess
import time

from rows import Row, at_most

SUPERVISORD = """\
[unix_http_server]
file={0}/supervisor.sock
[supervisord]
nodaemon=false
logfile={0}/supervisord.log
pidfile={0}/supervisord.pid
[rpcinterface:supervisor]
supervisor.rpcinterface_factory=supervisor.rpcinterface:make_main_rpcinterface
[supervisorctl]
serverurl=unix://{0}/supervisor.sock
"""


def shell(text):
    return ["sh", "-c", text]


class Peer:
    """warm: a command; cold: a command that starts the daemon if there is none, or None; stop: a shell line; pid: a shell
    line that prints it."""

    def __init__(self, name, warm, cold, stop, pid):
        self.name, self.warm, self.cold, self.stop, self.pid = name, warm, cold, stop, pid
        # Most start their daemon on the first command, like hob.
        self.cold_name = name if warm == cold else {"tmux": "tmux new-session", "emacsclient": "emacs --daemon"}.get(
            warm[0], "supervisord"
        )

    def begin(self, place):
        if self.cold:
            subprocess.run(self.cold, env=place.env, check=True, capture_output=True)

    def end(self, place):
        if self.cold:
            subprocess.run(shell(self.stop), env=place.env, check=False, capture_output=True)

    def pid_of(self, place):
        ran = subprocess.run(shell(self.pid), env=place.env, check=True, capture_output=True, text=True)
        return int(ran.stdout.split()[0])


def all_peers(place):
    """The installed ones."""
    d = place.root / "peers"
    d.mkdir(mode=0o700, exist_ok=True)
    (d / "supervisord.conf").write_text(SUPERVISORD.format(d))
    place.env |= {"TS_SOCKET": f"{d}/tsp.sock", "TMPDIR": str(d), "GNUPGHOME": str(d)}
    tmux = ["tmux", "-S", f"{d}/tmux.sock", "-f", "/dev/null"]
    watchman = ["watchman", "-U", f"{d}/watchman.sock", "-o", f"{d}/watchman.log", "--statefile", f"{d}/watchman.state"]
    control = ["supervisorctl", "-c", f"{d}/supervisord.conf"]
    emacs = ["emacsclient", "-s", f"{d}/emacs.sock"]
    words = " ".join
    found = [
        Peer("tmux has-session", [*tmux, "has-session"], [*tmux, "new-session", "-d", "sleep 100000"],
             words([*tmux, "kill-server"]), words([*tmux, "display-message", "-p", "'#{pid}'"])),
        Peer("gpg-connect-agent /bye", ["gpg-connect-agent", "/bye"], ["gpg-connect-agent", "/bye"],
             "gpgconf --kill gpg-agent", "gpg-connect-agent 'GETINFO pid' /bye | sed -n 's/^D //p'"),
        Peer("watchman get-pid", [*watchman, "get-pid"], [*watchman, "get-pid"],
             words([*watchman, "shutdown-server"]),
             words([*watchman, "get-pid"]) + " | sed -n 's/.*\"pid\": *\\([0-9]*\\).*/\\1/p'"),
        Peer("tsp", ["tsp"], ["tsp"], "tsp -K",
             "ss -xlpH src $TS_SOCKET | sed -n 's/.*pid=\\([0-9]*\\).*/\\1/p'"),
        Peer("supervisorctl pid", [*control, "pid"], ["supervisord", "-c", f"{d}/supervisord.conf"],
             words([*control, "shutdown"]), f"cat {d}/supervisord.pid"),
        Peer("emacsclient -e t", [*emacs, "-e", "t"], ["emacs", "-Q", f"--daemon={d}/emacs.sock"],
             words([*emacs, "-e", "'(kill-emacs)'"]), words([*emacs, "-e", "'(emacs-pid)'"])),
    ]
    if place.redis():
        socket = place.redis()
        found.append(Peer("redis-cli ping", ["redis-cli", "-s", socket, "ping"], None, "", f"cat {d.parent}/redis.pid"))
    return [peer for peer in found if shutil.which(peer.warm[0])]


def peers(place, effort):
    found = all_peers(place)
    place.run_hob("ping")
    loaded = memory(place.status()["daemon"]["pid"])
    for peer in found:
        peer.begin(place)
    try:
        cases = {"hob": place.hob_words("ping")} | {peer.name: peer.warm for peer in found}
        times = place.whole_processes(effort.peer_rounds, cases)
        rows = [Row("warm, beside others", "hob ping", times["hob"], "us", p.name, times[p.name]) for p in found]
        rows += idle(place, effort, found)
        rows.append(Row(rows[-1].group, "hob after what was measured before: PSS", loaded[0], "KiB"))
        rows.append(Row(rows[-1].group, "hob after what was measured before: private", loaded[1], "KiB"))
    finally:
        for peer in found:
            peer.end(place)
    return rows + cold(place, effort, [peer for peer in found if peer.cold])


def cold(place, effort, found):
    cases = {"hob": (place.hob_words("shutdown"), place.hob_words("ping"))}
    for peer in found:
        ended = f"pid=$({peer.pid}); {peer.stop}; [ -z \"$pid\" ] || while [ -e /proc/$pid ]; do sleep 0.005; done"
        cases[peer.name] = (shell(ended), peer.cold)
        peer.begin(place)
    try:
        times = place.whole_processes(effort.peer_cold_rounds, cases)
    finally:
        for peer in found:
            peer.end(place)
    return [
        Row("cold, beside others", "hob ping", times["hob"], "us", p.cold_name,
            times[p.name])
        for p in found
    ]


def context_switches(pid):
    total = 0
    for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
        for line in (task / "status").read_text().splitlines():
            if "ctxt_switches" in line:
                total += int(line.split()[1])
    return total


def memory(pid):
    fields = {}
    for line in pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()[1:]:
        name, _, rest = line.partition(":")
        fields[name] = int(rest.split()[0])
    return fields["Pss"], fields["Pss_Anon"]


def idle(place, effort, found=()):
    # A fresh daemon, without the memory that other groups made it use.
    place.run_hob("shutdown")
    place.run_hob("ping")
    pids = {"hob": place.status()["daemon"]["pid"]}
    for peer in found:
        pids[peer.name.split()[0]] = peer.pid_of(place)
    time.sleep(1)
    before = {name: context_switches(pid) for name, pid in pids.items()}
    time.sleep(effort.idle)
    switches = {name: context_switches(pid) - before[name] for name, pid in pids.items()}
    group = f"idle for {effort.idle} s"
    pss, anonymous = memory(pids["hob"])
    rows = [
        Row(group, "context switches", switches["hob"], "", must=at_most(0), reach=at_most(0)),
        Row(group, "PSS", pss, "KiB", must=at_most(4608), reach=at_most(2560)),
        Row(group, "private anonymous memory", anonymous, "KiB", must=at_most(512), reach=at_most(256)),
    ]
    for name, pid in list(pids.items())[1:]:
        theirs = memory(pid)
        rows.append(Row(group, f"{name}: context switches", switches[name], ""))
        rows.append(Row(group, f"{name}: PSS", theirs[0], "KiB"))
        rows.append(Row(group, f"{name}: private anonymous memory", theirs[1], "KiB"))
    return rows
