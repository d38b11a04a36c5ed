"""A random mix of the calls that have no fixed amount or that change their minds, held against a model that makes them one
after the other, in the order in which the accounts' locks let them through.

Every transaction notes a moment at which it has all of its locks. Of two that have a lock in common, that of the earlier
is earlier, so the moments say in which order the model has to make them. Then every answer, every refusal, every balance
and every line of the ledger is what the model says, or something is wrong.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import zip_longest
from typing import Any

import psycopg

import charges
import deeds
from acts import CATALOGUE, CREDIT, LIMITED, OTHER, Act, Refusal, Turn
from allowance import Limit
from deeds import Refused
from model import NEVER, NOBODY, Account, Line, Source

Connection = psycopg.Connection[Any]
Key = tuple[str, str]
GRACE = timedelta(seconds=3)
# What some begin with.
FIRST_LIMIT = Limit(None, None, 4, Decimal(20), True)
# What is under its own name in neither deeds.py nor charges.py, and what does nothing that this model knows of.
DEEDS: dict[str, Any] = {
    "wallet_try_debit": deeds.wallet_debit, "usage_limit_set": deeds.set_limit, "member_limit_set": deeds.set_limit,
    **dict.fromkeys(("balance_alert_set", "configure_auto_recharge", *CATALOGUE), lambda *_: {}),
}  # fmt: skip
# Lines whose operation nobody was told, and those that have none.
UNNAMED = ("refund", "void", "expiration", "reinstatement")
IDS = ("grant_id", "operation_id", "hold_id", "capture_id", "identifier")


class InTurn:
    """The model, and what it found wrong. Of an account that went wrong nothing more is said."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.accounts: dict[Key, Account] = defaultdict(lambda: Account(GRACE))
        for customer in LIMITED:
            self.accounts[customer, CREDIT].limits[FIRST_LIMIT[:3]] = FIRST_LIMIT
        self.wrong: list[str] = []
        self.broken: set[Key] = set()
        self.first: dict[tuple[str, str], dict[str, Any]] = {}
        # By customer: what was refused, and may have been at this place.
        self.open: dict[str, list[Refusal]] = defaultdict(list)
        self.judged = 0

    def run(self, turns: Sequence[Turn], refusals: Sequence[Refusal]) -> None:
        made_at = self.made_at()
        for turn in turns:
            for key in keys(turn):
                self.accounts[key].made_at = made_at[key[0]]
        unlocked = [
            Refusal(turn.begun, turn.now, turn.ended, act, "replayed", row)
            for turn in turns for act, row in turn.acts if answered_without_lock(act, row)
        ]  # fmt: skip
        # By customer: what is still to come.
        waiting: dict[str, list[Refusal]] = defaultdict(list)
        for refusal in sorted([*refusals, *unlocked], key=lambda one: one.begun, reverse=True):
            waiting[refusal.act.customer].append(refusal)
        for turn in sorted(turns, key=lambda one: one.at):
            for customer in {key[0] for key in keys(turn)}:
                # Until it has committed, a call that waits for no lock does not see it.
                while (coming := waiting[customer]) and coming[-1].begun < turn.ended:
                    self.open[customer].append(coming.pop())
                self.judge(customer, turn.at)
            self.take(turn)
        for customer, coming in waiting.items():
            self.open[customer] += coming
            self.judge(customer, None)

    def made_at(self) -> dict[str, dict[Source, datetime]]:
        """By customer: when events, and operations whose credits came back, count as spent."""
        made: dict[str, dict[Source, datetime]] = defaultdict(dict)
        for customer, identifier, at in self.connection.execute(
            "SELECT customer_id, identifier, created_at FROM credits_internal.meter_events"
        ):
            made[customer][Source(None, identifier)] = at
        for customer, operation, at in self.connection.execute(
            "SELECT customer_id, operation_id, spent_at FROM credits_internal.reversals WHERE spent_at IS NOT NULL"
        ):
            made[customer][Source(operation)] = at
        return made

    # --- what was done -----------------------------------------------------------------------------------------------

    def take(self, turn: Turn) -> None:
        """Makes the calls of a transaction, and compares answers and balances."""
        for act, row in turn.acts:
            named = (act.customer, act.key or "")
            own = (act.customer, act.currency)
            if act.key and named in self.first:
                first = self.first[named]
                if not row.get("replayed") or any(row.get(id_) != first.get(id_) for id_ in IDS if first.get(id_)):
                    self.fail(own, f"{act} was done before and answers {row}")
                continue
            if act.key:
                self.first[named] = row
            if own in self.broken or act.name in CATALOGUE or answered_without_lock(act, row):
                continue
            try:
                expected = self.perform(self.accounts[own], act, row, turn)
            except Refused as refused:
                self.fail(own, f"{act} went through, where {refused} was due: {row}")
                continue
            self.judged += 1
            wrong = {name: (row.get(name), value) for name, value in expected.items() if not same(row, name, value)}
            if wrong:
                self.fail(own, f"{act} at {turn.at} answers other than the model, {wrong}: {row}")
        for key in keys(turn):
            posted, account = turn.posted.get(key), self.accounts[key]
            if posted is None or key in self.broken:
                continue
            if posted.last_line > len(account.lines):
                account.advance(posted.at)
            expected = account.totals[posted.last_line] if posted.last_line < len(account.totals) else None
            if expected != posted.balances:
                what = [act for act, _ in turn.acts if act.customer == key[0]]
                self.fail(key, f"{what} at {turn.at} found or left {posted}, not {expected}")

    def perform(self, account: Account, act: Act, row: dict[str, Any], turn: Turn) -> dict[str, Any]:
        posted = turn.posted.get((act.customer, act.currency))
        at = posted.at if posted else turn.now
        fields = act.values | {"ends_at": None}
        if at >= turn.now:
            account.advance(at)
            account.posted_at = at
            return self.perform_at(account, act, fields, row, turn)
        # It left the account's row as it was, and its answer is as of then.
        if min(account.due(), default=NEVER) > turn.now:
            account.posted_at = turn.now
            answer = self.perform_at(account, act, fields, row, turn)
            account.posted_at = at
            return answer
        # What fell due was not posted. Limits, and events that cost nothing, are there all the same.
        copy = account.copy()
        copy.advance(turn.now)
        answer = self.perform_at(copy, act, fields, row, turn)
        account.limits, account.overdraft_limit = copy.limits, copy.overdraft_limit
        account.events |= {name: event for name, event in copy.events.items() if name not in account.events}
        return answer

    def perform_at(
        self, account: Account, act: Act, fields: dict[str, Any], row: dict[str, Any], turn: Turn
    ) -> dict[str, Any]:
        if act.name not in ("report_meter_event", "meter_event_cancel"):
            return dict(deed(act)(account, fields, row))
        return dict(deed(act)(account, fields, row, self.second(act, turn)))

    def second(self, act: Act, turn: Turn) -> Account | None:
        """The account that may pay as well: where nothing was posted to it, only as it would have been."""
        key = (act.customer, OTHER)
        if not uses_both(act) or key in self.broken:
            return None
        account, at = self.accounts[key], turn.posted[key].at
        if at < turn.now:
            account, at = account.copy(), turn.now
        account.advance(at)
        return account

    # --- what was refused --------------------------------------------------------------------------------------------

    def judge(self, customer: str, until: datetime | None) -> None:
        """The refusals that may have come before a moment: each is right as the accounts stand, or, if that is possible,
        is looked at again as they stand later."""
        left = []
        for refusal in self.open.pop(customer, []):
            key = (customer, refusal.act.currency)
            if key in self.broken:
                continue
            problem = self.refused(self.accounts[key], refusal)
            if problem and until is not None and refusal.ended > until:
                left.append(refusal)
            elif problem:
                self.fail(key, f"{refusal.act} was refused with {refusal.state} {refusal.detail}: {problem}")
            else:
                self.judged += 1
        if left:
            self.open[customer] = left

    def refused(self, account: Account, refusal: Refusal) -> str | None:
        """Why a refusal cannot be right as the account stands; None where it is. By when the call had its lock, maintain()
        may have brought the account further than the call's own time."""
        problem = self.refused_at(account, refusal, refusal.now)
        for at in account.due_between(refusal.now, refusal.ended) if problem else ():
            problem = problem and self.refused_at(account, refusal, at)
        return problem

    def refused_at(self, account: Account, refusal: Refusal, at: datetime) -> str | None:
        account = account.copy()
        account.advance(max(at, account.posted_at))
        fields = refusal.act.values
        if fields.get("ends"):
            fields["ends_at"] = refusal.now + timedelta(seconds=fields["ends"])
        try:
            if uses_both(refusal.act) and refusal.act.name == "report_meter_event":
                other = self.accounts[refusal.act.customer, OTHER].copy()
                other.advance(max(at, other.posted_at))
                charges.report_meter_event(account, fields, {}, other)
            elif deed(refusal.act)(account, fields, {}).get("replayed") and refusal.state == "replayed":
                return None
        except Refused as refused:
            if refused.state == refusal.state and fits(refusal, refused):
                return None
            return f"the model says {refused}"
        except charges.Unknown:
            return None
        except KeyError as missing:
            return f"the model does not have {missing} yet"
        return f"the model allows it, with {account.balances()}"

    def fail(self, key: Key, what: str) -> None:
        """Something of an account is wrong: it is said with the first line that is."""
        if key in self.broken:
            return
        number = next((number for number, (one, other) in enumerate(self.pairs(key), 1) if one != other), None)
        lines = [f"{one}, not {other}" for one, other in self.pairs(key)[number - 1 : number + 2]] if number else []
        self.broken |= {(key[0], CREDIT), (key[0], OTHER)}
        self.wrong.append(f"{key}: {what}" + (f"; from line {number} on {lines}" if lines else ""))

    def pairs(self, key: Key) -> list[tuple[Line | None, Line | None]]:
        """The ledger's lines beside the model's."""
        found = [
            Line(type_, grant, amount, held, pending, named(type_, Source(operation, event)), at)
            for type_, grant, amount, held, pending, operation, event, at in self.connection.execute(LINES, key)
        ]
        modelled = [line._replace(source=named(line.type, line.source)) for line in self.accounts[key].lines]
        return list(zip_longest(found, modelled))

    # --- in the end --------------------------------------------------------------------------------------------------

    def lines(self) -> list[str]:
        """The ledger has the model's lines, one by one, and none besides."""
        wrong = []
        for key, account in self.sound():
            posted = self.connection.execute(POSTED_AT, key).fetchone()
            account.advance(posted[0] if posted else account.posted_at)
            pairs = enumerate(self.pairs(key), 1)
            wrong += [f"{key} line {number} is {one}, not {other}" for number, (one, other) in pairs if one != other][:1]
        return wrong

    def rows(self) -> list[str]:
        """Grants, holds and events are what the model has, as readers see them at this moment."""
        wrong = []
        with self.connection.transaction():
            self.connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
            (now,) = self.connection.execute("SELECT now()").fetchone() or (None,)
            for key, account in self.sound():
                account.advance(now)
                found = {(kind, id_): tuple(row) for kind, id_, *row in self.connection.execute(ROWS, [*key] * 3)}
                expected = rows_of(account, key[1])
                wrong += [f"{key}: {one} is {found.get(one)}, not {expected.get(one)}" for one in expected.keys() | found.keys()
                          if expected.get(one) != found.get(one)]  # fmt: skip
        return wrong

    def sound(self) -> list[tuple[Key, Account]]:
        return [(key, account) for key, account in self.accounts.items() if key not in self.broken]


