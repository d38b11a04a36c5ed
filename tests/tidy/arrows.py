"""Arrows point down only: a room of src/ imports the rooms below it and never one above it.

Reads the imports of every Rust file, and prints each that points up. The order is the floor plan's
(docs/architecture.md). Rooms of one line are neighbours, and import nothing of each other."""

import re
import sys
from pathlib import Path

# From the bottom up.
FLOORS = [
    ["amount", "moment", "error", "json", "nearest", "signup", "address", "rational", "past", "fields"],
    ["pg"],
    ["settings", "input", "clock", "error_codes"],
    ["pages"],
    ["outbox"],
    ["ledger"],
    ["metering"],
    ["catalog"],
    ["payments"],
    ["invoicing"],
    ["subscriptions"],
    ["auto_recharge"],
    ["checkout"],
    ["jobs"],
]
# Small things use one another.
SMALL = {0, 2}

# `row!`, `older!` and `configured!` are macros, which stand at the root of the crate wherever they are written.
PATH = re.compile(r"\bcrate::(\w+)")
COMMENT = re.compile(r"//.*")


def main() -> int:
    src = Path(sys.argv[1] if len(sys.argv) > 1 else "src")
    floor_of = {room: floor for floor, rooms in enumerate(FLOORS) for room in rooms}
    wrong = []
    files = 0
    for file in sorted(src.rglob("*.rs")):
        room = file.relative_to(src).parts[0].removesuffix(".rs")
        if room in ("lib", "tests"):
            continue
        files += 1
        if room not in floor_of:
            wrong.append(f"{file}: {room} has no floor: say in {__file__} where it is")
            continue
        for number, line in enumerate(file.read_text().splitlines(), 1):
            for other in PATH.findall(COMMENT.sub("", line)):
                if other in (room, "row", "older", "configured"):
                    continue
                if other not in floor_of:
                    wrong.append(f"{file}:{number}: {other} has no floor")
                    continue
                below = floor_of[other] < floor_of[room]
                small = floor_of[other] == floor_of[room] and floor_of[room] in SMALL
                if not (below or small):
                    wrong.append(f"{file}:{number}: {room} imports {other}, which is not below it")
    print("\n".join(wrong))
    if wrong or not files:
        print(f"arrows: {len(wrong)} of {files} files' imports point up", file=sys.stderr)
        return 1
    print(f"arrows: {files} files, all imports point down")
    return 0


if __name__ == "__main__":
    sys.exit(main())
