#!/usr/bin/env python3
"""Asks real language servers for the diagnostics of one file after changes of others, and knows the truth.

    diagnostics.py --hob build/hob --npm build/npm [--server NAME]... [--rounds 50] [--seed N]

Each round changes something: it breaks, mends, deletes, makes or moves a file that others import, breaks a file itself,
switches branches, lets an editor open a file with unsaved text, change it as a whole or by ranges, or leave, or restarts the server. Then it asks for the
diagnostics of one or two files at once. An answer is wrong if it shows an error where there is none, or none where there is one, and is
not marked as incomplete. Ends with 1 after a wrong answer. Ctrl-C ends it early. A server that is not installed is skipped.
"""

import argparse
import json
import os
import random
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import tomllib
from pathlib import Path

EXAMPLE = (Path(__file__).resolve().parents[2] / "examples" / "servers.toml").read_text()
MODULES = 3
GIT = ["git", "-c", "user.name=t", "-c", "user.email=t@t", "-c", "init.defaultBranch=one"]


class Language:
    def __init__(self, name, suffix, module, good, bad, user, broken, language, sees_unsaved, extra=None,
                 sees_modules=True, tail="", packages=None):
        # Its table in examples/servers.toml, which says how it is run.
        self.name, self.suffix, self.module = name, suffix, module
        self.good, self.bad, self.user, self.broken, self.tail = good, bad, user, broken, tail
        # A directory that the project shows as node_modules.
        self.packages = packages
        self.language, self.sees_unsaved, self.extra = language, sees_unsaved, extra or {}
        # Whether a file is checked with what it imports.
        self.sees_modules = sees_modules

    def program(self):
        return tomllib.loads(EXAMPLE)["worker"][self.name]["run"][0]

    def configuration(self):
        """The tables of the server, as those of a worker w."""
        tables = re.split(r"\n(?=\[)", EXAMPLE)
        own = [each for each in tables if re.match(rf"\[worker\.{self.name}[.\]]", each)]
        text = "\n".join(own).replace(f"[worker.{self.name}", "[worker.w")
        return text.replace("[worker.w]\n", '[worker.w]\ncall_timeout = "120s"\n', 1) + "\n"

    def module_file(self, i):
        return f"mod{i}{self.module}"

    def user_file(self, i):
        return f"user{i}{self.suffix}"

    def text_of_module(self, i, good):
        return (self.good if good else self.bad).replace("@", str(i))

    def text_of_user(self, i, works):
        return self.user.replace("@", str(i)) + ("" if works else self.broken) + self.tail


def languages(npm):
    packages = Path(npm) / "node_modules"
    python = ("def f@() -> int:\n    return 1\n", 'def f@() -> str:\n    return ""\n',
              "from mod@ import f@\nn@: int = f@()\n", "broken: int = missing\n", "python", True)
    typescript = ("export function f@(): number { return 1; }\n", 'export function f@(): string { return ""; }\n',
                  'import { f@ } from "./mod@";\nexport const n@: number = f@();\n', "export const b: number = missing;\n", "typescript", True,
                  {"tsconfig.json": '{"compilerOptions":{"strict":true,"module":"commonjs"},"include":["*.ts"]}\n'})
    # Of these, no file knows of another.
    alone = {"sees_modules": False}
    script = ("export const f@ = 1;\n", "export const f@ = 2;\n", "export const n@ = 1;\n", "debugger;\n", "javascript", True)
    component = ("export function f@(): number { return 1; }\n", 'export function f@(): string { return ""; }\n')
    bundler = {"tsconfig.json": '{"compilerOptions":{"strict":true,"module":"esnext","moduleResolution":"bundler","noEmit":true},'
                                '"include":["*.ts","*.vue","*.svelte"]}\n'}
    return [
        Language("clangd", ".cpp", ".hpp",
                 "#pragma once\nint f@();\n", "#pragma once\nstruct s@ {};\ns@ f@();\n",
                 '#include "mod@.hpp"\nint n@ = f@();\n', "int broken = missing;\n", "cpp",
                 # It reads what a file includes from the disk.
                 False),
        Language("pyright", ".py", ".py", *python),
        Language("pylsp", ".py", ".py", *python, sees_modules=False),
        Language("typescript", ".ts", ".ts", *typescript),
        Language("vtsls", ".ts", ".ts", *typescript),
        Language("gopls", ".go", ".go",
                 "package p\n\nfunc f@() int { return 1 }\n", 'package p\n\nfunc f@() string { return "" }\n',
                 "package p\n\nvar n@ int = f@()\n", "var broken int = missing\n", "go", True,
                 {"go.mod": "module p\n\ngo 1.19\n"}),
        Language("json", ".json", ".json", '{"f@": 1}\n', '{"f@": 2}\n',
                 '{"n@": 1}\n', "{\n", "json", True, **alone),
        Language("css", ".css", ".css", "a { color: red; }\n", "b { color: red; }\n",
                 "n@ { color: red; }\n", "b {\n", "css", True, **alone),
        Language("yaml", ".yaml", ".yaml", "f@: 1\n", "f@: 2\n",
                 "n@: 1\n", "b: [1\n", "yaml", True, **alone),
        Language("biome", ".js", ".js", *script, **alone),
        Language("eslint", ".js", ".js", *script,
                 {"eslint.config.js": 'module.exports = [{ rules: { "no-debugger": "error" } }];\n'}, packages=packages, **alone),
        Language("svelte", ".svelte", ".ts", *component,
                 '<script lang="ts">\nimport { f@ } from "./mod@";\nexport const n: number = f@();\n', "export const b: number = missing;\n",
                 "svelte", True, bundler, tail="</script>\n<p>{n}</p>\n", packages=packages),
        Language("vue", ".vue", ".ts", *component,
                 '<script setup lang="ts">\nimport { f@ } from "./mod@";\nconst n: number = f@();\n', "const b: number = missing;\n",
                 "vue", True, bundler, tail="</script>\n<template><p>{{ n }}</p></template>\n", packages=packages),
    ]


