//! Whose a provider's payment, refund or dispute is: claimed before anything is locked, so that one pays, or takes back, one
//! purchase, whatever is told of it and in whatever moment.

use crate::clock::Time;
use crate::error::Error;
use crate::pg::statement::{Row, Session, Statement};
use crate::pg::value::ToCell;
use pgrx::pg_sys::{TEXTOID, TIMESTAMPTZOID, UUIDOID};
use uuid::Uuid;

/// A customer's top-up.
pub type Owner = (String, Uuid);

static OWNER: Statement = Statement::new(
    c"SELECT customer_id, top_up_id FROM credits.payment_references WHERE provider = $1 AND reference = $2",
    &[TEXTOID, TEXTOID],
);

/// Whose it is, where anybody's.
pub fn owner(session: &Session, provider: &str, reference: &str) -> Result<Option<Owner>, Error> {
    let read = |mut row: Row<'_>| Ok((row.next()?, row.next()?));
    OWNER.run(session, &[provider.cell(), reference.cell()])?.first().map(read).transpose()
}

static CLAIM: Statement = Statement::new(
    c"INSERT INTO credits.payment_references (provider, reference, customer_id, top_up_id, created_at)
      VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING",
    &[TEXTOID, TEXTOID, TEXTOID, UUIDOID, TIMESTAMPTZOID],
);

/// Claims it for a top-up, unless it is somebody's; whose it is then. Waits for whoever is claiming it.
pub fn claim(
    session: &Session,
    (provider, reference): (&str, &str),
    (customer_id, top_up_id): (&str, Uuid),
    now: Time,
) -> Result<Option<Owner>, Error> {
    let known = owner(session, provider, reference)?;
    if known.is_some() {
        return Ok(known);
    }
    CLAIM.run(session, &[provider.cell(), reference.cell(), customer_id.cell(), top_up_id.cell(), now.cell()])?;
    owner(session, provider, reference)
}
