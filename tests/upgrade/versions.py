"""Which versions there are, and where a server looks for their scripts."""

from __future__ import annotations

import contextlib
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
from support.harness import Checks

Connection = psycopg.Connection[Any]

TOP = Path(__file__).resolve().parents[2]
KEPT = TOP / "sql" / "upgrade"
FULL = re.compile(r"pg_credits--((?:(?!--).)+)\.sql")
PATHS = "SELECT path FROM pg_extension_update_paths('pg_credits') WHERE source = %s AND target = %s"


@dataclass
class Versions:
    current: str
    kept: list[str]  # the oldest first
    folder: Path  # of the control file and the scripts


def find(connection: Connection) -> Versions:
    (current,) = _row(connection, "SELECT default_version FROM pg_available_extensions WHERE name = 'pg_credits'")
    (share,) = _row(connection, "SELECT setting FROM pg_config WHERE name = 'SHAREDIR'")
    kept = [found[1] for file in KEPT.iterdir() if (found := FULL.fullmatch(file.name))]
    return Versions(current, sorted(kept, key=_order), Path(share) / "extension")


def _order(version: str) -> list[int]:
    return [int(number) for number in re.findall(r"\d+", version)]


def _row(connection: Connection, query: str, *values: Any) -> tuple[Any, ...]:
    row = connection.execute(query, values).fetchone()
    assert row is not None
    return row


def check(checks: Checks, connection: Connection, versions: Versions) -> None:
    """Each kept version can be installed, and leads to the current one; its script is what was frozen."""
    there = {file.name for file in versions.folder.glob("pg_credits--*.sql")}
    wanted = {file.name for file in KEPT.glob("pg_credits--*.sql")} | {f"pg_credits--{versions.current}.sql"}
    checks.none(sorted(wanted - there), "every kept script and every step is installed")
    stuck = [
        version
        for version in versions.kept
        if version != versions.current and _row(connection, PATHS, version, versions.current)[0] is None
    ]
    checks.none(stuck, f"steps lead from every kept version to {versions.current}")
    checks.equal(build(TOP, "frozen"), "", "frozen scripts are what they were")


def build(top: Path, action: str) -> str:
    """What scripts/build.sh of a folder complains of."""
    done = subprocess.run([top / "scripts" / "build.sh", action], capture_output=True, text=True)
    return done.stderr.strip() or ("" if done.returncode == 0 else f"status {done.returncode}")


def check_freezing(checks: Checks, versions: Versions) -> None:
    """In a copy of the sources: what has changed is noticed, and freezing again goes until there is another version."""
    with tempfile.TemporaryDirectory() as folder:
        top = Path(folder)
        for name in ("scripts", "sql"):
            shutil.copytree(TOP / name, top / name)
        for name in ("Cargo.toml", "pg_credits.control"):
            shutil.copy(TOP / name, top / name)
        upgrade = top / "sql" / "upgrade"
        frozen = upgrade / f"pg_credits--{versions.current}.sql"
        checks.equal(build(top, "freeze"), "", "a version is frozen")
        checks.equal(frozen.read_bytes(), (versions.folder / frozen.name).read_bytes(), "as the script that is installed")
        with (top / "sql" / "privileges.sql").open("a") as file:
            file.write("-- changed\n")
        raised = f"sql/ has changed since {versions.current} was frozen: raise the version"
        checks.check(raised in build(top, "frozen"), "a change of sql/ after that is noticed")
        checks.equal((build(top, "freeze"), build(top, "frozen")), ("", ""), "until it is frozen again")
        frozen.write_text(frozen.read_text() + "-- changed\n")
        checks.check("a frozen script is not" in build(top, "frozen"), "and so is a change of what was frozen")
        build(top, "freeze")
        cargo = (top / "Cargo.toml").read_text().replace(f'version = "{versions.current}"', 'version = "99.0.0"', 1)
        (top / "Cargo.toml").write_text(cargo)
        checks.equal(build(top, "frozen"), "", "the next version may change sql/")
        checks.check("No step leads to 99.0.0" in build(top, "freeze"), "and is not frozen without a step to it")
        (upgrade / f"pg_credits--{versions.current}--99.0.0.sql").write_text("-- changed\n")
        checks.equal(build(top, "freeze"), "", "but with one")
        checks.check("--99.0.0.sql" in (upgrade / "checksums").read_text(), "which is frozen as well")
        (upgrade / "pg_credits--0.0.1--99.0.0.sql").write_text("-- too late\n")
        checks.check("--99.0.0.sql has no checksum" in build(top, "frozen"), "and no other step may lead to it later")


@contextlib.contextmanager
def another(versions: Versions, version: str, script: str) -> Iterator[Path]:
    """A version that only who names it gets, in the private PostgreSQL's folder for scripts. Returns where the step to it goes,
    to be written once or again and again."""
    full = versions.folder / f"pg_credits--{version}.sql"
    step = versions.folder / f"pg_credits--{versions.current}--{version}.sql"
    try:
        full.write_text(script)
        full.chmod(0o644)
        yield step
    finally:
        full.unlink(missing_ok=True)
        step.unlink(missing_ok=True)
