//! What becomes of a refund that was asked for: a worker begins with it, it is taken back, or what the provider reports answers
//! it, by its id in the refund's metadata, by the provider's own reference, or by its payment and amount. So it counts once.

use crate::amount::Decimal;
use crate::error::Error;
use crate::input;
use crate::outbox::billing_event::{self, EventType};
use crate::payments::clawback::{self, line};
use crate::payments::notification::Notification;
use crate::payments::notification::case::{self, Case};
use crate::payments::notification::record::Entry;
use crate::payments::reckoning::{Details, Fact, Kind};
use crate::payments::reference::{self, Thing};
use crate::payments::refund::row::{self, RefundRow};
use crate::payments::refund::{self, given};
use crate::payments::{money, providers};
use crate::pg::call::argument::Id;
use crate::pg::call::reply::{One, Reply};
use crate::pg::statement::{Session, Statement, writing};
use crate::pg::value::{Json, ToCell};
use crate::row;
use crate::settings;
use pgrx::pg_extern;
use pgrx::pg_sys::{NUMERICOID, TEXTOID, TIMESTAMPTZOID, UUIDOID};
use serde_json::{Value, json};
use uuid::Uuid;

/// A refund that was asked for, whose customer is locked.
pub struct Asked {
    id: Uuid,
    /// Whether it is not answered.
    is_pending: bool,
    status: String,
    /// How much.
    pub amount: Decimal,
    /// Whether credits were taken back for it, when it was asked for.
    pub takes_credits: bool,
    lines: Option<Json>,
    provider: String,
    payment: Option<String>,
    attempt_key: Option<Uuid>,
    /// What the provider calls it, once it is answered.
    reference: Option<String>,
}

static OF_INTENT: Statement = Statement::new(
    c"SELECT r.refund_id, r.status, r.amount, r.takes_credits, r.lines, r.provider, r.payment_reference, r.attempt_key,
             r.provider_reference
      FROM credits_internal.refunds r
      WHERE r.customer_id = $1 AND r.payment_intent_id = $2
        AND (r.refund_id = $3 OR r.provider = $4 AND r.provider_reference = $5
             OR $3 IS NULL AND r.status = 'pending' AND r.provider_reference IS NULL AND r.provider = $4 AND r.amount = $6
                AND (r.payment_reference = $7 OR $7 IS NULL))
      ORDER BY r.refund_id = $3 IS TRUE DESC, r.provider_reference = $5 IS TRUE DESC, r.refund_id LIMIT 1",
    &[TEXTOID, UUIDOID, UUIDOID, TEXTOID, TEXTOID, NUMERICOID, TEXTOID],
)
.before(
    c"SELECT NULL::uuid, ''::text, 0::numeric, false, NULL::jsonb, ''::text, NULL::text, NULL::uuid, NULL::text
      WHERE num_nonnulls($1, $2, $3, $4, $5, $6, $7) < 0",
);

/// The refund that a notification answers, if one was asked for.
pub fn find(
    session: &Session,
    case: &Case,
    notification: &Notification<'_>,
    amount: Option<Decimal>,
) -> Result<Option<Asked>, Error> {
    let cells = [
        case.intent.customer_id.cell(),
        case.intent.id.cell(),
        notification.refund_id.cell(),
        notification.provider.cell(),
        notification.reference.cell(),
        amount.cell(),
        notification.payment.cell(),
    ];
    let rows = OF_INTENT.run(session, &cells)?;
    let Some(mut row) = rows.first() else { return Ok(None) };
    let (id, status): (Uuid, String) = (row.next()?, row.next()?);
    Ok(Some(Asked {
        id,
        is_pending: status == "pending",
        status,
        amount: row.next()?,
        takes_credits: row.next()?,
        lines: row.next()?,
        provider: row.next()?,
        payment: row.next()?,
        attempt_key: row.next()?,
        reference: row.next()?,
    }))
}

static CLOSE: Statement = Statement::new(
    c"UPDATE credits_internal.refunds r
      SET status = $3, provider_reference = coalesce($4, r.provider_reference), closed_at = $5, updated_at = $5
      WHERE r.customer_id = $1 AND r.refund_id = $2",
    &[TEXTOID, UUIDOID, TEXTOID, TEXTOID, TIMESTAMPTZOID],
);

