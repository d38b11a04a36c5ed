//! How a subscription stands, as the provider says: the last that it said counts, by when it happened, and not by when that
//! arrived.

use crate::error::Error;
use crate::moment::Time;
use crate::outbox::billing_event::EventType;
use crate::payments::listener::Reported;
use crate::payments::providers::plan::{self, Report, Standing};
use crate::pg::statement::{Session, Statement};
use crate::pg::value::ToCell;
use crate::subscriptions::advance;
use crate::subscriptions::external::reference::{self, Kind};
use crate::subscriptions::external::{Told, changed, open};
use crate::subscriptions::instalments;
use crate::subscriptions::item::{self, Item};
use crate::subscriptions::schedule::cycle::{Cycle, Period, Step};
use crate::subscriptions::schedule::state::Status;
use crate::subscriptions::subscription::Subscription;
use pgrx::pg_sys::{INT4OID, NUMERICOID, TEXTOID, TIMESTAMPTZOID, UUIDOID};
use uuid::Uuid;

/// Of two statuses of one second, the one that comes later in a subscription's life is the later one.
fn rank(status: Status) -> u8 {
    match status {
        Status::Incomplete => 0,
        Status::Trialing => 1,
        Status::Paused => 2,
        Status::PastDue => 3,
        Status::Active => 4,
        Status::IncompleteExpired => 5,
        Status::Canceled => 6,
    }
}

/// Whether what is said of a status as of a moment is later than what was said before.
fn is_later((at, status): (Time, Status), before: Option<Time>, was: Status) -> bool {
    !was.is_over() && before.is_none_or(|before| (at, rank(status)) >= (before, rank(was)))
}

/// The provider says all of it.
pub fn stands(
    session: &Session,
    provider: &str,
    which: (&str, Uuid),
    (report, standing, at): (&Report, &Standing, Time),
    now: Time,
) -> Result<Reported, Error> {
    // Names are claimed before anything is locked.
    let mut prices = Vec::new();
    for given in &standing.items {
        prices.push(reference::price(session, provider, &given.price, now)?);
    }
    let (customer, mut there, mut told) = open(session, which)?;
    instalments::lock_accounts(session, &there)?;
    let status = Status::parse(standing.status).unwrap_or(there.status);
    let is_last = told.all_at.is_none_or(|before| (at, rank(status)) >= (before, rank(there.status)));
    let given: Vec<(&plan::Item, Uuid)> =
        standing.items.iter().zip(prices).filter_map(|(given, price_id)| Some((given, price_id?))).collect();
    if !given.is_empty() {
        items(session, provider, &there, (&given, is_last), at)?;
    }
    if is_last {
        terms(session, &mut there, &told, standing)?;
        told.all_at = Some(at);
        cancellation(session, &mut there, standing, now)?;
    }
    if !standing.status.is_empty() && is_later((at, status), told.status_at, there.status) {
        told.status_at = Some(at);
        set(session, &mut there, status, standing.ended_at.unwrap_or(at), now)?;
    }
    told.save(session, &there, provider, report)?;
    match is_last {
        true => advance::record(session, &there, EventType::SubscriptionUpdated, now)?,
        false => advance::save(session, &there, now)?,
    }
    changed::settle(session, &customer, &mut there, now)?;
    Ok(Reported::Applied(there.customer_id, None))
}

/// A payment of one of its invoices failed.
pub fn failed(session: &Session, which: (&str, Uuid), at: Time, now: Time) -> Result<Reported, Error> {
    let (_, mut there, told) = open(session, which)?;
    let is_owed = matches!(there.status, Status::Active | Status::Trialing);
    if is_owed && is_later((at, Status::PastDue), told.status_at, there.status) {
        advance::record(session, &there, EventType::SubscriptionRenewFailed, now)?;
        status_at(session, &there, at)?;
        set(session, &mut there, Status::PastDue, at, now)?;
    }
    Ok(Reported::Applied(there.customer_id, None))
}

