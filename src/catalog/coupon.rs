//! Coupons: what is taken off a purchase, or credits for nothing. What was used is switched off; only what never was is
//! deleted.

mod rows;
pub mod terms;

use crate::amount::{self, Decimal};
pub use crate::catalog::coupon::rows::too_few;
use crate::catalog::coupon::rows::{INSERT, UPDATE, unknown, write};
use crate::catalog::coupon::terms::{Coupon, FROZEN, Given, UNLIMITED};
use crate::catalog::price::terms::text;
use crate::catalog::promotion_code;
use crate::catalog::promotion_code::terms::{Code, Given as GivenCode};
use crate::catalog::redemption::list::{OF_COUPON, Page, RedemptionRow};
use crate::error::Error;
use crate::input;
use crate::input::key;
use crate::moment::Time;
use crate::outbox::billing_event::{self, EventType};
use crate::pg::call::argument::{ArrayOf, Id, Numeric, Timestamptz};
use crate::pg::call::reply::{Many, One, Reply, Value};
use crate::pg::statement::{Session, Statement, in_latest_snapshot, reading, writing};
use crate::pg::value::{Json, ToCell};
use crate::row;
use crate::settings;
use pgrx::pg_extern;
use pgrx::pg_sys::{BOOLOID, UUIDOID};
use uuid::Uuid;

row! {
    /// A coupon.
    pub struct CouponRow {
        /// Its id.
        pub coupon_id: Uuid,
        /// What people call it.
        pub name: String,
        /// For the merchant.
        pub description: Option<String>,
        /// So many percent off.
        pub percent_off: Option<Decimal>,
        /// Or so much off.
        pub amount_off: Option<Decimal>,
        /// The currency of that.
        pub currency: Option<String>,
        /// How much in other currencies.
        pub currency_options: Option<Json>,
        /// Or the credits that it gives.
        pub credit_config: Option<Json>,
        /// 'once', 'repeating' or 'forever'.
        pub duration: String,
        /// For how many months it repeats.
        pub duration_in_months: Option<i32>,
        /// Off which products.
        pub applies_to_products: Option<Vec<Uuid>>,
        /// How often it may be used in all.
        pub max_redemptions: Option<i32>,
        /// How often by one customer.
        pub max_redemptions_per_customer: Option<i32>,
        /// The last moment at which it may be used.
        pub redeem_by: Option<Time>,
        /// How often it is used or reserved.
        pub times_redeemed: i32,
        /// Whether it is switched on.
        pub active: bool,
        /// Whether it may be used now.
        pub valid: bool,
        /// Whether it was ever used.
        pub used: bool,
        /// The application's own.
        pub metadata: Option<Json>,
        /// When it was created.
        pub created_at: Time,
        /// When it last changed.
        pub updated_at: Time,
        /// Its active codes, the oldest first.
        pub promotion_codes: Option<Vec<String>>,
        /// Whether this replays an earlier call.
        pub replayed: bool,
    } read
}

static FIND: Statement = Statement::new(
    c"SELECT c.coupon_id, c.name, c.description, c.percent_off, c.amount_off, c.currency, c.currency_options,
             c.credit_config, c.duration, c.duration_in_months, c.applies_to_products, c.max_redemptions,
             c.max_redemptions_per_customer, c.redeem_by, c.times_redeemed, c.active, c.valid, c.used, c.metadata,
             c.created_at, c.updated_at,
             ARRAY(SELECT p.code FROM credits_internal.promotion_codes p WHERE p.coupon_id = c.coupon_id AND p.active
                   ORDER BY p.promotion_code_id LIMIT 100), $2
      FROM credits.coupons c WHERE c.coupon_id = $1",
    &[UUIDOID, BOOLOID],
);

/// A coupon as functions return it. Raises PC019.
fn find(session: &Session, coupon_id: Uuid, replayed: bool) -> Result<CouponRow, Error> {
    let rows = FIND.run(session, &[coupon_id.cell(), replayed.cell()])?;
    CouponRow::read(rows.first().ok_or_else(|| unknown(coupon_id))?)
}

