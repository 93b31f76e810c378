#!/usr/bin/env python3
"""Shapes that this toolchain gets wrong, or that this project does not want; see CONTRIBUTING.md.

Every finding is `file:line: what`. A line that is right all the same says so: `// hazard: <reason>`.
"""

import pathlib
import re
import sys

root = pathlib.Path(sys.argv[1])
found = []


def sources(*directories):
    for directory in directories:
        yield from sorted(p for p in (root / directory).rglob("*") if p.suffix in (".cpp", ".hpp"))


def without_comments_and_texts(text):
    """The same length and lines, with comments and string literals blanked."""
    pattern = re.compile(r'//[^\n]*|/\*.*?\*/|R"(\w*)\(.*?\)\1"|"(?:\\.|[^"\\\n])*"', re.S)
    return pattern.sub(lambda m: re.sub(r"[^\n]", " ", m.group(0)), text)


def check(path, pattern, what, text, original):
    for match in re.finditer(pattern, text):
        line = text.count("\n", 0, match.start()) + 1
        if "// hazard:" not in original[line - 1]:
            found.append(f"{path.relative_to(root)}:{line}: {what}")


def statement_after(text, start):
    """From `start` to the end of the expression: the first ; { or } outside parentheses."""
    depth = 0
    for at in range(start, len(text)):
        if text[at] in "([":
            depth += 1
        elif text[at] in ")]":
            depth -= 1
            if depth < 0:
                return text[start:at]
        elif text[at] in ";" and depth <= 0:
            return text[start:at]
    return text[start:]


def empty_await_loops(text):
    """Where `while (co_await …) {}` or `while (co_await …);` begins: g++ 12 makes an illegal instruction of it."""
    for match in re.finditer(r"\b(?:while|for)\s*\(", text):
        depth, at = 1, match.end()
        while at < len(text) and depth > 0:
            depth += {"(": 1, ")": -1}.get(text[at], 0)
            at += 1
        ends_a_do = match.group(0).startswith("while") and text[: match.start()].rstrip().endswith("}") and is_do_loop(text, match.start())
        if "co_await" in text[match.end() : at] and not ends_a_do and re.match(r"\s*(?:;|\{\s*\})", text[at:]):
            yield match.start()


def is_do_loop(text, end):
    """Whether the block that ends before `end` is that of a do."""
    depth, at = 0, text.rindex("}", 0, end)
    while at >= 0:
        depth += {"}": 1, "{": -1}.get(text[at], 0)
        if depth == 0:
            return re.search(r"\bdo\s*$", text[:at]) is not None
        at -= 1
    return False


def self_check():
    red = ["while (co_await f()) {}", "while (co_await f(g(1), 2)) {\n    \n}", "while (!co_await f());", "for (; co_await f();) {}",
           "{ x(); } while (co_await f()) {}"]
    green = ["while (co_await f()) { g(); }", "while (f()) {}", "do { g(); } while (co_await f());", "if (co_await f()) {}"]
    for source in red:
        assert list(empty_await_loops(source)), source
    for source in green:
        assert not list(empty_await_loops(source)), source


def check_awaits(path, text, original):
    for start in empty_await_loops(text):
        line = text.count("\n", 0, start) + 1
        if "// hazard:" not in original[line - 1]:
            found.append(f"{path.relative_to(root)}:{line}: a co_await loop without a body: g++ 12 makes an illegal instruction of it")
    for match in re.finditer(r"\bco_await\b", text):
        expression = statement_after(text, match.end())
        line = text.count("\n", 0, match.start()) + 1
        if "// hazard:" in original[line - 1]:
            continue
        where = f"{path.relative_to(root)}:{line}"
        if re.search(r"\[\s*[&=\w][^\]]*\]\s*(\([^)]*\)\s*)?(mutable\s*)?(->[^{]*)?\{", expression):
            found.append(f"{where}: a capturing lambda inside a co_await expression: name it on the line above")
        if re.search(r"\(\s*\{\s*\.\w+\s*=|,\s*\{\s*\.\w+\s*=|\b[a-z_]\w*\s*\{\s*\.\w+\s*=", expression):
            found.append(f"{where}: an aggregate made inside a co_await expression: name it on the line above")
        if re.search(r"\|\|", expression):
            found.append(f"{where}: co_await (a || b) turns a fast failure into a slow time-out: use util::within")
        before = text[text.rfind(";", 0, match.start()) + 1 : match.start()]
        if re.search(r"\?[^:?]*$", before):
            found.append(f"{where}: co_await inside ?:")


self_check()
for path in sources("src", "test"):
    raw = path.read_text(encoding="utf-8")
    original = raw.split("\n")
    text = without_comments_and_texts(raw)
    check_awaits(path, text, original)
    check(path, r"\bdetached\b", "asio::detached swallows what ends a coroutine: use util::spawn", text, original)
    if len(original) > 450:
        found.append(f"{path.relative_to(root)}: {len(original)} lines; cut it at 400")

for path in sources("src"):
    raw = path.read_text(encoding="utf-8")
    original = raw.split("\n")
    text = without_comments_and_texts(raw)
    check(path, r"\bwaitpid\s*\(\s*-1|\bwait\s*\(\s*(NULL|nullptr|&)", "waits for any child: it steals exits", text, original)
    check(path, r"\b(getpwuid|getpwnam|getaddrinfo|gethostbyname)\w*\s*\(", "needs NSS: the binary is static", text, original)
    check(path, r"\bstd::format\b|<format>|<source_location>", "not there in both compilers", text, original)
    check(path, r"\bsleep_for\b|\busleep\s*\(|[^_\w]sleep\s*\(", "a fixed sleep", text, original)
    check(path, r"[^_\w](chmod|l?chown|truncate|utimes)\s*\(", "changes by path what a link may lead to: open it, then f…()", text, original)

# Tests wait for events; the harness holds the one loop that polls.
for path in sources("test/unit", "test/e2e"):
    raw = path.read_text(encoding="utf-8")
    text = without_comments_and_texts(raw)
    check(path, r"\bsleep_for\b|\busleep\s*\(|\bnanosleep\s*\(|[^_\w.]sleep\s*\(", "a fixed sleep: use wait_until", text, raw.split("\n"))
    check(path, r"\b(pkill|killall)\b", "finds processes by name across the machine", raw, raw.split("\n"))

print("\n".join(found))
sys.exit(1 if found else 0)
