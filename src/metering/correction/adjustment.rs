//! Adjustments of meter events: another value for the same usage, priced as of then.

use crate::amount::{self, Decimal};
use crate::error::Error;
use crate::input;
use crate::ledger::engine::book::{Book, Charged};
use crate::ledger::engine::line::{Debt, Period, Source};
use crate::ledger::engine::posting;
use crate::ledger::{account, balance};
use crate::metering::correction::{Stored, debts_to_pay, invoiced};
use crate::metering::meter::{self, Meter};
use crate::metering::period::aggregate::{Report, Standing};
use crate::metering::period::{self, rank};
use crate::metering::pricing::Pricing;
use crate::metering::pricing::version::CHARGED_ELSEWHERE;
use crate::metering::report::status;
use crate::moment::Time;
use crate::pg::call::argument::Numeric;
use crate::pg::call::reply::{One, Reply};
use crate::pg::statement::{Session, Statement, writing};
use crate::pg::value::{Json, ToCell};
use crate::row;
use crate::settings;
use pgrx::pg_extern;
use pgrx::pg_sys::{INT4OID, NUMERICOID, TEXTOID, TIMESTAMPTZOID};
use std::rc::Rc;

row! {
    /// What `meter_event_adjust` returns; amounts in credits of the event's currency.
    pub struct AdjustedRow {
        /// The caller's own.
        pub identifier: String,
        /// 'processed', 'pending' or 'recorded'.
        pub status: &'static str,
        /// Its value by now.
        pub value: Decimal,
        /// Its value before.
        pub value_before: Decimal,
        /// Credits paid for it; below zero, credits that came back.
        pub consumed: Decimal,
        /// Credits owed for it.
        pub pending: Decimal,
        /// Credits that were charged in addition, paid or owed.
        pub charged: Decimal,
        /// Credits that came back to the grants that had paid.
        pub returned: Decimal,
        /// What a plain debit may take now.
        pub available: Decimal,
        /// Whether it had that value already.
        pub replayed: bool,
    }
}

/// `credits.meter_event_adjust`. Raises PC001, PC003, PC007, PC013, PC020, PC021.
#[pg_extern(sql = false)]
fn meter_event_adjust(
    customer_id: Option<&str>,
    identifier: Option<&str>,
    value: Option<Numeric>,
    reason: Option<&str>,
) -> Reply<One<AdjustedRow>> {
    Reply((|| {
        let customer_id = input::key("customer_id", customer_id)?;
        let identifier = input::key("identifier", identifier)?;
        let value = input::number("value", value, amount::not_negative)?;
        input::text("reason", reason)?;
        writing(|session| adjust(session, customer_id, identifier, value, reason)).map(One)
    })())
}

/// What an adjustment did to what the event costs.
#[derive(Default)]
pub(super) struct Change {
    charged: Decimal,
    returned: Decimal,
}

fn adjust(
    session: &Session,
    customer_id: &str,
    identifier: &str,
    value: Decimal,
    reason: Option<&str>,
) -> Result<AdjustedRow, Error> {
    let now = settings::now()?;
    let event = Stored::find(session, customer_id, identifier)?;
    if invoiced::is_invoiced(session, &event)? {
        return invoiced::adjust(session, customer_id, identifier, value, reason);
    }
    if event.has(value)? {
        let book = balance::current(session, customer_id, &event.currency)?;
        let book = book.unwrap_or_else(|| Book::unused(customer_id, &event.currency));
        return Ok(replay(event, &book));
    }
    // An event without cost may be in an account that was never used.
    let book = account::open_or_make(session, customer_id, &event.currency, now)?;
    // Read again: while this waited for the lock, another session may have changed it.
    let event = Stored::find(session, customer_id, identifier)?;
    if event.has(value)? {
        return Ok(replay(event, &book));
    }
    // Once what fell due is posted, unsettled usage is charged, and the tables say what is paid for the event.
    let mut book = account::post_due(session, book)?;
    let mut event = Stored::find(session, customer_id, identifier)?;
    event.has(value)?;
    let before = event.value;
    let lost = || Error::internal("an event has no meter");
    let meter = meter::find(session, &event.event_name, event.occurred_at)?.ok_or_else(lost)?;
    let pricing = meter::prices_of(session, &event.event_name, customer_id, event.price_version)?;
    event.value = value;
    set_value(session, customer_id, &event)?;
    let change = match event.period.clone() {
        None => alone(session, &mut book, &event, &meter, &pricing)?,
        Some(period) => in_period(session, &mut book, &event, before, (&meter, &pricing, &period))?,
    };
    event.follow(&book);
    record(session, customer_id, &event, before, (book.posted_at, reason), &change)?;
    book.touch();
    let row = row(&event, &book, before, &change, false);
    posting::post(session, &[book])?;
    Ok(row)
}

