//! What a holder has: one coupon, reserved, kept, and in the end paid for or given back.

use crate::amount::Decimal;
use crate::catalog::redemption::counter::{Changed, Changes, Used, change};
use crate::catalog::redemption::{Quote, is_left_to_customer, refused, written};
use crate::error::{Error, Reason};
use crate::moment::Time;
use crate::outbox::billing_event::{self, EventType};
use crate::pg::statement::{Session, Statement, text};
use crate::pg::value::ToCell;
use pgrx::pg_sys::{BOOLOID, JSONBOID, NUMERICOID, TEXTOID, TIMESTAMPTZOID, UUIDOID};
use uuid::Uuid;

/// What has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HolderType {
    /// An invoice: a checkout's, by its id.
    Invoice,
    /// A subscription, by its id.
    Subscription,
    /// A grant that a voucher gave, by its id.
    Voucher,
}

impl HolderType {
    /// The name in SQL.
    pub fn as_str(self) -> &'static str {
        match self {
            HolderType::Invoice => "invoice",
            HolderType::Subscription => "subscription",
            HolderType::Voucher => "voucher",
        }
    }
}

/// A statement that changes redemptions and says so in the log. The last parameter but one is what happened, the last when.
macro_rules! logged {
    ($change:literal, $action:literal, $at:literal) => {
        text!(
            "WITH changed AS (",
            $change,
            " RETURNING r.*
             ), logged AS (
                 INSERT INTO credits_internal.discount_log (customer_id, holder_id, log_no, action, coupon_id,
                                                            promotion_code_id, amount, currency, created_at)
                 SELECT r.customer_id, r.holder_id, r.last_log_no, ",
            $action,
            ", r.coupon_id, r.promotion_code_id, r.amount, r.currency, ",
            $at,
            " FROM changed r
             )
             SELECT r.coupon_id, r.promotion_code_id, r.holder_id FROM changed r"
        )
    };
}

pub(super) use logged;

// Locked, so that it does not run out meanwhile.
static HELD: Statement = Statement::new(
    c"SELECT r.coupon_id, r.promotion_code_id, r.released_at IS NULL, r.confirmed_at IS NOT NULL,
             r.amount = $3 AND r.currency = $4
      FROM credits_internal.redemptions r WHERE r.customer_id = $1 AND r.holder_id = $2 FOR NO KEY UPDATE",
    &[TEXTOID, UUIDOID, NUMERICOID, TEXTOID],
)
.before(c"SELECT NULL::uuid, NULL::uuid, false, false, false WHERE num_nonnulls($1, $2, $3, $4) < 0");

static RESERVE: Statement = Statement::new(
    logged!(
        "INSERT INTO credits_internal.redemptions AS r (
             customer_id, holder_id, holder_type, coupon_id, promotion_code_id, amount, currency, verification_method,
             verification_data, expires_at, reserved_at, last_log_no)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, 1)
         ON CONFLICT (customer_id, holder_id) DO UPDATE
         SET coupon_id = excluded.coupon_id, promotion_code_id = excluded.promotion_code_id, amount = excluded.amount,
             currency = excluded.currency, verification_method = excluded.verification_method,
             verification_data = excluded.verification_data, expires_at = excluded.expires_at,
             reserved_at = excluded.reserved_at, released_at = NULL, last_log_no = r.last_log_no + 1",
        "'applied'",
        "$11"
    ),
    &[
        TEXTOID,
        UUIDOID,
        TEXTOID,
        UUIDOID,
        UUIDOID,
        NUMERICOID,
        TEXTOID,
        TEXTOID,
        JSONBOID,
        TIMESTAMPTZOID,
        TIMESTAMPTZOID,
    ],
);

static EXTEND: Statement = Statement::new(
    c"UPDATE credits_internal.redemptions r SET expires_at = $3 WHERE r.customer_id = $1 AND r.holder_id = $2",
    &[TEXTOID, UUIDOID, TIMESTAMPTZOID],
);

static DROP: Statement = Statement::new(
    logged!(
        "UPDATE credits_internal.redemptions r SET last_log_no = r.last_log_no + 1, released_at = $3
         WHERE r.customer_id = $1 AND r.holder_id = $2 AND r.released_at IS NULL AND r.confirmed_at IS NULL",
        "$4",
        "$3"
    ),
    &[TEXTOID, UUIDOID, TIMESTAMPTZOID, TEXTOID],
)
.before(c"SELECT NULL::uuid, NULL::uuid, NULL::uuid WHERE num_nonnulls($1, $2, $3, $4) < 0");

