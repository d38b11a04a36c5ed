//! Billing events: what happened to each customer, product, price, coupon and invoice, one row per event, for whoever follows
//! along.
//! Nobody has to act on them: what must be acted on is in the outbox.
//!
//! An event is written in the transaction of what it is about, right after the change, by whoever holds the lock of the
//! object that changed. Its number is the next of that object's own counter, so numbers have no gap, and nobody ever waits
//! for a counter who has not waited for the object. A room that has something to say reads the object from its view:
//! [`record`] after a change, or [`before`] it and [`updated`] after it. An object that has no view is given to [`write`].

mod event_type;
mod forget;
mod wanted;

pub use event_type::EventType;
pub use forget::{clear_metadata, erase, forget_old};
pub use wanted::is_wanted;

use crate::error::Error;
use crate::moment::Time;
use crate::pg::installed;
use crate::pg::planning::with_settings;
use crate::pg::statement::{Session, Statement, text};
use crate::pg::value::{Json, ToCell};
use pgrx::pg_sys::{BOOLOID, Oid, TEXTOID, TIMESTAMPTZOID, UUIDOID};
use std::ffi::CStr;
use std::fmt::Display;
use uuid::Uuid;

/// A row of a view as JSON: amounts as strings of digits, as everywhere in JSON, and what counts things as numbers.
macro_rules! shown {
    ($row:literal, $from:literal) => {
        concat!(
            "SELECT (SELECT jsonb_object_agg(k.key,
                            CASE WHEN jsonb_typeof(k.value) = 'number'
                                      AND k.key NOT IN ('priority', 'days_until_due', 'quantity_limit_per_checkout',
                                                        'quantity_available', 'max_redemptions', 'duration_in_months',
                                                        'max_redemptions_per_customer', 'interval_count', 'days_until_cancel')
                                 THEN to_jsonb(trim_scale(k.value::numeric)::text) ELSE k.value END)
                     FROM jsonb_each(",
            $row,
            ") k) AS object
             FROM ",
            $from
        )
    };
}

/// Writes the event of an object, unless it is of a change that changed nothing.
macro_rules! written {
    ($object:expr) => {
        text!(
            "WITH shown AS (",
            $object,
            "), compared AS (
                 SELECT s.object, (SELECT coalesce(jsonb_object_agg(b.key, b.value), '{}')
                                   FROM jsonb_each($5::jsonb) b
                                   WHERE b.key <> 'updated_at' AND s.object->b.key IS DISTINCT FROM b.value
                                   HAVING $5 IS NOT NULL) AS previous
                 FROM shown s
             ), counter AS (
                 INSERT INTO credits_internal.billing_event_counters AS c (object_type, object_id, last_seq, last_at)
                 SELECT $4, $1, 1, $7 FROM compared p WHERE p.previous IS DISTINCT FROM '{}'
                 ON CONFLICT (object_type, object_id)
                 DO UPDATE SET last_seq = c.last_seq + 1, last_at = greatest(c.last_at, excluded.last_at)
                 RETURNING c.last_seq, c.last_at
             )
             INSERT INTO credits_internal.billing_events (event_id, type, object_type, object_id, object_seq, customer_id,
                                                          data, created_at, to_send)
             SELECT $6, $3, $4, $1, c.last_seq, $2,
                    jsonb_build_object('object', p.object)
                    || CASE WHEN p.previous IS NULL THEN '{}'::jsonb
                            ELSE jsonb_build_object('previous_attributes', p.previous) END,
                    c.last_at, $9
             FROM compared p CROSS JOIN counter c"
        )
    };
}

/// The object's id, its customer, the event's type, the object's, what was before, the event's id, now, the object itself
/// where no view has it, and whether an endpoint is to be sent it.
const PARAMETERS: [Oid; 9] = [TEXTOID, TEXTOID, TEXTOID, TEXTOID, TEXTOID, UUIDOID, TIMESTAMPTZOID, TEXTOID, BOOLOID];

