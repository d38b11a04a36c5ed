//! A subscription that begins: here, before the provider says anything of it, or because the provider says it.

use crate::error::Error;
use crate::input;
use crate::invoicing::{collection, customer};
use crate::ledger::currency;
use crate::moment::Time;
use crate::outbox::billing_event::EventType;
use crate::payments::providers;
use crate::payments::providers::plan::{Report, Standing};
use crate::payments::webhook;
use crate::pg::statement::{Session, Statement};
use crate::pg::value::ToCell;
use crate::subscriptions::advance;
use crate::subscriptions::external::EXTERNAL;
use crate::subscriptions::external::reference::{self, Kind};
use crate::subscriptions::external::standing;
use crate::subscriptions::item::{self, Item};
use crate::subscriptions::schedule::cycle::{Cycle, Step};
use crate::subscriptions::subscription;
use crate::subscriptions::subscription::create::New;
use pgrx::pg_sys::{INT4OID, TEXTOID, TIMESTAMPTZOID, UUIDOID};
use uuid::Uuid;

/// The provider's name for a subscription that begins here.
#[derive(Debug, Clone, Copy)]
pub struct Named<'a> {
    /// The provider.
    pub provider: &'a str,
    /// What it calls it, if that is known.
    pub reference: Option<&'a str>,
}

impl<'a> Named<'a> {
    /// How a subscription is collected, with what a caller says of one that the provider bills; `None` for one of our own.
    /// Raises PC013.
    pub fn read(
        method: Option<&'a str>,
        provider: Option<&'a str>,
        reference: Option<&'a str>,
    ) -> Result<(&'a str, Option<Self>), Error> {
        let methods = [collection::AUTOMATIC, collection::SENT, EXTERNAL];
        let method = input::choice("collection_method", method, methods[0], &methods)?;
        let provider = input::optional_key("provider", provider)?;
        let reference = input::optional_key("provider_reference", reference)?;
        match (method == EXTERNAL, provider, reference) {
            (false, None, None) => Ok((method, None)),
            (false, Some(_), _) => Err(Error::argument("provider", "is for collection_method 'external'")),
            (false, ..) => Err(Error::argument("provider_reference", "is for collection_method 'external'")),
            (true, None, _) => Err(Error::missing("provider")),
            (true, Some(provider), _) if !providers::of(provider).bills_plans() => {
                Err(Error::argument("provider", "must be one whose events of plans are known: 'stripe' or 'paystack'"))
            }
            (true, Some(provider), reference) => Ok((method, Some(Named { provider, reference }))),
        }
    }

    /// Raises PC013 for what is the provider's to say of what it bills.
    pub fn check(&self, new: &New<'_>) -> Result<(), Error> {
        let said = [
            ("trial_end", new.trial_end.is_some()),
            ("billing_cycle_anchor", new.anchor.is_some()),
            ("promotion_code", new.promotion_code.is_some()),
            ("coupon_id", new.coupon_id.is_some()),
            ("payment_method_id", new.payment_method_id.is_some()),
            ("cancel_at_period_end", new.cancel_at_period_end),
            ("at_period_end", !new.owed.is_usual()),
        ];
        match said.into_iter().find(|(_, is_said)| *is_said) {
            Some((argument, _)) => Err(Error::argument(argument, "is the provider's to say with 'external'")),
            None => Ok(()),
        }
    }

    /// Raises PC013 for an item whose usage we would invoice, or that the wallet would pay.
    pub fn check_items(&self, items: &[Item]) -> Result<(), Error> {
        match () {
            () if items.iter().any(Item::is_metered) => {
                Err(Error::argument("items", "must have prices whose quantity is agreed with 'external'"))
            }
            () if items.iter().any(|item| !item.offer.is_money) => {
                Err(Error::argument("items", "must have prices in money with 'external'"))
            }
            () => Ok(()),
        }
    }

    /// What a replay is compared with.
    pub fn compared(&self) -> String {
        format!("{} {}", self.provider, self.reference.unwrap_or_default())
    }

    /// Claims the name, before anything is locked: first the lock that events of it take. Returns PC020 where it is another's.
    pub fn claim(&self, session: &Session, (customer_id, id): (&str, Uuid), now: Time) -> Result<Option<Error>, Error> {
        let Some(reference) = self.reference else { return Ok(None) };
        webhook::plan::wait(session, self.provider, reference);
        let name = (Kind::Subscription, reference);
        let owner = reference::claim(session, self.provider, name, Some(customer_id), id, now)?;
        let state = "known by that provider_reference";
        Ok((owner != id).then(|| Error::StateConflict { object: "subscription", id: owner.to_string(), state }))
    }