def position(text, offset):
    return {"line": text.count("\n", 0, offset), "character": offset - text.rfind("\n", 0, offset) - 1}


def replacement(text, begin, end, new):
    return {"range": {"start": position(text, begin), "end": position(text, end)}, "text": new}


def by_ranges(old, new, how):
    """Changes that make `new` of `old`, in lists that are sent one after the other."""
    begin = len(os.path.commonprefix([old, new]))
    same = len(os.path.commonprefix([old[begin:][::-1], new[begin:][::-1]]))
    end, middle = len(old) - same, new[begin:len(new) - same]
    if how == "one":
        return [[replacement(old, begin, end, middle)]]
    rest = old[:begin] + old[end:]
    removal = replacement(old, begin, end, "")
    if how == "two":
        return [[removal, replacement(rest, begin, begin, middle)]]
    # As one types.
    typed = [[replacement(new[:begin + i] + rest[begin:], begin + i, begin + i, letter)] for i, letter in enumerate(middle)]
    return [[removal], *typed]


class Editor:
    """An editor that has one file open with a text of its own."""

    def __init__(self, place, file, language, text):
        self.file, self.text = file, text
        self.uri = "file://" + str(place.project / file)
        self.process = place.spawn("attach", "w")
        self.ids, self.version = 0, 1
        self.request("initialize", {"processId": None, "rootUri": None, "capabilities": {}})
        self.notify("initialized", {})
        self.notify("textDocument/didOpen",
                    {"textDocument": {"uri": self.uri, "languageId": language, "version": 1, "text": text}})
        self.barrier()

    def send(self, message):
        body = json.dumps({"jsonrpc": "2.0", **message}).encode()
        self.process.stdin.write(b"Content-Length: %d\r\n\r\n" % len(body) + body)
        self.process.stdin.flush()

    def notify(self, method, params):
        self.send({"method": method, "params": params})

    def request(self, method, params):
        self.ids += 1
        self.send({"id": self.ids, "method": method, "params": params})
        while True:
            message = self.read()
            if message.get("id") == self.ids and "method" not in message:
                return

    def read(self):
        length = 0
        while True:
            line = self.process.stdout.readline()
            if not line:
                raise RuntimeError("the attachment has ended")
            if line == b"\r\n":
                return json.loads(self.process.stdout.read(length))
            name, _, value = line.partition(b":")
            if name.lower() == b"content-length":
                length = int(value)

    def barrier(self):
        """What was sent before has reached the daemon."""
        self.request("test/nothing", {})

    def change(self, text, how):
        """`how`: whole, or by ranges: one, two, typed."""
        for changes in [[{"text": text}]] if how == "whole" else by_ranges(self.text, text, how):
            self.version += 1
            self.notify("textDocument/didChange", {"textDocument": {"uri": self.uri, "version": self.version},
                                                   "contentChanges": changes})
        self.text = text
        self.barrier()

    def leave(self, politely):
        if politely:
            self.notify("textDocument/didClose", {"textDocument": {"uri": self.uri}})
            self.barrier()
            self.request("shutdown", None)
        self.notify("exit", None)
        self.process.wait(60)