impl Asked {
    /// Whether what it asked for is done already: then what says so changes nothing.
    pub fn is_done(&self) -> bool {
        self.status == "succeeded"
    }

    /// Whether it counts as paid back already, since it was asked for.
    pub fn counts(&self) -> bool {
        self.takes_credits && matches!(self.status.as_str(), "pending" | "succeeded")
    }

    /// How a refund that did not go through is known, where credits were taken back for it.
    pub fn name(&self) -> String {
        self.id.to_string()
    }

    /// What the provider called it when it was made, where it counts under that name alone: money that paid for nothing counts
    /// once it is paid back.
    pub fn made_as(&self) -> Option<&str> {
        self.reference.as_deref().filter(|_| self.is_done() && !self.takes_credits)
    }

    /// Whether it failed, or was taken back.
    pub fn is_over(&self) -> bool {
        matches!(self.status.as_str(), "failed" | "canceled")
    }

    /// Whether what a notification reports failed already, so that it was reported late.
    pub fn has_failed_as(&self, notification: &Notification<'_>) -> bool {
        let names = (self.reference.as_deref(), notification.reference);
        self.status == "failed" && !matches!(names, (Some(one), Some(other)) if one != other)
    }

    /// Whether that changes nothing of it: what it took came back, and what is paid back all the same counts as any other.
    pub fn is_past(&self, notification: &Notification<'_>) -> bool {
        self.is_over() && (self.takes_credits || self.has_failed_as(notification))
    }

    /// What an event says of it.
    pub fn published(&self, case: &Case) -> Value {
        let mut payload = case.intent.named();
        payload["refund_id"] = json!(self.id);
        payload["amount"] = json!(self.amount.normalize().to_string());
        payload["currency"] = json!(case.intent.currency);
        payload
    }

    /// Writes how it ended.
    pub fn close(
        &self,
        session: &Session,
        case: &Case,
        status: &str,
        notification: &Notification<'_>,
    ) -> Result<(), Error> {
        let customer_id = case.intent.customer_id.as_str();
        if let Some(name) = notification.reference {
            let owner = (customer_id, case.intent.id);
            reference::claim(session, (Thing::Refund, notification.provider, name), owner, case.now)?;
        }
        let cells = [customer_id.cell(), self.id.cell(), status.cell(), notification.reference.cell(), case.now.cell()];
        CLOSE.run(session, &cells)?;
        let event_type = match status {
            "succeeded" => EventType::RefundSucceeded,
            "failed" => EventType::RefundFailed,
            _ => EventType::RefundCanceled,
        };
        billing_event::record(session, event_type, self.id, Some(customer_id), case.now)
    }

    /// What it names of lines is not paid back after all.
    pub fn restore_lines(&self, session: &Session, case: &mut Case) -> Result<(), Error> {
        let Some(lines) = &self.lines else { return Ok(()) };
        for part in given::read(&lines.text())? {
            if let Some(line) = case.lines.iter_mut().find(|line| line.id == part.invoice_line_id) {
                line.refunded -= part.amount;
                line::save_refunded(session, &case.intent.customer_id, line.id, line.refunded)?;
            }
        }
        Ok(())
    }
}

row! {
    /// What `refund_begin` returns.
    pub struct AttemptRow {
        /// Whether to pay back.
        pub go: bool,
        /// The refund: what the provider's refund must name.
        pub refund_id: Uuid,
        /// Of which payment intent.
        pub payment_intent_id: Uuid,
        /// How far it has come.
        pub status: String,
        /// The provider's idempotency key.
        pub attempt_key: Option<Uuid>,
        /// How much, in major units.
        pub amount: Decimal,
        /// The same in the provider's minor units; NULL if it is not a whole number of them.
        pub minor_units: Option<Decimal>,
        /// The currency's code.
        pub currency: String,
        /// Who took the payment.
        pub provider: String,
        /// What the provider calls the payment.
        pub payment_reference: Option<String>,
    }
}

static INTENT: Statement = Statement::new(
    c"SELECT r.payment_intent_id FROM credits_internal.refunds r WHERE r.customer_id = $1 AND r.refund_id = $2",
    &[TEXTOID, UUIDOID],
);
static BEGIN: Statement = Statement::new(
    c"UPDATE credits_internal.refunds r SET attempt_key = $3, updated_at = $4 WHERE r.customer_id = $1 AND r.refund_id = $2",
    &[TEXTOID, UUIDOID, UUIDOID, TIMESTAMPTZOID],
);

