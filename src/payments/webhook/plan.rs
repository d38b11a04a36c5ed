//! Events of plans that a provider bills: who keeps plans is asked what became of each, and of those that came before anybody
//! knew whose they are. All of one subscription are applied one after another.

use crate::error::Error;
use crate::moment::Time;
use crate::payments::listener::{PLANS, Reported};
use crate::payments::notification::case;
use crate::payments::payment_intent as intent;
use crate::payments::provider::{self, Expected};
use crate::payments::providers::event::Event;
use crate::payments::providers::plan::{Report, Says};
use crate::payments::webhook::lookup::{self, Ignored};
use crate::payments::webhook::{WebhookRow, claim_one, received, settle};
use crate::pg::locking::lock::Lock;
use crate::pg::statement::{Session, Statement};
use crate::pg::value::ToCell;
use pgrx::pg_sys::TEXTOID;
use std::collections::BTreeSet;

/// Applies an event that is claimed, and what came before it and waited for it.
pub fn receive(
    session: &Session,
    expected: &Expected<'_>,
    event: &Event,
    was_ignored: bool,
    now: Time,
) -> Result<WebhookRow, Error> {
    let name = expected.provider;
    let mut waiting = self::waiting(session, name, event.subject.payment.as_deref(), &event.id)?;
    lock(session, name, waiting.iter().chain([event]));
    waiting.extend(named_by(session, name, event)?);
    let reported = ask(session, expected, event, now)?;
    let row = record(session, name, event, reported, was_ignored, now)?;
    if row.outcome != "ignored" {
        payments(session, expected, event, now)?;
        catch_up(session, expected, waiting, now)?;
    }
    Ok(row)
}

/// Waits for whoever applies an event of a subscription, before its name is claimed and anything is locked for it.
pub fn wait(session: &Session, name: &str, subscription: &str) {
    Lock::of(session, c"webhook_events", (name, subscription)).take();
}

/// What came of a subscription before it was known is applied now that it is. Nobody else applies events of it.
pub fn known(session: &Session, name: &str, subscription: &str, now: Time) -> Result<(), Error> {
    let waiting = waiting(session, name, Some(subscription), "")?;
    lock(session, name, waiting.iter());
    let Some(expected) = provider::expected(session, name, now)? else { return Ok(()) };
    catch_up(session, &expected, waiting, now)
}

/// The events that were ignored of a subscription, in the order in which they happened.
fn waiting(session: &Session, name: &str, about: Option<&str>, except: &str) -> Result<Vec<Event>, Error> {
    let Some(about) = about else { return Ok(Vec::new()) };
    let mut waiting = received::ignored(session, name, about, except)?;
    waiting.retain(|event| event.plan.is_some());
    waiting.sort_by_key(|event| event.plan.as_ref().map(|report| report.at));
    Ok(waiting)
}

/// What waits for the name that an event gives a subscription which was known by something else so far. It is locked.
fn named_by(session: &Session, name: &str, event: &Event) -> Result<Vec<Event>, Error> {
    let report = event.plan.as_ref().filter(|report| report.pair.is_some());
    waiting(session, name, report.and_then(|report| report.subscription.as_deref()), &event.id)
}

/// One event at a time of the subscriptions, the invoices and the payments that these name.
fn lock<'a>(session: &Session, name: &str, events: impl Iterator<Item = &'a Event>) {
    let reports = events.filter_map(|event| event.plan.as_ref());
    let named: BTreeSet<&String> = reports.flat_map(names).collect();
    named.into_iter().for_each(|about| Lock::of(session, c"webhook_events", (name, about)).take());
}

fn names(report: &Report) -> Vec<&String> {
    let subscription = report.subscription.as_ref().filter(|_| report.pair.is_some());
    subscription.into_iter().chain(of_payment(report)).collect()
}

/// An invoice that is paid, and its payment.
fn of_payment(report: &Report) -> impl Iterator<Item = &String> {
    let (invoice, payment) = match &report.says {
        Says::Paid(bill) => (Some(&bill.invoice), bill.payment.as_ref()),
        Says::PaidBy { invoice, payment } => (Some(invoice), Some(payment)),
        _ => (None, None),
    };
    invoice.into_iter().chain(payment)
}

/// What became of it, or why it changes nothing.
fn ask(
    session: &Session,
    expected: &Expected<'_>,
    event: &Event,
    now: Time,
) -> Result<Result<Reported, Ignored>, Error> {
    if let Some(ignored) = lookup::unexpected(expected, event) {
        return Ok(Err(ignored));
    }
    let Some(report) = &event.plan else { return Ok(Err(Ignored::Kind)) };
    for plans in PLANS.all() {
        match plans.reported(session, expected.provider, report, now)? {
            Reported::Unknown => {}
            reported => return Ok(Ok(reported)),
        }
    }
    Ok(Err(Ignored::Unknown))
}

