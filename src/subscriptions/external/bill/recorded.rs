//! A paid invoice of a provider's as it is recorded: its lines as ours, its payment, and the periods that it is for.

use crate::amount::Decimal;
use crate::amount::split::shares;
use crate::catalog::usage;
use crate::error::Error;
use crate::invoicing::collection;
use crate::invoicing::customer::Customer;
use crate::invoicing::invoice::{self, close, finalize};
use crate::invoicing::line::given::Given;
use crate::invoicing::line::{self, New, OfItem};
use crate::invoicing::sale::{self, OfSubscription, Order, Reason};
use crate::ledger::currency;
use crate::moment::Time;
use crate::outbox::billing_event::EventType;
use crate::payments::listener::Reported;
use crate::payments::notification::Notification;
use crate::payments::notification::case;
use crate::payments::payment;
use crate::payments::payment_intent as intent;
use crate::payments::providers::plan::{Bill, Report};
use crate::payments::reckoning::{Details, Kind as Fact};
use crate::pg::statement::{Session, Statement};
use crate::pg::value::ToCell;
use crate::subscriptions::external::bill::Line;
use crate::subscriptions::external::{Told, changed, standing};
use crate::subscriptions::schedule::cycle::Cycle;
use crate::subscriptions::schedule::instalment::Plan;
use crate::subscriptions::schedule::state::Status;
use crate::subscriptions::subscription::{self, Subscription};
use crate::subscriptions::{advance, billing, instalments, plan as granting};
use pgrx::pg_sys::{TEXTOID, TIMESTAMPTZOID, UUIDOID};
use uuid::Uuid;

static GRANTED: Statement = Statement::new(
    c"SELECT 1 FROM credits_internal.invoice_lines l
      WHERE l.customer_id = $1 AND l.subscription_item_id = $2 AND l.period_start = $3 AND NOT l.proration
        AND l.credits IS NOT NULL LIMIT 1",
    &[TEXTOID, UUIDOID, TIMESTAMPTZOID],
);

/// An invoice as it is recorded.
pub struct Recorded<'a> {
    /// Who made it.
    pub provider: &'a str,
    /// As it was reported.
    pub report: &'a Report,
    /// It.
    pub bill: &'a Bill,
    /// When it was paid.
    pub at: Time,
    /// Our invoice.
    pub invoice_id: Uuid,
    /// And the payment intent that pays it.
    pub intent_id: Uuid,
    /// What its payment is called.
    pub name: &'a str,
}

