//! What can be found: for each kind of object, the view that says its words, and the statements that look there. Another
//! kind is a view with its two indexes in sql/checkout/search.sql, its statements here, and a line in [`KINDS`].
//!
//! Frequent words are found by going from the newest object to the oldest, but for a moment only: words of old objects, and
//! words that no object has together, are not found so. Then the index of words is asked, stretch of time by stretch of time,
//! from the newest back. So no more is read than what has the words in one stretch and, of the later ones, that none has them.

use super::cursor::{NO_KEY, NO_UUID};
use super::query::{Only, Query};
use super::stretch::Stretch;
use crate::error::Error;
use crate::moment::Time;
use crate::pg::statement::{Session, Statement, text};
use crate::pg::value::array::array;
use crate::pg::value::{Cell, ToCell};
use pgrx::pg_sys::{INT8OID, Oid, TEXTARRAYOID, TEXTOID, TIMESTAMPTZOID};

/// How many of the newest are looked at first, for each that is wanted.
const NEWEST: i64 = 4;
/// How many objects a question to an index of words is about, where a stretch does not have more: of a small table, many
/// stretches are asked for at once.
const OBJECTS: i64 = 6_000;
/// The most words in a question, each of each of its stretches: PostgreSQL compares each with all.
const WORDS: usize = 6;
/// How many questions a statement has.
const QUESTIONS: i64 = 32;
/// How many bytes an object has in its table, about.
const BYTES: i64 = 400;
/// How many that have the finished words are read to see whether they have the unfinished one: while a word is being typed,
/// there may be a great many that begin like it.
const LOOKED_AT: i64 = 200;
/// Of so many of the newest at least one has the finished words, if they are frequent.
const MANY: i64 = 10;

