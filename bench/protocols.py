"""Workers that speak LSP, DAP and MCP: ten cold and ten warm calls, and the time that hob adds to a call.

Cold is a process of the server for each call, from its start to its answer, as a script without hob would do it; warm is
ten processes of `hob call`. What hob adds is the difference of the medians of the same request over one connection to hob's
socket and over the pipe of a server of our own, of the same program in the same directory. Both are made ready by as many
calls, then asked in turn, each beginning every second time. On either side the bytes of the requests are made beforehand,
and what is read is not looked into before the clock has stopped, other than for where it ends.
"""

import json
import os
import pathlib
import select
import shutil
import socket
import statistics
import subprocess
import sys
import time

from rows import Row

NPM = pathlib.Path(__file__).resolve().parent.parent / "build/npm/node_modules/.bin"
CALLS = 10


class Stream:
    """Reads a descriptor message by message, without decoding."""

    def __init__(self, descriptor, lines):
        self.descriptor, self.lines, self.held = descriptor, lines, b""
        self.ready = select.poll()
        self.ready.register(descriptor, select.POLLIN)

    def more(self):
        if not self.ready.poll(60_000):
            raise SystemExit("bench: a server has been silent for a minute")
        got = os.read(self.descriptor, 1 << 16)
        if not got:
            raise SystemExit("bench: a server has ended")
        self.held += got

    def until(self, mark):
        while mark not in self.held:
            self.more()
        found, _, self.held = self.held.partition(mark)
        return found

    def next(self):
        if self.lines:
            return self.until(b"\n")
        head = self.until(b"\r\n\r\n").lower()
        length = int(head.partition(b"content-length:")[2].split(b"\r\n")[0])
        while len(self.held) < length:
            self.more()
        body, self.held = self.held[:length], self.held[length:]
        return body


class Server:
    """One server on a pipe, without hob."""

    def __init__(self, case, env):
        self.case, self.id = case, 0
        self.process = subprocess.Popen(
            case.argv, cwd=case.directory, env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        self.stream = Stream(self.process.stdout.fileno(), case.protocol == "mcp")
        self.begin()

    def put(self, data):
        while data:
            data = data[os.write(self.process.stdin.fileno(), data):]

    def framed(self, message):
        text = json.dumps(message).encode()
        return text + b"\n" if self.case.protocol == "mcp" else b"Content-Length: %d\r\n\r\n" % len(text) + text

    def tell(self, method, params):
        self.put(self.framed({"jsonrpc": "2.0", "method": method, "params": params}))

    def request(self, method, params):
        """The bytes of a request, and the text that identifies its answer."""
        self.id += 1
        if self.case.protocol == "dap":
            return self.framed({"seq": self.id, "type": "request", "command": method, "arguments": params}), self.id
        return self.framed({"jsonrpc": "2.0", "id": self.id, "method": method, "params": params}), self.id

    def exchange(self, data, wanted):
        """Reads up to the answer. Drops notifications, and answers requests of the server with null."""
        self.put(data)
        key = b'"request_seq"' if self.case.protocol == "dap" else b'"id"'
        while True:
            body = self.stream.next()
            # Servers differ in white space. Their own requests have a method.
            if key in body and body.partition(key)[2].lstrip(b" :")[:12].split(b",")[0].split(b"}")[0] == b"%d" % wanted:
                if self.case.protocol == "dap" or b'"method":' not in body:
                    return body
            elif self.case.protocol != "dap" and b'"method":' in body and key in body:
                asked = json.loads(body)
                self.put(self.framed({"jsonrpc": "2.0", "id": asked["id"], "result": None}))

    def ask(self, method, params):
        return self.checked(self.exchange(*self.request(method, params)))

    def checked(self, body):
        message = json.loads(body)
        if not message.get("success", "result" in message):
            raise SystemExit(f"bench: {self.case.name} answered {message}")
        return message.get("body", message.get("result"))

    def begin(self):
        case = self.case
        if case.protocol == "mcp":
            self.ask("initialize", {"protocolVersion": "2025-11-25", "capabilities": {},
                                    "clientInfo": {"name": "bench", "version": "1"}})
            self.tell("notifications/initialized", {})
        elif case.protocol == "lsp":
            self.ask("initialize", {"processId": os.getpid(), "rootUri": case.uri(""), "capabilities": {}})
            self.tell("initialized", {})
            text = (pathlib.Path(case.directory) / case.file).read_text()
            self.tell("textDocument/didOpen", {"textDocument": {
                "uri": case.uri(case.file), "languageId": case.language, "version": 1, "text": text}})
        else:
            self.ask("initialize", {"adapterID": "bench"})

    def end(self):
        self.process.kill()
        self.process.wait()
        self.process.stdin.close()
        self.process.stdout.close()


class Case:
    def __init__(self, name, argv, protocol, method, params, directory, file=None, language=None):
        self.name, self.argv, self.protocol, self.directory = name, argv, protocol, str(directory)
        self.method, self.params, self.file, self.language = method, params, file, language

    def uri(self, name):
        return f"file://{self.directory}/{name}".removesuffix("/")

    def installed(self):
        return shutil.which(self.argv[0]) is not None and (self.argv[0] != "node" or os.path.exists(self.argv[1]))


def definition(directory, name, line, character):
    return {"textDocument": {"uri": f"file://{directory}/{name}"}, "position": {"line": line, "character": character}}


def cases(directory):
    (directory / "a.cpp").write_text("int twice(int x) { return 2 * x; }\nint main() { return twice(4); }\n")
    (directory / "a.sh").write_text("greet() { echo hi; }\ngreet\n")
    return [
        Case("clangd", ["clangd-14", "--log=error"], "lsp", "textDocument/definition",
             definition(directory, "a.cpp", 1, 20), directory, "a.cpp", "cpp"),
        Case("bash-language-server", ["node", str(NPM / "bash-language-server"), "start"], "lsp",
             "textDocument/definition", definition(directory, "a.sh", 1, 1), directory, "a.sh", "shellscript"),
        Case("lldb-vscode", ["lldb-vscode-14"], "dap", "modules", {}, directory),
        Case("server-everything", ["node", str(NPM / "mcp-server-everything")], "mcp", "tools/call",
             {"name": "echo", "arguments": {"message": "hi"}}, directory),
    ]


def seconds(action):
    start = time.perf_counter()
    action()
    return time.perf_counter() - start


def cold_call(case, env):
    server = Server(case, env)
    server.ask(case.method, case.params)
    server.end()


class Connection:
    """A connection to hob's socket."""

    def __init__(self, place, case, directory):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.connect(place.status(directory)["daemon"]["socket"])
        self.stream = Stream(self.socket.fileno(), True)
        self.stream.next()  # the greeting
        self.data = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "worker.call", "params": {
            "unit": case.name, "method": case.method, "params": case.params}}).encode() + b"\n"

    def exchange(self):
        self.socket.sendall(self.data)
        while True:
            body = self.stream.next()
            if b'"id":1' in body[:40]:  # the beginning of hob's answer; other lines are notifications
                return body


