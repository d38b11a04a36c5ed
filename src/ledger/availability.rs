//! Whether work that will cost credits may begin.

use crate::amount::{self, Decimal};
use crate::error::Error;
use crate::input;
use crate::ledger::engine::book::Book;
use crate::ledger::engine::posting;
use crate::ledger::{balance, currency, listener};
use crate::moment::Time;
use crate::pg::call::argument::Numeric;
use crate::pg::call::reply::{One, Reply};
use crate::pg::statement::{Session, Statement, reading};
use crate::pg::value::ToCell;
use crate::row;
use crate::settings;
use pgrx::pg_extern;
use pgrx::pg_sys::{TEXTOID, TIMESTAMPTZOID};

row! {
    /// What `credit_availability` returns; amounts in credits of the currency.
    pub struct AvailabilityRow {
        /// Whether the work may go on.
        pub can_continue: bool,
        /// Why: 'sufficient', 'within_max_pending', 'recharge_in_progress', 'insufficient_credits', 'limit_exceeded'.
        pub reason: String,
        /// What a plain debit, or that meter's events, may take.
        pub available: Decimal,
        /// Usage not yet paid.
        pub pending: Decimal,
        /// Whether an automatic recharge is open.
        pub recharge_in_progress: bool,
        /// What limits leave for such spending; NULL where none applies.
        pub limit_remaining: Option<Decimal>,
        /// Owed, and on invoices that are not paid.
        pub invoiced: Decimal,
    }
}

crate::older!(credit_availability_wrapper => credit_availability_2_wrapper, 5 of 7);

/// `credits.credit_availability`: the gate before work begins. Writes nothing. Raises PC004, PC005, PC007, PC008, PC013.
#[pg_extern(sql = false)]
fn credit_availability_2(
    customer_id: Option<&str>,
    amount: Option<Numeric>,
    currency: Option<&str>,
    max_pending: Option<Numeric>,
    max_recharges: Option<i32>,
    event_name: Option<&str>,
    member_id: Option<&str>,
) -> Reply<One<AvailabilityRow>> {
    Reply((|| {
        let customer_id = input::key("customer_id", customer_id)?;
        let amount = input::optional_number("amount", amount, amount::not_negative)?;
        let max_pending = input::optional_number("max_pending", max_pending, amount::not_negative)?;
        if max_recharges.is_some_and(|most| most < 0) {
            return Err(Error::argument("max_recharges", "must not be negative"));
        }
        let event_name = input::optional_key("event_name", event_name)?;
        let member_id = input::optional_key("member_id", member_id)?;
        let now = settings::now()?;
        reading(|session| {
            let code = match event_name {
                Some(name) => {
                    let meter = listener::meter_in(session, name, currency)?;
                    meter.must_be_active(name)?;
                    meter.currency
                }
                None => currency::code_or_default(currency)?,
            };
            currency::check_amount(session, &code, amount.unwrap_or_default())?;
            let (available, pending, invoiced, left) = match balance::book(session, customer_id, &code, now)? {
                Some(book) => {
                    let left = if book.limited { left(session, &book, member_id, event_name)? } else { None };
                    (payable(session, &book, event_name)?, book.pending, book.invoiced, left)
                }
                None => Default::default(),
            };
            let short = match amount {
                Some(amount) => available < amount,
                None => available.is_zero(),
            };
            let allowed = max_pending.unwrap_or_default();
            // Credits that are being bought, if the caller counts on them.
            let bought = being_bought(session, customer_id, &code, now)?;
            let coming = bought
                .zip(max_recharges)
                .and_then(|(credits, most)| credits.checked_mul(Decimal::from(most)))
                .unwrap_or_default();
            // What would be owed once the work is done: what no credit covers, plus what is owed already, on invoices too.
            let owed = pending + invoiced + (amount.unwrap_or_default() - available).max(Decimal::ZERO);
            let beyond = left.is_some_and(|left| amount.map_or(left.is_zero(), |amount| amount > left));
            let reason = if beyond {
                "limit_exceeded"
            } else if !short && pending <= allowed {
                "sufficient"
            } else if allowed > Decimal::ZERO && owed <= allowed {
                "within_max_pending"
            } else if coming > Decimal::ZERO && owed <= allowed + coming {
                "recharge_in_progress"
            } else {
                "insufficient_credits"
            };
            Ok(One(AvailabilityRow {
                can_continue: !matches!(reason, "insufficient_credits" | "limit_exceeded"),
                reason: reason.to_string(),
                available,
                pending,
                recharge_in_progress: bought.is_some(),
                limit_remaining: left,
                invoiced,
            }))
        })
    })())
}

/// What a plain debit may take, or that meter's events.
fn payable(session: &Session, book: &Book, event_name: Option<&str>) -> Result<Decimal, Error> {
    if event_name.is_none() || book.restricted.is_zero() {
        return Ok(book.available);
    }
    let mut book = book.clone();
    posting::take_windows(session, &mut [(&mut book, Decimal::MAX)], event_name.as_slice())?;
    Ok(book.payers(event_name).map(|grant| grant.remaining).sum())
}

static LEFT: Statement = Statement::new(
    c"SELECT min(l.remaining) FROM credits.limits l
      WHERE l.customer_id = $1 AND l.currency = $2 AND l.action = 'reject'
        AND (l.member_id IS NULL OR l.member_id = $3) AND (l.event_name IS NULL OR l.event_name = $4)",
    &[TEXTOID, TEXTOID, TEXTOID, TEXTOID],
);

/// What the limits that refuse leave for such spending; `None` where none applies.
fn left(
    session: &Session,
    book: &Book,
    member_id: Option<&str>,
    event_name: Option<&str>,
) -> Result<Option<Decimal>, Error> {
    let cells = [book.customer_id.cell(), book.currency.cell(), member_id.cell(), event_name.cell()];
    LEFT.run(session, &cells)?.first().ok_or_else(|| Error::internal("a minimum returned no row"))?.next()
}

static BEING_BOUGHT: Statement = Statement::new(
    c"SELECT credits FROM credits_internal.recharges
      WHERE customer_id = $1 AND currency = $2 AND status IN ('requested', 'processing') AND expires_at > $3",
    &[TEXTOID, TEXTOID, TIMESTAMPTZOID],
);

/// Credits that an open recharge of the account would bring.
fn being_bought(session: &Session, customer_id: &str, currency: &str, now: Time) -> Result<Option<Decimal>, Error> {
    let cells = [customer_id.cell(), currency.cell(), now.cell()];
    BEING_BOUGHT.run(session, &cells)?.first().map(|mut row| row.next()).transpose()
}
