//! A subscription begins: with a trial, or with its first period and the invoice for it.

use crate::amount::Decimal;
use crate::catalog::redemption::{self, Cart, Chosen, HolderType, Quote, Verification};
use crate::error::Error;
use crate::input;
use crate::invoicing::customer::{self, Customer};
use crate::invoicing::invoice;
use crate::invoicing::sale::Reason;
use crate::ledger::engine::operation::{self, Begun, Texts};
use crate::moment::Time;
use crate::outbox::billing_event::EventType;
use crate::pg::call::argument::{Id, Numeric, Timestamptz};
use crate::pg::call::reply::{One, Reply};
use crate::pg::statement::{Session, Statement, writing};
use crate::pg::value::{Json, ToCell};
use crate::settings;
use crate::subscriptions::advance::{self, begin_period, first_term};
use crate::subscriptions::billing::{self, Term};
use crate::subscriptions::external::Named;
use crate::subscriptions::item::{self, Given, Item};
use crate::subscriptions::owed;
use crate::subscriptions::plan;
use crate::subscriptions::schedule::cycle::{Cycle, Period, Step};
use crate::subscriptions::schedule::state::Status;
use crate::subscriptions::subscription::given::trial;
use crate::subscriptions::subscription::judged::Judged;
use crate::subscriptions::subscription::{self, Subscription, SubscriptionRow};
use crate::subscriptions::usage_record::events;
use pgrx::pg_extern;
use pgrx::pg_sys::{INT4OID, JSONBOID, TEXTOID, TIMESTAMPTZOID, UUIDOID};
use sha2::{Digest, Sha256};
use uuid::Uuid;

pub use crate::subscriptions::subscription::given::{MOST_DAYS, days, finite};

/// What the end of a trial may bring.
pub const BEHAVIORS: [&str; 3] = ["charge", "cancel", "pause"];
/// What becomes of the money where items change.
pub const PRORATIONS: [&str; 3] = ["create_prorations", "always_invoice", "none"];

/// A subscription as it is asked for.
pub struct New<'a> {
    /// What it is for.
    pub items: Vec<Given>,
    /// When it begins.
    pub begins: Time,
    /// When its trial ends; `None` for no trial.
    pub trial_end: Option<Time>,
    /// From when its periods are counted; `None` for its beginning.
    pub anchor: Option<Time>,
    /// What the end of the trial brings where nothing can be charged.
    pub trial_end_behavior: &'a str,
    /// Whether a worker is asked to charge.
    pub collection_method: &'a str,
    /// When its invoices are due, where they are sent.
    pub days_until_due: i32,
    /// When it is canceled where they are not paid.
    pub days_until_cancel: i32,
    /// What is charged; `None` for the customer's default.
    pub payment_method_id: Option<Uuid>,
    /// What becomes of the money where items change.
    pub proration_behavior: &'a str,
    /// The discount, by what people type in.
    pub promotion_code: Option<&'a str>,
    /// Or by the coupon.
    pub coupon_id: Option<Uuid>,
    /// Whether it ends with its first period.
    pub cancel_at_period_end: bool,
    /// For people.
    pub description: Option<&'a str>,
    /// The application's own.
    pub metadata: Option<Json>,
    /// The checkout session that it begins in, with what is to be done at events of it.
    pub checkout: Option<(Uuid, Option<String>)>,
    /// What becomes of owed credits, and whether a deposit pays.
    pub owed: owed::Asked,
    /// Of what the provider bills.
    pub named: Option<Named<'a>>,
}

