//! What a subscription is for: recurring prices, each with a quantity. How callers give them, and their rows.

mod call;

use crate::amount::{self, Decimal};
use crate::catalog::discount::CartLine;
use crate::catalog::price::offer::{self, Offer};
use crate::catalog::usage;
use crate::error::Error;
use crate::invoicing::line::given::{number, price_id, text};
use crate::invoicing::line::{New, OfItem};
use crate::moment::Time;
use crate::nearest::nearest;
use crate::pg::statement::{Session, Statement};
use crate::pg::value::ToCell;
use crate::subscriptions::schedule::cycle::{Period, Step};
use crate::subscriptions::schedule::usage::Aggregate;
use crate::subscriptions::usage_record::events;
use pgrx::pg_sys::{NUMERICOID, TEXTOID, TIMESTAMPTZOID, UUIDOID};
use serde_json::{Map, Value};
use uuid::Uuid;

/// The most items of a subscription.
pub const MOST: usize = 20;
/// What a caller may say of one.
const KEYS: [&str; 6] = ["subscription_item_id", "price_id", "lookup_key", "quantity", "metadata", "deleted"];

/// An item as it is given.
#[derive(Debug, Clone)]
pub struct Given {
    /// Which it is, where it is there already.
    pub id: Option<Uuid>,
    /// Which it will be, where it is new.
    pub new_id: Uuid,
    /// The price, if it is said.
    pub price_id: Option<Uuid>,
    /// How many, if that is said.
    pub quantity: Option<Decimal>,
    /// The application's own, as JSON.
    pub metadata: Option<String>,
    /// Whether it is to go.
    pub is_deleted: bool,
}

fn wrong(reason: impl Into<String>) -> Error {
    Error::argument("items", reason)
}

fn shape() -> Error {
    wrong("must be a JSON array of objects")
}

/// Reads items as a caller gives them. Raises PC007, PC013, PC019.
pub fn read(session: &Session, json: &str) -> Result<Vec<Given>, Error> {
    let value: Value = serde_json::from_str(json).map_err(|_| shape())?;
    let given = value.as_array().ok_or_else(shape)?;
    if given.is_empty() || given.len() > MOST {
        return Err(wrong(format!("must be from 1 to {MOST}: they are {}", given.len())));
    }
    given.iter().map(|item| Given::read(session, item.as_object().ok_or_else(shape)?)).collect()
}

impl Given {
    fn read(session: &Session, object: &Map<String, Value>) -> Result<Self, Error> {
        if let Some(key) = object.keys().find(|key| !KEYS.contains(&key.as_str())) {
            return Err(Error::UnknownKey { argument: "items", key: key.clone(), nearest: nearest(key, KEYS) });
        }
        let get = |key: &str| object.get(key).filter(|value| !value.is_null());
        let id = match text("subscription_item_id", get("subscription_item_id"))? {
            Some(id) => Some(Uuid::parse_str(&id).map_err(|_| wrong("must have a uuid as subscription_item_id"))?),
            None => None,
        };
        let price_id = match (price_id(get("price_id"))?, text("lookup_key", get("lookup_key"))?) {
            (Some(_), Some(_)) => {
                return Err(Error::argument("lookup_key", "or price_id is to be given, not both"));
            }
            (None, Some(key)) => Some(offer::id_of(session, &key)?),
            (price_id, None) => price_id,
        };
        let metadata = get("metadata").map(|value| match value.is_object() {
            true => Ok(value.to_string()),
            false => Err(Error::argument("metadata", "must be a JSON object")),
        });
        let is_deleted = match get("deleted") {
            None => false,
            Some(value) => value.as_bool().ok_or_else(|| wrong("must have true or false as deleted"))?,
        };
        let quantity = number("quantity", get("quantity"), amount::over_zero)?;
        Ok(Given { id, new_id: Uuid::now_v7(), price_id, quantity, metadata: metadata.transpose()?, is_deleted })
    }

    /// What a replay is compared with.
    pub fn compared(&self) -> String {
        let quantity = self.quantity.map(|quantity| quantity.normalize().to_string()).unwrap_or_default();
        let id = |id: Option<Uuid>| id.map(|id| id.to_string()).unwrap_or_default();
        format!("{}|{}|{quantity}|{}\n", id(self.id), id(self.price_id), self.is_deleted)
    }
}

/// An item, with its price as it is sold.
pub struct Item {
    /// Its id.
    pub id: Uuid,
    /// The price.
    pub price_id: Uuid,
    /// How many.
    pub quantity: Decimal,
    /// What that costs and grants.
    pub offer: Offer,
}

impl Item {
    /// The same item again.
    pub fn copy(&self, session: &Session) -> Result<Item, Error> {
        let Item { id, price_id, quantity, .. } = *self;
        Ok(Item { id, price_id, quantity, offer: offer(session, price_id, false)? })
    }

