"""Usage traces: reading one from a CSV file, making a synthetic one, and turning rows into events.

A trace is a list of rows in time order; a row is one request with its time, its customer and one value a column.
Nothing here knows of a database, of credits or of prices.
"""

from __future__ import annotations

import csv
import hashlib
import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from decimal import Decimal, InvalidOperation
from pathlib import Path

# More digits than these no amount may have.
MOST_DIGITS = 28
EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)


class BadTrace(Exception):
    """The file cannot be replayed; the message is one line that says where and why."""


@dataclass(frozen=True)
class Row:
    """One line of usage. `number` counts the file's data rows from 1 and is what identifiers are made of."""

    number: int
    time: datetime
    customer: str | None
    values: dict[str, Decimal]


@dataclass(frozen=True)
class Trace:
    columns: list[str]
    rows: list[Row]


@dataclass(frozen=True)
class Event:
    """One value of one row, as it is reported."""

    identifier: str
    time: datetime
    customer: str
    event_name: str
    value: Decimal


def read_csv(
    path: Path,
    time_column: str | None = None,
    customer_column: str | None = None,
    columns: Sequence[str] | None = None,
) -> Trace:
    """Reads a CSV file with a header. `columns` are the usage columns; None takes every other numeric one."""
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            return _read(csv.reader(file), path, time_column, customer_column, columns)
    except OSError as error:
        raise BadTrace(f"{path}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise BadTrace(f"{path}: not a text file in UTF-8") from None
    except csv.Error as error:
        raise BadTrace(f"{path}: not a CSV file: {error}") from None


def _read(
    lines: csv._reader,  # type: ignore[name-defined]
    path: Path,
    time_column: str | None,
    customer_column: str | None,
    columns: Sequence[str] | None,
) -> Trace:
    header = [name.strip() for name in next(lines, [])]
    _check_header(path, header)
    time_at = _position(path, header, time_column or header[0])
    customer_at = None if customer_column is None else _position(path, header, customer_column)
    wanted = None if columns is None else {name: _position(path, header, name) for name in columns}

    rows: list[Row] = []
    records = [(lines.line_num, cells) for cells in lines if any(cell.strip() for cell in cells)]
    if not records:
        raise BadTrace(f"{path}: no rows below the header")
    if wanted is None:
        skip = {time_at, customer_at}
        wanted = {
            name: at for at, name in enumerate(header) if at not in skip and _is_numeric(at, (r for _, r in records))
        }
    if not wanted:
        raise BadTrace(f"{path}: no numeric column beside {header[time_at]!r}; name one with --meter")

    for number, (line, cells) in enumerate(records, start=1):
        if len(cells) != len(header):
            raise BadTrace(f"{path}, line {line}: {len(cells)} values where the header has {len(header)} columns")
        customer = None
        if customer_at is not None:
            customer = cells[customer_at].strip()
            if not customer:
                raise BadTrace(f"{path}, line {line}: no customer in column {header[customer_at]!r}")
        values = {
            name: _value(path, line, name, cells[at].strip()) for name, at in wanted.items() if cells[at].strip()
        }
        rows.append(Row(number, _time(path, line, cells[time_at].strip()), customer, values))
    rows.sort(key=lambda row: (row.time, row.number))
    return Trace(list(wanted), rows)


def _check_header(path: Path, header: list[str]) -> None:
    if not header or not any(header):
        raise BadTrace(f"{path}: empty, the first line has to be a header")
    if any(parse_number(name) is not None or _instant(name) is not None for name in header):
        raise BadTrace(f"{path}: no header, the first line holds values: {','.join(header)[:80]}")
    if "" in header or len(set(header)) < len(header):
        raise BadTrace(f"{path}: the header needs a name for every column and no name twice: {','.join(header)[:80]}")


def _position(path: Path, header: list[str], name: str) -> int:
    if name not in header:
        raise BadTrace(f"{path}: no column {name!r} in the header, which has {', '.join(header)}")
    return header.index(name)


def _is_numeric(at: int, records: Iterable[list[str]]) -> bool:
    """Whether the first value of the column is a number; a later one that is not is then an error of the file."""
    for cells in records:
        if at < len(cells) and cells[at].strip():
            return parse_number(cells[at].strip()) is not None
    return False


def _value(path: Path, line: int, name: str, text: str) -> Decimal:
    value = parse_number(text)
    if value is None:
        raise BadTrace(f"{path}, line {line}: {text[:40]!r} in column {name!r} is not a number")
    if len(value.as_tuple().digits) > MOST_DIGITS or abs(value.adjusted()) > MOST_DIGITS:
        raise BadTrace(f"{path}, line {line}: {text[:40]} in column {name!r} has more than {MOST_DIGITS} digits")
    if value < 0:
        raise BadTrace(f"{path}, line {line}: {text[:40]} in column {name!r} is negative, usage cannot be")
    return value


def _time(path: Path, line: int, text: str) -> datetime:
    moment = _instant(text)
    if moment is None:
        moment = _from_epoch(text)
    if moment is None:
        raise BadTrace(f"{path}, line {line}: cannot read the time {text[:40]!r}; use 2023-11-16 18:15:46.68 (UTC)")
    return moment


def parse_number(text: str) -> Decimal | None:
    try:
        number = Decimal(text)
    except InvalidOperation:
        return None
    return number if number.is_finite() else None


def _instant(text: str) -> datetime | None:
    """An ISO time, UTC where it names no zone. More than six digits of a second are rounded to microseconds."""
    if "-" not in text[1:]:
        return None
    head, dot, tail = text.partition(".")
    digits = tail[: len(tail) - len(tail.lstrip("0123456789"))] if dot else ""
    try:
        moment = datetime.fromisoformat(head + tail[len(digits) :])
    except ValueError:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=timezone.utc)
    moment += timedelta(microseconds=round(Decimal("0." + (digits or "0")) * 1_000_000))
    return moment.astimezone(timezone.utc)


