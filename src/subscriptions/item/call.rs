//! Items one by one: each call is an update of their subscription by one item.

use crate::amount::{self, Decimal};
use crate::catalog::price::offer;
use crate::error::Error;
use crate::input;
use crate::invoicing::invoice;
use crate::ledger::engine::operation::{self, Begun, Texts};
use crate::moment::Time;
use crate::pg::call::argument::{Id, Numeric};
use crate::pg::call::reply::{One, Reply};
use crate::pg::statement::{Session, Statement, writing};
use crate::pg::value::{Json, ToCell};
use crate::row;
use crate::settings;
use crate::subscriptions::advance;
use crate::subscriptions::item::{self, Given};
use crate::subscriptions::subscription;
use crate::subscriptions::subscription::update::{self, Asked};
use pgrx::pg_extern;
use pgrx::pg_sys::{BOOLOID, TEXTOID, UUIDOID};
use uuid::Uuid;

row! {
    /// An item as functions return it.
    pub struct ItemRow {
        /// Whose.
        pub customer_id: String,
        /// Its id.
        pub subscription_item_id: Uuid,
        /// Its subscription.
        pub subscription_id: Uuid,
        /// The price.
        pub price_id: Uuid,
        /// The price's product.
        pub product_id: Option<Uuid>,
        /// How many; `None` where usage says so.
        pub quantity: Option<Decimal>,
        /// The application's own.
        pub metadata: Option<Json>,
        /// When it was added.
        pub created_at: Time,
        /// When it last changed.
        pub updated_at: Time,
        /// When it was removed.
        pub removed_at: Option<Time>,
        /// Whether this replays an earlier call.
        pub replayed: bool,
    } read
}

static FIND: Statement = Statement::new(
    c"SELECT i.customer_id, i.subscription_item_id, i.subscription_id, i.price_id, i.product_id, i.quantity, i.metadata,
             i.created_at, i.updated_at, i.removed_at, $3
      FROM credits.subscription_items i WHERE i.customer_id = $1 AND i.subscription_item_id = $2",
    &[TEXTOID, UUIDOID, BOOLOID],
);

/// An item as it stands, or stood when it was removed. Raises PC019.
fn find(session: &Session, customer_id: &str, id: Uuid, replayed: bool) -> Result<ItemRow, Error> {
    let rows = FIND.run(session, &[customer_id.cell(), id.cell(), replayed.cell()])?;
    ItemRow::read(rows.first().ok_or_else(|| missing(id))?)
}

/// PC019.
fn missing(id: Uuid) -> Error {
    Error::ObjectNotFound { object: "subscription_item", id: id.to_string() }
}

/// What a caller says of one item.
struct Said<'a> {
    price_id: Option<Uuid>,
    lookup_key: Option<&'a str>,
    quantity: Option<Decimal>,
    metadata: Option<String>,
}

impl<'a> Said<'a> {
    /// Raises PC013.
    fn read(
        price_id: Option<Id>,
        lookup_key: Option<&'a str>,
        quantity: Option<Numeric>,
        metadata: Option<Json>,
    ) -> Result<Self, Error> {
        if price_id.is_some() && lookup_key.is_some() {
            return Err(Error::argument("lookup_key", "or price_id is to be given, not both"));
        }
        Ok(Said {
            price_id: price_id.map(|id| id.0),
            lookup_key: input::optional_key("lookup_key", lookup_key)?,
            quantity: input::optional_number("quantity", quantity, amount::over_zero)?,
            metadata: metadata.map(|metadata| metadata.text()),
        })
    }

    /// As one of the items of an update. Raises PC015.
    fn given(&self, session: &Session, id: Option<Uuid>, new_id: Uuid) -> Result<Given, Error> {
        let by_key = self.lookup_key.map(|key| offer::id_of(session, key)).transpose()?;
        let (quantity, metadata) = (self.quantity, self.metadata.clone());
        Ok(Given { id, new_id, price_id: self.price_id.or(by_key), quantity, metadata, is_deleted: false })
    }
}

/// `credits.subscription_item_create`. Raises PC001, PC002, PC003, PC007, PC013, PC015, PC019, PC020, PC021.
#[pg_extern(sql = false)]
#[allow(clippy::too_many_arguments)]
fn subscription_item_create(
    customer_id: Option<&str>,
    subscription_id: Option<Id>,
    price_id: Option<Id>,
    lookup_key: Option<&str>,
    quantity: Option<Numeric>,
    metadata: Option<Json>,
    proration_behavior: Option<&str>,
    credits: Option<&str>,
    idempotency_key: Option<&str>,
) -> Reply<One<ItemRow>> {
    Reply((|| {
        let asked = Asked::read(customer_id, subscription_id, proration_behavior, credits)?;
        let said = Said::read(price_id, lookup_key, quantity, metadata)?;
        let key = input::optional_key("idempotency_key", idempotency_key)?;
        if said.price_id.is_none() && said.lookup_key.is_none() {
            return Err(Error::argument("price_id", "or lookup_key must be given"));
        }
        let now = settings::now()?;
        writing(|session| create(session, &asked, &said, key, now)).map(One)
    })())
}

