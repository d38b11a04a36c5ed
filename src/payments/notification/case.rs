//! The payment intent that a notification is of: claimed before anything is locked for it, and then locked: its customer, then
//! its accounts, then itself.

use crate::amount::{self, Decimal};
use crate::error::Error;
use crate::ledger::engine::posting;
use crate::ledger::{balance, currency, customer};
use crate::moment::Time;
use crate::outbox;
use crate::outbox::billing_event::{self, EventType};
use crate::payments::clawback::line::{self, Credits, Line};
use crate::payments::listener::{LISTENERS, SALES};
use crate::payments::notification::Notification;
use crate::payments::notification::record::{self, Recorded};
use crate::payments::payment_intent::{self as intent, Intent, Subject};
use crate::payments::reckoning::{self, Fact, Kind, Standing};
use crate::payments::reference::{self, Thing};
use crate::pg::statement::Session;
use crate::settings;
use serde_json::Value;
use uuid::Uuid;

/// How it is said that something has the reference of another intent's payment, refund or dispute.
pub const ANOTHERS: &str = "it belongs to another payment";
/// Or that it is in another currency than the intent's.
pub const FOREIGN: &str = "it is in another currency";

/// An intent that a notification is claimed for.
pub struct Claim {
    /// It.
    pub subject: Subject,
    /// The accounts that the notification touches: those that the invoice grants credits to, and those that a dispute keeps
    /// from recharging themselves.
    pub accounts: Vec<posting::Key>,
    /// Why the notification is none of the intent's business.
    refused: Option<String>,
    /// The moment of the call.
    now: Time,
}

/// Claims what a notification names for an intent, before anything is locked for it.
pub fn claim(
    session: &Session,
    subject: Subject,
    notification: &Notification<'_>,
    kind: Kind,
    now: Time,
) -> Result<Claim, Error> {
    let (customer_id, id) = (subject.customer_id.as_str(), subject.id);
    let provider = notification.provider;
    let is_foreign = notification.currency.is_some_and(|currency| !currency.eq_ignore_ascii_case(&subject.currency));
    let is_anothers = |owner: &reference::Owner| (owner.0.as_str(), owner.1) != (customer_id, id);
    let payments_owner = match notification.payment {
        Some(name) => reference::owner(session, Thing::Payment, provider, name)?,
        None => None,
    };
    let owner = match (notification.reference, kind) {
        (None, _) => None,
        // A refund of another's payment is none of this one, and may be reported of that yet.
        (Some(_), _) if payments_owner.as_ref().is_some_and(is_anothers) => None,
        // Nor is what is in another currency: it may be of a purchase in that one.
        (Some(_), _) if is_foreign => None,
        (Some(name), Kind::Succeeded | Kind::Refunded | Kind::Disputed) => {
            reference::claim(session, (Thing::of(kind), provider, name), (customer_id, id), now)?
        }
        // What did not go through after all gives a refund that was asked for its name.
        (Some(name), Kind::RefundFailed) if notification.refund_id.is_some() => {
            reference::claim(session, (Thing::Refund, provider, name), (customer_id, id), now)?
        }
        (Some(name), _) => reference::owner(session, Thing::of(kind), provider, name)?,
    };
    // Which, but not whose: that customer may be erased.
    let anothers = owner.iter().chain(&payments_owner).find(|owner| is_anothers(owner));
    let refused = match notification.currency.filter(|_| is_foreign) {
        Some(currency) => {
            Some(format!("{FOREIGN}, {} and not {}: nothing is done", currency.to_uppercase(), subject.currency))
        }
        None => anothers.map(|owner| format!("{ANOTHERS}, {}: nothing is done", owner.1)),
    };
    let mut accounts = accounts(session, &subject)?;
    if kind == Kind::Disputed {
        for listener in LISTENERS.all() {
            accounts.extend(listener.changed_by_dispute(session, customer_id)?);
        }
    }
    Ok(Claim { subject, accounts, refused, now })
}

/// The accounts that its invoice grants credits to, or would.
fn accounts(session: &Session, subject: &Subject) -> Result<Vec<posting::Key>, Error> {
    let customer_id = &subject.customer_id;
    if let Some(invoice_id) = subject.invoice_id {
        return line::accounts(session, customer_id, invoice_id);
    }
    let mut all = Vec::new();
    for sale in SALES.all() {
        all.extend(sale.accounts(session, customer_id, subject.id)?);
    }
    Ok(all)
}

/// Locks the customers of all claims, then all accounts that they touch, made where they are missing, each in their order.
pub fn lock(session: &Session, claims: &mut [&mut Claim]) -> Result<(), Error> {
    let mut customers: Vec<String> = claims.iter().map(|claim| claim.subject.customer_id.clone()).collect();
    customers.sort();
    customers.dedup();
    customers.iter().try_for_each(|customer_id| customer::lock(session, customer_id).map(drop))?;
    let mut accounts: Vec<_> = claims.iter_mut().flat_map(|claim| std::mem::take(&mut claim.accounts)).collect();
    accounts.sort();
    accounts.dedup();
    posting::make(session, &accounts)?;
    posting::lock(session, &accounts).map(drop)
}

