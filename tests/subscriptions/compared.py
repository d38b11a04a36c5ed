"""Random stories of subscriptions, told to the model and to a server: the same states and periods, invoices and lines,
grants and refunds at the end, whatever was called; the same errors; and what a preview says is what the update makes.
Then calm stories, which are the same however late maintain() runs.

STORIES (80) is how many there are, CALM (8) how many of the calm ones, SEED (1) what they are made from, PERIODS (14)
how many they may go through. LONG=1 is all of it: 200 stories and 40 calm ones through three years, those of hours
through 60 days, and 1,000 previews. FEATURES, a list with commas, takes the place of all kinds of stories; STEPS=1
compares after each call and each change by time, and leaves previews out.

What is decided otherwise than the model was first written is in the model, by switches of things.Rules where it is one:

* What was sent for time before the end stays owed; the end makes one more invoice of what is pending, where the
  subscription's own part of that is above 0. What a customer paid for is granted, even after the end.
* A stub has what is left of the instalments of the period that it is cut from.
* Replays are no errors: cancel of a canceled one, pause of a paused one, resume of an active one.
* An invoice that is voided gives all free that waited before (void_frees_pending); a refund of what is left lowers what is
  pending or sent, too (refund_lowers_unpaid); what 'keep' left alone goes when a later change prorates (kept_goes_later).
* 'once' is used by the first invoice that it takes something off, whatever is pending besides.
* Credits that wait for a first payment are judged as the invoice is made, or lowered to nothing.
* A dispute takes the credits of its invoice, those to come too, and gives them back where it is won: from then on, and not
  those that a change, a pause or the end of the subscription has ended meanwhile. Of what is disputed a change gives nothing
  back.
* A change to another interval has an invoice whatever becomes of the money, with all that is pending.

Not compared: refunds of money where credits were spent (what is owed then is paid by later credits, which the model
does not count), refunds made by hand, disputes of a part, revisions of instalments, requests to charge, events, when invoices were
made, the due date of what comes to nothing, cancel_at of what has ended, usage of coupons; payments in part, of
an invoice by the wallet, or under way at an update; payment methods of their own; prices of several currencies, metered
ones, and those with units for sale; updates of anything but items.

Nor two subscriptions at a time (FEATURES=two,…): where both renew at one moment the model begins with the older one, the
server with either. With another SEED a story in a thousand may differ at a moment that is the same to the microsecond: a
cancellation as something begins.
"""

from __future__ import annotations

import json
import os
from collections import Counter
from datetime import datetime, timedelta
from typing import Any

import due
import psycopg
import snapshot
import stories
from model import Model
from periods import text_of
from previewed import Previewed
from psycopg.rows import dict_row
from server import Server, summed
from support import harness
from support.harness import Checks, say

LONG = bool(os.environ.get("LONG"))
STORIES = int(os.environ.get("STORIES") or (200 if LONG else 80))
# More than three years have of any interval but hours.
PERIODS = int(os.environ.get("PERIODS") or (1096 if LONG else 14))
# Each update is previewed, or each third.
EVERY, PREVIEWS = (1, 1000) if LONG else (3, 100)
SEED = int(os.environ.get("SEED") or 1)
GIVEN = os.environ.get("FEATURES")
ALL = stories.FEATURES
KINDS = [frozenset(GIVEN.split(","))] if GIVEN else [ALL - {"spend", "two"}, ALL - {"refunds", "disputes", "two"}]
CALM_FEATURES = frozenset("tax plans trials anchors coupons update prorations cancels recover".split())
CALM = int(os.environ.get("CALM") or (40 if LONG else 8))
STEPS = bool(os.environ.get("STEPS"))
# Ten thousand grants of a customer whom the statistics do not know yet would be looked for one by one.
ANALYZE = "ANALYZE credits_internal.invoice_line_grants, credits_internal.credit_grants"
WAYS = ("always", "weekly", "never")
# A provider reports of what exists, so a worker had been asked.
REPORTS = {"paid", "failed", "maintain"}
MUST_HAPPEN = (
    "cancel", "create", "decided", "disputed", "failed", "maintain", "method", "paid", "pause", "previewed", "recover", "resume",
    "spend", "uncollectible", "update", "void",
)  # fmt: skip


