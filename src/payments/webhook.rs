//! Webhooks: a provider's event is checked, claimed by its id, and applied, all in the caller's transaction, so that a failure
//! leaves no claim. What an event says is read in providers/: a file per provider.

use crate::amount::Decimal;
use crate::error::Error;
use crate::input;
use crate::moment::Time;
use crate::payments::notification::{self, Told};
use crate::payments::provider::{self, Expected};
use crate::payments::providers::event::{Event, Fact};
use crate::payments::reckoning::Details;
use crate::payments::reference::{self, Thing};
use crate::payments::{clawback, dispute, payment, providers, refund, subject};
use crate::pg::backend;
use crate::pg::call::reply::{One, Reply};
use crate::pg::locking::lock::Lock;
use crate::pg::statement::{Session, Statement, in_latest_snapshot, writing};
use crate::pg::value::ToCell;
use crate::row;
use crate::settings;
use pgrx::pg_extern;
use pgrx::pg_sys::{INT4OID, TEXTOID, TIMESTAMPTZOID, UUIDOID};
use uuid::Uuid;

/// The longest payload that is read, in bytes.
const LONGEST: usize = 1 << 20;

row! {
    /// What `webhook_receive` returns.
    pub struct WebhookRow {
        /// The provider's id of the event.
        pub event_id: String,
        /// The provider's word for what happened.
        pub kind: String,
        /// 'applied', 'contradiction' or 'ignored'.
        pub outcome: String,
        /// Whose payment it is about; NULL where it is about none.
        pub customer_id: Option<String>,
        /// The top-up, likewise.
        pub top_up_id: Option<Uuid>,
        /// What that is by now.
        pub status: Option<String>,
        /// Whether the event was received before.
        pub replayed: bool,
        /// Why it was ignored: see [`Ignored`].
        pub reason: Option<String>,
    }
}

/// Why an event changes nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ignored {
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
    fn as_str(self) -> &'static str {
        match self {
            Ignored::Kind => "kind",
            Ignored::Livemode => "livemode",
            Ignored::Account => "account",
            Ignored::Unknown => "unknown",
            Ignored::OtherCustomer => "other_customer",
        }
    }
}

/// `credits.webhook_receive`. Raises PC012, PC013, PC014.
#[pg_extern(sql = false)]
fn webhook_receive(provider: Option<&str>, payload: Option<&str>, signature: Option<&str>) -> Reply<One<WebhookRow>> {
    Reply((|| {
        let name = input::key("provider", provider)?;
        let payload = input::required("payload", payload)?;
        let signature = signature.unwrap_or_default();
        if payload.len() > LONGEST {
            return Err(Error::argument("payload", "must have at most 1 MiB"));
        }
        writing(|session| receive(session, name, payload, signature)).map(One)
    })())
}

static CLAIM: Statement = Statement::new(
    c"INSERT INTO credits_internal.webhook_events (provider, event_id, type, outcome, reference, payload, received_at)
      VALUES ($1, $2, $3, 'ignored', $4, $5, $6)
      ON CONFLICT DO NOTHING RETURNING 1",
    &[TEXTOID, TEXTOID, TEXTOID, TEXTOID, TEXTOID, TIMESTAMPTZOID],
);

// Of two deliveries of what was ignored, which names no payment to wait for, the later sees what came of the earlier; and nothing
// deletes it while it is judged again. So with what was ignored of a payment that came: all in one order, and before any account.
static LOCK: Statement = Statement::new(
    c"SELECT w.event_id
      FROM (SELECT $2 AS event_id
            UNION
            SELECT e.event_id FROM credits_internal.webhook_events e
            WHERE e.provider = $1 AND e.reference = $3 AND e.outcome = 'ignored') k
      JOIN credits_internal.webhook_events w ON w.provider = $1 AND w.event_id = k.event_id
      ORDER BY w.event_id
      FOR UPDATE OF w",
    &[TEXTOID, TEXTOID, TEXTOID],
);

static FIRST: Statement = Statement::new(
    c"SELECT w.type, w.outcome, w.customer_id, w.top_up_id, w.reason FROM credits_internal.webhook_events w
      WHERE w.provider = $1 AND w.event_id = $2",
    &[TEXTOID, TEXTOID],
);

static SETTLE: Statement = Statement::new(
    // Of a customer that was erased only that it came is kept.
    c"UPDATE credits_internal.webhook_events w
      SET outcome = $3, customer_id = $4, top_up_id = $5, reason = $6,
          payload = CASE WHEN EXISTS (SELECT FROM credits_internal.customers c WHERE c.customer_id = $4
          AND c.erased_at IS NOT NULL)
                         THEN NULL ELSE w.payload END
      WHERE w.provider = $1 AND w.event_id = $2",
    &[TEXTOID, TEXTOID, TEXTOID, TEXTOID, UUIDOID, TEXTOID],
);

