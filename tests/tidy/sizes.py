#!/usr/bin/python3
"""Lengths of lines and sizes of files and folders: what is over a limit has to be in budget.txt, with how far it is over.

A number there only ever falls: more fails, and so does less until ACCEPT=1 writes it.
"""

from __future__ import annotations

import os
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

TOP = Path(__file__).resolve().parents[2]
BUDGET = Path(__file__).resolve().parent / "budget.txt"
HEADING = "# What is still over the limits of sizes.py. ACCEPT=1 takes out what no longer is; nothing puts more in.\n"
NOT_OURS = {".git", "build", "target", "__pycache__"}

FILE_LINES = 420
FOLDER_FILES = 16
LINE_LENGTH = {".sql": 120, ".rs": 128}
# What is counted by the line; the outputs that tests expect are not written by anybody.
WRITTEN = {".rs", ".sql", ".py", ".sh", ".md", ""}
# One file a case, a row or a function: as many as there are.
ANY_NUMBER = {"tests/pg_regress/sql", "tests/pg_regress/expected", "tests/bench/scripts", "docs/guides"}
# Scripts of releases, and steps that are derived from them: as long and as wide as what they are made of.
KEPT = "sql/upgrade/"
# The pages of the reference have a part per function and per view, made by scripts/reference.sh.
ANY_LENGTH = {"README.md", "LICENSE", "docs/reference/functions.md", "docs/reference/views.md"}


def files(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.iterdir()):
        if path.is_dir():
            if path.name not in NOT_OURS:
                yield from files(path)
        elif not path.is_symlink():
            yield path


def over() -> dict[str, int]:
    """What is over a limit: lines too long by folder at the top, since they move between files; files and folders by name."""
    long_lines: Counter[str] = Counter()
    in_folder: Counter[str] = Counter()
    found: dict[str, int] = {}
    for path in files(TOP):
        name = path.relative_to(TOP).as_posix()
        in_folder[path.parent.relative_to(TOP).as_posix()] += 1
        if path.suffix not in WRITTEN:
            continue
        lines = path.read_text(errors="replace").splitlines()
        if len(lines) > FILE_LINES and name not in ANY_LENGTH and not name.startswith(KEPT):
            found[f"file {name}"] = len(lines)
        limit = LINE_LENGTH.get(path.suffix)
        if limit and not name.startswith(KEPT):
            long_lines[f"lines {name.partition('/')[0]} {path.suffix} over {limit}"] += sum(len(line) > limit for line in lines)
    found |= {what: number for what, number in long_lines.items() if number}
    found |= {f"folder {n}": k for n, k in in_folder.items() if k > FOLDER_FILES and n not in ANY_NUMBER}
    return found


def budget() -> dict[str, int]:
    lines = [line for line in BUDGET.read_text().splitlines() if line and not line.startswith("#")]
    return {what: int(number) for what, number in (line.rsplit(": ", 1) for line in lines)}


def main() -> int:
    found, allowed = over(), budget()
    more = {what: number for what, number in found.items() if number > allowed.get(what, 0)}
    less = {what: found.get(what, 0) for what, number in allowed.items() if found.get(what, 0) < number}
    for what, number in more.items():
        print(f"sizes: {what}: {number}, which is more than {allowed.get(what) or 'the limit'}")
    if less and os.environ.get("ACCEPT"):
        kept = {what: min(number, found.get(what, 0)) for what, number in allowed.items() if found.get(what, 0)}
        BUDGET.write_text(HEADING + "".join(f"{what}: {number}\n" for what, number in sorted(kept.items())))
        less = {}
    for what, number in less.items():
        print(f"sizes: {what}: {number} now, and budget.txt allows {allowed[what]}: ACCEPT=1 tests/tidy/run writes it down")
    return 1 if more or less else 0


if __name__ == "__main__":
    sys.exit(main())
