//! What was told of payments: recorded once for each thing that was told, and known again by its reference.

use crate::amount::{self, Decimal};
use crate::error::Error;
use crate::input;
use crate::ledger::engine::posting;
use crate::ledger::{balance, currency};
use crate::moment::Time;
use crate::outbox;
use crate::payments::listener::LISTENERS;
use crate::payments::reckoning::{self, Details, Fact, Kind, Standing};
use crate::payments::reference::{self, Thing};
use crate::payments::subject::{self, TopUp};
use crate::pg::call::argument::Id;
use crate::pg::statement::{Row, Session, Statement};
use crate::pg::value::ToCell;
use crate::settings;
use pgrx::pg_sys::{BOOLOID, NUMERICOID, TEXTOID, TIMESTAMPTZOID, UUIDOID};
use serde_json::json;
use uuid::Uuid;

/// Whose top-up, and which.
pub fn subject(customer_id: Option<&str>, top_up_id: Option<Id>) -> Result<(&str, Uuid), Error> {
    Ok((input::key("customer_id", customer_id)?, input::required("top_up_id", top_up_id)?.0))
}

/// Who says so, and what they call it.
#[derive(Debug, Clone, Copy)]
pub struct Told<'a> {
    /// The provider.
    pub provider: &'a str,
    /// Its name for the payment, the refund or the dispute.
    pub reference: Option<&'a str>,
    /// Its name for the payment that a refund or a dispute is of.
    pub payment: Option<&'a str>,
    /// The currency of its amounts; `None` for the top-up's.
    pub currency: Option<&'a str>,
    /// Whether the call has claimed and locked all that it takes, of this and whatever else it tells: see [`claim`].
    pub ahead: bool,
}

impl<'a> Told<'a> {
    /// Raises PC013.
    pub fn read(provider: Option<&'a str>, reference: Option<&'a str>) -> Result<Self, Error> {
        Ok(Told {
            provider: input::key("provider", Some(provider.unwrap_or("manual")))?,
            reference: input::optional_key("provider_reference", reference)?,
            payment: None,
            currency: None,
            ahead: false,
        })
    }

    /// The same of a refund or a dispute of a payment. Raises PC013.
    pub fn of(self, payment: Option<&'a str>) -> Result<Self, Error> {
        Ok(Told { payment: input::optional_key("payment_reference", payment)?, ..self })
    }

    /// The same in a currency, where that is said. Raises PC013.
    pub fn in_currency(self, currency: Option<&'a str>) -> Result<Self, Error> {
        Ok(Told { currency: input::optional_key("currency", currency)?, ..self })
    }

    /// What is told, as it is reckoned with.
    pub fn fact(&self, kind: Kind, amount: Option<Decimal>) -> Fact {
        Fact {
            kind,
            provider: self.provider.to_string(),
            reference: self.reference.map(String::from),
            payment: self.payment.map(String::from),
            amount,
            total: None,
            details: Details::default(),
        }
    }
}

/// What was recorded when something was told.
pub struct Recorded {
    /// What was told.
    pub fact: Fact,
    /// Whether it counts: what contradicts what was known may not.
    pub counts: bool,
    /// What did not fit what was known.
    pub contradiction: Option<String>,
    /// The operation that took credits for it.
    pub operation_id: Option<Uuid>,
}

/// What something that is told is to what was told before.
pub enum Before<'c> {
    /// It was not told before.
    New,
    /// It is the same.
    Same(&'c Recorded),
    /// It says of which payment a refund or a dispute is, of which another was told that is none and so took nothing: the place
    /// of what was told then.
    Corrects(usize),
    /// It has the same reference and says something else: why nothing is done.
    Other(String),
}

/// A top-up that something is told of, locked until the transaction ends, with all that was told of it before.
pub struct Case {
    /// It.
    pub top_up: TopUp,
    /// What was told, in that order.
    pub recorded: Vec<Recorded>,
    /// Why what is told now is none of its business.
    pub refused: Option<String>,
    /// The moment of the call.
    pub now: Time,
}