fn receive(session: &Session, name: &str, payload: &str, signature: &str) -> Result<WebhookRow, Error> {
    let now = settings::now()?;
    let expected = provider::check_signature(session, name, payload, signature, now)?;
    let event = read(name, payload)?;
    let cells =
        [name.cell(), event.id.cell(), event.kind.cell(), event.subject.payment.cell(), payload.cell(), now.cell()];
    let is_new = loop {
        let is_new = CLAIM.run(session, &cells)?.len() > 0;
        if let Some(payment) = &event.subject.payment {
            // One event of a payment at a time: of a success and a refund that names nothing but the payment, the later sees
            // the earlier.
            Lock::of(session, c"webhook_events", (name, payment)).take();
        }
        let payment = event.subject.payment.as_ref().filter(|_| event.fact.is_success());
        if !is_new || payment.is_some() {
            LOCK.run(session, &[name.cell(), event.id.cell(), payment.cell()])?;
        }
        if is_new {
            break true;
        }
        match first(session, name, &event)? {
            Some(row) if row.outcome != "ignored" => return Ok(row),
            // What was ignored is judged again: what was expected then, or known, may have been wrong.
            Some(_) => break false,
            // It was ignored, and has just been deleted: it is claimed anew.
            None => {}
        }
    };
    let found = subject(session, &expected, &event)?;
    let earlier = match &found {
        Ok(_) if event.fact.is_success() => earlier(session, &expected, &event)?,
        _ => Vec::new(),
    };
    let mut events = vec![(event, found)];
    if !earlier.is_empty() {
        lock_ahead(session, &expected, &mut events, earlier, now)?;
    }
    let ahead = events.len() > 1;
    let mut rows = events.iter().map(|(event, found)| apply(session, &expected, event, found, ahead));
    let mut row = rows.next().ok_or_else(|| Error::internal("an event is lost"))??;
    rows.try_for_each(|row| row.map(drop))?;
    row.replayed = !is_new && row.outcome == "ignored";
    Ok(row)
}

fn read(name: &str, payload: &str) -> Result<Event, Error> {
    providers::of(name).read(payload).map_err(|wrong| Error::argument("payload", wrong.to_string()))
}

/// What an event that was received before came to; its row is locked.
fn first(session: &Session, name: &str, event: &Event) -> Result<Option<WebhookRow>, Error> {
    let rows = FIRST.run(session, &[name.cell(), event.id.cell()])?;
    let Some(mut row) = rows.first() else { return Ok(None) };
    let (kind, outcome): (String, String) = (row.next()?, row.next()?);
    let (customer_id, top_up_id): (Option<String>, Option<Uuid>) = (row.next()?, row.next()?);
    let reason = row.next()?;
    let status = match (&customer_id, top_up_id) {
        (Some(customer_id), Some(id)) => Some(subject::find(session, customer_id, id)?.status.as_str().to_string()),
        _ => None,
    };
    let event_id = event.id.clone();
    Ok(Some(WebhookRow { event_id, kind, outcome, customer_id, top_up_id, status, replayed: true, reason }))
}

/// Whose an event is, or why it is nobody's.
type Found = Result<(String, Uuid), Ignored>;

/// The top-up that an event is about, unless it is not looked at any further. Raises PC014 for one that may come.
fn subject(session: &Session, expected: &Expected<'_>, event: &Event) -> Result<Found, Error> {
    match unexpected(expected, event) {
        Some(ignored) => Ok(Err(ignored)),
        None => find(session, expected.provider, event),
    }
}

/// Applies an event, whose row is locked, to its top-up; `ahead` where what that takes is locked as well.
fn apply(
    session: &Session,
    expected: &Expected<'_>,
    event: &Event,
    found: &Found,
    ahead: bool,
) -> Result<WebhookRow, Error> {
    let name = expected.provider;
    let mut row = WebhookRow {
        event_id: event.id.clone(),
        kind: event.kind.clone(),
        outcome: String::from("ignored"),
        customer_id: None,
        top_up_id: None,
        status: None,
        replayed: false,
        reason: None,
    };
    // Whose what is ignored says to be, or must be: it is forgotten with that customer, and says nothing else.
    let mut claimed = None;
    match found {
        Ok((customer_id, top_up_id)) => {
            let told = Told { ahead, ..told(name, event) };
            let (status, contradiction) = tell(session, told, event, customer_id, *top_up_id)?;
            row.outcome = String::from(if contradiction { "contradiction" } else { "applied" });
            (row.customer_id, row.top_up_id, row.status) = (Some(customer_id.clone()), Some(*top_up_id), Some(status));
        }
        Err(ignored) => {
            row.reason = Some(String::from(ignored.as_str()));
            claimed = match &event.subject.customer_id {
                Some(named) => Some(named.clone()),
                None => find(session, name, event)?.ok().map(|found| found.0),
            };
        }
    }
    let cells = [
        name.cell(),
        event.id.cell(),
        row.outcome.cell(),
        row.customer_id.as_deref().or(claimed.as_deref()).cell(),
        row.top_up_id.cell(),
        row.reason.cell(),
    ];
    SETTLE.run(session, &cells)?;
    Ok(row)
}