macro_rules! customer {
    () => {
        shown!("to_jsonb(v)", "credits.customers v WHERE v.customer_id = $1")
    };
}
macro_rules! product {
    () => {
        shown!("to_jsonb(v)", "credits.products v WHERE v.product_id = $1::uuid")
    };
}
// What is taken changes with sales, which are no events of the price.
macro_rules! price {
    () => {
        shown!(
            "to_jsonb(v) - '{quantity_taken, quantity_sold}'::text[]",
            "credits.prices v WHERE v.price_id = $1::uuid"
        )
    };
}
// How often it is used changes with purchases, likewise; and so does whether it may be used.
macro_rules! coupon {
    () => {
        shown!(
            "to_jsonb(v) - '{times_redeemed, times_over_quota, valid}'::text[]",
            "credits.coupons v WHERE v.coupon_id = $1::uuid"
        )
    };
}
// Whom it is for is no business of those who follow along: nobody could erase it there.
macro_rules! promotion_code {
    () => {
        shown!(
            "to_jsonb(v) - '{times_redeemed, times_over_quota, valid, coupon_valid, customer_ids}'::text[]",
            "credits.promotion_codes v WHERE v.promotion_code_id = $1::uuid"
        )
    };
}
// An invoice keeps whom it was for, also of a person who was erased since; its events do not say it again.
macro_rules! invoice {
    () => {
        shown!(
            "to_jsonb(v) || CASE WHEN c.erased_at IS NULL THEN '{}'::jsonb
                                 ELSE jsonb_build_object('customer_name', NULL, 'customer_email', NULL,
                                                         'customer_phone', NULL, 'customer_address', NULL) END",
            "credits.invoices v JOIN credits_internal.customers c ON c.customer_id = v.customer_id
             WHERE v.customer_id = $2 AND v.invoice_id = $1::uuid"
        )
    };
}

macro_rules! payment_intent {
    () => {
        shown!("to_jsonb(v)", "credits.payment_intents v WHERE v.customer_id = $2 AND v.payment_intent_id = $1::uuid")
    };
}
macro_rules! refund {
    () => {
        shown!("to_jsonb(v)", "credits.refunds v WHERE v.customer_id = $2 AND v.refund_id = $1::uuid")
    };
}

// Its address is a key to it.
macro_rules! checkout_session {
    () => {
        shown!(
            "to_jsonb(v) - 'url'",
            "credits.checkout_sessions v WHERE v.customer_id = $2 AND v.checkout_session_id = $1::uuid"
        )
    };
}
macro_rules! payment_link {
    () => {
        shown!("to_jsonb(v)", "credits.payment_links v WHERE v.payment_link_id = $1::uuid")
    };
}

macro_rules! subscription {
    () => {
        shown!(
            "to_jsonb(v) - 'service_actions'",
            "credits.subscriptions v WHERE v.customer_id = $2 AND v.subscription_id = $1::uuid"
        )
    };
}
// What is to be done at its events, each has that names it.
macro_rules! subscription_event {
    () => {
        shown!(
            "to_jsonb(v) - 'service_actions'
             || coalesce((SELECT jsonb_build_object('service_actions', jsonb_agg(a.action ORDER BY a.no))
                          FROM jsonb_array_elements(v.service_actions) WITH ORDINALITY AS a (action, no)
                          WHERE a.action->'trigger_events' ? $3 HAVING count(*) > 0), '{}')",
            "credits.subscriptions v WHERE v.customer_id = $2 AND v.subscription_id = $1::uuid"
        )
    };
}

// While its account is posted to, as the view grants shows it: nothing is due by then. What remains of a head is on its
// account's row.
macro_rules! credit_grant {
    () => {
        shown!(
            "to_jsonb(v)",
            "(SELECT g.customer_id, g.grant_id, g.currency, g.category, g.name, g.status, g.amount,
                     CASE WHEN a.head_grant_id = g.grant_id THEN a.available - a.head_floor ELSE g.remaining END AS remaining,
                     g.priority, g.effective_at, nullif(g.expires_at, 'infinity') AS expires_at, g.ended_at, g.ended_reason,
                     g.applicable_meters, g.granted_by, g.metadata, g.created_at
              FROM credits_internal.credit_grants g
              JOIN credits_internal.accounts a ON a.customer_id = g.customer_id AND a.currency = g.currency
              WHERE g.customer_id = $2 AND g.grant_id = $1::uuid) v"
        )
    };
}

// Of a purchase or a subscription; a voucher is none. What the application vouched with is in no event.
macro_rules! discount {
    () => {
        shown!(
            "to_jsonb(v)",
            "(SELECT r.customer_id, r.holder_type, r.holder_id, r.coupon_id, r.promotion_code_id, p.code, r.amount, r.currency,
                     CASE WHEN r.released_at IS NOT NULL THEN 'released' WHEN r.confirmed_at IS NULL THEN 'reserved'
                          WHEN (SELECT l.action FROM credits_internal.discount_log l
                                WHERE l.customer_id = r.customer_id AND l.holder_id = r.holder_id
                                  AND l.log_no = r.last_log_no) = 'ended' THEN 'ended'
                          ELSE 'confirmed' END AS status,
                     r.over_quota, s.discount_start, s.discount_end, r.reserved_at, r.confirmed_at, r.released_at
              FROM credits_internal.redemptions r
              LEFT JOIN credits_internal.promotion_codes p ON p.promotion_code_id = r.promotion_code_id
              LEFT JOIN credits_internal.subscriptions s
                     ON s.customer_id = r.customer_id AND s.subscription_id = r.holder_id
              WHERE r.customer_id = $2 AND r.holder_id = $1::uuid AND r.holder_type <> 'voucher') v"
        )
    };
}

