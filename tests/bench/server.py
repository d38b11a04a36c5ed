"""The server under test, through psql: the benchmark's own database, and what is stored in it afterwards."""

import contextlib
import os
import subprocess


class Problem(Exception):
    """Something that the user has to hear, in one line or a few."""


def command(arguments, env=None, stdin=None):
    """Runs a program and returns what it printed; its complaint becomes the Problem."""
    try:
        done = subprocess.run(arguments, env=env, input=stdin, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        raise Problem(f"{arguments[0]} is not in PATH.") from None
    if done.returncode != 0:
        complaint = (done.stderr.strip() or done.stdout.strip()).splitlines()
        more = [f"… and {len(complaint) - 8} more lines"] if len(complaint) > 8 else []
        raise Problem("\n".join([f"{arguments[0]} failed:", *complaint[:8], *more]))
    return done.stdout


class Database:
    def __init__(self, name):
        self.name = name

    def env(self, **settings):
        """The environment that reaches this database, with settings for the session."""
        options = [f"-c {name}={value}" for name, value in settings.items()]
        given = os.environ.get("PGOPTIONS", "")
        return {**os.environ, "PGDATABASE": self.name, "PGOPTIONS": " ".join([given, *options]).strip()}

    def query(self, sql, **variables):
        """The rows as text: a line each, columns separated by '|'."""
        given = [argument for name, value in variables.items() for argument in ("-v", f"{name}={value}")]
        return command(["psql", "-XqAt", "-v", "ON_ERROR_STOP=1", *given], self.env(), sql + ";\n").rstrip("\n")

    def load(self, path, **variables):
        """Runs a file as one transaction."""
        self.query(f"BEGIN;\n{path.read_text()}\nCOMMIT", **variables)

    def store(self, events, wallets):
        """Events that are there before anything is measured, the floor's and ours."""
        step = 100_000
        for first in range(0, events, step):
            some = min(step, events - first)
            self.query(
                "INSERT INTO floor_event (customer_id, identifier, meter_id, value, occurred_at, consumed)"
                " SELECT 'cus_' || (1 + floor(random() * :wallets))::int, 'evt_' || (1 + floor(random() * 9e15))::bigint, 1, 10,"
                " now(), 10 FROM generate_series(1, :some) ON CONFLICT DO NOTHING;"
                " SELECT fill('credits.inbox', :some, :wallets)",
                some=some, wallets=wallets,
            )  # fmt: skip
            self.settle()

    def setting(self, name):
        return self.query(f"SHOW {name}")

    def settle(self):
        """Has everything charged that waits for it."""
        while int(self.query("SELECT credits.settle(10000)")) > 0:
            pass

    def stored(self):
        """How many charges the tables hold."""
        return {
            "floor_events": int(self.query("SELECT count(*) FROM floor_event")),
            "hand_events": int(self.query("SELECT count(*) FROM hand_event")),
            "our_events": int(self.query("SELECT count(*) FROM credits_internal.meter_events")),
            "our_debits": int(
                self.query("SELECT count(*) FROM credits_internal.operations WHERE function = 'wallet_debit'")
            ),
        }

    def weight(self, side):
        """The bytes of the tables and indexes of a side, and the place in the log."""
        tables = {
            "floor": "relname ~ '^floor_'",
            "hand": "relname ~ '^hand_'",
            "ours": "relnamespace::regnamespace::text ~ '^credits(_internal)?$'",
        }
        size, place = self.query(
            f"SELECT (SELECT sum(pg_total_relation_size(oid)) FROM pg_class WHERE relkind = 'r' AND {tables[side]}),"
            " pg_current_wal_flush_lsn()"
        ).split("|")
        return int(size), place

    def logged_since(self, place):
        """The bytes of log records since then, pages that were logged whole left out."""
        self.query("CREATE EXTENSION IF NOT EXISTS pg_walinspect")
        return int(self.query(f"SELECT sum(record_size)::bigint FROM pg_get_wal_stats('{place}', pg_current_wal_flush_lsn())"))

    def balances(self):
        """What all wallets together have, a whole number because every charge is 10. Ours is asked as users ask."""
        sums = {
            "floor": "SELECT sum(balance)::bigint FROM floor_account",
            "hand": "SELECT sum(balance)::bigint FROM hand_account",
            "ours": "SELECT sum(available)::bigint"
            " FROM credits_internal.customers c, credits.wallet_balance(c.customer_id, 'CREDIT')",
        }
        return {side: int(self.query(sql)) for side, sql in sums.items()}


@contextlib.contextmanager
def fresh_database():
    """A new database, dropped at the end whatever happened."""
    name = f"pg_credits_bench_{os.getpid()}"
    maintenance = Database("postgres")
    maintenance.query(f"CREATE DATABASE {name} ENCODING 'UTF8' TEMPLATE template0")
    try:
        yield Database(name)
    finally:
        maintenance.query(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