/// Why an event is not looked at any further.
fn unexpected(expected: &Expected<'_>, event: &Event) -> Option<Ignored> {
    if !event.sender.livemode.fits(expected.livemode) {
        Some(Ignored::Livemode)
    } else if event.sender.account != expected.account {
        Some(Ignored::Account)
    } else {
        (event.fact == Fact::Nothing).then_some(Ignored::Kind)
    }
}

static BY_ID: Statement = Statement::new(
    c"SELECT customer_id, top_up_id FROM credits_internal.top_ups WHERE top_up_id = $1 LIMIT 1",
    &[UUIDOID],
);

/// How long a transaction that begins a top-up may be under way when an event names the top-up already, in seconds.
const MAY_COME: i64 = 60 * 60;
/// How far the clock of the server that made an id may be ahead of this one's, in seconds.
const AHEAD: i64 = 5 * 60;

/// Whether an id may be that of a top-up whose transaction has not committed yet: it was made as ours are, and lately.
fn may_come(id: Uuid) -> bool {
    let made_at = id.get_timestamp().map(|made_at| made_at.to_unix().0 as i64);
    let age = made_at.map(|made_at| backend::clock().unix_seconds() - made_at);
    id.get_version_num() == 7 && age.is_some_and(|age| (-AHEAD..MAY_COME).contains(&age))
}

