//! The purchase that a notification is of: claimed before anything is locked for it, and then locked, its account first.

use crate::amount::{self, Decimal};
use crate::error::Error;
use crate::ledger::engine::posting;
use crate::ledger::{balance, currency};
use crate::moment::Time;
use crate::payments::listener::LISTENERS;
use crate::payments::notification::Notification;
use crate::payments::notification::record::{self, Recorded};
use crate::payments::reckoning::{self, Fact, Kind, Standing};
use crate::payments::reference::{self, Thing};
use crate::payments::subject::{self, Purchase, TopUp};
use crate::pg::statement::Session;
use crate::settings;
use uuid::Uuid;

/// How it is said that something has the reference of another top-up's payment, refund or dispute.
pub const ANOTHERS: &str = "it belongs to another top-up";
/// Or that it is in another currency than the top-up's.
pub const FOREIGN: &str = "it is in another currency";

/// A purchase that a notification is claimed for.
pub struct Claim {
    /// It.
    pub purchase: Purchase,
    /// The accounts that the notification touches: the purchase's, and those that a dispute keeps from recharging themselves.
    pub accounts: Vec<posting::Key>,
    /// Why the notification is none of the purchase's business.
    refused: Option<String>,
    /// The moment of the call.
    now: Time,
}

/// Claims what a notification names for a purchase, before anything is locked for it.
pub fn claim(
    session: &Session,
    purchase: Purchase,
    notification: &Notification<'_>,
    kind: Kind,
    now: Time,
) -> Result<Claim, Error> {
    let (customer_id, top_up_id) = (purchase.customer_id.as_str(), purchase.top_up_id);
    let provider = notification.provider;
    let is_foreign = notification.currency.is_some_and(|currency| !currency.eq_ignore_ascii_case(&purchase.currency));
    let is_anothers = |owner: &reference::Owner| (owner.0.as_str(), owner.1) != (customer_id, top_up_id);
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
            reference::claim(session, (Thing::of(kind), provider, name), (customer_id, top_up_id), now)?
        }
        (Some(name), _) => reference::owner(session, Thing::of(kind), provider, name)?,
    };
    // Which, but not whose: that customer may be erased.
    let anothers = owner.iter().chain(&payments_owner).find(|owner| is_anothers(owner));
    let refused = match notification.currency.filter(|_| is_foreign) {
        Some(currency) => {
            Some(format!("{FOREIGN}, {} and not {}: nothing is done", currency.to_uppercase(), purchase.currency))
        }
        None => anothers.map(|owner| format!("{ANOTHERS}, {}: nothing is done", owner.1)),
    };
    let mut accounts = vec![(customer_id.to_string(), purchase.credit_currency.clone())];
    if kind == Kind::Disputed {
        for listener in LISTENERS.all() {
            accounts.extend(listener.changed_by_dispute(session, customer_id)?);
        }
    }
    Ok(Claim { purchase, accounts, refused, now })
}

/// Locks accounts, made where they are missing, all at once and in their order.
pub fn lock(session: &Session, mut accounts: Vec<posting::Key>) -> Result<(), Error> {
    accounts.sort();
    accounts.dedup();
    posting::make(session, &accounts)?;
    posting::lock(session, &accounts).map(drop)
}

/// A purchase that a notification is of, locked until the transaction ends, with all that was recorded of it before.
pub struct Case {
    /// It.
    pub top_up: TopUp,
    /// What was recorded, in that order.
    pub recorded: Vec<Recorded>,
    /// Why the notification is none of its business.
    pub refused: Option<String>,
    /// The moment of the call.
    pub now: Time,
}

/// Claims what a notification names for a customer's top-up, and locks that: first its account, so that whatever a transaction
/// does to an account before or after this is locked in one order. Raises PC014 for one that is not there (yet).
pub fn open(
    session: &Session,
    (customer_id, top_up_id): (&str, Uuid),
    notification: &Notification<'_>,
    kind: Kind,
) -> Result<Case, Error> {
    let purchase = subject::purchase(session, customer_id, top_up_id)?;
    let mut claim = claim(session, purchase, notification, kind, settings::now()?)?;
    lock(session, std::mem::take(&mut claim.accounts))?;
    Case::read(session, claim)
}

impl Case {
    /// A purchase that is claimed, and all of whose accounts are locked: its row is, with this. Raises PC014.
    pub fn read(session: &Session, claim: Claim) -> Result<Self, Error> {
        let Claim { purchase: Purchase { customer_id, top_up_id, .. }, refused, now, .. } = claim;
        let top_up = subject::lock(session, &customer_id, top_up_id)?;
        let recorded = record::of(session, &customer_id, top_up_id)?;
        Ok(Case { top_up, recorded, refused, now })
    }

    /// What counts of what was recorded before.
    pub fn facts(&self) -> impl Iterator<Item = &Fact> + Clone {
        self.recorded.iter().filter(|recorded| recorded.counts).map(|recorded| &recorded.fact)
    }

    /// What that comes to.
    pub fn standing(&self) -> Standing {
        reckoning::reckon(self.top_up.amount, self.facts())
    }

    /// The same with what is reported now.
    pub fn standing_with(&self, fact: &Fact) -> Standing {
        reckoning::reckon(self.top_up.amount, self.facts().chain([fact]))
    }

    /// The purchase's status by now, in SQL.
    pub fn status(&self) -> &'static str {
        self.top_up.status_at(self.now).as_str()
    }

    /// An amount in the decimals of the payment currency; nothing where it is of another. Raises PC007.
    pub fn fits(&self, session: &Session, argument: &'static str, amount: Option<Decimal>) -> Result<(), Error> {
        let (Some(amount), None) = (amount, &self.refused) else { return Ok(()) };
        let decimals = currency::decimals(session, &self.top_up.currency)?;
        amount::fit(amount, decimals).map(drop).map_err(|reason| Error::amount(argument, amount, reason))
    }
}

/// What a plain debit may take from the account of a purchase.
pub fn available(session: &Session, top_up: &TopUp) -> Result<Decimal, Error> {
    let book = balance::current(session, &top_up.customer_id, &top_up.credit_currency)?;
    Ok(book.map_or(Decimal::ZERO, |book| book.available))
}
