//! What its payment does to a session: signed up in lib.rs, behind what gives its invoice out.

use crate::checkout::checkout_session::submit;
use crate::error::Error;
use crate::ledger::engine::posting::Key;
use crate::moment::Time;
use crate::outbox::billing_event::{self, EventType};
use crate::payments::listener::{Sale, Sold};
use crate::payments::payment_intent::{Intent, Status, Subject};
use crate::payments::reckoning::Cover;
use crate::pg::statement::{Session, Statement};
use crate::pg::value::ToCell;
use crate::subscriptions::checkout as subscription;
use pgrx::pg_sys::{BOOLOID, TEXTOID, TIMESTAMPTZOID, UUIDOID};
use uuid::Uuid;

// What it comes to is what its invoice does: the provider's checkout may have said more.
static COMPLETE: Statement = Statement::new(
    c"UPDATE credits_internal.checkout_sessions s
      SET status = 'complete', payment_status = CASE WHEN $3 THEN 'no_payment_required' ELSE 'paid' END,
          completed_at = coalesce(s.completed_at, $4), updated_at = $4, under_way = false, expired_at = NULL,
          amount_subtotal = i.subtotal, amount_discount = i.discount, amount_tax = i.tax, amount_total = i.total
      FROM credits_internal.invoices i
      WHERE s.customer_id = $1 AND s.checkout_session_id = $2 AND i.customer_id = $1 AND i.invoice_id = s.invoice_id",
    &[TEXTOID, UUIDOID, BOOLOID, TIMESTAMPTZOID],
);

static BEGUN: Statement = Statement::new(
    c"UPDATE credits_internal.checkout_sessions s
      SET status = 'complete', payment_status = 'no_payment_required', completed_at = $3, updated_at = $3
      WHERE s.customer_id = $1 AND s.checkout_session_id = $2",
    &[TEXTOID, UUIDOID, TIMESTAMPTZOID],
);

/// All that it is for is a trial, which has begun.
pub fn begun(session: &Session, (customer_id, id): (&str, Uuid), now: Time) -> Result<(), Error> {
    BEGUN.run(session, &[customer_id.cell(), id.cell(), now.cell()])?;
    billing_event::record(session, EventType::CheckoutSessionCompleted, id, Some(customer_id), now)
}

/// Its invoice is paid, or nothing was to be paid for it.
pub fn complete(session: &Session, (customer_id, id): (&str, Uuid), for_nothing: bool, now: Time) -> Result<(), Error> {
    COMPLETE.run(session, &[customer_id.cell(), id.cell(), for_nothing.cell(), now.cell()])?;
    billing_event::record(session, EventType::CheckoutSessionCompleted, id, Some(customer_id), now)
}

static MOVE: Statement = Statement::new(
    c"UPDATE credits_internal.checkout_sessions s SET under_way = $3, updated_at = $4
      WHERE s.customer_id = $1 AND s.checkout_session_id = $2 AND s.under_way <> $3",
    &[TEXTOID, UUIDOID, BOOLOID, TIMESTAMPTZOID],
);

static EXPIRE: Statement = Statement::new(
    c"UPDATE credits_internal.checkout_sessions s SET status = 'expired', expired_at = $3, updated_at = $3, under_way = false
      WHERE s.customer_id = $1 AND s.checkout_session_id = $2 AND s.status = 'open'
      RETURNING s.subscription_id, least(s.expires_at, $3)",
    &[TEXTOID, UUIDOID, TIMESTAMPTZOID],
);

/// Its time is over, and with it that of a subscription that nobody paid: that is written down, once.
pub fn expired(session: &Session, (customer_id, id): (&str, Uuid), now: Time) -> Result<(), Error> {
    let rows = EXPIRE.run(session, &[customer_id.cell(), id.cell(), now.cell()])?;
    let Some(mut row) = rows.first() else { return Ok(()) };
    let (subscription_id, at): (Option<Uuid>, Time) = (row.next()?, row.next()?);
    if let Some(subscription_id) = subscription_id {
        subscription::expire(session, customer_id, subscription_id, (at, now))?;
    }
    billing_event::record(session, EventType::CheckoutSessionExpired, id, Some(customer_id), now)
}

