//! Watching balances: after a posting that leaves little, or much again, or when something was due, what the account calls for
//! (alarm.rs) is done in the posting's own transaction. The account is locked.

use super::alarm::{self, Auto, Close, Level, Off, Open, Seen, Verdict};
use super::outbox;
use super::price::{self, Price};
use super::stored::{self, New};
use crate::amount::Decimal;
use crate::clock::Time;
use crate::error::Error;
use crate::ledger::book::Book;
use crate::pg::statement::{Session, Statement};
use crate::pg::value::ToCell;
use pgrx::pg_sys::{BOOLOID, INT2OID, INT4OID, NUMERICOID, TEXTOID, TIMESTAMPTZOID, UUIDOID};
use serde_json::json;
use uuid::Uuid;

/// Looks at those accounts whose balance is to be looked at.
pub fn look(session: &Session, books: &[&Book]) -> Result<(), Error> {
    for book in books.iter().filter(|book| book.is_to_be_watched()) {
        look_at(session, book)?;
    }
    Ok(())
}

static SEE: Statement = Statement::new(
    c"SELECT a.low_balance_threshold, a.told, power(10::numeric, -c.decimals), r.enabled, r.threshold, r.failures,
             p.archived_at IS NULL AND d.archived_at IS NULL, o.recharge_id, o.top_up_id, o.status = 'processing', o.expires_at,
             (l.last AT TIME ZONE 'UTC' + r.cooldown) AT TIME ZONE 'UTC', r.max_attempts_per_day, l.attempts::int,
             r.max_amount_per_day, p.unit_amount * r.quantity, l.amount, l.oldest, r.price_id, r.quantity, r.payment_method,
             ($3 AT TIME ZONE 'UTC' + r.timeout) AT TIME ZONE 'UTC'
      FROM credits.accounts a
      JOIN credits.currencies c ON c.currency = a.currency
      LEFT JOIN credits.auto_recharges r ON r.customer_id = a.customer_id AND r.currency = a.currency
      LEFT JOIN credits.prices p ON p.price_id = r.price_id
      LEFT JOIN credits.products d ON d.product_id = p.product_id
      LEFT JOIN credits.recharges o ON o.customer_id = a.customer_id AND o.currency = a.currency
                                   AND o.status IN ('requested', 'processing')
      CROSS JOIN LATERAL (
          SELECT (SELECT max(y.requested_at) FROM credits.recharges y
                  WHERE y.customer_id = a.customer_id AND y.currency = a.currency) AS last,
                 count(*) AS attempts, coalesce(sum(x.amount) FILTER (WHERE x.status <> 'failed'), 0) AS amount,
                 min(x.requested_at) AS oldest
          FROM credits.recharges x
          WHERE x.customer_id = a.customer_id AND x.currency = a.currency AND x.status <> 'canceled'
            AND x.requested_at > $3 - interval '24 hours') l
      WHERE a.customer_id = $1 AND a.currency = $2",
    &[TEXTOID, TEXTOID, TIMESTAMPTZOID],
);

/// What the request is made of, beside what decides on it.
#[derive(Default)]
struct Particulars {
    open: Option<(Uuid, Uuid)>,
    price_id: Option<Uuid>,
    quantity: Option<i32>,
    payment_method: Option<String>,
    expires_at: Option<Time>,
}

fn see(session: &Session, book: &Book) -> Result<(Seen, Particulars), Error> {
    let rows = SEE.run(session, &[book.customer_id.cell(), book.currency.cell(), book.posted_at.cell()])?;
    let mut row = rows.first().ok_or_else(|| Error::internal("an account is not there"))?;
    let (low, told, unit) = (row.next()?, Level::of(row.next()?), row.next()?);
    let (enabled, threshold): (Option<bool>, Option<Decimal>) = (row.next()?, row.next()?);
    let failures: Option<i32> = row.next()?;
    let on_sale: Option<bool> = row.next()?;
    let (recharge_id, top_up_id): (Option<Uuid>, Option<Uuid>) = (row.next()?, row.next()?);
    let (processing, expires_at): (Option<bool>, Option<Time>) = (row.next()?, row.next()?);
    let cooled_at = row.next()?;
    let (most_attempts, attempts) = (row.next()?, row.next()?);
    let most_amount: Option<Decimal> = row.next()?;
    let one: Option<Decimal> = row.next()?;
    let (amount, oldest) = (row.next()?, row.next()?);
    let particulars = Particulars {
        open: recharge_id.zip(top_up_id),
        price_id: row.next()?,
        quantity: row.next()?,
        payment_method: row.next()?,
        expires_at: row.next()?,
    };
    let auto = enabled.zip(threshold).map(|(enabled, threshold)| Auto {
        enabled,
        threshold,
        failures: failures.unwrap_or_default(),
        on_sale: on_sale == Some(true),
        open: processing.zip(expires_at).map(|(processing, expires_at)| Open { processing, expires_at }),
        cooled_at,
        attempts: (most_attempts, attempts),
        amount: (most_amount, one.unwrap_or_default(), amount),
        oldest,
    });
    Ok((Seen { at: book.posted_at, available: book.available, unit, low, told, auto }, particulars))
}

static SAVE: Statement = Statement::new(
    c"UPDATE credits.accounts a
      SET told = $3, watch_below = $4, 
          charge_above = CASE WHEN a.charge_above < 'infinity' THEN greatest(a.head_floor, $4) ELSE 'infinity' END,
           watch_above = coalesce($5, 'infinity'), next_change_at = least(a.next_change_at, $6)
      WHERE a.customer_id = $1 AND a.currency = $2",
    &[TEXTOID, TEXTOID, INT2OID, NUMERICOID, NUMERICOID, TIMESTAMPTZOID],
);

