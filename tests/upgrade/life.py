"""A database that is in use while it is upgraded: filled with some of everything, with an application's own objects on top,
and with a session that stays connected.
"""

from __future__ import annotations

import os
from typing import Any

import bought
import dumps
import look
import psycopg
from bought import Bought
from filled import NOW, Filler, rows, story_goes_on
from psycopg import sql
from support import harness
from support.harness import Checks

Connection = psycopg.Connection[Any]
LOGIN = f"upgrade_app_{os.getpid()}"
# What an application does all day, each with one answer whenever it is called.
CALLS = {
    "a debit": "SELECT debited, replayed FROM credits.wallet_debit('ann', 2)",
    "a debit or a shortfall": "SELECT ok, shortfall FROM credits.wallet_try_debit('ann', 1)",
    "an event": "SELECT consumed >= 0, replayed FROM credits.report_meter_event('ann', 'tokens', 100, gen_random_uuid()::text)",
    "a balance": "SELECT currency, available > 0 FROM credits.wallet_balance('ann', 'CREDIT')",
    "a grant": "SELECT amount, status FROM credits.credit_grant('ann', 30)",
    "a view": "SELECT customer_id, currency FROM credits.wallets WHERE customer_id = 'ann' ORDER BY 2",
    "its own view": "SELECT customer_id, currency FROM public.watched ORDER BY 2",
    "its own rows": "SELECT (debit).debited FROM public.debits",
}
PREPARE, EXECUTE = sql.SQL("PREPARE {} AS {}"), sql.SQL("EXECUTE {}")


class InUse:
    """Such a database, before an upgrade and after."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        # What the driver would prepare by itself selects all columns, and row types may have more of them later.
        connection.prepare_threshold = None
        self.database = connection.info.dbname
        self.filler = Filler(connection)
        self.shop = Bought(self.filler)

    def fill(self) -> None:
        self.filler.fill()
        self.shop.fill()
        look.let_it_be_now(self.connection)
        self.connection.execute("CREATE VIEW public.watched AS SELECT * FROM credits.wallets WHERE customer_id = 'ann'")
        self.connection.execute("CREATE TABLE public.debits AS SELECT d AS debit FROM credits.wallet_debit('ann', 1) AS d")
        self.connection.execute(f"GRANT SELECT ON public.watched, public.debits TO {LOGIN}")
        self.app = harness.connect(self.database, user=LOGIN)
        for name, call in CALLS.items():
            self.app.execute(PREPARE.format(sql.Identifier(name), sql.SQL(call)))
        self.before = answers(self.app, prepared=True)

    def goes_on(self, checks: Checks) -> None:
        """In every session, and for every customer."""
        self.compare(checks, answers(self.app, prepared=True), "a session that was connected goes on with what it prepared")
        self.compare(checks, answers(self.app, prepared=False), "and with new statements")
        with harness.connect(self.database, user=LOGIN) as app:
            self.compare(checks, answers(app, prepared=False), "a new session does the same")
        wrong = []
        for call in self.filler.made:
            row = rows(self.connection, call.statement, call.values)[0]
            if not row["replayed"] or any(row[column] != call.row[column] for column in call.fixed):
                wrong.append(f"{call.statement} {call.values}: {look.shown(call.row)}, now {look.shown(row)}")
        checks.none(wrong, f"repeats of calls from before answer as then ({len(self.filler.made)})")
        self.is_found(checks)
        bought.story_goes_on(self.connection)
        story_goes_on(self.connection, self.filler.open_hold)
        self.compare(checks, answers(self.app, prepared=True), "the session goes on when much has happened beside it")
        checks.none(harness.verify(self.connection), "verify() finds nothing")

    def is_found(self, checks: Checks) -> None:
        """What was there before is found: each of a customer's objects by the customer, the catalogue by its ids."""
        ids = {
            "customer": "SELECT customer_id, customer_id FROM credits.customers",
            "product": "SELECT product_id, product_id FROM credits.products",
            "price": "SELECT price_id, price_id FROM credits.prices",
            "invoice": "SELECT customer_id, invoice_id FROM credits.invoices",
            "payment_intent": "SELECT customer_id, payment_intent_id FROM credits.payment_intents",
        }
        for kind, every in ids.items():
            found = self.connection.execute(
                f"SELECT count(*), count(f.object_id) FROM ({every}) AS e (word, id) LEFT JOIN LATERAL"
                " (SELECT s.object_id FROM credits.search(format('\"%%s\"', e.word), ARRAY[%s], page_size => 1000) s"
                "  WHERE s.object_id = e.id::text) f ON true",
                [kind],
            ).fetchone()
            assert found is not None
            checks.check(0 < found[0] == found[1], f"search() finds every {kind} ({found[0]})", found)

    def compare(self, checks: Checks, now: dict[str, Any], what: str) -> None:
        wrong = [f"{name}: {self.before[name]} before, {now[name]} now" for name in CALLS if now[name] != self.before[name]]
        checks.none(wrong, what)

    def restored(self, checks: Checks, version: str) -> None:
        """From a dump, where the same version is installed: the control file may name another one as the usual one."""
        copy = f"{self.database}_copy"
        harness.create_database(copy, version)
        try:
            dumps.into(self.database, copy)
            with harness.connect(copy) as connection:
                sums = [harness.table_checksums(one) for one in (self.connection, connection)]
                for of in sums:
                    of.pop("signing_keys")  # in no dump
                checks.none(look.different(*sums), f"a dump of it is restored with every row ({len(sums[0])} tables)")
                look.let_it_be_now(connection)
                checks.none(harness.verify(connection), "where verify() finds nothing")
        finally:
            harness.drop_database(copy)


def answers(app: Connection, prepared: bool) -> dict[str, Any]:
    """What each call answers; an error, where it is one."""
    found: dict[str, Any] = {}
    for name, call in CALLS.items():
        try:
            found[name] = app.execute(EXECUTE.format(sql.Identifier(name)) if prepared else sql.SQL(call)).fetchall()
        except psycopg.Error as error:
            found[name] = harness.described(error)
    return found


def make_login(connection: Connection) -> None:
    connection.execute(f"CREATE ROLE {LOGIN} LOGIN")
    connection.execute(f"ALTER ROLE {LOGIN} SET credits.test_clock = '{NOW}'")


def drop_login(connection: Connection) -> None:
    connection.execute(f"DROP ROLE IF EXISTS {LOGIN}")