/// `credits.coupon_create`. Raises PC002, PC004, PC007, PC008, PC013, PC015, PC019.
#[pg_extern(sql = false)]
#[allow(clippy::too_many_arguments)]
fn coupon_create(
    name: Option<&str>,
    percent_off: Option<Numeric>,
    amount_off: Option<Numeric>,
    currency: Option<&str>,
    credit_config: Option<Json>,
    currency_options: Option<Json>,
    duration: Option<&str>,
    duration_in_months: Option<i32>,
    applies_to_products: Option<ArrayOf<Uuid>>,
    max_redemptions: Option<i32>,
    max_redemptions_per_customer: Option<i32>,
    redeem_by: Option<Timestamptz>,
    promotion_codes: Option<Json>,
    description: Option<&str>,
    metadata: Option<Json>,
    idempotency_key: Option<&str>,
) -> Reply<One<CouponRow>> {
    Reply((|| {
        let key = input::optional_key("idempotency_key", idempotency_key)?;
        let coupon = Given {
            name: name.map(String::from),
            description: description.map(String::from),
            percent_off: input::optional_number("percent_off", percent_off, terms::percent)?,
            amount_off: input::optional_number("amount_off", amount_off, amount::over_zero)?,
            currency: currency.map(String::from),
            currency_options: text(currency_options),
            credit_config: text(credit_config),
            duration: duration.map(String::from),
            months: duration_in_months,
            products: terms::products(applies_to_products)?,
            max_redemptions,
            per_customer: max_redemptions_per_customer,
            redeem_by: redeem_by.map(|at| at.0),
            active: None,
            metadata: text(metadata),
        };
        let coupon = coupon.read()?;
        let codes = promotion_codes.map(|json| GivenCode::list(&json.text())).transpose()?.unwrap_or_default();
        let codes: Vec<Code> = codes.into_iter().map(GivenCode::read).collect::<Result<_, _>>()?;
        writing(|session| create(session, coupon, &codes, key)).map(One)
    })())
}

fn create(session: &Session, coupon: Coupon, codes: &[Code], key: Option<&str>) -> Result<CouponRow, Error> {
    let now = settings::now()?;
    let coupon_id = Uuid::now_v7();
    let mut inputs = coupon.compared();
    let of_codes = |code: &Code| format!("{:?}", code.compared());
    inputs.push(("promotion_codes", Some(codes.iter().map(of_codes).collect::<Vec<_>>().join(" "))));
    if let Some(first) = key::claim(session, key, "coupon_create", coupon_id, &inputs, now)? {
        return find(session, first, true);
    }
    input::not_past("redeem_by", coupon.redeem_by, now)?;
    let coupon = coupon.check(session)?;
    write(session, &INSERT, coupon_id, &coupon)?;
    rows::count(session, coupon_id, coupon.max_redemptions)?;
    billing_event::record(session, EventType::CouponCreated, coupon_id, None, now)?;
    for code in codes {
        promotion_code::make(session, Uuid::now_v7(), (coupon_id, coupon.config().is_some()), code, now)?;
    }
    find(session, coupon_id, false)
}

/// Keeps a coupon from being changed or deleted until the transaction ends: whoever is about to use one that nobody has used
/// shares its row, and whoever makes a code of it.
pub static SHARE: Statement =
    Statement::new(c"SELECT true FROM credits_internal.coupons c WHERE c.coupon_id = $1 FOR SHARE", &[UUIDOID]);
static LOCK: Statement =
    Statement::new(c"SELECT true FROM credits_internal.coupons c WHERE c.coupon_id = $1 FOR NO KEY UPDATE", &[UUIDOID]);
static LOCK_WHOLE: Statement =
    Statement::new(c"SELECT true FROM credits_internal.coupons c WHERE c.coupon_id = $1 FOR UPDATE", &[UUIDOID]);
static USED: Statement = Statement::new(
    c"SELECT u.first_used_at IS NOT NULL FROM credits_internal.coupon_counters u WHERE u.coupon_id = $1",
    &[UUIDOID],
);

/// Whether it was ever used. Raises PC019.
fn is_used(session: &Session, coupon_id: Uuid) -> Result<bool, Error> {
    USED.run(session, &[coupon_id.cell()])?.first().ok_or_else(|| unknown(coupon_id))?.next()
}

/// Raises PC020 where it was, whatever the caller's own snapshot shows.
fn must_be_unused(session: &Session, coupon_id: Uuid) -> Result<(), Error> {
    match in_latest_snapshot(session, |session| is_used(session, coupon_id))? {
        true => Err(Error::StateConflict { object: "coupon", id: coupon_id.to_string(), state: "used" }),
        false => Ok(()),
    }
}