    /// Whether its credits are granted in a trial already.
    pub fn is_immediate(&self) -> bool {
        let schedule = self.offer.config.as_ref().and_then(|config| config.schedule.as_ref());
        !self.is_metered() && schedule.is_some_and(|schedule| schedule.first_grant == "immediate")
    }

    /// Whether usage says how many of it there are.
    pub fn is_metered(&self) -> bool {
        is_metered(&self.offer)
    }

    /// How its usage adds up, where that says how many there are.
    pub fn aggregate(&self) -> Result<Option<Aggregate>, Error> {
        let recurring = self.offer.recurring.as_ref().filter(|_| self.is_metered());
        let Some(name) = recurring.and_then(|recurring| recurring.aggregate_usage) else { return Ok(None) };
        let lost = || Error::internal("a price adds usage up in a way that does not exist");
        Aggregate::parse(name).map(Some).ok_or_else(lost)
    }

    /// How many are agreed.
    fn agreed(&self) -> Option<Decimal> {
        (!self.is_metered()).then_some(self.quantity)
    }

    /// What it costs for a whole period, in advance. Raises PC007.
    pub fn amount(&self) -> Result<Decimal, Error> {
        if self.is_metered() {
            return Ok(Decimal::ZERO);
        }
        self.offer.amount(self.quantity).map_err(|reason| Error::amount("quantity", self.quantity, reason))
    }

    /// The line of what is metered before anything is used: it costs nothing, and says no quantity.
    pub fn unused(&self, period: Period) -> New {
        let of = OfItem {
            item_id: self.id,
            offer: &self.offer,
            price_id: self.price_id,
            quantity: Decimal::ZERO,
            amount: Decimal::ZERO,
            discount: Decimal::ZERO,
            description: self.offer.product_name.clone(),
            period: (period.start, period.end),
            is_proration: false,
            tax_rate: None,
            tax_behavior: None,
            instalments: Vec::new(),
            expires: false,
        };
        let mut line = New::of_item(Uuid::now_v7(), of);
        line.make_free();
        line
    }

    /// It, as a discount is judged by a whole period of it. Raises PC007.
    pub fn for_discount(&self) -> Result<CartLine, Error> {
        Ok(CartLine { product_id: Some(self.offer.product_id), amount: self.amount()? })
    }
}

/// A price as it is sold by subscription. Raises PC013, PC015.
pub fn offer(session: &Session, price_id: Uuid, is_new: bool) -> Result<Offer, Error> {
    let offer = offer::find(session, price_id)?;
    if offer.is_archived && is_new {
        return Err(Error::PriceNotFound { price_id, archived: true });
    }
    if offer.recurring.is_none() {
        return Err(Error::argument("price_id", "must be a recurring price: this one is paid once"));
    }
    let grants_own = offer.config.as_ref().is_some_and(|config| config.currency == offer.currency);
    if is_new && grants_own && !offer.is_money {
        return Err(Error::argument("price_id", "must not grant credits of the currency that it costs"));
    }
    events::check(session, &offer)?;
    Ok(offer)
}