// What ran out of the customer's own does not come back by a late payment as one more than a customer may have.
static DROP_LATE: Statement = Statement::new(
    logged!(
        "UPDATE credits_internal.redemptions r SET last_log_no = r.last_log_no + 1, released_at = $3
         WHERE r.customer_id = $1 AND r.coupon_id = $2 AND r.released_at IS NULL AND r.expires_at <= $3
           AND r.holder_id <> $4",
        "'released'",
        "$3"
    ),
    &[TEXTOID, UUIDOID, TIMESTAMPTZOID, UUIDOID],
);

/// Takes one of a coupon's quota for a holder, who is locked, on what was quoted; what it has of another is given back. It
/// holds it until it expires; `None` for until it is released. What is confirmed stays as it is. Raises PC016.
pub fn reserve(
    session: &Session,
    customer_id: &str,
    holder_id: Uuid,
    quote: &Quote,
    expires_at: Option<Time>,
    now: Time,
) -> Result<(), Error> {
    reserve_for(session, (customer_id, HolderType::Invoice, holder_id), quote, expires_at, now)
}

/// The same for any kind of holder.
pub fn reserve_for(
    session: &Session,
    (customer_id, holder_type, holder_id): (&str, HolderType, Uuid),
    quote: &Quote,
    expires_at: Option<Time>,
    now: Time,
) -> Result<(), Error> {
    let wanted: Used = (quote.coupon_id, quote.promotion_code_id);
    let mut changes = Changes::default();
    let cells = [customer_id.cell(), holder_id.cell(), quote.amount.cell(), quote.currency.cell()];
    let held: Option<(Used, bool, bool, bool)> = match HELD.run(session, &cells)?.first() {
        None => None,
        Some(mut row) => Some(((row.next()?, row.next()?), row.next()?, row.next()?, row.next()?)),
    };
    let mut before = None;
    match held {
        Some((_, _, true, _)) => return Ok(()),
        Some((has, true, false, is_same)) if has == wanted => {
            if is_same {
                let cells = [customer_id.cell(), holder_id.cell(), expires_at.cell()];
                return EXTEND.run(session, &cells).map(drop);
            }
            before = billing_event::before(session, EventType::DiscountUpdated, holder_id, Some(customer_id))?;
        }
        Some((has, true, false, _)) => {
            drop_held(session, customer_id, holder_id, "removed", now)?;
            changes.add(has, -1);
            changes.add(wanted, 1);
        }
        _ => changes.add(wanted, 1),
    }
    if quote.per_customer.is_some() {
        let cells = [customer_id.cell(), quote.coupon_id.cell(), now.cell(), holder_id.cell()];
        for mut row in DROP_LATE.run(session, &cells)?.iter() {
            changes.add((row.next()?, row.next()?), -1);
            billing_event::record(session, EventType::DiscountDeleted, row.next::<Uuid>()?, Some(customer_id), now)?;
        }
    }
    if change(session, &changes, now)? != Changed::All {
        return Err(quote.refused(Reason::MaxRedemptions));
    }
    let cells = [
        customer_id.cell(),
        holder_id.cell(),
        holder_type.as_str().cell(),
        quote.coupon_id.cell(),
        quote.promotion_code_id.cell(),
        quote.amount.cell(),
        quote.currency.cell(),
        quote.verification.method.cell(),
        quote.verification.data.cell(),
        expires_at.cell(),
        now.cell(),
    ];
    RESERVE.run(session, &cells)?;
    record(session, (customer_id, holder_id), before, now)
}

/// Writes the event of a discount that a holder has: it is new, unless something is known of what it was before.
pub(super) fn record(
    session: &Session,
    (customer_id, holder_id): (&str, Uuid),
    before: Option<String>,
    now: Time,
) -> Result<(), Error> {
    let event_type = if before.is_some() { EventType::DiscountUpdated } else { EventType::DiscountCreated };
    billing_event::updated(session, event_type, holder_id, Some(customer_id), before, now)
}

