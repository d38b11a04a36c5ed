//! Promotion codes: what people type in to use a coupon, and what each asks of them. What was used is archived; only what never
//! was is deleted.

mod rows;
pub mod terms;

use crate::amount::Decimal;
use crate::catalog::coupon::{SHARE, terms as coupon_terms};
use crate::catalog::price::terms::text;
use crate::catalog::promotion_code::rows::unknown;
use crate::catalog::promotion_code::terms::{Code, FROZEN, Given, key_of, random};
use crate::catalog::redemption::code_id as id_of;
use crate::catalog::redemption::list::{OF_CODE, Page, RedemptionRow};
use crate::error::{Error, quoted};
use crate::input;
use crate::input::key;
use crate::moment::Time;
use crate::outbox::billing_event::{self, EventType};
use crate::pg::call::argument::{ArrayOf, Id, Timestamptz};
use crate::pg::call::reply::{Many, One, Reply, Value};
use crate::pg::locking::lock::Lock;
use crate::pg::statement::{Session, Statement, in_latest_snapshot, reading, writing};
use crate::pg::value::{Json, ToCell};
use crate::row;
use crate::settings;
use pgrx::pg_extern;
use pgrx::pg_sys::{BOOLOID, TEXTOID, UUIDOID};
use uuid::Uuid;

row! {
    /// A promotion code.
    pub struct PromotionCodeRow {
        /// Its id.
        pub promotion_code_id: Uuid,
        /// The coupon.
        pub coupon_id: Uuid,
        /// What people type in.
        pub code: String,
        /// Whether it is switched on.
        pub active: bool,
        /// For the merchant.
        pub description: Option<String>,
        /// How often it may be used in all.
        pub max_redemptions: Option<i32>,
        /// From when on it may be used.
        pub starts_at: Option<Time>,
        /// When it cannot be used any more.
        pub expires_at: Option<Time>,
        /// Who may use it.
        pub customer_ids: Option<Vec<String>>,
        /// 'code', 'user_restricted' or 'attested'.
        pub verification_type: String,
        /// What the purchase must be.
        pub restrictions: Option<Json>,
        /// How often it is used or reserved.
        pub times_redeemed: i32,
        /// Whether it may be used now.
        pub valid: bool,
        /// Whether it was ever used.
        pub used: bool,
        /// The coupon's name.
        pub coupon_name: String,
        /// So many percent off.
        pub percent_off: Option<Decimal>,
        /// Or so much off.
        pub amount_off: Option<Decimal>,
        /// The currency of that.
        pub currency: Option<String>,
        /// The application's own.
        pub metadata: Option<Json>,
        /// When it was created.
        pub created_at: Time,
        /// When it last changed.
        pub updated_at: Time,
        /// Whether this replays an earlier call.
        pub replayed: bool,
    } read
}

static FIND: Statement = Statement::new(
    c"SELECT p.promotion_code_id, p.coupon_id, p.code, p.active, p.description, p.max_redemptions, p.starts_at, p.expires_at,
             p.customer_ids, p.verification_type, p.restrictions, p.times_redeemed, p.valid, p.used, p.coupon_name,
             p.percent_off, p.amount_off, p.currency, p.metadata, p.created_at, p.updated_at, $2
      FROM credits.promotion_codes p WHERE p.promotion_code_id = $1",
    &[UUIDOID, BOOLOID],
);

/// A code as functions return it. Raises PC019.
fn find(session: &Session, code_id: Uuid, replayed: bool) -> Result<PromotionCodeRow, Error> {
    let rows = FIND.run(session, &[code_id.cell(), replayed.cell()])?;
    PromotionCodeRow::read(rows.first().ok_or_else(|| unknown(code_id))?)
}

