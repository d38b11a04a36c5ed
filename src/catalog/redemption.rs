//! Redemptions: who uses which coupon. A holder is what is to be paid for, by its id: of a checkout its invoice, or a
//! subscription; of a voucher its grant. It has one discount at most. [`quote`] judges whether a coupon applies, and what it
//! takes off; [`reserve`] takes one of the quota for a holder, [`keep`] does so for good while a payment is under way, and
//! [`confirm`] or [`release`] say what came of it. Each writes discount_log.
//!
//! `taken` of a coupon, and of a code, is the number of its redemptions that are held and not over quota, always: a payment
//! touches neither. What ran out is released by whoever needs it, or by maintenance.
//!
//! All of it happens under the lock of the customer, or of the holder. The redemption's row is locked before the counters,
//! and the coupon's counter before its codes': see ledger/engine/posting.rs. Whoever releases what ran out passes over
//! redemptions that are locked, so nobody waits for them with a counter in hand.

pub(super) mod counter;
mod duration;
mod holding;
pub mod list;
mod promise;
mod voucher;

use crate::amount::Decimal;
use crate::catalog::coupon::SHARE;
use crate::catalog::coupon::terms::Coupon;
use crate::catalog::discount::{self, CartLine, CodeTerms, Discount, Facts, Refusal, Use};
use crate::catalog::promotion_code::terms::{Restrictions, key_of};
use crate::error::{Error, NotApplicable, Reason};
use crate::input;
use crate::ledger::currency;
use crate::ledger::customer::deletion::{Configured, is_any};
use crate::ledger::customer::erasure::{Cleared, count};
use crate::ledger::listener::Listener;
use crate::moment::Time;
use crate::pg::statement::{Session, Statement};
use crate::pg::value::{Json, ToCell};
use pgrx::pg_sys::{TEXTOID, TIMESTAMPTZOID, UUIDOID};
use uuid::Uuid;

use counter::Used;
pub use counter::release_late;
pub use duration::{before, end, go_on, updated};
pub use holding::{HolderType, confirm, honour, keep, lapse, release, reserve, reserve_again, reserve_for, retake};
pub use promise::{promise, promised};

/// A purchase, before anything is taken off.
#[derive(Debug, Clone, Copy)]
pub struct Cart<'a> {
    /// Whose, locked.
    pub customer_id: &'a str,
    /// What has it reserved already counts for itself; `None` before there is a holder.
    pub holder_id: Option<Uuid>,
    /// The currency of its amounts.
    pub currency: &'a str,
    /// What is bought.
    pub lines: &'a [CartLine],
}

/// The discount that is chosen.
#[derive(Debug, Clone, Copy)]
pub enum Chosen<'a> {
    /// By what people type in.
    Code(&'a str),
    /// By the id of a code.
    PromotionCode(Uuid),
    /// A coupon without a code.
    Coupon(Uuid),
}

/// What the application vouches with.
#[derive(Debug, Clone, Default)]
pub struct Verification {
    /// How it knows, in its words.
    pub method: Option<String>,
    /// What it knows; required for codes that are attested.
    pub data: Option<Json>,
}

impl Verification {
    /// From a caller: what it knows is an object, or nothing. Raises PC013.
    pub fn read(method: Option<&str>, data: Option<Json>) -> Result<Self, Error> {
        let method = input::text("verification_method", method)?.map(String::from);
        let data = match data.as_ref().map(Json::text).as_deref() {
            None | Some("null") => None,
            Some(text) if text.starts_with('{') => data,
            Some(_) => return Err(Error::argument("verification_data", "must be a JSON object")),
        };
        Ok(Verification { method, data })
    }
}

/// A coupon that applies, and what it takes off.
#[derive(Debug, Clone)]
pub struct Quote {
    /// The coupon.
    pub coupon_id: Uuid,
    /// The code; `None` where there was none.
    pub promotion_code_id: Option<Uuid>,
    /// As it was made.
    pub code: Option<String>,
    /// The currency of the amounts.
    pub currency: String,
    /// What it takes off in all.
    pub amount: Decimal,
    /// Off each line, in their order.
    pub per_line: Vec<Decimal>,
    /// What the application vouches with: kept with it.
    pub verification: Verification,
    /// How often one customer may use it.
    pub per_customer: Option<i32>,
}

impl Quote {
    /// PC016 for it.
    fn refused(&self, reason: Reason) -> Error {
        refused((self.coupon_id, self.promotion_code_id), self.code.clone(), reason)
    }
}

/// PC016 for what is used, by its code as it was made.
fn refused((coupon_id, promotion_code_id): Used, code: Option<String>, reason: Reason) -> Error {
    let why = NotApplicable { code, promotion_code_id, coupon_id, reason, minimum: None };
    Error::PromotionNotApplicable(Box::new(why))
}

