//! What other systems learn of grants: rows of the outbox and billing events as grants take effect, are used up and expire, and
//! ahead of their end; and billing events of accounts that owe something or have little left. They are written only where
//! somebody consumes the outbox, or an endpoint wants such events, so that nobody else pays for them.

use crate::amount::Decimal;
use crate::error::Error;
use crate::ledger::engine::book::Book;
use crate::ledger::engine::drawdown::{Grant, Status};
use crate::ledger::engine::line::{Line, LineType};
use crate::ledger::engine::posting::{self, Key};
use crate::ledger::listener::Listener;
use crate::moment::Time;
use crate::outbox::billing_event::EventType;
use crate::outbox::{self, billing_event};
use crate::pg::statement::{Session, Statement};
use crate::pg::value::ToCell;
use crate::pg::value::array::array;
use crate::settings;
use pgrx::pg_sys::{INT4OID, INT8OID, TEXTARRAYOID, TIMESTAMPTZOID};
use serde_json::{Value, json};
use uuid::Uuid;

/// Signed up in lib.rs.
pub struct GrantEvents;

impl Listener for GrantEvents {
    fn posted(&self, session: &Session, books: &[&Book]) -> Result<(), Error> {
        let changed = |book: &&Book| book.loaded().any(|grant| grant.was != Some(grant.status));
        let changed: Vec<&Book> = books.iter().copied().filter(changed).collect();
        for book in books.iter().filter(|book| book.pending > Decimal::ZERO && owed_nothing(book)) {
            record_account(session, book, EventType::CreditInsufficient, None)?;
        }
        for book in &changed {
            record(session, book)?;
        }
        if changed.is_empty() || !settings::grant_events() || !outbox::is_consumed(session)? {
            return Ok(());
        }
        for book in changed {
            let mut grants: Vec<&Grant> = book.loaded().collect();
            grants.sort_by_key(|grant| grant.id);
            for (grant, event) in grants.iter().flat_map(|grant| events(grant, &book.lines).map(move |e| (*grant, e))) {
                let mut payload = payload(&book.currency, grant, event);
                if let Some(from) = book.rolled_over.iter().find(|rolled_over| rolled_over.grant_id == grant.id) {
                    payload["rolled_from"] = json!(from.rolled_from);
                }
                outbox::publish(session, &book.customer_id, event.kind(), &payload, book.posted_at);
            }
        }
        Ok(())
    }
}

/// Whether the posting is what leaves something to be owed.
fn owed_nothing(book: &Book) -> bool {
    book.pending == book.lines.iter().map(|line| line.effect.pending).sum()
}

/// Writes the billing events of a book's grants, in the order of what happened to each.
fn record(session: &Session, book: &Book) -> Result<(), Error> {
    let mut grants: Vec<&Grant> = book.loaded().filter(|grant| grant.was != Some(grant.status)).collect();
    grants.sort_by_key(|grant| grant.id);
    for (grant, event) in grants.iter().flat_map(|grant| events(grant, &book.lines).map(move |e| (*grant, e))) {
        let event_type = match event {
            Event::Granted => EventType::CreditGrantGranted,
            Event::Depleted => EventType::CreditGrantDepleted,
            Event::Expired(_) => EventType::CreditGrantExpired,
        };
        if billing_event::is_wanted(session, event_type)? {
            billing_event::record(session, event_type, grant.id, Some(&book.customer_id), book.posted_at)?;
        }
    }
    Ok(())
}

/// Writes the billing event of an account, where an endpoint wants it. The account is locked, and posted to.
pub fn record_account(
    session: &Session,
    book: &Book,
    event_type: EventType,
    threshold: Option<Decimal>,
) -> Result<(), Error> {
    if !billing_event::is_wanted(session, event_type)? {
        return Ok(());
    }
    let amount = |amount: Decimal| amount.normalize().to_string();
    let object = json!({
        "customer_id": book.customer_id,
        "currency": book.currency,
        "available": amount(book.available),
        "restricted": amount(book.restricted),
        "held": amount(book.held),
        "pending": amount(book.pending),
        "low_balance_threshold": threshold.map(amount),
    });
    let (customer_id, id) = (book.customer_id.as_str(), format!("{}/{}", book.currency, book.customer_id));
    billing_event::write(session, event_type, id, Some(customer_id), &object, book.posted_at)
}

/// What happened to a grant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Event {
    /// It took effect.
    Granted,
    /// Nothing remains of it.
    Depleted,
    /// So much of it expired.
    Expired(Decimal),
}

/// What a posting did to a grant that its book has loaded, in the order in which it happened.
fn events(grant: &Grant, lines: &[Line]) -> impl Iterator<Item = Event> {
    let of_grant = || lines.iter().filter(|line| line.grant_id == Some(grant.id));
    let opens = |line: &&Line| {
        matches!(line.line_type, LineType::Grant | LineType::Transfer | LineType::Adjustment | LineType::Rollover)
            && line.effect.balance > Decimal::ZERO
    };
    let ends = |line: &&Line| line.line_type == LineType::Expiration;
    let turned = |status: Status| grant.status == status && grant.was != Some(status);
    let expired: Decimal = of_grant().filter(ends).map(|line| -line.effect.balance).sum();
    [
        of_grant().any(|line| opens(&line)).then_some(Event::Granted),
        turned(Status::Depleted).then_some(Event::Depleted),
        (turned(Status::Expired) && !expired.is_zero()).then_some(Event::Expired(expired)),
    ]
    .into_iter()
    .flatten()
}

