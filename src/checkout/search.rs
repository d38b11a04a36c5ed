//! Search: objects by their words, the newest first.

mod cursor;
mod object;
mod query;
mod stretch;
mod words;

use self::cursor::{Cursor, Shown};
use self::object::{KINDS, Kind};
use self::query::Query;
use self::stretch::Stretch;
use self::words::Words;
use crate::error::Error;
use crate::input;
use crate::moment::Time;
use crate::outbox::billing_event;
use crate::pg::call::argument::{ArrayOf, Timestamptz};
use crate::pg::call::reply::{Many, Reply, Value};
use crate::pg::statement::reading;
use crate::pg::value::array::array;
use crate::pg::value::{Cell, Json, ToCell};
use crate::row;
use pgrx::pg_extern;

row! {
    /// One object that was found.
    pub struct FoundRow {
        /// What it is.
        pub object: String,
        /// Its id; of a customer its key.
        pub object_id: String,
        /// Whose it is; `None` for the catalogue's.
        pub customer_id: Option<String>,
        /// When it was created.
        pub created_at: Time,
        /// The object as its view shows it.
        pub data: Option<Json>,
        /// Where the next page begins.
        pub cursor: String,
    }
}

/// `credits.search`: the newest objects that have all words. Writes nothing. Raises PC013.
#[pg_extern(sql = false)]
fn search(
    query: Option<&str>,
    objects: Option<ArrayOf<String>>,
    customer_id: Option<&str>,
    page_size: Option<i32>,
    after: Option<&str>,
) -> Reply<Many<FoundRow>> {
    Reply((|| {
        let query = Query::read(input::required("query", query)?).map_err(|reason| Error::argument("query", reason))?;
        let wanted = kinds(objects)?;
        let customer_id = input::optional_key("customer_id", customer_id)?;
        let page_size = input::page_size(page_size)?;
        let after = after.map(read_cursor).transpose()?;
        reading(|session| {
            let mut found = Vec::new();
            for (number, kind) in KINDS.iter().enumerate().filter(|(number, _)| wanted[*number]) {
                let before = match &after {
                    Some(cursor) => cursor.bound(number, &kind.least_id()),
                    None => (Time::NEVER, kind.least_id()),
                };
                let some = kind.find(session, &query, customer_id, (before.0, &before.1), page_size)?;
                found.extend(some.into_iter().map(|one| (number, kind, one)));
            }
            // Those of one kind are in order, and stay in it.
            found.sort_by_key(|(number, _, one)| (std::cmp::Reverse(one.created_at), *number));
            found.truncate(usize::try_from(page_size).unwrap_or_default());
            let row = |(number, kind, one): (usize, &Kind, object::Found)| {
                let data = billing_event::shown(session, kind.name, &one.id, one.customer_id.as_deref())?;
                let cursor = Cursor { created_at: one.created_at, kind: number, id: one.id };
                Ok(FoundRow {
                    object: kind.name.to_string(),
                    cursor: Shown(&cursor, kind.name).to_string(),
                    object_id: cursor.id,
                    customer_id: one.customer_id,
                    created_at: one.created_at,
                    data,
                })
            };
            found.into_iter().map(row).collect::<Result<_, Error>>().map(Many)
        })
    })())
}

/// Which kinds of objects are wanted, by the names of their views or in the singular; NULL for all.
fn kinds(objects: Option<ArrayOf<String>>) -> Result<[bool; KINDS.len()], Error> {
    let Some(objects) = objects else { return Ok([true; KINDS.len()]) };
    let mut wanted = [false; KINDS.len()];
    for name in objects.elements("objects")? {
        let name = name.ok_or_else(|| Error::argument("objects", "must not have NULL in it"))?;
        match KINDS.iter().position(|kind| name == kind.plural || name == kind.name) {
            Some(number) => wanted[number] = true,
            None => return Err(input::none_of("objects", &name, &KINDS.each_ref().map(|kind| kind.plural))),
        }
    }
    if !wanted.contains(&true) {
        return Err(Error::argument("objects", "must name at least one, or be NULL for all"));
    }
    Ok(wanted)
}

fn read_cursor(text: &str) -> Result<Cursor, Error> {
    Cursor::read(text, &KINDS.each_ref().map(|kind| kind.name))
        .filter(|cursor| KINDS.get(cursor.kind).is_some_and(|kind| kind.is_id(&cursor.id)))
        .ok_or_else(|| Error::argument("after", "must be the cursor of a row that search() returned"))
}

/// `credits_internal.search_words`: what the indexes of words hold of an object.
#[pg_extern(sql = false)]
fn search_words(
    created_at: Option<Timestamptz>,
    customer_id: Option<&str>,
    texts: Option<ArrayOf<String>>,
    documents: Option<ArrayOf<String>>,
) -> Reply<Value<Words>> {
    Reply((|| {
        let mut words = Words::of(Stretch::of(created_at.map_or(Time::BEGINNING, |at| at.0)), customer_id);
        for text in texts.map_or(Ok(Vec::new()), |texts| texts.elements("texts"))?.into_iter().flatten() {
            words.add(&text);
        }
        for json in documents.map_or(Ok(Vec::new()), |json| json.elements("documents"))?.into_iter().flatten() {
            words.add_json(&json);
        }
        Ok(Value(words))
    })())
}

impl ToCell for Words {
    fn cell(&self) -> Cell {
        array(self.iter())
    }
}
