"""The calls of the mix that is killed: the SQL of each, what its answer says was done, the trace that it leaves in the
database, and what it does to a wallet. Nothing expires here, so a wallet is the sum of its calls in whatever order.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import psycopg

WALLETS = [f"wallet_{number}" for number in range(8)]
# These buy, and hold nothing: what is paid back of held credits would go only once their hold ends.
SHOPPERS = WALLETS[:3]
# What a purchase brings; it costs a tenth of that.
PACK = Decimal(100)
METER, UNIT_PRICE = "tokens", Decimal("0.05")
# One of the shoppers is a team, whose members' spending is counted, in a limit that nobody comes near.
TEAM, MEMBER, MOST = WALLETS[1], "kim", Decimal(1_000_000)

# By function, with the fields of the call.
SQL = {
    "report_meter_event": "report_meter_event(%(customer)s, %(other)s, %(amount)s, %(key)s, member_id => 'kim')",
    "meter_event_adjust": "meter_event_adjust(%(customer)s, %(other)s, %(amount)s)",
    "meter_event_cancel": "meter_event_cancel(%(customer)s, %(other)s)",
    "wallet_debit": "wallet_debit(%(customer)s, %(amount)s, idempotency_key => %(key)s, member_id => 'kim')",
    "wallet_try_debit": "wallet_try_debit(%(customer)s, %(amount)s, idempotency_key => %(key)s)",
    "wallet_credit": "wallet_credit(%(customer)s, %(amount)s, idempotency_key => %(key)s)",
    "credit_grant": "credit_grant(%(customer)s, %(amount)s, idempotency_key => %(key)s, priority => %(other)s,"
    " category => 'paid', cost_amount => %(other)s, cost_currency => 'USD', expires_at => '2100-01-01 00:00+00')",
    "credit_grant_void": "credit_grant_void(%(customer)s, %(other)s, amount => %(amount)s, idempotency_key => %(key)s)",
    "credit_grant_expire": "credit_grant_expire(%(customer)s, %(other)s, %(amount)s, %(key)s)",
    "grant_mistaken": "credit_grant_void(%(customer)s, %(other)s, amount => %(amount)s, spent => 'pending',"
    " idempotency_key => %(key)s)",
    "credit_grant_extend": "credit_grant_extend(%(customer)s, %(other)s, '2200-01-01 00:00+00')",
    "wallet_adjust": "wallet_adjust(%(customer)s, %(amount)s, 'correction', idempotency_key => %(key)s)",
    "operation_reverse": "operation_reverse(%(customer)s, %(other)s, amount => %(amount)s, idempotency_key => %(key)s)",
    "wallet_transfer": "wallet_transfer(%(customer)s, %(other)s, %(amount)s, idempotency_key => %(key)s)",
    "hold_create": "hold_create(%(customer)s, %(amount)s, expires_in => '1 day', idempotency_key => %(key)s)",
    "hold_for_usage": "hold_create(%(customer)s, %(amount)s, expires_in => '1 day', idempotency_key => %(key)s,"
    " event_name => 'tokens')",
    "hold_update": "hold_update(%(customer)s, %(other)s, %(amount)s)",
    "hold_capture": "hold_capture(%(customer)s, %(other)s, %(amount)s)",
    "hold_more": "hold_capture(%(customer)s, %(other)s, %(amount)s, more => 'pending', idempotency_key => %(key)s)",
    "hold_part": "hold_capture(%(customer)s, %(other)s, %(amount)s, final => false, idempotency_key => %(key)s)",
    "hold_usage": "hold_capture(%(customer)s, %(other)s, event_name => 'tokens', value => %(amount)s,"
    " identifier => %(key)s, final => false)",
    "hold_release": "hold_release(%(customer)s, %(other)s)",
    "top_up_create": "top_up_create(%(customer)s, (SELECT price_id FROM credits.packages), idempotency_key => %(key)s)",
    "payment_succeeded": "payment_succeeded(%(customer)s, %(other)s, 'shop', %(key)s)",
    "payment_refunded": "payment_refunded(%(customer)s, %(other)s, 'shop', %(key)s, %(amount)s * 0.1)",
    # A plan for nothing, which grants as it begins.
    "subscription_create": "subscription_create(%(customer)s, jsonb_build_array(jsonb_build_object('lookup_key', 'free',"
    " 'quantity', %(amount)s::numeric)), idempotency_key => %(key)s)",
    "subscription_pause": "subscription_pause(%(customer)s, %(other)s)",
    "subscription_cancel": "subscription_cancel(%(customer)s, %(other)s, 'now')",
}
EVENTS = ("report_meter_event", "hold_usage")
# Told by a reference, and recorded under it.
PAYMENTS = ("payment_succeeded", "payment_refunded")
BATCH = "SELECT * FROM credits.report_meter_events(%s, %s, %s::numeric[], %s, member_ids => %s)"
# Where a repeat finds the id and the amount of the first call.
ANSWERS = {
    "report_meter_event": ("identifier", ""),
    "wallet_debit": ("operation_id", "debited"),
    "wallet_try_debit": ("operation_id", "debited"),
    "wallet_credit": ("grant_id", "credited"),
    "credit_grant": ("grant_id", "amount"),
    "meter_event_adjust": ("identifier", "value"),
    "wallet_adjust": ("operation_id", "adjusted"),
    "operation_reverse": ("operation_id", "returned"),
    "wallet_transfer": ("operation_id", "transferred"),
    "hold_create": ("hold_id", "amount"),
    "hold_for_usage": ("hold_id", "amount"),
    "hold_update": ("hold_id", "amount"),
    "hold_capture": ("hold_id", "capture_amount"),
    "hold_more": ("capture_id", "capture_amount"),
    "hold_part": ("capture_id", "capture_amount"),
    "hold_usage": ("capture_id", "capture_amount"),
    "hold_release": ("hold_id", "released"),
    "top_up_create": ("top_up_id", "credits"),
    "payment_succeeded": ("grant_id", "credits"),
}
# These answer with what they are of, which tells nothing of how much: that is seen in the balance.
UNTOLD = {
    "credit_grant_void": "grant_id", "credit_grant_expire": "grant_id", "grant_mistaken": "grant_id",
    "credit_grant_extend": "grant_id", "meter_event_cancel": "identifier", "payment_refunded": "top_up_id",
    "subscription_cancel": "subscription_id", "subscription_pause": "subscription_id",
}  # fmt: skip
# Without a key, known by what they leave.
TRACES = {
    "hold_update": "hold changed", "credit_grant_extend": "extended", "meter_event_adjust": "adjusted",
    "meter_event_cancel": "canceled", "subscription_cancel": "plan canceled", "subscription_pause": "plan paused",
}  # fmt: skip

Trace = tuple[str, ...]
Answer = tuple[str, Decimal]


@dataclass(frozen=True)
class Call:
    """One call with its inputs. `other` is its meter, priority, recipient, debit, hold, grant, event or purchase; `held` what
    it holds, or the value of its event."""

    function: str
    customer: str
    amount: Decimal
    key: str | None = None
    other: Any = None
    held: Decimal = Decimal(0)

    @property
    def sql(self) -> str:
        return f"SELECT * FROM credits.{SQL[self.function]}"

    @property
    def trace(self) -> Trace:
        """What there is in the database once it is done."""
        if self.function in EVENTS:
            return "event", self.customer, str(self.key)
        if self.function in PAYMENTS:
            return "payment", self.customer, str(self.key)
        if self.function in TRACES:
            return TRACES[self.function], self.customer, str(self.other)
        return ("end of hold", self.customer, self.other) if self.key is None else ("key", self.customer, self.key)

    @property
    def charge(self) -> Decimal:
        return self.amount * UNIT_PRICE if self.function in EVENTS else self.amount

    def answer(self, row: dict[str, Any]) -> Answer:
        """The id and the amount that an answer tells, of which a repeat has to tell the same."""
        if self.function == "report_meter_event":
            return row["identifier"], row["consumed"] + row["pending"]
        if self.function == "subscription_create":
            return str(row["subscription_id"]), Decimal(row["items"][0]["quantity"])
        if self.function in UNTOLD:
            return str(row[UNTOLD[self.function]]), self.amount
        name, amount = ANSWERS[self.function]
        return str(row[name]), row[amount]


@dataclass(frozen=True)
class Unit:
    """What is there as a whole or not at all: one call, the calls of a transaction, or the events of a batch."""

    kind: str
    calls: tuple[Call, ...]


@dataclass
class Wallet:
    """A wallet: what is available less what is owed, and what is held."""

    net: Decimal = Decimal(0)
    held: Decimal = Decimal(0)

    def balance(self) -> tuple[Decimal, ...]:
        """available, restricted, held, pending: credits pay what is owed at once, so there are never both."""
        return max(self.net, Decimal(0)), Decimal(0), self.held, max(-self.net, Decimal(0))


def wallets(calls: Iterable[Call]) -> dict[str, Wallet]:
    """The wallets that calls come to."""
    books: dict[str, Wallet] = defaultdict(Wallet)
    for call in calls:
        own = books[call.customer]
        match call.function:
            case "credit_grant" | "wallet_credit" | "wallet_adjust" | "operation_reverse":
                own.net += call.amount
            case "payment_succeeded" | "subscription_create":
                own.net += call.amount
            case "report_meter_event" | "wallet_debit" | "wallet_try_debit" | "payment_refunded":
                own.net -= call.charge
            case "credit_grant_void" | "credit_grant_expire" | "grant_mistaken":
                own.net -= call.amount
            case "meter_event_adjust" | "meter_event_cancel":
                own.net += (call.held - call.amount) * UNIT_PRICE
            case "wallet_transfer":
                own.net -= call.amount
                books[call.other].net += call.amount
            case "hold_update":
                own.net += call.held - call.amount
                own.held += call.amount - call.held
            case "hold_create" | "hold_for_usage":
                own.net -= call.amount
                own.held += call.amount
            case "hold_capture" | "hold_more":
                own.net += call.held - call.amount
                own.held -= call.held
            case "hold_release":
                own.net += call.held
                own.held -= call.held
            case "hold_part" | "hold_usage":
                own.held -= call.charge
    return books


def spent(calls: Iterable[Call], customer: str, member: str | None) -> Decimal:
    """What calls come to in a limit: of a member, or with None of everybody."""
    total = Decimal(0)
    by_members = ("report_meter_event", "meter_event_adjust", "meter_event_cancel", "wallet_debit")
    for call in [one for one in calls if one.customer == customer]:
        match call.function:
            case "report_meter_event" | "wallet_debit" | "wallet_try_debit":
                change = call.charge
            case "meter_event_adjust" | "meter_event_cancel":
                change = (call.amount - call.held) * UNIT_PRICE
            case "operation_reverse":
                change = -call.amount
            case _:
                continue
        # A reversal is the member's whose debit it was; `held` says so.
        if member is None or call.function in by_members or call.held > 0:
            total += change
    return total


def traces(connection: psycopg.Connection[Any]) -> set[Trace]:
    """The traces of all that is done."""
    found = connection.execute(
        "SELECT 'key', customer_id, idempotency_key FROM credits_internal.operations WHERE idempotency_key IS NOT NULL"
        " UNION ALL SELECT 'event', customer_id, identifier FROM credits_internal.meter_events"
        " UNION ALL SELECT 'payment', customer_id, provider_reference FROM credits_internal.payments"
        " UNION ALL SELECT 'hold changed', customer_id, hold_id::text FROM credits_internal.holds WHERE updated_at IS NOT NULL"
        " UNION ALL SELECT 'extended', customer_id, grant_id::text FROM credits_internal.credit_grants"
        " WHERE expires_at = '2200-01-01 00:00+00' AND transferred_from IS NULL"
        " UNION ALL SELECT 'adjusted', customer_id, identifier FROM credits_internal.event_adjustments"
        " UNION ALL SELECT 'canceled', customer_id, identifier FROM credits_internal.canceled_events"
        " UNION ALL SELECT 'plan ' || status, customer_id, subscription_id::text FROM credits_internal.subscriptions"
        " WHERE status IN ('canceled', 'paused')"
        " UNION ALL SELECT 'end of hold', customer_id, hold_id::text FROM credits_internal.holds WHERE status <> 'open'"
    )
    return set(found.fetchall())