/// How it is said that something has the reference of another top-up's payment, refund or dispute.
const ANOTHERS: &str = "it belongs to another top-up";
/// Or that it is in another currency than the top-up's.
const FOREIGN: &str = "it is in another currency";

/// Something else was told before under the same reference.
fn another(what: &str, before: &str, now: &str) -> String {
    format!("another {what} was told before under the same reference, {before} and not {now}: nothing is done")
}

static FACTS: Statement = Statement::new(
    c"SELECT type, provider, provider_reference, payment_reference, amount, total_refunded, tax, shipping, discount, subtotal,
             counts, contradiction, operation_id
      FROM credits_internal.payments WHERE customer_id = $1 AND top_up_id = $2
      ORDER BY customer_id, top_up_id, payment_id",
    &[TEXTOID, UUIDOID],
);

/// What something that is told takes.
pub struct Claim {
    /// Why it is none of the top-up's business.
    refused: Option<String>,
    /// The accounts that it touches: the purchase's, and those that a dispute keeps from recharging themselves.
    pub accounts: Vec<posting::Key>,
}

/// Claims what is told for a customer's top-up, before anything is locked for it. Raises PC014 for one that is not there (yet).
pub fn claim(
    session: &Session,
    (customer_id, top_up_id): (&str, Uuid),
    told: &Told<'_>,
    kind: Kind,
    now: Time,
) -> Result<Claim, Error> {
    let found = subject::find(session, customer_id, top_up_id)?;
    // Its currency never changes: no lock is needed to judge by it.
    let is_foreign = told.currency.is_some_and(|currency| !currency.eq_ignore_ascii_case(&found.currency));
    let is_anothers = |owner: &reference::Owner| (owner.0.as_str(), owner.1) != (customer_id, top_up_id);
    let payments_owner = match told.payment {
        Some(name) => reference::owner(session, Thing::Payment, told.provider, name)?,
        None => None,
    };
    let owner = match (told.reference, kind) {
        (None, _) => None,
        // A refund of another's payment is none of this one, and may be told of that yet.
        (Some(_), _) if payments_owner.as_ref().is_some_and(is_anothers) => None,
        // Nor is what is in another currency: it may be of a purchase in that one.
        (Some(_), _) if is_foreign => None,
        (Some(name), Kind::Succeeded | Kind::Refunded | Kind::Disputed) => {
            reference::claim(session, (Thing::of(kind), told.provider, name), (customer_id, top_up_id), now)?
        }
        (Some(name), _) => reference::owner(session, Thing::of(kind), told.provider, name)?,
    };
    // Which, but not whose: that customer may be erased.
    let anothers = owner.iter().chain(&payments_owner).find(|owner| is_anothers(owner));
    let refused = match told.currency.filter(|_| is_foreign) {
        Some(currency) => {
            Some(format!("{FOREIGN}, {} and not {}: nothing is done", currency.to_uppercase(), found.currency))
        }
        None => anothers.map(|owner| format!("{ANOTHERS}, {}: nothing is done", owner.1)),
    };
    let mut accounts = vec![(customer_id.to_string(), found.credit_currency)];
    if kind == Kind::Disputed {
        for listener in LISTENERS.all() {
            accounts.extend(listener.changed_by_dispute(session, customer_id)?);
        }
    }
    Ok(Claim { refused, accounts })
}

/// Locks accounts, made where they are missing, all at once and in their order.
pub fn lock(session: &Session, mut accounts: Vec<posting::Key>) -> Result<(), Error> {
    accounts.sort();
    accounts.dedup();
    posting::make(session, &accounts)?;
    posting::lock(session, &accounts).map(drop)
}

