//! What corrections of events have in common, cancellations and adjustments: the event's row, and what grants paid for
//! it. Each is in a file of correction/.

mod adjustment;
pub mod cancellation;
mod invoiced;

use crate::amount::Decimal;
use crate::error::Error;
use crate::ledger::engine::book::{Book, Usage, net_draws};
use crate::ledger::engine::drawdown::Grant;
use crate::ledger::engine::line::{Debt, Period};
use crate::ledger::engine::posting;
use crate::ledger::history;
use crate::moment::Time;
use crate::pg::statement::{Session, Statement};
use crate::pg::value::{Json, ToCell};
use pgrx::pg_sys::{INT8OID, TEXTOID};
use std::rc::Rc;
use uuid::Uuid;

/// An event from its row.
pub struct Stored {
    /// The caller's own.
    pub identifier: String,
    /// Its meter.
    pub event_name: String,
    /// What it was charged in.
    pub currency: String,
    /// How much, in the meter's unit: as adjusted last.
    pub value: Decimal,
    /// Credits paid for it, less what came back.
    pub consumed: Decimal,
    /// Credits owed for it.
    pub pending: Decimal,
    /// Its number in payment order, if it owes something.
    pub debt_no: Option<i64>,
    /// When the usage happened.
    pub occurred_at: Time,
    /// The application's own.
    pub metadata: Option<Json>,
    /// Which version of its meter's prices it has.
    pub price_version: i32,
    /// The period whose usage it is priced with.
    pub period: Option<Rc<Period>>,
    /// What came back, if it was canceled already.
    pub returned: Option<Decimal>,
    /// How often it was adjusted.
    pub adjustments: i32,
    /// The member whose usage it is.
    pub member_id: Option<String>,
    /// What its meter's second currency paid.
    pub second: Option<Second>,
    created_at: Time,
    /// What came back by adjustments.
    returned_before: Decimal,
    /// The grant that paid, if one paid all at once.
    payer: Option<Uuid>,
}

/// What a meter's second currency paid for an event.
pub struct Second {
    /// Which.
    pub currency: String,
    /// Credits of it.
    pub amount: Decimal,
}

static FIND: Statement = Statement::new(
    c"SELECT e.identifier, e.event_name, e.currency, e.value, e.consumed, e.pending, d.debt_no, e.occurred_at,
             e.created_at, e.metadata, e.price_version, e.grant_id, e.period_key, e.returned, a.adjustments, a.returned,
             e.member_id, f.currency, f.amount
      FROM credits_internal.events e
      LEFT JOIN credits_internal.event_debts d ON d.customer_id = e.customer_id AND d.identifier = e.identifier
      LEFT JOIN credits_internal.event_fallbacks f ON f.customer_id = e.customer_id AND f.identifier = e.identifier
      CROSS JOIN LATERAL (SELECT count(*)::integer AS adjustments, coalesce(sum(a.returned), 0) AS returned
                          FROM credits_internal.event_adjustments a
                          WHERE a.customer_id = e.customer_id AND a.identifier = e.identifier) a
      WHERE e.customer_id = $1 AND e.identifier = $2",
    &[TEXTOID, TEXTOID],
)
.before(
    c"SELECT e.identifier, e.event_name, e.currency, e.value, e.consumed, e.pending, d.debt_no, e.occurred_at,
             e.created_at, e.metadata, e.price_version, e.grant_id, e.period_key, e.returned, 0, 0::numeric, NULL::text,
             NULL::text, NULL::numeric
      FROM credits_internal.events e
      LEFT JOIN credits_internal.event_debts d ON d.customer_id = e.customer_id AND d.identifier = e.identifier
      WHERE e.customer_id = $1 AND e.identifier = $2",
);