static SAVE_AUTO: Statement = Statement::new(
    c"UPDATE credits.auto_recharges r
      SET failures = $3, enabled = r.enabled AND NOT $4, disabled_reason = coalesce($5, r.disabled_reason), due_at = $6
      WHERE r.customer_id = $1 AND r.currency = $2",
    &[TEXTOID, TEXTOID, INT4OID, BOOLOID, TEXTOID, TIMESTAMPTZOID],
);

fn look_at(session: &Session, book: &Book) -> Result<(), Error> {
    let (seen, particulars) = see(session, book)?;
    let verdict = alarm::judge(&seen);
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
            verdict.told.number().cell(),
            verdict.below.cell(),
            verdict.above.cell(),
            due_at.cell(),
        ],
    )?;
    if seen.auto.is_some() {
        let off = verdict.switch_off;
        SAVE_AUTO.run(
            session,
            &[
                customer_id.cell(),
                currency.cell(),
                verdict.failures.cell(),
                off.is_some().cell(),
                off.map(Off::as_str).cell(),
                due_at.cell(),
            ],
        )?;
    }
    tell(session, book, &seen, &verdict)?;
    if let (Some(close), Some(open)) = (verdict.close, particulars.open) {
        end(session, book, (close, seen.auto.as_ref().is_some_and(|auto| auto.enabled)), open)?;
    }
    if let Some(off) = verdict.switch_off {
        let payload = json!({"currency": currency, "reason": off.as_str(), "failures": verdict.failures});
        outbox::tell(session, customer_id, "recharge.disabled", &payload, book.posted_at)?;
    }
    if verdict.request { request(session, book, &particulars) } else { Ok(()) }
}

fn tell(session: &Session, book: &Book, seen: &Seen, verdict: &Verdict) -> Result<(), Error> {
    let payload = json!({
        "currency": book.currency,
        "available": book.available.normalize().to_string(),
        "threshold": seen.low.normalize().to_string(),
    });
    let kinds = [(verdict.tell_low, "balance.low"), (verdict.tell_exhausted, "balance.exhausted")];
    for (_, kind) in kinds.into_iter().filter(|(tells, _)| *tells) {
        outbox::tell(session, &book.customer_id, kind, &payload, book.posted_at)?;
    }
    Ok(())
}

static END: Statement = Statement::new(
    // A time-out is as of its moment, whenever it is posted.
    c"UPDATE credits.recharges SET status = $3, closed_at = least($4, expires_at), reason = $5
      WHERE customer_id = $1 AND recharge_id = $2",
    &[TEXTOID, UUIDOID, TEXTOID, TIMESTAMPTZOID, TEXTOID],
);

fn end(
    session: &Session,
    book: &Book,
    (close, enabled): (Close, bool),
    (recharge_id, top_up_id): (Uuid, Uuid),
) -> Result<(), Error> {
    let (status, kind, reason) = match close {
        Close::TimedOut => ("timed_out", "recharge.timed_out", "nobody answered in time"),
        Close::Canceled if enabled => ("canceled", "recharge.canceled", "there are credits again"),
        Close::Canceled => ("canceled", "recharge.canceled", "it was switched off"),
    };
    let at = book.posted_at;
    END.run(session, &[book.customer_id.cell(), recharge_id.cell(), status.cell(), at.cell(), reason.cell()])?;
    let payload = json!({"recharge_id": recharge_id, "top_up_id": top_up_id, "currency": book.currency});
    outbox::tell(session, &book.customer_id, kind, &payload, at)
}

static REQUEST: Statement = Statement::new(
    c"INSERT INTO credits.recharges (customer_id, recharge_id, currency, top_up_id, status, amount, price_currency, credits,
                                     payment_method, requested_at, expires_at)
      VALUES ($1, $2, $3, $4, 'requested', $5, $6, $7, $8, $9, $10)",
    &[
        TEXTOID, UUIDOID, TEXTOID, UUIDOID, NUMERICOID, TEXTOID, NUMERICOID, TEXTOID, TIMESTAMPTZOID, TIMESTAMPTZOID,
    ],
);

/// Asks for a recharge: a request, a top-up that pays it, and a row of the outbox.
fn request(session: &Session, book: &Book, particulars: &Particulars) -> Result<(), Error> {
    let lost = || Error::internal("an auto-recharge has no price");
    let price: Price = price::find(session, particulars.price_id.ok_or_else(lost)?)?;
    let quantity = particulars.quantity.ok_or_else(lost)?;
    let expires_at = particulars.expires_at.ok_or_else(lost)?;
    let total = |unit: Decimal| unit.checked_mul(Decimal::from(quantity)).map(|total| total.normalize());
    let (amount, credits) = total(price.unit_amount).zip(total(price.credits)).ok_or_else(lost)?;
    let (recharge_id, top_up_id) = (Uuid::now_v7(), Uuid::now_v7());
    let new = New {
        customer_id: &book.customer_id,
        top_up_id,
        price_id: Some(price.id),
        quantity,
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
        // The request times out earlier, and what is paid later is granted all the same.
        expires_at: expires_at.max(book.posted_at.plus_seconds(stored::DEFAULT_SECONDS)),
        recharge_id: Some(recharge_id),
    };
    stored::insert(session, &new, book.posted_at)?;
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
    outbox::tell(session, &book.customer_id, "recharge.requested", &payload, book.posted_at)
}