def of_model(model: Model) -> dict[str, Any]:
    """As the server's snapshot has it."""
    found = snapshot.of(model)
    now = model.now
    for name, one in model.subscriptions.items():
        said = found["subscriptions"][name]
        said["grants"] = sorted(grant_of(row, now) for row in one.rows() if row.status == "granted" and row.credits > row.taken)
        if one.ended_at:
            said["cancel_at"], said["cancel_at_period_end"] = None, False
        said["periods"] = [["whole" if kind == "full" else kind, *times] for kind, *times in said["periods"]]
    for one in found["invoices"].values():
        for key in ("at", "made", "refunded"):
            del one[key]
        if one["total"] == "0" or one["total"].startswith("-"):
            one["due_date"] = None
        one["lines"].sort(key=str)
    pending = [line for lines in found["pending"].values() for line in lines]
    return {
        "subscriptions": found["subscriptions"], "invoices": found["invoices"], "pending": sorted(pending, key=str),
        "refunds": summed([(one.invoice, one.amount) for one in model.refunds]),
    }  # fmt: skip


def grant_of(row: Any, now: datetime) -> list[Any]:
    expired = row.expires_at is not None and row.expires_at <= now
    left = "expired" if expired and row.left > 0 else snapshot.number(row.left)
    return [row.item, text_of(row.starts_at) or "", text_of(row.expires_at) or "never", snapshot.number(row.credits), left,
            snapshot.number(row.spent)]  # fmt: skip


def differences(expected: Any, found: Any, where: str = "") -> list[str]:
    if isinstance(expected, dict) and isinstance(found, dict):
        return [one for key in sorted({*expected, *found})
                for one in differences(expected.get(key), found.get(key), f"{where}/{key}")]  # fmt: skip
    if isinstance(expected, list) and isinstance(found, list) and where.rsplit("/", 1)[-1] in ("grants", "lines", "pending"):
        due_lines, there = Counter(map(str, expected)), Counter(map(str, found))
        return [f"{where}: due {one}" for one in due_lines - there] + [f"{where}: there {one}" for one in there - due_lines]
    return [] if expected == found else [f"{where}: {found} where {expected} was due"]


class Told:
    """A story, told to both."""

    def __init__(self, connection: psycopg.Connection[Any], told: dict[str, Any]) -> None:
        self.connection = connection
        self.told = told
        self.model = Model(told["decimals"])
        self.server = Server(connection, f"story {told['seed']}", told["decimals"])
        self.wrong: list[str] = []
        self.counts: Counter[str] = Counter()

    def pass_time(self, moment: datetime) -> None:
        while self.model.now and (following := due.next_change(self.model)) and following <= moment:
            self.model.advance(following)
            self.server.clock(following)
            self.server.due()
            if STEPS and self.compare(f"{following} by time"):
                return
        self.server.clock(moment)

    def play(self) -> None:
        for at, name, arguments, _ in self.told["script"]:
            self.pass_time(datetime.fromisoformat(at))
            if self.wrong:
                return
            if name == "preview" and not STEPS:
                continue
            if name == "maintain":
                self.connection.execute("CALL credits.maintain()")
            expected = self.model.call(at, name, arguments)
            # What a preview says is what the update makes.
            previewed = None
            if name == "update" and expected is None and self.counts["update"] % EVERY == 0 and not STEPS:
                previewed = Previewed(self.server, arguments)
                self.counts["previewed"] += 1
            got = self.server.call(name, arguments)
            if previewed and got is None:
                self.wrong += [f"{at} {arguments}: {one}" for one in previewed.wrong()]
            if got != expected and STEPS:
                say(self.server.said)
            self.counts[f"{name} {expected or ''}".strip()] += 1
            if expected != got:
                self.wrong.append(f"{at} {name} {arguments}: {got} where {expected} was due")
            if STEPS and self.compare(f"{at} {name} {json.dumps(arguments)}"):
                return
        if LONG:
            self.connection.execute(ANALYZE)
        self.compare("the end")

    def compare(self, where: str) -> bool:
        found = differences(of_model(self.model), self.server.snapshot())
        self.wrong += [f"story {self.told['seed']}, {where}: {one}" for one in found]
        return bool(self.wrong)


