//! Payment links: a cart for whoever opens one, in a checkout session of their own. And the link with which a credit currency
//! is recharged, which follows its recharge configuration.

macro_rules! link {
    ($end:literal) => {
        text!(
            "SELECT l.payment_link_id, l.line_items::text, l.currency, l.after_completion::text,
                    l.allow_promotion_codes, l.archived_at IS NOT NULL, l.subscription_data::text
             FROM credits_internal.payment_links l WHERE ",
            $end
        )
    };
}

mod after;
mod open;
mod recharge;

use crate::address;
use crate::catalog::price::offer;
use crate::checkout::cart::{self, Item};
use crate::checkout::checkout_session::pricing::{self, Cart};
use crate::checkout::subscription_data::{self, SubscriptionData};
use crate::error::Error;
use crate::input;
use crate::input::key::{self, Inputs};
use crate::invoicing::collection;
use crate::ledger::currency;
use crate::moment::Time;
use crate::outbox::billing_event::{self, EventType};
use crate::pg::call::argument::Id;
use crate::pg::call::reply::{One, Reply, Value};
use crate::pg::statement::{Row, Session, Statement, text, writing};
use crate::pg::value::{Json, ToCell};
use crate::row;
use crate::settings;
use pgrx::pg_extern;
use pgrx::pg_sys::{BOOLOID, JSONBOID, TEXTOID, TIMESTAMPTZOID, UUIDOID};
use uuid::Uuid;

pub use recharge::RechargeLinks;

row! {
    /// A payment link as functions return it.
    pub struct LinkRow {
        /// Its id.
        pub payment_link_id: Uuid,
        /// What people call it.
        pub name: String,
        /// Whether it can be opened.
        pub active: bool,
        /// What is sold.
        pub line_items: Json,
        /// The currency of the amounts.
        pub currency: String,
        /// What the customer sees once it is paid.
        pub after_completion: Option<Json>,
        /// Whether customers may enter a code.
        pub allow_promotion_codes: bool,
        /// A name that programs find it by.
        pub lookup_key: Option<String>,
        /// Where it is opened.
        pub url: Option<String>,
        /// The application's own.
        pub metadata: Option<Json>,
        /// When it was created.
        pub created_at: Time,
        /// When it last changed.
        pub updated_at: Time,
        /// When it was archived.
        pub archived_at: Option<Time>,
        /// Whether this replays an earlier call.
        pub replayed: bool,
        /// 'payment' or 'subscription'.
        pub mode: String,
        /// What is said of the subscription that it begins.
        pub subscription_data: Option<Json>,
    } read
}

static FIND: Statement = Statement::new(
    c"SELECT l.payment_link_id, l.name, l.active, l.line_items, l.currency, l.after_completion, l.allow_promotion_codes,
             l.lookup_key, l.url, l.metadata, l.created_at, l.updated_at, l.archived_at, $2, l.mode, l.subscription_data
      FROM credits.payment_links l WHERE l.payment_link_id = $1",
    &[UUIDOID, BOOLOID],
);

fn find(session: &Session, id: Uuid, replayed: bool) -> Result<LinkRow, Error> {
    let rows = FIND.run(session, &[id.cell(), replayed.cell()])?;
    LinkRow::read(rows.first().ok_or_else(|| missing(&id.to_string()))?)
}

/// PC019.
fn missing(id: &str) -> Error {
    Error::ObjectNotFound { object: "payment_link", id: id.to_string() }
}

/// `credits_internal.payment_link_url`: where a link is opened; NULL where no page is configured.
#[pg_extern(sql = false)]
fn payment_link_url(payment_link_id: Option<Id>) -> Reply<Value<Option<String>>> {
    Reply((|| {
        let id = input::required("payment_link_id", payment_link_id)?.0;
        // What a view shows of all links cannot fail for a setting.
        let page = settings::checkout_url().unwrap_or_default();
        Ok(Value(page.map(|page| address::with_parameter(&page, "payment_link", &id.to_string()))))
    })())
}

/// What is said of a link.
struct Given<'a> {
    name: Option<&'a str>,
    line_items: Option<String>,
    currency: Option<&'a str>,
    after_completion: Option<String>,
    allow_promotion_codes: Option<bool>,
    lookup_key: Option<&'a str>,
    metadata: Option<Json>,
    subscription: Option<SubscriptionData>,
}

/// `credits.payment_link_create`. Raises PC002, PC007, PC008, PC013, PC015, PC019.
#[pg_extern(sql = false)]
#[allow(clippy::too_many_arguments)]
fn payment_link_create(
    name: Option<&str>,
    line_items: Option<Json>,
    currency: Option<&str>,
    after_completion: Option<Json>,
    lookup_key: Option<&str>,
    allow_promotion_codes: Option<bool>,
    metadata: Option<Json>,
    idempotency_key: Option<&str>,
    subscription_data: Option<Json>,
) -> Reply<One<LinkRow>> {
    Reply((|| {
        let key = input::optional_key("idempotency_key", idempotency_key)?;
        let given = Given {
            name: Some(input::key("name", name)?),
            line_items: Some(input::required("line_items", line_items)?.text()),
            currency,
            after_completion: after_completion.map(|given| given.text()),
            allow_promotion_codes,
            lookup_key: input::optional_key("lookup_key", lookup_key)?,
            metadata,
            subscription: subscription_data.map(|data| subscription_data::read(&data.text())).transpose()?,
        };
        writing(|session| given.create(session, key, settings::now()?)).map(One)
    })())
}

