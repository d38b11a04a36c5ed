//! Captures of holds: `hold_capture`. One that names a meter is an event of that meter, charged like any other, except that
//! the hold pays for it. What all captures have in common is in ledger/hold/capture.rs.

use crate::amount::{self, Decimal};
use crate::error::{Error, quoted};
use crate::input;
use crate::ledger::account;
use crate::ledger::engine::book::{Book, Overage, Usage};
use crate::ledger::engine::limit::Use;
use crate::ledger::engine::line::{Period, Source};
use crate::ledger::engine::operation::Texts;
use crate::ledger::engine::posting;
use crate::ledger::hold::capture::{self, Begun, Capture, More};
use crate::ledger::hold::{HoldRow, Stored, replay as hold_replay};
use crate::metering::batch::rows::Charged;
use crate::metering::batch::{self, replay, rows};
use crate::metering::event::invoiced;
use crate::metering::meter;
use crate::metering::period::aggregate::Standing;
use crate::metering::period::place::{self, Place};
use crate::metering::period::rank::{self, Rank};
use crate::metering::period::value::Values;
use crate::metering::period::{self, Written, unique};
use crate::metering::report::{Cost, Event, Extras, Priced, price};
use crate::moment::Time;
use crate::pg::call::argument::{Id, Numeric};
use crate::pg::call::reply::{One, Reply};
use crate::pg::statement::{Session, Statement, writing};
use crate::pg::value::{Json, ToCell};
use crate::settings;
use pgrx::pg_extern;
use pgrx::pg_sys::TEXTOID;
use std::rc::Rc;
use uuid::Uuid;

crate::older!(hold_capture_wrapper => hold_capture_2_wrapper, 5 of 12);

/// `credits.hold_capture`. Raises PC001 to PC002, PC004 to PC007, PC010, PC013.
#[pg_extern(sql = false)]
#[allow(clippy::too_many_arguments)]
fn hold_capture_2(
    customer_id: Option<&str>,
    hold_id: Option<Id>,
    amount: Option<Numeric>,
    description: Option<&str>,
    metadata: Option<Json>,
    event_name: Option<&str>,
    value: Option<Numeric>,
    identifier: Option<&str>,
    more: Option<&str>,
    r#final: Option<bool>,
    late: Option<&str>,
    idempotency_key: Option<&str>,
) -> Reply<One<HoldRow>> {
    Reply((|| {
        let customer_id = input::key("customer_id", customer_id)?;
        input::text("description", description)?;
        let hold_id = input::required("hold_id", hold_id)?.0;
        let amount = input::optional_number("amount", amount, amount::not_negative)?;
        let is_event = event_name.is_some() || value.is_some() || identifier.is_some();
        let identifier = input::optional_key("identifier", identifier)?;
        let key = input::optional_key("idempotency_key", idempotency_key)?;
        let (more, last) = (More::read(more)?, r#final.unwrap_or(true));
        let late = input::choice("late", late, "refuse", &["refuse", "charge"])? == "charge";
        if !last && key.is_none() && identifier.is_none() {
            let reason =
                "is required where final is false, or the identifier of an event: it tells a repeat from another part";
            return Err(Error::argument("idempotency_key", reason));
        }
        let metadata_of_capture = metadata.as_ref().filter(|_| !is_event);
        let texts = Texts { description, metadata: metadata_of_capture, ..Texts::default() };
        let capture = Capture { customer_id, hold_id, amount, more, last, late, key, identifier, texts };
        writing(|session| {
            if !is_event {
                return capture::capture(session, &capture);
            }
            // The hold's own meter, where it is for one.
            let Stored { member_id, event_name: of_hold, .. } = Stored::find(session, customer_id, hold_id)?;
            let extras = Extras { metadata: metadata.clone(), member_id, ..Extras::default() };
            let (now, value) = (settings::now()?, input::optional_number("value", value, amount::not_negative)?);
            let event = Event {
                customer_id: customer_id.to_string(),
                event_name: input::kept_key("event_name", event_name.or(of_hold.as_deref()))?,
                value: value.unwrap_or(Decimal::ONE),
                identifier: input::kept_key("identifier", identifier)?,
                occurred_at: now,
                extras,
            };
            capture_event(session, &capture, &event, now)
        })
        .map(One)
    })())
}

static FIND: Statement = Statement::new(
    c"SELECT e.event_name, e.reported_value, c.hold_id, c.capture_id, c.amount
      FROM credits_internal.events e
      LEFT JOIN credits_internal.hold_captures c ON c.customer_id = e.customer_id AND c.identifier = e.identifier
      WHERE e.customer_id = $1 AND e.identifier = $2",
    &[TEXTOID, TEXTOID],
);

/// The answer to a capture whose key or identifier was used before, if one was. Raises PC002 where that was something
/// else.
fn replayed(session: &Session, capture: &Capture<'_>, event: &Event, now: Time) -> Result<Option<HoldRow>, Error> {
    if let Some(row) = hold_replay::replay_of_key(session, capture, now)? {
        return Ok(Some(row));
    }
    let rows = FIND.run(session, &[event.customer_id.cell(), event.identifier.cell()])?;
    let Some(mut row) = rows.first() else { return Ok(None) };
    let (event_name, value): (String, Decimal) = (row.next()?, row.next()?);
    replay::check(event, (&event_name, value))?;
    let hold_id: Option<Uuid> = row.next()?;
    if hold_id != Some(capture.hold_id) {
        return Err(Error::IdempotencyConflict {
            argument: "identifier",
            key: event.identifier.clone(),
            difference: "hold",
            first: hold_id.map(|id| id.to_string()),
            given: Some(capture.hold_id.to_string()),
        });
    }
    let (capture_id, amount) = (row.next()?, row.next()?);
    hold_replay::answer(session, capture, (capture_id, amount), now).map(Some)
}

/// What an event costs now, and for usage that is priced together, what it stands at then.
struct Costs<'p> {
    credits: Decimal,
    together: Option<Together<'p>>,
}

