//! What can be found: for each kind of object, the view that says its words, and the statements that look there. Another
//! kind is a view with its two indexes in sql/checkout/search.sql, its statements here, and a line in [`KINDS`].
//!
//! The newest that have the words are looked for in two ways. Going from the newest to the oldest finds frequent words
//! soon, and rare ones hardly ever; the index of words finds all that have rare ones at once, and would find far too many
//! that have a frequent one. Nobody has to know which words are frequent: both ways are gone, each only as far as it is
//! worth. Of one customer there are rarely many, and those are read all.

use super::cursor::{NO_KEY, NO_UUID};
use super::query::Query;
use crate::error::Error;
use crate::moment::Time;
use crate::pg::planning::with_settings;
use crate::pg::statement::{Session, Statement, text};
use crate::pg::value::{Cell, ToCell};
use pgrx::pg_sys::{INT8OID, Oid, TEXTOID, TIMESTAMPTZOID};
use std::ffi::CStr;

/// How many of the newest are looked at first, for each that is wanted.
const NEWEST: i64 = 4;
/// How many with the words are read and sorted, if there are no more.
const FEW: i64 = 10_000;
/// How many of the newest are looked at before all that have the words are sorted.
const FURTHER: i64 = 20_000;
/// How many of a customer's are read all.
const OF_ONE: i64 = 500;
/// What lets PostgreSQL remember the places of many rows one by one. Otherwise it remembers pages, and takes the words of all
/// rows on them anew.
const MEMORY: (&CStr, &CStr) = (c"work_mem", c"64MB");

/// A kind of object.
pub struct Kind {
    /// Its name.
    pub name: &'static str,
    /// The view that has all of them.
    pub plural: &'static str,
    is_found_by_uuid: bool,
    newest: &'static Statement,
    with_words: &'static Statement,
    /// None for what is nobody's.
    of_customer: Option<&'static Statement>,
}

/// An object that was found.
pub struct Found {
    /// When it was created.
    pub created_at: Time,
    /// Whose it is; `None` for the catalogue's.
    pub customer_id: Option<String>,
    /// Its id.
    pub id: String,
}

// The words, before which time and id, how many are looked at, how many are wanted.
const PARAMETERS: [Oid; 5] = [TEXTOID, TIMESTAMPTZOID, TEXTOID, INT8OID, INT8OID];
// And the customer.
const PARAMETERS_OF_CUSTOMER: [Oid; 6] = [TEXTOID, TIMESTAMPTZOID, TEXTOID, INT8OID, INT8OID, TEXTOID];