/// `credits.subscription_create`. Raises PC001, PC002, PC007, PC013, PC015, PC016, PC019, PC020, PC021.
#[pg_extern(sql = false)]
#[allow(clippy::too_many_arguments)]
fn subscription_create(
    customer_id: Option<&str>,
    items: Option<Json>,
    trial_period_days: Option<i32>,
    trial_end: Option<Timestamptz>,
    trial_end_behavior: Option<&str>,
    billing_cycle_anchor: Option<Timestamptz>,
    collection_method: Option<&str>,
    days_until_due: Option<i32>,
    days_until_cancel: Option<i32>,
    payment_method_id: Option<Id>,
    proration_behavior: Option<&str>,
    promotion_code: Option<&str>,
    coupon_id: Option<Id>,
    cancel_at_period_end: Option<bool>,
    description: Option<&str>,
    metadata: Option<Json>,
    idempotency_key: Option<&str>,
    at_period_end: Option<&str>,
    overage_rate: Option<Numeric>,
    overdraft_protection: Option<bool>,
    provider: Option<&str>,
    provider_reference: Option<&str>,
) -> Reply<One<SubscriptionRow>> {
    Reply((|| {
        let customer_id = input::key("customer_id", customer_id)?;
        let items = input::required("items", items)?.text();
        let key = input::optional_key("idempotency_key", idempotency_key)?;
        let now = settings::now()?;
        if promotion_code.is_some() && coupon_id.is_some() {
            return Err(Error::argument("coupon_id", "or promotion_code is to be given, not both"));
        }
        let (method, named) = Named::read(collection_method, provider, provider_reference)?;
        let terms = New {
            items: Vec::new(),
            begins: now,
            named,
            trial_end: trial(trial_period_days, trial_end, now)?,
            anchor: finite("billing_cycle_anchor", billing_cycle_anchor)?,
            trial_end_behavior: input::choice("trial_end_behavior", trial_end_behavior, BEHAVIORS[0], &BEHAVIORS)?,
            collection_method: method,
            days_until_due: days("days_until_due", days_until_due)?.unwrap_or(30),
            days_until_cancel: days("days_until_cancel", days_until_cancel)?.unwrap_or(30),
            payment_method_id: payment_method_id.map(|id| id.0),
            proration_behavior: input::choice("proration_behavior", proration_behavior, PRORATIONS[0], &PRORATIONS)?,
            promotion_code: input::optional_key("promotion_code", promotion_code)?,
            coupon_id: coupon_id.map(|id| id.0),
            cancel_at_period_end: cancel_at_period_end.unwrap_or(false),
            description: input::text("description", description)?,
            metadata,
            checkout: None,
            owed: owed::Asked::read(at_period_end, overage_rate, overdraft_protection)?.to_begin()?,
        };
        named.map_or(Ok(()), |named| named.check(&terms))?;
        writing(|session| {
            let new = New { items: item::read(session, &items)?, ..terms };
            create(session, customer_id, &new, key, now).map(One)
        })
    })())
}

fn create(
    session: &Session,
    customer_id: &str,
    new: &New<'_>,
    key: Option<&str>,
    now: Time,
) -> Result<SubscriptionRow, Error> {
    let id = Uuid::now_v7();
    // The currency is the first price's.
    let code = match new.items.first().and_then(|item| item.price_id) {
        Some(price_id) => item::offer(session, price_id, false)?.currency,
        None => return Err(Error::argument("items", "must each have a price_id or a lookup_key")),
    };
    let call = invoice::operation("subscription_create", id, &code, Decimal::ZERO, new.compared());
    // Before anything is locked.
    let other = new.named.map_or(Ok(None), |named| named.claim(session, (customer_id, id), now))?;
    let judge = || {
        let judged = new.judge(session, true)?;
        let customer = customer::lock_or_make(session, customer_id)?;
        new.named.map_or(Ok(()), |named| named.check_items(&judged.items))?;
        owed::check(session, (customer_id, id), new.owed.is_invoiced(), &judged.items)?;
        Ok((customer, judged))
    };
    let (customer, judged) = match key {
        None => judge()?,
        Some(_) => match operation::begin(session, customer_id, &call, key, &Texts::default(), now, judge)? {
            Begun::First(judged) => judged,
            Begun::Replay(first) => return subscription::find(session, customer_id, first.operation_id, true),
        },
    };
    other.map_or(Ok(()), Err)?;
    events::check_alone(session, customer_id, id, &judged.items)?;
    let quote = new.discount(session, customer_id, &judged, now)?;
    keep(session, (customer_id, id), (new, &judged), quote.as_ref(), now)?;
    if let Some(quote) = &quote {
        redemption::reserve_for(session, (customer_id, HolderType::Subscription, id), quote, None, now)?;
    }
    let mut there = subscription::lock(session, customer_id, id)?;
    advance::record(session, &there, EventType::SubscriptionCreated, now)?;
    match &new.named {
        Some(named) => named.begin(session, (customer_id, id), now)?,
        None => begin(session, &customer, &mut there, new, now)?,
    }
    subscription::find(session, customer_id, id, false)
}