static KEEP: Statement = Statement::new(
    c"UPDATE credits_internal.redemptions r SET expires_at = NULL
      WHERE r.customer_id = $1 AND r.holder_id = $2 AND r.released_at IS NULL AND r.expires_at IS NOT NULL",
    &[TEXTOID, UUIDOID],
)
.before(c"SELECT 1 WHERE num_nonnulls($1, $2) < 0");

/// What a holder has reserved and still holds does not expire any more: a payment for it is under way.
pub fn keep(session: &Session, customer_id: &str, holder_id: Uuid) -> Result<(), Error> {
    KEEP.run(session, &[customer_id.cell(), holder_id.cell()]).map(drop)
}

static LAPSE: Statement = Statement::new(
    c"UPDATE credits_internal.redemptions r SET expires_at = $3
      WHERE r.customer_id = $1 AND r.holder_id = $2 AND r.released_at IS NULL AND r.confirmed_at IS NULL
        AND coalesce(r.expires_at > $3, true)",
    &[TEXTOID, UUIDOID, TIMESTAMPTZOID],
)
.before(c"SELECT 1 WHERE num_nonnulls($1, $2, $3) < 0");

/// What a holder has reserved runs out now: it goes to whoever needs it, or maintenance releases it. No counter is locked.
pub fn lapse(session: &Session, customer_id: &str, holder_id: Uuid, now: Time) -> Result<(), Error> {
    LAPSE.run(session, &[customer_id.cell(), holder_id.cell(), now.cell()]).map(drop)
}

fn drop_held(
    session: &Session,
    customer_id: &str,
    holder_id: Uuid,
    action: &str,
    now: Time,
) -> Result<Option<Used>, Error> {
    let rows = DROP.run(session, &[customer_id.cell(), holder_id.cell(), now.cell(), action.cell()])?;
    let Some(mut row) = rows.first() else { return Ok(None) };
    billing_event::record(session, EventType::DiscountDeleted, holder_id, Some(customer_id), now)?;
    Ok(Some((row.next()?, row.next()?)))
}

/// Gives back what a holder has reserved, if it holds it and did not pay: its payment failed, expired or was voided.
pub fn release(session: &Session, customer_id: &str, holder_id: Uuid, now: Time) -> Result<(), Error> {
    if let Some(used) = drop_held(session, customer_id, holder_id, "released", now)? {
        let mut changes = Changes::default();
        changes.add(used, -1);
        change(session, &changes, now)?;
    }
    Ok(())
}

static CONFIRM: Statement = Statement::new(
    logged!(
        "UPDATE credits_internal.redemptions r
         SET last_log_no = r.last_log_no + 1, confirmed_at = $3, released_at = NULL, expires_at = NULL, over_quota = $4
         WHERE r.customer_id = $1 AND r.holder_id = $2",
        "CASE WHEN $4 THEN 'over_quota' ELSE 'confirmed' END",
        "$3"
    ),
    &[TEXTOID, UUIDOID, TIMESTAMPTZOID, BOOLOID],
);

static PER_CUSTOMER: Statement = Statement::new(
    c"SELECT CASE WHEN c.credit_config IS NULL THEN c.max_redemptions_per_customer END
      FROM credits_internal.coupons c WHERE c.coupon_id = $1",
    &[UUIDOID],
);

/// What a holder has is paid for. Where it was released meanwhile it is taken again; where nothing is left it is honoured,
/// and over quota.
pub fn confirm(session: &Session, customer_id: &str, holder_id: Uuid, now: Time) -> Result<(), Error> {
    confirm_or(session, (customer_id, holder_id), now, |used| {
        take_again(session, (customer_id, holder_id), used, now).map(|refusal| refusal.is_none())
    })
}

/// The same where [`retake`] was tried, and other counters are locked since: what is not held is over quota.
pub fn honour(session: &Session, customer_id: &str, holder_id: Uuid, now: Time) -> Result<(), Error> {
    confirm_or(session, (customer_id, holder_id), now, |_| Ok(false))
}