/// A kind of object.
pub struct Kind {
    /// Its name.
    pub name: &'static str,
    /// The view that has all of them.
    pub plural: &'static str,
    is_found_by_uuid: bool,
    /// Whether they are customers'.
    is_owned: bool,
    ends: &'static Statement,
    newest: &'static Statement,
    with_words: &'static Statement,
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

// The words, the rest of them, before which time and id, how many are looked at.
const NEWEST_PARAMETERS: [Oid; 5] = [TEXTOID, TEXTOID, TIMESTAMPTZOID, TEXTOID, INT8OID];
// The words and the rest of each question, before which time and id, how many are wanted.
const PARAMETERS: [Oid; 5] = [TEXTARRAYOID, TEXTARRAYOID, TIMESTAMPTZOID, TEXTOID, INT8OID];

/// When the newest and the oldest were created, and how large the table is.
macro_rules! ends {
    ($table:literal) => {
        text!(
            "SELECT n.created_at, o.created_at, pg_catalog.pg_relation_size('credits_internal.",
            $table,
            "')
             FROM (SELECT t.created_at FROM credits_internal.searched_",
            $table,
            " t
                   WHERE t.created_at >= '-infinity' ORDER BY t.created_at DESC, t.key DESC LIMIT 1) n
             CROSS JOIN (SELECT t.created_at FROM credits_internal.searched_",
            $table,
            " t
                         WHERE t.created_at >= '-infinity' ORDER BY t.created_at, t.key LIMIT 1) o"
        )
    };
}

/// Those with the finished words among the newest, and whether they have the rest.
macro_rules! newest {
    ($table:literal, $key:literal) => {
        text!(
            "SELECT n.created_at, n.customer_id, n.key::text, $2 IS NULL OR n.words @@ $2::tsquery
             FROM (SELECT s.created_at, s.customer_id, s.key, s.words FROM credits_internal.searched_",
            $table,
            " s WHERE (s.created_at, s.key) < ($3, $4::",
            $key,
            ") ORDER BY s.created_at DESC, s.key DESC LIMIT $5) n
             WHERE n.words @@ $1::tsquery"
        )
    };
}

/// The newest of those with the words, question by question, and whether they have the rest. Neither the time nor the key
/// is written as an index has it: the index of words is the one to use.
macro_rules! with_words {
    ($table:literal, $key:literal) => {
        text!(
            "SELECT f.created_at, f.customer_id, f.key::text, f.has_rest
             FROM unnest($1, $2) q (words, rest)
             CROSS JOIN LATERAL (
                 SELECT s.created_at, s.customer_id, s.key, q.rest IS NULL OR s.words @@ q.rest::tsquery AS has_rest
                 FROM credits_internal.searched_",
            $table,
            " s
                 WHERE s.words @@ q.words::tsquery
                   AND (s.created_at AT TIME ZONE 'UTC', s.key) < ($3 AT TIME ZONE 'UTC', $4::",
            $key,
            ")
                 ORDER BY s.created_at DESC, s.key DESC LIMIT $5) f
             LIMIT $5"
        )
    };
}

static CUSTOMERS_ENDS: Statement = Statement::in_order(ends!("customers"), &[]);
static CUSTOMERS_NEWEST: Statement = Statement::in_order(newest!("customers", "text"), &NEWEST_PARAMETERS);
static CUSTOMERS_WITH_WORDS: Statement = Statement::by_words(with_words!("customers", "text"), &PARAMETERS);
static PRODUCTS_ENDS: Statement = Statement::in_order(ends!("products"), &[]);
static PRODUCTS_NEWEST: Statement = Statement::in_order(newest!("products", "uuid"), &NEWEST_PARAMETERS);
static PRODUCTS_WITH_WORDS: Statement = Statement::by_words(with_words!("products", "uuid"), &PARAMETERS);
static PRICES_ENDS: Statement = Statement::in_order(ends!("prices"), &[]);
static PRICES_NEWEST: Statement = Statement::in_order(newest!("prices", "uuid"), &NEWEST_PARAMETERS);
static PRICES_WITH_WORDS: Statement = Statement::by_words(with_words!("prices", "uuid"), &PARAMETERS);
static INVOICES_ENDS: Statement = Statement::in_order(ends!("invoices"), &[]);
static INVOICES_NEWEST: Statement = Statement::in_order(newest!("invoices", "uuid"), &NEWEST_PARAMETERS);
static INVOICES_WITH_WORDS: Statement = Statement::by_words(with_words!("invoices", "uuid"), &PARAMETERS);
static INTENTS_ENDS: Statement = Statement::in_order(ends!("payment_intents"), &[]);
static INTENTS_NEWEST: Statement = Statement::in_order(newest!("payment_intents", "uuid"), &NEWEST_PARAMETERS);
static INTENTS_WITH_WORDS: Statement = Statement::by_words(with_words!("payment_intents", "uuid"), &PARAMETERS);
static REFUNDS_ENDS: Statement = Statement::in_order(ends!("refunds"), &[]);
static REFUNDS_NEWEST: Statement = Statement::in_order(newest!("refunds", "uuid"), &NEWEST_PARAMETERS);
static REFUNDS_WITH_WORDS: Statement = Statement::by_words(with_words!("refunds", "uuid"), &PARAMETERS);

/// The statements of a kind: for its ends, the newest, and those with words.
type Statements = [&'static Statement; 3];

const fn kind(
    name: &'static str,
    plural: &'static str,
    is_found_by_uuid: bool,
    is_owned: bool,
    [ends, newest, with_words]: Statements,
) -> Kind {
    Kind { name, plural, is_found_by_uuid, is_owned, ends, newest, with_words }
}

/// All of them: what was created at the same time is returned in this order.
pub static KINDS: [Kind; 6] = [
    kind("customer", "customers", false, true, [&CUSTOMERS_ENDS, &CUSTOMERS_NEWEST, &CUSTOMERS_WITH_WORDS]),
    kind("product", "products", true, false, [&PRODUCTS_ENDS, &PRODUCTS_NEWEST, &PRODUCTS_WITH_WORDS]),
    kind("price", "prices", true, false, [&PRICES_ENDS, &PRICES_NEWEST, &PRICES_WITH_WORDS]),
    kind("invoice", "invoices", true, true, [&INVOICES_ENDS, &INVOICES_NEWEST, &INVOICES_WITH_WORDS]),
    kind("payment_intent", "payment_intents", true, true, [&INTENTS_ENDS, &INTENTS_NEWEST, &INTENTS_WITH_WORDS]),
    kind("refund", "refunds", true, true, [&REFUNDS_ENDS, &REFUNDS_NEWEST, &REFUNDS_WITH_WORDS]),
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
        // The catalogue is nobody's.
        let Some(ends) = Ends::read(session, self.ends)?.filter(|_| self.is_owned || customer_id.is_none()) else {
            return Ok(Vec::new());
        };
        let (finished, unfinished) = query.count(customer_id);
        let questions = Questions { query, customer_id, at_once: ends.at_once(finished + unfinished), ends };
        let (mut time, mut id) = (before.0, before.1.to_string());
        let mut stretch = questions.ends.newest.min(Stretch::of(time));
        // Whether those with the finished words are worth a look first.
        let mut apart = finished > 0 && unfinished > 0;
        if customer_id.is_none() && stretch >= questions.ends.oldest {
            let (words, rest) = questions.one(stretch, apart);
            let most = NEWEST * page_size;
            let rows = read(session, self.newest, &[words.cell(), rest.cell(), time.cell(), id.cell(), most.cell()])?;
            apart &= (rows.len() as i64) < most / MANY;
            let with_all = rows.into_iter().filter_map(|(one, has_rest)| has_rest.then_some(one));
            let found: Vec<Found> = with_all.take(usize::try_from(page_size).unwrap_or_default()).collect();
            if found.len() as i64 == page_size {
                return Ok(found);
            }
        }
        let (mut found, mut looked_at) = (Vec::new(), 0);
        while stretch >= questions.ends.oldest {
            let (words, rest, next) = questions.some(stretch, apart);
            let most = if apart { LOOKED_AT - looked_at } else { page_size - found.len() as i64 };
            let rows = read(session, self.with_words, &[words, rest, time.cell(), id.cell(), most.cell()])?;
            let are_more = rows.len() as i64 == most;
            looked_at += rows.len() as i64;
            for (one, has_rest) in rows {
                (time, id) = (one.created_at, one.id.clone());
                if has_rest {
                    found.push(one);
                }
                if found.len() as i64 == page_size {
                    return Ok(found);
                }
            }
            // Where many have the finished words, the index is asked for all from here on.
            (apart, stretch) = if are_more { (false, Stretch::of(time)) } else { (apart, next) };
        }
        Ok(found)
    }
}

/// What is asked of an index of words.
struct Questions<'a> {
    query: &'a Query,
    customer_id: Option<&'a str>,
    ends: Ends,
    /// How many stretches each is about.
    at_once: i64,
}

impl Questions<'_> {
    /// One, from a stretch back: for all words, or for the finished ones, and then for the rest of them.
    fn one(&self, stretch: Stretch, apart: bool) -> (String, Option<String>) {
        let count = self.at_once.min(self.ends.oldest.until(stretch));
        let about = |only| self.query.tsquery((0..count).map(|back| stretch.back(back)), only, self.customer_id);
        if apart { (about(Only::Finished), Some(about(Only::Unfinished))) } else { (about(Only::Both), None) }
    }

    /// Those of a statement, and where the next ones begin.
    fn some(&self, stretch: Stretch, apart: bool) -> (Cell, Cell, Stretch) {
        let count = ((self.ends.oldest.until(stretch) - 1) / self.at_once + 1).min(QUESTIONS);
        let (words, rest): (Vec<_>, Vec<_>) =
            (0..count).map(|number| self.one(stretch.back(number * self.at_once), apart)).unzip();
        (array(words), array(rest), stretch.back(count * self.at_once))
    }
}

/// What a table has.
struct Ends {
    newest: Stretch,
    oldest: Stretch,
    bytes: i64,
}

impl Ends {
    /// None of an empty table.
    fn read(session: &Session, statement: &Statement) -> Result<Option<Ends>, Error> {
        let rows = statement.run(session, &[])?;
        let Some(mut row) = rows.iter().next() else { return Ok(None) };
        let (newest, oldest) = (Stretch::of(row.next()?), Stretch::of(row.next()?));
        Ok(Some(Ends { newest, oldest, bytes: row.next()? }))
    }

    /// How many stretches a question is about, of so many words.
    fn at_once(&self, words: usize) -> i64 {
        let objects = (self.bytes / BYTES).max(1);
        let stretches = self.oldest.until(self.newest).saturating_mul(OBJECTS) / objects;
        stretches.clamp(1, (WORDS / words).max(1) as i64)
    }
}

/// What a statement finds, and what it says beside it.
fn read(session: &Session, statement: &Statement, cells: &[Cell]) -> Result<Vec<(Found, bool)>, Error> {
    let rows = statement.run(session, cells)?;
    let found = rows.iter().map(|mut row| {
        let found = Found { created_at: row.next()?, customer_id: row.next()?, id: row.next()? };
        Ok((found, row.next()?))
    });
    found.collect()
}
