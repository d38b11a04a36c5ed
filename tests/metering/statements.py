"""The statements that the library keeps, as its sources have them: each one's text, types of parameters and way of planning."""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

SOURCES = Path(__file__).resolve().parents[2] / "src"

# A string of Rust's, and what stands for characters in it.
LITERAL = re.compile(r'c?"((?:[^"\\]|\\.)*)"', re.DOTALL)
ESCAPED = re.compile(r'\\(\n\s*|.)', re.DOTALL)
COMMENT = re.compile(r"//.*\n")
STATEMENT = re.compile(r"static (\w+): Statement =\s*Statement::(\w+)\(")
# A macro with the text of a statement, or a part of one: what is given to it stands where its parameter does.
MACRO = re.compile(r"macro_rules! (\w+) \{\s*\((?:\$?\(?(\$\w+):(?:literal|expr)\)?,?\+?)?\) => \{(.*?)\n    \};\n\}", re.DOTALL)

# The macro that joins literals: what it is given is all there is.
JOINING = "text"
CALL = re.compile(r"\b(\w+)!\(")

# With what they are planned, as src/pg/planning.rs has it.
PLANNING = Path("pg/planning.rs")


class Statement(NamedTuple):
    """A kept statement."""

    name: str
    kind: str
    text: str
    types: list[str]


def all_of_them() -> list[Statement]:
    """Every one, by the name of its file and its own."""
    files = {path.relative_to(SOURCES).as_posix(): path.read_text() for path in sorted(SOURCES.rglob("*.rs"))}
    macros = {name: (part, body) for text in files.values() for name, part, body in MACRO.findall(text)
              if name != JOINING}
    found = []
    for path, source in files.items():
        for match in STATEMENT.finditer(source):
            text, types = arguments(source, match.end())
            found.append(
                Statement(f"{path.removesuffix('.rs')} {match[1]}", match[2], sql(text, macros), sql_types(types, source))
            )
    return found


def count() -> int:
    """How many there are, counted otherwise."""
    return sum(len(re.findall(r"^(?:pub )?(?:static|const) \w+: Statement\b", path.read_text(), re.MULTILINE))
               for path in SOURCES.rglob("*.rs"))  # fmt: skip


def settings(kind: str) -> list[str]:
    """The settings that are off while a statement of that kind is planned."""
    name = {"new": "ByKey", "in_order": "InOrder"}[kind]
    source = (SOURCES / PLANNING).read_text()
    body = source[source.index("fn without") :]
    arm = re.search(rf"Planning::{name} => (.*?\])", body, re.DOTALL)
    assert arm is not None, f"{PLANNING} says nothing of {name}"
    return re.findall(r'c"(\w+)"', arm[1])


def arguments(source: str, start: int) -> tuple[str, str]:
    """A call's two arguments, from behind its parenthesis on."""
    depth, at, parts, begin = 0, start, [], start
    while True:
        if passed := LITERAL.match(source, at) or COMMENT.match(source, at):
            at = passed.end()
            continue
        character = source[at]
        if character in "([{":
            depth += 1
        elif character in ")]}" and depth == 0:
            parts.append(source[begin:at])
            break
        elif character in ")]}":
            depth -= 1
        elif character == "," and depth == 0:
            parts.append(source[begin:at])
            begin = at + 1
        at += 1
    text, types = (re.sub(r"^\s*//.*\n", "", part, flags=re.MULTILINE).strip() for part in parts[:2])
    return text, types


def sql(text: str, macros: dict[str, tuple[str, str]]) -> str:
    """What a literal or macros that join some come to."""
    while call := next((found for found in CALL.finditer(text) if found[1] in macros), None):
        end = closing(text, call.end())
        part, body = macros[call[1]]
        given = text[call.end() : end]
        if part:
            body = body.replace(f"$({part}),+", given).replace(part, given)
        text = text[: call.start()] + body + text[end + 1 :]
    return "".join(ESCAPED.sub(unescaped, literal) for literal in LITERAL.findall(text))


def closing(text: str, at: int) -> int:
    """Where the parenthesis is closed behind which that is."""
    depth = 0
    while text[at] != ")" or depth:
        if passed := LITERAL.match(text, at):
            at = passed.end()
            continue
        depth += {"(": 1, ")": -1}.get(text[at], 0)
        at += 1
    return at


def unescaped(match: re.Match[str]) -> str:
    return "" if match[1].startswith("\n") else {"n": "\n", "t": "\t"}.get(match[1], match[1])


def sql_types(types: str, source: str) -> list[str]:
    """The types' names in SQL."""
    name = types.removeprefix("&")
    if re.fullmatch(r"[A-Z_]+", name):
        constant = re.search(rf"const {name}: [^=]*= (\[.*?\]);", source, re.DOTALL)
        assert constant is not None, name
        types = constant[1]
    oids = re.findall(r"\b([A-Z0-9]+)OID\b", types)
    return [f"{oid.removesuffix('ARRAY')}[]" if oid.endswith("ARRAY") else oid for oid in oids]