/// `credits.promotion_code_create`. Raises PC002, PC007, PC008, PC013, PC019.
#[pg_extern(sql = false)]
#[allow(clippy::too_many_arguments)]
fn promotion_code_create(
    coupon_id: Option<Id>,
    code: Option<&str>,
    max_redemptions: Option<i32>,
    expires_at: Option<Timestamptz>,
    customer_ids: Option<ArrayOf<String>>,
    verification_type: Option<&str>,
    restrictions: Option<Json>,
    starts_at: Option<Timestamptz>,
    description: Option<&str>,
    metadata: Option<Json>,
    idempotency_key: Option<&str>,
) -> Reply<One<PromotionCodeRow>> {
    Reply((|| {
        let coupon_id = input::required("coupon_id", coupon_id)?.0;
        let key = input::optional_key("idempotency_key", idempotency_key)?;
        let given = Given {
            code: code.map(String::from),
            active: None,
            max_redemptions,
            starts_at: starts_at.map(|at| at.0),
            expires_at: expires_at.map(|at| at.0),
            customers: terms::customers(customer_ids)?,
            verification_type: verification_type.map(String::from),
            restrictions: text(restrictions),
            description: description.map(String::from),
            metadata: text(metadata),
        };
        if given.customers.as_ref().is_some_and(Vec::is_empty) {
            return Err(Error::argument("customer_ids", "must name a customer, or be NULL for all"));
        }
        let code = given.read()?;
        writing(|session| create(session, coupon_id, &code, key)).map(One)
    })())
}

fn create(session: &Session, coupon_id: Uuid, code: &Code, key: Option<&str>) -> Result<PromotionCodeRow, Error> {
    let now = settings::now()?;
    let code_id = Uuid::now_v7();
    let mut inputs = vec![("coupon_id", Some(coupon_id.to_string()))];
    inputs.extend(code.compared());
    if let Some(first) = key::claim(session, key, "promotion_code_create", code_id, &inputs, now)? {
        return find(session, first, true);
    }
    // One that is about to be deleted gets no code.
    SHARE.run(session, &[coupon_id.cell()])?;
    let coupon = coupon_terms::Coupon::stored(session, coupon_id)?;
    make(session, code_id, (coupon_id, coupon.config().is_some()), code, now)?;
    find(session, code_id, false)
}

static RANDOM: Statement = Statement::new(c"SELECT gen_random_uuid()", &[]);

static ACTIVE: Statement = Statement::new(
    c"SELECT p.promotion_code_id FROM credits_internal.promotion_codes p WHERE p.code_key = $1 AND p.active",
    &[TEXTOID],
);

/// The active code that is the same. Until the transaction ends nobody else makes one.
fn same(session: &Session, code: &str) -> Result<Option<Uuid>, Error> {
    let key = key_of(code);
    Lock::of(session, c"promotion_codes", &key).take();
    in_latest_snapshot(session, |session| {
        ACTIVE.run(session, &[key.cell()])?.first().map(|mut row| row.next()).transpose()
    })
}

fn taken(code: &str) -> Error {
    let reason = format!("{} is that of another active code: archive that one first", quoted(code));
    Error::argument("code", reason)
}

/// Creates a code of a coupon, which gives credits or does not. Raises PC007, PC008, PC013.
pub fn make(
    session: &Session,
    code_id: Uuid,
    (coupon_id, is_voucher): (Uuid, bool),
    code: &Code,
    now: Time,
) -> Result<(), Error> {
    input::not_past("expires_at", code.expires_at, now)?;
    code.restrictions.check(session)?;
    if is_voucher && code.restrictions.amounts().is_some() {
        return Err(buys_nothing());
    }
    let text = match &code.code {
        Some(text) if same(session, text)?.is_some() => return Err(taken(text)),
        Some(text) => text.clone(),
        None => loop {
            let random: Uuid = match RANDOM.run(session, &[])?.first() {
                Some(mut row) => row.next()?,
                None => return Err(Error::internal("a random number is not there")),
            };
            let text = self::random(random.as_bytes());
            if same(session, &text)?.is_none() {
                break text;
            }
        },
    };
    rows::insert(session, (code_id, coupon_id), &text, code, now)?;
    billing_event::record(session, EventType::PromotionCodeCreated, code_id, None, now)
}

fn buys_nothing() -> Error {
    Error::argument("restrictions", "must have no minimum_amount: the coupon gives credits, and nothing is bought")
}

static HAS_MINIMUM: Statement = Statement::new(
    c"SELECT true FROM credits_internal.promotion_codes p
      WHERE p.coupon_id = $1 AND (p.restrictions ? 'minimum_amount' OR p.restrictions ? 'currency_options') LIMIT 1",
    &[UUIDOID],
);