static INSERT: Statement = Statement::new(
    c"INSERT INTO credits_internal.payment_links (payment_link_id, name, line_items, currency, after_completion,
          allow_promotion_codes, lookup_key, metadata, created_at, updated_at, subscription_data)
      VALUES ($1, $2, $3::jsonb, $4, $5::jsonb, $6, $7, $8, $9, $9, $10::jsonb)
      ON CONFLICT (lookup_key) WHERE archived_at IS NULL DO NOTHING",
    &[UUIDOID, TEXTOID, TEXTOID, TEXTOID, TEXTOID, BOOLOID, TEXTOID, JSONBOID, TIMESTAMPTZOID, TEXTOID],
);

/// Checks what is sold: its prices are on sale, and in one currency, which is returned; with what is said of the subscription
/// that it begins, where one of them is recurring.
fn check(
    session: &Session,
    items: &[Item],
    currency: Option<&str>,
    (said, kept): (Option<&SubscriptionData>, Option<&SubscriptionData>),
    now: Time,
) -> Result<(String, Option<SubscriptionData>), Error> {
    let code = cart::currency_of(session, currency, items)?;
    let mut is_recurring = false;
    for item in items {
        is_recurring |= offer::find(session, item.price_id)?.recurring.is_some();
    }
    if said.is_some() && !is_recurring {
        return Err(Error::argument("subscription_data", "is for line_items with a recurring price"));
    }
    said.map_or(Ok(()), |data| data.check(now))?;
    let subscription = is_recurring.then(|| said.or(kept).cloned().unwrap_or_default());
    let cart = Cart {
        items,
        code: &code,
        decimals: currency::resolve(session, &code)?.decimals,
        tax_rate: None,
        subscription: subscription.as_ref(),
        collection_method: collection::AUTOMATIC,
        is_sold: false,
        begins: now,
    };
    pricing::price(session, &cart)?;
    cart::record_use(session, items)?;
    Ok((code, subscription))
}

fn written(data: Option<&SubscriptionData>) -> Option<String> {
    data.map(|data| data.value().to_string())
}

impl Given<'_> {
    fn create(&self, session: &Session, key: Option<&str>, now: Time) -> Result<LinkRow, Error> {
        self.after_completion.as_deref().map(after::check).transpose()?;
        let items = cart::read(session, self.line_items.as_deref().unwrap_or_default())?;
        let id = Uuid::now_v7();
        let inputs: Inputs = vec![
            ("name", self.name.map(String::from)),
            ("line_items", Some(cart::compared(&items))),
            ("currency", self.currency.map(String::from)),
            ("lookup_key", self.lookup_key.map(String::from)),
            ("subscription_data", self.subscription.as_ref().map(SubscriptionData::compared)),
        ];
        if let Some(first) = key::claim(session, key, "payment_link_create", id, &inputs, now)? {
            return find(session, first, true);
        }
        let (code, subscription) = check(session, &items, self.currency, (self.subscription.as_ref(), None), now)?;
        let cells = [
            id.cell(),
            self.name.cell(),
            cart::written(&items, None).cell(),
            code.cell(),
            self.after_completion.cell(),
            self.allow_promotion_codes.unwrap_or(false).cell(),
            self.lookup_key.cell(),
            self.metadata.cell(),
            now.cell(),
            written(subscription.as_ref()).cell(),
        ];
        if INSERT.run(session, &cells)?.written() == 0 {
            return Err(taken(self.lookup_key));
        }
        billing_event::record(session, EventType::PaymentLinkCreated, id, None, now)?;
        find(session, id, false)
    }

    fn update(&self, session: &Session, id: Uuid, now: Time) -> Result<LinkRow, Error> {
        self.after_completion.as_deref().map(after::check).transpose()?;
        let items = self.line_items.as_ref().map(|text| cart::read(session, text)).transpose()?;
        if let Some(items) = &items {
            items.iter().try_for_each(|item| offer::find(session, item.price_id).map(drop))?;
        }
        let there = lock(session, id)?;
        there.must_be_active()?;
        let items = match items {
            None if self.subscription.is_some() => Some(cart::stored(session, &there.line_items)?),
            items => items,
        };
        // What was said of a subscription goes with its prices.
        let said = (self.subscription.as_ref(), there.subscription.as_ref());
        let checked =
            items.as_ref().map(|items| check(session, items, Some(&there.currency), said, now)).transpose()?;
        let subscription = checked.map_or(there.subscription, |(_, subscription)| subscription);
        let updated = EventType::PaymentLinkUpdated;
        let before = billing_event::before(session, updated, id, None)?;
        let cells = [
            id.cell(),
            self.name.cell(),
            items.map(|items| cart::written(&items, None)).cell(),
            self.after_completion.cell(),
            self.allow_promotion_codes.cell(),
            self.lookup_key.cell(),
            self.metadata.cell(),
            now.cell(),
            written(subscription.as_ref()).cell(),
        ];
        if UPDATE.run(session, &cells)?.written() == 0 {
            return Err(taken(self.lookup_key));
        }
        billing_event::updated(session, updated, id, None, before, now)?;
        find(session, id, false)
    }
}

