//! Evaluating balances: after a posting that leaves little, or enough again, or when something was due, this does what
//! the policy says (policy.rs), in the posting's own transaction. The account is locked.

use crate::auto_recharge::alert;
use crate::auto_recharge::offer::{Goods, Pack};
use crate::auto_recharge::policy::{self, Close, Off, State, Verdict};
use crate::auto_recharge::purchase::{self, Asked};
use crate::auto_recharge::state::{self, Particulars};
use crate::error::Error;
use crate::ledger::engine::book::Book;
use crate::ledger::grant::events;
use crate::outbox;
use crate::outbox::billing_event::EventType;
use crate::pg::installed;
use crate::pg::statement::{Session, Statement};
use crate::pg::value::ToCell;
use pgrx::pg_sys::{BOOLOID, INT2OID, INT4OID, NUMERICOID, TEXTOID, TIMESTAMPTZOID, UUIDOID};
use serde_json::json;
use uuid::Uuid;

/// Evaluates those accounts whose balance needs it.
pub fn evaluate(session: &Session, books: &[&Book]) -> Result<(), Error> {
    for book in books.iter().filter(|book| book.needs_evaluation()) {
        evaluate_one(session, book)?;
    }
    Ok(())
}

static SAVE: Statement = Statement::new(
    c"UPDATE credits_internal.accounts a
      SET reported_level = $3, evaluate_below = $4, 
          charge_above = CASE WHEN a.charge_above < 'infinity' THEN greatest(a.head_floor, $4) ELSE 'infinity' END,
           evaluate_above = coalesce($5, 'infinity'), next_change_at = least(a.next_change_at, $6)
      WHERE a.customer_id = $1 AND a.currency = $2",
    &[TEXTOID, TEXTOID, INT2OID, NUMERICOID, NUMERICOID, TIMESTAMPTZOID],
);

static SAVE_AUTO: Statement = Statement::new(
    c"UPDATE credits_internal.auto_recharges r
      SET failures = $3, enabled = r.enabled AND NOT $4, disabled_reason = coalesce($5, r.disabled_reason), due_at = $6,
          waits_for_spend = $7, scheduled_at = $8
      WHERE r.customer_id = $1 AND r.currency = $2",
    &[TEXTOID, TEXTOID, INT4OID, BOOLOID, TEXTOID, TIMESTAMPTZOID, BOOLOID, TIMESTAMPTZOID],
)
.before(
    c"UPDATE credits_internal.auto_recharges r
      SET failures = $3, enabled = r.enabled AND NOT $4, disabled_reason = coalesce($5, r.disabled_reason), due_at = $6,
          waits_for_spend = $7
      WHERE r.customer_id = $1 AND r.currency = $2",
);

fn evaluate_one(session: &Session, book: &Book) -> Result<(), Error> {
    let (state, particulars) = state::read(session, book)?;
    let mut verdict = policy::judge(&state);
    alert::follow(session, book, state.unit, &mut verdict)?;
    let (customer_id, currency) = (&book.customer_id, &book.currency);
    let due_at = match (verdict.request, particulars.expires_at) {
        (Some(_), Some(expires_at)) => verdict.due_at.min(expires_at),
        _ => verdict.due_at,
    };
    SAVE.run(
        session,
        &[
            customer_id.cell(),
            currency.cell(),
            verdict.reported.number().cell(),
            verdict.below.cell(),
            verdict.above.cell(),
            due_at.cell(),
        ],
    )?;
    if state.auto.is_some() {
        let off = verdict.switch_off;
        SAVE_AUTO.run(
            session,
            &[
                customer_id.cell(),
                currency.cell(),
                verdict.failures.cell(),
                off.is_some().cell(),
                off.map(Off::code).cell(),
                due_at.cell(),
                verdict.waits_for_spend.cell(),
                verdict.scheduled_at.cell(),
            ],
        )?;
    }
    publish(session, book, &state, &verdict)?;
    if let (Some(close), Some(open)) = (verdict.close, particulars.open) {
        end(session, book, close, open)?;
    }
    if let Some(off) = verdict.switch_off {
        publish_off(session, book, off, verdict.failures);
    }
    match (&state.auto, verdict.request) {
        (Some(auto), Some(pack)) => request(session, book, (&auto.offer.goods, pack), verdict.scheduled, &particulars),
        _ => Ok(()),
    }
}

/// Publishes that an account no longer recharges itself.
pub fn publish_off(session: &Session, book: &Book, off: Off, failures: i32) {
    let payload = json!({
        "currency": book.currency,
        "reason": off.code(),
        "message": off.message(),
        "failures": failures,
    });
    outbox::publish(session, &book.customer_id, "recharge.disabled", &payload, book.posted_at);
}

