//! What a provider that bills plans calls things: its subscriptions, their items, its prices and invoices. Each is claimed
//! before anything is locked, so that one of them pays for one thing.

use crate::catalog::price::offer::Offer;
use crate::error::Error;
use crate::moment::Time;
use crate::payments::providers::plan::Price;
use crate::pg::statement::{Session, Statement};
use crate::pg::value::ToCell;
use crate::subscriptions::item;
use pgrx::pg_sys::{TEXTOID, TIMESTAMPTZOID, UUIDOID};
use uuid::Uuid;

/// What has a name there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A subscription of ours.
    Subscription,
    /// An item of one.
    Item,
    /// An invoice of ours.
    Invoice,
    /// A payment intent of ours, by another name of its payment.
    Payment,
    /// A price of ours.
    Price,
    /// A subscription of ours, by the customer and the plan that it begins with.
    Pair,
}

impl Kind {
    fn as_str(self) -> &'static str {
        match self {
            Kind::Subscription => "subscription",
            Kind::Item => "item",
            Kind::Invoice => "invoice",
            Kind::Payment => "payment",
            Kind::Price => "price",
            Kind::Pair => "pair",
        }
    }
}

static FIND: Statement = Statement::new(
    c"SELECT r.customer_id, r.object_id FROM credits_internal.plan_references r
      WHERE r.provider = $1 AND r.kind = $2 AND r.reference = $3",
    &[TEXTOID, TEXTOID, TEXTOID],
)
.before(c"SELECT NULL::text, NULL::uuid WHERE num_nonnulls($1, $2, $3) < 0");

/// Whose and which it is, where that is known.
pub fn find(
    session: &Session,
    provider: &str,
    kind: Kind,
    reference: &str,
) -> Result<Option<(Option<String>, Uuid)>, Error> {
    let rows = FIND.run(session, &[provider.cell(), kind.as_str().cell(), reference.cell()])?;
    rows.first().map(|mut row| Ok((row.next()?, row.next()?))).transpose()
}

static CLAIM: Statement = Statement::new(
    c"INSERT INTO credits_internal.plan_references (provider, kind, reference, customer_id, object_id, created_at)
      VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING",
    &[TEXTOID, TEXTOID, TEXTOID, TEXTOID, UUIDOID, TIMESTAMPTZOID],
);

// A subscription has one name.
static OTHER: Statement = Statement::new(
    c"SELECT 1 FROM credits_internal.subscriptions s
      WHERE s.customer_id = $1 AND s.subscription_id = $2 AND (s.provider, s.provider_reference) <> ($3, $4)",
    &[TEXTOID, UUIDOID, TEXTOID, TEXTOID],
);

/// Claims a name for something, unless it is another's, or that has another name; whose it is then, nobody's in that case.
/// Waits for whoever is claiming it.
pub fn claim(
    session: &Session,
    provider: &str,
    (kind, reference): (Kind, &str),
    customer_id: Option<&str>,
    id: Uuid,
    now: Time,
) -> Result<Uuid, Error> {
    if let Some((_, owner)) = find(session, provider, kind, reference)? {
        return Ok(owner);
    }
    if kind == Kind::Subscription
        && OTHER.run(session, &[customer_id.cell(), id.cell(), provider.cell(), reference.cell()])?.len() > 0
    {
        return Ok(Uuid::nil());
    }
    let cells = [provider.cell(), kind.as_str().cell(), reference.cell(), customer_id.cell(), id.cell(), now.cell()];
    CLAIM.run(session, &cells)?;
    match find(session, provider, kind, reference)? {
        Some((_, owner)) => Ok(owner),
        // It got another name in this moment.
        None if kind == Kind::Subscription => Ok(Uuid::nil()),
        None => Err(Error::internal("a name that was claimed is not there")),
    }
}

// A recurring price whose quantity is agreed: usage of a metered one would be invoiced here.
static BY_LOOKUP_KEY: Statement = Statement::new(
    c"SELECT p.price_id FROM credits_internal.prices p
      WHERE p.lookup_key = $1 AND p.archived_at IS NULL AND p.recurring->>'usage_type' <> 'metered'",
    &[TEXTOID],
)
.before(c"SELECT NULL::uuid WHERE num_nonnulls($1) < 0");
static BY_ID: Statement = Statement::new(
    c"SELECT p.price_id FROM credits_internal.prices p
      WHERE p.price_id = $1 AND p.recurring->>'usage_type' <> 'metered'",
    &[UUIDOID],
)
.before(c"SELECT NULL::uuid WHERE num_nonnulls($1) < 0");

static NAMES_NOW: Statement = Statement::new(
    c"UPDATE credits_internal.plan_references r SET customer_id = $4, object_id = $5
      WHERE r.provider = $1 AND r.kind = $2 AND r.reference = $3",
    &[TEXTOID, TEXTOID, TEXTOID, TEXTOID, UUIDOID],
);

/// A name is this one's from now on, whoever's it was.
pub fn take(
    session: &Session,
    provider: &str,
    (kind, reference): (Kind, &str),
    customer_id: Option<&str>,
    id: Uuid,
    now: Time,
) -> Result<(), Error> {
    if claim(session, provider, (kind, reference), customer_id, id, now)? != id {
        let cells = [provider.cell(), kind.as_str().cell(), reference.cell(), customer_id.cell(), id.cell()];
        NAMES_NOW.run(session, &cells)?;
    }
    Ok(())
}

/// Our price for one of the provider's: that which its metadata name, or that has its lookup key, or its id as a lookup key;
/// or the one that it was known by before.
pub fn price(session: &Session, provider: &str, named: &Price, now: Time) -> Result<Option<Uuid>, Error> {
    let by_id = |id: Uuid| BY_ID.run(session, &[id.cell()])?.first().map(|mut row| row.next()).transpose();
    let mut found: Option<Uuid> = match named.price_id.as_deref().and_then(|id| Uuid::parse_str(id).ok()) {
        Some(id) => by_id(id)?,
        None => None,
    };
    if found.is_none()
        && let Some(id) = &named.id
        && let Some((_, known)) = find(session, provider, Kind::Price, id)?
    {
        // Unless it was deleted.
        found = by_id(known)?;
    }
    for key in [&named.lookup_key, &named.id].into_iter().flatten() {
        if found.is_none() {
            found = BY_LOOKUP_KEY.run(session, &[key.cell()])?.first().map(|mut row| row.next()).transpose()?;
        }
    }
    if let (Some(price_id), Some(id)) = (found, &named.id) {
        // Invoices say the id alone.
        take(session, provider, (Kind::Price, id), None, price_id, now)?;
    }
    Ok(found)
}

/// A price as it is sold by subscription; `None` for one that is not.
pub fn offer(session: &Session, price_id: Uuid) -> Result<Option<Offer>, Error> {
    match item::offer(session, price_id, false) {
        // Credits are taken from wallets here.
        Ok(offer) => Ok(Some(offer).filter(|offer| offer.is_money)),
        Err(Error::InvalidArgument { .. } | Error::PriceNotFound { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}