def _from_epoch(text: str) -> datetime | None:
    """Seconds since 1970, with or without a fraction."""
    seconds = parse_number(text)
    if seconds is None or not 0 < seconds < 10**11:
        return None
    return EPOCH + timedelta(microseconds=round(seconds * 1_000_000))


def synthetic(seed: int, rows: int, start: datetime, length: timedelta) -> Trace:
    """A made-up trace of a conversation service's shape: long prompts, shorter answers, bursts, the odd zero."""
    random_ = random.Random(seed)
    waits = [random_.expovariate(1.0) * random_.choice((0.2, 1.0, 1.0, 3.0)) for _ in range(rows)]
    scale = length / (sum(waits) or 1.0)
    made: list[Row] = []
    at = timedelta()
    for number, wait in enumerate(waits, start=1):
        # Now and then two requests arrive in the same microsecond.
        at += timedelta() if number > 1 and random_.random() < 0.02 else wait * scale
        prompt = min(14_050, int(random_.lognormvariate(6.5, 1.1)))
        answer = 0 if random_.random() < 0.01 else min(1_000, 7 + int(random_.expovariate(1 / 200)))
        values = {"prompt_tokens": Decimal(prompt), "completion_tokens": Decimal(answer)}
        made.append(Row(number, start + at, None, values))
    return Trace(["prompt_tokens", "completion_tokens"], made)


def spread(number: int, customers: int) -> str:
    """The customer of a row that names none: the same one in every run."""
    digest = hashlib.sha256(str(number).encode()).digest()
    width = len(str(customers))
    return f"customer-{int.from_bytes(digest[:8], 'big') % customers + 1:0{width}d}"


def events(trace: Trace, event_names: dict[str, str], customers: int, prefix: str = "row") -> list[Event]:
    """Every value of every row as an event, in time order; `event_names` says which meter a column is."""
    made = []
    for row in trace.rows:
        customer = row.customer if row.customer is not None else spread(row.number, customers)
        for column, value in row.values.items():
            identifier = f"{prefix}:{row.number}:{column}"
            made.append(Event(identifier, row.time, customer, event_names[column], value))
    return made
