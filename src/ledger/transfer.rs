//! Transfers: credits that move from one customer to another and keep their terms.

use crate::amount::{self, Decimal};
use crate::error::Error;
use crate::input;
use crate::ledger::engine::book::Book;
use crate::ledger::engine::drawdown::{Draw, Grant, Status};
use crate::ledger::engine::line::{LineType, Source};
use crate::ledger::engine::operation::{self, Begun, Operation, Texts};
use crate::ledger::engine::posting::{self, Key};
use crate::ledger::{account, balance, currency, customer, grant};
use crate::moment::Time;
use crate::pg::call::argument::Numeric;
use crate::pg::call::reply::{One, Reply};
use crate::pg::statement::{Session, Statement, writing};
use crate::pg::value::array::array;
use crate::pg::value::{Json, ToCell};
use crate::row;
use crate::settings;
use pgrx::pg_extern;
use pgrx::pg_sys::{NUMERICARRAYOID, TEXTOID, TIMESTAMPTZOID, UUIDARRAYOID};
use uuid::Uuid;

row! {
    /// What `wallet_transfer` returns; amounts in credits of the currency.
    pub struct TransferRow {
        /// The same for both customers.
        pub operation_id: Uuid,
        /// The customer who has the credits now.
        pub to_customer_id: String,
        /// The currency's code.
        pub currency: String,
        /// Credits moved.
        pub transferred: Decimal,
        /// What a plain debit may take from the sender now.
        pub available: Decimal,
        /// Whether this replays an earlier call.
        pub replayed: bool,
    }
}

/// `credits.wallet_transfer`. Raises PC001, PC002, PC003, PC007, PC008, PC013.
#[pg_extern(sql = false)]
#[allow(clippy::too_many_arguments)]
fn wallet_transfer(
    customer_id: Option<&str>,
    to_customer_id: Option<&str>,
    amount: Option<Numeric>,
    currency: Option<&str>,
    idempotency_key: Option<&str>,
    description: Option<&str>,
    metadata: Option<Json>,
) -> Reply<One<TransferRow>> {
    Reply((|| {
        let customer_id = input::key("customer_id", customer_id)?;
        input::text("description", description)?;
        let to = input::key("to_customer_id", to_customer_id)?;
        if to == customer_id {
            return Err(Error::argument("to_customer_id", "must be another customer"));
        }
        let key = input::optional_key("idempotency_key", idempotency_key)?;
        let amount = input::number("amount", amount, amount::over_zero)?;
        let call = Operation {
            function: String::from("wallet_transfer"),
            operation_id: Uuid::now_v7(),
            currency: currency::code_or_default(currency)?,
            amount,
            category: None,
            grant_id: None,
            counterparty: Some(to.to_string()),
            reason: None,
        };
        let texts = Texts { description, metadata: metadata.as_ref(), ..Texts::default() };
        writing(|session| {
            let now = settings::now()?;
            let judge = || {
                currency::resolve_for(session, &call.currency, "amount", amount)
                    .and_then(|c| Ok((c.decimals, open_both(session, (customer_id, to), &call.currency, now)?)))
            };
            match operation::begin(session, customer_id, &call, key, &texts, now, judge)? {
                Begun::Replay(first) => replay(session, customer_id, first),
                Begun::First((decimals, books)) => {
                    let mirror = Operation { counterparty: Some(customer_id.to_string()), ..call.clone() };
                    operation::claim(session, to, &mirror, None, &texts, now)?;
                    transfer(session, books, &call, decimals)
                }
            }
        })
        .map(One)
    })())
}

fn transfer(
    session: &Session,
    (mut sender, mut recipient): (Book, Book),
    call: &Operation,
    decimals: u32,
) -> Result<TransferRow, Error> {
    grant::check_room(&recipient, call.amount, decimals)?;
    posting::take_windows(session, &mut [(&mut sender, call.amount), (&mut recipient, Decimal::ZERO)], &[])?;
    let draws = sender
        .withdraw(LineType::Transfer, call.operation_id, call.amount)
        .map_err(|short| account::insufficient(&sender.customer_id, &call.currency, call.amount, short))?;
    let parts = insert(session, &sender, &recipient, &draws)?;
    let mut debts = posting::debts(session, &recipient, Some(call.amount), None)?;
    let source = Source::Operation(call.operation_id);
    for part in parts {
        recipient.open_grant(LineType::Transfer, part, Some(&source), std::mem::take(&mut debts));
    }
    let row = TransferRow {
        operation_id: call.operation_id,
        to_customer_id: recipient.customer_id.clone(),
        currency: call.currency.clone(),
        transferred: call.amount,
        available: sender.available,
        replayed: false,
    };
    posting::post(session, &[sender, recipient])?;
    Ok(row)
}

