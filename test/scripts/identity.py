#!/usr/bin/env python3
"""The daemon's machinery does not know what its program is called: its names come from src/identity.hpp.

Red is a text in src/lifecycle, src/ipc or src/cmd/core that holds the program's name in any spelling: a command, a variable, a
file, a method. Comments may mention it, and so may the namespace. The frozen frames of doc/protocol.md are no exception: their
method names are members of the identity, and test/golden holds their bytes.
"""

import pathlib
import re
import sys

FOLDERS = ["lifecycle", "ipc", "cmd/core"]
NAME = re.compile(r"hob", re.I)
# Comments and includes are skipped, texts and characters are kept.
TOKENS = re.compile(
    r'(?P<skipped>//[^\n]*|/\*.*?\*/|^#include[^\n]*)'
    r"|(?P<text>(?:'\w'\s*,\s*)+'\w'"
    r'|R"(?P<fence>\w*)\(.*?\)(?P=fence)"|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])+\')',
    re.S | re.M,
)

# In the rest of cmd, texts for people may name the program; methods that the identity has, and the configuration file as
# a path, may not. The record of a method declares its name.
METHOD = re.compile(r'"hob\.(?:hello|ping|status|subscribe|shutdown|event|lagged)"|"/?hob\.toml"')

CHARACTERS = re.compile(r"'\s*,\s*'")  # 'a', 'b' is read as 'ab'


def named(source):
    """(line, text) of each text that holds the name."""
    for match in TOKENS.finditer(source):
        if match["text"] and NAME.search(CHARACTERS.sub("", match["text"])):
            yield source.count("\n", 0, match.start()) + 1, match["text"]


def methods(source):
    """(line, text) of each literal of such a method or path outside of a record."""
    for number, line in enumerate(source.split("\n"), 1):
        code = line.split("//")[0]
        if ".name = " not in code:
            yield from ((number, match[0]) for match in METHOD.finditer(code))


def self_check():
    assert list(methods('daemon.call("hob.status", x)')) and list(methods('path + "/hob.toml"'))
    assert not list(methods('{.name = "hob.ping", .handler = f}')) and not list(methods('"no such key of hob.toml"'))
    red = ['f("hob ping");', 'std::getenv("HOB_LOG")', 'R"({"method":"hob.ping"})"', 'x = "a" "hob.toml";', "{'h', 'o', 'b', 'p'}"]
    green = ['namespace hob::ipc {', '// "hob ping"', '#include "hob/x.hpp"', '/* "hob" */ f("ping");']
    for source in red:
        assert list(named(source)), source
    for source in green:
        assert not list(named(source)), source


self_check()
src = pathlib.Path(sys.argv[1]) / "src"
files = [p for folder in FOLDERS for p in sorted((src / folder).rglob("*")) if p.suffix in (".cpp", ".hpp")]
assert len(files) > 50, "the folders have moved: this looks at nothing"
found = [
    f"src/{path.relative_to(src)}:{line}: {text} names the program: take it from identity.hpp"
    for path in files
    for line, text in named(path.read_text(encoding="utf-8"))
]
for path in sorted((src / "cmd").rglob("*.cpp")):
    if (src / "cmd/core") not in path.parents:
        found += [
            f"src/{path.relative_to(src)}:{line}: {text} has a name in identity.hpp"
            for line, text in methods(path.read_text(encoding="utf-8"))
        ]
print("\n".join(found))
sys.exit(1 if found else 0)
