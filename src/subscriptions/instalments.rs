//! The instalments of a subscription that are kept: ended before they begin where it ends or pauses, and granted again
//! where it goes on. What has begun stays what it is.

use crate::amount::Decimal;
use crate::error::Error;
use crate::invoicing::effect;
use crate::invoicing::line::instalment::{self, Instalment, Kept};
use crate::ledger::currency;
use crate::ledger::engine::drawdown::Status;
use crate::ledger::grant::ending;
use crate::moment::Time;
use crate::pg::statement::{Session, Statement, text};
use crate::pg::value::ToCell;
use crate::subscriptions::owed;
use crate::subscriptions::schedule::instalment::rest;
use crate::subscriptions::subscription::Subscription;
use pgrx::pg_sys::{TEXTOID, TIMESTAMPTZOID, UUIDOID};
use uuid::Uuid;

static CURRENCIES: Statement = Statement::new(
    c"SELECT DISTINCT l.credit_currency
      FROM credits_internal.subscription_items i
      JOIN credits_internal.invoice_lines l
        ON l.customer_id = i.customer_id AND l.subscription_item_id = i.subscription_item_id
      WHERE i.customer_id = $1 AND i.subscription_id = $2 AND l.credits IS NOT NULL
      UNION
      SELECT o.currency FROM credits_internal.invoices v
      JOIN credits_internal.invoiced_credits o ON o.customer_id = v.customer_id AND o.invoice_id = v.invoice_id
      WHERE v.customer_id = $1 AND v.subscription_id = $2 AND v.status = 'open' AND o.status = 'invoiced'",
    &[TEXTOID, UUIDOID],
);

/// Locks the accounts that a subscription's credits are in, those whose owed credits it settles, and that which pays for it.
pub fn lock_accounts(session: &Session, subscription: &Subscription) -> Result<(), Error> {
    lock_accounts_and(session, subscription, Vec::new())
}

/// The same with those of other currencies.
pub fn lock_accounts_and(session: &Session, subscription: &Subscription, others: Vec<String>) -> Result<(), Error> {
    let rows = CURRENCIES.run(session, &[subscription.customer_id.cell(), subscription.id.cell()])?;
    let mut currencies: Vec<String> = rows.iter().map(|mut row| row.next()).collect::<Result<_, _>>()?;
    currencies.extend(others);
    currencies.extend(owed::currencies(session, subscription)?);
    // Where the price is in credits, the wallet pays.
    if !currency::is_money(session, &subscription.currency)? {
        currencies.push(subscription.currency.clone());
    }
    effect::lock_accounts(session, &subscription.customer_id, currencies)
}

// Those of lines that are not paid have no grant yet, and are planned for a time. What began since then, by its plan and not
// as it was paid, is to come as well: that somebody looked at the account changes nothing. OFFSET 0 keeps the way to them
// through the subscription's own lines: a customer may have others.
static TO_COME: Statement = Statement::new(
    c"SELECT g.invoice_line_id, g.instalment_no, g.starts_at, g.ends_at, g.credits, g.revision, g.expires, g.grant_id
      FROM credits_internal.subscription_items i
      CROSS JOIN LATERAL (SELECT l.customer_id, l.invoice_line_id FROM credits_internal.invoice_lines l
                          WHERE l.customer_id = i.customer_id AND l.subscription_item_id = i.subscription_item_id
                          OFFSET 0) l
      JOIN credits_internal.invoice_line_grants g
        ON g.customer_id = l.customer_id AND g.invoice_line_id = l.invoice_line_id
      LEFT JOIN credits_internal.credit_grants c ON c.customer_id = g.customer_id AND c.grant_id = g.grant_id
      WHERE i.customer_id = $1 AND i.subscription_id = $2 AND g.ended_at IS NULL
        AND coalesce(c.effective_at, g.starts_at) >= $3 AND coalesce(c.effective_at, g.starts_at) < $4
        AND (c.grant_id IS NULL OR c.status IN ('pending', 'granted') AND c.effective_at > c.created_at)
      ORDER BY g.invoice_line_id, g.instalment_no",
    &[TEXTOID, UUIDOID, TIMESTAMPTZOID, TIMESTAMPTZOID],
);

