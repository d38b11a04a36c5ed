//! Subscriptions whose plan the provider bills: it makes the invoices and asks for the money, and says of each what became of
//! it. Here they are recorded, and give what our own would: external/bill.rs. How the subscription stands is as the provider
//! says, judged by when it happened, whenever that arrives: external/standing.rs. What a change of items brings is worked out
//! as for our own, once the period that it is in is paid: external/changed.rs.
//!
//! Nothing of them is due by time.

mod begin;
mod bill;
mod changed;
pub mod reference;
mod standing;

pub use begin::Named;

use crate::error::Error;
use crate::invoicing::customer::{self, Customer};
use crate::moment::Time;
use crate::payments::listener::{Plans, Reported};
use crate::payments::payment_intent as intent;
use crate::payments::providers::plan::{Report, Says};
use crate::payments::webhook::may_come;
use crate::pg::statement::{Session, Statement};
use crate::pg::value::ToCell;
use crate::subscriptions::external::reference::Kind;
use crate::subscriptions::subscription::{self, Subscription};
use pgrx::pg_sys::{TEXTOID, TIMESTAMPTZOID, UUIDOID};
use uuid::Uuid;

/// How what the provider bills is collected.
const EXTERNAL: &str = "external";

impl Subscription {
    /// Whether the provider bills it.
    pub fn is_external(&self) -> bool {
        self.collection_method == EXTERNAL
    }

    /// Raises PC020 for what is to be done at the provider that bills it.
    pub fn must_be_own(&self) -> Result<(), Error> {
        let state = "billed by its provider";
        match self.is_external() {
            true => Err(Error::StateConflict { object: "subscription", id: self.id.to_string(), state }),
            false => Ok(()),
        }
    }
}

/// Signed up in lib.rs.
pub struct Provided;

impl Plans for Provided {
    fn reported(&self, session: &Session, provider: &str, report: &Report, now: Time) -> Result<Reported, Error> {
        if let Says::PaidBy { invoice, payment } = &report.says {
            return bill::paid_by(session, provider, (invoice, payment), now);
        }
        let which = match find(session, provider, report)? {
            Found::It(which) => which,
            Found::OtherCustomer(customer_id) => return Ok(Reported::OtherCustomer(customer_id)),
            Found::OtherProvider((customer_id, id)) => {
                let why = "it names a subscription that another provider bills: nothing is done";
                return Ok(contradiction(session, provider, (&customer_id, id), (report, why), now));
            }
            Found::None => match &report.says {
                Says::Stands(standing) => match begin::begin(session, provider, (report, standing), now)? {
                    Some(which) => which,
                    None => return Ok(Reported::Unknown),
                },
                _ => return Ok(Reported::Unknown),
            },
        };
        let which = (which.0.as_str(), which.1);
        let at = report.at.unwrap_or(now);
        // First: whoever else is told of it waits for the name.
        if let Some(name) = &report.subscription {
            let owner = reference::claim(session, provider, (Kind::Subscription, name), Some(which.0), which.1, now)?;
            if owner != which.1 && report.subscription_id.is_none() && report.pair.is_some() {
                // The same customer has the same plan again: which is not said yet.
                return Ok(Reported::Unknown);
            }
            if owner != which.1 {
                let why = "it names a subscription that another of the provider's pays for: nothing is done";
                return Ok(contradiction(session, provider, which, (report, why), now));
            }
        }
        if let (Says::Paid(_), Some(pair)) = (&report.says, &report.pair) {
            reference::take(session, provider, (Kind::Pair, pair), Some(which.0), which.1, now)?;
        }
        match &report.says {
            Says::Stands(standing) => standing::stands(session, provider, which, (report, standing, at), now),
            Says::Paid(paid) => bill::paid(session, provider, which, (report, paid, at), now),
            Says::Failed => standing::failed(session, which, at, now),
            Says::PaidBy { .. } => Ok(Reported::Unknown),
        }
    }
}

/// Whose it is.
enum Found {
    It((String, Uuid)),
    OtherCustomer(String),
    OtherProvider((String, Uuid)),
    None,
}

static BY_ID: Statement = Statement::new(
    c"SELECT s.customer_id, s.collection_method = 'external', s.provider FROM credits_internal.subscriptions s
      WHERE s.subscription_id = $1 LIMIT 1",
    &[UUIDOID],
)
.before(c"SELECT NULL::text, false, NULL::text WHERE num_nonnulls($1) < 0");