impl Recorded<'_> {
    /// Records it, with all that this brings about.
    pub fn record(
        &self,
        session: &Session,
        customer: &Customer,
        there: &mut Subscription,
        (told, lines): (&Told, &[Line]),
        now: Time,
    ) -> Result<Reported, Error> {
        let customer_id = there.customer_id.clone();
        let (net, tax) = match self.bill.amount_paid - self.bill.tax {
            net if net > Decimal::ZERO => (net, self.bill.tax),
            _ => (self.bill.amount_paid, Decimal::ZERO),
        };
        let mut new = self.new_lines(session, there, lines, net)?;
        let granted = new.iter().filter_map(New::credit_currency).map(String::from).collect();
        instalments::lock_accounts_and(session, there, granted)?;
        // One that no item of it has: the provider says so later.
        lines.iter().try_for_each(|line| usage::record(session, line.item.price_id))?;
        self.goes_on(session, there, lines, now)?;
        billing::withhold(session, &Customer { tax_rate: None, ..customer.clone() }, there, (&mut new, Decimal::ZERO))?;
        let is_over = there.ended_at.is_some_and(|ended_at| lines.iter().all(|line| line.period.start >= ended_at));
        self.draft(session, there, &new, now)?;
        let too_late = is_over && !lines.is_empty();
        let contradicts = match self.bill.amount_paid.is_zero() {
            true => {
                let invoice = invoice::lock(session, &customer_id, self.invoice_id)?;
                finalize::finalize(session, customer, invoice, now)?;
                false
            }
            false => self.pay(session, customer, there, (net, tax, too_late), now)?,
        };
        let intent_id = (!self.bill.amount_paid.is_zero()).then_some(self.intent_id);
        *there = subscription::lock(session, &customer_id, there.id)?;
        if !contradicts {
            self.enter(session, there, told, lines, now)?;
            self.left_over(session, there, now)?;
        }
        Told::read(session, there)?.save(session, there, self.provider, self.report)?;
        changed::settle(session, customer, there, now)?;
        Ok(match contradicts {
            true => Reported::Contradiction(customer_id, intent_id),
            false => Reported::Applied(customer_id, intent_id),
        })
    }

    /// What is paid for time after it was to end shows that it goes on.
    fn goes_on(&self, session: &Session, there: &mut Subscription, lines: &[Line], now: Time) -> Result<(), Error> {
        let is_after = |at: Time| lines.iter().any(|line| line.period.start >= at);
        if there.status.is_over() || !there.cancel_at.is_some_and(is_after) {
            return Ok(());
        }
        (there.cancel_at, there.cancel_at_period_end, there.canceled_at) = (None, false, None);
        if there.status != Status::Paused {
            instalments::bring_back(session, there, now)?;
        }
        advance::save(session, there, now)
    }

    /// The lines as ours: those of items, less what was not paid of them, and what was paid besides.
    fn new_lines(
        &self,
        session: &Session,
        there: &Subscription,
        lines: &[Line],
        net: Decimal,
    ) -> Result<Vec<New>, Error> {
        let decimals = currency::decimals(session, &there.currency)?;
        let refused = |reason| Error::amount("amount_paid", net, reason);
        let amounts: Vec<Decimal> = lines.iter().map(|line| line.amount.max(Decimal::ZERO)).collect();
        let all: Decimal = amounts.iter().sum();
        let off = (all - net).max(Decimal::ZERO);
        let off = if lines.is_empty() { Vec::new() } else { shares(off, &amounts, decimals).map_err(refused)? };
        let mut new = Vec::with_capacity(lines.len() + 1);
        for ((line, amount), off) in lines.iter().zip(&amounts).zip(off) {
            let plan = self.granting(session, there, line)?;
            let (instalments, expires) = match &plan {
                Some(plan) => (plan.rest(line.whole, line.period.start).map_err(granting::refused)?, plan.expires),
                None => (Vec::new(), false),
            };
            let mut one = New::of_item(
                Uuid::now_v7(),
                OfItem {
                    item_id: line.item.id,
                    offer: &line.item.offer,
                    price_id: line.item.price_id,
                    quantity: line.item.quantity,
                    amount: *amount,
                    discount: off,
                    description: line.item.offer.product_name.clone(),
                    period: (line.period.start, line.period.end),
                    // So it is no more than was charged, whatever our own price says.
                    is_proration: false,
                    tax_rate: None,
                    tax_behavior: Some("exclusive"),
                    instalments,
                    expires,
                },
            );
            one.as_charged();
            if line.kind() == "trial" {
                one.make_free();
            }
            new.push(one);
        }
        if net > all || new.is_empty() {
            let description = format!("Changes and others, as billed by {}", self.provider);
            let rest = Given { amount: Some(net - all), description: Some(description), ..Given::default() };
            new.push(line::price(session, Uuid::now_v7(), rest, &there.currency, decimals)?);
        }
        Ok(new)
    }

    /// What a line grants: what its period granted already, nothing.
    fn granting(&self, session: &Session, there: &Subscription, line: &Line) -> Result<Option<Plan>, Error> {
        let schedule = line.item.offer.config.as_ref().and_then(|config| config.schedule.as_ref());
        let is_immediate = schedule.is_some_and(|schedule| schedule.first_grant == "immediate");
        let cells = [there.customer_id.cell(), line.item.id.cell(), line.period.start.cell()];
        if (line.kind() == "trial" && !is_immediate) || GRANTED.run(session, &cells)?.len() > 0 {
            return Ok(None);
        }
        Ok(granting::of(session, &line.item)?.map(Plan::capped))
    }

    fn draft(&self, session: &Session, there: &Subscription, lines: &[New], now: Time) -> Result<(), Error> {
        let reason = match (self.bill.is_first, self.bill.is_update) {
            (true, _) => Reason::SubscriptionCreate,
            (_, true) => Reason::SubscriptionUpdate,
            _ => Reason::SubscriptionCycle,
        };
        let number = self.bill.number.as_deref().unwrap_or(&self.bill.invoice);
        let description = format!("{} {number}", self.provider);
        let order = Order {
            customer_id: &there.customer_id,
            invoice_id: self.invoice_id,
            reason,
            currency: &there.currency,
            description: Some(&description),
            metadata: None,
            collection_method: collection::SENT,
            tax_rate: None,
            lines,
            discount: None,
            is_reported: true,
            subscription: Some(OfSubscription { id: there.id, days_until_due: None, payment_method_id: None }),
        };
        sale::draft(session, &order, now).map(drop)
    }

    /// The payment that paid it is reported. Returns whether that contradicts what is known.
    fn pay(
        &self,
        session: &Session,
        customer: &Customer,
        there: &Subscription,
        (net, tax, too_late): (Decimal, Decimal, bool),
        now: Time,
    ) -> Result<bool, Error> {
        let customer_id = there.customer_id.as_str();
        let new = intent::New {
            customer_id,
            id: self.intent_id,
            invoice_id: self.invoice_id,
            amount: net,
            currency: &there.currency,
            provider: Some(self.provider),
            return_url: None,
            failure_url: None,
            checkout_url: None,
            description: None,
            metadata: None,
            expires_at: None,
            recharge_id: None,
            credits: None,
        };
        intent::insert(session, &new, now)?;
        if too_late {
            // Money for time after its end is for nothing.
            finalize::give_out(session, customer, &invoice::lock(session, customer_id, self.invoice_id)?, now)?;
            close::give_up(session, &invoice::lock(session, customer_id, self.invoice_id)?, now)?;
        }
        let notification = Notification {
            provider: self.provider,
            reference: Some(self.name),
            payment: None,
            currency: Some(&there.currency),
            refund_id: None,
        };
        let mut case = case::open(session, (customer_id, self.intent_id), &notification, Fact::Succeeded)?;
        let details = Details { tax: (!tax.is_zero()).then_some(tax), ..Details::default() };
        let amount = Some(self.bill.amount_paid);
        let applied = payment::succeed(session, &mut case, &notification, amount, details)?;
        Ok(applied.contradiction.is_some())
    }

    /// Its periods are recorded, and it stands as what is paid says.
    fn enter(
        &self,
        session: &Session,
        there: &mut Subscription,
        told: &Told,
        lines: &[Line],
        now: Time,
    ) -> Result<(), Error> {
        there.latest_invoice_id = Some(self.invoice_id);
        let mut is_set = told.has_period || told.all_at.is_some();
        for line in lines {
            let cells = [
                there.customer_id.cell(),
                there.id.cell(),
                line.period.start.cell(),
                line.period.end.cell(),
                line.kind().cell(),
                self.invoice_id.cell(),
            ];
            PERIOD.run(session, &cells)?;
            if !is_set || line.period.start >= there.period.start {
                (there.period, is_set) = (line.period, true);
            }
            if told.all_at.is_none() && !told.has_period {
                there.cycle = Cycle { anchor: line.period.start, ..there.cycle };
            }
        }
        advance::save(session, there, now)?;
        if !self.bill.is_first && !self.bill.is_update {
            advance::record(session, there, EventType::SubscriptionRenewed, now)?;
        }
        // What is for no period leaves a trial what it is.
        let is_trial = match lines.is_empty() {
            true => there.status == Status::Trialing,
            false => lines.iter().all(|line| line.kind() == "trial"),
        };
        standing::paid(session, there, (self.at, is_trial), now)
    }

    /// Of what was paid after the end, or in a pause, nothing begins later.
    fn left_over(&self, session: &Session, there: &Subscription, now: Time) -> Result<(), Error> {
        let (from, why) = match (there.ended_at, there.paused_at) {
            (Some(ended_at), _) => (ended_at, "The subscription has ended"),
            (None, Some(paused_at)) if there.status == Status::Paused => {
                (paused_at.next(), "The subscription is paused")
            }
            _ => return Ok(()),
        };
        instalments::end(session, there, (from, Time::NEVER), why, now)
    }
}

// Of two invoices for one period the first is the one that granted.
static PERIOD: Statement = Statement::new(
    c"INSERT INTO credits_internal.subscription_periods (
          customer_id, subscription_id, period_start, period_end, kind, invoice_id, resumed)
      VALUES ($1, $2, $3, $4, $5, $6, false)
      ON CONFLICT (customer_id, subscription_id, period_start) DO NOTHING",
    &[TEXTOID, UUIDOID, TIMESTAMPTZOID, TIMESTAMPTZOID, TEXTOID, UUIDOID],
);
