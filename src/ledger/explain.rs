//! Explains a spend without making it: which grants would pay.

use crate::amount::{self, Decimal};
use crate::error::Error;
use crate::input;
use crate::ledger::engine::book::{Book, Refusal};
use crate::ledger::engine::drawdown::Grant;
use crate::ledger::engine::posting;
use crate::ledger::listener::{self, MeterTerms};
use crate::ledger::{account, balance, currency, customer};
use crate::moment::Time;
use crate::pg::call::argument::Numeric;
use crate::pg::call::reply::{Many, Reply};
use crate::pg::statement::reading;
use crate::row;
use crate::settings;
use pgrx::pg_extern;
use uuid::Uuid;

row! {
    /// One grant that would pay, as `explain_drawdown` returns it; amounts in credits of the currency.
    pub struct DrawRow {
        /// Which.
        pub grant_id: Uuid,
        /// What it would pay.
        pub amount: Decimal,
        /// What would remain of it.
        pub remaining_after: Decimal,
        /// The rule that puts it before the next grant in line.
        pub decided_by: String,
        /// 'paid' or 'promotional'.
        pub category: String,
        /// 0 to 100, lower first.
        pub priority: i32,
        /// NULL for never.
        pub expires_at: Option<Time>,
    }
}

/// `credits.explain_drawdown`. Writes nothing. Raises what the spend itself would: PC001, PC003 to PC005, PC007, PC008,
/// PC013.
#[pg_extern(sql = false)]
fn explain_drawdown(
    customer_id: Option<&str>,
    amount: Option<Numeric>,
    currency: Option<&str>,
    event_name: Option<&str>,
) -> Reply<Many<DrawRow>> {
    Reply((|| {
        let customer_id = input::key("customer_id", customer_id)?;
        let event_name = input::optional_key("event_name", event_name)?;
        let amount = input::number("amount", amount, amount::over_zero)?;
        let now = settings::now()?;
        reading(|session| {
            let meter = event_name.map(|name| listener::meter_in(session, name, currency)).transpose()?;
            event_name.zip(meter.as_ref()).map_or(Ok(()), |(name, meter)| meter.must_be_active(name))?;
            let code = match &meter {
                Some(meter) => meter.currency.clone(),
                None => currency::code_or_default(currency)?,
            };
            currency::check_amount(session, &code, amount)?;
            let mut book = match balance::book(session, customer_id, &code, now)? {
                Some(book) => book,
                None => {
                    customer::must_exist(session, customer_id)?;
                    Book::unused(customer_id, &code)
                }
            };
            let payer = event_name.as_slice();
            posting::take_windows(session, &mut [(&mut book, amount)], payer)?;
            // And one more than pays, to compare the last draw with.
            let loaded = book.payers(event_name).map(|g| g.remaining).sum();
            posting::take_windows(session, &mut [(&mut book, loaded)], payer)?;
            explain(book, amount, event_name.zip(meter)).map(Many)
        })
    })())
}

fn explain(mut book: Book, amount: Decimal, meter: Option<(&str, MeterTerms)>) -> Result<Vec<DrawRow>, Error> {
    let payers: Vec<Grant> = book.payers(meter.as_ref().map(|(name, _)| *name)).cloned().collect();
    let draws =
        book.foresee(meter.as_ref().map(|(name, m)| (*name, m.overage, m.decimals)), amount).map_err(|refusal| {
            match refusal {
                Refusal::Short(short) if meter.is_some() => {
                    account::insufficient_for_usage(&book.customer_id, &book.currency, amount, short)
                }
                Refusal::Short(short) => account::insufficient(&book.customer_id, &book.currency, amount, short),
                Refusal::Limit(reason) => Error::amount("amount", amount, reason),
                Refusal::Exceeded(_) => Error::internal("limits were judged that are not loaded"),
            }
        })?;
    // Draws follow the line, from its first grant on.
    Ok(draws
        .iter()
        .zip(&payers)
        .enumerate()
        .map(|(index, (draw, grant))| DrawRow {
            grant_id: grant.id,
            amount: draw.amount,
            remaining_after: grant.remaining - draw.amount,
            decided_by: payers.get(index + 1).map_or("only grant", |next| grant.comes_before_by(next)).to_string(),
            category: grant.category.as_str().to_string(),
            priority: grant.priority.into(),
            expires_at: Some(grant.expires_at).filter(|at| *at < Time::NEVER),
        })
        .collect())
}