// The one that is active; else the newest of those that were.
static BY_KEY: Statement = Statement::in_order(
    c"SELECT p.promotion_code_id FROM credits_internal.promotion_codes p WHERE p.code_key = $1
      ORDER BY p.active DESC, p.promotion_code_id DESC LIMIT 1",
    &[TEXTOID],
);

/// The code that people type in, as its id. Raises PC019.
pub fn code_id(session: &Session, code: &str) -> Result<Uuid, Error> {
    let unknown = || Error::ObjectNotFound { object: "promotion_code", id: code.trim().to_string() };
    BY_KEY.run(session, &[key_of(code).cell()])?.first().ok_or_else(unknown)?.next()
}

static COUPON_OF: Statement = Statement::new(
    c"SELECT p.coupon_id FROM credits_internal.promotion_codes p WHERE p.promotion_code_id = $1",
    &[UUIDOID],
);

/// What is chosen, as ids. Raises PC019.
fn resolve(session: &Session, chosen: &Chosen<'_>) -> Result<(Uuid, Option<Uuid>), Error> {
    let code_id = match chosen {
        Chosen::Coupon(coupon_id) => return Ok((*coupon_id, None)),
        Chosen::PromotionCode(code_id) => *code_id,
        Chosen::Code(code) => self::code_id(session, code)?,
    };
    let unknown = || Error::ObjectNotFound { object: "promotion_code", id: code_id.to_string() };
    let coupon_id = COUPON_OF.run(session, &[code_id.cell()])?.first().ok_or_else(unknown)?.next()?;
    Ok((coupon_id, Some(code_id)))
}

static CODE: Statement = Statement::new(
    c"SELECT p.code, p.active, p.starts_at, p.expires_at, p.restrictions::text, p.verification_type = 'attested',
             NOT p.for_customers OR EXISTS (SELECT FROM credits_internal.promotion_code_customers w
                                            WHERE w.customer_id = $2 AND w.promotion_code_id = p.promotion_code_id)
      FROM credits_internal.promotion_codes p WHERE p.promotion_code_id = $1",
    &[UUIDOID, TEXTOID],
);

/// A code, with what it asks of this customer.
struct Code {
    code: String,
    terms: CodeTerms,
    is_attested: bool,
    is_for_customer: bool,
}

impl Code {
    fn read(session: &Session, code_id: Uuid, customer_id: &str) -> Result<Self, Error> {
        let unknown = || Error::ObjectNotFound { object: "promotion_code", id: code_id.to_string() };
        let rows = CODE.run(session, &[code_id.cell(), customer_id.cell()])?;
        let mut row = rows.first().ok_or_else(unknown)?;
        let code = row.next()?;
        let (active, starts_at, expires_at) = (row.next()?, row.next()?, row.next()?);
        let asks = row.next::<Option<String>>()?.map(|text| Restrictions::stored(&text)).transpose()?;
        let asks = asks.unwrap_or_default();
        let terms = CodeTerms {
            active,
            starts_at,
            expires_at,
            first_transaction: asks.first_transaction,
            minimum: asks.amounts(),
        };
        Ok(Code { code, terms, is_attested: row.next()?, is_for_customer: row.next()? })
    }
}

static WRITTEN: Statement =
    Statement::new(c"SELECT p.code FROM credits_internal.promotion_codes p WHERE p.promotion_code_id = $1", &[UUIDOID]);

/// A code as it was made.
fn written(session: &Session, code_id: Uuid) -> Result<Option<String>, Error> {
    WRITTEN.run(session, &[code_id.cell()])?.first().map(|mut row| row.next()).transpose()
}

// What ran out is free, and what the holder has is its own.
static IS_LEFT: Statement = Statement::new(
    c"SELECT u.max_redemptions IS NULL OR u.taken - l.late - o.own < u.max_redemptions
      FROM credits_internal.coupon_counters u
      CROSS JOIN LATERAL (
          SELECT count(*) AS late FROM credits_internal.redemptions r
          WHERE r.coupon_id = u.coupon_id AND r.released_at IS NULL AND r.expires_at <= $2) l
      CROSS JOIN LATERAL (
          SELECT count(*) AS own FROM credits_internal.redemptions r
          WHERE r.customer_id = $3 AND r.holder_id = $4 AND r.coupon_id = u.coupon_id AND r.released_at IS NULL
            AND NOT r.over_quota AND coalesce(r.expires_at > $2, true)) o
      WHERE u.coupon_id = $1",
    &[UUIDOID, TIMESTAMPTZOID, TEXTOID, UUIDOID],
);
static IS_CODE_LEFT: Statement = Statement::new(
    c"SELECT u.max_redemptions IS NULL OR u.taken - l.late - o.own < u.max_redemptions
      FROM credits_internal.promotion_code_counters u
      CROSS JOIN LATERAL (
          SELECT count(*) AS late FROM credits_internal.redemptions r
          WHERE r.promotion_code_id = u.promotion_code_id AND r.released_at IS NULL AND r.expires_at <= $2) l
      CROSS JOIN LATERAL (
          SELECT count(*) AS own FROM credits_internal.redemptions r
          WHERE r.customer_id = $3 AND r.holder_id = $4 AND r.promotion_code_id = u.promotion_code_id
            AND r.released_at IS NULL AND NOT r.over_quota AND coalesce(r.expires_at > $2, true)) o
      WHERE u.promotion_code_id = $1",
    &[UUIDOID, TIMESTAMPTZOID, TEXTOID, UUIDOID],
);

