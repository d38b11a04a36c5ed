//! Changing a subscription: its items, with what that brings in mid-period, and how it is collected; and a preview of the
//! same.

use crate::amount::Decimal;
use crate::error::Error;
use crate::input;
use crate::invoicing::customer::Customer;
use crate::invoicing::line::shown::{digits, shown};
use crate::invoicing::{collection, line};
use crate::ledger::currency;
use crate::moment::Time;
use crate::outbox::billing_event::{self, EventType};
use crate::pg::call::argument::{Id, Numeric};
use crate::pg::call::reply::{One, Reply};
use crate::pg::statement::{Session, Statement, writing};
use crate::pg::value::{Json, ToCell};
use crate::row;
use crate::settings;
use crate::subscriptions::advance;
use crate::subscriptions::billing;
use crate::subscriptions::change::interval::{self, Restart};
use crate::subscriptions::change::{self, Change, How, Paid, Proration};
use crate::subscriptions::instalments;
use crate::subscriptions::item::{self, Given, Item, MOST};
use crate::subscriptions::owed;
use crate::subscriptions::plan;
use crate::subscriptions::schedule::state::Status;
use crate::subscriptions::subscription::create::{PRORATIONS, days};
use crate::subscriptions::subscription::{self, Subscription, SubscriptionRow};
use crate::subscriptions::usage_record::events;
use pgrx::pg_extern;
use pgrx::pg_sys::{INT4OID, JSONBOID, TEXTOID, UUIDOID};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use uuid::Uuid;

/// What becomes of credits that have begun.
const CREDITS: [&str; 2] = ["prorate", "keep"];

/// `credits.subscription_update`. Raises PC001, PC003, PC007, PC013, PC015, PC019, PC020, PC021.
#[pg_extern(sql = false)]
#[allow(clippy::too_many_arguments)]
fn subscription_update(
    customer_id: Option<&str>,
    subscription_id: Option<Id>,
    items: Option<Json>,
    proration_behavior: Option<&str>,
    credits: Option<&str>,
    collection_method: Option<&str>,
    days_until_due: Option<i32>,
    days_until_cancel: Option<i32>,
    payment_method_id: Option<Id>,
    description: Option<&str>,
    metadata: Option<Json>,
    at_period_end: Option<&str>,
    overage_rate: Option<Numeric>,
    overdraft_protection: Option<bool>,
) -> Reply<One<SubscriptionRow>> {
    Reply((|| {
        let asked = Asked::read(customer_id, subscription_id, proration_behavior, credits)?;
        let items = items.map(|items| items.text());
        let collection_method = collection_method.map(|given| collection::method(Some(given))).transpose()?;
        let (due, cancel) = (days("days_until_due", days_until_due)?, days("days_until_cancel", days_until_cancel)?);
        let description = input::text("description", description)?;
        let owed = owed::Asked::read(at_period_end, overage_rate, overdraft_protection)?;
        let now = settings::now()?;
        writing(|session| {
            let (customer, mut there) = advance::open(session, asked.customer_id, asked.id, now)?;
            if there.status.is_over() {
                return Err(there.conflict());
            }
            let is_billing =
                collection_method.is_some() || due.is_some() || cancel.is_some() || payment_method_id.is_some();
            let asks_owed = owed != owed::Asked::default();
            if is_billing || asks_owed {
                there.must_be_own()?;
            }
            let of = (asked.customer_id, asked.id);
            let before = before(session, &there)?;
            let cells = [
                of.0.cell(),
                of.1.cell(),
                collection_method.cell(),
                due.cell(),
                cancel.cell(),
                payment_method_id.map(|id| id.0).cell(),
                description.cell(),
                metadata.cell(),
            ];
            UPDATE.run(session, &cells)?;
            if asks_owed {
                owed::keep(session, of.0, of.1, owed::with(session, of.0, of.1, owed)?)?;
            }
            there = subscription::lock(session, of.0, of.1)?;
            let mut is_upgrade = false;
            if let Some(items) = &items {
                let worked = work_out(session, &there, &asked, |session| item::read(session, items), now)?;
                is_upgrade = worked.is_upgrade;
                change_items(session, &customer, &mut there, worked, now)?;
            } else if asks_owed {
                owed::check(session, of, there.policy.is_invoiced(), &item::of(session, of.0, of.1)?)?;
            }
            changed(session, &there, (before, is_upgrade), now)?;
            subscription::find(session, of.0, of.1, false).map(One)
        })
    })())
}