fn publish(session: &Session, book: &Book, state: &State, verdict: &Verdict) -> Result<(), Error> {
    let payload = json!({
        "currency": book.currency,
        "available": book.available.normalize().to_string(),
        "threshold": state.low.normalize().to_string(),
    });
    let kinds = [(verdict.publish_low, "balance.low"), (verdict.publish_exhausted, "balance.exhausted")];
    for (_, kind) in kinds.into_iter().filter(|(tells, _)| *tells) {
        outbox::publish(session, &book.customer_id, kind, &payload, book.posted_at);
    }
    match verdict.publish_low {
        true => events::record_account(session, book, EventType::CreditLowBalance, Some(state.low)),
        false => Ok(()),
    }
}

static END: Statement = Statement::new(
    // A time-out takes effect at its moment, whenever it is posted.
    c"UPDATE credits_internal.recharges SET status = $3, closed_at = least($4, expires_at), reason = $5
      WHERE customer_id = $1 AND recharge_id = $2",
    &[TEXTOID, UUIDOID, TEXTOID, TIMESTAMPTZOID, TEXTOID],
);

fn end(session: &Session, book: &Book, close: Close, (recharge_id, top_up_id): (Uuid, Uuid)) -> Result<(), Error> {
    let (status, kind, reason) = match close {
        Close::TimedOut => ("timed_out", "recharge.timed_out", "nobody answered in time"),
        Close::Enough => ("canceled", "recharge.canceled", "there are credits again"),
        Close::SwitchedOff => ("canceled", "recharge.canceled", "it was switched off"),
        Close::BeyondLimit => ("canceled", "recharge.canceled", "it is beyond a limit"),
    };
    let at = book.posted_at;
    END.run(session, &[book.customer_id.cell(), recharge_id.cell(), status.cell(), at.cell(), reason.cell()])?;
    let payload = json!({"recharge_id": recharge_id, "top_up_id": top_up_id, "currency": book.currency});
    outbox::publish(session, &book.customer_id, kind, &payload, at);
    Ok(())
}

static REQUEST: Statement = Statement::new(
    c"INSERT INTO credits_internal.recharges (customer_id, recharge_id, currency, top_up_id, status, amount, price_currency,
                                              credits, payment_method, requested_at, expires_at, quantity, scheduled, price_id,
                                              rate)
      VALUES ($1, $2, $3, $4, 'requested', $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)",
    &[
        TEXTOID, UUIDOID, TEXTOID, UUIDOID, NUMERICOID, TEXTOID, NUMERICOID, TEXTOID, TIMESTAMPTZOID, TIMESTAMPTZOID,
        INT4OID, BOOLOID, UUIDOID, NUMERICOID,
    ],
)
.before(
    c"INSERT INTO credits_internal.recharges (customer_id, recharge_id, currency, top_up_id, status, amount, price_currency,
                                              credits, payment_method, requested_at, expires_at)
      SELECT $1, $2, $3, $4, 'requested', $5, $6, $7, $8, $9, $10
      WHERE num_nonnulls($11, $12, $13, $14) >= 0",
);

/// Writes the request, and publishes it. Its payment intent begins with its worker: a charge touches no invoice.
fn request(
    session: &Session,
    book: &Book,
    (goods, pack): (&Goods, Pack),
    scheduled: bool,
    particulars: &Particulars,
) -> Result<(), Error> {
    let lost = || Error::internal("an auto-recharge has nothing to buy");
    let rate = match goods {
        Goods::Money(rate) => *rate,
        Goods::Units { .. } => None,
    };
    let quantity = rate.is_none().then_some(pack.quantity);
    let expires_at = particulars.expires_at.ok_or_else(lost)?;
    let Pack { amount, credits, .. } = pack;
    let (recharge_id, top_up_id) = (Uuid::now_v7(), Uuid::now_v7());
    REQUEST.run(
        session,
        &[
            book.customer_id.cell(),
            recharge_id.cell(),
            book.currency.cell(),
            top_up_id.cell(),
            amount.cell(),
            particulars.money.cell(),
            credits.cell(),
            particulars.payment_method.cell(),
            book.posted_at.cell(),
            expires_at.cell(),
            quantity.cell(),
            scheduled.cell(),
            particulars.price_id.cell(),
            rate.cell(),
        ],
    )?;
    if installed::is_before(session)? {
        // That has no room for what is bought, to begin later.
        let asked = Asked {
            recharge_id,
            currency: book.currency.clone(),
            amount,
            price_currency: particulars.money.clone(),
            credits,
            quantity,
            price_id: particulars.price_id,
            rate,
            requested_at: book.posted_at,
            expires_at,
        };
        purchase::insert(session, &book.customer_id, top_up_id, &asked)?;
    }
    let payload = json!({
        "recharge_id": recharge_id,
        "top_up_id": top_up_id,
        "currency": book.currency,
        "amount": amount.to_string(),
        "price_currency": particulars.money,
        "credits": credits.to_string(),
        "quantity": quantity,
        "scheduled": scheduled,
        "payment_method": particulars.payment_method,
        "expires_at": expires_at.rfc3339(),
    });
    outbox::publish(session, &book.customer_id, "recharge.requested", &payload, book.posted_at);
    Ok(())
}