/// Claims what is told for a customer's top-up, and locks that: first its account, so that whatever a transaction does to an
/// account before or after this is locked in one order. Raises PC014 for one that is not there (yet).
pub fn open(session: &Session, customer_id: &str, top_up_id: Uuid, told: &Told<'_>, kind: Kind) -> Result<Case, Error> {
    let now = settings::now()?;
    let Claim { refused, accounts } = claim(session, (customer_id, top_up_id), told, kind, now)?;
    if !told.ahead {
        lock(session, accounts)?;
    }
    let top_up = subject::lock(session, customer_id, top_up_id)?;
    let rows = FACTS.run(session, &[customer_id.cell(), top_up_id.cell()])?;
    let recorded = rows.iter().map(read).collect::<Result<_, Error>>()?;
    Ok(Case { top_up, recorded, refused, now })
}

fn read(mut row: Row<'_>) -> Result<Recorded, Error> {
    Ok(Recorded {
        fact: Fact {
            kind: Kind::parse(&row.next::<String>()?)
                .ok_or_else(|| Error::internal("something unknown was told of a payment"))?,
            provider: row.next()?,
            reference: row.next()?,
            payment: row.next()?,
            amount: row.next()?,
            total: row.next()?,
            details: Details { tax: row.next()?, shipping: row.next()?, discount: row.next()?, subtotal: row.next()? },
        },
        counts: row.next()?,
        contradiction: row.next()?,
        operation_id: row.next()?,
    })
}

impl Case {
    /// What counts of what was told before.
    pub fn facts(&self) -> impl Iterator<Item = &Fact> + Clone {
        self.recorded.iter().filter(|recorded| recorded.counts).map(|recorded| &recorded.fact)
    }

    /// What that comes to.
    pub fn standing(&self) -> Standing {
        reckoning::reckon(self.top_up.amount, self.facts())
    }

    /// The same with what is told now.
    pub fn standing_with(&self, fact: &Fact) -> Standing {
        reckoning::reckon(self.top_up.amount, self.facts().chain([fact]))
    }

    /// What was recorded when the same was told before and counted: only what has a reference can be known again.
    pub fn known(&self, kind: Kind, told: &Told<'_>) -> Option<&Recorded> {
        self.named(kind, told.provider, told.reference).find(|recorded| recorded.counts)
    }

    fn named<'c, 'n>(
        &'c self,
        kind: Kind,
        provider: &'n str,
        reference: Option<&'n str>,
    ) -> impl Iterator<Item = &'c Recorded> + use<'c, 'n> {
        self.recorded.iter().filter(move |recorded| {
            let fact = &recorded.fact;
            fact.kind == kind
                && reference.is_some()
                && fact.reference.as_deref() == reference
                && fact.provider == provider
        })
    }

    /// What something is to what was told before.
    pub fn before(&self, fact: &Fact) -> Before<'_> {
        let named = || self.named(fact.kind, &fact.provider, fact.reference.as_deref());
        let counting = || named().filter(|recorded| recorded.counts);
        let refused = || named().find(|recorded| !recorded.counts && agree(&recorded.fact, fact));
        if self.refused.is_some() {
            return refused().map_or(Before::New, Before::Same);
        }
        match counting().next() {
            // What did not count then, does not now; but it may come in the right currency, or for the right top-up.
            None => named()
                .find(|recorded| {
                    let is_passing = |why: &String| why.starts_with(ANOTHERS) || why.starts_with(FOREIGN);
                    let passing = recorded.contradiction.as_ref().is_some_and(is_passing);
                    !recorded.counts && !passing && agree(&recorded.fact, fact)
                })
                .map_or(Before::New, Before::Same),
            Some(first) if counting().all(|recorded| agree(&recorded.fact, fact)) => Before::Same(first),
            Some(first) => match refused() {
                Some(recorded) => Before::Same(recorded),
                None => match counting().find_map(|recorded| other_amount(&recorded.fact, fact)) {
                    Some((part, before, now)) => {
                        let text = |amount: Decimal| amount.normalize().to_string();
                        Before::Other(another(part, &text(before), &text(now)))
                    }
                    None => {
                        let name = |fact: &Fact| fact.payment.clone().unwrap_or_default();
                        let other = another("payment", &name(&first.fact), &name(fact));
                        self.corrected(first).map_or(Before::Other(other), Before::Corrects)
                    }
                },
            },
        }
    }

    /// Where what was told is, if it is of a payment that nobody has told, so that it took nothing, and has not failed either.
    fn corrected(&self, first: &Recorded) -> Option<usize> {
        let fact = &first.fact;
        let failed = self.named(Kind::RefundFailed, &fact.provider, fact.reference.as_deref());
        let took = first.operation_id.is_some()
            || failed.into_iter().any(|recorded| recorded.counts)
            || self.standing().payment_of(&fact.provider, fact.payment.as_deref()).is_some();
        self.recorded.iter().position(|recorded| std::ptr::eq(recorded, first)).filter(|_| !took)
    }

    /// What was told there counts no longer: it is told again, and better.
    pub fn forget(&mut self, session: &Session, place: usize) -> Result<(), Error> {
        let Some(recorded) = self.recorded.get_mut(place) else { return Ok(()) };
        let fact = &recorded.fact;
        let top_up = &self.top_up;
        let cells = [
            top_up.customer_id.cell(),
            top_up.id.cell(),
            fact.kind.as_str().cell(),
            fact.provider.cell(),
            fact.reference.cell(),
        ];
        FORGET.run(session, &cells)?;
        recorded.counts = false;
        Ok(())
    }
}

