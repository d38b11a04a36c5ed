//! The events that were received, each claimed by its id: a row of credits_internal.webhook_events with its outcome.

use crate::error::Error;
use crate::moment::Time;
use crate::payments::payment_intent as intent;
use crate::payments::providers::event::Event;
use crate::payments::webhook::{WebhookRow, read};
use crate::pg::locking::lock::Lock;
use crate::pg::statement::{Session, Statement};
use crate::pg::value::ToCell;
use crate::settings;
use pgrx::pg_sys::{INT4OID, TEXTOID, TIMESTAMPTZOID, UUIDOID};

static CLAIM: Statement = Statement::new(
    c"INSERT INTO credits_internal.webhook_events (provider, event_id, type, outcome, reference, payload, received_at)
      VALUES ($1, $2, $3, 'ignored', $4, $5, $6)
      ON CONFLICT DO NOTHING RETURNING 1",
    &[TEXTOID, TEXTOID, TEXTOID, TEXTOID, TEXTOID, TIMESTAMPTZOID],
);

// Of two deliveries of what was ignored, which names no payment to wait for, the later sees the outcome of the earlier; and
// nothing deletes it while it is judged again. So with what was ignored of a payment that came: all in one order, and before
// any account.
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
    c"SELECT w.type, w.outcome, w.customer_id, w.top_up_id, w.reason
      FROM credits_internal.webhook_events w WHERE w.provider = $1 AND w.event_id = $2",
    &[TEXTOID, TEXTOID],
);

// A provider without ids of events may say more in the later one.
static AGAIN: Statement = Statement::new(
    c"UPDATE credits_internal.webhook_events w SET reference = $3, payload = $4
      WHERE w.provider = $1 AND w.event_id = $2 AND w.payload <> $4",
    &[TEXTOID, TEXTOID, TEXTOID, TEXTOID],
);

/// Whether an event was received before.
pub enum Received {
    /// No.
    New,
    /// Yes, and it was ignored. It is judged again: what was expected then, or known, may have been wrong.
    Ignored,
    /// Yes, and it was applied: its outcome then.
    Applied(WebhookRow),
}

/// Claims an event by its id, and waits for whoever has claimed it, or another of the same payment.
pub fn claim(session: &Session, name: &str, event: &Event, payload: &str, now: Time) -> Result<Received, Error> {
    let cells =
        [name.cell(), event.id.cell(), event.kind.cell(), event.subject.payment.cell(), payload.cell(), now.cell()];
    loop {
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
            return Ok(Received::New);
        }
        match first(session, name, event)? {
            Some(row) if row.outcome != "ignored" => return Ok(Received::Applied(row)),
            Some(_) => {
                AGAIN.run(session, &[name.cell(), event.id.cell(), event.subject.payment.cell(), payload.cell()])?;
                return Ok(Received::Ignored);
            }
            // It was ignored, and has just been deleted: it is claimed anew.
            None => {}
        }
    }
}

/// The outcome of an event that was received before; its row is locked.
fn first(session: &Session, name: &str, event: &Event) -> Result<Option<WebhookRow>, Error> {
    let rows = FIRST.run(session, &[name.cell(), event.id.cell()])?;
    let Some(mut row) = rows.first() else { return Ok(None) };
    let mut found = WebhookRow {
        event_id: event.id.clone(),
        kind: row.next()?,
        outcome: row.next()?,
        customer_id: row.next()?,
        top_up_id: row.next()?,
        reason: row.next()?,
        status: None,
        replayed: true,
    };
    if let (Some(customer_id), Some(id)) = (&found.customer_id, found.top_up_id) {
        found.status = Some(intent::find(session, customer_id, id)?.status_at(settings::now()?).to_string());
    }
    Ok(Some(found))
}

static EARLIER: Statement = Statement::new(
    c"SELECT w.payload FROM credits_internal.webhook_events w
      WHERE w.provider = $1 AND w.reference = $2 AND w.outcome = 'ignored' AND w.event_id <> $3 AND w.payload IS NOT NULL
      ORDER BY w.received_at, w.event_id",
    &[TEXTOID, TEXTOID, TEXTOID],
);

/// What came for a payment before anybody knew whose it was: a refund or a dispute that names nothing but the payment. Its rows
/// are locked.
pub fn earlier(session: &Session, name: &str, event: &Event) -> Result<Vec<Event>, Error> {
    let Some(payment) = &event.subject.payment else { return Ok(Vec::new()) };
    ignored(session, name, payment, &event.id)
}

/// What was ignored of a payment, or of a plan, except for one event.
pub fn ignored(session: &Session, name: &str, about: &str, except: &str) -> Result<Vec<Event>, Error> {
    let rows = EARLIER.run(session, &[name.cell(), about.cell(), except.cell()])?;
    rows.iter().map(|mut row| read(name, &row.next::<String>()?)).collect()
}

static SETTLE: Statement = Statement::new(
    // Of a customer that was erased only that it came is kept.
    c"UPDATE credits_internal.webhook_events w
      SET outcome = $3, customer_id = $4, top_up_id = $5, reason = $6,
          payload = CASE WHEN EXISTS (SELECT FROM credits_internal.customers c WHERE c.customer_id = $4 AND c.erased_at IS NOT NULL)
                         THEN NULL ELSE w.payload END
      WHERE w.provider = $1 AND w.event_id = $2",
    &[TEXTOID, TEXTOID, TEXTOID, TEXTOID, UUIDOID, TEXTOID],
);

/// Writes down the outcome of an event. What is ignored is forgotten with the customer whose it may be.
pub fn settle(session: &Session, name: &str, row: &WebhookRow, customer_id: Option<&str>) -> Result<(), Error> {
    let cells = [
        name.cell(),
        row.event_id.cell(),
        row.outcome.cell(),
        customer_id.cell(),
        row.top_up_id.cell(),
        row.reason.cell(),
    ];
    SETTLE.run(session, &cells).map(drop)
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
