"""The calls of the random mix: the SQL of each, what a repeat of one needs, what its answer says was done, and which
answers and refusals can be right.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

WALLETS = [f"wallet_{number:02d}" for number in range(50)]
# Of these what they may owe is limited now and then. Of the others it never is, so that none of their usage is refused.
LIMITED = WALLETS[::5]
# Of these what may be spent is limited: by one of their members, and by all, in windows that roll, in seconds.
BUDGETED = WALLETS[3::10]
MEMBERS = ("kim", "lee", None)
BUDGETS: tuple[tuple[str | None, Decimal, int], ...] = (("kim", Decimal(8), 4), (None, Decimal(20), 5))

# event_name: (unit price, aggregation, overage)
METERS = {
    "calls": (Decimal(1), "count", "pending"),
    "tokens": (Decimal("0.0020005"), "sum", "pending"),
    "gated": (Decimal("0.5"), "sum", "reject"),
}

BATCH = "SELECT * FROM credits.report_meter_events(%s, %s, %s::numeric[], %s, member_ids => %s)"
SECONDS_FROM_NOW = "now() + %s * interval '1 s'"

# By function: its SQL, whose values are the call's customer, its target where it has one, its amount where it has one,
# its key where it takes one, and its terms.
SQL = {
    "report_meter_event": "report_meter_event(%s, %s, %s, %s, member_id => %s)",
    "wallet_debit": "wallet_debit(%s, %s, idempotency_key => %s, member_id => %s)",
    "wallet_try_debit": "wallet_try_debit(%s, %s, idempotency_key => %s, member_id => %s)",
    "wallet_credit": "wallet_credit(%s, %s, idempotency_key => %s)",
    "credit_grant": "credit_grant(%s, %s, idempotency_key => %s, category => %s, priority => %s,"
    f" effective_at => {SECONDS_FROM_NOW}, expires_at => {SECONDS_FROM_NOW}, applicable_meters => %s,"
    " cost_basis => %s, cost_amount => %s, cost_currency => %s)",
    "hold_create": "hold_create(%s, %s, idempotency_key => %s, member_id => %s, expires_in => %s * interval '1 s')",
    "hold_capture": "hold_capture(%s, %s, %s)",
    "hold_release": "hold_release(%s, %s)",
    "wallet_transfer": "wallet_transfer(%s, %s, %s, idempotency_key => %s)",
    "wallet_adjust": "wallet_adjust(%s, %s, idempotency_key => %s, reason => %s,"
    f" expires_at => {SECONDS_FROM_NOW})",
    "operation_reverse": "operation_reverse(%s, %s, amount => %s, idempotency_key => %s)",
    "credit_grant_void": "credit_grant_void(%s, %s, 'by the mix')",
    "credit_grant_expire": "credit_grant_expire(%s, %s)",
    "credit_grant_update": "credit_grant_update(%s, %s, priority => %s,"
    f" expires_at => CASE WHEN %s THEN 'infinity' ELSE {SECONDS_FROM_NOW} END)",
    "account_configure": "account_configure(%s, overdraft_limit => %s, low_balance_threshold => %s)",
}
FUNCTIONS = (*SQL, "report_meter_events", "wallet_balance", "maintain")

# Without an amount: what it does to credits follows from what there is.
WITHOUT_AMOUNT = frozenset(
    ("hold_release", "credit_grant_void", "credit_grant_expire", "credit_grant_update", "account_configure")
)
# These name the member who spends, and keep to limits.
BY_MEMBERS = frozenset(("report_meter_event", "wallet_debit", "wallet_try_debit", "hold_create"))
WITHOUT_KEY = WITHOUT_AMOUNT | {"hold_capture"}
# These change what later lines are judged by and may write no line of their own: they are asked for their place.
PLACED = WITHOUT_AMOUNT - {"hold_release"}


def cost(event_name: str, value: Decimal) -> Decimal:
    """What an event costs: half away from zero to six decimals."""
    unit_price, aggregation, _ = METERS[event_name]
    exact = unit_price if aggregation == "count" else unit_price * value
    return exact.quantize(Decimal("0.000001"), ROUND_HALF_UP)


@dataclass(frozen=True)
class Call:
    """One call with its inputs: all that a repeat needs. The target is its meter, hold, grant or recipient."""

    function: str
    customer: str
    amount: Decimal = Decimal(0)
    key: str | None = None
    target: str | None = None
    terms: tuple[Any, ...] = ()

    def sql(self) -> tuple[str, list[Any]]:
        values: list[Any] = [self.customer]
        if self.target is not None:
            values.append(self.target)
        if self.function not in WITHOUT_AMOUNT:
            values.append(self.amount)
        if self.function not in WITHOUT_KEY:
            values.append(self.key)
        if self.function in BY_MEMBERS:
            values.append(self.member)
        return f"SELECT * FROM credits.{SQL[self.function]}", [*values, *self.terms]

    @property
    def member(self) -> str | None:
        """Who spends: it follows from the amount alone."""
        return MEMBERS[int(self.amount.scaleb(6)) % len(MEMBERS)]

    @property
    def refusals(self) -> frozenset[str]:
        """What the database may answer instead, whatever the other sessions do."""
        limited = (*BY_MEMBERS, "hold_create")
        limits = frozenset(("PC021",)) if self.function in limited and self.customer in BUDGETED else frozenset()
        return limits | self._refusals

    @property
    def _refusals(self) -> frozenset[str]:
        match self.function:
            case "wallet_debit" | "hold_create" | "wallet_transfer":
                return frozenset(("PC001",))
            case "wallet_adjust" if self.amount < 0:
                return frozenset(("PC001",))
            case "report_meter_event" if METERS[self.target or ""][2] == "reject" or self.customer in LIMITED:
                return frozenset(("PC001",))
            case "hold_capture" | "hold_release":
                return frozenset(("PC010",))
            case "operation_reverse":
                return frozenset(("PC007",))
            case "credit_grant_update":
                return frozenset(("PC013",))
        return frozenset()


@dataclass(frozen=True)
class Done:
    """One call that was acknowledged: what it did, or what it repeated, and what it said is available then."""

    call: Call
    id: str
    amount: Decimal
    replayed: bool
    available: Decimal | None = None
    # What an answer says of terms: of a grant its priority and expiry, of an account its overdraft limit.
    terms: tuple[Any, ...] = ()
    # The account's last line under its lock as the call returned, and when that was; asked for in transactions only.
    last_line: int | None = None
    at: datetime | None = None


def answered(call: Call, row: dict[str, Any]) -> Done:
    """What an answer says was done."""
    replayed, available = row.get("replayed", False), row.get("available")
    match call.function:
        case "report_meter_event":
            return Done(call, row["identifier"], row["consumed"] + row["pending"], replayed, available)
        case "wallet_debit" | "wallet_try_debit":
            return Done(call, str(row["operation_id"]), row["debited"], replayed, available)
        case "wallet_credit":
            return Done(call, str(row["grant_id"]), row["credited"], replayed, available)
        case "hold_create" | "hold_release":
            return Done(call, str(row["hold_id"]), row["amount"], replayed, available)
        case "hold_capture":
            return Done(call, str(row["hold_id"]), row["captured"], replayed, available)
        case "wallet_transfer":
            return Done(call, str(row["operation_id"]), row["transferred"], replayed, available)
        case "operation_reverse":
            return Done(call, str(row["operation_id"]), row["returned"], replayed, available)
        case "wallet_adjust":
            return Done(call, str(row["operation_id"]), row["adjusted"], replayed, available, (row["grant_id"],))
        case "account_configure":
            return Done(call, call.customer, Decimal(0), replayed, None, (row["overdraft_limit"],))
    return Done(call, str(row["grant_id"]), row["amount"], replayed, None, (row["priority"], row["expires_at"]))


def plausible(call: Call, row: dict[str, Any]) -> bool:
    """Whether an answer can be right, as far as it alone can tell."""
    first = not row.get("replayed", False)
    if row.get("available", 0) < 0:
        return False
    match call.function:
        case "report_meter_event":
            assert call.target is not None
            charged = row["consumed"] + row["pending"]
            return charged == cost(call.target, call.amount) and (row["status"] == "pending") == (row["pending"] > 0)
        case "wallet_debit" | "wallet_try_debit":
            return row["debited"] == call.amount
        case "wallet_credit":
            return row["credited"] == call.amount
        case "credit_grant":
            return 0 <= row["remaining"] <= row["amount"] == call.amount
        case "hold_create":
            return row["amount"] == call.amount and (not first or (row["status"], row["released"]) == ("open", 0))
        case "hold_capture":
            return row["status"] == "captured" and row["captured"] == call.amount == row["amount"] - row["released"]
        case "hold_release":
            ends = ("released",) if first else ("released", "expired")
            return row["released"] == row["amount"] and row["status"] in ends
        case "wallet_transfer":
            return (row["transferred"], row["to_customer_id"]) == (call.amount, call.target)
        case "operation_reverse":
            back = call.amount == row["returned"] <= row["total_returned"] <= row["taken"]
            return back and str(row["reversed_operation_id"]) == call.target
        case "wallet_adjust":
            return row["adjusted"] == call.amount and (row["grant_id"] is None) == (call.amount < 0)
        case "credit_grant_void" | "credit_grant_expire":
            ended = "voided" if call.function == "credit_grant_void" else "expired"
            return row["remaining"] == 0 and row["status"] in ((ended,) if first else ("voided", "expired"))
        case "credit_grant_update":
            priority, never, _ = call.terms
            return (priority is None or row["priority"] == priority) and (not never or row["expires_at"] is None)
    limit, _ = call.terms
    return limit is None or row["overdraft_limit"] == (None if limit.is_infinite() else limit)


def refusal_fits(call: Call, state: str, detail: dict[str, Any]) -> bool:
    """Whether what an error says in its DETAIL fits a call that may be refused with it."""
    match state:
        case "PC001":
            short = Decimal(detail["requested"]) - Decimal(detail["available"])
            return Decimal(detail["shortfall"]) == short > 0 and detail["customer_id"] == call.customer
        case "PC021":
            spent = Decimal(detail["used"]) + Decimal(detail["requested"])
            return spent > Decimal(detail["amount"]) and detail["member_id"] in (call.member, None)
        case "PC010":
            return detail["state"] in ("captured", "released", "expired") and detail["hold_id"] == call.target
        case "PC007":
            return detail["argument"] == "amount"
    return detail["argument"] in ("priority", "expires_at")


def shared_call(number: int) -> Call:
    """The call of that number, the same in every session: its inputs follow from the number alone."""
    random_ = random.Random(f"shared/{number}")
    wallet, key = WALLETS[number * 7 % len(WALLETS)], f"shared {number}"
    kind = number % 11
    if kind < 4:
        event_name = random_.choice(("calls", "tokens"))
        return Call("report_meter_event", wallet, Decimal(random_.randint(1, 2_000)), key, event_name)
    # Seconds until the hold runs out; reason and seconds until the expiry of the adjustments.
    amount = Decimal(random_.randint(1, 9_000_000)).scaleb(-6)
    match kind:
        case 4:
            return Call("hold_create", wallet, amount, key, terms=(5,))
        case 5:
            return Call("wallet_transfer", wallet, amount, key, WALLETS[(number * 7 + 3) % len(WALLETS)])
        case 6:
            return Call("wallet_adjust", wallet, amount, key, terms=("gift", None))
        case 7:
            return Call("wallet_adjust", wallet, -amount, key, terms=("refund", None))
    return Call(("wallet_debit", "wallet_try_debit", "wallet_credit")[kind - 8], wallet, amount, key)
