//! Changes of an open hold: more credits or fewer, more time or less.

use crate::amount::{self, AmountError, Decimal};
use crate::error::Error;
use crate::input;
use crate::ledger::engine::limit::Use;
use crate::ledger::engine::line::{Hold, HoldStatus};
use crate::ledger::hold::{self, HoldRow, debts, take_grants};
use crate::ledger::{account, currency};
use crate::moment::Time;
use crate::pg::call::argument::{Id, Interval, Numeric, Timestamptz};
use crate::pg::call::reply::{One, Reply};
use crate::pg::statement::{Session, Statement, writing};
use crate::pg::value::ToCell;
use crate::pg::value::array::array;
use crate::settings;
use pgrx::pg_extern;
use pgrx::pg_sys::{NUMERICARRAYOID, NUMERICOID, TEXTOID, TIMESTAMPTZOID, UUIDARRAYOID, UUIDOID};

/// The longest that a hold may last from now on, in seconds: as with an interval, ten years.
const LONGEST: i64 = 10 * 366 * 24 * 60 * 60;

/// `credits.hold_update`: NULL leaves a thing as it is. Raises PC001, PC007, PC010, PC013.
#[pg_extern(sql = false)]
fn hold_update(
    customer_id: Option<&str>,
    hold_id: Option<Id>,
    amount: Option<Numeric>,
    expires_at: Option<Timestamptz>,
    expires_in: Option<Interval>,
) -> Reply<One<HoldRow>> {
    Reply((|| {
        let customer_id = input::key("customer_id", customer_id)?;
        let hold_id = input::required("hold_id", hold_id)?.0;
        let amount = input::optional_number("amount", amount, amount::over_zero)?;
        if expires_at.is_some() && expires_in.is_some() {
            return Err(Error::argument("expires_in", "must be NULL where expires_at is given"));
        }
        writing(|session| {
            let now = settings::now()?;
            let (mut book, mut stored) = hold::open(session, customer_id, hold_id, now)?;
            if stored.status != HoldStatus::Open {
                return Err(stored.not_open());
            }
            let until = match (expires_at, &expires_in) {
                (Some(at), _) => Some(later(at.0, book.posted_at)?),
                (None, Some(interval)) => Some(interval.after("expires_in", book.posted_at)?),
                (None, None) => None,
            }
            .filter(|until| *until != stored.hold.expires_at);
            let amount = amount.filter(|amount| *amount != stored.amount);
            if amount.is_none() && until.is_none() {
                return Ok(stored.row(&book, true));
            }
            if let Some(until) = until {
                book.hold_until(&mut stored.hold, until);
            }
            let target = amount.unwrap_or(stored.amount);
            check(session, &stored.currency, target, stored.captured)?;
            let more = target - stored.amount;
            let meter = stored.event_name.as_deref();
            take_grants(session, &mut book, &stored.hold, (more.max(Decimal::ZERO), meter.as_slice()))?;
            if more > Decimal::ZERO {
                let (member_id, event_name) = (stored.member_id.as_deref(), meter);
                account::admit(session, &mut book, &Use { member_id, event_name, amount: more })?;
                book.hold_more(&mut stored.hold, meter, more)
                    .map_err(|short| account::insufficient(customer_id, &stored.currency, more, short))?;
            } else if more < Decimal::ZERO {
                let debts = debts(session, &book, &stored.hold, -more)?;
                book.hold_less(&mut stored.hold, -more, debts);
            }
            stored.amount = target;
            write(session, customer_id, &stored.hold, target, book.posted_at)?;
            hold::finish(session, book, stored)
        })
        .map(One)
    })())
}

/// Checks a moment until which a hold is to last. Raises PC013.
fn later(at: Time, now: Time) -> Result<Time, Error> {
    match at {
        at if at <= now => Err(Error::argument("expires_at", format!("must be later than now, {now}: it is {at}"))),
        at if at > now.plus_seconds(LONGEST) => Err(Error::argument("expires_at", "must be within ten years")),
        at => Ok(at),
    }
}

/// Checks what is to be set aside: in the currency's decimals, and not less than what is spent. Raises PC007.
fn check(session: &Session, code: &str, amount: Decimal, captured: Decimal) -> Result<(), Error> {
    let reason = match amount::fit(amount, currency::decimals(session, code)?) {
        Ok(amount) if amount >= captured => return Ok(()),
        Ok(_) => AmountError::LessThanCaptured(captured),
        Err(reason) => reason,
    };
    Err(Error::amount("amount", amount, reason))
}

static WRITE: Statement = Statement::new(
    c"UPDATE credits_internal.holds
      SET amount = $3, grant_ids = $4, grant_amounts = $5, expires_at = $6, updated_at = $7
      WHERE customer_id = $1 AND hold_id = $2",
    &[TEXTOID, UUIDOID, NUMERICOID, UUIDARRAYOID, NUMERICARRAYOID, TIMESTAMPTZOID, TIMESTAMPTZOID],
);

fn write(session: &Session, customer_id: &str, hold: &Hold, amount: Decimal, at: Time) -> Result<(), Error> {
    let cells = [
        customer_id.cell(),
        hold.id.cell(),
        amount.cell(),
        array(hold.parts.iter().map(|(id, _)| *id)),
        array(hold.parts.iter().map(|(_, amount)| *amount)),
        hold.expires_at.cell(),
        at.cell(),
    ];
    WRITE.run(session, &cells).map(drop)
}
