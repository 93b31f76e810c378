#!/usr/bin/env python3
"""A worker that starts slowly and answers fast: an index of names.

It reads the sources of its current directory and of Python's standard library, which takes seconds. Then it answers
JSON-RPC 2.0 requests on standard input and output, one JSON text per line:

  search    {"query": TEXT, "limit": N}    where names that contain TEXT are defined
  complete  {"prefix": TEXT, "limit": N}   names that begin with TEXT, the most used first
  stats     {}                             what was read, and how long it took

It is an ordinary program and contains nothing that is specific to hob.
"""

import ast
import bisect
import collections
import json
import os
import re
import sys
import sysconfig
import time

SOURCES = (".cpp", ".hpp", ".c", ".h", ".py", ".sh")
WORD = re.compile(r"[A-Za-z_][A-Za-z0-9_]{2,63}")
DEFINITION = re.compile(
    r"^\s*(?:class|struct|enum class|namespace|def)\s+([A-Za-z_]\w+)"
    r"|^[\w:<>,&*\s]*?\b([A-Za-z_]\w+)\([^;]*\)\s*(?:const\s*)?(?:noexcept\s*)?\{"
)
NOT_NAMES = {"if", "for", "while", "switch", "return", "catch", "sizeof"}


def files_below(directory, extensions, skip=()):
    for where, directories, names in os.walk(directory):
        directories[:] = sorted(d for d in directories if not d.startswith((".", "build")) and d not in skip)
        for name in sorted(names):
            if name.endswith(extensions):
                yield os.path.join(where, name)


class Index:
    def __init__(self, project):
        started = time.monotonic()
        self.places = collections.defaultdict(list)  # name -> ["file:line", ...]
        self.uses = collections.Counter()
        self.files = 0
        for path in files_below(project, SOURCES):
            self.read_by_lines(path, os.path.relpath(path, project))
        library = sysconfig.get_paths()["stdlib"]
        for path in files_below(library, (".py",), skip=("site-packages", "dist-packages", "test", "tests", "idlelib")):
            self.read_python(path, "python/" + os.path.relpath(path, library))
        self.names = sorted(self.places.keys() | {w for w, n in self.uses.items() if n > 1})
        self.seconds = round(time.monotonic() - started, 3)

    def read_by_lines(self, path, shown):
        self.files += 1
        with open(path, encoding="utf-8", errors="replace") as source:
            for number, line in enumerate(source, 1):
                self.uses.update(WORD.findall(line))
                found = DEFINITION.match(line)
                if found:
                    name = found.group(1) or found.group(2)
                    if name not in NOT_NAMES:
                        self.places[name].append(f"{shown}:{number}")

    def read_python(self, path, shown):
        self.files += 1
        try:
            with open(path, "rb") as source:
                tree = ast.parse(source.read())
        except (SyntaxError, ValueError, OSError):
            return
        for node in ast.walk(tree):
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
                self.places[node.name].append(f"{shown}:{node.lineno}")
            elif isinstance(node, ast.Name):
                self.uses[node.id] += 1

    def search(self, query, limit=10):
        if not isinstance(query, str) or not query:
            raise ValueError("query must be a text that is not empty")
        found = [name for name in self.places if query in name]
        # Names of this project come before those of the library; in both, short names come first.
        found.sort(key=lambda name: (self.places[name][0].startswith("python/"), len(name), name))
        return [{"name": name, "at": self.places[name][:3]} for name in found[:limit]]

    def complete(self, prefix, limit=10):
        first = bisect.bisect_left(self.names, prefix)
        last = bisect.bisect_left(self.names, prefix + "\uffff")
        return sorted(self.names[first:last], key=lambda name: (-self.uses[name], name))[:limit]

    def stats(self):
        return {"files": self.files, "names": len(self.names), "seconds": self.seconds, "pid": os.getpid()}


def answer(index, request):
    method = {"search": index.search, "complete": index.complete, "stats": index.stats}.get(request.get("method"))
    if method is None:
        return {"error": {"code": -32601, "message": f"unknown method '{request.get('method')}'"}}
    try:
        return {"result": method(**(request.get("params") or {}))}
    except (TypeError, ValueError) as reason:
        return {"error": {"code": -32602, "message": str(reason)}}


def main():
    index = Index(os.getcwd())
    print(f"read {index.files} files in {index.seconds} s", file=sys.stderr, flush=True)
    for line in sys.stdin:
        request = json.loads(line)
        if "id" not in request:
            continue
        reply = {"jsonrpc": "2.0", "id": request["id"], **answer(index, request)}
        sys.stdout.write(json.dumps(reply) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