class Place:
    def __init__(self, hob, language):
        self.hob, self.language = os.path.abspath(hob), language
        self.dir = Path(tempfile.mkdtemp(prefix="hob-diagnostics-"))
        self.project = self.dir / "project"
        self.project.mkdir()
        self.env = {**os.environ, "GOPROXY": "off", "GOFLAGS": "-mod=mod", "HOB_RUNTIME_DIR": str(self.dir / "r"), "HOB_STATE_DIR": str(self.dir / "s")}
        self.modules = [True] * MODULES  # True: good, False: bad, None: there is none
        self.users = [True] * MODULES
        self.saved = {}  # branches
        self.branch = "one"
        self.editor = None
        for name, text in language.extra.items():
            self.write(name, text)
        if language.packages:
            (self.project / "node_modules").symlink_to(language.packages)
            self.write(".gitignore", "node_modules\n")
        self.write("hob.toml", language.configuration())
        self.write_all()
        self.git("init", "-q", ".")
        self.commit()
        self.modules[1], self.users[0] = None, False
        self.git("switch", "-qc", "two")
        self.branch = "two"
        self.write_all()
        self.commit()

    def commit(self):
        self.git("add", "-A")
        self.git("commit", "-qm", "x", "--allow-empty")
        self.saved[self.branch] = (list(self.modules), list(self.users))

    def git(self, *words):
        subprocess.run([*GIT, *words], cwd=self.project, check=True, stdout=subprocess.DEVNULL)

    def write(self, name, text):
        (self.project / name).write_text(text)

    def write_module(self, i):
        file = self.project / self.language.module_file(i)
        if self.modules[i] is None:
            file.unlink(missing_ok=True)
        else:
            file.write_text(self.language.text_of_module(i, self.modules[i]))

    def write_user(self, i):
        self.write(self.language.user_file(i), self.language.text_of_user(i, self.users[i]))

    def write_all(self):
        for i in range(MODULES):
            self.write_module(i)
            self.write_user(i)

    def spawn(self, *words):
        return subprocess.Popen([self.hob, *words], cwd=self.project, env=self.env, stdin=subprocess.PIPE,
                                stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)

    def run(self, *words):
        return subprocess.run([self.hob, *words], cwd=self.project, env=self.env, capture_output=True, timeout=180)

    def is_wrong(self, i):
        """Whether the file has an error, as the server should see it."""
        module, works = self.modules[i], self.users[i]
        if self.editor and self.editor.file == self.language.user_file(i):
            works = self.editor.text == self.language.text_of_user(i, True)
        if self.editor and self.editor.file == self.language.module_file(i) and self.language.sees_unsaved:
            module = self.editor.text == self.language.text_of_module(i, True)
        return not works or self.language.sees_modules and not module

    def end(self):
        if self.editor:
            self.editor.process.kill()
            self.editor.process.wait()
        self.run("shutdown")
        shutil.rmtree(self.dir, ignore_errors=True)


