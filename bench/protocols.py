#!/usr/bin/env python3
"""Workers that speak LSP, DAP and MCP: ten calls cold against ten warm, and what hob adds to a call.

Cold is a process of the server for each call, from its start to its answer, as a script without hob would do it; warm is
ten `hob call`. Added latency is the difference between the medians of one connection to hob's socket and of the server's
own pipe, the same request over both, interleaved. Servers that are not installed are left out, and that is said.

    python3 bench/protocols.py --hob build/hob [--json] [--npm build/npm]
"""
import argparse
import json
import os
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time


class Pipe:
    """One server on a pipe, spoken to without hob."""

    def __init__(self, argv, protocol, cwd):
        self.protocol, self.id = protocol, 0
        self.process = subprocess.Popen(argv, cwd=cwd, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=subprocess.DEVNULL)

    def put(self, message):
        text = json.dumps(message).encode()
        if self.protocol == "mcp":
            self.process.stdin.write(text + b"\n")
        else:
            self.process.stdin.write(b"Content-Length: %d\r\n\r\n" % len(text) + text)
        self.process.stdin.flush()

    def get(self):
        source = self.process.stdout
        if self.protocol == "mcp":
            return json.loads(source.readline())
        length = 0
        while (line := source.readline().strip()):
            if line.lower().startswith(b"content-length:"):
                length = int(line.split(b":")[1])
        return json.loads(source.read(length))

    def tell(self, method, params):
        self.put({"jsonrpc": "2.0", "method": method, "params": params})

    def ask(self, method, params):
        self.id += 1
        if self.protocol == "dap":
            self.put({"seq": self.id, "type": "request", "command": method, "arguments": params})
        else:
            self.put({"jsonrpc": "2.0", "id": self.id, "method": method, "params": params})
        while True:
            message = self.get()
            if self.protocol == "dap" and message.get("request_seq") == self.id:
                assert message["success"], message
                return message.get("body")
            if self.protocol != "dap" and message.get("id") == self.id and "method" not in message:
                assert "error" not in message, message
                return message["result"]
            if self.protocol != "dap" and "id" in message:
                self.put({"jsonrpc": "2.0", "id": message["id"], "result": None})

    def begin(self, case):
        if self.protocol == "mcp":
            self.ask("initialize", {"protocolVersion": "2025-11-25", "capabilities": {},
                                    "clientInfo": {"name": "bench", "version": "1"}})
            self.tell("notifications/initialized", {})
        elif self.protocol == "lsp":
            self.ask("initialize", {"processId": os.getpid(), "rootUri": "file://" + case.cwd, "capabilities": {}})
            self.tell("initialized", {})
            if case.file:
                with open(os.path.join(case.cwd, case.file)) as text:
                    self.tell("textDocument/didOpen", {"textDocument": {
                        "uri": case.uri(), "languageId": case.language, "version": 1, "text": text.read()}})
        else:
            self.ask("initialize", {"adapterID": "bench"})

    def end(self):
        self.process.kill()
        self.process.wait()
        self.process.stdin.close()
        self.process.stdout.close()


class Case:
    def __init__(self, name, argv, protocol, method, params, words, cwd, file=None, language=None):
        self.name, self.argv, self.protocol, self.cwd = name, argv, protocol, cwd
        self.method, self.params, self.words, self.file, self.language = method, params, words, file, language

    def uri(self):
        return "file://" + os.path.join(self.cwd, self.file)


def cases(directory, npm):
    with open(os.path.join(directory, "a.cpp"), "w") as file:
        file.write("int twice(int x) { return 2 * x; }\nint main() { return twice(4); }\n")
    with open(os.path.join(directory, "a.sh"), "w") as file:
        file.write("greet() { echo hi; }\ngreet\n")
    everything = os.path.join(npm, "node_modules/.bin/mcp-server-everything")
    bash = os.path.join(npm, "node_modules/.bin/bash-language-server")

    def definition(name, line, character):
        return {"textDocument": {"uri": "file://" + os.path.join(directory, name)},
                "position": {"line": line, "character": character}}
    return [
        Case("clangd", ["clangd-14", "--log=error"], "lsp", "textDocument/definition", definition("a.cpp", 1, 20),
             ["file=a.cpp", "line=2", "col=21"], directory, "a.cpp", "cpp"),
        Case("bash-language-server", ["node", bash, "start"], "lsp", "textDocument/definition",
             definition("a.sh", 1, 1), ["file=a.sh", "line=2", "col=2"], directory, "a.sh", "shellscript"),
        Case("lldb-vscode", ["lldb-vscode-14"], "dap", "modules", {}, ["{}"], directory),
        Case("server-everything", ["node", everything], "mcp", "tools/call",
             {"name": "echo", "arguments": {"message": "hi"}}, ['{"name":"echo","arguments":{"message":"hi"}}'],
             directory),
    ]


