//! Stock of a purchase whose payment takes a while: reserved for a time, kept, released and taken again.

use crate::amount::Decimal;
use crate::catalog::stock::{keep, level, release, reserve, retake};
use crate::error::Error;
use crate::moment::Time;
use crate::pg::statement::{Session, Statement, run_text, writing};
use crate::pg::value::ToCell;
use pgrx::pg_sys::UUIDOID;
use uuid::Uuid;

const TABLES: &str = include_str!("../../sql/catalog/price_tables.sql");

/// The row that says which version's objects a database has.
const INSTALLED: &str = concat!(
    "INSERT INTO pg_catalog.pg_extension (oid, extname, extowner, extnamespace, extrelocatable, extversion) ",
    "SELECT 16000, 'pg_credits', 10, 11, false, '",
    env!("CARGO_PKG_VERSION"),
    "'"
);

/// The tables alone, in a database that is to pass for one with this version of the extension.
fn make_tables(session: &Session) -> Result<(), Error> {
    run_text(session, INSTALLED)?;
    let stock =
        TABLES.split_once("CREATE TABLE credits_internal.price_stock").map(|(_, stock)| stock).unwrap_or_default();
    let stock = stock.split_once("SELECT pg_catalog").map(|(stock, _)| stock).unwrap_or_default();
    run_text(session, &format!("CREATE SCHEMA credits_internal; CREATE TABLE credits_internal.price_stock{stock}"))
}

static COUNTED: Statement = Statement::new(
    c"SELECT s.taken::bigint, (SELECT coalesce(sum(r.quantity), 0) FROM credits_internal.stock_reservations r
                               WHERE r.price_id = s.price_id AND r.released_at IS NULL)
      FROM credits_internal.price_stock s WHERE s.price_id = $1",
    &[UUIDOID],
);

/// How many are taken, which is what is reserved.
fn taken(session: &Session, price_id: Uuid) -> i64 {
    let rows = COUNTED.run(session, &[price_id.cell()]).unwrap();
    let mut row = rows.first().unwrap();
    let (taken, reserved): (i64, i64) = (row.next().unwrap(), row.next().unwrap());
    assert_eq!(taken, reserved);
    taken
}

/// All that a purchase may do, and what comes of it where another wants the same.
pub fn what_a_purchase_does_with_stock() {
    writing(|session| {
        make_tables(session)?;
        let [few, any_number] = [1, 2].map(Uuid::from_u128);
        let [first, second] = [11, 12].map(Uuid::from_u128);
        let (now, later) = (Time(0), Time(60_000_000));
        level::set(session, few, 3, now)?;
        let units = |units: i64| vec![(any_number, Decimal::new(15, 1)), (few, Decimal::from(units))];
        let mut states = Vec::new();
        let mut state = |result: Result<(), Error>| match result {
            Ok(()) => states.push((String::from("done"), taken(session, few))),
            Err(error) => states.push((error.sqlstate().to_string(), taken(session, few))),
        };
        let again = |holder, until, now| match retake(session, "ann", holder, until, now) {
            Ok(true) => Ok(()),
            Ok(false) => Err(Error::argument("it", "is gone")),
            Err(error) => Err(error),
        };
        // Once, however often; more of it adds what is missing, and less gives back.
        state(reserve(session, "ann", first, &units(2), Some(later), now));
        state(reserve(session, "ann", first, &units(2), Some(later), now));
        state(reserve(session, "ann", first, &units(3), Some(later), now));
        state(reserve(session, "ann", first, &units(4), Some(later), now));
        state(reserve(session, "ann", first, &units(1), Some(later), now));
        // Given back once, and taken again.
        state(release(session, "ann", first, now));
        state(release(session, "ann", first, now));
        state(reserve(session, "ann", first, &units(3), Some(later), now));
        state(release(session, "ann", first, now));
        state(again(first, Some(later), now));
        state(again(first, Some(later), now));
        // Run out, it is another's, and it cannot be taken again as long as it is.
        state(reserve(session, "ann", second, &units(1), None, now));
        state(reserve(session, "ann", second, &units(1), None, later));
        state(again(first, None, later));
        state(release(session, "ann", second, later));
        state(again(first, Some(later), later));
        // Kept, it does not run out.
        state(keep(session, "ann", first));
        state(reserve(session, "ann", second, &units(1), None, later));
        // Released once more, and without a limit: it is not counted.
        state(release(session, "ann", first, later));
        state(level::set(session, few, level::UNLIMITED, later));
        state(again(first, None, later));
        state(again(Uuid::from_u128(13), None, later));
        let expected = [
            ("done", 2),
            ("done", 2),
            ("done", 3),
            ("PC017", 3),
            ("done", 1),
            ("done", 0),
            ("done", 0),
            ("done", 3),
            ("done", 0),
            ("done", 3),
            ("done", 3),
            ("PC017", 3),
            ("done", 1),
            ("PC013", 1),
            ("done", 0),
            ("done", 3),
            ("done", 3),
            ("PC017", 3),
            ("done", 0),
            ("done", 0),
            ("done", 0),
            ("done", 0),
        ];
        assert_eq!(states, expected.map(|(state, taken)| (state.to_string(), taken)));
        Ok(())
    })
    .unwrap();
}