class Rounds:
    def __init__(self, place, seed):
        self.place, self.random = place, random.Random(seed)
        self.answers, self.incomplete, self.wrong, self.times = 0, 0, [], []

    def change(self):
        kinds = [self.edit_module] * 5 + [self.edit_user] * 2 + [self.remove_or_make] * 3 + [self.move] + [self.switch] + [self.use_editor] * 3
        kinds += [self.restart, self.nothing]
        return self.random.choice(kinds)()

    def free(self, name_of):
        """One that no editor has open."""
        editor = self.place.editor
        return self.random.choice([i for i in range(MODULES) if not editor or editor.file != name_of(i)])

    def edit_module(self):
        i = self.free(self.place.language.module_file)
        self.place.modules[i] = not self.place.modules[i]
        self.place.write_module(i)
        return f"module {i} is {self.place.modules[i]}"

    def edit_user(self):
        i = self.free(self.place.language.user_file)
        self.place.users[i] = not self.place.users[i]
        self.place.write_user(i)
        return f"user {i} is {self.place.users[i]}"

    def remove_or_make(self):
        i = self.free(self.place.language.module_file)
        self.place.modules[i] = True if self.place.modules[i] is None else None
        self.place.write_module(i)
        return f"module {i} is {self.place.modules[i]}"

    def move(self):
        i = self.free(self.place.language.module_file)
        here = self.place.project / self.place.language.module_file(i)
        aside = here.parent / "aside" / here.name
        if self.place.modules[i] is None and aside.exists():
            aside.rename(here)
            self.place.modules[i] = here.read_text() == self.place.language.text_of_module(i, True)
        elif self.place.modules[i] is not None:
            aside.parent.mkdir(exist_ok=True)
            here.rename(aside)
            self.place.modules[i] = None
        return f"module {i} was moved, is {self.place.modules[i]}"

    def switch(self):
        if self.place.editor:
            return self.use_editor()
        self.place.commit()
        self.place.branch = "one" if self.place.branch == "two" else "two"
        self.place.git("switch", "-q", self.place.branch)
        self.place.modules, self.place.users = [list(each) for each in self.place.saved[self.place.branch]]
        return "switched to " + self.place.branch

    def use_editor(self):
        place, language = self.place, self.place.language
        if place.editor and self.random.random() < 0.6:
            politely = self.random.random() < 0.5
            place.editor.leave(politely)
            place.editor = None
            return "the editor left" + (" politely" if politely else "")
        i, good = self.random.randrange(MODULES), self.random.random() < 0.5
        if place.editor:
            is_user = place.editor.file.startswith("user")
            i = int(place.editor.file[4 if is_user else 3])
            how = self.random.choice(["whole", "one", "two", "typed"])
            place.editor.change(language.text_of_user(i, good) if is_user else language.text_of_module(i, good), how)
            return f"the editor made {place.editor.file} {good}, {how}"
        if self.random.random() < 0.5 or place.modules[i] is None or not language.sees_unsaved:
            place.editor = Editor(place, language.user_file(i), language.language, language.text_of_user(i, good))
        else:
            place.editor = Editor(place, language.module_file(i), language.language, language.text_of_module(i, good))
        return f"an editor opened {place.editor.file} as {good}"

    def restart(self):
        if self.place.editor:
            return self.use_editor()
        self.place.run("restart", "w")
        return "restarted"

    def nothing(self):
        return "nothing"

    def ask(self, number, what):
        for i in self.random.sample(range(MODULES), self.random.choice([1, 2])):
            began = time.monotonic()
            answer = self.place.run("call", "w", "textDocument/diagnostic", "file=" + self.place.language.user_file(i))
            took = time.monotonic() - began
            self.answers += 1
            self.times.append(took)
            if answer.returncode != 0:
                self.wrong.append(number)
                print(f"  round {number}, {what}: user {i}: {answer.stderr.decode().strip()}", flush=True)
                continue
            report = json.loads(answer.stdout)
            incomplete = report.get("incomplete", False)
            self.incomplete += incomplete
            if incomplete and b"incomplete" not in answer.stderr:
                self.wrong.append(number)
                print(f"  round {number}: standard error does not say incomplete", flush=True)
            errors = [each["message"] for each in report["items"] if each.get("severity", 1) == 1]
            right = bool(errors) == self.place.is_wrong(i)
            if not right and not incomplete:
                self.wrong.append(number)
            if not right or incomplete or took > 5:
                print(f"  round {number}, {what}: user {i}: {'incomplete' if incomplete else 'slow' if right else 'WRONG'} "
                      f"after {took:.1f} s: {errors}", flush=True)


def soak(hob, language, rounds, seed):
    if not shutil.which(language.program()):
        print(f"{language.name}: not installed")
        return True
    place = Place(hob, language)
    run = Rounds(place, seed)
    number = -1
    try:
        for number in range(rounds):
            run.ask(number, run.change())
    except KeyboardInterrupt:
        rounds = number
    finally:
        place.end()
    times = sorted(run.times)
    if not times:
        return True
    print(f"{language.name}: seed {seed}, {rounds} rounds, {run.answers} answers, {len(run.wrong)} wrong, {run.incomplete} incomplete; "
          f"median {statistics.median(times):.2f} s, 95 % {times[len(times) * 95 // 100]:.2f} s, longest {times[-1]:.2f} s",
          flush=True)
    return not run.wrong


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--hob", required=True)
    parser.add_argument("--npm", default="build/npm", type=os.path.abspath)
    parser.add_argument("--server", action="append")
    parser.add_argument("--rounds", type=int, default=50)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    options = parser.parse_args()
    os.environ["PATH"] = f"{options.npm}/node_modules/.bin:" + os.environ["PATH"]
    chosen = [each for each in languages(options.npm) if not options.server or each.name in options.server]
    with tempfile.TemporaryDirectory() as programs:
        if not shutil.which("clangd"):
            # Debian's has only the name with the version.
            os.symlink(shutil.which("clangd-14") or "/nonexistent", f"{programs}/clangd")
            os.environ["PATH"] += f":{programs}"
        results = [soak(options.hob, each, options.rounds, options.seed) for each in chosen]
    sys.exit(0 if all(results) else 1)


if __name__ == "__main__":
    main()
