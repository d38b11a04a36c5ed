//! Which lines of the history are wanted.

use crate::error::Error;
use crate::ledger::balance;
use crate::ledger::history::{HistoryRow, lines_between, selecting};
use crate::moment::Time;
use crate::pg::statement::{Session, Statement, text};
use crate::pg::value::ToCell;
use crate::settings;
use pgrx::pg_sys::{INT8OID, TEXTOID, UUIDOID};
use uuid::Uuid;

// Which lines they are is asked of the lines alone; what they are about is looked up for those of the page.
static FILTERED: Statement = Statement::in_order(
    selecting!(
        "JOIN (SELECT x.line_no FROM credits_internal.lines x
               WHERE x.customer_id = $1 AND x.currency = $2 AND x.line_no < $3 AND x.line_no > $5
                 AND ($6 IS NULL OR x.type = $6) AND ($7 IS NULL OR x.grant_id = $7)
                 AND ($8 IS NULL OR x.event_name = $8
                      OR (x.event_name IS NULL AND x.identifier IS NOT NULL AND EXISTS (
                          SELECT FROM credits_internal.meter_events e
                          WHERE e.customer_id = x.customer_id AND e.identifier = x.identifier AND e.event_name = $8)))
                 AND ($9 IS NULL OR x.subscription_id = $9
                      OR (x.event_name IS NULL AND x.identifier IS NOT NULL AND EXISTS (
                          SELECT FROM credits_internal.meter_events e
                          WHERE e.customer_id = x.customer_id AND e.identifier = x.identifier
                            AND e.subscription_id = $9)))
                 AND ($10 IS NULL OR x.transaction_id = $10)
               ORDER BY x.line_no DESC LIMIT $4) n ON n.line_no = l.line_no
         WHERE l.customer_id = $1 AND l.currency = $2 ORDER BY n.line_no DESC"
    ),
    &[TEXTOID, TEXTOID, INT8OID, INT8OID, INT8OID, TEXTOID, UUIDOID, TEXTOID, TEXTOID, UUIDOID],
);

/// Which lines are wanted; `None` is any.
pub struct Filter<'a> {
    /// Of usage of this subscription.
    pub subscription_id: Option<&'a str>,
    /// Of this grant.
    pub grant_id: Option<Uuid>,
    /// Of this meter's usage.
    pub event_name: Option<&'a str>,
    /// Of this type.
    pub kind: Option<&'a str>,
    /// From when on.
    pub start_at: Option<Time>,
    /// Until when, excluded.
    pub end_at: Option<Time>,
    /// This line.
    pub transaction_id: Option<Uuid>,
}

impl Filter<'_> {
    /// Whether any line is not.
    pub fn is_set(&self) -> bool {
        self.subscription_id.is_some()
            || self.grant_id.is_some()
            || self.event_name.is_some()
            || self.kind.is_some()
            || self.start_at.is_some()
            || self.end_at.is_some()
            || self.transaction_id.is_some()
    }

    /// The numbers between which the lines are, both excluded, as far as time, grant and transaction say.
    fn between(
        &self,
        session: &Session,
        account: (&str, &str),
        grant: Option<&(String, Time)>,
    ) -> Result<(i64, i64), Error> {
        let mut since = self.start_at;
        if let Some((of, at)) = grant {
            if of != account.1 {
                return Ok((0, 0));
            }
            since = Some(since.map_or(*at, |start| start.max(*at)));
        }
        let (mut after, mut before) = lines_between(session, account, (since, self.end_at))?;
        if let Some(id) = self.transaction_id {
            let line_no = (id.as_u128() & 0xFFFF_FFFF_FFFF) as i64;
            (after, before) = (after.max(line_no - 1), before.min(line_no + 1));
        }
        Ok((after, before))
    }

    /// The grant's currency, and when it can have had its first line. Raises PC009.
    pub fn grant(&self, session: &Session, customer_id: &str) -> Result<Option<(String, Time)>, Error> {
        let Some(grant_id) = self.grant_id else { return Ok(None) };
        let missing = || Error::GrantNotFound { customer_id: customer_id.to_string(), grant_id };
        let rows = GRANT.run(session, &[customer_id.cell(), grant_id.cell()])?;
        if let Some(mut row) = rows.first() {
            return Ok(Some((row.next()?, row.next()?)));
        }
        // What a grant rolled over into has no lines yet where that is not posted.
        for code in balance::currencies(session, customer_id)? {
            let book = balance::book(session, customer_id, &code, settings::now()?)?;
            let new = book.iter().flat_map(|book| &book.rolled_over).find(|new| new.grant_id == grant_id);
            if let Some(new) = new {
                return Ok(Some((code, new.effective_at)));
            }
        }
        Err(missing())
    }

    /// The last of an account's lines that it leaves, before a line.
    pub fn lines(
        &self,
        session: &Session,
        account @ (customer_id, currency): (&str, &str),
        before: i64,
        page_size: i64,
        grant: Option<&(String, Time)>,
    ) -> Result<Vec<HistoryRow>, Error> {
        let (after, end) = self.between(session, account, grant)?;
        let before = before.min(end);
        if after + 1 >= before {
            return Ok(Vec::new());
        }
        let rows = FILTERED.run(
            session,
            &[
                customer_id.cell(),
                currency.cell(),
                before.cell(),
                page_size.cell(),
                after.cell(),
                self.kind.cell(),
                self.grant_id.cell(),
                self.event_name.cell(),
                self.subscription_id.cell(),
                self.transaction_id.cell(),
            ],
        )?;
        rows.iter().map(HistoryRow::read).collect()
    }
}

static GRANT: Statement = Statement::new(
    c"SELECT currency, least(created_at, effective_at) FROM credits_internal.credit_grants
      WHERE customer_id = $1 AND grant_id = $2",
    &[TEXTOID, UUIDOID],
);
