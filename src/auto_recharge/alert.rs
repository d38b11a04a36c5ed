//! Balance alerts: levels of a balance at which an event is published, once per crossing. What an alert does is in
//! alert/level.rs, pure; it is evaluated with the policies of the balance (evaluation.rs).

mod level;

use crate::amount::{self, Decimal};
use crate::auto_recharge::alert::level::Alert;
use crate::auto_recharge::policy::Verdict;
use crate::error::Error;
use crate::input;
use crate::ledger::engine::book::Book;
use crate::ledger::{account, currency, customer};
use crate::outbox;
use crate::pg::call::argument::{ArrayOf, Number, Numeric};
use crate::pg::call::reply::{One, Reply};
use crate::pg::statement::{Session, Statement, writing};
use crate::pg::value::ToCell;
use crate::pg::value::array::array;
use crate::row;
use crate::settings;
use pgrx::pg_extern;
use pgrx::pg_sys::{INT4OID, NUMERICARRAYOID, NUMERICOID, TEXTOID};
use serde_json::json;

/// What levels are: the names in SQL.
const KINDS: [&str; 2] = ["absolute", "percent"];
/// The most levels of one kind.
const MOST_LEVELS: usize = 20;
/// The decimals of a percentage.
const PERCENT_DECIMALS: u32 = 4;

row! {
    /// What `balance_alert_set` returns.
    pub struct AlertRow {
        /// Whose.
        pub customer_id: String,
        /// The currency's code.
        pub currency: String,
        /// 'absolute' or 'percent'.
        pub kind: String,
        /// The levels, highest first; empty if there are none any more.
        pub levels: Vec<Decimal>,
        /// How many of them the balance is at or below.
        pub reached: i32,
    }
}

/// `credits.balance_alert_set`. Raises PC003, PC007, PC008, PC013.
#[pg_extern(sql = false)]
fn balance_alert_set(
    customer_id: Option<&str>,
    currency: Option<&str>,
    levels: Option<ArrayOf<Numeric>>,
    kind: Option<&str>,
) -> Reply<One<AlertRow>> {
    Reply((|| {
        let customer_id = input::key("customer_id", customer_id)?;
        let code = currency::code_or_default(currency)?;
        let kind = input::choice("kind", kind, KINDS[0], &KINDS)?;
        let given = input::required("levels", levels)?.elements("levels")?;
        writing(|session| {
            let decimals = currency::resolve(session, &code)?.decimals;
            let levels = read_levels(given, kind == KINDS[1], decimals)?;
            customer::must_exist(session, customer_id)?;
            let book = account::open_or_make(session, customer_id, &code, settings::now()?)?;
            set(session, &book, kind, &levels)?;
            account::evaluate_again(session, book)?;
            let alerts = Stored::read(session, customer_id, &code)?;
            let reached = alerts.iter().find(|stored| stored.kind == kind).map_or(0, |stored| stored.alert.reached);
            Ok(One(AlertRow {
                customer_id: customer_id.to_string(),
                currency: code,
                kind: kind.to_string(),
                levels,
                reached: i32::try_from(reached).unwrap_or(i32::MAX),
            }))
        })
    })())
}

/// Levels, highest first, each once. Raises PC007, PC013.
fn read_levels(given: Vec<Option<Numeric>>, percent: bool, decimals: u32) -> Result<Vec<Decimal>, Error> {
    if given.len() > MOST_LEVELS {
        return Err(Error::argument("levels", format!("must have at most {MOST_LEVELS} elements")));
    }
    let mut levels = Vec::with_capacity(given.len());
    for level in given {
        let level = input::required("levels", level)?;
        let text = level.text();
        let check =
            |n| amount::not_negative(n).and_then(|n| amount::fit(n, if percent { PERCENT_DECIMALS } else { decimals }));
        let level = input::number("levels", Some(level), check)?;
        if percent && level >= Decimal::ONE_HUNDRED {
            return Err(Error::argument("levels", format!("in percent must be less than 100 (one is {text})")));
        }
        levels.push(level);
    }
    levels.sort_unstable_by(|one, other| other.cmp(one));
    levels.dedup();
    Ok(levels)
}

