//! A coupon of a purchase whose payment takes a while: reserved for a time, kept, released, taken again, and honoured although
//! nothing is left.

use crate::amount::Decimal;
use crate::catalog::redemption::{Quote, Verification, confirm, keep, release, release_late, reserve, retake};
use crate::error::Error;
use crate::moment::Time;
use crate::pg::statement::{Session, Statement, run_text, writing};
use crate::pg::value::ToCell;
use pgrx::pg_sys::{TEXTOID, UUIDOID};
use uuid::Uuid;

const TABLES: [&str; 5] = [
    include_str!("../../sql/catalog/coupon_tables.sql"),
    include_str!("../../sql/catalog/promotion_code_tables.sql"),
    include_str!("../../sql/catalog/redemption_tables.sql"),
    include_str!("../../sql/outbox/billing_event_tables.sql"),
    include_str!("../../sql/outbox/webhook_endpoint_tables.sql"),
];

/// What events of discounts ask subscriptions.
const SUBSCRIPTIONS: &str = "
    CREATE TABLE credits_internal.subscriptions (customer_id text, subscription_id uuid, discount_start timestamptz,
                                                 discount_end timestamptz)";

/// One coupon that may be used twice, one that may be used by each customer once, and a code of the first, that is used up
/// with one.
const ROWS: &str = "
    INSERT INTO credits_internal.coupons (coupon_id, name, percent_off, duration, active, max_redemptions_per_customer,
                                          created_at, updated_at)
    SELECT lpad(n::text, 32, '0')::uuid, 'x', 5, 'once', true, most, now(), now() FROM (VALUES (1, NULL), (2, 1)) v(n, most);
    INSERT INTO credits_internal.coupon_counters (coupon_id, max_redemptions)
    SELECT coupon_id, CASE WHEN max_redemptions_per_customer IS NULL THEN 2 END FROM credits_internal.coupons;
    INSERT INTO credits_internal.promotion_code_counters (promotion_code_id, max_redemptions)
    VALUES (lpad('3', 32, '0')::uuid, 1), (lpad('4', 32, '0')::uuid, NULL)";

static COUNTED: Statement = Statement::scanning(
    c"SELECT string_agg(s.taken::text, ' ' ORDER BY s.id), bool_and(s.taken = s.held)
      FROM (SELECT u.coupon_id AS id, u.taken,
                   (SELECT count(*) FROM credits_internal.redemptions r
                    WHERE r.coupon_id = u.coupon_id AND r.released_at IS NULL AND NOT r.over_quota) AS held
            FROM credits_internal.coupon_counters u
            UNION ALL
            SELECT u.promotion_code_id, u.taken,
                   (SELECT count(*) FROM credits_internal.redemptions r
                    WHERE r.promotion_code_id = u.promotion_code_id AND r.released_at IS NULL AND NOT r.over_quota)
            FROM credits_internal.promotion_code_counters u) s",
    &[],
);

static LOGGED: Statement = Statement::new(
    c"SELECT coalesce(string_agg(l.action, ' ' ORDER BY l.log_no), '') FROM credits_internal.discount_log l
      WHERE l.customer_id = $1 AND l.holder_id = $2",
    &[TEXTOID, UUIDOID],
);

/// How many of each are taken, which is what is held.
fn taken(session: &Session) -> String {
    let rows = COUNTED.run(session, &[]).unwrap();
    let mut row = rows.first().unwrap();
    let (taken, agrees): (String, bool) = (row.next().unwrap(), row.next().unwrap());
    assert!(agrees, "{taken}");
    taken
}

fn logged(session: &Session, customer_id: &str, holder_id: Uuid) -> String {
    let rows = LOGGED.run(session, &[customer_id.cell(), holder_id.cell()]).unwrap();
    rows.first().unwrap().next().unwrap()
}

fn quote(coupon: u128, code: Option<u128>, cents: i64) -> Quote {
    Quote {
        coupon_id: Uuid::from_u128(coupon),
        promotion_code_id: code.map(Uuid::from_u128),
        code: code.map(|code| code.to_string()),
        currency: String::from("USD"),
        amount: Decimal::new(cents, 2),
        per_line: Vec::new(),
        verification: Verification::default(),
        per_customer: (coupon == 2).then_some(1),
    }
}