/// What usage that is priced together stands at.
struct Together<'p> {
    period: Rc<Period>,
    place: &'p Place,
    next: Standing,
    /// The price of that: its version, and which of its prices.
    price: (i32, String),
    values: Values<'p>,
}

/// The account is locked.
fn cost<'p>(session: &Session, priced: &'p Priced<'p>) -> Result<Costs<'p>, Error> {
    if let Cost::Own(credits) = priced.cost {
        return Ok(Costs { credits, together: None });
    }
    place::of_customers(session, std::iter::once(priced))?;
    let place = priced.place().ok_or_else(|| place::missing(&priced.event.customer_id))?;
    let mut values = unique::read(session, priced.value().into_iter())?;
    let known = values.find(priced.value()).cloned();
    let period = known.as_ref().map_or(&place.period, |known| &known.period).clone();
    let price = known.as_ref().and_then(|known| known.price.clone());
    let price = price.unwrap_or_else(|| (priced.meter.price_version, priced.price_class.to_string()));
    let key = (priced.event.customer_id.clone(), period.clone());
    let earlier = priced.continues();
    let mut standings = period::read(session, std::iter::once(key.clone()).chain(earlier.clone()).collect())?;
    let mut before = standings.remove(&key).unwrap_or_default();
    before.carried = before.carried_after(earlier.iter().filter_map(|key| standings.get(key)));
    let next = match before.with(priced.meter.aggregation, &priced.in_period()) {
        _ if known.is_some() => before.with_known(),
        next => next.map_err(|reason| Error::amount("value", priced.event.value, reason))?,
    };
    if let Some(value) = priced.value() {
        values.add(value, &period);
    }
    let credits = next.credits - before.credits;
    Ok(Costs { credits, together: Some(Together { period, place, next, price, values }) })
}