def added(place, case, directory, rounds):
    """Median seconds over the pipe, and over hob's socket."""
    server = Server(case, place.env)
    connection = Connection(place, case, directory)
    for _ in range(CALLS):
        server.ask(case.method, case.params)
        connection.exchange()
    took = {"pipe": [], "hob": []}
    answers = {}
    for i in range(rounds):
        request = server.request(case.method, case.params)
        sides = [("pipe", lambda: server.exchange(*request)), ("hob", connection.exchange)]
        for name, exchange in sides if i % 2 else reversed(sides):
            start = time.perf_counter()
            body = exchange()
            took[name].append(time.perf_counter() - start)
            answers[name] = body
    through, direct = json.loads(answers["hob"]), server.checked(answers["pipe"])
    if through.get("result") != direct:
        raise SystemExit(f"bench: {case.name} answers {direct} on its pipe, and through hob {through}")
    server.end()
    connection.socket.close()
    return statistics.median(took["pipe"]), statistics.median(took["hob"])


def measured(place, case, directory, effort):
    words = ["call", case.name, case.method, json.dumps(case.params)]
    cold = sum(seconds(lambda: cold_call(case, place.env)) for _ in range(CALLS))
    place.run_hob(*words, project=directory)
    warm = sum(seconds(lambda: place.run_hob(*words, project=directory)) for _ in range(CALLS))
    pipe, hob = added(place, case, directory, effort.protocol_rounds)
    group = f"{case.name} ({case.protocol}: {case.method})"
    return [
        Row(group, f"{CALLS} calls, warm", warm * 1e3, "ms", "a server started for each", cold * 1e3),
        Row(group, "a call on one connection", hob * 1e6, "us", "on the server's own pipe", pipe * 1e6),
        Row(group, "added by hob to a call", (hob - pipe) * 1e6, "us"),
    ]


def protocols(place, effort):
    directory = (place.root / "protocols").resolve()
    directory.mkdir(mode=0o700)
    there = []
    for case in cases(directory):
        if case.installed():
            there.append(case)
        else:
            print(f"bench: {case.name} is not installed, left out", file=sys.stderr)
    (directory / "hob.toml").write_text("".join(
        f'[worker.{case.name}]\nrun = {json.dumps(case.argv)}\nprotocol = "{case.protocol}"\n' for case in there))
    try:
        return [row for case in there for row in measured(place, case, directory, effort)]
    finally:
        place.run_hob("shutdown", "--now", project=directory, check=False)