impl Stored {
    /// Raises PC013.
    pub fn find(session: &Session, customer_id: &str, identifier: &str) -> Result<Self, Error> {
        let rows = FIND.run(session, &[customer_id.cell(), identifier.cell()])?;
        let missing = || {
            Error::argument(
                "identifier",
                format!("\"{identifier}\" is no event of customer \"{customer_id}\": see the view credits.usage"),
            )
        };
        let mut row = rows.first().ok_or_else(missing)?;
        let mut event = Stored {
            identifier: row.next()?,
            event_name: row.next()?,
            currency: row.next()?,
            value: row.next()?,
            consumed: row.next()?,
            pending: row.next()?,
            debt_no: row.next()?,
            occurred_at: row.next()?,
            created_at: row.next()?,
            metadata: row.next()?,
            price_version: row.next()?,
            payer: row.next()?,
            period: None,
            returned: None,
            adjustments: 0,
            member_id: None,
            second: None,
            returned_before: Decimal::ZERO,
        };
        let key: Option<String> = row.next()?;
        event.period = key.map(|key| Rc::new(Period { event_name: event.event_name.clone(), key }));
        (event.returned, event.adjustments, event.returned_before) = (row.next()?, row.next()?, row.next()?);
        event.member_id = row.next()?;
        if let Some(currency) = row.next()? {
            event.second = Some(Second { currency, amount: row.next()? });
        }
        Ok(event)
    }

    /// Applies what the book did to it, posted or not.
    pub fn follow(&mut self, book: &Book) {
        if let Some(charged) = book.charged_for(&self.identifier) {
            (self.consumed, self.pending) = charged;
        }
    }

    /// The event as the book charges it.
    pub fn usage(&self) -> Usage<'_> {
        Usage {
            member_id: self.member_id.as_deref(),
            period: self.period.clone(),
            consumed: self.consumed,
            debt_no: self.debt_no,
            ..Usage::new(&self.identifier, &self.event_name)
        }
    }

    /// What grants paid for it and did not get back, in the order in which they paid. If its row is not its own line,
    /// its lines begin where it was reported, and most events are paid there; so the ledger is read from there on, in
    /// growing steps, until everything that was paid, and everything that came back, is found.
    pub fn draws(&self, session: &Session, book: &Book) -> Result<Vec<(Uuid, Decimal)>, Error> {
        match self.payer {
            Some(grant_id) => Ok(vec![(grant_id, self.consumed)]),
            None if self.consumed <= Decimal::ZERO => Ok(Vec::new()),
            None => self.draws_of(session, book, (self.consumed + self.returned_before, self.returned_before)),
        }
    }

    /// The same for an account in which lines paid so much for it, and so much came back.
    pub fn draws_of(
        &self,
        session: &Session,
        book: &Book,
        (mut paid, mut back): (Decimal, Decimal),
    ) -> Result<Vec<(Uuid, Decimal)>, Error> {
        let mut lines = Vec::new();
        let mut after = history::last_line_by(session, book, Time(self.created_at.0 - 1))?;
        let mut step = 256;
        while paid > Decimal::ZERO || back > Decimal::ZERO {
            if after >= book.last_line {
                return Err(Error::internal("an event was paid by lines that are not there"));
            }
            let last = after + step;
            let arguments =
                [book.customer_id.cell(), book.currency.cell(), after.cell(), last.cell(), self.identifier.cell()];
            for mut row in LINES.run(session, &arguments)?.iter() {
                let line: (Uuid, Decimal) = (row.next()?, row.next()?);
                paid -= line.1.max(Decimal::ZERO);
                back -= (-line.1).max(Decimal::ZERO);
                lines.push(line);
            }
            (after, step) = (last, step * 4);
        }
        Ok(net_draws(lines))
    }
}

/// Loads what credits that come back touch: the grants that paid, and those that pay next. Returns the debts that they may
/// pay.
fn debts_to_pay(
    session: &Session,
    book: &mut Book,
    draws: &[(Uuid, Decimal)],
    amount: Decimal,
) -> Result<Vec<Debt>, Error> {
    let grants: Vec<Uuid> = draws.iter().map(|(grant_id, _)| *grant_id).collect();
    posting::take_windows(session, &mut [(&mut *book, Decimal::ZERO)], &[])?;
    posting::take_grants(session, book, &grants)?;
    // If one of the grants is for certain meters only, it may pay any of the debts.
    let restricted = grants.iter().any(|id| book.grant(*id).is_none_or(Grant::is_restricted));
    posting::debts(session, book, (!restricted).then_some(amount), None)
}

static LINES: Statement = Statement::new(
    c"SELECT grant_id, CASE type WHEN 'capture' THEN -held ELSE -amount END FROM credits_internal.lines
      WHERE customer_id = $1 AND currency = $2 AND line_no > $3 AND line_no <= $4 AND identifier = $5
        AND (amount <> 0 OR type = 'capture')
      ORDER BY line_no",
    &[TEXTOID, TEXTOID, INT8OID, INT8OID, TEXTOID],
);
