//! Cancellations of meter events.

use crate::amount::{AmountError, Decimal};
use crate::error::Error;
use crate::input;
use crate::ledger::account;
use crate::ledger::engine::book::{Book, Usage};
use crate::ledger::engine::line::Period;
use crate::ledger::engine::posting;
use crate::metering::correction::{Second, Stored, debts_to_pay, invoiced};
use crate::metering::meter;
use crate::metering::period::aggregate::Report;
use crate::metering::period::{self, rank, unique};
use crate::metering::report::CANCELED;
use crate::moment::Time;
use crate::pg::call::reply::{One, Reply};
use crate::pg::statement::{Session, Statement, writing};
use crate::pg::value::{Json, ToCell};
use crate::row;
use crate::settings;
use pgrx::pg_extern;
use pgrx::pg_sys::{NUMERICOID, TEXTOID, TIMESTAMPTZOID};
use std::rc::Rc;

row! {
    /// What `meter_event_cancel` returns; amounts in credits of the event's currency.
    pub struct CancelRow {
        /// The caller's own.
        pub identifier: String,
        /// 'canceled'.
        pub status: String,
        /// Credits paid for it: none, unless it is priced with others of its period.
        pub consumed: Decimal,
        /// Credits owed for it, likewise.
        pub pending: Decimal,
        /// Credits that came back to the grants that had paid.
        pub returned: Decimal,
        /// What a plain debit may take now.
        pub available: Decimal,
        /// Whether this replays an earlier call.
        pub replayed: bool,
    }
}

/// `credits.meter_event_cancel`. Raises PC007, PC013, PC020.
#[pg_extern(sql = false)]
fn meter_event_cancel(
    customer_id: Option<&str>,
    identifier: Option<&str>,
    reason: Option<&str>,
) -> Reply<One<CancelRow>> {
    Reply((|| {
        let customer_id = input::key("customer_id", customer_id)?;
        input::text("reason", reason)?;
        let identifier = input::key("identifier", identifier)?;
        writing(|session| cancel(session, customer_id, identifier, reason)).map(One)
    })())
}

/// Raises PC013 unless that is an event of a customer's account that was not taken back.
pub fn must_be_of(session: &Session, (customer_id, currency): (&str, &str), identifier: &str) -> Result<(), Error> {
    let event = Stored::find(session, customer_id, identifier)?;
    if event.currency == currency && event.returned.is_none() {
        return Ok(());
    }
    Err(Error::argument("identifier", format!("\"{identifier}\" is no usage in {currency}, or was taken back before")))
}

/// Takes usage back. Raises PC007, PC013, PC020.
pub fn cancel(
    session: &Session,
    customer_id: &str,
    identifier: &str,
    reason: Option<&str>,
) -> Result<CancelRow, Error> {
    let event = Stored::find(session, customer_id, identifier)?;
    if invoiced::is_invoiced(session, &event)? {
        return invoiced::cancel(session, customer_id, identifier, reason);
    }
    if let Some(second) = &event.second {
        // Both accounts at once, in their order.
        let mut keys = [&event.currency, &second.currency].map(|code| (customer_id.to_string(), code.clone()));
        keys.sort_unstable();
        posting::lock(session, &keys)?;
    }
    let Some(book) = account::open(session, customer_id, &event.currency, settings::now()?)? else {
        // An event without cost, in an account that was never used.
        let book = Book::unused(customer_id, &event.currency);
        if event.returned.is_none() {
            record(session, customer_id, identifier, settings::now()?, reason, Decimal::ZERO)?;
        }
        return Ok(row(&event, &book, Decimal::ZERO, event.returned.is_some()));
    };
    // Read again: while this waited for the lock, another session may have canceled it.
    let mut event = Stored::find(session, customer_id, identifier)?;
    if let Some(returned) = event.returned {
        event.follow(&book);
        return Ok(row(&event, &book, returned, true));
    }
    // Once what fell due is posted, the tables say what is paid for the event, and the ledger has every line that paid.
    let mut book = account::post_due(session, book)?;
    event = Stored::find(session, customer_id, identifier)?;
    let returned = match event.period.clone() {
        None => cancel_alone(session, &mut book, &event)?,
        Some(period) => cancel_in_period(session, &mut book, &event, &period)?,
    };
    record(session, customer_id, identifier, book.posted_at, reason, returned)?;
    // An event that is priced by itself costs nothing now; for one of a period, the book has what changed.
    if event.period.is_none() {
        (event.consumed, event.pending) = (Decimal::ZERO, Decimal::ZERO);
    }
    event.follow(&book);
    let answer = row(&event, &book, returned, false);
    let mut books = vec![book];
    if let Some(second) = &event.second {
        books.push(give_back(session, customer_id, &event, second)?);
    }
    posting::post(session, &books)?;
    Ok(answer)
}