/// All that a purchase may do with a coupon. The tables of stock are there, and so is their schema.
pub fn what_a_purchase_does_with_a_coupon() {
    writing(|session| {
        for tables in TABLES {
            run_text(session, tables.split_once("SELECT pg_catalog").map(|(tables, _)| tables).unwrap_or_default())?;
        }
        run_text(session, SUBSCRIPTIONS)?;
        run_text(session, ROWS)?;
        let [first, second, third, fourth] = [11, 12, 13, 14].map(Uuid::from_u128);
        let (now, later) = (Time(0), Time(60_000_000));
        let mut states: Vec<(String, String)> = Vec::new();
        let mut state = |result: Result<(), Error>| {
            let said = result.map_or_else(|error| error.sqlstate().to_string(), |()| String::from("done"));
            states.push((said, taken(session)));
        };
        // Once, however often; another code of it, and another coupon, in the place of the first.
        state(reserve(session, "ann", first, &quote(1, Some(3), 500), Some(later), now));
        state(reserve(session, "ann", first, &quote(1, Some(3), 500), Some(later), now));
        state(reserve(session, "ann", first, &quote(1, Some(3), 700), Some(later), now));
        state(reserve(session, "ann", first, &quote(1, Some(4), 700), Some(later), now));
        state(reserve(session, "ann", first, &quote(2, None, 100), Some(later), now));
        state(reserve(session, "ann", first, &quote(1, Some(3), 500), Some(later), now));
        // The coupon is used up.
        state(reserve(session, "ben", second, &quote(1, None, 500), Some(later), now));
        state(reserve(session, "cid", third, &quote(1, None, 500), None, now));
        // Kept, it does not run out; the other does, and goes to whoever needs it.
        state(keep(session, "ann", first));
        state(reserve(session, "cid", third, &quote(1, None, 500), None, later));
        // Paid for all the same, it is honoured, and over quota: once.
        state(confirm(session, "ben", second, later));
        state(confirm(session, "ben", second, later));
        state(release(session, "ben", second, later));
        // What is paid for is not given back; what is not paid for is, once, and is taken again where that is possible.
        state(confirm(session, "cid", third, later));
        state(release(session, "cid", third, later));
        state(release(session, "ann", first, later));
        state(release(session, "ann", first, later));
        state(confirm(session, "ann", first, later));
        // What has none is not confirmed, kept or given back.
        state(confirm(session, "ann", fourth, later));
        state(keep(session, "ann", fourth));
        state(release(session, "ann", fourth, later));
        // Once for a customer: what ran out of his is gone, and comes back over quota.
        state(reserve(session, "dot", first, &quote(2, Some(4), 100), Some(later), now));
        state(reserve(session, "dot", second, &quote(2, Some(4), 100), Some(later.plus_seconds(60)), later));
        state(confirm(session, "dot", first, later));
        state(release(session, "dot", second, later));
        // Tried again, it is taken again, once; where nothing is left, it is not.
        let again = |customer: &str, holder, until, now| match retake(session, customer, holder, until, now) {
            Ok(true) => Ok(()),
            Ok(false) => Err(Error::argument("it", "is gone")),
            Err(error) => Err(error),
        };
        state(again("dot", second, Some(later), now));
        state(again("dot", fourth, None, now));
        state(reserve(session, "eve", second, &quote(2, Some(4), 100), None, now));
        state(release(session, "eve", second, now));
        state(again("eve", second, Some(later), now));
        state(again("eve", second, None, now));
        state(release(session, "eve", second, now));
        state(reserve(session, "dot", third, &quote(2, None, 100), Some(later), now));
        state(release_late(session, 100, later).map(drop));
        let expected = [
            ("done", "1 0 1 0"),
            ("done", "1 0 1 0"),
            ("done", "1 0 1 0"),
            ("done", "1 0 0 1"),
            ("done", "0 1 0 0"),
            ("done", "1 0 1 0"),
            ("done", "2 0 1 0"),
            ("PC016", "2 0 1 0"),
            ("done", "2 0 1 0"),
            ("done", "2 0 1 0"),
            ("done", "2 0 1 0"),
            ("done", "2 0 1 0"),
            ("done", "2 0 1 0"),
            ("done", "2 0 1 0"),
            ("done", "2 0 1 0"),
            ("done", "1 0 0 0"),
            ("done", "1 0 0 0"),
            ("done", "2 0 1 0"),
            ("done", "2 0 1 0"),
            ("done", "2 0 1 0"),
            ("done", "2 0 1 0"),
            ("done", "2 1 1 1"),
            ("done", "2 1 1 1"),
            ("done", "2 1 1 1"),
            ("done", "2 0 1 0"),
            ("PC013", "2 0 1 0"),
            ("done", "2 0 1 0"),
            ("done", "2 1 1 1"),
            ("done", "2 0 1 0"),
            ("done", "2 1 1 1"),
            ("done", "2 1 1 1"),
            ("done", "2 0 1 0"),
            ("done", "2 1 1 0"),
            ("done", "2 0 1 0"),
        ];
        assert_eq!(states, expected.map(|(said, taken)| (said.to_string(), taken.to_string())));
        let logs = [
            ("ann", first, "applied applied removed applied removed applied removed applied released confirmed"),
            ("ben", second, "applied released over_quota"),
            ("cid", third, "applied confirmed"),
            ("ann", fourth, ""),
            ("dot", first, "applied released over_quota"),
            ("dot", second, "applied released"),
            ("dot", third, "applied released"),
            ("eve", second, "applied released applied released"),
        ];
        for (customer_id, holder_id, expected) in logs {
            assert_eq!(logged(session, customer_id, holder_id), expected, "{customer_id} {holder_id}");
        }
        Ok(())
    })
    .unwrap();
}