fn create(
    session: &Session,
    asked: &Asked<'_>,
    said: &Said<'_>,
    key: Option<&str>,
    now: Time,
) -> Result<ItemRow, Error> {
    let (customer_id, id) = (asked.customer_id, Uuid::now_v7());
    let judge = || {
        let (customer, there) = advance::open(session, customer_id, asked.id, now)?;
        let given = |session: &Session| Ok(vec![said.given(session, None, id)?]);
        let worked = update::work_out(session, &there, asked, given, now)?;
        Ok((customer, there, worked))
    };
    let (customer, mut there, worked) = match key {
        None => judge()?,
        Some(_) => {
            let found = subscription::find(session, customer_id, asked.id, false)?;
            let price = said.given(session, None, id)?.price_id.map(|id| id.to_string()).unwrap_or_default();
            let quantity = said.quantity.unwrap_or(Decimal::ONE).normalize();
            let what = format!("{quantity} of price {price} for subscription {}", asked.id);
            let call = invoice::operation("subscription_item_create", id, &found.currency, Decimal::ZERO, what);
            match operation::begin(session, customer_id, &call, key, &Texts::default(), now, judge)? {
                Begun::First(judged) => judged,
                Begun::Replay(first) => return find(session, customer_id, first.operation_id, true),
            }
        }
    };
    let before = update::before(session, &there)?;
    let is_upgrade = worked.is_upgrade;
    update::change_items(session, &customer, &mut there, worked, now)?;
    update::changed(session, &there, (before, is_upgrade), now)?;
    find(session, customer_id, id, false)
}

/// `credits.subscription_item_update`. Raises PC001, PC003, PC007, PC013, PC015, PC019, PC020, PC021.
#[pg_extern(sql = false)]
#[allow(clippy::too_many_arguments)]
fn subscription_item_update(
    customer_id: Option<&str>,
    subscription_item_id: Option<Id>,
    price_id: Option<Id>,
    lookup_key: Option<&str>,
    quantity: Option<Numeric>,
    metadata: Option<Json>,
    proration_behavior: Option<&str>,
    credits: Option<&str>,
) -> Reply<One<ItemRow>> {
    Reply((|| {
        let customer_id = input::key("customer_id", customer_id)?;
        let id = input::required("subscription_item_id", subscription_item_id)?.0;
        let said = Said::read(price_id, lookup_key, quantity, metadata)?;
        let now = settings::now()?;
        writing(|session| {
            let of = find(session, customer_id, id, false)?.subscription_id;
            let asked = Asked::read(Some(customer_id), Some(Id(of)), proration_behavior, credits)?;
            let given = |session: &Session| Ok(vec![said.given(session, Some(id), id)?]);
            change(session, &asked, given, now)?;
            find(session, customer_id, id, false).map(One)
        })
    })())
}

/// `credits.subscription_item_delete`. Raises PC003, PC007, PC013, PC019, PC020.
#[pg_extern(sql = false)]
fn subscription_item_delete(
    customer_id: Option<&str>,
    subscription_item_id: Option<Id>,
    proration_behavior: Option<&str>,
    credits: Option<&str>,
) -> Reply<One<ItemRow>> {
    Reply((|| {
        let customer_id = input::key("customer_id", customer_id)?;
        let id = input::required("subscription_item_id", subscription_item_id)?.0;
        let now = settings::now()?;
        writing(|session| {
            let of = find(session, customer_id, id, false)?.subscription_id;
            let asked = Asked::read(Some(customer_id), Some(Id(of)), proration_behavior, credits)?;
            let gone =
                Given { id: Some(id), new_id: id, price_id: None, quantity: None, metadata: None, is_deleted: true };
            advance::open(session, customer_id, of, now)?;
            // Another session may have removed it while this one waited.
            let replayed = find(session, customer_id, id, true)?.removed_at.is_some();
            if !replayed {
                let others = item::of(session, customer_id, of)?;
                if others.iter().all(|item| item.id == id) {
                    let (object, id) = ("subscription_item", id.to_string());
                    return Err(Error::StateConflict { object, id, state: "the last one of its subscription" });
                }
                change(session, &asked, |_| Ok(vec![gone]), now)?;
            }
            find(session, customer_id, id, replayed).map(One)
        })
    })())
}

/// Changes a subscription by one item.
fn change(
    session: &Session,
    asked: &Asked<'_>,
    given: impl FnOnce(&Session) -> Result<Vec<Given>, Error>,
    now: Time,
) -> Result<(), Error> {
    let (customer, mut there) = advance::open(session, asked.customer_id, asked.id, now)?;
    let worked = update::work_out(session, &there, asked, given, now)?;
    let (before, is_upgrade) = (update::before(session, &there)?, worked.is_upgrade);
    update::change_items(session, &customer, &mut there, worked, now)?;
    update::changed(session, &there, (before, is_upgrade), now)
}