/// Writes down a new subscription with its items.
pub fn keep(
    session: &Session,
    (customer_id, id): (&str, Uuid),
    (new, judged): (&New<'_>, &Judged),
    quote: Option<&Quote>,
    now: Time,
) -> Result<(), Error> {
    insert(session, (customer_id, id), (new, judged), quote, now)?;
    if !new.owed.is_usual() {
        owed::keep(session, customer_id, id, new.owed)?;
    }
    item::insert_all(session, (customer_id, id), (&judged.items, &judged.metadata), now)
}

/// Its trial begins, or its first period.
fn begin(
    session: &Session,
    customer: &Customer,
    there: &mut Subscription,
    new: &New<'_>,
    now: Time,
) -> Result<(), Error> {
    match new.trial_end {
        Some(end) => {
            billing::try_out(session, customer, there, Term::of(Period { start: now, end }), now)?;
            advance::record(session, there, EventType::SubscriptionTrialStart, now)?;
        }
        None => {
            let term = first_term(there, now);
            begin_period(session, customer, there, (term, Reason::SubscriptionCreate), now)?;
            // What is sent goes on whether or not it is paid yet, and what is paid for later whether or not it will be.
            let is_due = there.is_automatic() && there.latest_invoice_id.is_some();
            if there.status == Status::Incomplete && !is_due {
                there.status = Status::Active;
                advance::record(session, there, EventType::SubscriptionStarted, now)?;
            }
        }
    }
    new.end_at_period_end(there, now);
    advance::save(session, there, now)?;
    // The end of a short trial is announced at once.
    if there.status == Status::Trialing { advance::advance(session, customer, there, now, 1).map(drop) } else { Ok(()) }
}

impl New<'_> {
    /// Where it is to end with its first period, that is asked for as it begins.
    pub fn end_at_period_end(&self, there: &mut Subscription, now: Time) {
        if self.cancel_at_period_end {
            (there.cancel_at, there.cancel_at_period_end, there.canceled_at) =
                (Some(there.period.end), true, Some(now));
        }
    }

    /// Its periods.
    pub fn cycle(&self, step: Step) -> Cycle {
        Cycle { anchor: self.anchor.or(self.trial_end).unwrap_or(self.begins), step }
    }

    /// Its trial, or else its first period.
    pub fn first_period(&self, step: Step) -> Period {
        match self.trial_end {
            Some(end) => Period { start: self.begins, end },
            None => self.cycle(step).from(self.begins),
        }
    }

    /// What a replay is compared with.
    fn compared(&self) -> String {
        let mut digest = Sha256::new();
        for item in &self.items {
            digest.update(item.compared());
        }
        let moment = |at: Option<Time>| at.map(|at| at.to_string()).unwrap_or_default();
        for part in [
            // A trial of so many days ends at another moment in each call.
            self.trial_end.map(|_| String::from("trial")).unwrap_or_default(),
            moment(self.anchor),
            self.collection_method.to_string(),
            self.promotion_code.unwrap_or_default().to_lowercase(),
            self.coupon_id.map(|id| id.to_string()).unwrap_or_default(),
            self.owed.compared(),
            self.named.map(|named| named.compared()).unwrap_or_default(),
        ] {
            digest.update(part);
            digest.update("|");
        }
        invoice::digest(digest, self.items.len())
    }

    /// Whether it can begin; where that is asked, with prices that are on sale. Raises PC007, PC013, PC015.
    pub fn judge(&self, session: &Session, is_new: bool) -> Result<Judged, Error> {
        let mut items = Vec::with_capacity(self.items.len());
        for given in &self.items {
            if given.id.is_some() || given.is_deleted {
                return Err(Error::argument("items", "of a new subscription have no id, and are not deleted"));
            }
            let none = || Error::argument("items", "must each have a price_id or a lookup_key");
            let price_id = given.price_id.ok_or_else(none)?;
            let offer = item::offer(session, price_id, is_new)?;
            let quantity = item::quantity(&offer, given.quantity, None)?;
            items.push(Item { id: Uuid::now_v7(), price_id, quantity, offer });
        }
        let (code, interval, step) = item::together(items.iter())?;
        let cycle = self.cycle(step);
        let first = cycle.period_at(self.trial_end.unwrap_or(self.begins));
        if !first.start.is_finite() || !first.end.is_finite() {
            return Err(Error::argument("billing_cycle_anchor", "must be within the calendar"));
        }
        items.iter().try_for_each(|item| plan::check(session, item, cycle))?;
        let metadata = self.items.iter().map(|given| given.metadata.clone()).collect();
        Ok(Judged { items, metadata, code, interval, step })
    }

    /// The discount that it begins with. Raises PC016, PC019.
    fn discount(
        &self,
        session: &Session,
        customer_id: &str,
        judged: &Judged,
        now: Time,
    ) -> Result<Option<Quote>, Error> {
        let chosen = match (self.promotion_code, self.coupon_id) {
            (Some(code), _) => Chosen::Code(code),
            (None, Some(id)) => Chosen::Coupon(id),
            (None, None) => return Ok(None),
        };
        let lines = judged.for_discount()?;
        let cart = Cart { customer_id, holder_id: None, currency: &judged.code, lines: &lines };
        let quote = redemption::quote(session, &cart, &chosen, &Verification::default(), now)?;
        Ok(Some(judged.of_usage(quote)))
    }
}