/// Captures credits of a hold as an event of a meter. Raises PC001, PC002, PC004 to PC007, PC010, PC013.
fn capture_event(session: &Session, capture: &Capture<'_>, event: &Event, now: Time) -> Result<HoldRow, Error> {
    if let Some(row) = replayed(session, capture, event, now)? {
        return Ok(row);
    }
    let meter = batch::meter_of(session, event)?.ok_or_else(|| meter::missing(session, &event.event_name))?;
    invoiced::refuse(&meter, &event.event_name)?;
    let priced = price(event, Some(&meter), now)?;
    let mut opened = match capture::begin(session, capture, now) {
        Ok(Begun::Opened(opened)) => *opened,
        Ok(Begun::Replay(row)) => return Ok(*row),
        // While this waited for the lock, the first call may have committed.
        Err(error) => return replayed(session, capture, event, now)?.ok_or(error),
    };
    if let Some(row) = replayed(session, capture, event, now)? {
        return Ok(row);
    }
    let currency = opened.stored.currency.clone();
    if meter.currency != currency {
        let reason =
            format!("must be a meter that charges {currency}, as the hold does: it charges {}", meter.currency);
        return Err(Error::argument("event_name", reason));
    }
    if let Some(meter) = opened.stored.event_name.as_ref().filter(|meter| **meter != event.event_name) {
        let reason =
            format!("must be {}, whose usage the hold is for: it is {}", quoted(meter), quoted(&event.event_name));
        return Err(Error::argument("event_name", reason));
    }
    let Costs { credits, together } = cost(session, &priced)?;
    // Usage that lowers its period's price captures nothing.
    let amount = credits.max(Decimal::ZERO);
    if let Some(given) = capture.amount.filter(|given| *given != amount) {
        let reason =
            format!("must be NULL, or what the event costs, {}: it is {}", amount.normalize(), given.normalize());
        return Err(Error::argument("amount", reason));
    }
    let held = opened.held_part(session, capture, amount)?;
    let rest = amount - held;
    opened.load(session, capture, (held, rest), &[&event.event_name])?;
    let spending = Use { member_id: event.extras.member_id.as_deref(), event_name: Some(&event.event_name), amount };
    let of_hold = opened.stored.event_name.clone();
    if let Err(exceeded) = opened.book.limits.admit_captured(&spending, of_hold.as_deref(), held) {
        return Err(posting::exceeded(session, &opened.book, exceeded));
    }
    let period = together.as_ref().map(|together| together.period.clone());
    if let Some(period) = period.as_ref().filter(|_| credits < Decimal::ZERO) {
        period::take_what_may_come_back(session, &mut opened.book, period, -credits)?;
    }
    // The event's row claims its identifier.
    let charged = Charged { priced: &priced, line: None, period: period.as_ref() };
    if !rows::write(session, vec![charged], now)?.is_empty() {
        return replayed(session, capture, event, now)?.ok_or_else(replay::lost);
    }
    let capture_id = Uuid::now_v7();
    if !capture::claim(session, capture, (capture_id, amount), &opened.stored, now)? {
        hold_replay::taken(session, capture, now)?;
        return Err(Error::internal("an event was claimed, and its capture was another's"));
    }
    if let Some(together) = &together {
        write_standing(session, &priced, together)?;
    }
    let usage = Usage {
        period: period.clone(),
        consumed: held,
        member_id: event.extras.member_id.as_deref(),
        ..Usage::new(&event.identifier, &event.event_name)
    };
    let source = Source::Captured(capture_id, event.identifier.clone(), period);
    opened.finish(session, capture, (Some(capture_id), amount, held), &source, |book| {
        if credits < Decimal::ZERO {
            book.lower(&usage, -credits);
            return Ok(Decimal::ZERO);
        }
        charge_rest(session, book, &priced, &usage, (rest, capture.more))
    })
}

/// Charges what the hold does not pay. Returns what is owed of it: nothing unless the caller and the meter let it.
fn charge_rest(
    session: &Session,
    book: &mut Book,
    priced: &Priced<'_>,
    usage: &Usage<'_>,
    (rest, more): (Decimal, More),
) -> Result<Decimal, Error> {
    let overage = if more == More::Pending { priced.meter.overage } else { Overage::Reject };
    match book.charge_rest(usage, rest, overage, priced.meter.decimals) {
        Ok(charged) => Ok(charged.pending),
        Err(refusal) => Err(account::refused(session, book, rest, ("value", priced.event.value), refusal)),
    }
}

/// Writes what a period's usage stands at with the event.
fn write_standing(session: &Session, priced: &Priced<'_>, together: &Together<'_>) -> Result<(), Error> {
    let (event, meter) = (priced.event, priced.meter);
    let Together { period, place, next, price: (version, class), values } = together;
    let (customer_id, currency, price) = (&event.customer_id, &meter.currency, (*version, class.as_str()));
    let written = Written { customer_id, period, place, currency, standing: next, price };
    period::write(session, &[written])?;
    unique::write(session, values)?;
    if !meter.aggregation.is_ranked() {
        return Ok(());
    }
    let rank = Rank {
        customer_id: event.customer_id.clone(),
        period: period.clone(),
        rank: rank::rank(meter.aggregation, event.value, event.occurred_at),
        event_no: next.last_no,
        identifier: event.identifier.clone(),
    };
    rank::write(session, &[rank])
}