impl Event {
    /// The type of its row.
    fn kind(self) -> &'static str {
        match self {
            Event::Granted => "grant.granted",
            Event::Depleted => "grant.depleted",
            Event::Expired(_) => "grant.expired",
        }
    }
}

fn payload(currency: &str, grant: &Grant, event: Event) -> Value {
    let amount = |amount: Decimal| amount.normalize().to_string();
    let mut payload = json!({
        "grant_id": grant.id,
        "currency": currency,
        "category": grant.category.as_str(),
        "amount": amount(grant.amount),
        "effective_at": grant.effective_at.rfc3339(),
        "expires_at": grant.expires_at.rfc3339(),
    });
    if let Event::Expired(expired) = event {
        payload["expired"] = json!(amount(expired));
    }
    payload
}

// Found by its own index, not by when its account changes next: so it does not matter when the setting was made.
static ENDING: Statement = Statement::in_order(
    c"SELECT g.customer_id, g.currency FROM credits_internal.credit_grants g
      WHERE g.status = 'granted' AND g.expires_at < 'infinity' AND g.noticed_end IS DISTINCT FROM g.expires_at
        AND g.expires_at > $1 AND g.expires_at <= $1 + $2 * interval '1 second'
      ORDER BY g.expires_at LIMIT $3",
    &[TIMESTAMPTZOID, INT8OID, INT4OID],
)
.before(c"SELECT NULL::text, NULL::text WHERE $1 IS NULL AND $2 IS NULL AND $3 IS NULL");

// The accounts are locked, so nothing here waits. What remains of a head is on its account's row.
static NOTICE: Statement = Statement::new(
    c"UPDATE credits_internal.credit_grants g SET noticed_end = g.expires_at
      FROM unnest($1, $2) AS k (customer_id, currency)
      JOIN credits_internal.accounts a ON a.customer_id = k.customer_id AND a.currency = k.currency
      WHERE g.customer_id = k.customer_id AND g.currency = k.currency
        AND g.status = 'granted' AND g.expires_at < 'infinity' AND g.noticed_end IS DISTINCT FROM g.expires_at
        AND g.expires_at > $3 AND g.expires_at <= $3 + $4 * interval '1 second'
      RETURNING g.customer_id, g.grant_id, g.currency, g.category, g.amount,
                CASE WHEN a.head_grant_id = g.grant_id THEN a.available - a.head_floor ELSE g.remaining END, g.expires_at,
                (SELECT credits_internal.rolls_over(r.percent, r.max, c.decimals,
                            CASE WHEN a.head_grant_id = g.grant_id THEN a.available - a.head_floor ELSE g.remaining END)
                 FROM credits_internal.grant_rollovers r
                 JOIN credits_internal.currencies c ON c.currency = g.currency
                 WHERE r.customer_id = g.customer_id AND r.grant_id = g.grant_id AND r.rolled_to IS NULL
                   AND r.times_left IS DISTINCT FROM 0)",
    &[TEXTARRAYOID, TEXTARRAYOID, TIMESTAMPTZOID, INT8OID],
);

/// Publishes that grants are about to end, within credits.expiring_notice: once per end. Returns how many.
pub fn notice(session: &Session, most: i32, due_by: Time) -> Result<i32, Error> {
    let seconds = settings::expiring_notice();
    if seconds == 0 {
        return Ok(0);
    }
    let consumed = outbox::is_consumed(session)?;
    let wanted = billing_event::is_wanted(session, EventType::CreditGrantExpiring)?;
    if !consumed && !wanted {
        return Ok(0);
    }
    let now = settings::now()?.min(due_by);
    let mut keys: Vec<Key> = Vec::new();
    for mut row in ENDING.run(session, &[now.cell(), seconds.cell(), most.cell()])?.iter() {
        keys.push((row.next()?, row.next()?));
    }
    keys.sort();
    keys.dedup();
    if keys.is_empty() {
        return Ok(0);
    }
    let free = posting::lock_free(session, &keys)?;
    let cells = [array(free.iter().map(|k| &k.0)), array(free.iter().map(|k| &k.1)), now.cell(), seconds.cell()];
    let rows = NOTICE.run(session, &cells)?;
    for mut row in rows.iter() {
        let customer_id: String = row.next()?;
        let (grant_id, currency): (Uuid, String) = (row.next()?, row.next()?);
        let (category, amount, remaining): (String, Decimal, Decimal) = (row.next()?, row.next()?, row.next()?);
        let mut payload = json!({
            "grant_id": grant_id,
            "currency": currency,
            "category": category,
            "amount": amount.normalize().to_string(),
            "remaining": remaining.normalize().to_string(),
            "expires_at": row.next::<Time>()?.rfc3339(),
        });
        if let Some(rolls_over) = row.next::<Option<Decimal>>()? {
            payload["rolls_over"] = json!(rolls_over.normalize().to_string());
        }
        if consumed {
            outbox::publish(session, &customer_id, "grant.expiring", &payload, now);
        }
        if wanted {
            billing_event::record(session, EventType::CreditGrantExpiring, grant_id, Some(&customer_id), now)?;
        }
    }
    Ok(i32::try_from(rows.len()).unwrap_or(i32::MAX))
}