def installed(case):
    if shutil.which(case.argv[0]) is None:
        return False
    return case.argv[0] != "node" or os.path.exists(case.argv[1])


def milliseconds(action):
    start = time.perf_counter()
    action()
    return (time.perf_counter() - start) * 1000


class Hob:
    def __init__(self, program, directory):
        self.program, self.directory = program, directory
        self.env = dict(os.environ, HOB_RUNTIME_DIR=directory + "/r", HOB_STATE_DIR=directory + "/s")
        for name in ("HOB_INSTANCE", "HOB_UNIT", "HOB_RUN"):
            self.env.pop(name, None)

    def run(self, *words):
        done = subprocess.run([self.program, *words], cwd=self.directory, env=self.env, capture_output=True, text=True)
        if done.returncode != 0:
            sys.exit(f"protocols.py: hob {' '.join(words)}: {done.stderr}")
        return done.stdout

    def connect(self):
        name = json.loads(self.run("status", "--json"))["daemon"]["socket"]
        connection = socket.socket(socket.AF_UNIX)
        connection.connect(name)
        lines = connection.makefile("rwb")
        lines.readline()
        return connection, lines


def cold_call(case):
    server = Pipe(case.argv, case.protocol, case.cwd)
    server.begin(case)
    server.ask(case.method, case.params)
    server.end()


def measure(case, hob, rounds):
    cold = sum(milliseconds(lambda: cold_call(case)) for _ in range(10))
    words = ["call", case.name, case.method, *case.words]
    first = milliseconds(lambda: hob.run(*words))
    warm = sum(milliseconds(lambda: hob.run(*words)) for _ in range(10))
    server = Pipe(case.argv, case.protocol, case.cwd)
    server.begin(case)
    connection, lines = hob.connect()
    request = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "worker.call", "params": {
        "unit": case.name, "method": case.method, "params": case.params}}).encode() + b"\n"

    def through_hob():
        lines.write(request)
        lines.flush()
        reply = json.loads(lines.readline())
        assert "result" in reply, reply
    direct, through = [], []
    for _ in range(rounds):
        direct.append(milliseconds(lambda: server.ask(case.method, case.params)))
        through.append(milliseconds(through_hob))
    server.end()
    connection.close()
    return {"server": case.name, "cold_10_ms": cold, "first_ms": first, "warm_10_ms": warm,
            "pipe_us": statistics.median(direct) * 1000, "hob_us": statistics.median(through) * 1000,
            "added_us": (statistics.median(through) - statistics.median(direct)) * 1000}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--hob", required=True)
    parser.add_argument("--npm", default=os.path.join(os.path.dirname(os.path.abspath(__file__)), "../build/npm"))
    parser.add_argument("--rounds", type=int, default=300)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    rows = []
    with tempfile.TemporaryDirectory() as directory:
        directory = os.path.realpath(directory)
        os.chmod(directory, 0o700)
        all_cases = cases(directory, os.path.abspath(options.npm))
        with open(directory + "/hob.toml", "w") as toml:
            for case in all_cases:
                toml.write(f"[worker.{case.name}]\nrun = {json.dumps(case.argv)}\nprotocol = \"{case.protocol}\"\n")
        hob = Hob(os.path.abspath(options.hob), directory)
        try:
            for case in all_cases:
                if installed(case):
                    rows.append(measure(case, hob, options.rounds))
                else:
                    print(f"{case.name}: not installed, left out", file=sys.stderr)
        finally:
            subprocess.run([hob.program, "shutdown"], cwd=directory, env=hob.env, capture_output=True)
    if options.json:
        print(json.dumps(rows))
        return
    print(f"{'server':22} {'10 cold':>10} {'10 warm':>10} {'ratio':>7} {'pipe':>9} {'hob':>9} {'added':>9}")
    for row in rows:
        print(f"{row['server']:22} {row['cold_10_ms']:7.0f} ms {row['warm_10_ms']:7.0f} ms "
              f"{row['cold_10_ms'] / row['warm_10_ms']:6.1f}x {row['pipe_us']:6.0f} us {row['hob_us']:6.0f} us "
              f"{row['added_us']:6.0f} us")


main()