static UPDATE: Statement = Statement::new(
    c"UPDATE credits_internal.subscriptions s
      SET collection_method = coalesce($3, s.collection_method), days_until_due = coalesce($4, s.days_until_due),
          days_until_cancel = coalesce($5, s.days_until_cancel), payment_method_id = coalesce($6, s.payment_method_id),
          description = coalesce($7, s.description), metadata = coalesce($8, s.metadata)
      WHERE s.customer_id = $1 AND s.subscription_id = $2",
    &[TEXTOID, UUIDOID, TEXTOID, INT4OID, INT4OID, UUIDOID, TEXTOID, JSONBOID],
);
static BEHAVIOR: Statement = Statement::new(
    c"SELECT s.proration_behavior FROM credits_internal.subscriptions s
      WHERE s.customer_id = $1 AND s.subscription_id = $2",
    &[TEXTOID, UUIDOID],
);

/// What a subscription is before it changes, for its event.
pub fn before(session: &Session, there: &Subscription) -> Result<Option<String>, Error> {
    billing_event::before(session, EventType::SubscriptionUpdated, there.id, Some(&there.customer_id))
}

/// Writes back what has changed, and says so; and that it costs more, where it does.
pub fn changed(
    session: &Session,
    there: &Subscription,
    (before, is_upgrade): (Option<String>, bool),
    now: Time,
) -> Result<(), Error> {
    advance::save(session, there, now)?;
    let (event, customer_id) = (EventType::SubscriptionUpdated, Some(there.customer_id.as_str()));
    billing_event::updated(session, event, there.id, customer_id, before, now)?;
    if is_upgrade {
        billing_event::record(session, EventType::SubscriptionUpgraded, there.id, customer_id, now)?;
    }
    Ok(())
}

/// How items are to change.
pub struct Asked<'a> {
    /// Whose they are.
    pub customer_id: &'a str,
    /// Their subscription.
    pub id: Uuid,
    proration_behavior: Option<&'a str>,
    prorates_credits: bool,
}

impl<'a> Asked<'a> {
    /// Raises PC013.
    pub fn read(
        customer_id: Option<&'a str>,
        subscription_id: Option<Id>,
        proration_behavior: Option<&'a str>,
        credits: Option<&str>,
    ) -> Result<Self, Error> {
        let behavior = |given: &'a str| input::choice("proration_behavior", Some(given), given, &PRORATIONS);
        Ok(Asked {
            customer_id: input::key("customer_id", customer_id)?,
            id: input::required("subscription_id", subscription_id)?.0,
            proration_behavior: proration_behavior.map(behavior).transpose()?,
            prorates_credits: input::choice("credits", credits, CREDITS[0], &CREDITS)? == CREDITS[0],
        })
    }

    /// What becomes of the money: as it is said, or as the subscription has it.
    fn behavior(&self, session: &Session) -> Result<String, Error> {
        if let Some(given) = self.proration_behavior {
            return Ok(given.to_string());
        }
        let rows = BEHAVIOR.run(session, &[self.customer_id.cell(), self.id.cell()])?;
        rows.first().ok_or_else(|| Error::internal("a subscription that is locked is not there"))?.next()
    }
}

/// What items change, and what that brings.
pub struct Worked {
    changes: Vec<Change>,
    proration: Proration,
    restart: Option<Restart>,
    behavior: String,
    /// Whether a period costs more.
    pub is_upgrade: bool,
}