static FORGET: Statement = Statement::new(
    c"UPDATE credits_internal.payments SET counts = false
      WHERE customer_id = $1 AND top_up_id = $2 AND type = $3 AND provider = $4 AND provider_reference = $5 AND counts",
    &[TEXTOID, UUIDOID, TEXTOID, TEXTOID, TEXTOID],
);

/// Whether two things that are told under one reference say the same, as far as both say it. How a refund or a dispute ended
/// is of the payment that the beginning named.
fn agree(one: &Fact, other: &Fact) -> bool {
    let is_beginning = matches!(one.kind, Kind::Refunded | Kind::Disputed);
    let payments = (one.payment.as_ref(), other.payment.as_ref());
    let same_payment = !matches!(payments, (Some(one), Some(other)) if one != other);
    other_amount(one, other).is_none() && (same_payment || !is_beginning)
}

/// The first amount that both say and that is not the same: what it is of, and what each says.
fn other_amount(one: &Fact, other: &Fact) -> Option<(&'static str, Decimal, Decimal)> {
    let parts = |fact: &Fact| {
        let Details { tax, shipping, discount, subtotal } = fact.details;
        [
            ("amount", fact.amount),
            ("total", fact.total),
            ("tax", tax),
            ("shipping", shipping),
            ("discount", discount),
            ("subtotal", subtotal),
        ]
    };
    parts(one).into_iter().zip(parts(other)).find_map(|((name, one), (_, other))| match (one, other) {
        (Some(one), Some(other)) if one != other => Some((name, one, other)),
        _ => None,
    })
}

/// What is recorded of something that is told.
pub struct Entry<'a> {
    /// What is told.
    pub fact: &'a Fact,
    /// The currency of its amounts; `None` for the top-up's.
    pub currency: Option<&'a str>,
    /// What does not fit what was known.
    pub contradiction: Option<&'a str>,
    /// Whether it counts all the same.
    pub counts: bool,
    /// The operation that took credits for it.
    pub operation_id: Option<Uuid>,
}

