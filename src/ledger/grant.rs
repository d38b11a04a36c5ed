//! Credit grants: credits given at one time under one set of terms. Changing their terms is in grant/change.rs, ending
//! them by hand in grant/ending.rs, more time in grant/extension.rs, suspending them in grant/suspension.rs, the plain way
//! to add credits in grant/credit.rs, reports about many of them in grant/report.rs.

pub mod backdated;
mod change;
mod credit;
pub mod ending;
pub mod events;
mod extension;
pub mod owed;
mod report;
pub mod rollover;
mod suspension;
pub mod terms;

use crate::amount::{self, AmountError, Decimal};
use crate::error::Error;
use crate::input;
use crate::ledger::engine::book::Book;
use crate::ledger::engine::drawdown::{Grant, Status};
use crate::ledger::engine::line::{LineType, Source};
use crate::ledger::engine::operation::{self, Begun, Operation, Texts};
use crate::ledger::engine::posting;
use crate::ledger::grant::terms::{Given, Terms};
use crate::ledger::{account, balance, currency};
use crate::moment::Time;
use crate::pg::call::argument::{ArrayOf, Numeric, Timestamptz};
use crate::pg::call::reply::{One, Reply};
use crate::pg::statement::{Session, Statement, in_one_snapshot, writing};
use crate::pg::value::{Json, ToCell};
use crate::row;
use crate::settings;
use pgrx::pg_extern;
use pgrx::pg_sys::{BOOLOID, INT2OID, JSONBOID, NUMERICOID, TEXTARRAYOID, TEXTOID, TIMESTAMPTZOID, UUIDOID};
use uuid::Uuid;

row! {
    /// A grant as `credit_grant`, `credit_grant_void`, `_expire` and `_update` return it.
    pub struct GrantRow {
        /// Its id.
        pub grant_id: Uuid,
        /// Whose it is.
        pub customer_id: String,
        /// The currency's code.
        pub currency: String,
        /// 'pending', 'granted', 'depleted', 'expired', 'voided' or 'suspended'.
        pub status: String,
        /// Credits granted.
        pub amount: Decimal,
        /// Credits left.
        pub remaining: Decimal,
        /// 'paid' or 'promotional'.
        pub category: String,
        /// 0 to 100, lower first.
        pub priority: i32,
        /// When it can first be drawn on.
        pub effective_at: Time,
        /// NULL for never.
        pub expires_at: Option<Time>,
        /// NULL for anything.
        pub applicable_meters: Option<Vec<String>>,
        /// What was paid for one credit.
        pub cost_basis: Option<Decimal>,
        /// Its display name.
        pub name: Option<String>,
        /// Who granted it.
        pub granted_by: Option<String>,
        /// The application's own.
        pub metadata: Option<Json>,
        /// When it was created.
        pub created_at: Time,
        /// Whether this replays an earlier call.
        pub replayed: bool,
        /// What was paid for all of it.
        pub cost_amount: Option<Decimal>,
        /// In which currency.
        pub cost_currency: Option<String>,
        /// What goes on when its time runs out.
        pub rollover: Option<Json>,
        /// The grant that rolled over into this.
        pub rolled_from: Option<Uuid>,
        /// The grant that this one rolled over into.
        pub rolled_to: Option<Uuid>,
        /// How many credits went on.
        pub rolled_over: Option<Decimal>,
    } read
}

/// The name under which a grant claims its key.
pub const FUNCTION: &str = "credit_grant";

/// A grant as requested.
#[derive(Default)]
pub struct Request<'a> {
    /// The function that was called.
    pub function: &'static str,
    /// To whom; checked by the caller.
    pub customer_id: Option<&'a str>,
    /// Credits.
    pub amount: Option<Numeric>,
    /// NULL for the default.
    pub currency: Option<&'a str>,
    /// Its terms.
    pub terms: Given<'a>,
    /// Its display name.
    pub name: Option<&'a str>,
    /// Who grants it.
    pub granted_by: Option<&'a str>,
    /// NULL for none.
    pub idempotency_key: Option<&'a str>,
    /// The application's own.
    pub metadata: Option<Json>,
}

/// The outcome.
pub struct Granted {
    grant_id: Uuid,
    currency: String,
    amount: Decimal,
    available: Decimal,
    /// Whether this replays an earlier call.
    pub replayed: bool,
}

/// `credits.credit_grant`. Raises PC002, PC004, PC007, PC008, PC013.
#[pg_extern(sql = false)]
#[allow(clippy::too_many_arguments)]
fn credit_grant_2(
    customer_id: Option<&str>,
    amount: Option<Numeric>,
    currency: Option<&str>,
    category: Option<&str>,
    name: Option<&str>,
    priority: Option<i32>,
    effective_at: Option<Timestamptz>,
    expires_at: Option<Timestamptz>,
    applicable_meters: Option<ArrayOf<String>>,
    cost_basis: Option<Numeric>,
    granted_by: Option<&str>,
    idempotency_key: Option<&str>,
    metadata: Option<Json>,
    cost_amount: Option<Numeric>,
    cost_currency: Option<&str>,
    rollover: Option<Json>,
) -> Reply<One<GrantRow>> {
    let request = Request {
        function: FUNCTION,
        customer_id,
        amount,
        currency,
        terms: Given {
            category,
            priority,
            effective_at,
            expires_at,
            applicable_meters,
            cost_basis,
            cost_amount,
            cost_currency,
            rollover,
        },
        name,
        granted_by,
        idempotency_key,
        metadata,
    };
    Reply(writing(|session| {
        let customer_id = input::key("customer_id", request.customer_id)?;
        let granted = perform(session, customer_id, request)?;
        find(session, customer_id, granted.grant_id, granted.replayed).map(One)
    }))
}

