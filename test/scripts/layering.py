#!/usr/bin/env python3
"""Includes go one way: between the layers of src/, between the rooms of src/unit/, and among the verbs of src/cmd/.

Every finding is `file:line: what`. The order below is the map of ARCHITECTURE.md.
"""

import pathlib
import re
import sys

# Lowest first: a layer includes those before it. The files directly in src/ are below all but main.cpp.
LAYERS = ["util", "keeper", "ipc", "lifecycle", "unit", "cmd"]

# Lowest first: a room of src/unit/ includes those before it. The protocols do not know each other.
ROOMS = [
    ["spec"],
    ["config"],
    ["store"],
    ["ports"],
    ["process"],
    ["watch"],
    ["supervise"],
    ["terminal"],
    ["service"],
    ["protocol"],
    ["protocol/lsp", "protocol/dap", "protocol/lines", "protocol/mcp"],
    ["worker"],
    ["task"],
    ["registry"],
    ["application"],
]

# What several verbs use. A verb includes these and itself, never another verb. `core` is part of the daemon's machinery:
# like lifecycle and ipc it knows no unit.
SHARED = [["core"], ["handlers"], ["streams", "history", "formats"], ["boot"]]

INCLUDE = re.compile(r'^#include "([^"]+)"', re.M)


def rank(groups, name):
    return next((at for at, group in enumerate(groups) if name in group), None)


def room_of(path):
    """`protocol/lsp` of `unit/protocol/lsp/session.cpp`."""
    return "/".join(path.split("/")[1:-1])


def above_in_unit(source, target):
    """Why a room must not include another, or nothing."""
    if room_of(source) == room_of(target):
        return None
    mine, its = rank(ROOMS, room_of(source)), rank(ROOMS, room_of(target))
    if mine is None or its is None:
        return "is in a room that test/scripts/layering.py does not name"
    return None if its < mine else "is in a room above it, or beside it"


def above_in_cmd(source, target):
    mine, its = room_of(source), room_of(target)
    if mine == its and (mine or target == source):
        return None
    target_rank = rank(SHARED, its)
    if target_rank is None:
        return "belongs to another verb"
    source_rank = rank(SHARED, mine)
    return None if source_rank is None or target_rank < source_rank else "is above it, or beside it"


def fault(source, target):
    """`source` and `target`: paths from src/."""
    if source == "main.cpp":
        return None
    if "/" not in target:
        return None
    if "/" not in source:
        return "is above it"
    mine, its = LAYERS.index(source.split("/")[0]), LAYERS.index(target.split("/")[0])
    if its > mine:
        return "is in a layer above it"
    if source.startswith("cmd/core/") and target.startswith("unit/"):
        return "is about units, which cmd/core does not know"
    if its == mine and source.startswith("unit/"):
        return above_in_unit(source, target)
    if its == mine and source.startswith("cmd/"):
        return above_in_cmd(source, target)
    return None


def findings(src):
    for path in sorted(p for p in src.rglob("*") if p.suffix in (".cpp", ".hpp")):
        source = str(path.relative_to(src))
        text = path.read_text(encoding="utf-8")
        for match in INCLUDE.finditer(text):
            target = match[1]
            line = text.count("\n", 0, match.start()) + 1
            where = f"src/{source}:{line}"
            if not (src / target).exists():
                yield f'{where}: "{target}" is not a path from src/'
            elif why := fault(source, target):
                yield f'{where}: "{target}" {why}'


def self_check():
    """The rules above are red for what they forbid."""
    forbidden = [
        ("util/fd.cpp", "ipc/frame.hpp"),
        ("ipc/server.cpp", "lifecycle/instance.hpp"),
        ("ipc/server.cpp", "unit/spec/spec.hpp"),
        ("lifecycle/daemon.cpp", "unit/registry/registry.hpp"),
        ("cmd/core/status_report.cpp", "unit/application/application.hpp"),
        ("cmd/core/status_report.cpp", "cmd/handlers/handler_context.hpp"),
        ("unit/registry/registry.cpp", "unit/application/application.hpp"),
        ("unit/spec/spec.hpp", "unit/config/config.hpp"),
        ("unit/protocol/lsp/session.cpp", "unit/protocol/dap/frame.hpp"),
        ("unit/protocol/message_codec.hpp", "unit/worker/worker.hpp"),
        ("cmd/core/output.cpp", "cmd/run/client.hpp"),
        ("cmd/logs/logs.cpp", "cmd/runs/plot.hpp"),
        ("cmd/ping.cpp", "cmd/run/client.hpp"),
        ("error.cpp", "util/fd.hpp"),
    ]
    allowed = [
        ("cmd/logs/logs.cpp", "cmd/history/run_history.hpp"),
        ("cmd/run/client.cpp", "cmd/run/client.hpp"),
        ("unit/protocol/dap/session.cpp", "unit/protocol/message_codec.hpp"),
        ("unit/worker/worker.cpp", "unit/worker/worker.hpp"),
        ("ipc/server.cpp", "error.hpp"),
        ("unit/application/application.hpp", "lifecycle/application.hpp"),
        ("cmd/run/methods.cpp", "unit/application/application.hpp"),
        ("cmd/run/methods.hpp", "cmd/handlers/handler_context.hpp"),
    ]
    for pair in forbidden:
        assert fault(*pair), pair
    for pair in allowed:
        assert not fault(*pair), pair


self_check()
found = list(findings(pathlib.Path(sys.argv[1]) / "src"))
print("\n".join(found))
sys.exit(1 if found else 0)