def tell_late(connection: psycopg.Connection[Any], story: dict[str, Any], way: str) -> tuple[dict[str, Any], list[str]]:
    """What there is at the end, and what was refused otherwise than the story says."""
    server, model = Server(connection, f"calm {story['seed']} {way}", story["decimals"]), Model(story["decimals"])
    wrong, passed = [], None
    for at, name, arguments, expected in story["script"]:
        moment = datetime.fromisoformat(at)
        while way == "always" and model.now and (following := due.next_change(model)) and following <= moment:
            model.advance(following)
            server.clock(following)
            server.due()
        while way == "weekly" and passed and passed + timedelta(days=7) < moment:
            passed += timedelta(days=7)
            server.clock(passed)
            server.due()
        passed = moment
        server.clock(moment)
        if name in REPORTS:
            server.due()
        if way == "always":
            model.call(at, name, arguments)
        got = None if name == "preview" else server.call(name, arguments)
        if got != expected:
            wrong.append(f"story {story['seed']} {way}, {at} {name} {arguments}: {got} where {expected} was due")
    if LONG:
        connection.execute(ANALYZE)
    found = server.snapshot()
    server.end()
    return found, wrong


def calm(connection: psycopg.Connection[Any], seed: int) -> list[str]:
    """How a story differs by when maintain() runs."""
    told = stories.Story(seed, features=CALM_FEATURES, calm=True, spends=False, periods=PERIODS)
    script = told.write()
    story = {"seed": seed, "decimals": told.decimals, "script": script}
    (first, wrong), *others = [tell_late(connection, story, way) for way in WAYS]
    for way, (found, more) in zip(WAYS[1:], others):
        wrong = wrong + more + [f"calm story {seed}, {way}: {one}" for one in differences(first, found)]
    return wrong


def check(checks: Checks, database: str) -> None:
    with harness.connect(database, row_factory=dict_row) as connection:
        connection.execute("SET credits.test_clock_drives_billing = on; SET credits.test_clock = '2027-01-01 00:00:00+00'")
        for code, decimals in (("JPY", 0), ("USD", 2), ("KWD", 3)):
            connection.execute("SELECT credits.currency_create(%s, NULL, %s, 'fiat')", [code, decimals])
        connection.execute("SELECT credits.currency_create('COIN', NULL, 2)")
        wrong: list[str] = []
        counts: Counter[str] = Counter()
        bad = 0
        for seed in range(SEED, SEED + STORIES):
            told = stories.Story(seed, features=KINDS[seed % len(KINDS)], periods=PERIODS)
            one = Told(connection, {"seed": seed, "decimals": told.decimals, "script": told.write()})
            one.play()
            one.server.end()
            counts += one.counts
            if one.wrong:
                bad += 1
                wrong += one.wrong
                if bad <= 6:
                    say(f"-- story {seed}, {told.interval}")
                    for line in one.wrong[:6]:
                        say("    " + line)
        checks.none(wrong, f"{STORIES} stories, seed {SEED}: all of it is as the model says")
        if not GIVEN:
            checks.none([what for what in MUST_HAPPEN if not counts[what]], "they met everything that this is about")
        if not GIVEN and not STEPS and STORIES >= 80:
            checks.check(counts["previewed"] >= PREVIEWS, f"{counts['previewed']:,} previews, of {PREVIEWS:,} at least")
        late_wrong = [one for seed in range(SEED, SEED + CALM) for one in calm(connection, seed)]
        for line in late_wrong[:12]:
            say("    " + line)
        checks.none(late_wrong, f"{CALM} calm stories are the same, however late maintain() runs")
        checks.none(harness.verify(connection), "verify() finds nothing")
        say("        " + ", ".join(f"{what} {count:,}" for what, count in sorted(counts.items())))