static BY_CUSTOMER: Statement = Statement::new(
    c"SELECT count(*)::int FROM credits_internal.redemptions r
      WHERE r.customer_id = $1 AND r.coupon_id = $2 AND r.released_at IS NULL AND coalesce(r.expires_at > $3, true)
        AND r.holder_id IS DISTINCT FROM $4",
    &[TEXTOID, UUIDOID, TIMESTAMPTZOID, UUIDOID],
);

/// Whether a customer may use a coupon once more, besides what this holder has.
fn is_left_to_customer(
    session: &Session,
    (customer_id, holder_id): (&str, Option<Uuid>),
    coupon_id: Uuid,
    most: Option<i32>,
    now: Time,
) -> Result<bool, Error> {
    let Some(most) = most else { return Ok(true) };
    let rows = BY_CUSTOMER.run(session, &[customer_id.cell(), coupon_id.cell(), now.cell(), holder_id.cell()])?;
    rows.first().map_or(Ok(true), |mut row| Ok(row.next::<i32>()? < most))
}

// Of two first purchases at once, one is the first.
static HAS_PAID: Statement = Statement::new(
    c"SELECT EXISTS (SELECT FROM credits_internal.invoices i
                     WHERE i.customer_id = $1 AND i.status <> 'void' AND i.amount_paid > 0
                       AND i.invoice_id IS DISTINCT FROM $2)
          OR EXISTS (SELECT FROM credits_internal.redemptions r
                     JOIN credits_internal.promotion_codes p ON p.promotion_code_id = r.promotion_code_id
                     WHERE r.customer_id = $1 AND r.released_at IS NULL AND coalesce(r.expires_at > $3, true)
                       AND r.holder_id IS DISTINCT FROM $2 AND p.restrictions @> '{\"first_time_transaction\": true}')",
    &[TEXTOID, UUIDOID, TIMESTAMPTZOID],
);

/// Judges whether a discount applies to a purchase, and what it takes off. The customer is locked. Raises PC007, PC016,
/// PC019.
pub fn quote(
    session: &Session,
    cart: &Cart<'_>,
    chosen: &Chosen<'_>,
    verification: &Verification,
    now: Time,
) -> Result<Quote, Error> {
    let ids = resolve(session, chosen)?;
    share(session, ids)?;
    let coupon = Coupon::stored(session, ids.0)?;
    let used = Use::Purchase {
        currency: cart.currency,
        decimals: currency::decimals(session, cart.currency)?,
        lines: cart.lines,
    };
    judged(session, cart, ids, &coupon, verification, used, now)
}

/// The same for whatever it is used for, on terms that are read and shared.
fn judged(
    session: &Session,
    cart: &Cart<'_>,
    (coupon_id, promotion_code_id): (Uuid, Option<Uuid>),
    coupon: &Coupon,
    verification: &Verification,
    used: Use<'_>,
    now: Time,
) -> Result<Quote, Error> {
    let code = promotion_code_id.map(|id| Code::read(session, id, cart.customer_id)).transpose()?;
    let per_customer = coupon.per_customer();
    let holder = (cart.customer_id, cart.holder_id);
    let facts = Facts {
        now,
        is_left: is_left(session, holder, (coupon_id, promotion_code_id), now)?,
        is_left_to_customer: is_left_to_customer(session, holder, coupon_id, per_customer, now)?,
        is_verified: code
            .as_ref()
            .is_none_or(|code| code.is_for_customer && (!code.is_attested || verification.data.is_some())),
        has_paid: match &code {
            Some(code) if code.terms.first_transaction => {
                let rows = HAS_PAID.run(session, &[holder.0.cell(), holder.1.cell(), now.cell()])?;
                rows.first().map_or(Ok(false), |mut row| row.next())?
            }
            _ => false,
        },
    };
    let judged = discount::judge(&coupon.terms(), code.as_ref().map(|code| &code.terms), &facts, used);
    let code = code.map(|code| code.code);
    match judged {
        Ok(Discount { amount, per_line }) => Ok(Quote {
            coupon_id,
            promotion_code_id,
            code,
            currency: cart.currency.to_string(),
            amount,
            per_line,
            verification: verification.clone(),
            per_customer,
        }),
        Err(Refusal::Amount(reason)) => {
            Err(Error::InvalidAmount { argument: "line_items", value: String::from("what they come to"), reason })
        }
        Err(refusal) => {
            let (reason, minimum) = match refusal {
                Refusal::Reason(reason) => (reason, None),
                Refusal::Minimum(least) => (Reason::Minimum, Some((least, cart.currency.to_string()))),
                Refusal::Amount(_) => return Err(Error::internal("an amount is a reason")),
            };
            let why = NotApplicable { code, promotion_code_id, coupon_id, reason, minimum };
            Err(Error::PromotionNotApplicable(Box::new(why)))
        }
    }
}