fn to_come(session: &Session, subscription: &Subscription, from: Time, until: Time) -> Result<Vec<Kept>, Error> {
    let cells = [subscription.customer_id.cell(), subscription.id.cell(), from.cell(), until.cell()];
    let mut all = Vec::new();
    for mut row in TO_COME.run(session, &cells)?.iter() {
        let line_id = row.next()?;
        let plan = Instalment { no: row.next()?, starts_at: row.next()?, ends_at: row.next()?, credits: row.next()? };
        let (revision, expires, grant_id) = (row.next()?, row.next()?, row.next()?);
        all.push(Kept { line_id, plan, revision, expires, grant_id, had: None, currency: String::new(), decimals: 0 });
    }
    Ok(all)
}

// The last revision of each that is ended since its price was paid back.
macro_rules! paid_back {
    ($from:literal, $of:literal) => {
        text!(
            "SELECT g.invoice_line_id, g.instalment_no, g.revision,
                    (SELECT w.credits FROM credits_internal.invoice_line_grants w
                     WHERE w.customer_id = g.customer_id AND w.invoice_line_id = g.invoice_line_id
                       AND w.instalment_no = g.instalment_no AND w.revision = 1)
             FROM ",
            $from,
            " WHERE ",
            $of,
            " AND g.paid_back AND g.starts_at >= $3 AND g.starts_at < $4
              AND g.revision = (SELECT max(n.revision) FROM credits_internal.invoice_line_grants n
                                WHERE n.customer_id = g.customer_id AND n.invoice_line_id = g.invoice_line_id
                                  AND n.instalment_no = g.instalment_no)
              ORDER BY g.invoice_line_id, g.instalment_no"
        )
    };
}

static PAID_BACK: Statement = Statement::new(
    paid_back!(
        "credits_internal.subscription_items i
         CROSS JOIN LATERAL (SELECT l.customer_id, l.invoice_line_id FROM credits_internal.invoice_lines l
                             WHERE l.customer_id = i.customer_id AND l.subscription_item_id = i.subscription_item_id
                             OFFSET 0) l
         JOIN credits_internal.invoice_line_grants g
           ON g.customer_id = l.customer_id AND g.invoice_line_id = l.invoice_line_id",
        "i.customer_id = $1 AND i.subscription_id = $2"
    ),
    &[TEXTOID, UUIDOID, TIMESTAMPTZOID, TIMESTAMPTZOID],
);
static PAID_BACK_OF_LINE: Statement = Statement::new(
    paid_back!("credits_internal.invoice_line_grants g", "g.customer_id = $1 AND g.invoice_line_id = $2"),
    &[TEXTOID, UUIDOID, TIMESTAMPTZOID, TIMESTAMPTZOID],
);

/// Those that were to begin in that time, and whose price was paid back, do not come back where that fails.
fn hold_back(
    session: &Session,
    statement: &'static Statement,
    (customer_id, id): (&str, Uuid),
    (from, until): (Time, Time),
    now: Time,
) -> Result<(), Error> {
    let rows = statement.run(session, &[customer_id.cell(), id.cell(), from.cell(), until.cell()])?;
    rows.iter().try_for_each(|mut row| {
        let (line_id, of, credits): (Uuid, (i32, i32), Decimal) =
            (row.next()?, (row.next()?, row.next()?), row.next()?);
        instalment::hold_back(session, (customer_id, line_id), of, credits, now)
    })
}

/// Ends those that were to begin in that time, and have not. Those whose price was paid back do not come back if that fails.
/// Their accounts are locked.
pub fn end(
    session: &Session,
    subscription: &Subscription,
    (from, until): (Time, Time),
    reason: &str,
    now: Time,
) -> Result<(), Error> {
    let customer_id = subscription.customer_id.as_str();
    let all = to_come(session, subscription, from, until)?;
    hold_back(session, &PAID_BACK, (customer_id, subscription.id), (from, until), now)?;
    all.iter().try_for_each(|kept| stop(session, customer_id, kept, reason, now))
}