def rows_of(account: Account, currency: str) -> dict[tuple[str, str], tuple[Any, ...]]:
    """By kind and id: what grants, holds and events, but for canceled ones, come to."""
    rows: dict[tuple[str, str], tuple[Any, ...]] = {}
    for grant in account.grants.values():
        rows["grant", str(grant.id)] = (grant.remaining, grant.lapsed, grant.status)
    for hold in account.holds.values():
        rows["hold", str(hold.id)] = (hold.captured, hold.charged, hold.status)
    for event in account.events.values():
        if currency == CREDIT and not event.canceled:
            rows["event", event.identifier] = (event.consumed, event.pending, f"{event.value:f}")
    return rows


LINES = (
    "SELECT type, grant_id, amount, coalesce(held, 0), coalesce(pending, 0), operation_id, identifier, effective_at"
    " FROM credits_internal.lines WHERE customer_id = %s AND currency = %s ORDER BY line_no"
)
POSTED_AT = "SELECT greatest(posted_at, 'epoch') FROM credits_internal.accounts WHERE customer_id = %s AND currency = %s"
ROWS = (
    "SELECT 'grant', grant_id::text, remaining, lapsed, status FROM credits.grants"
    " WHERE customer_id = %s AND currency = %s"
    " UNION ALL SELECT 'hold', hold_id::text, captured, charged, status FROM credits.holds"
    " WHERE customer_id = %s AND currency = %s"
    " UNION ALL SELECT 'event', identifier, consumed, pending, quantity::text FROM credits.usage"
    " WHERE customer_id = %s AND currency = %s AND status <> 'canceled'"
)


