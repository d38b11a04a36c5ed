//! Whose a provider's payment, refund or dispute is: claimed before anything is locked, so that one pays, or takes back, one
//! purchase, whatever is reported of it and in whatever moment.

use crate::error::Error;
use crate::moment::Time;
use crate::payments::reckoning::Kind;
use crate::pg::statement::{Row, Session, Statement};
use crate::pg::value::ToCell;
use pgrx::pg_sys::{TEXTOID, TIMESTAMPTZOID, UUIDOID};
use uuid::Uuid;

/// What has names of its own with a provider: some count payments, refunds and disputes each from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Thing {
    /// Money that comes, or does not.
    Payment,
    /// Money that goes back.
    Refund,
    /// Money that may go back.
    Dispute,
}

impl Thing {
    /// What a notification of that kind is of.
    pub fn of(kind: Kind) -> Self {
        match kind {
            Kind::Succeeded | Kind::Failed | Kind::Expired | Kind::Processing | Kind::RequiresAction => Thing::Payment,
            Kind::Refunded | Kind::RefundFailed => Thing::Refund,
            Kind::Disputed | Kind::DisputeWon | Kind::DisputeLost => Thing::Dispute,
        }
    }

    /// The name in SQL.
    pub fn as_str(self) -> &'static str {
        match self {
            Thing::Payment => "payment",
            Thing::Refund => "refund",
            Thing::Dispute => "dispute",
        }
    }
}

/// A customer's payment intent.
pub type Owner = (String, Uuid);

static OWNER: Statement = Statement::new(
    c"SELECT customer_id, top_up_id FROM credits_internal.payment_references WHERE provider = $1 AND kind = $2
      AND reference = $3",
    &[TEXTOID, TEXTOID, TEXTOID],
);

/// Whose it is, where anybody's.
pub fn owner(session: &Session, thing: Thing, provider: &str, reference: &str) -> Result<Option<Owner>, Error> {
    let read = |mut row: Row<'_>| Ok((row.next()?, row.next()?));
    OWNER.run(session, &[provider.cell(), thing.as_str().cell(), reference.cell()])?.first().map(read).transpose()
}

static CLAIM: Statement = Statement::new(
    c"INSERT INTO credits_internal.payment_references (provider, kind, reference, customer_id, top_up_id, created_at)
      VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING",
    &[TEXTOID, TEXTOID, TEXTOID, TEXTOID, UUIDOID, TIMESTAMPTZOID],
);

/// Claims it for a payment intent, unless it is somebody's; whose it is then. Waits for whoever is claiming it.
pub fn claim(
    session: &Session,
    (thing, provider, reference): (Thing, &str, &str),
    (customer_id, top_up_id): (&str, Uuid),
    now: Time,
) -> Result<Option<Owner>, Error> {
    let known = owner(session, thing, provider, reference)?;
    if known.is_some() {
        return Ok(known);
    }
    CLAIM.run(
        session,
        &[provider.cell(), thing.as_str().cell(), reference.cell(), customer_id.cell(), top_up_id.cell(), now.cell()],
    )?;
    owner(session, thing, provider, reference)
}