/// Reads an object.
macro_rules! read {
    ($object:expr) => {
        text!("SELECT s.object FROM (", $object, ") s")
    };
}

static READ_CUSTOMER: Statement = Statement::new(read!(customer!()), &[TEXTOID, TEXTOID]);
static READ_PRODUCT: Statement = Statement::new(read!(product!()), &[TEXTOID, TEXTOID]);
static READ_PRICE: Statement = Statement::new(read!(price!()), &[TEXTOID, TEXTOID]);
static READ_COUPON: Statement = Statement::new(read!(coupon!()), &[TEXTOID, TEXTOID]);
static READ_CODE: Statement = Statement::new(read!(promotion_code!()), &[TEXTOID, TEXTOID]);
static READ_INVOICE: Statement = Statement::new(read!(invoice!()), &[TEXTOID, TEXTOID]);
static READ_INTENT: Statement = Statement::new(read!(payment_intent!()), &[TEXTOID, TEXTOID]);
static READ_REFUND: Statement = Statement::new(read!(refund!()), &[TEXTOID, TEXTOID]);
static READ_SESSION: Statement = Statement::new(read!(checkout_session!()), &[TEXTOID, TEXTOID]);
static READ_SUBSCRIPTION: Statement = Statement::new(read!(subscription!()), &[TEXTOID, TEXTOID]);
static READ_GRANT: Statement = Statement::new(read!(credit_grant!()), &[TEXTOID, TEXTOID]);
static READ_DISCOUNT: Statement = Statement::new(read!(discount!()), &[TEXTOID, TEXTOID]);
static READ_LINK: Statement = Statement::new(read!(payment_link!()), &[TEXTOID, TEXTOID]);

static WRITE_CUSTOMER: Statement = Statement::new(written!(customer!()), &PARAMETERS);
static WRITE_PRODUCT: Statement = Statement::new(written!(product!()), &PARAMETERS);
static WRITE_PRICE: Statement = Statement::new(written!(price!()), &PARAMETERS);
static WRITE_COUPON: Statement = Statement::new(written!(coupon!()), &PARAMETERS);
static WRITE_CODE: Statement = Statement::new(written!(promotion_code!()), &PARAMETERS);
static WRITE_INVOICE: Statement = Statement::new(written!(invoice!()), &PARAMETERS);
static WRITE_INTENT: Statement = Statement::new(written!(payment_intent!()), &PARAMETERS);
static WRITE_REFUND: Statement = Statement::new(written!(refund!()), &PARAMETERS);
static WRITE_SESSION: Statement = Statement::new(written!(checkout_session!()), &PARAMETERS);
static WRITE_SUBSCRIPTION: Statement = Statement::new(written!(subscription_event!()), &PARAMETERS);
static WRITE_GRANT: Statement = Statement::new(written!(credit_grant!()), &PARAMETERS);
static WRITE_DISCOUNT: Statement = Statement::new(written!(discount!()), &PARAMETERS);
static WRITE_LINK: Statement = Statement::new(written!(payment_link!()), &PARAMETERS);

/// An object that has a view: how it is read from there, by its id ($1) and its customer ($2), and how its events are
/// written.
struct Viewed {
    object_type: &'static str,
    read: &'static Statement,
    write: &'static Statement,
}

/// All of them. Whoever changes one has its lock.
static VIEWED: [Viewed; 13] = [
    Viewed { object_type: "customer", read: &READ_CUSTOMER, write: &WRITE_CUSTOMER },
    Viewed { object_type: "product", read: &READ_PRODUCT, write: &WRITE_PRODUCT },
    Viewed { object_type: "price", read: &READ_PRICE, write: &WRITE_PRICE },
    Viewed { object_type: "coupon", read: &READ_COUPON, write: &WRITE_COUPON },
    Viewed { object_type: "promotion_code", read: &READ_CODE, write: &WRITE_CODE },
    Viewed { object_type: "invoice", read: &READ_INVOICE, write: &WRITE_INVOICE },
    Viewed { object_type: "payment_intent", read: &READ_INTENT, write: &WRITE_INTENT },
    Viewed { object_type: "refund", read: &READ_REFUND, write: &WRITE_REFUND },
    Viewed { object_type: "checkout_session", read: &READ_SESSION, write: &WRITE_SESSION },
    Viewed { object_type: "subscription", read: &READ_SUBSCRIPTION, write: &WRITE_SUBSCRIPTION },
    Viewed { object_type: "credit_grant", read: &READ_GRANT, write: &WRITE_GRANT },
    Viewed { object_type: "discount", read: &READ_DISCOUNT, write: &WRITE_DISCOUNT },
    Viewed { object_type: "payment_link", read: &READ_LINK, write: &WRITE_LINK },
];

