//! The plain way to add credits: a grant that never expires.

use crate::amount::Decimal;
use crate::input;
use crate::ledger::grant::terms::Given;
use crate::ledger::grant::{Request, perform};
use crate::pg::call::argument::Numeric;
use crate::pg::call::reply::{One, Reply};
use crate::pg::statement::writing;
use crate::pg::value::Json;
use crate::row;
use pgrx::pg_extern;
use uuid::Uuid;

row! {
    /// What `wallet_credit` returns.
    pub struct CreditRow {
        /// The grant that carries the credits.
        pub grant_id: Uuid,
        /// The currency's code.
        pub currency: String,
        /// Credits added.
        pub credited: Decimal,
        /// What a plain debit may take now.
        pub available: Decimal,
        /// Whether this replays an earlier call.
        pub replayed: bool,
    }
}

/// `credits.wallet_credit`. Raises PC002, PC007, PC008, PC013.
#[pg_extern(sql = false)]
fn wallet_credit(
    customer_id: Option<&str>,
    amount: Option<Numeric>,
    currency: Option<&str>,
    category: Option<&str>,
    idempotency_key: Option<&str>,
    description: Option<&str>,
    metadata: Option<Json>,
) -> Reply<One<CreditRow>> {
    let request = Request {
        function: "wallet_credit",
        customer_id,
        amount,
        currency,
        terms: Given { category, ..Given::default() },
        name: description,
        idempotency_key,
        metadata,
        ..Request::default()
    };
    Reply(writing(|session| {
        let customer_id = input::key("customer_id", request.customer_id)?;
        let granted = perform(session, customer_id, request)?;
        Ok(One(CreditRow {
            grant_id: granted.grant_id,
            currency: granted.currency,
            credited: granted.amount,
            available: granted.available,
            replayed: granted.replayed,
        }))
    }))
}