/// A payment intent that a notification is of, locked until the transaction ends, with its invoice's lines and all that was
/// recorded of it before.
pub struct Case {
    /// It.
    pub intent: Intent,
    /// What its invoice is for.
    pub lines: Vec<Line>,
    /// What was applied to that by nobody's payment.
    pub paid_otherwise: Decimal,
    /// What was recorded, in that order.
    pub recorded: Vec<Recorded>,
    /// Why the notification is none of its business.
    pub refused: Option<String>,
    /// The moment of the call.
    pub now: Time,
}

/// Claims what a notification names for a customer's payment intent, and locks that. Raises PC014 for one that is not there
/// (yet).
pub fn open(
    session: &Session,
    (customer_id, id): (&str, Uuid),
    notification: &Notification<'_>,
    kind: Kind,
) -> Result<Case, Error> {
    let subject = intent::subject(session, customer_id, id)?;
    let mut claim = claim(session, subject, notification, kind, settings::now()?)?;
    lock(session, &mut [&mut claim])?;
    Case::read(session, claim)
}

/// A customer's payment intent, locked with its customer, of which nothing is reported. Raises PC003, PC014.
pub fn alone(session: &Session, customer_id: &str, id: Uuid, now: Time) -> Result<Case, Error> {
    let subject = intent::subject(session, customer_id, id)?;
    customer::lock(session, customer_id)?;
    Case::read(session, Claim { subject, accounts: Vec::new(), refused: None, now })
}

/// The same with the accounts that its invoice grants credits to.
pub fn whole(session: &Session, customer_id: &str, id: Uuid, now: Time) -> Result<Case, Error> {
    let subject = intent::subject(session, customer_id, id)?;
    let accounts = accounts(session, &subject)?;
    let mut claim = Claim { subject, accounts, refused: None, now };
    lock(session, &mut [&mut claim])?;
    Case::read(session, claim)
}

impl Case {
    /// An intent that is claimed, and whose customer and accounts are locked: it is, with this. Raises PC014.
    pub fn read(session: &Session, claim: Claim) -> Result<Self, Error> {
        let Claim { subject: Subject { customer_id, id, invoice_id, .. }, refused, now, .. } = claim;
        if invoice_id.is_none() {
            SALES.all().try_for_each(|sale| sale.begin(session, &customer_id, id, now))?;
        }
        let intent = intent::lock(session, &customer_id, id)?;
        let invoice_id = intent.invoice_id;
        let lines = line::of(session, &customer_id, invoice_id)?;
        let paid_otherwise = line::paid_otherwise(session, &customer_id, invoice_id)?;
        let recorded = record::of(session, &customer_id, id)?;
        Ok(Case { intent, lines, paid_otherwise, recorded, refused, now })
    }

    /// The first credits that it is for, and their grant.
    pub fn credits(&self) -> Option<&Credits> {
        self.lines.iter().find_map(|line| line.credits.as_ref())
    }

    /// What a plain debit may take of these now.
    pub fn available(&self, session: &Session) -> Result<Decimal, Error> {
        let available = |credits: &Credits| available(session, &self.intent.customer_id, &credits.currency);
        self.credits().map_or(Ok(Decimal::ZERO), available)
    }

    /// Writes a billing event of it; of its invoice too where a payment failed.
    pub fn record(&self, session: &Session, event_type: EventType) -> Result<(), Error> {
        let customer_id = Some(self.intent.customer_id.as_str());
        billing_event::record(session, event_type, self.intent.id, customer_id, self.now)?;
        if event_type == EventType::PaymentIntentPaymentFailed {
            let invoice_failed = EventType::InvoicePaymentFailed;
            billing_event::record(session, invoice_failed, self.intent.invoice_id, customer_id, self.now)?;
        }
        Ok(())
    }

    /// Publishes what became of it, under the name that it has for top-ups, or the other.
    pub fn publish(&self, session: &Session, (top_up, other): (&'static str, &'static str), payload: &Value) {
        let kind = if self.intent.is_top_up { top_up } else { other };
        outbox::publish(session, &self.intent.customer_id, kind, payload, self.now);
    }

    /// What counts of what was recorded before.
    pub fn facts(&self) -> impl Iterator<Item = &Fact> + Clone {
        self.recorded.iter().filter(|recorded| recorded.counts).map(|recorded| &recorded.fact)
    }

    /// What that comes to.
    pub fn standing(&self) -> Standing {
        reckoning::reckon(self.intent.amount, self.facts())
    }

    /// The same with what is reported now.
    pub fn standing_with(&self, fact: &Fact) -> Standing {
        reckoning::reckon(self.intent.amount, self.facts().chain([fact]))
    }

    /// The purchase's status by now, in SQL.
    pub fn status(&self) -> &'static str {
        self.intent.status_at(self.now)
    }

    /// An amount in the decimals of the payment currency; nothing where it is of another. Raises PC007.
    pub fn fits(&self, session: &Session, argument: &'static str, amount: Option<Decimal>) -> Result<(), Error> {
        let (Some(amount), None) = (amount, &self.refused) else { return Ok(()) };
        let decimals = currency::decimals(session, &self.intent.currency)?;
        amount::fit(amount, decimals).map(drop).map_err(|reason| Error::amount(argument, amount, reason))
    }
}

/// What a plain debit may take from the account of a purchase.
pub fn available(session: &Session, customer_id: &str, currency: &str) -> Result<Decimal, Error> {
    let book = balance::current(session, customer_id, currency)?;
    Ok(book.map_or(Decimal::ZERO, |book| book.available))
}