fn confirm_or(
    session: &Session,
    (customer_id, holder_id): (&str, Uuid),
    now: Time,
    again: impl FnOnce(Used) -> Result<bool, Error>,
) -> Result<(), Error> {
    let Some((used, is_held, is_confirmed)) = held(session, customer_id, holder_id)? else { return Ok(()) };
    if is_confirmed {
        return Ok(());
    }
    let over_quota = !is_held && !again(used)?;
    let before = match is_held {
        true => billing_event::before(session, EventType::DiscountUpdated, holder_id, Some(customer_id))?,
        false => None,
    };
    CONFIRM.run(session, &[customer_id.cell(), holder_id.cell(), now.cell(), over_quota.cell()])?;
    record(session, (customer_id, holder_id), before, now)
}

static RETAKE: Statement = Statement::new(
    logged!(
        "UPDATE credits_internal.redemptions r
         SET last_log_no = r.last_log_no + 1, reserved_at = $4, released_at = NULL, expires_at = $3
         WHERE r.customer_id = $1 AND r.holder_id = $2",
        "'applied'",
        "$4"
    ),
    &[TEXTOID, UUIDOID, TIMESTAMPTZOID, TIMESTAMPTZOID],
);

/// Has a holder hold again what it ever reserved, whether or not it was released since: a payment came. Returns whether it
/// does: where nothing is left, nothing changes.
pub fn retake(
    session: &Session,
    customer_id: &str,
    holder_id: Uuid,
    expires_at: Option<Time>,
    now: Time,
) -> Result<bool, Error> {
    hold_again(session, (customer_id, holder_id), expires_at, now).map(|refusal| refusal.is_none())
}

/// The same where its payment is to be tried again. Raises PC016.
pub fn reserve_again(
    session: &Session,
    customer_id: &str,
    holder_id: Uuid,
    expires_at: Option<Time>,
    now: Time,
) -> Result<(), Error> {
    match hold_again(session, (customer_id, holder_id), expires_at, now)? {
        None => Ok(()),
        Some((used, reason)) => {
            let code = used.1.map(|id| written(session, id)).transpose()?.flatten();
            Err(refused(used, code, reason))
        }
    }
}

/// Why it does not, of what.
fn hold_again(
    session: &Session,
    (customer_id, holder_id): (&str, Uuid),
    expires_at: Option<Time>,
    now: Time,
) -> Result<Option<(Used, Reason)>, Error> {
    let Some((used, is_held, is_confirmed)) = held(session, customer_id, holder_id)? else { return Ok(None) };
    let (customer, holder) = (customer_id.cell(), holder_id.cell());
    if is_held && !is_confirmed {
        EXTEND.run(session, &[customer, holder, expires_at.cell()])?;
    }
    if is_held || is_confirmed {
        return Ok(None);
    }
    if let Some(reason) = take_again(session, (customer_id, holder_id), used, now)? {
        return Ok(Some((used, reason)));
    }
    RETAKE.run(session, &[customer, holder, expires_at.cell(), now.cell()])?;
    record(session, (customer_id, holder_id), None, now)?;
    Ok(None)
}

/// What a holder ever reserved, whether it holds that, and whether it is paid for. Locked.
pub(super) fn held(session: &Session, customer_id: &str, holder_id: Uuid) -> Result<Option<(Used, bool, bool)>, Error> {
    let cells = [customer_id.cell(), holder_id.cell(), Decimal::ZERO.cell(), "".cell()];
    let rows = HELD.run(session, &cells)?;
    rows.first().map(|mut row| Ok(((row.next()?, row.next()?), row.next()?, row.next()?))).transpose()
}

/// Takes one of the quota. Returns why it does not: then nothing changes.
fn take_again(
    session: &Session,
    (customer_id, holder_id): (&str, Uuid),
    used: Used,
    now: Time,
) -> Result<Option<Reason>, Error> {
    let most: Option<i32> = match PER_CUSTOMER.run(session, &[used.0.cell()])?.first() {
        Some(mut row) => row.next()?,
        None => None,
    };
    if !is_left_to_customer(session, (customer_id, Some(holder_id)), used.0, most, now)? {
        return Ok(Some(Reason::PerCustomer));
    }
    let mut changes = Changes::default();
    changes.add(used, 1);
    match change(session, &changes, now)? {
        Changed::All => Ok(None),
        Changed::CouponUsedUp => Ok(Some(Reason::MaxRedemptions)),
        Changed::CodeUsedUp => {
            let mut changes = Changes::default();
            changes.add((used.0, None), -1);
            change(session, &changes, now)?;
            Ok(Some(Reason::MaxRedemptions))
        }
    }
}