/// What was before, of what is archived now.
pub const ON_SALE: &str = r#"{"active": true, "archived_at": null}"#;

/// How times and intervals are written in JSON, whatever the session's own settings are.
pub const AS_JSON: [(&CStr, &CStr); 2] = [(c"TimeZone", c"UTC"), (c"IntervalStyle", c"postgres")];

/// How objects of that type are read and written.
fn viewed(event_type: EventType) -> Result<&'static Viewed, Error> {
    let object_type = event_type.object_type();
    VIEWED
        .iter()
        .find(|one| one.object_type == object_type)
        .ok_or_else(|| Error::internal("an event is of an object that no view has"))
}

/// Writes an event of an object as its view shows it now; it is `customer_id`'s, or nobody's.
pub fn record(
    session: &Session,
    event_type: EventType,
    object_id: impl Display,
    customer_id: Option<&str>,
    now: Time,
) -> Result<(), Error> {
    updated(session, event_type, object_id, customer_id, None, now)
}

/// An object as its view shows it before a change, for [`updated`]; its lock is held by then.
pub fn before(
    session: &Session,
    event_type: EventType,
    object_id: impl Display,
    customer_id: Option<&str>,
) -> Result<Option<String>, Error> {
    // In the schema of the release before there are no events.
    if installed::is_before(session)? {
        return Ok(None);
    }
    let object = read(session, viewed(event_type)?, &object_id.to_string(), customer_id)?;
    Ok(object.map(|object| object.text()))
}

/// An object as its view shows it, and as its events do.
pub fn shown(
    session: &Session,
    object_type: &str,
    object_id: &str,
    customer_id: Option<&str>,
) -> Result<Option<Json>, Error> {
    let found = VIEWED.iter().find(|one| one.object_type == object_type);
    read(session, found.ok_or_else(|| Error::internal("no view has such an object"))?, object_id, customer_id)
}

fn read(session: &Session, viewed: &Viewed, object_id: &str, customer_id: Option<&str>) -> Result<Option<Json>, Error> {
    let cells = [object_id.cell(), customer_id.cell()];
    let rows = with_settings(AS_JSON.into_iter(), || viewed.read.run(session, &cells))?;
    rows.first().map(|mut row| row.next()).transpose()
}

/// Writes an event of an object that changed, with what was before of all that is not the same any more. Where nothing
/// changed there is no event.
pub fn updated(
    session: &Session,
    event_type: EventType,
    object_id: impl Display,
    customer_id: Option<&str>,
    before: Option<String>,
    now: Time,
) -> Result<(), Error> {
    let sent = is_wanted(session, event_type)?;
    let of = (event_type, object_id.to_string(), customer_id);
    run(session, viewed(event_type)?.write, of, (before, None), (now, sent)).map(drop)
}

static WRITE: Statement = Statement::new(written!("SELECT $8::jsonb AS object"), &PARAMETERS);

/// Writes an event of an object as it is given.
pub fn write(
    session: &Session,
    event_type: EventType,
    object_id: impl Display,
    customer_id: Option<&str>,
    object: &serde_json::Value,
    now: Time,
) -> Result<(), Error> {
    let (object, sent) = (Some(object.to_string()), is_wanted(session, event_type)?);
    run(session, &WRITE, (event_type, object_id.to_string(), customer_id), (None, object), (now, sent)).map(drop)
}

/// The same for one that no endpoint is sent because it asked for its type, and of no customer; its id.
pub fn write_unsent(
    session: &Session,
    event_type: EventType,
    object_id: impl Display,
    object: &serde_json::Value,
    now: Time,
) -> Result<Uuid, Error> {
    run(session, &WRITE, (event_type, object_id.to_string(), None), (None, Some(object.to_string())), (now, false))
}

fn run(
    session: &Session,
    statement: &'static Statement,
    (event_type, object_id, customer_id): (EventType, String, Option<&str>),
    (before, object): (Option<String>, Option<String>),
    (now, sent): (Time, bool),
) -> Result<Uuid, Error> {
    let event_id = Uuid::now_v7();
    if installed::is_before(session)? {
        return Ok(event_id);
    }
    let cells = [
        object_id.cell(),
        customer_id.cell(),
        event_type.as_str().cell(),
        event_type.object_type().cell(),
        before.cell(),
        event_id.cell(),
        now.cell(),
        object.cell(),
        sent.cell(),
    ];
    with_settings(AS_JSON.into_iter(), || statement.run(session, &cells))?;
    Ok(event_id)
}