/// Ends one, with its grant.
fn stop(session: &Session, customer_id: &str, kept: &Kept, reason: &str, now: Time) -> Result<(), Error> {
    if let Some(grant_id) = kept.grant_id {
        ending::end(session, customer_id, grant_id, Status::Voided, Some(reason))?;
    }
    instalment::ended(session, customer_id, kept, now)
}

/// Ends those that were to begin when it is known to have ended. Their accounts are locked.
pub fn end_at_cancel(session: &Session, subscription: &Subscription, now: Time) -> Result<(), Error> {
    match subscription.cancel_at {
        Some(at) => end(session, subscription, (at, Time::NEVER), "The subscription will have ended", now),
        None => Ok(()),
    }
}

/// Ends those of one line that were to begin after a moment; what is not paid of one under way then is less, where those are
/// prorated. Their accounts are locked.
pub fn end_of_line(
    session: &Session,
    customer_id: &str,
    line_id: Uuid,
    (from, prorates): (Time, bool),
    reason: &str,
    now: Time,
) -> Result<(), Error> {
    hold_back(session, &PAID_BACK_OF_LINE, (customer_id, line_id), (from.next(), Time::NEVER), now)?;
    for kept in instalment::of(session, customer_id, line_id)? {
        match kept.grant_id {
            _ if kept.plan.ends_at <= from => {}
            None if prorates && kept.plan.starts_at <= from => {
                let lost = |_| Error::internal("an instalment cannot be divided");
                let rest = rest(kept.plan, from, kept.decimals).map_err(lost)?;
                instalment::lower(session, customer_id, &kept, rest.credits, from)?;
            }
            _ if kept.plan.starts_at <= from => {}
            _ => stop(session, customer_id, &kept, reason, now)?,
        }
    }
    Ok(())
}

// The last revision of each, of lines that still pay for something.
static ENDED: Statement = Statement::new(
    c"SELECT DISTINCT ON (g.invoice_line_id, g.instalment_no)
             g.invoice_line_id, g.instalment_no, g.revision, g.grant_id IS NOT NULL OR coalesce(v.status = 'paid', false)
      FROM credits_internal.subscription_items i
      JOIN credits_internal.invoice_lines l
        ON l.customer_id = i.customer_id AND l.subscription_item_id = i.subscription_item_id
      JOIN credits_internal.invoice_line_grants g
        ON g.customer_id = l.customer_id AND g.invoice_line_id = l.invoice_line_id
      LEFT JOIN credits_internal.invoices v ON v.customer_id = l.customer_id AND v.invoice_id = l.invoice_id
      WHERE i.customer_id = $1 AND i.subscription_id = $2 AND g.starts_at >= $3 AND l.covers_until > g.starts_at
        AND v.status IS DISTINCT FROM 'void'
      ORDER BY g.invoice_line_id, g.instalment_no, g.revision DESC",
    &[TEXTOID, UUIDOID, TIMESTAMPTZOID],
);

/// Brings back those that were ended and are still to begin: where their line is paid, they are granted again. Their
/// accounts are locked.
pub fn bring_back(session: &Session, subscription: &Subscription, from: Time) -> Result<(), Error> {
    let customer_id = subscription.customer_id.as_str();
    let mut again: Vec<(Uuid, i32, i32, bool)> = Vec::new();
    let cells = [customer_id.cell(), subscription.id.cell(), from.cell()];
    for mut row in ENDED.run(session, &cells)?.iter() {
        again.push((row.next()?, row.next()?, row.next()?, row.next()?));
    }
    let mut lines: Vec<Uuid> = Vec::new();
    for (line_id, no, revision, was_granted) in again {
        if !instalment::again(session, (customer_id, line_id), (no, revision), None)? {
            instalment::let_go(session, (customer_id, line_id), (no, revision), from)?;
        } else if was_granted {
            lines.push(line_id);
        }
    }
    lines.dedup();
    lines.into_iter().try_for_each(|line_id| effect::grant_again(session, customer_id, line_id).map(drop))
}
