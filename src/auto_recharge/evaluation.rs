//! Evaluating balances: after a posting that leaves little, or enough again, or when something was due, this does what
//! the policy says (policy.rs), in the posting's own transaction. The account is locked.

use crate::amount::{self, Decimal};
use crate::auto_recharge::offer::{Offer, Pack};
use crate::auto_recharge::policy::{self, Auto, Close, Level, Off, Open, State, Verdict};
use crate::catalog::price::{self, Price};
use crate::error::Error;
use crate::ledger::currency::PaymentLimits;
use crate::ledger::engine::book::Book;
use crate::moment::Time;
use crate::outbox;
use crate::payments::subject::{self, New};
use crate::pg::statement::{Row, Session, Statement};
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

static READ: Statement = Statement::new(
    c"SELECT a.low_balance_threshold, a.reported_level, c.decimals, r.enabled,
             r.threshold, r.failures, r.waits_for_spend, (l.last AT TIME ZONE 'UTC' + r.cooldown) AT TIME ZONE 'UTC',
             r.max_attempts_per_day, l.attempts::int, l.amount::text, l.oldest,
             p.archived_at IS NULL AND d.archived_at IS NULL, c.active AND f.active AND f.kind = 'fiat',
             d.applicable_meters IS NULL, p.unit_amount, d.credits, r.quantity, f.decimals, c.decimals,
             f.min_payment, f.max_payment, k.min_amount, k.max_amount, r.max_amount_per_day,
             o.recharge_id, o.top_up_id, o.status = 'processing', o.amount, o.price_currency = p.currency, o.expires_at,
             r.price_id, r.payment_method, ($3 AT TIME ZONE 'UTC' + r.timeout) AT TIME ZONE 'UTC'
      FROM credits_internal.accounts a
      JOIN credits_internal.currencies c ON c.currency = a.currency
      LEFT JOIN credits_internal.auto_recharges r ON r.customer_id = a.customer_id AND r.currency = a.currency
      LEFT JOIN credits_internal.prices p ON p.price_id = r.price_id
      LEFT JOIN credits_internal.products d ON d.product_id = p.product_id
      LEFT JOIN credits_internal.currencies f ON f.currency = p.currency
      LEFT JOIN (credits_internal.recharge_configs k JOIN credits_internal.prices b ON b.price_id = k.base_price_id)
             ON k.currency = a.currency AND b.currency = p.currency
      LEFT JOIN credits_internal.recharges o ON o.customer_id = a.customer_id AND o.currency = a.currency
                                   AND o.status IN ('requested', 'processing')
      CROSS JOIN LATERAL (
          SELECT (SELECT max(y.requested_at) FROM credits_internal.recharges y
                  WHERE y.customer_id = a.customer_id AND y.currency = a.currency) AS last,
                 count(*) AS attempts, min(x.requested_at) AS oldest,
                 coalesce(sum(x.amount) FILTER (WHERE x.status <> 'failed' AND x.price_currency = p.currency), 0) AS amount
          FROM credits_internal.recharges x
          WHERE x.customer_id = a.customer_id AND x.currency = a.currency AND x.status <> 'canceled'
            AND x.requested_at > $3 - interval '24 hours') l
      WHERE a.customer_id = $1 AND a.currency = $2",
    &[TEXTOID, TEXTOID, TIMESTAMPTZOID],
);

/// What a request needs besides what decides on it.
#[derive(Default)]
pub struct Particulars {
    open: Option<(Uuid, Uuid)>,
    price_id: Option<Uuid>,
    payment_method: Option<String>,
    expires_at: Option<Time>,
}

/// A locked account, from its rows.
pub fn read(session: &Session, book: &Book) -> Result<(State, Particulars), Error> {
    let rows = READ.run(session, &[book.customer_id.cell(), book.currency.cell(), book.posted_at.cell()])?;
    let mut row = rows.first().ok_or_else(|| Error::internal("an account is not there"))?;
    let (low, reported) = (row.next()?, Level::of(row.next()?));
    let unit = Decimal::from_i128_with_scale(1, row.next::<i16>()?.unsigned_abs().into());
    let mut state = State {
        at: book.posted_at,
        available: book.available,
        unit,
        low,
        reported,
        cause: book.evaluation.cause,
        auto: None,
    };
    let Some(enabled) = row.next()? else { return Ok((state, Particulars::default())) };
    let (threshold, failures, waits_for_spend) = (row.next()?, row.next()?, row.next()?);
    let cooled_at = row.next()?;
    let attempts = (row.next()?, row.next()?);
    // Amounts of money that add up to more than can be counted exceed every limit.
    let amount = amount::parse(&row.next::<String>()?).unwrap_or(Decimal::MAX);
    let oldest = row.next()?;
    let offer = offer(&mut row, book.issued)?;
    let open = row.next::<Option<Uuid>>()?.zip(row.next()?);
    let request: (Option<bool>, Option<Decimal>, Option<bool>, Option<Time>) =
        (row.next()?, row.next()?, row.next()?, row.next()?);
    let request = match request {
        (Some(processing), Some(amount), Some(comparable), Some(expires_at)) => {
            Some(Open { processing, amount, comparable, expires_at })
        }
        _ => None,
    };
    state.auto = Some(Auto {
        enabled,
        threshold,
        failures,
        waits_for_spend,
        offer,
        open: request,
        cooled_at,
        attempts,
        amount,
        oldest,
    });
    let (price_id, payment_method, expires_at) = (row.next()?, row.next()?, row.next()?);
    Ok((state, Particulars { open, price_id, payment_method, expires_at }))
}