/// `credits.coupon_update`. Raises PC004, PC007, PC008, PC013, PC015, PC019, PC020.
#[pg_extern(sql = false)]
#[allow(clippy::too_many_arguments)]
fn coupon_update(
    coupon_id: Option<Id>,
    name: Option<&str>,
    percent_off: Option<Numeric>,
    amount_off: Option<Numeric>,
    currency: Option<&str>,
    credit_config: Option<Json>,
    currency_options: Option<Json>,
    duration: Option<&str>,
    duration_in_months: Option<i32>,
    applies_to_products: Option<ArrayOf<Uuid>>,
    max_redemptions: Option<i32>,
    max_redemptions_per_customer: Option<i32>,
    redeem_by: Option<Timestamptz>,
    description: Option<&str>,
    metadata: Option<Json>,
    active: Option<bool>,
) -> Reply<One<CouponRow>> {
    Reply((|| {
        let coupon_id = input::required("coupon_id", coupon_id)?.0;
        let per_customer = ("max_redemptions_per_customer", max_redemptions_per_customer);
        let given = Given {
            name: name.map(String::from),
            description: description.map(String::from),
            percent_off: input::optional_number("percent_off", percent_off, terms::percent)?,
            amount_off: input::optional_number("amount_off", amount_off, amount::over_zero)?,
            currency: currency.map(String::from),
            currency_options: text(currency_options),
            credit_config: text(credit_config),
            duration: duration.map(String::from),
            months: duration_in_months,
            products: terms::products(applies_to_products)?,
            max_redemptions: terms::limit("max_redemptions", max_redemptions, UNLIMITED)?,
            per_customer: terms::limit(per_customer.0, per_customer.1, UNLIMITED)?,
            redeem_by: terms::moment("redeem_by", redeem_by.map(|at| at.0), Some(Time::NEVER))?,
            active,
            metadata: text(metadata),
        };
        writing(|session| update(session, coupon_id, given)).map(One)
    })())
}

fn update(session: &Session, coupon_id: Uuid, given: Given) -> Result<CouponRow, Error> {
    LOCK.run(session, &[coupon_id.cell()])?;
    let there = rows::stored(session, coupon_id)?;
    let shown = billing_event::before(session, EventType::CouponUpdated, coupon_id, None)?;
    let before = there.clone().read()?;
    let most = given.max_redemptions;
    let coupon = given.over(there).read()?.check(session)?;
    if before.compared().iter().zip(&coupon.compared()).take(FROZEN).any(|(before, now)| before != now) {
        must_be_unused(session, coupon_id)?;
        promotion_code::must_fit(session, coupon_id, coupon.config().is_some())?;
    }
    let now = settings::now()?;
    write(session, &UPDATE, coupon_id, &coupon)?;
    if let Some(most) = most {
        rows::limit(session, coupon_id, Some(most).filter(|most| *most != UNLIMITED), now)?;
    }
    billing_event::updated(session, EventType::CouponUpdated, coupon_id, None, shown, now)?;
    find(session, coupon_id, false)
}

/// `credits.coupon_delete`. Raises PC013, PC019, PC020.
#[pg_extern(sql = false)]
fn coupon_delete(coupon_id: Option<Id>) -> Reply<One<CouponRow>> {
    Reply((|| {
        let coupon_id = input::required("coupon_id", coupon_id)?.0;
        writing(|session| {
            // promotion_code_create() shares it, so that no code is added meanwhile.
            LOCK_WHOLE.run(session, &[coupon_id.cell()])?;
            must_be_unused(session, coupon_id)?;
            let row = find(session, coupon_id, false)?;
            let now = settings::now()?;
            promotion_code::remove_all(session, coupon_id, now)?;
            billing_event::record(session, EventType::CouponDeleted, coupon_id, None, now)?;
            rows::delete(session, coupon_id)?;
            Ok(One(CouponRow { active: false, valid: false, ..row }))
        })
    })())
}

/// `credits.coupon_used`. Raises PC013, PC019.
#[pg_extern(sql = false)]
fn coupon_used(coupon_id: Option<Id>) -> Reply<Value<bool>> {
    Reply((|| {
        let coupon_id = input::required("coupon_id", coupon_id)?.0;
        reading(|session| is_used(session, coupon_id)).map(Value)
    })())
}

/// `credits.coupon_redemptions`. Raises PC013, PC019.
#[pg_extern(sql = false)]
fn coupon_redemptions(
    coupon_id: Option<Id>,
    kind: Option<&str>,
    page_size: Option<i32>,
    after: Option<Id>,
) -> Reply<Many<RedemptionRow>> {
    Reply((|| {
        let coupon_id = input::required("coupon_id", coupon_id)?.0;
        let page = Page::read(kind, page_size, after)?;
        reading(|session| {
            is_used(session, coupon_id)?;
            page.of(session, &OF_COUPON, coupon_id)
        })
    })())
}