impl Stored {
    /// Whether it has that value already. Raises PC013 if it was canceled, paid from two accounts, or charged elsewhere.
    fn has(&self, value: Decimal) -> Result<bool, Error> {
        if self.price_version == CHARGED_ELSEWHERE && self.value != value {
            let reason = format!(
                "\"{}\" was imported with what it was charged, and has no price here: cancel it, and report the usage anew",
                self.identifier
            );
            return Err(Error::argument("identifier", reason));
        }
        let reason = match (&self.returned, &self.second) {
            (None, None) => return Ok(self.value == value),
            (Some(_), _) => format!("\"{}\" was canceled: it costs nothing any more", self.identifier),
            (None, Some(second)) => format!(
                "\"{}\" was paid in {} too: cancel it, and report the usage under another identifier",
                self.identifier, second.currency
            ),
        };
        Err(Error::argument("identifier", reason))
    }
}

fn replay(mut event: Stored, book: &Book) -> AdjustedRow {
    event.follow(book);
    row(&event, book, event.value, &Change::default(), true)
}

/// Another value for an event that is priced by itself.
fn alone(
    session: &Session,
    book: &mut Book,
    event: &Stored,
    meter: &Meter,
    pricing: &Pricing,
) -> Result<Change, Error> {
    let found = pricing.find(|| event.metadata.as_ref().map(Json::text));
    let (_, price) = found.ok_or_else(|| Error::internal("an event has no price"))?;
    let cost = price
        .cost(meter.aggregation.quantity(event.value), meter.decimals)
        .map_err(|reason| Error::amount("value", event.value, reason))?;
    let more = cost - event.consumed - event.pending;
    book.take_debts(own_debt(event).into_iter().collect());
    if more >= Decimal::ZERO {
        return charge(session, book, event, more, meter);
    }
    let draws = event.draws(session, book)?;
    // The event's own debt may be among them.
    let debts = debts_to_pay(session, book, &draws, event.pending - more)?;
    let returned = book.charge_less(&event.usage(), -more, &draws, debts);
    Ok(Change { charged: Decimal::ZERO, returned })
}

/// Charges more as usage is charged: what no credit covers is owed, or refused.
fn charge(session: &Session, book: &mut Book, event: &Stored, more: Decimal, meter: &Meter) -> Result<Change, Error> {
    posting::take_windows(session, &mut [(&mut *book, more)], &[&event.event_name])?;
    if more.is_zero() {
        return Ok(Change::default());
    }
    posting::take_limits(session, std::slice::from_mut(book), event.member_id.as_deref().into_iter())?;
    match book.charge_more(&event.usage(), more, meter.overage, meter.decimals) {
        Ok(Charged { consumed, pending }) => Ok(Change { charged: consumed + pending, returned: Decimal::ZERO }),
        Err(refusal) => Err(account::refused(session, book, more, ("value", event.value), refusal)),
    }
}