fn record(
    session: &Session,
    name: &str,
    event: &Event,
    reported: Result<Reported, Ignored>,
    was_ignored: bool,
    now: Time,
) -> Result<WebhookRow, Error> {
    let mut row = WebhookRow::ignored(event);
    let mut may_be = event.plan.as_ref().and_then(|report| report.customer_id.clone());
    match reported {
        Err(ignored) => row.reason = Some(String::from(ignored.as_str())),
        Ok(Reported::OtherCustomer(customer_id)) => {
            row.reason = Some(String::from(Ignored::OtherCustomer.as_str()));
            may_be = Some(customer_id);
        }
        Ok(Reported::Unknown) => row.reason = Some(String::from(Ignored::Unknown.as_str())),
        Ok(Reported::Applied(customer_id, intent_id)) => {
            row.outcome = String::from("applied");
            (row.customer_id, row.top_up_id) = (Some(customer_id), intent_id);
        }
        Ok(Reported::Contradiction(customer_id, intent_id)) => {
            row.outcome = String::from("contradiction");
            (row.customer_id, row.top_up_id) = (Some(customer_id), intent_id);
        }
    }
    if let (Some(customer_id), Some(id)) = (&row.customer_id, row.top_up_id) {
        row.status = Some(intent::find(session, customer_id, id)?.status_at(now).to_string());
    }
    received::settle(session, name, &row, row.customer_id.as_deref().or(may_be.as_deref()))?;
    row.replayed = was_ignored && row.outcome == "ignored";
    Ok(row)
}

/// Applies what waited, as long as one of them makes another known.
fn catch_up(session: &Session, expected: &Expected<'_>, mut waiting: Vec<Event>, now: Time) -> Result<(), Error> {
    loop {
        let mut is_any = false;
        let mut still = Vec::new();
        for event in waiting {
            match ask(session, expected, &event, now)? {
                reported @ Ok(Reported::Applied(..) | Reported::Contradiction(..)) => {
                    record(session, expected.provider, &event, reported, false, now)?;
                    payments(session, expected, &event, now)?;
                    is_any = true;
                    still.extend(named_by(session, expected.provider, &event)?);
                }
                _ => still.push(event),
            }
        }
        waiting = still;
        if waiting.is_empty() || !is_any {
            return Ok(());
        }
    }
}

/// What came of the invoice's payment before anybody knew what that is of: by which payment it is paid, a refund, a dispute.
fn payments(session: &Session, expected: &Expected<'_>, event: &Event, now: Time) -> Result<(), Error> {
    let name = expected.provider;
    let Some(report) = &event.plan else { return Ok(()) };
    for about in of_payment(report) {
        for earlier in received::ignored(session, name, about, &event.id)? {
            if earlier.plan.is_some() {
                if let reported @ Ok(Reported::Applied(..)) = ask(session, expected, &earlier, now)? {
                    record(session, name, &earlier, reported, false, now)?;
                    payments(session, expected, &earlier, now)?;
                }
                continue;
            }
            let (earlier, mut claim) = claim_one(session, expected, canonical(session, name, earlier)?, now)?;
            if let Ok(claim) = &mut claim {
                case::lock(session, &mut [claim])?;
            }
            settle(session, name, &earlier, claim)?;
        }
    }
    Ok(())
}

static CANONICAL: Statement = Statement::new(
    c"SELECT t.provider_reference FROM credits_internal.plan_references r
      JOIN credits_internal.payment_intents t ON t.customer_id = r.customer_id AND t.payment_intent_id = r.object_id
      WHERE r.provider = $1 AND r.kind = 'payment' AND r.reference = $2 AND t.provider_reference <> $2",
    &[TEXTOID, TEXTOID],
)
.before(c"SELECT NULL::text WHERE num_nonnulls($1, $2) < 0");

/// The same event of the name under which its payment was recorded: that of an invoice is known by the invoice's where its own
/// was not said then.
pub fn canonical(session: &Session, name: &str, mut event: Event) -> Result<Event, Error> {
    let Some(payment) = event.subject.payment.clone() else { return Ok(event) };
    let rows = CANONICAL.run(session, &[name.cell(), payment.cell()])?;
    let Some(known): Option<String> = rows.first().map(|mut row| row.next()).transpose()? else { return Ok(event) };
    for one in [&mut event.reference, &mut event.subject.payment, &mut event.subject.of_payment] {
        if one.as_deref() == Some(&payment) {
            *one = Some(known.clone());
        }
    }
    Ok(event)
}
