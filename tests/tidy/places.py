#!/usr/bin/python3
"""Where each function of schema credits lives: its declaration in sql/ and its code in src/ are in one room, and both files
are called by one noun. --list prints them."""

from __future__ import annotations

import re
import sys
from pathlib import Path

TOP = Path(__file__).resolve().parents[2]
DECLARED = re.compile(r"CREATE (?:FUNCTION|PROCEDURE) credits\.(\w+)\s*\((.*?);\nCOMMENT", re.S)
SYMBOL = re.compile(r"'MODULE_PATHNAME', '(\w+)_wrapper'")
CODE = re.compile(r"#\[pg_extern[^\]]*\](?:\s*#\[[^\]]*\])*\s*(?:pub )?fn (\w+)\(")
# The folder, or the file, whose name is the noun; what a room's own file declares is of no other noun.
OWN = {"mod", "outbox"}
# The views that customers see of themselves are one file, with the function that says who they are; and rows of the outbox
# are released from a consumer.
TOGETHER = {"current_customer", "outbox_release"}


def nouns(path: str) -> set[str]:
    room, *rest = path.rsplit(".", 1)[0].split("/")
    return {room, *rest} if len(rest) != 1 or rest[0] in OWN else set(rest)


def main() -> int:
    code = {}
    for path in sorted((TOP / "src").rglob("*.rs")):
        for name in CODE.findall(path.read_text()):
            code[name] = path.relative_to(TOP / "src").as_posix()
    found, wrong = [], []
    for path in sorted((TOP / "sql").rglob("*.sql")):
        place = path.relative_to(TOP / "sql").as_posix()
        if place.startswith("upgrade/"):
            continue
        for name, declaration in DECLARED.findall(path.read_text()):
            symbol = SYMBOL.search(declaration)
            rust = code.get(symbol[1], "") if symbol else ""
            found.append((name, place, rust or "in SQL"))
            if not symbol:
                continue
            same_room = rust.split("/")[0].removesuffix(".rs") == place.split("/")[0].removesuffix(".sql")
            if not same_room or not nouns(rust) & nouns(place) and name not in TOGETHER:
                wrong.append(f"places: {name} is declared in sql/{place} and written in src/{rust or '?'}")
    if "--list" in sys.argv:
        width = [max(len(row[column]) for row in found) for column in range(2)]
        for name, place, rust in sorted(found):
            print(f"{name:{width[0]}}  {place:{width[1]}}  {rust}")
    print("\n".join(wrong))
    if wrong or len(found) < 2:
        return 1
    print(f"places: {len(found)} functions, each where its noun says")
    return 0


if __name__ == "__main__":
    sys.exit(main())