/// The subscription that is reported of: that of the provider's name, of our own id in the metadata, or of the customer and the
/// plan that it began with. Raises PC014 for an id that may come.
fn find(session: &Session, provider: &str, report: &Report) -> Result<Found, Error> {
    if let Some(name) = &report.subscription
        && let Some((Some(customer_id), id)) = reference::find(session, provider, Kind::Subscription, name)?
    {
        return Ok(Found::It((customer_id, id)));
    }
    let Some(id) = report.subscription_id.as_deref().and_then(|id| Uuid::parse_str(id).ok()) else {
        let by_pair =
            report.pair.as_ref().map(|pair| reference::find(session, provider, Kind::Pair, pair)).transpose()?;
        return Ok(match by_pair.flatten() {
            Some((Some(customer_id), id)) => Found::It((customer_id, id)),
            _ => Found::None,
        });
    };
    let rows = BY_ID.run(session, &[id.cell()])?;
    match rows.first() {
        Some(mut row) => {
            let (customer_id, is_external): (String, bool) = (row.next()?, row.next()?);
            let billed_by: Option<String> = row.next()?;
            let is_other = report.customer_id.as_ref().is_some_and(|named| *named != customer_id);
            Ok(match (is_other, is_external) {
                (true, _) => Found::OtherCustomer(customer_id),
                (false, true) if billed_by.as_deref() != Some(provider) => Found::OtherProvider((customer_id, id)),
                (false, true) => Found::It((customer_id, id)),
                // It is billed here.
                (false, false) => Found::None,
            })
        }
        None if report.customer_id.is_some() && may_come(id) => Err(intent::unknown(id)),
        None => Ok(Found::None),
    }
}

/// A subscription, locked with its customer.
fn open(session: &Session, (customer_id, id): (&str, Uuid)) -> Result<(Customer, Subscription, Told), Error> {
    let customer = customer::lock(session, customer_id)?;
    let there = subscription::lock(session, customer_id, id)?;
    let told = Told::read(session, &there)?;
    Ok((customer, there, told))
}

static TOLD: Statement = Statement::new(
    c"SELECT s.reported_at, s.status_at,
             EXISTS (SELECT FROM credits_internal.subscription_periods p
                     WHERE p.customer_id = s.customer_id AND p.subscription_id = s.subscription_id)
      FROM credits_internal.subscriptions s WHERE s.customer_id = $1 AND s.subscription_id = $2",
    &[TEXTOID, UUIDOID],
);
static TELL: Statement = Statement::new(
    c"UPDATE credits_internal.subscriptions s
      SET provider = $3, provider_reference = coalesce(s.provider_reference, $4), reported_at = $5, status_at = $6
      WHERE s.customer_id = $1 AND s.subscription_id = $2",
    &[TEXTOID, UUIDOID, TEXTOID, TEXTOID, TIMESTAMPTZOID, TIMESTAMPTZOID],
);

/// How far the provider has told of one.
struct Told {
    /// As of when it last said all of it.
    all_at: Option<Time>,
    /// As of when it last said, of anything, what that makes of its status.
    status_at: Option<Time>,
    /// Whether a period of it is recorded.
    has_period: bool,
}

impl Told {
    fn read(session: &Session, there: &Subscription) -> Result<Self, Error> {
        let rows = TOLD.run(session, &[there.customer_id.cell(), there.id.cell()])?;
        let mut row = rows.first().ok_or_else(|| Error::internal("a subscription that is locked is not there"))?;
        Ok(Told { all_at: row.next()?, status_at: row.next()?, has_period: row.next()? })
    }

    fn save(&self, session: &Session, there: &Subscription, provider: &str, report: &Report) -> Result<(), Error> {
        let cells = [
            there.customer_id.cell(),
            there.id.cell(),
            provider.cell(),
            report.subscription.cell(),
            self.all_at.cell(),
            self.status_at.cell(),
        ];
        TELL.run(session, &cells).map(drop)
    }
}

/// What does not fit is published.
fn contradiction(
    session: &Session,
    provider: &str,
    (customer_id, id): (&str, Uuid),
    (report, why): (&Report, &str),
    now: Time,
) -> Reported {
    let payload = serde_json::json!({
        "subscription_id": id,
        "provider": provider,
        "provider_reference": report.subscription,
        "contradiction": why,
    });
    crate::outbox::publish(session, customer_id, "subscription.contradiction", &payload, now);
    Reported::Contradiction(customer_id.to_string(), None)
}