/// Those with the words among the newest.
macro_rules! newest {
    ($view:literal, $key:literal) => {
        text!(
            "SELECT n.created_at, n.customer_id, n.key::text
             FROM (SELECT s.created_at, s.customer_id, s.key, s.words FROM credits_internal.",
            $view,
            " s WHERE (s.created_at, s.key) < ($2, $3::",
            $key,
            ") ORDER BY s.created_at DESC, s.key DESC LIMIT $4) n
             WHERE n.words @@ $1::tsquery LIMIT $5"
        )
    };
}

/// The newest of those with the words, and how many there are, as far as they are counted. Neither the time nor the key is
/// written as an index has it: the index of words is the one to use.
macro_rules! with_words {
    ($view:literal, $key:literal) => {
        text!(
            "SELECT f.created_at, f.customer_id, f.key::text, count(*) OVER ()
             FROM (SELECT s.created_at, s.customer_id, s.key FROM credits_internal.",
            $view,
            " s WHERE s.words @@ $1::tsquery
                  AND (s.created_at AT TIME ZONE 'UTC', s.key) < ($2 AT TIME ZONE 'UTC', $3::",
            $key,
            ") LIMIT $4) f
             ORDER BY f.created_at DESC, f.key DESC LIMIT $5"
        )
    };
}

/// How many a customer has, as far as they are counted, and where these are few, the newest of them with the words.
macro_rules! of_customer {
    ($view:literal, $key:literal) => {
        text!(
            "SELECT f.created_at, f.customer_id, f.key::text, c.number
             FROM (SELECT count(*) AS number
                   FROM (SELECT FROM credits_internal.",
            $view,
            " s WHERE s.customer_id = $6 LIMIT $4) o) c
             LEFT JOIN LATERAL (
                 SELECT s.created_at, s.customer_id, s.key FROM credits_internal.",
            $view,
            " s WHERE s.customer_id = $6 AND c.number < $4 AND s.words @@ $1::tsquery
                   AND (s.created_at AT TIME ZONE 'UTC', s.key) < ($2 AT TIME ZONE 'UTC', $3::",
            $key,
            ") ORDER BY s.created_at DESC, s.key DESC LIMIT $5) f ON true"
        )
    };
}

static NEWEST_CUSTOMERS: Statement = Statement::in_order(newest!("searched_customers", "text"), &PARAMETERS);
static CUSTOMERS: Statement = Statement::by_words(with_words!("searched_customers", "text"), &PARAMETERS);
static OWN_CUSTOMERS: Statement = Statement::new(of_customer!("searched_customers", "text"), &PARAMETERS_OF_CUSTOMER);
static NEWEST_PRODUCTS: Statement = Statement::in_order(newest!("searched_products", "uuid"), &PARAMETERS);
static PRODUCTS: Statement = Statement::by_words(with_words!("searched_products", "uuid"), &PARAMETERS);
static NEWEST_PRICES: Statement = Statement::in_order(newest!("searched_prices", "uuid"), &PARAMETERS);
static PRICES: Statement = Statement::by_words(with_words!("searched_prices", "uuid"), &PARAMETERS);
static NEWEST_INVOICES: Statement = Statement::in_order(newest!("searched_invoices", "uuid"), &PARAMETERS);
static INVOICES: Statement = Statement::by_words(with_words!("searched_invoices", "uuid"), &PARAMETERS);
static OWN_INVOICES: Statement = Statement::new(of_customer!("searched_invoices", "uuid"), &PARAMETERS_OF_CUSTOMER);
static NEWEST_INTENTS: Statement = Statement::in_order(newest!("searched_payment_intents", "uuid"), &PARAMETERS);
static INTENTS: Statement = Statement::by_words(with_words!("searched_payment_intents", "uuid"), &PARAMETERS);
static OWN_INTENTS: Statement =
    Statement::new(of_customer!("searched_payment_intents", "uuid"), &PARAMETERS_OF_CUSTOMER);
static NEWEST_REFUNDS: Statement = Statement::in_order(newest!("searched_refunds", "uuid"), &PARAMETERS);
static REFUNDS: Statement = Statement::by_words(with_words!("searched_refunds", "uuid"), &PARAMETERS);
static OWN_REFUNDS: Statement = Statement::new(of_customer!("searched_refunds", "uuid"), &PARAMETERS_OF_CUSTOMER);

const fn kind(
    name: &'static str,
    plural: &'static str,
    is_found_by_uuid: bool,
    (newest, with_words): (&'static Statement, &'static Statement),
    of_customer: Option<&'static Statement>,
) -> Kind {
    Kind { name, plural, is_found_by_uuid, newest, with_words, of_customer }
}

/// All of them: what was created at the same time is returned in this order.
pub static KINDS: [Kind; 6] = [
    kind("customer", "customers", false, (&NEWEST_CUSTOMERS, &CUSTOMERS), Some(&OWN_CUSTOMERS)),
    kind("product", "products", true, (&NEWEST_PRODUCTS, &PRODUCTS), None),
    kind("price", "prices", true, (&NEWEST_PRICES, &PRICES), None),
    kind("invoice", "invoices", true, (&NEWEST_INVOICES, &INVOICES), Some(&OWN_INVOICES)),
    kind("payment_intent", "payment_intents", true, (&NEWEST_INTENTS, &INTENTS), Some(&OWN_INTENTS)),
    kind("refund", "refunds", true, (&NEWEST_REFUNDS, &REFUNDS), Some(&OWN_REFUNDS)),
];

impl Kind {
    /// What is not after any id of the kind.
    pub fn least_id(&self) -> String {
        if self.is_found_by_uuid { NO_UUID.to_string() } else { NO_KEY.to_string() }
    }

    /// Whether a text can be an id of the kind.
    pub fn is_id(&self, text: &str) -> bool {
        !self.is_found_by_uuid || uuid::Uuid::parse_str(text).is_ok()
    }

    /// The newest with the words before a time and an id, at most so many, of one customer or of all.
    pub fn find(
        &self,
        session: &Session,
        query: &Query,
        customer_id: Option<&str>,
        before: (Time, &str),
        page_size: i64,
    ) -> Result<Vec<Found>, Error> {
        let words = query.tsquery(customer_id);
        let run = |statement, most, customer| {
            let cells = [words.cell(), before.0.cell(), before.1.cell(), most, page_size.cell()];
            read(session, statement, cells.into_iter().chain(customer).collect())
        };
        if let Some(customer_id) = customer_id {
            // The catalogue is nobody's.
            let Some(of_customer) = self.of_customer else { return Ok(Vec::new()) };
            let (found, number) = run(of_customer, OF_ONE.cell(), Some(customer_id.cell()))?;
            return if number < OF_ONE { Ok(found) } else { Ok(run(self.with_words, i64::MAX.cell(), None)?.0) };
        }
        let newest = |most: i64| {
            let (found, _) = run(self.newest, most.cell(), None)?;
            Ok::<_, Error>((found.len() as i64 == page_size).then_some(found))
        };
        if let Some(found) = newest(NEWEST * page_size)? {
            return Ok(found);
        }
        let (found, number) = run(self.with_words, FEW.cell(), None)?;
        if number < FEW {
            return Ok(found);
        }
        match newest(FURTHER)? {
            Some(found) => Ok(found),
            None => Ok(run(self.with_words, i64::MAX.cell(), None)?.0),
        }
    }
}

/// What a statement finds, and the number that it says beside it.
fn read(session: &Session, statement: &Statement, cells: Vec<Cell>) -> Result<(Vec<Found>, i64), Error> {
    let rows = with_settings([MEMORY].into_iter(), || statement.run(session, &cells))?;
    let (mut found, mut number) = (Vec::new(), 0);
    for mut row in rows.iter() {
        let (created_at, customer_id, id) = (row.next()?, row.next()?, row.next()?);
        number = row.next::<Option<i64>>()?.unwrap_or(0);
        // Beside the number alone there is nothing.
        if let (Some(created_at), Some(id)) = (created_at, id) {
            found.push(Found { created_at, customer_id, id });
        }
    }
    Ok((found, number))
}
