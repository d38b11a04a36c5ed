//! The codes of errors, as `credits.error_codes` lists them. The messages are in error.rs.

/// One code, as the view `error_codes` shows it.
pub struct Code {
    /// The SQLSTATE.
    pub code: &'static str,
    /// Its name.
    pub name: &'static str,
    /// When it is raised.
    pub raised_when: &'static str,
    /// The keys of DETAIL, which is JSON.
    pub detail: &'static str,
}

const fn code(code: &'static str, name: &'static str, raised_when: &'static str, detail: &'static str) -> Code {
    Code { code, name, raised_when, detail }
}

/// Every code that a user can see.
pub const CODES: [Code; 21] = [
    code(
        "PC001",
        "insufficient_credits",
        "not enough credits, or more would be owed than the overdraft limit allows",
        "customer_id, currency, available, requested, shortfall; where a limit refused, overdraft_limit and would_owe",
    ),
    code("PC002", "idempotency_conflict", "the same key with other inputs", "argument, key, difference, first, given"),
    code(
        "PC003",
        "customer_not_found",
        "usage, a debit, a hold or a transfer for a customer that was never created",
        "customer_id",
    ),
    code("PC004", "meter_not_found", "no meter has that event_name", "event_name"),
    code("PC005", "meter_inactive", "the meter takes no events", "event_name"),
    code(
        "PC006",
        "event_time_out_of_range",
        "occurred_at is beyond credits.event_max_future or credits.event_max_age",
        "argument, value, setting, seconds",
    ),
    code(
        "PC007",
        "invalid_amount",
        "zero, negative, NaN, infinity, too many decimals or digits, more than is held",
        "argument, value; where more than is held, held",
    ),
    code("PC008", "currency_not_found", "no such currency, or it is not active", "currency, active"),
    code("PC009", "grant_not_found", "the customer has no grant with that id", "customer_id, grant_id"),
    code(
        "PC010",
        "hold_not_open",
        "the hold is unknown, captured with another amount, released or expired",
        "hold_id, state",
    ),
    code(
        "PC011",
        "recharge_not_configured",
        "the currency, or the customer, has no recharge configuration",
        "customer_id, currency",
    ),
    code(
        "PC012",
        "signature_invalid",
        "a webhook or a token that was changed, signed with another secret, or too long ago",
        "reason",
    ),
    code(
        "PC013",
        "invalid_argument",
        "anything else that is wrong with an argument",
        "argument; of an unknown key, key; of an entry of an import, entry; of its account, state",
    ),
    code(
        "PC014",
        "top_up_not_open",
        "the customer has no such top-up or recharge, or not yet: a provider must try again",
        "subject, id, state",
    ),
    code("PC015", "price_not_found", "no such price, or it is archived", "price_id, archived"),
    code(
        "PC016",
        "promotion_not_applicable",
        "a coupon or a promotion code does not apply: reason says why",
        "reason, code, promotion_code_id, coupon_id; where too little is bought, minimum_amount and currency",
    ),
    code("PC017", "out_of_stock", "fewer units of a price are left", "price_id, available, requested"),
    code(
        "PC018",
        "customer_overdue",
        "a checkout of a customer who has invoices that are overdue",
        "customer_id, invoices, overdue_since",
    ),
    code(
        "PC019",
        "object_not_found",
        "no such product, coupon or code, or the customer has no such object",
        "object, id",
    ),
    code("PC020", "state_conflict", "the state of the object rules it out", "object, id, state"),
    code(
        "PC021",
        "limit_exceeded",
        "a limit that refuses has too little left: see the view limits",
        "kind, customer_id, currency, event_name, member_id, per, amount, used, requested, resets_at",
    ),
];
