//! Opening a link: a customer gets a checkout session with what is sold there.

use crate::checkout::cart;
use crate::checkout::checkout_session::SessionRow;
use crate::checkout::checkout_session::create::{self, New, ends};
use crate::checkout::payment_link::{Link, after, missing};
use crate::error::Error;
use crate::input;
use crate::invoicing::collection;
use crate::pg::call::argument::{Id, Timestamptz};
use crate::pg::call::reply::{One, Reply};
use crate::pg::statement::{Session, Statement, text, writing};
use crate::pg::value::{Json, ToCell};
use crate::settings;
use pgrx::pg_extern;
use pgrx::pg_sys::{TEXTOID, UUIDOID};
use uuid::Uuid;

static FIND: Statement = Statement::new(link!("l.payment_link_id = $1"), &[UUIDOID]);
static FIND_BY_KEY: Statement = Statement::new(link!("l.lookup_key = $1 AND l.archived_at IS NULL"), &[TEXTOID]);

/// A link by its id or its lookup key. Raises PC013, PC019.
fn find(session: &Session, id: Option<Uuid>, lookup_key: Option<&str>) -> Result<Link, Error> {
    let (rows, named) = match (id, lookup_key) {
        (Some(id), None) => (FIND.run(session, &[id.cell()])?, id.to_string()),
        (None, Some(key)) => (FIND_BY_KEY.run(session, &[key.cell()])?, key.to_string()),
        (Some(_), Some(_)) => {
            return Err(Error::argument("lookup_key", "or payment_link_id is to be given, not both"));
        }
        (None, None) => return Err(Error::missing("payment_link_id")),
    };
    rows.first().map_or_else(|| Err(missing(&named)), Link::read)
}

/// `credits.payment_link_open`. Raises PC002, PC007, PC008, PC013, PC015, PC018, PC019, PC020.
#[pg_extern(sql = false)]
#[allow(clippy::too_many_arguments)]
fn payment_link_open(
    customer_id: Option<&str>,
    payment_link_id: Option<Id>,
    lookup_key: Option<&str>,
    quantities: Option<Json>,
    success_url: Option<&str>,
    cancel_url: Option<&str>,
    client_reference_id: Option<&str>,
    expires_at: Option<Timestamptz>,
    collection_method: Option<&str>,
    metadata: Option<Json>,
    idempotency_key: Option<&str>,
) -> Reply<One<SessionRow>> {
    Reply((|| {
        let customer_id = input::key("customer_id", customer_id)?;
        let lookup_key = input::optional_key("lookup_key", lookup_key)?;
        let key = input::optional_key("idempotency_key", idempotency_key)?;
        let now = settings::now()?;
        writing(|session| {
            let link = find(session, payment_link_id.map(|id| id.0), lookup_key)?;
            link.must_be_active()?;
            let mut items = cart::stored(session, &link.line_items)?;
            if let Some(quantities) = &quantities {
                cart::adjust(session, &mut items, &quantities.text())?;
            }
            let done = after::redirect(link.after_completion.as_deref());
            let new = New {
                items,
                currency: Some(&link.currency),
                discount: None,
                allow_promotion_codes: link.allow_promotion_codes,
                success_url: input::web_address("success_url", success_url)?.or(done.as_deref()),
                cancel_url: input::web_address("cancel_url", cancel_url)?,
                client_reference_id: input::optional_key("client_reference_id", client_reference_id)?,
                expires_at: ends("expires_at", expires_at, now)?,
                tax_rate: None,
                collection_method: collection::method(collection_method)?,
                provider: None,
                subscription: link.subscription.clone(),
                payment_link_id: Some(link.id),
                metadata,
            };
            create::create(session, ("payment_link_open", customer_id), &new, key, now).map(One)
        })
    })())
}