/// A refund that is named, with its case. Raises PC003, PC019.
fn open(session: &Session, customer_id: &str, refund_id: Uuid) -> Result<(Case, Asked), Error> {
    let missing = || row::missing(refund_id);
    let found = INTENT.run(session, &[customer_id.cell(), refund_id.cell()])?.first().map(|mut row| row.next());
    let intent_id: Uuid = found.transpose()?.ok_or_else(missing)?;
    let case = case::whole(session, customer_id, intent_id, settings::now()?)?;
    let named = Notification { refund_id: Some(refund_id), ..Notification::read(None, None)? };
    let asked = find(session, &case, &named, None)?.ok_or_else(missing)?;
    Ok((case, asked))
}

/// `credits.refund_begin`. Raises PC003, PC013, PC019.
#[pg_extern(sql = false)]
fn refund_begin(customer_id: Option<&str>, refund_id: Option<Id>) -> Reply<One<AttemptRow>> {
    Reply((|| {
        let customer_id = input::key("customer_id", customer_id)?;
        let refund_id = input::required("refund_id", refund_id)?.0;
        writing(|session| {
            let (case, asked) = open(session, customer_id, refund_id)?;
            let attempt_key = asked.attempt_key.or_else(|| asked.is_pending.then(Uuid::now_v7));
            if asked.is_pending && asked.attempt_key.is_none() {
                let cells = [customer_id.cell(), refund_id.cell(), attempt_key.cell(), case.now.cell()];
                BEGIN.run(session, &cells)?;
            }
            let decimals = providers::of(&asked.provider).minor_decimals(&case.intent.currency);
            Ok(One(AttemptRow {
                go: asked.is_pending,
                refund_id,
                payment_intent_id: case.intent.id,
                status: asked.status,
                attempt_key,
                amount: asked.amount,
                minor_units: money::to_minor(asked.amount, decimals),
                currency: case.intent.currency,
                provider: asked.provider,
                payment_reference: asked.payment,
            }))
        })
    })())
}

/// `credits.refund_cancel`. Raises PC003, PC013, PC019, PC020.
#[pg_extern(sql = false)]
fn refund_cancel(customer_id: Option<&str>, refund_id: Option<Id>) -> Reply<One<RefundRow>> {
    Reply((|| {
        let customer_id = input::key("customer_id", customer_id)?;
        let refund_id = input::required("refund_id", refund_id)?.0;
        writing(|session| {
            let (mut case, asked) = open(session, customer_id, refund_id)?;
            if asked.status == "canceled" {
                return row::find(session, customer_id, refund_id, true).map(One);
            }
            let state = match (asked.status.as_str(), asked.attempt_key) {
                ("pending", None) => None,
                ("pending", Some(_)) => Some("under way"),
                ("succeeded", _) => Some("succeeded"),
                _ => Some("failed"),
            };
            if let Some(state) = state {
                return Err(Error::StateConflict { object: "refund", id: refund_id.to_string(), state });
            }
            asked.close(session, &case, "canceled", &Notification::read(None, None)?)?;
            undo(session, &mut case, &asked)?;
            row::find(session, customer_id, refund_id, false).map(One)
        })
    })())
}

/// Gives back what was taken for a refund that is not made after all.
pub fn undo(session: &Session, case: &mut Case, asked: &Asked) -> Result<Option<refund::Change>, Error> {
    if !asked.takes_credits {
        return Ok(None);
    }
    asked.restore_lines(session, case)?;
    let fact = Fact {
        kind: Kind::RefundFailed,
        provider: asked.provider.clone(),
        reference: Some(asked.name()),
        payment: asked.payment.clone(),
        amount: Some(asked.amount),
        total: None,
        details: Details::default(),
        asked: true,
    };
    let notification =
        Notification { reference: fact.reference.as_deref(), ..Notification::read(Some(&asked.provider), None)? };
    let undone = case.known(Kind::Refunded, &notification).and_then(|refund| refund.operation_id);
    let standing = case.standing_with(&fact);
    let how = (undone, "payment_refunded", clawback::policy(None)?);
    let outcome = clawback::bring(session, case, &standing, how)?;
    let kinds = ("top_up.refund_failed", "payment_intent.refund_failed");
    refund::finish(session, case, &Entry::counting(&fact, None), kinds, (standing, outcome)).map(Some)
}