/// Checks that the codes of a coupon can be of one that gives credits or does not. Raises PC013.
pub fn must_fit(session: &Session, coupon_id: Uuid, is_voucher: bool) -> Result<(), Error> {
    match is_voucher && HAS_MINIMUM.run(session, &[coupon_id.cell()])?.len() > 0 {
        true => Err(Error::argument("credit_config", "is not for a coupon whose codes have a minimum_amount")),
        false => Ok(()),
    }
}

// Whoever is about to use one that nobody has used shares its row.
static LOCK: Statement = Statement::new(
    c"SELECT true FROM credits_internal.promotion_codes p WHERE p.promotion_code_id = $1 FOR NO KEY UPDATE",
    &[UUIDOID],
);
static LOCK_WHOLE: Statement = Statement::new(
    c"SELECT true FROM credits_internal.promotion_codes p WHERE p.promotion_code_id = $1 FOR UPDATE",
    &[UUIDOID],
);
static USED: Statement = Statement::new(
    c"SELECT u.first_used_at IS NOT NULL FROM credits_internal.promotion_code_counters u WHERE u.promotion_code_id = $1",
    &[UUIDOID],
);

/// Whether it was ever used. Raises PC019.
fn is_used(session: &Session, code_id: Uuid) -> Result<bool, Error> {
    USED.run(session, &[code_id.cell()])?.first().ok_or_else(|| unknown(code_id))?.next()
}

/// Raises PC020 where it was, whatever the caller's own snapshot shows.
fn must_be_unused(session: &Session, code_id: Uuid) -> Result<(), Error> {
    match in_latest_snapshot(session, |session| is_used(session, code_id))? {
        true => Err(Error::StateConflict { object: "promotion_code", id: code_id.to_string(), state: "used" }),
        false => Ok(()),
    }
}

/// `credits.promotion_code_update`. Raises PC007, PC008, PC013, PC019, PC020.
#[pg_extern(sql = false)]
#[allow(clippy::too_many_arguments)]
fn promotion_code_update(
    promotion_code_id: Option<Id>,
    active: Option<bool>,
    max_redemptions: Option<i32>,
    expires_at: Option<Timestamptz>,
    customer_ids: Option<ArrayOf<String>>,
    verification_type: Option<&str>,
    restrictions: Option<Json>,
    starts_at: Option<Timestamptz>,
    description: Option<&str>,
    metadata: Option<Json>,
) -> Reply<One<PromotionCodeRow>> {
    Reply((|| {
        let code_id = input::required("promotion_code_id", promotion_code_id)?.0;
        let starts_at = starts_at.map(|at| at.0);
        let given = Given {
            code: None,
            active,
            max_redemptions: coupon_terms::limit("max_redemptions", max_redemptions, coupon_terms::UNLIMITED)?,
            starts_at: coupon_terms::moment("starts_at", starts_at, Some(Time::BEGINNING))?,
            expires_at: coupon_terms::moment("expires_at", expires_at.map(|at| at.0), Some(Time::NEVER))?,
            customers: terms::customers(customer_ids)?,
            verification_type: verification_type.map(String::from),
            restrictions: text(restrictions),
            description: description.map(String::from),
            metadata: text(metadata),
        };
        writing(|session| update(session, code_id, given)).map(One)
    })())
}