/// Works out what the changes of items bring. Raises PC007, PC013, PC015, PC019, PC020.
pub fn work_out(
    session: &Session,
    there: &Subscription,
    asked: &Asked<'_>,
    given: impl FnOnce(&Session) -> Result<Vec<Given>, Error>,
    now: Time,
) -> Result<Worked, Error> {
    there.must_be_own()?;
    if !matches!(there.status, Status::Trialing | Status::Active | Status::PastDue) {
        return Err(there.conflict());
    }
    let changes = changes(session, there, given(session)?)?;
    let mut items = item::of(session, &there.customer_id, there.id)?;
    let cost = |items: &[Item]| items.iter().map(Item::amount).sum::<Result<Decimal, Error>>();
    let before = cost(&items)?;
    items.retain(|item| changes.iter().all(|change| change.item_id != item.id || change.after.is_some()));
    for change in &changes {
        let Some(after) = &change.after else { continue };
        match items.iter_mut().find(|item| item.id == after.id) {
            Some(item) => *item = after.copy(session)?,
            None => items.push(after.copy(session)?),
        }
    }
    if items.is_empty() || items.len() > MOST {
        return Err(Error::argument("items", format!("must leave from 1 to {MOST}: they would be {}", items.len())));
    }
    let (code, interval, step) = item::together(items.iter())?;
    if code != there.currency {
        return Err(Error::argument("items", "must have prices of the subscription's currency"));
    }
    events::check_alone(session, &there.customer_id, there.id, &items)?;
    owed::check(session, (&there.customer_id, there.id), there.policy.is_invoiced(), &items)?;
    let restart = interval::restart(there, (interval, step), now)?;
    let cycle = restart.as_ref().map_or(there.cycle, |restart| restart.cycle);
    items.iter().try_for_each(|item| plan::check(session, item, cycle))?;
    let behavior = asked.behavior(session)?;
    let whole = there.cycle.period_at(there.period.start);
    let is_free = there.is_stub_free && there.period.start > whole.start;
    let is_prorated = behavior != "none" && !is_free;
    let how = How { at: now, whole, prorates_credits: asked.prorates_credits };
    let mut worked =
        Worked { proration: Proration::default(), is_upgrade: cost(&items)? > before, restart, behavior, changes };
    if there.status == Status::Trialing {
        return Ok(worked);
    }
    if let Some(restart) = &mut worked.restart {
        worked.proration = interval::prorate(session, there, (&worked.changes, &items), (restart, how, is_prorated))?;
    } else if is_prorated {
        worked.proration = change::prorate(session, there, (&worked.changes, &items), how)?;
    }
    Ok(worked)
}

/// The changes that are asked for, each of an item once. Raises PC013, PC015, PC019.
fn changes(session: &Session, there: &Subscription, given: Vec<Given>) -> Result<Vec<Change>, Error> {
    let mut changes: Vec<Change> = Vec::with_capacity(given.len());
    for given in given {
        let before = match given.id {
            None => None,
            Some(id) => {
                let unknown = || Error::ObjectNotFound { object: "subscription_item", id: id.to_string() };
                let all = item::of(session, &there.customer_id, there.id)?;
                Some(all.into_iter().find(|item| item.id == id).ok_or_else(unknown)?)
            }
        };
        if changes.iter().any(|change| Some(change.item_id) == given.id) {
            return Err(Error::argument("items", "must have each item once"));
        }
        let after = match (&before, given.is_deleted) {
            (None, true) => return Err(Error::argument("items", "that are deleted must have a subscription_item_id")),
            (Some(_), true) => None,
            (before, false) => {
                let price_id = given.price_id.or(before.as_ref().map(|item| item.price_id));
                let none = || Error::argument("items", "that are new must have a price_id or a lookup_key");
                let price_id = price_id.ok_or_else(none)?;
                let is_new = before.as_ref().is_none_or(|item| item.price_id != price_id);
                let offer = item::offer(session, price_id, is_new)?;
                let agreed = before.as_ref().filter(|item| !item.is_metered()).map(|item| item.quantity);
                Some(Item {
                    id: given.id.unwrap_or(given.new_id),
                    price_id,
                    quantity: item::quantity(&offer, given.quantity, agreed)?,
                    offer,
                })
            }
        };
        let item_id = before.as_ref().or(after.as_ref()).map_or_else(Uuid::nil, |item| item.id);
        changes.push(Change { item_id, before, after, metadata: given.metadata });
    }
    Ok(changes)
}

/// Changes its items, with all that this brings.
pub fn change_items(
    session: &Session,
    customer: &Customer,
    there: &mut Subscription,
    mut worked: Worked,
    now: Time,
) -> Result<(), Error> {
    let granted = worked.proration.lines.iter().filter_map(line::New::credit_currency).map(String::from);
    instalments::lock_accounts_and(session, there, granted.collect())?;
    let is_restart = worked.restart.is_some() && there.status != Status::Trialing;
    change::write::items(session, there, (&worked.changes, is_restart), now)?;
    let proration = &mut worked.proration;
    let invoice_id = match worked.restart {
        Some(restart) => interval::write(session, customer, there, (proration, restart), now)?,
        None => {
            let at_once = worked.behavior == "always_invoice";
            change::write::proration(session, customer, there, (proration, at_once), now)?
        }
    };
    match invoice_id {
        Some(invoice_id) => advance::collect(session, there, invoice_id, now),
        None => Ok(()),
    }
}

