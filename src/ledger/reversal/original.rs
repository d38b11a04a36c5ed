//! The operation that is reversed: how it is found, what it took, and which grants gave that.

use crate::amount::Decimal;
use crate::error::Error;
use crate::ledger::engine::book::Book;
use crate::ledger::engine::line::LineType;
use crate::ledger::engine::posting;
use crate::ledger::history::{self, Taking};
use crate::ledger::{adjustment, balance, customer};
use crate::moment::{EPOCH, Time};
use crate::pg::statement::{Row, Session, Statement, text};
use crate::pg::value::ToCell;
use pgrx::pg_sys::{INT8OID, TEXTOID, UUIDOID};
use uuid::Uuid;

/// How the caller names it.
#[derive(Debug, Clone, Copy)]
pub enum Named<'a> {
    /// By its id.
    Id(Uuid),
    /// By the idempotency_key of the call.
    Key(&'a str),
    /// A payment from the wallet, by its id, for the room that recorded it.
    Payment(Uuid),
}

/// An operation that took credits.
#[derive(Debug, Clone)]
pub struct Original {
    /// Its id.
    pub operation_id: Uuid,
    /// The currency's code.
    pub currency: String,
    /// What it took in total, so far; of a debit or a capture also what it left owed.
    pub taken: Decimal,
    /// What of that it left owed at first.
    pub owed: Decimal,
    /// The type of the lines that took it.
    pub line_type: LineType,
    /// The argument that names it.
    argument: &'static str,
    /// Its lines are not before this.
    since: Time,
    /// The grant that paid, if one paid all at once.
    payer: Option<Uuid>,
    /// The member who spent.
    pub member_id: Option<String>,
    /// When that was, if it counts towards limits.
    pub spent_at: Option<Time>,
}

/// The columns of an operation, in the order in which [`Original::read`] reads them.
macro_rules! columns {
    () => {
        "SELECT o.operation_id, o.currency, o.function, o.amount, o.reason, o.created_at, o.line_no, o.grant_id,
                h.captured - (SELECT coalesce(sum(p.held), 0) FROM credits_internal.hold_captures p
                              WHERE p.customer_id = h.customer_id AND p.hold_id = h.hold_id),
                coalesce(h.closed_at, h.created_at), o.member_id, c.identifier,
                (SELECT coalesce(sum(r.credits), 0) FROM credits_internal.reclaims r
                 WHERE r.customer_id = o.customer_id AND r.operation_id = o.operation_id)
         FROM credits_internal.operations o
         LEFT JOIN credits_internal.holds h ON h.customer_id = o.customer_id AND h.hold_id = o.operation_id
             AND o.function = 'hold_create'
         LEFT JOIN credits_internal.hold_captures c ON c.customer_id = o.customer_id AND c.capture_id = o.operation_id
             AND o.function = 'hold_capture'
         WHERE o.customer_id = $1 AND "
    };
}

static BY_KEY: Statement = Statement::new(text!(columns!(), "o.idempotency_key = $2"), &[TEXTOID, TEXTOID]);

static BY_ID: Statement =
    Statement::new(text!(columns!(), "o.operation_id = $2 AND o.line_no IS NULL"), &[TEXTOID, UUIDOID]);

// Debits that are their own lines are found by the line.
static AMONG_LINES: Statement = Statement::new(
    text!(columns!(), "o.currency = $2 AND o.line_no > $3 AND o.line_no <= $4 AND o.operation_id = $5"),
    &[TEXTOID, TEXTOID, INT8OID, INT8OID, UUIDOID],
);

/// What stands for the argument where the caller is a room that recorded the payment itself.
const PAYMENT: &str = "payment";

impl Original {
    /// Raises PC003, PC013.
    pub fn find(session: &Session, customer_id: &str, named: Named<'_>) -> Result<Self, Error> {
        let found = match named {
            Named::Key(key) => {
                let rows = BY_KEY.run(session, &[customer_id.cell(), key.cell()])?;
                rows.first().map(|row| Self::read(row, "operation_key")).transpose()?
            }
            Named::Payment(id) => {
                let rows = BY_ID.run(session, &[customer_id.cell(), id.cell()])?;
                rows.first().map(|row| Self::read(row, PAYMENT)).transpose()?
            }
            Named::Id(id) => {
                let rows = BY_ID.run(session, &[customer_id.cell(), id.cell()])?;
                match rows.first() {
                    Some(row) => Some(Self::read(row, "operation_id")?),
                    None => Self::among_lines(session, customer_id, id)?,
                }
            }
        };
        match (found, named) {
            (Some(original), _) => Ok(original),
            (None, named) => {
                customer::must_exist(session, customer_id)?;
                Err(match named {
                    Named::Payment(_) => Error::internal("a payment from the wallet is not there"),
                    Named::Id(id) => {
                        Error::argument("operation_id", format!("{id} is no operation of customer \"{customer_id}\""))
                    }
                    Named::Key(key) => Error::argument(
                        "operation_key",
                        format!("\"{key}\" is the key of no operation of customer \"{customer_id}\""),
                    ),
                })
            }
        }
    }

