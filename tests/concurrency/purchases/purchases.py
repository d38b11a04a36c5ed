"""Purchases: sessions that buy, pay, fail, refund and dispute the same purchases at the same time, by call and by
webhook, while they spend the credits in every way there is, and while some accounts recharge themselves.

Of half of the wallets, where nothing runs out and nothing is forgiven, the balance is known to the last digit; of the
others it is known that nothing is lost. What must come of a purchase is said in told.py and looked for in settled.py.
"""

from __future__ import annotations

import time
from collections import defaultdict
from typing import Any

import psycopg

import settled
from spending import METER, PLAIN, WALLETS, WILD, Report, Spender
from support import harness
from support.at_once import together
from support.harness import Checks, say
from told import CALLS, CURRENCY, OFTEN, PROVIDER, SECRET, Purchase, Told

SESSIONS = 8
SECONDS = 12.0
# What is sold; the last two, which run out or pay for the meter alone, not to plain wallets.
PACKS = {
    "pack": "90, 7, %s",
    "odd pack": "33.333333, 9.99, %s, priority => 30",
    "short pack": "70, 6, %s, time_to_live => '2 s'",
    "pack of calls": f"50, 3.33, %s, applicable_meters => '{{{METER}}}'",
}
# These recharge themselves.
RECHARGED = (PLAIN[0], WILD[0])
AUTO = (
    "SELECT * FROM credits.configure_auto_recharge(%s, enabled => true, threshold => 40, price_id => %s,"
    " cooldown => '0.2 s', timeout => '1 s', target => 150, schedule_every => '0.7 s')"
)
LATEST = (
    "SELECT customer_id, top_up_id::text, amount, credits FROM credits.top_ups WHERE customer_id = %s"
    " ORDER BY top_up_id DESC LIMIT 5"
)
A_REQUEST = (
    "SELECT customer_id, recharge_id, top_up_id::text, amount, credits FROM credits.recharge_log"
    " WHERE closed_at IS NULL ORDER BY random() LIMIT 1"
)
# What the sessions have to have met to prove anything.
MUST_HAPPEN = (
    *(f"{kind} by {way}" for kind in CALLS for way in ("call", "webhook")), "replayed by call", "replayed by webhook",
    "bought", "bought by a shared key", "contradiction", "taken", "owed", "waits for a hold", "given back", "forgiven",
    "began", "no go", "captured", "released", "canceled", "voided", "expired", "transferred", "PC001", "40001",
    "told late", "rolled back", "handed out", "erased",
)  # fmt: skip