/// Another value for an event of a period: what the period's usage costs changes by it, or does not (if another event
/// counts).
fn in_period(
    session: &Session,
    book: &mut Book,
    event: &Stored,
    before: Decimal,
    (meter, pricing, period): (&Meter, &Pricing, &Rc<Period>),
) -> Result<Change, Error> {
    // What counts is another thing than the value.
    if meter.unique_by.is_some() {
        return charge(session, book, event, Decimal::ZERO, meter);
    }
    let lost = || Error::internal("an event has no period");
    let key = (book.customer_id.clone(), period.clone());
    let standing = period::read(session, vec![key.clone()])?.remove(&key).ok_or_else(lost)?;
    let (price_class, price) = pricing.find(|| event.metadata.as_ref().map(Json::text)).ok_or_else(lost)?;
    let next = if meter.aggregation.is_ranked() {
        let rank = |value| rank::rank(meter.aggregation, value, event.occurred_at);
        let ranks = (rank(before), rank(event.value), event.identifier.as_str());
        rank::moved(session, &standing, meter, &book.customer_id, period, ranks)?
    } else {
        let report = Report {
            value: before,
            occurred_at: event.occurred_at,
            price_version: event.price_version,
            price_class,
            price,
            decimals: meter.decimals,
        };
        standing.with_other(meter.aggregation, &report, event.value)
    };
    let next: Standing = next.map_err(|reason| Error::amount("value", event.value, reason))?;
    let more = next.credits - standing.credits;
    book.take_debts(posting::period_debts(session, book, period)?);
    let change = if more < Decimal::ZERO {
        posting::take_windows(session, &mut [(&mut *book, Decimal::ZERO)], &[&event.event_name])?;
        period::take_what_may_come_back(session, book, period, -more)?;
        Change { charged: Decimal::ZERO, returned: book.lower(&event.usage(), -more) }
    } else {
        charge(session, book, event, more, meter)?
    };
    let price = (event.price_version, price_class);
    period::update(session, &book.customer_id, period, &next, price)?;
    Ok(change)
}

/// What the event owes, as the tables have it.
fn own_debt(event: &Stored) -> Option<Debt> {
    Some(Debt {
        source: Source::Event(event.identifier.clone(), None),
        event_name: Some(event.event_name.clone()),
        consumed: event.consumed,
        pending: event.pending,
        debt_no: event.debt_no?,
        changed: false,
    })
}

// An event that is its own line gets a line among the others first, so that the line stays what it was.
static SET_VALUE: Statement = Statement::new(
    c"WITH line AS (
          INSERT INTO credits_internal.credit_transactions (customer_id, currency, line_no, type, amount,
                                                            running_balance, grant_id, identifier, effective_at,
                                                            created_at)
          SELECT l.customer_id, l.currency, l.line_no, l.type, l.amount, l.running_balance, l.grant_id, l.identifier,
                 l.effective_at, l.created_at
          FROM credits_internal.meter_events e
          JOIN credits_internal.lines l ON l.customer_id = e.customer_id AND l.currency = e.currency
              AND l.line_no = e.line_no
          WHERE e.customer_id = $1 AND e.identifier = $2
      )
      UPDATE credits_internal.meter_events SET value = $3, line_no = NULL, running_balance = NULL, grant_id = NULL
      WHERE customer_id = $1 AND identifier = $2",
    &[TEXTOID, TEXTOID, NUMERICOID],
);

/// Gives an event its new value.
pub(super) fn set_value(session: &Session, customer_id: &str, event: &Stored) -> Result<(), Error> {
    SET_VALUE.run(session, &[customer_id.cell(), event.identifier.cell(), event.value.cell()]).map(drop)
}

static RECORD: Statement = Statement::new(
    c"INSERT INTO credits_internal.event_adjustments (customer_id, identifier, adjustment_no, value_before, value,
                                                      charged, returned, reason, adjusted_at)
      VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
    &[TEXTOID, TEXTOID, INT4OID, NUMERICOID, NUMERICOID, NUMERICOID, NUMERICOID, TEXTOID, TIMESTAMPTZOID],
);

/// Writes an adjustment down.
pub(super) fn record(
    session: &Session,
    customer_id: &str,
    event: &Stored,
    before: Decimal,
    (at, reason): (Time, Option<&str>),
    change: &Change,
) -> Result<(), Error> {
    let arguments = [
        customer_id.cell(),
        event.identifier.cell(),
        (event.adjustments + 1).cell(),
        before.cell(),
        event.value.cell(),
        change.charged.cell(),
        change.returned.cell(),
        reason.cell(),
        at.cell(),
    ];
    RECORD.run(session, &arguments).map(drop)
}

/// The answer to an adjustment.
pub(super) fn row(event: &Stored, book: &Book, value_before: Decimal, change: &Change, replayed: bool) -> AdjustedRow {
    AdjustedRow {
        identifier: event.identifier.clone(),
        status: status(event.pending),
        value: event.value,
        value_before,
        consumed: event.consumed,
        pending: event.pending,
        charged: change.charged,
        returned: change.returned,
        available: book.available,
        replayed,
    }
}