// Where nothing is to be paid, or credits pay it, there is no payment to report of.
static TO_BEGIN: Statement = Statement::new(
    c"SELECT s.customer_id, s.checkout_session_id, s.currency, NULL::uuid
      FROM credits_internal.checkout_sessions s
      JOIN credits_internal.currencies c ON c.currency = s.currency AND c.kind = 'fiat'
      WHERE s.checkout_session_id = $1 AND s.invoice_id IS NULL AND s.amount_total > 0 LIMIT 1",
    &[UUIDOID],
)
.before(c"SELECT NULL::text, NULL::uuid, NULL::text, NULL::uuid WHERE $1 IS NULL");

static CURRENCIES: Statement = Statement::new(
    c"SELECT DISTINCT e.item->>'credit_currency'
      FROM credits_internal.checkout_sessions s CROSS JOIN LATERAL jsonb_array_elements(s.line_items) AS e (item)
      WHERE s.customer_id = $1 AND s.checkout_session_id = $2 AND e.item ? 'credit_currency'",
    &[TEXTOID, UUIDOID],
)
.before(c"SELECT NULL::text WHERE num_nonnulls($1, $2) < 0");

/// Signed up in lib.rs.
pub struct Sessions;

impl Sale for Sessions {
    fn paid(&self, session: &Session, intent: &Intent, cover: &Cover, now: Time) -> Result<Sold, Error> {
        if let Some(id) = intent.checkout_session_id {
            let for_nothing = cover.due.is_zero() && cover.tax.is_zero() && cover.shipping.is_zero();
            complete(session, (&intent.customer_id, id), for_nothing, now)?;
        }
        Ok(Sold::Paid)
    }

    fn moved(&self, session: &Session, intent: &Intent, now: Time) -> Result<(), Error> {
        let Some(id) = intent.checkout_session_id else { return Ok(()) };
        if intent.status == Status::Canceled {
            return expired(session, (&intent.customer_id, id), now);
        }
        let under_way = intent.status == Status::Processing;
        MOVE.run(session, &[intent.customer_id.cell(), id.cell(), under_way.cell(), now.cell()]).map(drop)
    }

    fn to_begin(&self, session: &Session, id: Uuid) -> Result<Option<Subject>, Error> {
        TO_BEGIN.run(session, &[id.cell()])?.first().map(Subject::read).transpose()
    }

    fn accounts(&self, session: &Session, customer_id: &str, id: Uuid) -> Result<Vec<Key>, Error> {
        let rows = CURRENCIES.run(session, &[customer_id.cell(), id.cell()])?;
        rows.iter().map(|mut row| Ok((customer_id.to_string(), row.next()?))).collect()
    }

    fn begin(&self, session: &Session, customer_id: &str, id: Uuid, now: Time) -> Result<(), Error> {
        submit::unasked(session, customer_id, id, now)
    }

    fn corrected(&self, session: &Session, intent: &Intent, _: &Cover, now: Time) -> Result<(), Error> {
        let Some(id) = intent.checkout_session_id else { return Ok(()) };
        CORRECT.run(session, &[intent.customer_id.cell(), id.cell(), now.cell()]).map(drop)
    }
}

static CORRECT: Statement = Statement::new(
    c"UPDATE credits_internal.checkout_sessions s
      SET amount_subtotal = i.subtotal, amount_discount = i.discount, amount_tax = i.tax, amount_total = i.total,
          payment_status = CASE WHEN i.total = 0 THEN 'no_payment_required' ELSE 'paid' END, updated_at = $3
      FROM credits_internal.invoices i
      WHERE s.customer_id = $1 AND s.checkout_session_id = $2 AND i.customer_id = $1 AND i.invoice_id = s.invoice_id",
    &[TEXTOID, UUIDOID, TIMESTAMPTZOID],
);
