//! Reviews of auto-recharge: when the catalogue, a currency or a recharge configuration changes, maintenance evaluates
//! every account with auto-recharge at an affected price. So an auto-recharge that became impossible switches itself
//! off, and publishes that, before the customer runs out of credits.

use crate::catalog::stored::offers_before;
use crate::error::Error;
use crate::ledger::account;
use crate::ledger::engine::failure;
use crate::ledger::engine::posting::{self, Key};
use crate::moment::Time;
use crate::pg::locking::patience::Patience;
use crate::pg::statement::{Session, Statement, text};
use crate::pg::value::ToCell;
use pgrx::pg_sys::{INT4OID, TEXTOID, UUIDOID};
use std::collections::HashSet;
use uuid::Uuid;

macro_rules! ask {
    ($offers:expr) => {
        text!(
            "INSERT INTO credits_internal.recharge_reviews (price_id)
             SELECT p.price_id FROM ",
            $offers,
            " p
             WHERE (p.price_id = $1 OR p.product_id = $2 OR p.currency = $3 OR p.credit_currency = $3)
               AND EXISTS (SELECT FROM credits_internal.auto_recharges r WHERE r.price_id = p.price_id)
             ORDER BY p.price_id
             ON CONFLICT (price_id) DO UPDATE SET after_customer = ''"
        )
    };
}

static ASK: Statement =
    Statement::scanning(ask!("credits_internal.offers"), &[UUIDOID, UUIDOID, TEXTOID]).before(ask!(offers_before!()));

/// Asks for a review of the accounts with auto-recharge at an affected price. A review that is under way starts again.
pub fn ask(session: &Session, price: Option<Uuid>, product: Option<Uuid>, currency: Option<&str>) -> Result<(), Error> {
    ASK.run(session, &[price.cell(), product.cell(), currency.cell()]).map(drop)
}

static NEXT: Statement = Statement::scanning(
    c"SELECT price_id, after_customer FROM credits_internal.recharge_reviews ORDER BY price_id LIMIT 1 FOR UPDATE SKIP LOCKED",
    &[],
);

static PAGE: Statement = Statement::in_order(
    c"SELECT r.customer_id, r.currency FROM credits_internal.auto_recharges r
      WHERE r.price_id = $1 AND r.customer_id > $2 ORDER BY r.customer_id LIMIT $3",
    &[UUIDOID, TEXTOID, INT4OID],
);

static GO_ON: Statement = Statement::new(
    c"UPDATE credits_internal.recharge_reviews SET after_customer = $2 WHERE price_id = $1",
    &[UUIDOID, TEXTOID],
);

static END: Statement =
    Statement::new(c"DELETE FROM credits_internal.recharge_reviews WHERE price_id = $1", &[UUIDOID]);

// Accounts that failed and are due for a retry.
static LOCK_FAILED: Statement = Statement::scanning(
    c"SELECT a.customer_id, a.currency
      FROM credits_internal.account_failures f
      JOIN credits_internal.accounts a ON a.customer_id = f.customer_id AND a.currency = f.currency
      WHERE f.retry_at <= clock_timestamp()
        AND EXISTS (SELECT FROM credits_internal.auto_recharges r WHERE r.customer_id = f.customer_id
        AND r.currency = f.currency)
      ORDER BY f.retry_at LIMIT $1
      FOR NO KEY UPDATE OF a SKIP LOCKED",
    &[INT4OID],
);

/// One batch of a review, of at most `most` accounts. Returns how many. An account that another session has locked is
/// skipped: the same is checked before it buys anything. One that fails is recorded, and evaluated when it is retried.
pub fn batch(session: &Session, most: i32, _due_by: Time) -> Result<i32, Error> {
    let (price_id, after): (Uuid, String) = match NEXT.run(session, &[])?.first() {
        Some(mut row) => (row.next()?, row.next()?),
        None => return try_again(session, most),
    };
    let mut page: Vec<Key> = Vec::new();
    for mut row in PAGE.run(session, &[price_id.cell(), after.cell(), most.cell()])?.iter() {
        page.push((row.next()?, row.next()?));
    }
    let failed = failure::failed_accounts(session)?;
    let mut free = posting::lock_free(session, &page)?;
    free.retain(|key| !failed.contains(key));
    failure::each_apart(session, &free, &HashSet::new(), &Patience::default(), |keys| evaluate_again(session, keys))?;
    match page.last() {
        Some((customer_id, _)) if page.len() as i64 == i64::from(most) => {
            GO_ON.run(session, &[price_id.cell(), customer_id.cell()])?
        }
        _ => END.run(session, &[price_id.cell()])?,
    };
    Ok((page.len() as i32).max(1))
}

/// Evaluates accounts that failed, which a review may have left out meanwhile.
fn try_again(session: &Session, most: i32) -> Result<i32, Error> {
    let mut keys: Vec<Key> = Vec::new();
    for mut row in LOCK_FAILED.run(session, &[most.cell()])?.iter() {
        keys.push((row.next()?, row.next()?));
    }
    let failed: HashSet<Key> = keys.iter().cloned().collect();
    let patience = Patience::default();
    let (done, failures) =
        failure::each_apart(session, &keys, &failed, &patience, |keys| evaluate_again(session, keys))?;
    Ok(done + failures)
}

/// Evaluates accounts that are locked already.
fn evaluate_again(session: &Session, keys: &[Key]) -> Result<i32, Error> {
    for (customer_id, currency) in keys {
        // As of its last posting: what fell due since is not part of this work.
        let book = account::open_existing(session, customer_id, currency, Time(0))?;
        account::evaluate_again(session, book)?;
    }
    Ok(keys.len() as i32)
}