    /// A debit that is its own line: the id says about when it was made, and so about which line it is.
    fn among_lines(session: &Session, customer_id: &str, id: Uuid) -> Result<Option<Self>, Error> {
        let made_at = id.get_timestamp().map(|at| {
            let (seconds, nanoseconds) = at.to_unix();
            Time(i64::from(nanoseconds / 1_000)).plus_seconds(i64::try_from(seconds).unwrap_or(EPOCH) - EPOCH)
        });
        let Some(made_at) = made_at else { return Ok(None) };
        let mut accounts: Vec<(String, i64, i64)> = Vec::new();
        for currency in balance::currencies(session, customer_id)? {
            if let Some(book) = posting::read_one(session, customer_id, &currency)? {
                accounts.push((currency, history::last_line_by(session, &book, made_at)?, book.last_line));
            }
        }
        let mut reach: i64 = 256;
        while !accounts.is_empty() {
            for (currency, around, _) in &accounts {
                let (after, last) = (around.saturating_sub(reach), around.saturating_add(reach));
                let arguments = [customer_id.cell(), currency.cell(), after.cell(), last.cell(), id.cell()];
                if let Some(row) = AMONG_LINES.run(session, &arguments)?.first() {
                    return Self::read(row, "operation_id").map(Some);
                }
            }
            accounts.retain(|(_, around, last)| around - reach > 0 || around + reach < *last);
            reach = reach.saturating_mul(8);
        }
        Ok(None)
    }

    /// The same as it stands now: more of a hold may have been captured.
    pub fn again(&self, session: &Session, customer_id: &str) -> Result<Self, Error> {
        if self.line_type != LineType::Capture {
            return Ok(self.clone());
        }
        Self::find(session, customer_id, Named::Id(self.operation_id))
    }

    /// Raises PC013 if it is nothing that can be reversed.
    fn read(mut row: Row<'_>, argument: &'static str) -> Result<Self, Error> {
        let operation_id: Uuid = row.next()?;
        let currency = row.next()?;
        let function: String = row.next()?;
        let amount: Decimal = row.next()?;
        let reason: Option<String> = row.next()?;
        let created_at: Time = row.next()?;
        let line_no: Option<i64> = row.next()?;
        let grant_id: Option<Uuid> = row.next()?;
        let captured: Option<Decimal> = row.next()?;
        let captured_since: Option<Time> = row.next()?;
        let (member_id, identifier): (Option<String>, Option<String>) = (row.next()?, row.next()?);
        let owed: Decimal = row.next()?;
        let (taken, line_type) = match function.as_str() {
            "wallet_debit" => (amount, LineType::Debit),
            "invoice_pay" if argument == PAYMENT => (amount, LineType::Debit),
            "invoice_pay" => {
                let reason = "names the payment of an invoice: credits.invoice_void gives back what the wallet paid";
                return Err(Error::argument(argument, reason));
            }
            "hold_capture" if identifier.is_some() => {
                let reason = "names a capture that is an event: credits.meter_event_cancel takes it back";
                return Err(Error::argument(argument, reason));
            }
            "hold_capture" => (amount, LineType::Capture),
            // Captures that are operations of their own are reversed by themselves.
            "hold_create" => (captured.unwrap_or_default(), LineType::Capture),
            // What an opening balance left owed is put right by an adjustment that adds credits.
            "wallet_adjust" if amount < Decimal::ZERO => (-amount - owed, adjustment::takes_by(reason.as_deref())),
            "wallet_adjust" => {
                let reason = "names an adjustment that added credits: credits.credit_grant_void takes its grant back";
                return Err(Error::argument(argument, reason));
            }
            other => {
                let reason = format!(
                    "names a call of {other}: only a debit, a captured hold and an adjustment that took credits can be reversed"
                );
                return Err(Error::argument(argument, reason));
            }
        };
        let since = captured_since.unwrap_or(created_at);
        Ok(Original {
            operation_id,
            currency,
            taken,
            owed: if function == "wallet_adjust" { Decimal::ZERO } else { owed },
            line_type,
            argument,
            since,
            payer: line_no.and(grant_id),
            member_id,
            spent_at: (function != "wallet_adjust").then_some(since),
        })
    }

    /// PC013: nothing of the hold was captured, or all of it is owed.
    pub fn nothing_taken(&self) -> Error {
        let reason = match self.line_type {
            LineType::Capture => {
                "names a hold of which nothing was captured, or only by the captures in the view hold_captures"
            }
            _ => "names a call that took nothing: all of it is owed, or was paid later",
        };
        Error::argument(self.argument, reason)
    }

    /// What grants gave, in that order: at once, and for its debt later, which has so much of it paid.
    pub fn draws(&self, session: &Session, book: &Book, paid: Decimal) -> Result<Vec<(Uuid, Decimal)>, Error> {
        if let Some(grant_id) = self.payer {
            return Ok(vec![(grant_id, self.taken)]);
        }
        let given = self.taken - self.owed + paid;
        let takings = history::takings(session, book, self.operation_id, self.since, given)?;
        // What paid an opening balance's debt is not of the adjustment itself.
        let own = |taking: &Taking| !self.owed.is_zero() || taking.line_type != LineType::Consumption.as_str();
        Ok(takings.into_iter().filter(own).map(|Taking { grant_id, amount, .. }| (grant_id, amount)).collect())
    }
}