/// An invoice of it is paid: of a trial, or of a period. That ends no pause.
pub fn paid(session: &Session, there: &mut Subscription, (at, is_trial): (Time, bool), now: Time) -> Result<(), Error> {
    if there.status == Status::Paused {
        return Ok(());
    }
    let told = Told::read(session, there)?;
    let status = if is_trial { Status::Trialing } else { Status::Active };
    if is_later((at, status), told.status_at, there.status) {
        status_at(session, there, at)?;
        set(session, there, status, at, now)?;
    }
    Ok(())
}

static STATUS_AT: Statement = Statement::new(
    c"UPDATE credits_internal.subscriptions s SET status_at = $3 WHERE s.customer_id = $1 AND s.subscription_id = $2",
    &[TEXTOID, UUIDOID, TIMESTAMPTZOID],
);

fn status_at(session: &Session, there: &Subscription, at: Time) -> Result<(), Error> {
    STATUS_AT.run(session, &[there.customer_id.cell(), there.id.cell(), at.cell()]).map(drop)
}

/// It is that from then on. Its accounts are locked with this.
fn set(session: &Session, there: &mut Subscription, status: Status, at: Time, now: Time) -> Result<(), Error> {
    let was = there.status;
    if was == status {
        return Ok(());
    }
    there.status = status;
    there.paused_at = (status == Status::Paused).then_some(at);
    there.past_due_at = (status == Status::PastDue).then(|| there.past_due_at.unwrap_or(at));
    there.ended_at = status.is_over().then_some(at);
    if status.is_over() {
        there.canceled_at = there.canceled_at.or(Some(at));
    }
    instalments::lock_accounts(session, there)?;
    let event = match (was, status) {
        (_, Status::Canceled | Status::IncompleteExpired) => {
            instalments::end(session, there, (at, Time::NEVER), "The subscription has ended", now)?;
            EventType::SubscriptionDeleted
        }
        (_, Status::Paused) => {
            instalments::end(session, there, (at.next(), Time::NEVER), "The subscription is paused", now)?;
            EventType::SubscriptionPaused
        }
        (Status::Paused, _) => {
            instalments::bring_back(session, there, at)?;
            instalments::end_at_cancel(session, there, now)?;
            EventType::SubscriptionResumed
        }
        (_, Status::PastDue) => EventType::SubscriptionPastDue,
        (Status::PastDue, _) => EventType::SubscriptionRecovered,
        (_, Status::Trialing) => EventType::SubscriptionTrialStart,
        (_, Status::Active) => EventType::SubscriptionStarted,
        _ => EventType::SubscriptionUpdated,
    };
    advance::record(session, there, event, now)
}

static TERMS: Statement = Statement::new(
    c"UPDATE credits_internal.subscriptions s
      SET \"interval\" = $3, interval_count = $4, trial_end = coalesce($5, s.trial_end)
      WHERE s.customer_id = $1 AND s.subscription_id = $2",
    &[TEXTOID, UUIDOID, TEXTOID, INT4OID, TIMESTAMPTZOID],
);

/// Its periods are those of its first price.
fn terms(session: &Session, there: &mut Subscription, told: &Told, standing: &Standing) -> Result<(), Error> {
    let items = item::of(session, &there.customer_id, there.id)?;
    if let Some(recurring) = items.first().and_then(|item| item.offer.recurring.as_ref()) {
        let cells = [
            there.customer_id.cell(),
            there.id.cell(),
            recurring.interval.cell(),
            recurring.interval_count.cell(),
            standing.trial_end.cell(),
        ];
        TERMS.run(session, &cells)?;
        if let Some(step) = Step::of(recurring.interval, recurring.interval_count) {
            there.cycle = Cycle { step, ..there.cycle };
        }
    }
    if let Some(anchor) = standing.anchor {
        there.cycle = Cycle { anchor, ..there.cycle };
    }
    match standing.period {
        Some((start, end)) if !told.has_period || start >= there.period.start => there.period = Period { start, end },
        _ => {}
    }
    Ok(())
}