fn update(session: &Session, code_id: Uuid, given: Given) -> Result<PromotionCodeRow, Error> {
    let (_, there) = rows::stored(session, code_id)?;
    if given.active == Some(true)
        && let Some(code) = &there.code
        && same(session, code)?.is_some_and(|there| there != code_id)
    {
        return Err(taken(code));
    }
    LOCK.run(session, &[code_id.cell()])?;
    let (coupon_id, there) = rows::stored(session, code_id)?;
    let shown = billing_event::before(session, EventType::PromotionCodeUpdated, code_id, None)?;
    let (most, customers) = (given.max_redemptions, given.customers.clone());
    let before = there.clone().read()?;
    let code = Given { max_redemptions: None, ..given }.over(there).read()?;
    code.restrictions.check(session)?;
    if before.compared().iter().zip(&code.compared()).take(FROZEN).any(|(before, now)| before != now) {
        must_be_unused(session, code_id)?;
    }
    if code.restrictions.amounts().is_some() && coupon_terms::Coupon::stored(session, coupon_id)?.config().is_some() {
        return Err(buys_nothing());
    }
    let now = settings::now()?;
    rows::update(session, code_id, &code, code.customers.is_some())?;
    if let Some(customers) = customers {
        rows::replace_customers(session, code_id, &customers)?;
    }
    if let Some(most) = most {
        let most = Some(most).filter(|most| *most != coupon_terms::UNLIMITED);
        rows::limit(session, (code_id, coupon_id), most, now)?;
    }
    billing_event::updated(session, EventType::PromotionCodeUpdated, code_id, None, shown, now)?;
    find(session, code_id, false)
}

/// `credits.promotion_code_archive`. Raises PC013, PC019.
#[pg_extern(sql = false)]
fn promotion_code_archive(promotion_code_id: Option<Id>) -> Reply<One<PromotionCodeRow>> {
    Reply((|| {
        let code_id = input::required("promotion_code_id", promotion_code_id)?.0;
        let given = Given { active: Some(false), ..Given::default() };
        writing(|session| update(session, code_id, given)).map(One)
    })())
}

/// Deletes a code that nobody can use any more.
fn remove(session: &Session, code_id: Uuid, now: Time) -> Result<(), Error> {
    billing_event::record(session, EventType::PromotionCodeDeleted, code_id, None, now)?;
    rows::delete(session, code_id)
}

static OF_COUPON: Statement = Statement::new(
    c"SELECT p.promotion_code_id FROM credits_internal.promotion_codes p WHERE p.coupon_id = $1 ORDER BY p.promotion_code_id",
    &[UUIDOID],
);

/// Deletes the codes of a coupon that nobody can use any more.
pub fn remove_all(session: &Session, coupon_id: Uuid, now: Time) -> Result<(), Error> {
    let rows = OF_COUPON.run(session, &[coupon_id.cell()])?;
    rows.iter().try_for_each(|mut code| remove(session, code.next()?, now))
}

/// `credits.promotion_code_delete`. Raises PC013, PC019, PC020.
#[pg_extern(sql = false)]
fn promotion_code_delete(promotion_code_id: Option<Id>) -> Reply<One<PromotionCodeRow>> {
    Reply((|| {
        let code_id = input::required("promotion_code_id", promotion_code_id)?.0;
        writing(|session| {
            LOCK_WHOLE.run(session, &[code_id.cell()])?;
            must_be_unused(session, code_id)?;
            let row = find(session, code_id, false)?;
            remove(session, code_id, settings::now()?)?;
            Ok(One(PromotionCodeRow { active: false, valid: false, ..row }))
        })
    })())
}

/// `credits.promotion_code_used`. Raises PC013, PC019.
#[pg_extern(sql = false)]
fn promotion_code_used(promotion_code_id: Option<Id>) -> Reply<Value<bool>> {
    Reply((|| {
        let code_id = input::required("promotion_code_id", promotion_code_id)?.0;
        reading(|session| is_used(session, code_id)).map(Value)
    })())
}

/// `credits.promotion_code_by_code`. Raises PC013, PC019.
#[pg_extern(sql = false)]
fn promotion_code_by_code(code: Option<&str>) -> Reply<One<PromotionCodeRow>> {
    Reply((|| {
        let code = input::key("code", code)?;
        reading(|session| find(session, id_of(session, code)?, false)).map(One)
    })())
}

/// `credits.promotion_code_redemptions`. Raises PC013, PC019.
#[pg_extern(sql = false)]
fn promotion_code_redemptions(
    promotion_code_id: Option<Id>,
    kind: Option<&str>,
    page_size: Option<i32>,
    after: Option<Id>,
) -> Reply<Many<RedemptionRow>> {
    Reply((|| {
        let code_id = input::required("promotion_code_id", promotion_code_id)?.0;
        let page = Page::read(kind, page_size, after)?;
        reading(|session| {
            is_used(session, code_id)?;
            page.of(session, &OF_CODE, code_id)
        })
    })())
}
