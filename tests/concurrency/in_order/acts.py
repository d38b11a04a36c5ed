"""The calls of the mix in order: the SQL of each, which accounts it locks, and what a session brings home of those that it
made."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

CUSTOMERS = [f"customer_{number:02d}" for number in range(12)]
# Of these what may be spent is limited, by members, in all and on a meter; of the others it never is.
LIMITED = CUSTOMERS[::3]
# Of these what may be owed is limited now and then.
CAUTIOUS = CUSTOMERS[1::4]
# These buy by themselves, and nobody ever pays.
RECHARGED = CUSTOMERS[:2]
MEMBERS = ("kim", "lee", None)
CREDIT, OTHER = "CREDIT", "OTHER"

_IN = "clock_timestamp() + %({})s::float8 * interval '1 s'"
_ENDS = _IN.format("ends")

# By call: its SQL, with the fields of the call.
SQL = {
    "credit_grant": "credit_grant(%(customer)s, %(amount)s, %(currency)s, category => %(category)s, priority => %(priority)s,"
    f" effective_at => {_IN.format('begins')}, expires_at => {_ENDS}, applicable_meters => %(meters)s,"
    " idempotency_key => %(key)s)",
    "credit_grant_void": "credit_grant_void(%(customer)s, %(grant)s, 'a mistake', %(amount)s, %(spent)s, %(key)s)",
    "credit_grant_expire": "credit_grant_expire(%(customer)s, %(grant)s, %(amount)s, %(key)s)",
    "credit_grant_update": "credit_grant_update(%(customer)s, %(grant)s, priority => %(priority)s, expired => %(expired)s,"
    f" expires_at => CASE WHEN %(never)s THEN 'infinity' ELSE {_ENDS} END)",
    "credit_grant_extend": f"credit_grant_extend(%(customer)s, %(grant)s, {_ENDS})",
    "credit_grant_suspend": "credit_grant_suspend(%(customer)s, %(grant)s, 'a doubt')",
    "credit_grant_resume": "credit_grant_resume(%(customer)s, %(grant)s)",
    "wallet_debit": "wallet_debit(%(customer)s, %(amount)s, %(currency)s, %(key)s, member_id => %(member)s)",
    "wallet_try_debit": "wallet_try_debit(%(customer)s, %(amount)s, %(currency)s, %(key)s, member_id => %(member)s)",
    "wallet_adjust": "wallet_adjust(%(customer)s, %(amount)s, %(reason)s, idempotency_key => %(key)s)",
    "operation_reverse": "operation_reverse(%(customer)s, %(operation)s, amount => %(amount)s, idempotency_key => %(key)s)",
    "hold_create": "hold_create(%(customer)s, %(amount)s, expires_in => %(ends)s * interval '1 s', idempotency_key => %(key)s,"
    " event_name => %(meter)s, member_id => %(member)s)",
    "hold_update": "hold_update(%(customer)s, %(hold)s, %(amount)s, expires_in => %(ends)s * interval '1 s')",
    "hold_release": "hold_release(%(customer)s, %(hold)s)",
    "hold_capture": "hold_capture(%(customer)s, %(hold)s, %(amount)s, event_name => %(meter)s, value => %(value)s,"
    " identifier => %(identifier)s, more => %(more)s, final => %(final)s, late => %(late)s, idempotency_key => %(key)s)",
    "report_meter_event": "report_meter_event(%(customer)s, %(meter)s, %(value)s, %(identifier)s, member_id => %(member)s,"
    " occurred_at => %(occurred_at)s)",
    "meter_event_cancel": "meter_event_cancel(%(customer)s, %(identifier)s, 'never happened')",
    "meter_event_adjust": "meter_event_adjust(%(customer)s, %(identifier)s, %(value)s, 'counted again')",
    "account_configure": "account_configure(%(customer)s, overdraft_limit => %(overdraft_limit)s)",
    "usage_limit_set": "usage_limit_set(%(customer)s, %(meter)s, %(amount)s, %(seconds)s || ' seconds', %(action)s)",
    "member_limit_set": "member_limit_set(%(customer)s, %(member)s, %(amount)s, %(seconds)s || ' seconds')",
    "balance_alert_set": "balance_alert_set(%(customer)s, levels => %(levels)s, kind => %(kind)s)",
    "configure_auto_recharge": "configure_auto_recharge(%(customer)s, threshold => %(threshold)s, target => %(target)s,"
    " price_id => (SELECT price_id FROM credits.packages), cooldown => '0', timeout => '1 s', enabled => true,"
    " max_attempts_per_calendar_day => %(attempts)s, max_amount_per_calendar_month => %(money)s,"
    " schedule_every => '1 s')",
    "meter_update": "meter_update(%(meter)s, unit_price => %(unit_price)s, pricing => %(pricing)s, continue_tiers => %(continues)s,"
    f" effective_at => {_IN.format('begins')})",
    "meter_price_override": "meter_price_override(%(customer)s, %(meter)s, unit_price => %(unit_price)s,"
    f" discount_percent => %(percent)s, effective_at => {_IN.format('begins')}, ends_at => {_ENDS})",
    "meter_price_override_end": f"meter_price_override_end(%(customer)s, %(meter)s, ends_at => {_IN.format('begins')})",
    "currency_create": "currency_create('OTHER', decimals => 6, if_not_exists => true)",
    "meter_create": "meter_create('calls', aggregation => 'count', if_not_exists => true)",
    "package_create": "package_create('Pack', 100, 10, 'USD', if_not_exists => true)",
}  # fmt: skip
# These say what things cost, or are there already: they do nothing to an account.
CATALOGUE = ("meter_update", "meter_price_override", "meter_price_override_end", "currency_create", "meter_create",
             "package_create")  # fmt: skip
# What a refusal may be of, whatever the other sessions do. What it is in truth, the model says.
REFUSALS = frozenset(("PC001", "PC007", "PC010", "PC013", "PC021"))


@dataclass(frozen=True)
class Act:
    """One call with its fields."""

    name: str
    customer: str
    fields: dict[str, Any] = field(default_factory=dict, hash=False)

    @property
    def query(self) -> str:
        return f"SELECT * FROM credits.{SQL[self.name]}"

    @property
    def values(self) -> dict[str, Any]:
        return {"customer": self.customer, **self.fields}

    def statement(self) -> tuple[str, dict[str, Any]]:
        return self.query, self.values

    @property
    def key(self) -> str | None:
        """What makes a repeat of it one: an event's own key where it has one."""
        if self.name in ("meter_event_cancel", "meter_event_adjust"):
            return None
        return self.fields.get("identifier") or self.fields.get("key")

    @property
    def currency(self) -> str:
        return str(self.fields.get("currency") or CREDIT)


@dataclass(frozen=True)
class Posted:
    """An account under the lock of a transaction that is about to commit."""

    at: datetime
    last_line: int
    balances: tuple[Decimal, ...]


@dataclass(frozen=True)
class Turn:
    """A transaction that committed. At `at` it had all of its locks, and by `ended` everybody sees what it did."""

    begun: datetime
    now: datetime
    at: datetime
    ended: datetime
    acts: list[tuple[Act, dict[str, Any]]]
    posted: dict[tuple[str, str], Posted]


@dataclass(frozen=True)
class Refusal:
    """A call alone that was refused, at some time between two moments."""

    begun: datetime
    now: datetime
    ended: datetime
    act: Act
    state: str
    detail: dict[str, Any]