    /// It is there now: it has its name, and what was reported of it before is applied.
    pub fn begin(&self, session: &Session, (customer_id, id): (&str, Uuid), now: Time) -> Result<(), Error> {
        let cells = [customer_id.cell(), id.cell(), self.provider.cell(), self.reference.cell()];
        NAME.run(session, &cells)?;
        match self.reference {
            Some(reference) => webhook::plan::known(session, self.provider, reference, now),
            None => Ok(()),
        }
    }
}

static NAME: Statement = Statement::new(
    c"UPDATE credits_internal.subscriptions s SET provider = $3, provider_reference = $4
      WHERE s.customer_id = $1 AND s.subscription_id = $2",
    &[TEXTOID, UUIDOID, TEXTOID, TEXTOID],
);

static INSERT: Statement = Statement::new(
    c"INSERT INTO credits_internal.subscriptions (
          customer_id, subscription_id, status, currency, collection_method, \"interval\", interval_count,
          billing_cycle_anchor, trial_end_behavior, current_period_start, current_period_end, proration_behavior,
          days_until_due, days_until_cancel, created_at, updated_at, provider, provider_reference)
      VALUES ($1, $2, 'incomplete', $3, 'external', $4, $5, $6, 'charge', $7, $8, 'create_prorations', 30, 30, $9, $9,
              $10, $11)",
    &[
        TEXTOID,
        UUIDOID,
        TEXTOID,
        TEXTOID,
        INT4OID,
        TIMESTAMPTZOID,
        TIMESTAMPTZOID,
        TIMESTAMPTZOID,
        TIMESTAMPTZOID,
        TEXTOID,
        TEXTOID,
    ],
);

/// Begins the subscription that a provider reports of a customer; `None` where it names no customer, none of its prices is one
/// of ours, or its currency is none.
pub fn begin(
    session: &Session,
    provider: &str,
    (report, standing): (&Report, &Standing),
    now: Time,
) -> Result<Option<(String, Uuid)>, Error> {
    let at = report.at.unwrap_or(now);
    let customer_id = report.customer_id.as_deref().filter(|id| input::key("customer_id", Some(id)).is_ok());
    let (Some(customer_id), Some(name)) = (customer_id, report.subscription.as_deref()) else { return Ok(None) };
    let mut items = Vec::new();
    for given in standing.items.iter().take(item::MOST) {
        if let Some(price_id) = reference::price(session, provider, &given.price, now)?
            && let Some(offer) = reference::offer(session, price_id)?
        {
            items.push((Item { id: Uuid::now_v7(), price_id, quantity: given.quantity, offer }, given.id.as_deref()));
        }
    }
    let Some((first, _)) = items.first() else { return Ok(None) };
    let Some(recurring) = &first.offer.recurring else { return Ok(None) };
    let (interval, count) = (recurring.interval, recurring.interval_count);
    let code = standing.currency.as_ref().map_or_else(|| first.offer.currency.clone(), |code| code.to_uppercase());
    match currency::is_money(session, &code) {
        Ok(true) => {}
        Ok(false) | Err(Error::CurrencyNotFound { .. }) => return Ok(None),
        Err(error) => return Err(error),
    }
    let id = Uuid::now_v7();
    let owner = reference::claim(session, provider, (Kind::Subscription, name), Some(customer_id), id, now)?;
    if owner != id {
        // Another session was faster.
        return Ok(Some((customer_id.to_string(), owner)));
    }
    for (item, named) in &items {
        if let Some(named) = named {
            reference::claim(session, provider, (Kind::Item, named), Some(customer_id), item.id, now)?;
        }
    }
    let step = Step::of(interval, count).ok_or_else(|| Error::internal("a price has an unknown interval"))?;
    customer::lock_or_make(session, customer_id)?;
    let anchor = standing.anchor.or(standing.period.map(|(start, _)| start)).unwrap_or(now);
    let whole = Cycle { anchor, step }.period_at(anchor);
    let (start, end) = standing.period.unwrap_or((whole.start, whole.end));
    let cells = [
        customer_id.cell(),
        id.cell(),
        code.cell(),
        interval.cell(),
        count.cell(),
        anchor.cell(),
        start.cell(),
        end.cell(),
        now.cell(),
        provider.cell(),
        name.cell(),
    ];
    INSERT.run(session, &cells)?;
    for (item, _) in &items {
        item::insert(session, (customer_id, id), item, None, now)?;
        standing::is_changed(session, customer_id, item.id, at)?;
    }
    let there = subscription::lock(session, customer_id, id)?;
    advance::record(session, &there, EventType::SubscriptionCreated, now)?;
    Ok(Some((customer_id.to_string(), id)))
}