/// The currency and the interval of items, which are the same for all. Raises PC013.
pub fn together<'a>(items: impl Iterator<Item = &'a Item>) -> Result<(String, (&'static str, i32), Step), Error> {
    let mut all: Option<(String, (&'static str, i32))> = None;
    for item in items {
        let Some(recurring) = &item.offer.recurring else { continue };
        let one = (item.offer.currency.clone(), (recurring.interval, recurring.interval_count));
        match &all {
            Some(first) if *first != one => {
                return Err(Error::argument("items", "must have prices of one currency and one interval"));
            }
            _ => all = Some(one),
        }
    }
    let (code, interval) = all.ok_or_else(|| Error::argument("items", "must be at least one"))?;
    let step = Step::of(interval.0, interval.1).ok_or_else(|| Error::internal("a price has an unknown interval"))?;
    Ok((code, interval, step))
}

fn is_metered(offer: &Offer) -> bool {
    offer.recurring.as_ref().is_some_and(|recurring| recurring.usage_type == "metered")
}

/// How many of a price there are: as it is given, as before, or one. Raises PC013 where usage says how many.
pub fn quantity(offer: &Offer, given: Option<Decimal>, before: Option<Decimal>) -> Result<Decimal, Error> {
    if is_metered(offer) && given.is_some() {
        return Err(Error::argument("quantity", "is for a price whose quantity is agreed: this one is metered"));
    }
    Ok(given.or(before).unwrap_or(Decimal::ONE))
}

static OF: Statement = Statement::new(
    c"SELECT i.subscription_item_id, i.price_id, i.quantity FROM credits_internal.subscription_items i
      WHERE i.customer_id = $1 AND i.subscription_id = $2 AND i.removed_at IS NULL
      ORDER BY i.created_at, i.subscription_item_id",
    &[TEXTOID, UUIDOID],
);

/// The items of a subscription.
pub fn of(session: &Session, customer_id: &str, subscription_id: Uuid) -> Result<Vec<Item>, Error> {
    let mut rows: Vec<(Uuid, Uuid, Option<Decimal>)> = Vec::new();
    for mut row in OF.run(session, &[customer_id.cell(), subscription_id.cell()])?.iter() {
        rows.push((row.next()?, row.next()?, row.next()?));
    }
    let item = |(id, price_id, quantity): (Uuid, Uuid, Option<Decimal>)| {
        Ok(Item { id, price_id, quantity: quantity.unwrap_or(Decimal::ONE), offer: offer(session, price_id, false)? })
    };
    rows.into_iter().map(item).collect()
}

static INSERT: Statement = Statement::new(
    c"INSERT INTO credits_internal.subscription_items (customer_id, subscription_item_id, subscription_id, price_id, quantity,
                                                       metadata, created_at, updated_at)
      VALUES ($1, $2, $3, $4, $5, $6::jsonb, $7, $7)",
    &[TEXTOID, UUIDOID, UUIDOID, UUIDOID, NUMERICOID, TEXTOID, TIMESTAMPTZOID],
);

/// Keeps a new item.
pub fn insert(
    session: &Session,
    (customer_id, subscription_id): (&str, Uuid),
    item: &Item,
    metadata: Option<&str>,
    now: Time,
) -> Result<(), Error> {
    usage::record(session, item.price_id)?;
    let cells = [
        customer_id.cell(),
        item.id.cell(),
        subscription_id.cell(),
        item.price_id.cell(),
        item.agreed().cell(),
        metadata.cell(),
        now.cell(),
    ];
    INSERT.run(session, &cells).map(drop)
}

/// Keeps the items of a new subscription, with the application's own of each.
pub fn insert_all(
    session: &Session,
    (customer_id, subscription_id): (&str, Uuid),
    (items, metadata): (&[Item], &[Option<String>]),
    now: Time,
) -> Result<(), Error> {
    for (item, metadata) in items.iter().zip(metadata) {
        insert(session, (customer_id, subscription_id), item, metadata.as_deref(), now)?;
    }
    Ok(())
}

static UPDATE: Statement = Statement::new(
    c"UPDATE credits_internal.subscription_items i
      SET price_id = $3, quantity = $4, metadata = coalesce($5::jsonb, i.metadata), updated_at = $6
      WHERE i.customer_id = $1 AND i.subscription_item_id = $2",
    &[TEXTOID, UUIDOID, UUIDOID, NUMERICOID, TEXTOID, TIMESTAMPTZOID],
);

/// Writes an item as it will be.
pub fn update(
    session: &Session,
    customer_id: &str,
    item: &Item,
    metadata: Option<&str>,
    now: Time,
) -> Result<(), Error> {
    usage::record(session, item.price_id)?;
    let cells =
        [customer_id.cell(), item.id.cell(), item.price_id.cell(), item.agreed().cell(), metadata.cell(), now.cell()];
    UPDATE.run(session, &cells).map(drop)
}

static BRING_BACK: Statement = Statement::new(
    c"UPDATE credits_internal.subscription_items i SET price_id = $4, quantity = $5, removed_at = NULL, updated_at = $6
      WHERE i.customer_id = $1 AND i.subscription_item_id = $2 AND i.subscription_id = $3",
    &[TEXTOID, UUIDOID, UUIDOID, UUIDOID, NUMERICOID, TIMESTAMPTZOID],
);

/// An item that was removed is there again, as it will be.
pub fn bring_back(
    session: &Session,
    (customer_id, subscription_id): (&str, Uuid),
    item: &Item,
    now: Time,
) -> Result<(), Error> {
    usage::record(session, item.price_id)?;
    let cells = [
        customer_id.cell(),
        item.id.cell(),
        subscription_id.cell(),
        item.price_id.cell(),
        item.agreed().cell(),
        now.cell(),
    ];
    BRING_BACK.run(session, &cells).map(drop)
}

static REMOVE: Statement = Statement::new(
    c"UPDATE credits_internal.subscription_items i SET removed_at = $3, updated_at = $3
      WHERE i.customer_id = $1 AND i.subscription_item_id = $2",
    &[TEXTOID, UUIDOID, TIMESTAMPTZOID],
);

/// An item is there no more.
pub fn remove(session: &Session, customer_id: &str, id: Uuid, now: Time) -> Result<(), Error> {
    REMOVE.run(session, &[customer_id.cell(), id.cell(), now.cell()]).map(drop)
}