static RECORD: Statement = Statement::new(
    c"INSERT INTO credits_internal.payments (customer_id, payment_id, top_up_id, type, provider, provider_reference,
      payment_reference,
                                    amount, total_refunded, tax, shipping, discount, subtotal, currency, counts,
                                    contradiction, operation_id, created_at)
      VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18)",
    &[
        TEXTOID,
        UUIDOID,
        UUIDOID,
        TEXTOID,
        TEXTOID,
        TEXTOID,
        TEXTOID,
        NUMERICOID,
        NUMERICOID,
        NUMERICOID,
        NUMERICOID,
        NUMERICOID,
        NUMERICOID,
        TEXTOID,
        BOOLOID,
        TEXTOID,
        UUIDOID,
        TIMESTAMPTZOID,
    ],
);

/// Records what is told; what contradicts is told on.
pub fn record(session: &Session, case: &Case, entry: &Entry<'_>) -> Result<(), Error> {
    let (fact, top_up) = (entry.fact, &case.top_up);
    let foreign = entry.currency.filter(|currency| !currency.eq_ignore_ascii_case(&top_up.currency));
    let currency = foreign.map_or_else(|| top_up.currency.clone(), str::to_uppercase);
    RECORD.run(
        session,
        &[
            top_up.customer_id.cell(),
            Uuid::now_v7().cell(),
            top_up.id.cell(),
            fact.kind.as_str().cell(),
            fact.provider.cell(),
            fact.reference.cell(),
            fact.payment.cell(),
            fact.amount.cell(),
            fact.total.cell(),
            fact.details.tax.cell(),
            fact.details.shipping.cell(),
            fact.details.discount.cell(),
            fact.details.subtotal.cell(),
            currency.cell(),
            entry.counts.cell(),
            entry.contradiction.cell(),
            entry.operation_id.cell(),
            case.now.cell(),
        ],
    )?;
    let Some(contradiction) = entry.contradiction else { return Ok(()) };
    let mut payload = json!({
        "top_up_id": top_up.id,
        "type": fact.kind.as_str(),
        "provider": fact.provider,
        "provider_reference": fact.reference,
        "amount": fact.amount.or(fact.total).map(|amount| amount.normalize().to_string()),
        "contradiction": contradiction,
    });
    if let Some(payment) = &fact.payment {
        payload["payment_reference"] = json!(payment);
    }
    if foreign.is_some() {
        payload["currency"] = json!(currency);
    }
    outbox::publish(session, &top_up.customer_id, "payment.contradiction", &payload, case.now);
    Ok(())
}

/// What does not fit where a payment is paid back, or disputed, that nobody has told yet.
pub fn before_paid(what: &str, payment: Option<&str>) -> String {
    match payment {
        Some(payment) => format!("it is {what}, and the payment {payment} was not told yet"),
        None => format!("it is {what} and was not paid yet"),
    }
}

/// Records something that changes nothing, and why. Returns that.
pub fn refuse(
    session: &Session,
    case: &Case,
    fact: &Fact,
    told: &Told<'_>,
    contradiction: &str,
) -> Result<Option<String>, Error> {
    let contradiction = Some(contradiction);
    let entry = Entry { fact, currency: told.currency, contradiction, counts: false, operation_id: None };
    record(session, case, &entry)?;
    Ok(contradiction.map(String::from))
}

/// An amount in the decimals of the payment currency; nothing where it is of another.
pub fn fits(session: &Session, case: &Case, argument: &'static str, amount: Option<Decimal>) -> Result<(), Error> {
    let (Some(amount), None) = (amount, &case.refused) else { return Ok(()) };
    let decimals = currency::decimals(session, &case.top_up.currency)?;
    amount::fit(amount, decimals).map(drop).map_err(|reason| Error::amount(argument, amount, reason))
}

/// What a plain debit may take from the account of a purchase.
pub fn available(session: &Session, top_up: &TopUp) -> Result<Decimal, Error> {
    let book = balance::current(session, &top_up.customer_id, &top_up.credit_currency)?;
    Ok(book.map_or(Decimal::ZERO, |book| book.available))
}
