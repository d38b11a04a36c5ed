//! Usage of imported history: charged event by event, each at its own moment, those between which nothing falls due in one
//! posting. Nothing is refused: what no credit covered then is owed.

use crate::amount::Decimal;
use crate::error::{Error, quoted};
use crate::ledger::engine::book::Overage;
use crate::metering::batch::accounts::{Accounts, Locking, Owned};
use crate::metering::batch::rows::Charged;
use crate::metering::batch::{meter_of, rows};
use crate::metering::event::invoiced;
use crate::metering::meter::{self, Meter};
use crate::metering::pricing::version::CHARGED_ELSEWHERE;
use crate::metering::pricing::{Aggregation, Pricing};
use crate::metering::report::{self, Cost, Event};
use crate::moment::Time;
use crate::pg::memory;
use crate::pg::statement::Session;
use std::collections::HashMap;
use std::rc::Rc;

/// An event of history.
pub struct Past<'e> {
    /// The usage.
    pub event: &'e Event,
    /// When it was charged.
    pub at: Time,
    /// What it was charged, if that was not its price here.
    pub credits: Option<Decimal>,
}

/// What went wrong, and with which of the events.
pub type Failed = (usize, Error);

/// Charges the first of these events, which are of one customer and given in the order of time: at least one, and those
/// after it up to where something falls due. Returns how many. Raises PC002, PC004 to PC008, PC013.
pub fn charge(session: &Session, currency: &str, events: &[Past<'_>]) -> Result<usize, Failed> {
    let first = |error| (0, error);
    let Some(begin) = events.first().map(|past| past.at) else { return Ok(0) };
    let mut meters: Vec<Rc<Meter>> = Vec::with_capacity(events.len());
    let mut forms = Forms::default();
    for (index, past) in events.iter().enumerate() {
        meters.push(forms.of(session, currency, past).map_err(|error| (index, error))?);
    }
    let mut priced = Vec::with_capacity(events.len());
    for (index, (past, meter)) in events.iter().zip(&meters).enumerate() {
        let mut one = report::price(past.event, Some(meter), past.at).map_err(|error| (index, error))?;
        if let Some(credits) = past.credits {
            one.cost = Cost::Own(credits);
        }
        priced.push(one);
    }
    let mut accounts = Accounts::open(session, priced.iter().collect(), begin, Locking::Wait).map_err(first)?;
    let mut charged = HashMap::with_capacity(priced.len());
    let mut counting = Vec::with_capacity(priced.len());
    for (index, (p, past)) in priced.iter().zip(events).enumerate() {
        memory::let_interrupt();
        if index > 0 && !accounts.go_on(p, past.at) {
            break;
        }
        let charge = accounts.charge(session, p).and_then(|outcome| outcome).map_err(|error| (index, error))?;
        counting.push(charge.counting);
        charged.insert(p.event.identifier.as_str(), index);
    }
    let written = priced.iter().zip(&counting).map(|(p, counting)| Charged::counted(p, None, counting.as_ref()));
    let at =
        |row: &Charged<'_>| charged.get(row.priced.event.identifier.as_str()).map_or(begin, |index| events[*index].at);
    let lost = rows::write_at(session, written.collect(), at).map_err(first)?;
    if let Some(index) = priced.iter().take(charged.len()).position(|p| lost.contains(&p.event.key().owned())) {
        let reason =
            format!("{} was used before, for other usage of the customer", quoted(&priced[index].event.identifier));
        return Err((index, Error::argument("identifier", reason)));
    }
    accounts.post(session, begin).map_err(first)?;
    Ok(charged.len())
}

/// Meters as history has them.
#[derive(Default)]
struct Forms {
    last: Option<(Rc<Meter>, bool, Rc<Meter>)>,
}

impl Forms {
    /// The event's meter with the prices of its time, charging at once and refusing nothing. If it is known what the event
    /// was charged, it has no price.
    fn of(&mut self, session: &Session, currency: &str, past: &Past<'_>) -> Result<Rc<Meter>, Error> {
        let event_name = &past.event.event_name;
        let meter = meter_of(session, past.event)?.ok_or_else(|| meter::missing(session, event_name))?;
        invoiced::refuse(&meter, event_name)?;
        if meter.currency != currency {
            let reason =
                format!("must be a meter that charges {currency}: {} charges {}", quoted(event_name), meter.currency);
            return Err(Error::argument("event_name", reason));
        }
        let elsewhere = past.credits.is_some();
        if let Some((of, was_elsewhere, form)) = &self.last
            && Rc::ptr_eq(of, &meter)
            && *was_elsewhere == elsewhere
        {
            return Ok(form.clone());
        }
        let mut form =
            Meter { active: true, overage: Overage::Pending, deferred: false, fallback: None, ..(*meter).clone() };
        if elsewhere {
            form.price_version = CHARGED_ELSEWHERE;
            form.pricing = Rc::new(Pricing::flat(Decimal::ONE));
            form.aggregation = Aggregation::Sum;
            form.continues = Rc::from([]);
            form.unique_by = None;
        }
        let form = Rc::new(form);
        self.last = Some((meter, elsewhere, form.clone()));
        Ok(form)
    }
}