fn offer(row: &mut Row<'_>, issued: Decimal) -> Result<Offer, Error> {
    let (on_sale, active, unrestricted) = (row.next()?, row.next()?, row.next()?);
    let (unit_amount, unit_credits, quantity) = (row.next()?, row.next()?, row.next()?);
    let decimals = (row.next::<i16>()?.unsigned_abs().into(), row.next::<i16>()?.unsigned_abs().into());
    let mut limits = || Ok::<_, Error>(PaymentLimits { least: row.next()?, most: row.next()? });
    let limits = [limits()?, limits()?];
    let most_a_day = row.next()?;
    Ok(Offer {
        on_sale,
        active,
        unrestricted,
        unit_amount,
        unit_credits,
        quantity,
        decimals,
        limits,
        most_a_day,
        issued,
    })
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
          waits_for_spend = $7
      WHERE r.customer_id = $1 AND r.currency = $2",
    &[TEXTOID, TEXTOID, INT4OID, BOOLOID, TEXTOID, TIMESTAMPTZOID, BOOLOID],
);

fn evaluate_one(session: &Session, book: &Book) -> Result<(), Error> {
    let (state, particulars) = read(session, book)?;
    let verdict = policy::judge(&state);
    let (customer_id, currency) = (&book.customer_id, &book.currency);
    let due_at = match (verdict.request, particulars.expires_at) {
        (true, Some(expires_at)) => expires_at,
        _ => verdict.due_at.unwrap_or(Time::NEVER),
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
            ],
        )?;
    }
    publish(session, book, &state, &verdict);
    if let (Some(close), Some(open)) = (verdict.close, particulars.open) {
        end(session, book, close, open)?;
    }
    if let Some(off) = verdict.switch_off {
        publish_off(session, book, off, verdict.failures);
    }
    match state.auto {
        Some(auto) if verdict.request => request(session, book, &auto.offer, &particulars),
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

fn publish(session: &Session, book: &Book, state: &State, verdict: &Verdict) {
    let payload = json!({
        "currency": book.currency,
        "available": book.available.normalize().to_string(),
        "threshold": state.low.normalize().to_string(),
    });
    let kinds = [(verdict.publish_low, "balance.low"), (verdict.publish_exhausted, "balance.exhausted")];
    for (_, kind) in kinds.into_iter().filter(|(tells, _)| *tells) {
        outbox::publish(session, &book.customer_id, kind, &payload, book.posted_at);
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
      credits,
                                     payment_method, requested_at, expires_at)
      VALUES ($1, $2, $3, $4, 'requested', $5, $6, $7, $8, $9, $10)",
    &[
        TEXTOID, UUIDOID, TEXTOID, UUIDOID, NUMERICOID, TEXTOID, NUMERICOID, TEXTOID, TIMESTAMPTZOID, TIMESTAMPTZOID,
    ],
);

/// Requests a recharge: writes a request, the top-up to be paid, and a row of the outbox.
fn request(session: &Session, book: &Book, offer: &Offer, particulars: &Particulars) -> Result<(), Error> {
    let lost = || Error::internal("an auto-recharge has no price");
    let pack = offer.pack().map_err(|_| Error::internal("an auto-recharge cannot buy anything"))?;
    let price: Price = price::find(session, particulars.price_id.ok_or_else(lost)?)?;
    let expires_at = particulars.expires_at.ok_or_else(lost)?;
    let Pack { amount, credits } = pack;
    let (recharge_id, top_up_id) = (Uuid::now_v7(), Uuid::now_v7());
    let new = New {
        customer_id: &book.customer_id,
        top_up_id,
        price_id: Some(price.id),
        quantity: offer.quantity,
        amount,
        currency: &price.currency,
        credits,
        credit_currency: &price.credit_currency,
        rate: None,
        terms: &price.terms,
        name: Some(&price.product_name),
        provider: None,
        return_url: None,
        failure_url: None,
        checkout_url: None,
        description: Some("auto-recharge"),
        metadata: None,
        // The request times out earlier; a later payment is granted all the same.
        expires_at: expires_at.max(book.posted_at.plus_seconds(subject::DEFAULT_SECONDS)),
        recharge_id: Some(recharge_id),
    };
    subject::insert(session, &new, book.posted_at)?;
    REQUEST.run(
        session,
        &[
            book.customer_id.cell(),
            recharge_id.cell(),
            book.currency.cell(),
            top_up_id.cell(),
            amount.cell(),
            price.currency.cell(),
            credits.cell(),
            particulars.payment_method.cell(),
            book.posted_at.cell(),
            expires_at.cell(),
        ],
    )?;
    let payload = json!({
        "recharge_id": recharge_id,
        "top_up_id": top_up_id,
        "currency": book.currency,
        "amount": amount.to_string(),
        "price_currency": price.currency,
        "credits": credits.to_string(),
        "payment_method": particulars.payment_method,
        "expires_at": expires_at.rfc3339(),
    });
    outbox::publish(session, &book.customer_id, "recharge.requested", &payload, book.posted_at);
    Ok(())
}