/// Gives back what the meter's second currency paid for an event, whose account is locked.
fn give_back(session: &Session, customer_id: &str, event: &Stored, second: &Second) -> Result<Book, Error> {
    let book = account::open_existing(session, customer_id, &second.currency, settings::now()?)?;
    let mut book = account::post_due(session, book)?;
    let draws = event.draws_of(session, &book, (second.amount, Decimal::ZERO))?;
    let debts = debts_to_pay(session, &mut book, &draws, second.amount)?;
    book.cancel(&Usage::new(&event.identifier, &event.event_name), Decimal::ZERO, &draws, debts);
    Ok(book)
}

/// Cancels an event that is priced by itself, completely.
fn cancel_alone(session: &Session, book: &mut Book, event: &Stored) -> Result<Decimal, Error> {
    let draws = event.draws(session, book)?;
    // The event's own debt is gone.
    let debts = debts_to_pay(session, book, &draws, event.consumed + event.pending)?;
    book.cancel(&event.usage(), event.pending, &draws, debts);
    if event.pending > Decimal::ZERO {
        FORGET_DEBT.run(session, &[book.customer_id.cell(), event.identifier.cell()])?;
    }
    Ok(event.consumed)
}

/// Takes an event out of its period's usage. The rest may cost less, the same, or more (if another value now counts).
/// Returns the credits that came back.
fn cancel_in_period(session: &Session, book: &mut Book, event: &Stored, period: &Rc<Period>) -> Result<Decimal, Error> {
    let lost = || Error::internal("an event has no meter or no period");
    let meter = meter::find(session, &event.event_name, event.occurred_at)?.ok_or_else(lost)?;
    let key = (book.customer_id.clone(), period.clone());
    let standing = period::read(session, vec![key.clone()])?.remove(&key).ok_or_else(lost)?;
    let pricing = meter::prices_of(session, &event.event_name, &book.customer_id, event.price_version)?;
    let found = pricing.find(|| event.metadata.as_ref().map(Json::text));
    let (price_class, price) = found.ok_or_else(lost)?;
    // Values that count once may count at the price of another event.
    let (mut version, mut class) = (event.price_version, price_class.to_string());
    let next = if meter.unique_by.is_some() {
        let of_event = (&**period, event.metadata.as_ref());
        let (next, price) = unique::without(session, &standing, &meter, &book.customer_id, of_event)?;
        (version, class) = price;
        next
    } else if meter.aggregation.is_ranked() {
        let ranked = (rank::rank(meter.aggregation, event.value, event.occurred_at), event.identifier.as_str());
        rank::without(session, &standing, &meter, &book.customer_id, period, ranked)?
    } else {
        let report = Report {
            value: event.value,
            occurred_at: event.occurred_at,
            price_version: event.price_version,
            price_class,
            price,
            decimals: meter.decimals,
        };
        standing.without(meter.aggregation, &report)
    };
    let next = next.map_err(|reason| Error::amount("value", event.value, reason))?;
    let more = next.credits - standing.credits;
    posting::take_windows(session, &mut [(&mut *book, more.max(Decimal::ZERO))], &[&event.event_name])?;
    book.take_debts(posting::period_debts(session, book, period)?);
    let mut returned = Decimal::ZERO;
    if more < Decimal::ZERO {
        period::take_what_may_come_back(session, book, period, -more)?;
        returned = book.lower(&event.usage(), -more);
    } else if book.can_owe_for(&event.event_name, more, meter.decimals) {
        book.charge_anyway(&event.usage(), more, book.posted_at);
    } else {
        return Err(Error::amount("value", event.value, AmountError::TooMuchOwed));
    }
    book.touch();
    period::update(session, &book.customer_id, period, &next, (version, class.as_str()))?;
    Ok(returned)
}

static RECORD: Statement = Statement::new(
    c"INSERT INTO credits_internal.canceled_events (customer_id, identifier, canceled_at, reason, returned)
      VALUES ($1, $2, $3, $4, $5)",
    &[TEXTOID, TEXTOID, TIMESTAMPTZOID, TEXTOID, NUMERICOID],
);

// Drops the debt of an event that is priced by itself; its `consumed` stays as it was, and has come back.
static FORGET_DEBT: Statement = Statement::new(
    c"WITH forgotten AS (
          DELETE FROM credits_internal.event_debts WHERE customer_id = $1 AND identifier = $2
      )
      UPDATE credits_internal.meter_events SET pending = 0 WHERE customer_id = $1 AND identifier = $2",
    &[TEXTOID, TEXTOID],
);

/// Writes down that an event was taken back.
pub(super) fn record(
    session: &Session,
    customer_id: &str,
    identifier: &str,
    at: Time,
    reason: Option<&str>,
    returned: Decimal,
) -> Result<(), Error> {
    let arguments = [customer_id.cell(), identifier.cell(), at.cell(), reason.cell(), returned.cell()];
    RECORD.run(session, &arguments).map(drop)
}

/// The answer to a cancellation.
pub(super) fn row(event: &Stored, book: &Book, returned: Decimal, replayed: bool) -> CancelRow {
    CancelRow {
        identifier: event.identifier.clone(),
        status: CANCELED.to_string(),
        consumed: event.consumed,
        pending: event.pending,
        returned,
        available: book.available,
        replayed,
    }
}