static SET: Statement = Statement::new(
    c"INSERT INTO credits_internal.balance_alerts AS b (customer_id, currency, kind, levels, full_balance)
      VALUES ($1, $2, $3, $4, $5)
      ON CONFLICT (customer_id, currency, kind) DO UPDATE
      SET levels = excluded.levels, reached = CASE WHEN b.levels = excluded.levels THEN b.reached ELSE 0 END",
    &[TEXTOID, TEXTOID, TEXTOID, NUMERICARRAYOID, NUMERICOID],
);

static REMOVE: Statement = Statement::new(
    c"DELETE FROM credits_internal.balance_alerts WHERE customer_id = $1 AND currency = $2 AND kind = $3",
    &[TEXTOID, TEXTOID, TEXTOID],
);

/// Other levels are published anew where the balance is at or below them.
fn set(session: &Session, book: &Book, kind: &str, levels: &[Decimal]) -> Result<(), Error> {
    let key = [book.customer_id.cell(), book.currency.cell(), kind.cell()];
    if levels.is_empty() {
        return REMOVE.run(session, &key).map(drop);
    }
    let [customer_id, currency, kind] = key;
    let cells = [customer_id, currency, kind, array(levels.iter()), book.available.cell()];
    SET.run(session, &cells).map(drop)
}

static READ: Statement = Statement::new(
    c"SELECT b.kind, b.levels, b.full_balance, b.reached FROM credits_internal.balance_alerts b
      WHERE b.customer_id = $1 AND b.currency = $2 ORDER BY b.kind",
    &[TEXTOID, TEXTOID],
)
.before(c"SELECT NULL::text, NULL::numeric[], NULL::numeric, NULL::integer WHERE false");

/// An alert from its row.
struct Stored {
    kind: String,
    alert: Alert,
}

impl Stored {
    fn read(session: &Session, customer_id: &str, currency: &str) -> Result<Vec<Stored>, Error> {
        let rows = READ.run(session, &[customer_id.cell(), currency.cell()])?;
        let stored = rows.iter().map(|mut row| {
            let kind: String = row.next()?;
            let alert = Alert {
                percent: kind == KINDS[1],
                levels: row.next()?,
                full: row.next()?,
                reached: usize::try_from(row.next::<i32>()?).unwrap_or_default(),
            };
            Ok(Stored { kind, alert })
        });
        stored.collect()
    }
}

static WRITE: Statement = Statement::new(
    c"UPDATE credits_internal.balance_alerts SET full_balance = $4, reached = $5
      WHERE customer_id = $1 AND currency = $2 AND kind = $3",
    &[TEXTOID, TEXTOID, TEXTOID, NUMERICOID, INT4OID],
);

/// Follows the balance with each alert of its account: publishes the levels that it has come down to, and has it
/// evaluated again at the next level.
pub fn follow(session: &Session, book: &Book, unit: Decimal, verdict: &mut Verdict) -> Result<(), Error> {
    for Stored { kind, mut alert } in Stored::read(session, &book.customer_id, &book.currency)? {
        let before = alert.clone();
        for level in alert.follow(book.available, book.evaluation.came, unit) {
            publish(session, book, &kind, level, &alert);
        }
        if alert != before {
            let reached = i32::try_from(alert.reached).unwrap_or(i32::MAX);
            let cells = [book.customer_id.cell(), book.currency.cell(), kind.cell(), alert.full.cell(), reached.cell()];
            WRITE.run(session, &cells)?;
        }
        let (below, above) = alert.bounds(unit);
        verdict.below = verdict.below.max(below);
        verdict.above = verdict.above.into_iter().chain(above).min();
    }
    Ok(())
}

fn publish(session: &Session, book: &Book, kind: &str, level: Decimal, alert: &Alert) {
    let mut payload = json!({
        "currency": book.currency,
        "available": book.available.normalize().to_string(),
        "kind": kind,
        "level": level.normalize().to_string(),
    });
    if alert.percent {
        payload["full_balance"] = alert.full.normalize().to_string().into();
    }
    outbox::publish(session, &book.customer_id, "balance.alert", &payload, book.posted_at);
}