row! {
    /// What an update of items would bring.
    pub struct PreviewRow {
        /// The subscription.
        pub subscription_id: Uuid,
        /// What becomes of the money.
        pub proration_behavior: String,
        /// The currency of the amounts.
        pub currency: String,
        /// All lines.
        pub subtotal: Decimal,
        /// What is taken off.
        pub discount: Decimal,
        /// All tax.
        pub tax: Decimal,
        /// What they come to.
        pub total: Decimal,
        /// The lines.
        pub lines: Json,
        /// The credits that come and go.
        pub credits: Json,
        /// The lines that are not paid yet, and lowered.
        pub lowered: Json,
    }
}

static JSON: Statement = Statement::new(c"SELECT $1::jsonb, $2::jsonb, $3::jsonb", &[TEXTOID, TEXTOID, TEXTOID]);

/// `credits.subscription_preview`. Raises PC003, PC007, PC013, PC015, PC019, PC020.
#[pg_extern(sql = false)]
fn subscription_preview(
    customer_id: Option<&str>,
    subscription_id: Option<Id>,
    items: Option<Json>,
    proration_behavior: Option<&str>,
    credits: Option<&str>,
) -> Reply<One<PreviewRow>> {
    Reply((|| {
        let items = input::required("items", items)?.text();
        let asked = Asked::read(customer_id, subscription_id, proration_behavior, credits)?;
        let now = settings::now()?;
        writing(|session| {
            let (customer, there) = advance::open(session, asked.customer_id, asked.id, now)?;
            let mut worked = work_out(session, &there, &asked, |session| item::read(session, &items), now)?;
            if let Some(restart) = &worked.restart {
                billing::withhold(session, &customer, &there, (&mut worked.proration.lines, restart.taken))?;
            } else if worked.behavior == "always_invoice" {
                billing::withhold(session, &customer, &there, (&mut worked.proration.lines, Decimal::ZERO))?;
            }
            preview(session, &customer, &there, &worked).map(One)
        })
    })())
}

fn preview(session: &Session, customer: &Customer, there: &Subscription, worked: &Worked) -> Result<PreviewRow, Error> {
    let lines = &worked.proration.lines;
    let decimals = currency::decimals(session, &there.currency)?;
    let totals = line::totals(lines, customer.tax_rate, decimals)?;
    let shown = shown(lines, &totals);
    let mut credits: BTreeMap<&str, (Decimal, Decimal)> = BTreeMap::new();
    for (code, granted) in lines.iter().filter_map(line::New::credits) {
        credits.entry(code).or_default().0 += granted;
    }
    for one in &worked.proration.taken {
        credits.entry(&one.currency).or_default().1 += one.unspent;
    }
    let credits: Vec<Value> = credits
        .into_iter()
        .map(|(code, (granted, taken))| json!({"currency": code, "granted": digits(granted), "taken": digits(taken)}))
        .collect();
    let unpaid = worked.proration.credited.iter().filter(|credited| credited.line.paid != Paid::Yes);
    let lowered: Vec<Value> = unpaid
        .map(|credited| {
            json!({
                "invoice_line_id": credited.line.id,
                "amount": digits(credited.amount),
                "discount": digits(credited.discount),
            })
        })
        .collect();
    let texts = [shown, credits, lowered].map(|values| Value::from(values).to_string());
    let rows = JSON.run(session, &[texts[0].cell(), texts[1].cell(), texts[2].cell()])?;
    let mut row = rows.first().ok_or_else(|| Error::internal("a cast returned no row"))?;
    Ok(PreviewRow {
        subscription_id: there.id,
        proration_behavior: worked.behavior.clone(),
        currency: there.currency.clone(),
        subtotal: totals.subtotal,
        discount: totals.discount,
        tax: totals.tax,
        total: totals.total,
        lines: row.next()?,
        credits: row.next()?,
        lowered: row.next()?,
    })
}