def deed(act: Act) -> Any:
    return DEEDS.get(act.name) or getattr(deeds, act.name, None) or getattr(charges, act.name)


def uses_both(act: Act) -> bool:
    """Whether a call may lock the account in the second currency."""
    return act.name == "meter_event_cancel" or act.name == "report_meter_event" and act.fields["meter"] == "both"


def answered_without_lock(act: Act, row: dict[str, Any]) -> bool:
    """Whether an answer may be as of any moment of the call."""
    return act.name == "meter_event_adjust" and row["replayed"]


def keys(turn: Turn) -> list[Key]:
    """The accounts that a transaction may have changed."""
    changing = [act for act, row in turn.acts if act.name not in CATALOGUE and not answered_without_lock(act, row)]
    found = {(act.customer, act.currency) for act in changing}
    return sorted(found | {(act.customer, OTHER) for act in changing if uses_both(act)})


def same(row: dict[str, Any], name: str, value: Any) -> bool:
    if name == "plain":
        return (row["capture_id"] is None) == value
    return bool(row.get(name) == value)


def fits(refusal: Refusal, refused: Refused) -> bool:
    """Whether a refusal's DETAIL is one of those that the model allows."""
    if refusal.detail.get("ok") is False:
        requested, shortfall = refusal.act.fields["amount"], refusal.detail["shortfall"]
        left = [max(one["amount"] - one["used"], Decimal(0)) if "used" in one else one["available"]
                for one in refused.details]  # fmt: skip
        return any(shortfall == requested - one for one in left)
    return any(all(alike(refusal.detail.get(name), value) for name, value in one.items()) for one in refused.details)


def alike(told: Any, value: Any) -> bool:
    return bool(Decimal(told) == value if isinstance(value, Decimal) else told == value)


def named(type_: str, source: Source) -> Source:
    """What a line belongs to, as far as anybody was told."""
    if type_ in UNNAMED:
        return NOBODY
    # What was paid for an operation later is the operation's; of what a mistake owes nobody was told its id.
    return Source(None, source.event) if type_ == "consumption" else source