crate::older!(credit_grant_wrapper => credit_grant_2_wrapper, 13 of 16);

/// Grants what is requested. Raises PC002, PC004, PC007, PC008, PC013.
pub fn perform(session: &Session, customer_id: &str, mut request: Request<'_>) -> Result<Granted, Error> {
    let now = settings::now()?;
    let key = input::optional_key("idempotency_key", request.idempotency_key)?;
    input::text("name", request.name)?;
    input::text("granted_by", request.granted_by)?;
    let amount = input::number("amount", request.amount.take(), amount::over_zero)?;
    let terms = Terms::read(std::mem::take(&mut request.terms))?;
    let new = NewGrant {
        id: Uuid::now_v7(),
        amount,
        name: request.name,
        granted_by: request.granted_by,
        metadata: request.metadata.as_ref(),
    };
    let call = Operation {
        function: request.function.to_string(),
        operation_id: Uuid::now_v7(),
        currency: currency::code_or_default(request.currency)?,
        amount,
        category: Some(terms.category.as_str().to_string()),
        grant_id: Some(new.id),
        counterparty: None,
        reason: None,
    };
    // What a first call must meet and a replay need not.
    let judge = || {
        currency::resolve_for(session, &call.currency, "amount", amount).and_then(|currency| {
            terms.check(session, now, currency.decimals)?;
            let book = match terms.backdated(now)? {
                None => account::open_or_make(session, customer_id, &call.currency, now)?,
                Some(_) => account::lock_or_make(session, customer_id, &call.currency)?,
            };
            Ok((currency.decimals, book))
        })
    };
    let (decimals, mut book) = match key {
        // The grant itself says everything: only a key needs an operation.
        None => judge()?,
        Some(_) => match operation::begin(session, customer_id, &call, key, &Texts::default(), now, judge)? {
            Begun::First(opened) => opened,
            Begun::Replay(first) => return replay(session, customer_id, first),
        },
    };
    let available = match terms.backdated(now)? {
        Some(at) => backdated::give(session, book, &new, &terms, at, now, decimals)?,
        None => {
            give(session, &mut book, &new, &terms, (LineType::Grant, None), decimals)?;
            let available = book.available;
            posting::post(session, &[book])?;
            available
        }
    };
    Ok(Granted { grant_id: new.id, currency: call.currency, amount, available, replayed: false })
}

/// A new grant, apart from its terms.
pub struct NewGrant<'a> {
    /// Its id.
    pub id: Uuid,
    /// Credits.
    pub amount: Decimal,
    /// Its display name.
    pub name: Option<&'a str>,
    /// Who grants it.
    pub granted_by: Option<&'a str>,
    /// The application's own.
    pub metadata: Option<&'a Json>,
}

/// Adds a grant to an account that is locked and up to date: effective at once, or scheduled. Raises PC007, PC013.
pub fn give(
    session: &Session,
    book: &mut Book,
    new: &NewGrant<'_>,
    terms: &Terms,
    (line_type, source): (LineType, Option<&Source>),
    decimals: u32,
) -> Result<(), Error> {
    check_room(book, new.amount, decimals)?;
    let grant = terms.grant(new.id, new.amount, book.posted_at)?;
    posting::take_windows(session, &mut [(&mut *book, Decimal::ZERO)], &[])?;
    insert(session, book, &grant, terms, new)?;
    if grant.status == Status::Scheduled {
        book.schedule_grant(grant);
    } else {
        let debts = posting::debts_for(session, book, &grant)?;
        book.open_grant(line_type, grant, source, debts);
    }
    Ok(())
}

/// Everything the account was ever granted must be countable. No more can ever come back to it (by a cancellation, a
/// won dispute, a release or a grant that starts), so no later step can exceed the limit.
pub fn check_room(book: &Book, amount: Decimal, decimals: u32) -> Result<(), Error> {
    amount::fit(book.issued + amount, decimals)
        .map(drop)
        .map_err(|_| Error::amount("amount", amount, AmountError::NoRoom))
}