fn is_left(
    session: &Session,
    (customer_id, holder_id): (&str, Option<Uuid>),
    (coupon_id, code_id): (Uuid, Option<Uuid>),
    now: Time,
) -> Result<bool, Error> {
    let asks = |statement: &'static Statement, id: Uuid| -> Result<bool, Error> {
        let rows = statement.run(session, &[id.cell(), now.cell(), customer_id.cell(), holder_id.cell()])?;
        rows.first().map_or(Ok(false), |mut row| row.next())
    };
    Ok(asks(&IS_LEFT, coupon_id)? && code_id.map_or(Ok(true), |id| asks(&IS_CODE_LEFT, id))?)
}

static IS_USED: Statement = Statement::new(
    c"SELECT true FROM credits_internal.coupon_counters u WHERE u.coupon_id = $1 AND u.first_used_at IS NOT NULL",
    &[UUIDOID],
);
static IS_CODE_USED: Statement = Statement::new(
    c"SELECT true FROM credits_internal.promotion_code_counters u
      WHERE u.promotion_code_id = $1 AND u.first_used_at IS NOT NULL",
    &[UUIDOID],
);
static SHARE_CODE: Statement = Statement::new(
    c"SELECT true FROM credits_internal.promotion_codes p WHERE p.promotion_code_id = $1 FOR SHARE",
    &[UUIDOID],
);

/// Keeps what nobody has used from being changed or deleted until the transaction ends: as price/usage.rs does it.
fn share(session: &Session, (coupon_id, code_id): (Uuid, Option<Uuid>)) -> Result<(), Error> {
    let kept = |is_used: &'static Statement, share: &'static Statement, id: Uuid| -> Result<(), Error> {
        if is_used.run(session, &[id.cell()])?.len() == 0 {
            share.run(session, &[id.cell()])?;
        }
        Ok(())
    };
    kept(&IS_USED, &SHARE, coupon_id)?;
    code_id.map_or(Ok(()), |id| kept(&IS_CODE_USED, &SHARE_CODE, id))
}

static REDEEMED: Statement = Statement::new(
    c"SELECT true WHERE EXISTS (SELECT FROM credits_internal.redemptions r WHERE r.customer_id = $1)",
    &[TEXTOID],
)
.before(c"SELECT true WHERE $1 IS NULL");

static ERASE: Statement = Statement::new(
    c"WITH no_more AS (DELETE FROM credits_internal.promotion_code_customers w WHERE w.customer_id = $1)
      UPDATE credits_internal.redemptions r SET verification_method = NULL, verification_data = NULL
      WHERE r.customer_id = $1 AND num_nonnulls(r.verification_method, r.verification_data) > 0",
    &[TEXTOID],
)
.before(c"SELECT 1 WHERE $1 IS NULL");

static CLEAR: Statement = Statement::new(
    c"WITH cleared AS (
          UPDATE credits_internal.redemptions r SET verification_method = NULL, verification_data = NULL
          WHERE r.customer_id = $1 AND num_nonnulls(r.verification_method, r.verification_data) > 0 RETURNING 1)
      SELECT count(*) FROM cleared",
    &[TEXTOID],
)
.before(c"SELECT 0::bigint WHERE $1 IS NOT NULL");

static CONFIGURED: [Configured; 1] = [crate::configured!("promotion_code_customers")];

/// Signed up in lib.rs.
pub struct Redemptions;

impl Listener for Redemptions {
    fn has_history(&self, session: &Session, customer_id: &str) -> Result<bool, Error> {
        is_any(session, &REDEEMED, customer_id)
    }

    fn configured(&self) -> &'static [Configured] {
        &CONFIGURED
    }

    fn erase(&self, session: &Session, customer_id: &str) -> Result<(), Error> {
        ERASE.run(session, &[customer_id.cell()]).map(drop)
    }

    fn clear_metadata(&self, session: &Session, customer_id: &str) -> Result<Cleared, Error> {
        Ok(Cleared { rows: count(session, &[&CLEAR], customer_id)?, waiting: 0 })
    }
}