/// The top-up that an event is about: a refund or a dispute by the payment that it names, all else by the id that it carries;
/// or the other way round. None where both are none of ours, or the payment is not yet. Raises PC014 for an id that may come.
fn find(session: &Session, name: &str, event: &Event) -> Result<Found, Error> {
    let by_reference = |thing: Thing, reference: &Option<String>| match reference {
        Some(reference) => in_latest_snapshot(session, |session| reference::owner(session, thing, name, reference)),
        None => Ok(None),
    };
    if let Some(found) = by_reference(Thing::Payment, &event.subject.of_payment)? {
        return Ok(Ok(found));
    }
    let key = |rows: crate::pg::statement::Rows<'_>| {
        rows.first().map(|mut row| Ok::<(String, Uuid), Error>((row.next()?, row.next()?))).transpose()
    };
    let customer_id = event.subject.customer_id.as_deref();
    if let Some(id) = event.subject.top_up_id.as_deref().and_then(|id| Uuid::parse_str(id).ok()) {
        match key(BY_ID.run(session, &[id.cell()])?)? {
            Some(found) if customer_id.is_some_and(|customer_id| customer_id != found.0) => {
                return Ok(Err(Ignored::OtherCustomer));
            }
            Some(found) => return Ok(Ok(found)),
            None if customer_id.is_some() && may_come(id) => return Err(subject::unknown(id)),
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
    let by_id = match Uuid::parse_str(payment) {
        Ok(id) => key(BY_ID.run(session, &[id.cell()])?)?,
        Err(_) => None,
    };
    Ok(by_id.ok_or(Ignored::Unknown))
}

fn told<'a>(name: &'a str, event: &'a Event) -> Told<'a> {
    Told {
        provider: name,
        reference: event.reference.as_deref(),
        payment: event.subject.of_payment.as_deref(),
        currency: event.currency.as_deref(),
        ahead: false,
    }
}

/// Tells a top-up what happened; its status then, and whether that contradicts what was known.
fn tell(
    session: &Session,
    told: Told<'_>,
    event: &Event,
    customer_id: &str,
    top_up_id: Uuid,
) -> Result<(String, bool), Error> {
    let payment_row = |row: payment::PaymentRow| (row.status, row.contradiction.is_some());
    let refund_row = |row: refund::RefundRow| (row.status, row.contradiction.is_some());
    let spent = clawback::policy(None)?;
    Ok(match &event.fact {
        Fact::Succeeded { amount, details } => {
            payment_row(payment::succeed(session, customer_id, top_up_id, told, *amount, *details)?)
        }
        Fact::Free { details } => {
            // Of what nobody says how it came to nothing, all was taken off.
            let off = details.discount.filter(|off| !off.is_zero()).or(details.subtotal);
            let off = off.map_or_else(|| Ok(subject::find(session, customer_id, top_up_id)?.amount), Ok)?;
            let details = Details { discount: Some(off), ..*details };
            payment_row(payment::succeed(session, customer_id, top_up_id, told, Some(Decimal::ZERO), details)?)
        }
        Fact::Failed { reason } => {
            payment_row(payment::fail(session, customer_id, top_up_id, told, reason.as_deref())?)
        }
        Fact::Expired => payment_row(payment::expire(session, customer_id, top_up_id, told)?),
        Fact::Refunded { amount, total } => {
            refund_row(refund::refunded(session, customer_id, top_up_id, told, (*amount, *total), spent)?)
        }
        Fact::RefundFailed { amount } => {
            refund_row(refund::refund_failed(session, customer_id, top_up_id, told, *amount)?)
        }
        Fact::Disputed { amount } => {
            refund_row(dispute::disputed(session, customer_id, top_up_id, told, *amount, spent)?)
        }
        Fact::DisputeClosed { won } => {
            refund_row(dispute::dispute_closed(session, customer_id, top_up_id, told, *won)?)
        }
        Fact::Nothing => (subject::find(session, customer_id, top_up_id)?.status.as_str().to_string(), false),
    })
}

static EARLIER: Statement = Statement::new(
    c"SELECT w.payload FROM credits_internal.webhook_events w
      WHERE w.provider = $1 AND w.reference = $2 AND w.outcome = 'ignored' AND w.event_id <> $3 AND w.payload IS NOT NULL
      ORDER BY w.received_at, w.event_id",
    &[TEXTOID, TEXTOID, TEXTOID],
);

/// What came for a payment before anybody knew whose it was: a refund or a dispute that names nothing but the payment. Its rows
/// are locked.
fn earlier(session: &Session, expected: &Expected<'_>, event: &Event) -> Result<Vec<Event>, Error> {
    let Some(payment) = &event.subject.payment else { return Ok(Vec::new()) };
    let rows = EARLIER.run(session, &[expected.provider.cell(), payment.cell(), event.id.cell()])?;
    rows.iter().map(|mut row| read(expected.provider, &row.next::<String>()?)).collect()
}

/// Adds what came before a payment to it, to be applied after it, once all that they claim is claimed, in one order, and then all
/// accounts are locked that they touch: nothing is waited for behind what the first of them has locked.
fn lock_ahead(
    session: &Session,
    expected: &Expected<'_>,
    events: &mut Vec<(Event, Found)>,
    earlier: Vec<Event>,
    now: Time,
) -> Result<(), Error> {
    let claim = |(event, found): &(Event, Found)| match (found, event.fact.kind()) {
        (Ok((customer_id, id)), Some(kind)) => {
            notification::claim(session, (customer_id, *id), &told(expected.provider, event), kind, now)
                .map(|c| c.accounts)
        }
        _ => Ok(Vec::new()),
    };
    // The payment first: it says whose the others are.
    let mut accounts = events.iter().map(claim).collect::<Result<Vec<_>, Error>>()?.concat();
    for event in earlier {
        let found = subject(session, expected, &event)?;
        events.push((event, found));
    }
    let mut ordered: Vec<&(Event, Found)> = events.iter().skip(1).collect();
    ordered.sort_by_key(|(event, _)| (event.fact.thing(), &event.reference));
    for event in ordered {
        accounts.extend(claim(event)?);
    }
    notification::lock(session, accounts)
}

static FORGET_OLD: Statement = Statement::in_order(
    c"WITH old AS (
          SELECT w.provider, w.event_id FROM credits_internal.webhook_events w
          WHERE w.outcome = 'ignored' AND w.received_at < $1 - $2 * interval '1 second'
          ORDER BY w.received_at LIMIT $3 FOR UPDATE SKIP LOCKED)
      DELETE FROM credits_internal.webhook_events w USING old
      WHERE w.provider = old.provider AND w.event_id = old.event_id
      RETURNING 1",
    &[TIMESTAMPTZOID, INT4OID, INT4OID],
);

/// Deletes events that changed nothing within credits.webhook_retention, by then or by now; how many.
pub fn forget_old(session: &Session, most: i32, due_by: Time) -> Result<i32, Error> {
    let (by, seconds) = (settings::now()?.min(due_by), settings::webhook_retention());
    Ok(FORGET_OLD.run(session, &[by.cell(), seconds.cell(), most.cell()])?.len() as i32)
}
