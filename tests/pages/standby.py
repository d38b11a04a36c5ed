"""A standby answers with the same page."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
from pathlib import Path

import psycopg
from shop import Shop
from support.harness import Checks


def check(checks: Checks, shop: Shop, database: str) -> None:
    made = shop.usual()
    # Beside the first server, and of its owner.
    folder = Path(tempfile.mkdtemp(prefix="standby_", dir=Path(os.environ["PGDATA"]).parent))
    owner = Path(os.environ["PGDATA"]).stat()
    os.chown(folder, owner.st_uid, owner.st_gid)
    become = ["runuser", "-u", pwd.getpwuid(owner.st_uid).pw_name, "--"] if os.getuid() != owner.st_uid else []

    def run(*command: str) -> None:
        environment = {**os.environ, "PGUSER": "postgres"}
        subprocess.run([*become, *command], check=True, cwd="/", env=environment, stdout=subprocess.DEVNULL)

    control = shutil.which("pg_ctl") or "pg_ctl"
    copier = shutil.which("pg_basebackup") or "pg_basebackup"
    data = folder / "data"
    try:
        run(copier, "-D", str(data), "-R", "-c", "fast", "-X", "stream")
        options = f"-c port=5433 -c unix_socket_directories={os.environ['PGHOST']}"
        run(control, "-D", str(data), "-l", str(folder / "log"), "-o", options, "-w", "start")
        try:
            with psycopg.connect(dbname=database, port=5433, autocommit=True) as connection:
                checks.equal(connection.execute("SELECT pg_is_in_recovery()").fetchone(), (True,), "it is a standby")
                connection.execute("SELECT set_config('credits.test_clock', '2026-05-04 09:00+00', false)")
                page = connection.execute("SELECT credits.invoice_html('nora', %s)", [made]).fetchone()
                checks.check(page == (shop.html("nora", made),), "its page is the same")
        finally:
            run(control, "-D", str(data), "-m", "immediate", "-w", "stop")
    finally:
        shutil.rmtree(folder, ignore_errors=True)
