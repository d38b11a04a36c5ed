"""What a library says of its own functions: pgrx writes the signature of each into a section of the file, as the compiler
has it."""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

SECTION = b".pgrxsc"
FUNCTION = 3
NO_ARGUMENT = "(none)"


@dataclass
class Argument:
    """A parameter that SQL passes."""

    name: str
    sql: str
    optional: bool


@dataclass
class Function:
    """A function that SQL can declare."""

    name: str
    arguments: list[Argument]
    # The Rust type that it returns, and what that says of the columns.
    rust: str
    columns: str


def functions(library: Path) -> dict[str, Function]:
    """The functions by the names of their symbols."""
    return {f"{function.name}_wrapper": function for function in map(_function, _entries(_section(library))) if function}


OLDER = re.compile(r"(?m)^(?:crate::)?older!\(\s*(\w+) => (\w+),\s*(\d+) of (\d+),?\s*\);")


def older(library: Path, sources: Path) -> dict[str, Function]:
    """Symbols that are kept for the declarations of earlier releases, as the sources say: the new function with fewer
    parameters."""
    known = functions(library)
    found = {}
    for file in sorted(sources.rglob("*.rs")):
        for old, new, given, every in OLDER.findall(file.read_text()):
            function = known[new]
            if len(function.arguments) != int(every):
                raise ValueError(f"{file}: {new} has {len(function.arguments)} parameters, not {every}")
            found[old] = replace(function, arguments=function.arguments[: int(given)])
    return found


def _section(library: Path) -> bytes:
    """ELF, of 64 bits."""
    file = library.read_bytes()
    (start,) = struct.unpack_from("<Q", file, 0x28)
    size, count, names = struct.unpack_from("<HHH", file, 0x3A)
    headers = [struct.unpack_from("<IIQQQQ", file, start + number * size) for number in range(count)]
    for name, _, _, _, offset, length in headers:
        at = headers[names][4] + name
        if file[at : at + len(SECTION) + 1] == SECTION + b"\0":
            return file[offset : offset + length]
    raise ValueError(f"{library} has no section {SECTION.decode()}")


def _entries(section: bytes) -> Iterator[Reader]:
    reader = Reader(section)
    while len(section) - reader.at >= 4:
        length = reader.u32()
        if length:
            yield Reader(section[reader.at : reader.at + length])
        reader.at += length


def _function(reader: Reader) -> Function | None:
    if reader.u8() != FUNCTION:
        return None
    _, name, _, _ = (reader.text() for _ in range(4))
    given = [reader.argument() for _ in range(reader.u32())]
    arguments = [argument for argument in given if argument.sql != NO_ARGUMENT]
    rust, columns = reader.returned()
    return Function(name, arguments, rust, columns)


class Reader:
    """What pgrx_sql_entity_graph::section writes."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.at = 0

    def u8(self) -> int:
        self.at += 1
        return self.data[self.at - 1]

    def u32(self) -> int:
        self.at += 4
        return int.from_bytes(self.data[self.at - 4 : self.at], "little")

    def text(self) -> str:
        length = self.u32()
        self.at += length
        return self.data[self.at - length : self.at].decode()

    def maybe_text(self) -> str | None:
        return self.text() if self.u8() else None

    def argument(self) -> Argument:
        name = self.text()
        _, optional, sql, _ = self.type()
        return Argument(name.removeprefix("r#"), sql, optional)

    def returned(self) -> tuple[str, str]:
        kind = self.u8()
        if kind != 2:
            raise ValueError(f"a function's result is of a kind that is read here for the first time: {kind}")
        rust, _, _, columns = self.type()
        return re.sub(r" (?!str)", "", rust), columns

    def type(self) -> tuple[str, bool, str, str]:
        """A Rust type, whether it is optional, and what it is in SQL as an argument and as a result."""
        rust, _, _, _, _ = self.text(), self.text(), self.maybe_text(), self.u8(), self.maybe_text()
        optional = bool(self.u8())
        if self.u8():
            self.text(), self.u8()
        if self.u8() == 1:
            argument = self.mapping()
        else:
            argument = ""
            if self.u8() == 7:
                self.text()
        result = ""
        if self.u8() != 1:
            self.u8()
        elif self.u8() == 3:
            result = ", ".join(self.mapping() for _ in range(self.u32()))
        else:
            result = self.mapping()
        return rust, optional, argument, result

    def mapping(self) -> str:
        kind = self.u8()
        if kind == 1:
            return self.text()
        if kind == 2:
            return self.mapping() + "[]"
        if kind == 3:
            self.u8(), self.u32(), self.u8(), self.u32()
            return "numeric"
        return NO_ARGUMENT if kind == 5 else "record"