/// PC013.
fn taken(lookup_key: Option<&str>) -> Error {
    let key = lookup_key.unwrap_or_default();
    Error::argument("lookup_key", format!("must be of no other payment link that is active: {key} is"))
}

/// A link that is locked.
struct Link {
    id: Uuid,
    line_items: String,
    currency: String,
    after_completion: Option<String>,
    allow_promotion_codes: bool,
    is_archived: bool,
    subscription: Option<SubscriptionData>,
}

impl Link {
    fn read(mut row: Row<'_>) -> Result<Self, Error> {
        Ok(Link {
            id: row.next()?,
            line_items: row.next()?,
            currency: row.next()?,
            after_completion: row.next()?,
            allow_promotion_codes: row.next()?,
            is_archived: row.next()?,
            subscription: row.next::<Option<String>>()?.map(|text| subscription_data::stored(&text)).transpose()?,
        })
    }

    /// Raises PC020.
    fn must_be_active(&self) -> Result<(), Error> {
        match self.is_archived {
            true => Err(Error::StateConflict { object: "payment_link", id: self.id.to_string(), state: "archived" }),
            false => Ok(()),
        }
    }
}

static LOCK: Statement = Statement::new(link!("l.payment_link_id = $1 FOR NO KEY UPDATE"), &[UUIDOID]);

/// A link, locked until the transaction ends. Raises PC019.
fn lock(session: &Session, id: Uuid) -> Result<Link, Error> {
    LOCK.run(session, &[id.cell()])?.first().map_or_else(|| Err(missing(&id.to_string())), Link::read)
}

static UPDATE: Statement = Statement::new(
    c"UPDATE credits_internal.payment_links l
      SET name = coalesce($2, l.name), line_items = coalesce($3::jsonb, l.line_items),
          after_completion = coalesce($4::jsonb, l.after_completion),
          allow_promotion_codes = coalesce($5, l.allow_promotion_codes), lookup_key = coalesce($6, l.lookup_key),
          metadata = coalesce($7, l.metadata), updated_at = $8, subscription_data = $9::jsonb
      WHERE l.payment_link_id = $1
        AND NOT EXISTS (SELECT FROM credits_internal.payment_links o
                        WHERE o.lookup_key = $6 AND o.archived_at IS NULL AND o.payment_link_id <> $1)",
    &[UUIDOID, TEXTOID, TEXTOID, TEXTOID, BOOLOID, TEXTOID, JSONBOID, TIMESTAMPTZOID, TEXTOID],
);

/// `credits.payment_link_update`. Raises PC007, PC008, PC013, PC015, PC019, PC020.
#[pg_extern(sql = false)]
#[allow(clippy::too_many_arguments)]
fn payment_link_update(
    payment_link_id: Option<Id>,
    name: Option<&str>,
    line_items: Option<Json>,
    after_completion: Option<Json>,
    lookup_key: Option<&str>,
    allow_promotion_codes: Option<bool>,
    metadata: Option<Json>,
    subscription_data: Option<Json>,
) -> Reply<One<LinkRow>> {
    Reply((|| {
        let id = input::required("payment_link_id", payment_link_id)?.0;
        let given = Given {
            name: input::optional_key("name", name)?,
            line_items: line_items.map(|given| given.text()),
            currency: None,
            after_completion: after_completion.map(|given| given.text()),
            allow_promotion_codes,
            lookup_key: input::optional_key("lookup_key", lookup_key)?,
            metadata,
            subscription: subscription_data.map(|data| subscription_data::read(&data.text())).transpose()?,
        };
        writing(|session| given.update(session, id, settings::now()?)).map(One)
    })())
}

static ARCHIVE: Statement = Statement::new(
    c"UPDATE credits_internal.payment_links l SET archived_at = $2, updated_at = $2 WHERE l.payment_link_id = $1",
    &[UUIDOID, TIMESTAMPTZOID],
);

/// `credits.payment_link_archive`. Raises PC013, PC019.
#[pg_extern(sql = false)]
fn payment_link_archive(payment_link_id: Option<Id>) -> Reply<One<LinkRow>> {
    Reply((|| {
        let id = input::required("payment_link_id", payment_link_id)?.0;
        writing(|session| {
            let replayed = lock(session, id)?.is_archived;
            if !replayed {
                let (now, updated) = (settings::now()?, EventType::PaymentLinkUpdated);
                let before = billing_event::before(session, updated, id, None)?;
                ARCHIVE.run(session, &[id.cell(), now.cell()])?;
                billing_event::updated(session, updated, id, None, before, now)?;
            }
            find(session, id, replayed).map(One)
        })
    })())
}
