//! Requests of auto-recharge: begun by the worker that charges, and ended by the outcome of the payment. evaluation.rs
//! creates them.

use crate::amount::Decimal;
use crate::auto_recharge::{policy, state};
use crate::error::Error;
use crate::input;
use crate::ledger::account;
use crate::ledger::engine::book::Book;
use crate::moment::Time;
use crate::outbox;
use crate::payments::listener::Answer;
use crate::payments::money;
use crate::payments::notification::case;
use crate::payments::payment_intent::attempt;
use crate::payments::providers::Provider;
use crate::payments::providers::generic::Generic;
use crate::pg::call::argument::Id;
use crate::pg::call::reply::{One, Reply};
use crate::pg::statement::{Session, Statement, writing};
use crate::pg::value::ToCell;
use crate::pg::value::array::array;
use crate::row;
use crate::settings;
use pgrx::pg_extern;
use pgrx::pg_sys::{BOOLOID, TEXTARRAYOID, TEXTOID, TIMESTAMPTZOID, UUIDOID};
use serde_json::json;
use uuid::Uuid;

static CLOSE: Statement = Statement::new(
    c"UPDATE credits_internal.recharges r SET status = $3, closed_at = $4, reason = $5
      WHERE r.customer_id = $1 AND r.recharge_id = $2 AND r.status = ANY ($6)
      RETURNING r.top_up_id, r.currency",
    &[TEXTOID, UUIDOID, TEXTOID, TIMESTAMPTZOID, TEXTOID, TEXTARRAYOID],
);

static COUNT: Statement = Statement::new(
    c"UPDATE credits_internal.auto_recharges r SET failures = CASE WHEN $3 THEN 0 ELSE r.failures + 1 END
      WHERE r.customer_id = $1 AND r.currency = $2",
    &[TEXTOID, TEXTOID, BOOLOID],
);

/// Records the answer to a request of a locked account; its posting evaluates the account again. Does nothing if the
/// request was answered before or, for a failure, has timed out.
pub fn end(
    session: &Session,
    book: &mut Book,
    recharge_id: Uuid,
    answer: Answer,
    reason: Option<&str>,
) -> Result<(), Error> {
    let (status, kind, from): (_, _, &[&str]) = match answer {
        Answer::Paid => ("paid", "recharge.paid", &["requested", "processing", "failed", "timed_out", "canceled"]),
        Answer::Failed => ("failed", "recharge.failed", &["requested", "processing"]),
    };
    let from = array(from.iter().copied());
    let (customer_id, at) = (book.customer_id.clone(), book.posted_at);
    let cells = [customer_id.cell(), recharge_id.cell(), status.cell(), at.cell(), reason.cell(), from];
    let rows = CLOSE.run(session, &cells)?;
    let Some(mut row) = rows.first() else { return Ok(()) };
    let (top_up_id, currency): (Uuid, String) = (row.next()?, row.next()?);
    COUNT.run(session, &[customer_id.cell(), currency.cell(), (answer == Answer::Paid).cell()])?;
    book.evaluate_now();
    let payload = json!({"recharge_id": recharge_id, "top_up_id": top_up_id, "currency": currency, "reason": reason});
    outbox::publish(session, &customer_id, kind, &payload, at);
    Ok(())
}

row! {
    /// What `recharge_begin` returns.
    pub struct BeginRow {
        /// Whether to charge.
        pub go: bool,
        /// The request: the provider's idempotency key.
        pub recharge_id: Uuid,
        /// The top-up that the payment must name.
        pub top_up_id: Uuid,
        /// The status of the request now.
        pub status: String,
        /// What to charge, in major units.
        pub amount: Decimal,
        /// The same in minor units as most providers count them; NULL if it is not a whole number of them.
        pub minor_units: Option<Decimal>,
        /// The payment currency's code.
        pub currency: String,
        /// In the worker's own format.
        pub payment_method: Option<String>,
        /// When it times out.
        pub expires_at: Time,
        /// Credits that it brings.
        pub credits: Decimal,
        /// Units of the price; NULL where it is bought by amount.
        pub quantity: Option<i32>,
    }
}

fn unknown(recharge_id: Uuid) -> Error {
    Error::TopUpNotOpen { subject: "recharge", id: recharge_id.to_string() }
}

static OF_REQUEST: Statement = Statement::new(
    c"SELECT currency, top_up_id FROM credits_internal.recharges WHERE customer_id = $1 AND recharge_id = $2",
    &[TEXTOID, UUIDOID],
);

static BEGIN: Statement = Statement::new(
    c"UPDATE credits_internal.recharges r SET status = 'processing', started_at = coalesce(r.started_at, $3)
      WHERE r.customer_id = $1 AND r.recharge_id = $2 AND r.status IN ('requested', 'processing') AND r.expires_at > $3
      RETURNING 1",
    &[TEXTOID, UUIDOID, TIMESTAMPTZOID],
);

static AS_IT_IS: Statement = Statement::new(
    c"SELECT top_up_id, status, amount, price_currency, payment_method, expires_at, credits, quantity
      FROM credits_internal.recharges WHERE customer_id = $1 AND recharge_id = $2",
    &[TEXTOID, UUIDOID],
)
.before(
    c"SELECT top_up_id, status, amount, price_currency, payment_method, expires_at, credits, NULL::integer
      FROM credits_internal.recharges WHERE customer_id = $1 AND recharge_id = $2",
);

/// `credits.recharge_begin`. Raises PC013, PC014.
#[pg_extern(sql = false)]
fn recharge_begin(customer_id: Option<&str>, recharge_id: Option<Id>) -> Reply<One<BeginRow>> {
    Reply((|| {
        let customer_id = input::key("customer_id", customer_id)?;
        let id = input::required("recharge_id", recharge_id)?.0;
        writing(|session| {
            let (currency, top_up_id): (String, Uuid) =
                match OF_REQUEST.run(session, &[customer_id.cell(), id.cell()])?.first() {
                    Some(mut row) => (row.next()?, row.next()?),
                    None => return Err(unknown(id)),
                };
            // Its payment intent begins with this, and is locked before the account.
            let mut case = case::alone(session, customer_id, top_up_id, settings::now()?)?;
            // Under its account's lock, as canceling and timing out are.
            let book = account::open_existing(session, customer_id, &currency, settings::now()?)?;
            let at = book.posted_at;
            // Limits may have been lowered since it was made.
            account::evaluate_again(session, book)?;
            let book = account::open_existing(session, customer_id, &currency, at)?;
            let go = policy::may_charge(&state::read(session, &book)?.0)
                && BEGIN.run(session, &[customer_id.cell(), id.cell(), at.cell()])?.len() > 0;
            if go {
                attempt::begun(session, &mut case, id)?;
            }
            let rows = AS_IT_IS.run(session, &[customer_id.cell(), id.cell()])?;
            let mut row = rows.first().ok_or_else(|| unknown(id))?;
            let (top_up_id, status, amount): (Uuid, String, Decimal) = (row.next()?, row.next()?, row.next()?);
            let currency: String = row.next()?;
            let minor_units = money::to_minor(amount, Generic.minor_decimals(&currency));
            let (payment_method, expires_at) = (row.next()?, row.next()?);
            let (credits, quantity) = (row.next()?, row.next()?);
            Ok(One(BeginRow {
                go,
                recharge_id: id,
                top_up_id,
                status,
                amount,
                minor_units,
                currency,
                payment_method,
                expires_at,
                credits,
                quantity,
            }))
        })
    })())
}