class Session(Spender):
    """One session at work. The first calls maintain() now and then."""

    def __init__(self, database: str, number: int) -> None:
        super().__init__(database, number)
        self.prices = {row["name"]: row["price_id"] for row in self.all("SELECT name, price_id FROM credits.packages")}

    def run(self) -> Report:
        acts = [
            (self.buy, 8), (self.tell, 30), (self.tell_late, 3), (self.work, 6), (self.switch_on, 1), (self.debit, 12),
            (self.use, 8), (self.cancel, 3), (self.hold, 8), (self.end_hold, 9), (self.transfer, 4), (self.give, 2),
            (self.end_grant, 2), (self.look, 3), (self.several, 6), (self.outbox, 3), (self.erase, 2),
        ]  # fmt: skip
        work, weights = zip(*acts)
        while time.monotonic() < self.begun + SECONDS:
            act = self.random.choices(work, weights)[0]
            if self.number == 0 and time.monotonic() > self.maintained + 0.5:
                act = self.maintain
            try:
                act(self.random.choice(WALLETS))
            except psycopg.Error as error:
                self.refused(act.__name__, error)
        self.connection.close()
        return self.report

    def maintain(self, _: str) -> None:
        self.maintained = time.monotonic()
        self.connection.execute("CALL credits.maintain()")

    def buy(self, wallet: str) -> None:
        """Begins a purchase; some under a key that others use at the same time."""
        if self.random.random() < 0.3:
            window = int((time.monotonic() - self.begun) * 4)
            self.begin(WALLETS[window % len(WALLETS)], self.prices["pack"], f"shared {window}")
            self.count("bought by a shared key")
        else:
            self.begin(wallet, self.price(wallet))

    def price(self, wallet: str) -> Any:
        return self.prices[self.random.choice(list(PACKS)[: 2 if wallet in PLAIN else None])]

    def begin(self, wallet: str, price_id: Any, key: str | None = None) -> Purchase:
        row = self.one("SELECT * FROM credits.top_up_create(%s, %s, idempotency_key => %s)", wallet, price_id, key)
        purchase = Purchase(wallet, str(row["top_up_id"]), row["amount"], row["credits"])
        self.report.bought.append((purchase, not row["replayed"]))
        self.count("bought")
        return purchase

    def tell(self, wallet: str) -> None:
        """Something is told of one of the wallet's latest purchases."""
        latest = self.all(LATEST, wallet)
        if latest:
            purchase = Purchase(*self.random.choice(latest).values())
            things = purchase.things()
            self.say(purchase, self.random.choices(things, [OFTEN.get(one.kind, 2) for one in things])[0])

    def tell_late(self, wallet: str) -> None:
        """The same from a snapshot that may be older than what others were told."""
        self.connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        try:
            with self.transaction():
                self.look(wallet)
                time.sleep(self.random.random() * 0.01)
                self.tell(wallet)
                self.count("told late")
        finally:
            self.connection.isolation_level = None

    def say(self, purchase: Purchase, told: Told) -> None:
        if self.random.random() < 0.3:
            query, values = purchase.webhook(told)
            row = self.one(query, *values)
            way, contradiction = "webhook", row["outcome"] == "contradiction"
            if row["outcome"] == "ignored" or str(row["top_up_id"]) != purchase.id:
                self.wrong(f"{told} by webhook answers {row}")
        else:
            spent = "forgive" if purchase.customer in WILD and self.random.random() < 0.4 else None
            query, values = purchase.call(told, spent)
            row = self.one(query, *values)
            way, contradiction = "call", row["contradiction"] is not None
            self.judge(told, row, spent)
        self.report.told.append((purchase.id, told, way, not row["replayed"]))
        self.count(f"{told.kind} by {way}")
        self.count(f"replayed by {way}" if row["replayed"] else "contradiction" if contradiction else "told")

    def judge(self, told: Told, row: dict[str, Any], spent: str | None) -> None:
        """An answer to a call, as far as it alone can tell."""
        if row["available"] < 0:
            self.wrong(f"{told} answers {row}")
        if row["replayed"] or "taken" not in row:
            return
        for column, what in (("taken", "taken"), ("pending", "owed"), ("held", "waits for a hold")):
            if row[column] > 0:
                self.count(what)
        if row["taken"] < 0:
            self.count("given back")
        if spent is not None and told.kind in ("refunded", "disputed"):
            self.count("forgiven")
            if row["pending"]:
                self.wrong(f"{told}, forgiven, answers {row}")

    def work(self, _: str) -> None:
        """A worker's turn: it begins with an open request, and pays it, fails, or is never heard of again."""
        for row in self.all(A_REQUEST):
            begun = self.one("SELECT * FROM credits.recharge_begin(%s, %s)", row["customer_id"], row["recharge_id"])
            self.count("began" if begun["go"] else "no go")
            if begun["go"] and begun["status"] != "processing":
                self.wrong(f"recharge_begin answers {begun}")
            purchase = Purchase(row["customer_id"], row["top_up_id"], row["amount"], row["credits"])
            kind = self.random.choice(("succeeded", "succeeded", "failed", None))
            if begun["go"] and kind:
                self.say(purchase, next(one for one in purchase.things() if one.kind == kind))

    def switch_on(self, _: str) -> None:
        """What may have switched itself off after three failures."""
        self.one(AUTO, self.random.choice(RECHARGED), self.prices["pack"])

    def erase(self, _: str) -> None:
        """Of the person that is forgotten the account stays, and goes on. Not while a payment is on its way (PC020)."""
        self.one("SELECT * FROM credits.customer_erase(%s)", self.random.choice(RECHARGED))
        self.count("erased")

    def several(self, _: str) -> None:
        """A transaction over two wallets, in their order: a purchase that nobody else knows yet is paid or fails, and
        credits are spent. Some roll back."""
        commit = self.random.random() < 0.7
        with self.transaction(commit):
            for wallet in sorted(self.random.sample(WALLETS, 2)):
                purchase = self.begin(wallet, self.price(wallet))
                self.say(purchase, self.random.choice(purchase.things()[:2]))
                self.debit(wallet)
        if not commit:
            self.count("rolled back")

    def outbox(self, _: str) -> None:
        """A consumer's turn: it is handed rows in order, and acknowledges all, some or none of them."""
        consumer = self.random.choice(settled.CONSUMERS)
        rows = self.all("SELECT * FROM credits.outbox_claim(%s, 20, '1 s')", consumer)
        numbers: dict[str, list[int]] = defaultdict(list)
        for row in rows:
            numbers[row["customer_id"]].append(row["outbox_no"])
        if any(list(range(some[0], some[0] + len(some))) != some for some in numbers.values()):
            self.wrong(f"{consumer} is handed {dict(numbers)}")
        done = rows[: self.random.choice((len(rows), len(rows), len(rows) // 2, 0))]
        self.one("SELECT credits.outbox_ack(%s, %s) AS acked", consumer, [row["outbox_id"] for row in done])
        self.report.handed |= {(row["customer_id"], row["outbox_no"]) for row in rows}
        self.count("handed out")


def run_session(database: str, number: int) -> Report:
    """What the process of one session does."""
    return Session(database, number).run()


def run(checks: Checks) -> None:
    what = f"purchases: {SESSIONS} sessions buy, pay, refund, dispute and spend, {SECONDS:.0f} s"
    with checks.case(what), harness.fresh_database("purchases") as database:
        with harness.connect(database) as connection:
            open_shop(connection)
        report = Report()
        for one in together(run_session, [(database, number) for number in range(SESSIONS)]):
            report.add(one)
        counts = report.counts
        checks.equal((counts["40P01"], counts["XX000"]), (0, 0), "no deadlock, and no internal error")
        checks.none(report.wrong, "no session met a wrong answer or another error")
        checks.none([what for what in MUST_HAPPEN if not counts[what]], "the mix met everything that it is about")
        say("        " + ", ".join(f"{what} {number:,}" for what, number in sorted(counts.items())))
        settled.check(checks, database, report)


def open_shop(connection: psycopg.Connection[Any]) -> None:
    connection.execute("SELECT credits.currency_create(%s, kind => 'fiat')", [CURRENCY])
    connection.execute("SELECT credits.meter_create(%s)", [METER])
    connection.execute("SELECT credits.payment_provider_set(%s, %s)", [PROVIDER, SECRET])
    for consumer in settled.CONSUMERS:
        connection.execute("SELECT credits.outbox_consumer_create(%s)", [consumer])
    prices = {}
    for name, terms in PACKS.items():
        pack = f"SELECT price_id FROM credits.package_create(%s, {terms})"
        prices[name] = connection.execute(pack, [name, CURRENCY]).fetchone()
    for wallet in WALLETS:
        connection.execute("SELECT credits.customer_upsert(%s)", [wallet])
        connection.execute("SELECT credits.account_configure(%s, low_balance_threshold => 20)", [wallet])
    for wallet in RECHARGED:
        connection.execute(AUTO, [wallet, *(prices["pack"] or ())])
