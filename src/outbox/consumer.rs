//! Consumers of the outbox: an administrator makes them, takes their leases away and removes them, so that nobody keeps rows
//! for ever under a name that nobody uses.

use crate::error::Error;
use crate::input;
use crate::moment::Time;
use crate::pg::call::reply::{One, Reply, Value};
use crate::pg::locking::lock::Lock;
use crate::pg::statement::{Session, Statement, writing};
use crate::pg::value::ToCell;
use crate::row;
use crate::settings;
use pgrx::pg_extern;
use pgrx::pg_sys::{TEXTOID, TIMESTAMPTZOID};

row! {
    /// What `outbox_consumer_create` returns.
    pub struct ConsumerRow {
        /// The name that its sessions share.
        pub consumer: String,
        /// When it was made.
        pub created_at: Time,
    } read
}

static CREATE: Statement = Statement::new(
    c"INSERT INTO credits_internal.outbox_consumers AS c (consumer, created_at) VALUES ($1, $2)
      ON CONFLICT (consumer) DO UPDATE SET created_at = c.created_at
      RETURNING c.consumer, c.created_at",
    &[TEXTOID, TIMESTAMPTZOID],
);

/// `credits.outbox_consumer_create`. Raises PC013.
#[pg_extern(sql = false)]
fn outbox_consumer_create(consumer: Option<&str>) -> Reply<One<ConsumerRow>> {
    Reply((|| {
        let consumer = input::key("consumer", consumer)?;
        writing(|session| {
            let rows = CREATE.run(session, &[consumer.cell(), settings::clock()?.cell()])?;
            ConsumerRow::read(rows.first().ok_or_else(|| Error::internal("a consumer was not written"))?).map(One)
        })
    })())
}

/// Shared by whoever claims or acknowledges, taken by whoever removes a consumer: before either looks which there are.
pub fn all(session: &Session) -> Lock {
    Lock::of(session, c"outbox_consumers", ())
}

static FIND: Statement =
    Statement::new(c"SELECT 1 FROM credits_internal.outbox_consumers WHERE consumer = $1", &[TEXTOID]);

/// The consumer is there, and stays until the transaction ends. Raises PC013.
pub fn must_exist(session: &Session, consumer: &str) -> Result<(), Error> {
    all(session).share();
    match FIND.run(session, &[consumer.cell()])?.len() {
        0 => Err(Error::ConsumerNotFound { consumer: consumer.to_string(), is_needed: true }),
        _ => Ok(()),
    }
}

static RELEASE: Statement = Statement::scanning(
    c"UPDATE credits_internal.outbox_positions p SET claimed_until = '-infinity'
      WHERE p.consumer = $1 AND ($2 IS NULL OR p.customer_id = $2) AND p.claimed_until > $3
      RETURNING 1",
    &[TEXTOID, TEXTOID, TIMESTAMPTZOID],
);

/// `credits.outbox_release`. Raises PC013.
#[pg_extern(sql = false)]
fn outbox_release(consumer: Option<&str>, customer_id: Option<&str>) -> Reply<Value<i32>> {
    Reply((|| {
        let consumer = input::key("consumer", consumer)?;
        let customer_id = input::optional_key("customer_id", customer_id)?;
        writing(|session| {
            all(session).share();
            if FIND.run(session, &[consumer.cell()])?.len() == 0 {
                return Err(Error::ConsumerNotFound { consumer: consumer.to_string(), is_needed: false });
            }
            let now = settings::clock()?;
            let released = RELEASE.run(session, &[consumer.cell(), customer_id.cell(), now.cell()])?;
            Ok(Value(released.len() as i32))
        })
    })())
}

static REMOVE: Statement =
    Statement::new(c"DELETE FROM credits_internal.outbox_consumers WHERE consumer = $1 RETURNING 1", &[TEXTOID]);

static FORGET_POSITIONS: Statement =
    Statement::scanning(c"DELETE FROM credits_internal.outbox_positions WHERE consumer = $1", &[TEXTOID]);

// Where nobody is left, what waits stays for whoever is made next.
static FORGET_ROWS: Statement = Statement::scanning(
    c"DELETE FROM credits_internal.outbox o
      WHERE EXISTS (SELECT FROM credits_internal.outbox_consumers)
        AND NOT EXISTS (
          SELECT FROM credits_internal.outbox_consumers c
          LEFT JOIN credits_internal.outbox_positions p ON p.customer_id = o.customer_id AND p.consumer = c.consumer
          WHERE coalesce(p.acked_no, 0) < o.outbox_no)",
    &[],
);

/// `credits.outbox_consumer_remove`: how many rows nobody waits for any more, and which are deleted. Raises PC013.
#[pg_extern(sql = false)]
fn outbox_consumer_remove(consumer: Option<&str>) -> Reply<Value<i64>> {
    Reply((|| {
        let consumer = input::key("consumer", consumer)?;
        writing(|session| {
            all(session).take();
            if REMOVE.run(session, &[consumer.cell()])?.len() == 0 {
                return Err(Error::ConsumerNotFound { consumer: consumer.to_string(), is_needed: false });
            }
            FORGET_POSITIONS.run(session, &[consumer.cell()])?;
            Ok(Value(FORGET_ROWS.run(session, &[])?.written() as i64))
        })
    })())
}