/// When it is to end, or that it is not: as a cancellation of our own.
fn cancellation(session: &Session, there: &mut Subscription, standing: &Standing, now: Time) -> Result<(), Error> {
    let until = standing.cancel_at.or(standing.cancel_at_period_end.then_some(there.period.end));
    if there.status.is_over() || (until, standing.cancel_at_period_end) == (there.cancel_at, there.cancel_at_period_end)
    {
        return Ok(());
    }
    let is_moved = until != there.cancel_at;
    (there.cancel_at, there.cancel_at_period_end) = (until, standing.cancel_at_period_end);
    there.canceled_at = until.and(there.canceled_at.or(Some(now)));
    if is_moved && there.status != Status::Paused {
        instalments::bring_back(session, there, now)?;
        instalments::end_at_cancel(session, there, now)?;
    }
    Ok(())
}

static CHANGED: Statement = Statement::new(
    c"UPDATE credits_internal.subscription_items i SET changed_at = $3, known_since = $3
      WHERE i.customer_id = $1 AND i.subscription_item_id = $2",
    &[TEXTOID, UUIDOID, TIMESTAMPTZOID],
);

/// An item is what it is since then: what that brings is settled once its period is paid.
pub fn is_changed(session: &Session, customer_id: &str, item_id: Uuid, at: Time) -> Result<(), Error> {
    CHANGED.run(session, &[customer_id.cell(), item_id.cell(), at.cell()]).map(drop)
}

// What is the same was so since then already, where its change was not settled as of a later moment.
static SINCE: Statement = Statement::new(
    c"UPDATE credits_internal.subscription_items i SET changed_at = $5, known_since = $5
      WHERE i.customer_id = $1 AND i.subscription_item_id = $2 AND i.price_id = $3 AND i.quantity = $4 AND i.known_since > $5
        AND i.removed_at IS NULL",
    &[TEXTOID, UUIDOID, UUIDOID, NUMERICOID, TIMESTAMPTZOID],
);

/// What it is for, as of then: what of it is new or other is to be settled once its period is paid.
fn items(
    session: &Session,
    provider: &str,
    there: &Subscription,
    (given, is_last): (&[(&plan::Item, Uuid)], bool),
    at: Time,
) -> Result<(), Error> {
    let (customer_id, id) = (there.customer_id.as_str(), there.id);
    let mut left = item::of(session, customer_id, id)?;
    for (given, price_id) in given {
        let known = match &given.id {
            Some(name) => reference::find(session, provider, Kind::Item, name)?.map(|(_, id)| id),
            None => None,
        };
        let by_name = known.and_then(|known| left.iter().position(|item| item.id == known));
        // What was created here has no name there yet: it is known by its price, or where there is one alone.
        let by_price = || left.iter().position(|item| item.price_id == *price_id);
        let alone = || (left.len() == 1).then_some(0);
        let place = match known {
            Some(_) => by_name,
            None => by_price().or_else(alone),
        };
        let before = place.map(|place| left.remove(place));
        let item_id = before.as_ref().map_or_else(Uuid::now_v7, |item| item.id);
        if known.is_none()
            && (is_last || before.is_some())
            && let Some(name) = &given.id
        {
            reference::claim(session, provider, (Kind::Item, name), Some(customer_id), item_id, at)?;
        }
        if !is_last {
            let cells = [customer_id.cell(), item_id.cell(), price_id.cell(), given.quantity.cell(), at.cell()];
            SINCE.run(session, &cells)?;
            continue;
        }
        let is_same = before.as_ref().is_some_and(|item| (item.price_id, item.quantity) == (*price_id, given.quantity));
        let Some(offer) = reference::offer(session, *price_id)? else { continue };
        if is_same {
            continue;
        }
        let mut after = Item { id: item_id, price_id: *price_id, quantity: given.quantity, offer };
        match (before, known) {
            (Some(_), _) => item::update(session, customer_id, &after, None, at)?,
            (None, Some(known)) => {
                after.id = known;
                item::bring_back(session, (customer_id, id), &after, at)?;
            }
            (None, None) => item::insert(session, (customer_id, id), &after, None, at)?,
        }
        is_changed(session, customer_id, after.id, at)?;
    }
    if is_last {
        for gone in left {
            item::remove(session, customer_id, gone.id, at)?;
            is_changed(session, customer_id, gone.id, at)?;
        }
    }
    Ok(())
}