static INSERT: Statement = Statement::new(
    c"INSERT INTO credits_internal.subscriptions (
          customer_id, subscription_id, status, currency, collection_method, \"interval\", interval_count,
          billing_cycle_anchor, trial_end, trial_end_behavior, current_period_start, current_period_end, proration_behavior,
          days_until_due, days_until_cancel, payment_method_id, coupon_id, promotion_code_id, description, metadata,
          created_at, updated_at, checkout_session_id, service_actions)
      VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $21, $22,
              $23::jsonb)",
    &[
        TEXTOID,
        UUIDOID,
        TEXTOID,
        TEXTOID,
        TEXTOID,
        TEXTOID,
        INT4OID,
        TIMESTAMPTZOID,
        TIMESTAMPTZOID,
        TEXTOID,
        TIMESTAMPTZOID,
        TIMESTAMPTZOID,
        TEXTOID,
        INT4OID,
        INT4OID,
        UUIDOID,
        UUIDOID,
        UUIDOID,
        TEXTOID,
        JSONBOID,
        TIMESTAMPTZOID,
        UUIDOID,
        TEXTOID,
    ],
);

fn insert(
    session: &Session,
    (customer_id, id): (&str, Uuid),
    (new, judged): (&New<'_>, &Judged),
    quote: Option<&Quote>,
    now: Time,
) -> Result<(), Error> {
    let status = if new.trial_end.is_some() { Status::Trialing } else { Status::Incomplete };
    let (cycle, period) = (new.cycle(judged.step), new.first_period(judged.step));
    let cells = [
        customer_id.cell(),
        id.cell(),
        status.as_str().cell(),
        judged.code.cell(),
        new.collection_method.cell(),
        judged.interval.0.cell(),
        judged.interval.1.cell(),
        cycle.anchor.cell(),
        new.trial_end.cell(),
        new.trial_end_behavior.cell(),
        period.start.cell(),
        period.end.cell(),
        new.proration_behavior.cell(),
        new.days_until_due.cell(),
        new.days_until_cancel.cell(),
        new.payment_method_id.cell(),
        quote.map(|quote| quote.coupon_id).cell(),
        quote.and_then(|quote| quote.promotion_code_id).cell(),
        new.description.cell(),
        new.metadata.cell(),
        now.cell(),
        new.checkout.as_ref().map(|(id, _)| *id).cell(),
        new.checkout.as_ref().and_then(|(_, actions)| actions.as_ref()).cell(),
    ];
    INSERT.run(session, &cells).map(drop)
}