static INSERT: Statement = Statement::new(
    c"INSERT INTO credits_internal.credit_grants (customer_id, grant_id, currency, category, status, priority, amount,
      remaining,
                                         effective_at, expires_at, applicable_meters, cost_basis, name, granted_by,
                                         metadata, created_at, cost_amount, cost_currency)
      VALUES ($1, $2, $3, $4, $5, $6, $7, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)",
    &[
        TEXTOID,
        UUIDOID,
        TEXTOID,
        TEXTOID,
        TEXTOID,
        INT2OID,
        NUMERICOID,
        TIMESTAMPTZOID,
        TIMESTAMPTZOID,
        TEXTARRAYOID,
        NUMERICOID,
        TEXTOID,
        TEXTOID,
        JSONBOID,
        TIMESTAMPTZOID,
        NUMERICOID,
        TEXTOID,
    ],
)
.before(
    c"INSERT INTO credits_internal.credit_grants (customer_id, grant_id, currency, category, status, priority, amount,
      remaining,
                                         effective_at, expires_at, applicable_meters, cost_basis, name, granted_by,
                                         metadata, created_at)
      VALUES ($1, $2, $3, $4, $5, $6, $7, $7, $8, $9, $10, $11, $12, $13, $14, $15)",
);

fn insert(session: &Session, book: &Book, grant: &Grant, terms: &Terms, new: &NewGrant<'_>) -> Result<(), Error> {
    let cells = [
        book.customer_id.cell(),
        grant.id.cell(),
        book.currency.cell(),
        grant.category.as_str().cell(),
        grant.status.as_str().cell(),
        grant.priority.cell(),
        grant.amount.cell(),
        grant.effective_at.cell(),
        grant.expires_at.cell(),
        grant.meters.cell(),
        terms.cost_basis(new.amount).cell(),
        new.name.cell(),
        new.granted_by.cell(),
        new.metadata.cell(),
        book.posted_at.cell(),
        terms.cost.as_ref().map(|cost| cost.amount).cell(),
        terms.cost.as_ref().map(|cost| &cost.currency).cell(),
    ];
    INSERT.run(session, &cells)?;
    let rollover = terms.rollover.as_ref();
    rollover.map_or(Ok(()), |rollover| rollover::insert(session, &book.customer_id, grant.id, rollover))
}

fn replay(session: &Session, customer_id: &str, first: Operation) -> Result<Granted, Error> {
    let lost = || Error::internal("an operation lost its grant or its account");
    let book = balance::current(session, customer_id, &first.currency)?.ok_or_else(lost)?;
    Ok(Granted {
        grant_id: first.grant_id.ok_or_else(lost)?,
        currency: first.currency,
        amount: first.amount,
        available: book.available,
        replayed: true,
    })
}

static FIND: Statement = Statement::new(
    c"SELECT g.grant_id, g.customer_id, g.currency, g.status, g.amount,
             CASE WHEN a.head_grant_id = g.grant_id THEN a.available - a.head_floor ELSE g.remaining END,
             g.category, g.priority::int, g.effective_at, nullif(g.expires_at, 'infinity'), g.applicable_meters,
             g.cost_basis, g.name, g.granted_by, g.metadata, g.created_at, $3, g.cost_amount, g.cost_currency,
             r.terms, r.rolled_from, r.rolled_to, r.rolled_over
      FROM credits_internal.credit_grants g
      JOIN credits_internal.accounts a ON a.customer_id = g.customer_id AND a.currency = g.currency
      LEFT JOIN credits_internal.rollovers r ON r.customer_id = g.customer_id AND r.grant_id = g.grant_id
      WHERE g.customer_id = $1 AND g.grant_id = $2",
    &[TEXTOID, UUIDOID, BOOLOID],
)
.before(
    c"SELECT g.grant_id, g.customer_id, g.currency, g.status, g.amount,
             CASE WHEN a.head_grant_id = g.grant_id THEN a.available - a.head_floor ELSE g.remaining END,
             g.category, g.priority::int, g.effective_at, nullif(g.expires_at, 'infinity'), g.applicable_meters,
             g.cost_basis, g.name, g.granted_by, g.metadata, g.created_at, $3, NULL::numeric, NULL::text,
             NULL::jsonb, NULL::uuid, NULL::uuid, NULL::numeric
      FROM credits_internal.credit_grants g
      JOIN credits_internal.accounts a ON a.customer_id = g.customer_id AND a.currency = g.currency
      WHERE g.customer_id = $1 AND g.grant_id = $2",
);

/// The grant as it stands now. Raises PC009.
fn find(session: &Session, customer_id: &str, grant_id: Uuid, replayed: bool) -> Result<GrantRow, Error> {
    in_one_snapshot(session, |session| {
        let rows = FIND.run(session, &[customer_id.cell(), grant_id.cell(), replayed.cell()])?;
        let missing = || Error::GrantNotFound { customer_id: customer_id.to_string(), grant_id };
        let mut grant = GrantRow::read(rows.first().ok_or_else(missing)?)?;
        // What fell due since may not be posted yet.
        let book = balance::book(session, customer_id, &grant.currency, settings::now()?)?;
        if let Some(due) = book.as_ref().and_then(|book| book.grant(grant.grant_id)) {
            grant.status = due.status.as_str().to_string();
            grant.remaining = due.remaining;
        }
        let next = book.as_ref().and_then(|book| book.rolled_to().get(&grant.grant_id).copied().cloned());
        if let Some(next) = next {
            (grant.rolled_to, grant.rolled_over) = (Some(next.grant_id), Some(next.amount));
        }
        Ok(grant)
    })
}
