//! What auto-recharge does when the ledger, the catalogue or payments announce something.

use crate::auto_recharge::policy::Off;
use crate::auto_recharge::{configuration, evaluation, purchase, request, review};
use crate::catalog::listener as catalog;
use crate::catalog::listener::Changed;
use crate::error::Error;
use crate::ledger::customer::deletion::{Configured, is_any};
use crate::ledger::engine::book::Book;
use crate::ledger::engine::posting::{Key, index};
use crate::ledger::listener as ledger;
use crate::moment::Time;
use crate::payments::listener as payments;
use crate::payments::listener::Answer;
use crate::pg::statement::{Session, Statement};
use crate::pg::value::{Cell, ToCell};
use crate::settings;
use pgrx::pg_sys::{TEXTARRAYOID, TEXTOID, TIMESTAMPTZARRAYOID};
use uuid::Uuid;

/// Signed up in lib.rs.
pub struct AutoRecharge;

static NEXT_CHANGES: Statement = Statement::new(
    c"SELECT k.ordinal, r.due_at
      FROM unnest($1, $2, $3) WITH ORDINALITY AS k (customer_id, currency, at, ordinal)
      JOIN credits_internal.auto_recharges r ON r.customer_id = k.customer_id AND r.currency = k.currency AND r.due_at > k.at",
    &[TEXTARRAYOID, TEXTARRAYOID, TIMESTAMPTZARRAYOID],
);

static ERASE_METHODS: Statement = Statement::new(
    c"UPDATE credits_internal.auto_recharges SET payment_method = NULL WHERE customer_id = $1 AND payment_method IS NOT NULL",
    &[TEXTOID],
);
// The reason why a payment failed is the provider's own text.
static ERASE_REQUESTS: Statement = Statement::new(
    c"UPDATE credits_internal.recharges r
      SET payment_method = NULL, reason = CASE WHEN r.status <> 'failed' THEN r.reason END
      WHERE r.customer_id = $1 AND (r.payment_method IS NOT NULL OR r.status = 'failed' AND r.reason IS NOT NULL)",
    &[TEXTOID],
);

static REQUESTED: Statement = Statement::new(
    c"SELECT true WHERE EXISTS (SELECT FROM credits_internal.recharges r WHERE r.customer_id = $1)",
    &[TEXTOID],
);
static CONFIGURED: [Configured; 2] = [crate::configured!("auto_recharges"), crate::configured!("balance_alerts")];

impl ledger::Listener for AutoRecharge {
    fn posted(&self, session: &Session, books: &[&Book]) -> Result<(), Error> {
        evaluation::evaluate(session, books)
    }

    fn erase(&self, session: &Session, customer_id: &str) -> Result<(), Error> {
        // An erased customer must not be charged any more.
        configuration::switch_off(session, customer_id, Off::Erased, settings::now()?)?;
        ERASE_METHODS.run(session, &[customer_id.cell()])?;
        ERASE_REQUESTS.run(session, &[customer_id.cell()]).map(drop)
    }

    fn has_history(&self, session: &Session, customer_id: &str) -> Result<bool, Error> {
        is_any(session, &REQUESTED, customer_id)
    }

    fn configured(&self) -> &'static [Configured] {
        &CONFIGURED
    }

    fn currency_changed(&self, session: &Session, currency: &str) -> Result<(), Error> {
        review::ask(session, None, None, Some(currency))
    }

    fn next_changes(&self, session: &Session, accounts: &[Cell; 3]) -> Result<Vec<(usize, Time)>, Error> {
        let rows = NEXT_CHANGES.run(session, accounts)?;
        rows.iter().map(|mut row| Ok((index(&mut row, usize::MAX)?, row.next()?))).collect()
    }
}

impl catalog::Listener for AutoRecharge {
    fn changed(&self, session: &Session, changed: Changed<'_>) -> Result<(), Error> {
        match changed {
            Changed::Price(id) => review::ask(session, Some(id), None, None),
            Changed::Product(id) => review::ask(session, None, Some(id), None),
            Changed::RechargeConfig(code) => review::ask(session, None, None, Some(code)),
        }
    }
}

impl payments::Listener for AutoRecharge {
    fn begin_recharge(&self, session: &Session, customer_id: &str, id: Uuid) -> Result<(), Error> {
        purchase::begin(session, customer_id, id)
    }

    fn recharge_of(&self, session: &Session, id: Uuid) -> Result<Option<String>, Error> {
        purchase::customer_of(session, id)
    }

    fn recharge_ended(
        &self,
        session: &Session,
        book: &mut Book,
        recharge_id: Uuid,
        answer: Answer,
        reason: Option<&str>,
    ) -> Result<(), Error> {
        request::end(session, book, recharge_id, answer, reason)
    }

    fn changed_by_dispute(&self, session: &Session, customer_id: &str) -> Result<Vec<Key>, Error> {
        configuration::accounts(session, customer_id)
    }

    fn disputed(&self, session: &Session, customer_id: &str, now: Time) -> Result<(), Error> {
        configuration::switch_off(session, customer_id, Off::Disputed, now)
    }
}
