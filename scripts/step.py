#!/usr/bin/python3
"""Writes what can be derived of an upgrade step: scripts/step.py OLD NEW STEP, of the whole script of the release before,
that of now, and the step.

A step has a part by hand, up to the line MARK: what is done to tables and rows that are there. What follows MARK is
written anew here, from the difference of both scripts: new tables, types' new attributes, views, functions, comments and
rights. The test of upgrades compares the catalogue afterwards, so what this gets wrong is noticed.

A function whose parameters changed is renamed first, so that what calls it goes on, then made anew; what calls it is
replaced, and the old one is dropped at the end, without CASCADE: it fails where a user's own object needs it.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

MARK = "-- Written by 'scripts/build.sh step' from here on.\n"
NAME = r"[a-z_]+\.[a-z_0-9]+"
# An index of what a function of ours returns.
CALLING_INDEX = re.compile(rf"CREATE (?:UNIQUE )?INDEX (\w+) ON {NAME}\b.*?\bcredits(?:_internal)?\.\w+\(", re.S)
GRANTED = re.compile(
    r"(GRANT|REVOKE)\s+(.*?)\s+ON\s+(?:(FUNCTION|PROCEDURE|TYPE|SCHEMA)\s+)?(.*)\s+(?:TO|FROM)\s+(.*);", re.S
)


def statements(script: str) -> list[str]:
    """The statements of a script, each with its semicolon and without the comments before it."""
    found, start, at = [], 0, 0
    token = re.compile(r"--[^\n]*\n|\\[^\n]*\n|'(?:[^']|'')*'|\$\$.*?\$\$|\bBEGIN ATOMIC\b.*?\bEND;|;", re.S)
    while one := token.search(script, at):
        at = one.end()
        if one[0].startswith(("--", "\\")) and not script[start : one.start()].strip():
            start = at
        elif one[0] == ";" or one[0].endswith("END;"):
            found.append(script[start:at].strip())
            start = at
    return found


def split(text: str) -> list[str]:
    """What commas separate, outside of parentheses and quotes."""
    parts, depth, quoted = [""], 0, False
    for letter in text:
        quoted ^= letter == "'"
        depth += 0 if quoted else (letter in "([") - (letter in ")]")
        if letter == "," and depth == 0 and not quoted:
            parts.append("")
        else:
            parts[-1] += letter
    return [" ".join(part.split()) for part in parts if part.strip()]


def inside(text: str) -> str:
    """What the first parentheses hold."""
    start = text.index("(")
    depth = 0
    for at, letter in enumerate(text[start:], start):
        depth += (letter == "(") - (letter == ")")
        if depth == 0:
            return text[start + 1 : at]
    raise ValueError(f"parentheses are left open: {text[:60]}")


class Function:
    def __init__(self, text: str) -> None:
        matched = re.match(rf"CREATE (FUNCTION|PROCEDURE) ({NAME})", text)
        assert matched
        self.text, self.kind, self.name = text, matched[1], matched[2]
        self.parameters = [re.sub(r" DEFAULT .*", "", one) for one in split(inside(text))]
        returned = re.search(r"RETURNS (?:SETOF )?[\w. \[\]]+?(?= LANGUAGE|\n)", text)
        self.declared = (self.kind, self.parameters, returned and returned[0])
        # The types alone, as a GRANT or a DROP names it.
        self.signature = f"{self.name}({', '.join(one.split(' ', 1)[1] for one in self.parameters)})"


class Script:
    def __init__(self, text: str) -> None:
        self.all = statements(text)
        self.functions = [Function(one) for one in self.all if re.match("CREATE (FUNCTION|PROCEDURE)", one)]
        self.named = {}
        for kind in ("TABLE", "TYPE", "VIEW", "INDEX", "UNIQUE INDEX", "TRIGGER"):
            for one in self.all:
                if matched := re.match(rf"CREATE {kind} ([\w.]+)(?:.*? ON ({NAME}))?", one, re.S):
                    suffix = f" ON {matched[2]}" if kind == "TRIGGER" else ""
                    self.named[kind.removeprefix("UNIQUE "), matched[1] + suffix] = one
        self.comments = {}
        for one in self.all:
            if matched := re.match(r"COMMENT ON (.*?) IS\s", one, re.S):
                self.comments[" ".join(matched[1].split())] = one
        self.rights = {right for one in self.all if (granted := GRANTED.fullmatch(one)) for right in _rights(granted)}


def _rights(granted: re.Match[str]) -> list[tuple[str, str, str, str, str]]:
    """(GRANT, EXECUTE, FUNCTION, name, role) of each."""
    verb, what, kind, objects, roles = granted.groups()
    return [
        (verb, " ".join(what.split()), kind or "", name, role)
        for name in split(objects)
        for role in split(roles)
        if not name.startswith("ALL ")
    ]


def step(old: Script, new: Script, by_hand: str) -> str:
    lines: list[str] = []
    add = lines.append

    # Tables of their own, with all that is said of them; columns of tables that were there are done by hand.
    tables = {name for kind, name in new.named if kind == "TABLE"} - {name for kind, name in old.named if kind == "TABLE"}
    for one in new.all:
        about = re.match(rf"(?:CREATE TABLE|ALTER TABLE|CREATE (?:UNIQUE )?INDEX \w+ ON|CREATE TRIGGER.*? ON) ({NAME})", one, re.S)
        dumped = re.match(rf"SELECT pg_catalog\.pg_extension_config_dump\('({NAME})'", one)
        index = re.match(r"CREATE (?:UNIQUE )?INDEX (\w+)", one)
        if "TRIGGER" in one.split("(")[0] or CALLING_INDEX.match(one):
            continue  # after the functions that they run
        if about and about[1] in tables:
            if one not in by_hand:  # where a table that is new is filled from those that are there
                add(one)
        elif dumped and dumped[1] in tables:
            add(one)
        elif index and ("INDEX", index[1]) not in old.named:
            add(one)
        elif index and old.named["INDEX", index[1]] != one and f"INDEX {index[1]}" not in by_hand:
            raise SystemExit(f"index {index[1]} differs: replace it in the part by hand")
        elif about and one.startswith("ALTER TABLE") and one not in old.all and one not in by_hand:
            add(one)

    # Row types grow at their end.
    for (kind, name), text in new.named.items():
        if kind != "TYPE":
            continue
        before = old.named.get((kind, name))
        if before is None:
            add(text)
        elif before != text:
            had, has = split(inside(before)), split(inside(text))
            if has[: len(had)] != had:
                raise SystemExit(f"type {name}: attributes that were there are not as they were")
            added = ", ".join(f"ADD ATTRIBUTE {one}" for one in has[len(had) :])
            add(f"ALTER TYPE {name} {added};")

    # Functions.
    before = {function.signature: function for function in old.functions}
    now = {function.signature: function for function in new.functions}
    same = {s for s, f in now.items() if s in before and before[s].declared == f.declared}
    gone = [function for signature, function in before.items() if signature not in same]
    made = [function for signature, function in now.items() if signature not in same]
    made_names = {function.name for function in made}
    remade = {function.name for function in gone}
    for function in gone:
        add(f"ALTER {function.kind} {function.signature} RENAME TO {function.name.split('.')[1]}_of_before;")
    mentions = re.compile(rf"\b({'|'.join(map(re.escape, sorted(remade))) or '(?!)'})\(")
    later: list[str] = []
    for one in new.all:
        if re.match("CREATE (FUNCTION|PROCEDURE)", one):
            function = Function(one)
            if function in made or function.signature not in same:
                add(one)
            elif before[function.signature].text != one or (
                re.search("LANGUAGE sql", one) and mentions.search(one)
            ):
                add(re.sub("^CREATE ", "CREATE OR REPLACE ", one))
        elif matched := re.match(rf"CREATE VIEW ({NAME})", one):
            if old.named.get(("VIEW", matched[1])) != one or mentions.search(one):
                add(re.sub("^CREATE ", "CREATE OR REPLACE ", one))
        elif matched := re.match(r"CREATE TRIGGER (\w+)(?:.*? ON )([\w.]+)", one, re.S):
            if ("TRIGGER", f"{matched[1]} ON {matched[2]}") not in old.named:
                add(one)
        elif re.match(r"ALTER TABLE .*\bTRIGGER\b", one, re.S) and one not in old.all:
            add(one)
        elif (matched := CALLING_INDEX.match(one)) and ("INDEX", matched[1]) not in old.named:
            add(one)
        elif one.startswith("ALTER INDEX") and one not in old.all:
            add(one)
    for function in reversed(gone):
        name = function.signature.replace("(", "_of_before(", 1)
        later.append(f"DROP {function.kind} {name};")
    for (kind, name), _ in reversed(old.named.items()):
        if kind == "VIEW" and (kind, name) not in new.named:
            later.append(f"DROP VIEW {name};")
    lines += later

    for what, one in new.comments.items():
        function = re.match(rf"(?:FUNCTION|PROCEDURE) ({NAME})", what)
        if old.comments.get(what) != one or (function and function[1] in made_names):
            add(one)

    add("-- All of it is credits_owner's before any right is given.")
    add(next(one for one in new.all if one.startswith("DO ") and "OWNER TO credits_owner" in one))
    changed = [one for one in new.all if one.startswith("DO ") and one not in old.all and one not in lines]
    lines[0:0] = [one for one in changed if "CREATE ROLE" in one]

    # Rights: none for PUBLIC on what is new, then what differs.
    for kind, name in new.named:
        if (kind, name) not in old.named and kind in ("TABLE", "VIEW", "TYPE"):
            add(f"REVOKE ALL ON {'TYPE ' if kind == 'TYPE' else ''}{name} FROM PUBLIC;")
    for function in made:
        add(f"REVOKE ALL ON {function.kind} {function.signature} FROM PUBLIC;")
    there = {f.signature.replace(" ", "") for f in new.functions} | {name for _, name in new.named}
    for verb, what, kind, name, role in sorted(old.rights - new.rights):
        if verb == "GRANT" and (name.replace(" ", "") in there):
            add(f"REVOKE {what} ON {kind + ' ' if kind else ''}{name} FROM {role};")
    for verb, what, kind, name, role in sorted(new.rights):
        bare = re.match(NAME, name)
        anew = bare is not None and bare[0] in made_names and kind in ("FUNCTION", "PROCEDURE")
        if verb == "GRANT" and ((verb, what, kind, name, role) not in old.rights or anew):
            add(f"GRANT {what} ON {kind + ' ' if kind else ''}{name} TO {role};")
    return "\n".join(lines) + "\n"


def main() -> None:
    old, new, path = sys.argv[1:]
    by_hand = Path(path).read_text().split(MARK)[0]
    derived = step(Script(Path(old).read_text()), Script(Path(new).read_text()), by_hand)
    Path(path).write_text(by_hand + MARK + derived)


if __name__ == "__main__":
    main()
