"""What the model holds: customers, prices, subscriptions with their items and periods, invoices with their lines, and
the credits that are planned and granted."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from fractions import Fraction
from typing import Any

from invoicing import model as invoicing
from periods import Interval, rounded

ZERO = Fraction(0)
ENDED = {"canceled", "incomplete_expired"}


@dataclass(frozen=True)
class Rules:
    """Switches for what may be decided one way or another."""

    # The invoices that take what is pending.
    takes_pending: frozenset[str] = frozenset({"subscription_cycle"})
    # What was pending before waits again when its invoice is voided.
    void_frees_pending: bool = True
    # At resuming, an instalment whose time has begun but not ended is back as well.
    resume_gives_running: bool = False
    # A refund of what is left of the period lowers what is not paid of it, too.
    refund_lowers_unpaid: bool = True
    # What 'keep' left alone goes with the next change that prorates.
    kept_goes_later: bool = True
    # New credits of 'create_prorations' come at once; otherwise when the invoice is paid.
    pending_grants_at_once: bool = True
    # Of those sent to be paid, only what is overdue keeps a subscription past due.
    only_overdue_counts: bool = True
    retries: tuple[int, ...] = (1, 3, 5, 7)
    incomplete_for: timedelta = timedelta(hours=23)


class Refused(Exception):
    """A call that the rules do not allow, with its SQLSTATE."""

    def __init__(self, code: str, why: str) -> None:
        super().__init__(f"{code} {why}")
        self.code = code


@dataclass
class CreditPlan:
    """The credit_config of a price; without a schedule its delivery is 'invoice'."""

    amount: Fraction
    decimals: int = 2
    delivery: str = "invoice"
    every: Interval | None = None
    amount_per_grant: Fraction | None = None
    first_grant: str = "after_trial"
    expire_with_next: bool = False
    most: int | None = None
    valid_for: Interval | None = None


@dataclass
class Price:
    """A recurring price, in the one currency of the model."""

    name: str
    interval: Interval
    unit_amount: Fraction
    pricing: dict[str, Any] | None = None
    inclusive: bool = False
    product: str = ""
    plan: CreditPlan | None = None

    def amount(self, quantity: Fraction, decimals: int) -> Fraction:
        whole = invoicing.price(self.pricing, quantity) if self.pricing else self.unit_amount * quantity
        return rounded(whole, decimals)


@dataclass
class Coupon:
    """What is taken off."""

    percent: Fraction | None
    amount_off: Fraction | None
    duration: str
    months: int = 0
    products: set[str] | None = None


@dataclass
class Customer:
    """Who pays, whether a worker can charge them, and at what rate of tax."""

    name: str
    method: bool
    rate: Fraction


@dataclass
class Item:
    """What is subscribed to. The revision counts how often its credits of a period were replaced."""

    name: str
    price: Price
    quantity: Fraction
    revision: int = 0


@dataclass
class Row:
    """One grant of a line, planned for [start, end). It is planned, granted, suspended by a pause (halted where it is not
    granted yet), withheld since the end of the subscription is known and comes first, disputed before it began, or ended."""

    item: str
    period_start: datetime
    no: int
    revision: int
    start: datetime
    end: datetime
    credits: Fraction
    plan: CreditPlan
    status: str = "planned"
    starts_at: datetime | None = None
    expires_at: datetime | None = None
    taken: Fraction = ZERO
    spent: Fraction = ZERO
    # The oldest is spent first.
    order: int = 0
    # It began as it was granted.
    begun: bool = False
    # A change took the rest of its time already.
    cut: bool = False
    # What a dispute took of one that had begun; and whether its money is disputed while it is suspended or withheld.
    disputed: Fraction = ZERO
    is_disputed: bool = False

    @property
    def left(self) -> Fraction:
        return self.credits - self.taken - self.spent

    def usable(self, now: datetime) -> bool:
        if self.status != "granted" or self.left <= 0 or self.starts_at is None or self.starts_at > now:
            return False
        return self.expires_at is None or self.expires_at > now


@dataclass(eq=False)
class Line:
    """Of an invoice, or pending. Its kind is period, unused, remaining, left_over or trial (of no invoice)."""

    kind: str
    subscription: str | None
    item: str | None
    amount: Fraction
    rate: Fraction
    inclusive: bool
    start: datetime | None
    end: datetime | None
    product: str = ""
    rows: list[Row] = field(default_factory=list)
    invoice: Invoice | None = None
    # Its time from some moment on was given back, so it covers nothing any more.
    credited: bool = False
    discount: Fraction = ZERO
    tax: Fraction = ZERO
    refunded: Fraction = ZERO

    @property
    def paid(self) -> Fraction:
        return self.amount - self.discount

    @property
    def gross(self) -> Fraction:
        """Tax included."""
        return self.paid if self.inclusive else self.paid + self.tax


@dataclass(eq=False)
class Invoice:
    """Given out as it is made; it is open, paid, void or uncollectible."""

    name: str
    subscription: str
    reason: str
    at: datetime
    # When it was really made: later than `at`, where what was due was done late.
    made: datetime
    start: datetime
    end: datetime
    lines: list[Line]
    status: str = "open"
    # What was pending before it was made.
    taken: list[Line] = field(default_factory=list)
    # The coupon of its subscription was taken off it.
    discounted: bool = False
    subtotal: Fraction = ZERO
    discount: Fraction = ZERO
    tax: Fraction = ZERO
    total: Fraction = ZERO
    amount_paid: Fraction = ZERO
    refunded: Fraction = ZERO
    due_date: datetime | None = None
    paid_at: datetime | None = None
    # A payment failed, or nothing could be charged as it was made.
    failed: bool = False
    # What became of a dispute of all that was paid: open, won (by who sells) or lost.
    dispute: str | None = None

    @property
    def kept(self) -> Fraction:
        """What is there of the money."""
        return ZERO if self.dispute in ("open", "lost") else self.amount_paid - self.refunded

    @property
    def unpaid(self) -> bool:
        return self.status in ("open", "uncollectible")


@dataclass
class Period:
    """[start, end), cut from [grid_start, end); a free one is a stub that is not charged."""

    kind: str
    start: datetime
    end: datetime
    grid_start: datetime
    free: bool = False


@dataclass(eq=False)
class Subscription:
    name: str
    customer: str
    interval: Interval
    items: list[Item]
    created: datetime
    anchor: datetime
    trial_end: datetime | None = None
    trial_end_behavior: str = "charge"
    collection: str = "charge_automatically"
    days_until_due: int = 30
    days_until_cancel: int = 30
    charges_stub: bool = True
    coupon: Coupon | None = None
    state: str = "active"
    periods: list[Period] = field(default_factory=list)
    # The current period ends at this boundary from the anchor.
    boundary: int = 0
    invoices: list[Invoice] = field(default_factory=list)
    lines: list[Line] = field(default_factory=list)
    cancel_at: datetime | None = None
    cancel_at_period_end: bool = False
    canceled_at: datetime | None = None
    ended_at: datetime | None = None
    past_due_at: datetime | None = None
    retried: int = 0
    paused_at: datetime | None = None
    resumes_at: datetime | None = None
    # Whether an invoice of it was ever paid with money.
    paid_money: bool = False

    @property
    def period(self) -> Period:
        return self.periods[-1]

    def rows(self) -> list[Row]:
        return [row for line in self.lines for row in line.rows]

    def unpaid(self) -> list[Invoice]:
        return [invoice for invoice in self.invoices if invoice.unpaid]


@dataclass
class Refund:
    """Money that a worker is asked to pay back: of a line, or of what came for nothing."""

    at: datetime
    invoice: str
    amount: Fraction
    why: str


class Books:
    """Everything, of one currency of money. `now` never goes back."""

    def __init__(self, decimals: int = 2, rules: Rules | None = None, late: bool = False) -> None:
        self.decimals = decimals
        # What is due is done at the next call, not as it falls due.
        self.late = late
        self.rules = rules or Rules()
        self.now: datetime | None = None
        self.customers: dict[str, Customer] = {}
        self.prices: dict[str, Price] = {}
        self.coupons: dict[str, Coupon] = {}
        self.subscriptions: dict[str, Subscription] = {}
        self.invoices: dict[str, Invoice] = {}
        self.pending: dict[str, list[Line]] = {}
        self.refunds: list[Refund] = []
        # Requests to charge: when, and which invoice.
        self.requests: list[tuple[datetime, str]] = []
        # What happened: when it was due, of which subscription, and what.
        self.log: list[tuple[datetime, str, str]] = []

    def note(self, at: datetime, subscription: Subscription, what: str) -> None:
        self.log.append((at, subscription.name, what))
