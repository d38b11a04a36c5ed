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
STATEMENT = re.compile(r"static (\w+): Statement =\s*(?=Statement::|\w+!\()")
MADE = re.compile(r"\s*Statement::(\w+)\(")
# A macro with a statement, its text, or a part of one: what is given to it stands where its parameters do.
MACRO = re.compile(r"macro_rules! (\w+) \{\n(.*?)\n\}", re.DOTALL)
ARM = re.compile(r"    \((.*?)\) => \{(.*?)\n    \};?", re.DOTALL)
PARAMETER = re.compile(r"\$(\w+):(?:literal|expr)")

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


class Arm(NamedTuple):
    """One way to call a macro: the word that comes first, if one does, its parameters, whether there may be any number of
    them, and what it stands for."""

    word: str
    parameters: list[str]
    any_number: bool
    body: str


Macros = dict[str, list[Arm]]


def all_of_them() -> list[Statement]:
    """Every one, by the name of its file and its own."""
    files = {path.relative_to(SOURCES).as_posix(): path.read_text() for path in sorted(SOURCES.rglob("*.rs"))}
    known = {path: read_macros(text) for path, text in files.items()}
    everywhere = {name: macro for one in known.values() for name, macro in one.items()}
    found = []
    for path, source in files.items():
        macros = dict(everywhere)
        for place in around(path):
            macros |= known.get(place, {})
        for match in STATEMENT.finditer(source):
            name, made, at = f"{path.removesuffix('.rs')} {match[1]}", source, match.end()
            while not (begun := MADE.match(made, at)):
                made, at = expanded(made, at, macros), at
            text, types = arguments(made, begun.end())
            found.append(Statement(name, begun[1], sql(text, macros), sql_types(types, source)))
    return found


def around(path: str) -> list[str]:
    """The files of the modules that a file is in, the outermost first, and itself: a macro of the nearest is meant."""
    parts = path.removesuffix(".rs").split("/")
    outer = ["/".join(parts[:depth]) for depth in range(1, len(parts))]
    return [f"{module}{end}" for module in outer for end in ("/mod.rs", ".rs")] + [path]


def read_macros(source: str) -> Macros:
    found = {}
    for name, arms in MACRO.findall(source):
        if name != JOINING:
            found[name] = [
                Arm(parameters.partition("$")[0].strip(), PARAMETER.findall(parameters), "$(" in parameters, body)
                for parameters, body in ARM.findall(arms)
            ]
    return found


def count() -> int:
    """How many there are, counted otherwise."""
    return sum(len(re.findall(r"^ *(?:pub )?(?:static|const) \w+: Statement\b", path.read_text(), re.MULTILINE))
               for path in SOURCES.rglob("*.rs"))  # fmt: skip


def settings(kind: str) -> list[str]:
    """The settings that are off while a statement of that kind is planned."""
    name = {"new": "ByKey", "in_order": "InOrder", "by_words": "ByWords"}[kind]
    source = (SOURCES / PLANNING).read_text()
    body = source[source.index("fn without") :]
    arm = re.search(rf"Planning::{name} => (.*?\])", body, re.DOTALL)
    assert arm is not None, f"{PLANNING} says nothing of {name}"
    return re.findall(r'c"(\w+)"', arm[1])


def arguments(source: str, start: int) -> tuple[str, str]:
    """A call's two arguments, from behind its parenthesis on."""
    text, types = split(source, start)[0][:2]
    return text, types


def split(source: str, start: int) -> tuple[list[str], int]:
    """A call's arguments, from behind its parenthesis on, and where that is closed."""
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
    return [re.sub(r"^\s*//.*\n", "", part, flags=re.MULTILINE).strip() for part in parts if part.strip()], at


def expanded(text: str, at: int, macros: Macros) -> str:
    """The text with the macro that is called there replaced by what it stands for."""
    call = CALL.match(text, at)
    assert call is not None and call[1] in macros, text[at : at + 80]
    given, end = split(text, call.end())
    arm = next(
        arm
        for arm in sorted(macros[call[1]], key=lambda arm: not arm.word)
        if arm.any_number or len(arm.parameters) == len(given) and (not arm.word or given[0].startswith(f"{arm.word} "))
    )
    body = arm.body
    if arm.any_number:
        body = re.sub(r"\$\(\$\w+\),\+", lambda _: ", ".join(given), body)
    else:
        for name, one in zip(arm.parameters, given, strict=True):
            value = one.removeprefix(f"{arm.word} ")
            body = re.sub(rf"\${name}\b", lambda _, value=value: value, body)
    return text[:at] + body.strip() + text[end + 1 :]


def sql(text: str, macros: Macros) -> str:
    """What a literal or macros that join some come to."""
    while call := next((found for found in CALL.finditer(text) if found[1] in macros), None):
        text = expanded(text, call.start(), macros)
    return "".join(ESCAPED.sub(unescaped, literal) for literal in LITERAL.findall(text))


def unescaped(match: re.Match[str]) -> str:
    return "" if match[1].startswith("\n") else {"n": "\n", "t": "\t"}.get(match[1], match[1])


def sql_types(types: str, source: str) -> list[str]:
    """The types' names in SQL."""
    name, most = types.removeprefix("&"), None
    # The first so many of a constant.
    if part := re.fullmatch(r"([A-Z_]+)\.split_at\((\d+)\)\.0", name):
        name, most = part[1], int(part[2])
    if re.fullmatch(r"[A-Z_]+", name):
        constant = re.search(rf"const {name}: [^=]*= (\[.*?\]);", source, re.DOTALL)
        assert constant is not None, name
        types = constant[1]
    oids = re.findall(r"\b([A-Z0-9]+)OID\b", types)[:most]
    return [f"{oid.removesuffix('ARRAY')}[]" if oid.endswith("ARRAY") else oid for oid in oids]