/// Both accounts, created if they are missing, locked in key order, and up to date at one moment.
fn open_both(session: &Session, (from, to): (&str, &str), currency: &str, now: Time) -> Result<(Book, Book), Error> {
    customer::must_exist(session, from)?;
    customer::ensure(session, to)?;
    let mut keys: Vec<Key> = [from, to].map(|customer| (customer.to_string(), currency.to_string())).into();
    keys.sort();
    posting::make(session, &keys)?;
    let moment = posting::lock(session, &keys)?.iter().map(|b| b.posted_at).fold(now, Time::max);
    let books = posting::open(session, &keys, moment)?;
    let Ok([first, second]) = <[Book; 2]>::try_from(books) else {
        // Deleted meanwhile.
        customer::must_exist(session, from)?;
        customer::must_exist(session, to)?;
        return Err(Error::internal("an account is not there"));
    };
    Ok(if first.customer_id == from { (first, second) } else { (second, first) })
}

static INSERT: Statement = Statement::new(
    c"INSERT INTO credits_internal.credit_grants (customer_id, grant_id, currency, category, status, priority, amount,
      remaining,
                                         effective_at, expires_at, cost_basis, name, granted_by, metadata, created_at,
                                         transferred_from, cost_amount, cost_currency)
      SELECT $2, x.new_id, g.currency, g.category, 'granted', g.priority, x.amount, x.amount, $6, g.expires_at,
             g.cost_basis, g.name, g.granted_by, g.metadata, $6, $1,
             CASE WHEN c.currency IS NOT NULL THEN
                 credits_internal.share(g.cost_amount, g.amount - x.remaining - h.held, g.amount, c.decimals)
                 - credits_internal.share(g.cost_amount, g.amount - x.remaining - h.held - x.amount, g.amount, c.decimals)
             END, g.cost_currency
      FROM unnest($3, $4, $5, $7) AS x (grant_id, new_id, amount, remaining)
      JOIN credits_internal.credit_grants g ON g.customer_id = $1 AND g.grant_id = x.grant_id
      LEFT JOIN credits_internal.currencies c ON c.currency = g.cost_currency
      CROSS JOIN LATERAL (
          SELECT coalesce(sum(p.amount), 0) AS held
          FROM credits_internal.holds o CROSS JOIN LATERAL unnest(o.grant_ids, o.grant_amounts) AS p (grant_id, amount)
          WHERE c.currency IS NOT NULL AND o.customer_id = $1 AND o.currency = g.currency AND o.status = 'open'
            AND o.expires_at > $6 AND p.grant_id = g.grant_id) h",
    &[TEXTOID, TEXTOID, UUIDARRAYOID, UUIDARRAYOID, NUMERICARRAYOID, TIMESTAMPTZOID, NUMERICARRAYOID],
)
.before(
    c"INSERT INTO credits_internal.credit_grants (customer_id, grant_id, currency, category, status, priority, amount,
      remaining,
                                         effective_at, expires_at, cost_basis, name, granted_by, metadata, created_at,
                                         transferred_from)
      SELECT $2, x.new_id, g.currency, g.category, 'granted', g.priority, x.amount, x.amount, $6, g.expires_at,
             g.cost_basis, g.name, g.granted_by, g.metadata, $6, $1
      FROM unnest($3, $4, $5, $7) AS x (grant_id, new_id, amount, remaining)
      JOIN credits_internal.credit_grants g ON g.customer_id = $1 AND g.grant_id = x.grant_id",
);

/// Each part arrives as a grant of its own, with the terms of the grant that it was taken from, and its part of the cost:
/// what that grant's journal moves for the same line.
fn insert(session: &Session, sender: &Book, recipient: &Book, draws: &[Draw]) -> Result<Vec<Grant>, Error> {
    let lost = || Error::internal("a grant was drawn on and is not there");
    let sources = draws
        .iter()
        .map(|draw| sender.grant(draw.grant.id).cloned().ok_or_else(lost))
        .collect::<Result<Vec<Grant>, Error>>()?;
    let parts: Vec<Grant> = draws
        .iter()
        .zip(&sources)
        .map(|(draw, source)| Grant {
            id: Uuid::now_v7(),
            effective_at: recipient.posted_at,
            amount: draw.amount,
            remaining: draw.amount,
            lapsed: Decimal::ZERO,
            status: Status::Granted,
            was: None,
            clawbacks: Vec::new(),
            reclaimed: false,
            changed: false,
            ..source.clone()
        })
        .collect();
    INSERT.run(
        session,
        &[
            sender.customer_id.cell(),
            recipient.customer_id.cell(),
            array(draws.iter().map(|d| d.grant.id)),
            array(parts.iter().map(|p| p.id)),
            array(parts.iter().map(|p| p.amount)),
            recipient.posted_at.cell(),
            array(sources.iter().map(|source| source.remaining)),
        ],
    )?;
    Ok(parts)
}

fn replay(session: &Session, customer_id: &str, first: Operation) -> Result<TransferRow, Error> {
    let book = balance::current(session, customer_id, &first.currency)?;
    Ok(TransferRow {
        operation_id: first.operation_id,
        to_customer_id: first.counterparty.unwrap_or_default(),
        currency: first.currency,
        transferred: first.amount,
        available: book.map_or(Decimal::ZERO, |b| b.available),
        replayed: true,
    })
}
