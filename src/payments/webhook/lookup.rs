//! Which purchase an event is about, or why it changes nothing.

use crate::error::Error;
use crate::payments::listener::LISTENERS;
use crate::payments::payment_intent::{self as intent, Subject};
use crate::payments::provider::Expected;
use crate::payments::providers::event::Event;
use crate::payments::reckoning::Kind;
use crate::payments::reference::Thing;
use crate::pg::backend;
use crate::pg::statement::{Session, Statement, in_latest_snapshot};
use crate::pg::value::ToCell;
use pgrx::pg_sys::{TEXTOID, UUIDOID};
use uuid::Uuid;

/// Why an event changes nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ignored {
    /// It is of a kind that means nothing here.
    Kind,
    /// It is about test money where real money is expected, or the other way round.
    Livemode,
    /// It is another account's.
    Account,
    /// It names no purchase that is known.
    Unknown,
    /// It names one customer, and another's purchase.
    OtherCustomer,
}

impl Ignored {
    /// The name in SQL.
    pub fn as_str(self) -> &'static str {
        match self {
            Ignored::Kind => "kind",
            Ignored::Livemode => "livemode",
            Ignored::Account => "account",
            Ignored::Unknown => "unknown",
            Ignored::OtherCustomer => "other_customer",
        }
    }
}

/// The purchase that an event is about and what kind of fact it reports of that, or why it changes nothing.
pub type Found = Result<(Subject, Kind), Ignored>;

/// What an event is about, unless it is not looked at any further. Raises PC014 for an intent that may come.
pub fn subject(session: &Session, expected: &Expected<'_>, event: &Event) -> Result<Found, Error> {
    if let Some(ignored) = unexpected(expected, event) {
        return Ok(Err(ignored));
    }
    let Some(kind) = event.fact.kind() else { return Ok(Err(Ignored::Kind)) };
    Ok(find(session, expected.provider, event)?.map(|subject| (subject, kind)))
}

/// Why nobody expects it from that provider.
pub fn unexpected(expected: &Expected<'_>, event: &Event) -> Option<Ignored> {
    if !event.sender.livemode.fits(expected.livemode) {
        return Some(Ignored::Livemode);
    }
    (event.sender.account != expected.account).then_some(Ignored::Account)
}

/// Whose an event that is ignored says to be, or must be.
pub fn customer(session: &Session, name: &str, event: &Event, ignored: Ignored) -> Result<Option<String>, Error> {
    Ok(match &event.subject.customer_id {
        Some(named) => Some(named.clone()),
        None if ignored == Ignored::Unknown => None,
        None => find(session, name, event)?.ok().map(|subject| subject.customer_id),
    })
}

static BY_ID: Statement = Statement::new(
    c"SELECT t.customer_id, t.payment_intent_id, t.currency, t.invoice_id FROM credits_internal.payment_intents t
      WHERE t.payment_intent_id = $1 LIMIT 1",
    &[UUIDOID],
)
.before(
    c"SELECT t.customer_id, t.top_up_id, t.currency, t.top_up_id FROM credits_internal.top_ups t
      WHERE t.top_up_id = $1 LIMIT 1",
);

static BY_REFERENCE: Statement = Statement::new(
    c"SELECT t.customer_id, t.payment_intent_id, t.currency, t.invoice_id
      FROM credits_internal.payment_references r
      JOIN credits_internal.payment_intents t ON t.customer_id = r.customer_id AND t.payment_intent_id = r.top_up_id
      WHERE r.provider = $1 AND r.kind = $2 AND r.reference = $3",
    &[TEXTOID, TEXTOID, TEXTOID],
)
.before(
    c"SELECT t.customer_id, t.top_up_id, t.currency, t.top_up_id
      FROM credits_internal.payment_references r
      JOIN credits_internal.top_ups t ON t.customer_id = r.customer_id AND t.top_up_id = r.top_up_id
      WHERE r.provider = $1 AND r.kind = $2 AND r.reference = $3",
);

/// How long a transaction that begins a top-up may be under way when an event names the top-up already, in seconds.
const MAY_COME: i64 = 60 * 60;
/// How far the clock of the server that made an id may be ahead of this one's, in seconds.
const AHEAD: i64 = 5 * 60;

/// Whether an id may be that of something whose transaction has not committed yet: it was made as ours are, and lately.
pub fn may_come(id: Uuid) -> bool {
    let made_at = id.get_timestamp().map(|made_at| made_at.to_unix().0 as i64);
    let age = made_at.map(|made_at| backend::clock().unix_seconds() - made_at);
    id.get_version_num() == 7 && age.is_some_and(|age| (-AHEAD..MAY_COME).contains(&age))
}

/// The top-up that an event is about: a refund or a dispute by the payment that it names, all else by the id that it carries;
/// or the other way round. None where both are none of ours, or the payment is not yet. Raises PC014 for an id that may come.
fn find(session: &Session, name: &str, event: &Event) -> Result<Result<Subject, Ignored>, Error> {
    let by_reference = |thing: Thing, reference: &Option<String>| match reference {
        Some(reference) => in_latest_snapshot(session, |session| {
            let cells = [name.cell(), thing.as_str().cell(), reference.cell()];
            BY_REFERENCE.run(session, &cells)?.first().map(Subject::read).transpose()
        }),
        None => Ok(None),
    };
    let by_id = |id: Uuid| -> Result<Option<Subject>, Error> {
        if let Some(found) = BY_ID.run(session, &[id.cell()])?.first().map(Subject::read).transpose()? {
            return Ok(Some(found));
        }
        // A recharge's begins with what is reported of it, where its worker did not begin.
        for listener in LISTENERS.all() {
            if let Some(customer_id) = listener.recharge_of(session, id)? {
                return intent::subject(session, &customer_id, id).map(Some);
            }
        }
        intent::to_begin(session, id)
    };
    if let Some(found) = by_reference(Thing::Payment, &event.subject.of_payment)? {
        return Ok(Ok(found));
    }
    let customer_id = event.subject.customer_id.as_deref();
    if let Some(id) = event.subject.intent_id.as_deref().and_then(|id| Uuid::parse_str(id).ok()) {
        match by_id(id)? {
            Some(found) if customer_id.is_some_and(|customer_id| customer_id != found.customer_id) => {
                return Ok(Err(Ignored::OtherCustomer));
            }
            Some(found) => return Ok(Ok(found)),
            None if customer_id.is_some() && may_come(id) => return Err(intent::unknown(id)),
            None => {}
        }
    }
    let Some(payment) = &event.subject.payment else { return Ok(Err(Ignored::Unknown)) };
    // What is of a payment and names none has a name of its own, that of a refund or a dispute which is known maybe.
    let thing = match event.subject.of_payment {
        Some(_) => Thing::Payment,
        None => event.fact.thing(),
    };
    if let Some(found) = by_reference(thing, &event.subject.payment)? {
        return Ok(Ok(found));
    }
    // Some applications make the top-up's id the payment's reference.
    let found = match Uuid::parse_str(payment) {
        Ok(id) => by_id(id)?,
        Err(_) => None,
    };
    Ok(found.ok_or(Ignored::Unknown))
}
