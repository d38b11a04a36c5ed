//! Payments: what providers, or people, say of the money for a top-up. Credits are granted once, whatever is repeated or comes
//! late or out of order; what contradicts what is known is recorded. Refunds and disputes: refund.rs, dispute.rs.

use super::stored::{self, Status, TopUp};
use super::told::{self, Entry, Told};
use super::{auto_recharge, money, outbox, reclaim};
use crate::amount::{self, Decimal};
use crate::clock::Time;
use crate::error::Error;
use crate::input;
use crate::ledger::grant::{self, NewGrant};
use crate::ledger::line::LineType;
use crate::ledger::{account, currency, posting, terms};
use crate::pg::argument::{Id, Numeric};
use crate::pg::reply::{One, Reply};
use crate::pg::statement::{Session, writing};
use crate::row;
use crate::settings;
use pgrx::pg_extern;
use serde_json::json;
use uuid::Uuid;

row! {
    /// What `payment_succeeded`, `payment_failed` and `top_up_expire` return.
    pub struct PaymentRow {
        /// The top-up.
        pub top_up_id: Uuid,
        /// What it is by now.
        pub status: String,
        /// The grant, once it is paid.
        pub grant_id: Option<Uuid>,
        /// Credits that it buys.
        pub credits: Decimal,
        /// Of which currency.
        pub credit_currency: String,
        /// What a plain debit may take now.
        pub available: Decimal,
        /// What does not fit what was known; NULL where all does.
        pub contradiction: Option<String>,
        /// Whether this repeats what was told before.
        pub replayed: bool,
    }
}

/// `credits.payment_succeeded`. Raises PC007, PC013, PC014.
#[pg_extern(sql = false)]
fn payment_succeeded(
    customer_id: Option<&str>,
    top_up_id: Option<Id>,
    provider: Option<&str>,
    provider_reference: Option<&str>,
    amount: Option<Numeric>,
) -> Reply<One<PaymentRow>> {
    Reply((|| {
        let (customer_id, top_up_id) = told::subject(customer_id, top_up_id)?;
        let told = Told::read(provider, provider_reference)?;
        let amount = input::optional_number("amount", amount, amount::over_zero)?;
        writing(|session| succeed(session, customer_id, top_up_id, told, amount)).map(One)
    })())
}

/// The money came. Raises PC007, PC014.
pub fn succeed(
    session: &Session,
    customer_id: &str,
    top_up_id: Uuid,
    told: Told<'_>,
    amount: Option<Decimal>,
) -> Result<PaymentRow, Error> {
    let now = settings::now()?;
    let mut top_up = told::lock(session, customer_id, top_up_id)?;
    let paid = amount.unwrap_or(top_up.amount);
    told::fits(session, &top_up, "amount", paid)?;
    if let Some(recorded) = told::was_told(session, &top_up, "succeeded", told)? {
        return answer(session, &top_up, recorded.contradiction, true);
    }
    let entry =
        |contradiction| Entry { kind: "succeeded", told, amount: Some(paid), contradiction, operation_id: None };
    if top_up.grant_id.is_some() {
        if told.reference.is_none() {
            return answer(session, &top_up, None, true);
        }
        let contradiction = "it was paid before, by another payment";
        told::record(session, &top_up, &entry(Some(contradiction)), now)?;
        return answer(session, &top_up, Some(contradiction.to_string()), false);
    }
    let contradiction = match paid {
        less if less < top_up.amount => Some("less was paid than was due: nothing is granted"),
        more if more > top_up.amount => Some("more was paid than was due"),
        _ => None,
    };
    if paid < top_up.amount {
        told::record(session, &top_up, &entry(contradiction), now)?;
        return answer(session, &top_up, contradiction.map(String::from), false);
    }
    top_up.paid_amount = Some(paid);
    (top_up.provider, top_up.provider_reference) = (Some(told.provider.to_string()), told.reference.map(String::from));
    let available = give(session, &mut top_up, now)?;
    stored::save(session, &top_up, now)?;
    told::record(session, &top_up, &entry(contradiction), now)?;
    let payload = json!({
        "top_up_id": top_up.id,
        "grant_id": top_up.grant_id,
        "credits": top_up.credits.normalize().to_string(),
        "credit_currency": top_up.credit_currency,
        "amount": paid.normalize().to_string(),
        "currency": top_up.currency,
        "recharge_id": top_up.recharge_id,
    });
    outbox::tell(session, customer_id, "top_up.paid", &payload, now)?;
    // What was paid back before anybody said that it was paid.
    if top_up.refunded_amount() > Decimal::ZERO || top_up.disputed_amount > Decimal::ZERO {
        reclaim::settle(session, &mut top_up, ("payment_refunded", reclaim::policy(None)?), now)?;
        stored::save(session, &top_up, now)?;
        return answer(session, &top_up, contradiction.map(String::from), false);
    }
    Ok(PaymentRow::new(&top_up, now, available, contradiction.map(String::from), false))
}

/// Grants what was bought; what a plain debit may take then.
fn give(session: &Session, top_up: &mut TopUp, now: Time) -> Result<Decimal, Error> {
    let (customer_id, code) = (top_up.customer_id.clone(), top_up.credit_currency.clone());
    let mut book = account::open_or_make(session, &customer_id, &code, now)?;
    let expires_at = top_up.terms.time_to_live.map_or(Time::NEVER, |lasts| lasts.added_to(book.posted_at));
    let cost_basis = top_up.paid_amount.and_then(|paid| money::cost_basis(paid, top_up.credits));
    let terms = terms::Terms::bought(&top_up.terms, expires_at, cost_basis);
    let id = Uuid::now_v7();
    let new = NewGrant {
        id,
        amount: top_up.credits,
        name: top_up.name.as_deref(),
        granted_by: Some("top_up"),
        metadata: top_up.metadata.as_ref(),
    };
    let decimals = currency::decimals(session, &code)?;
    grant::give(session, &mut book, &new, &terms, (LineType::Grant, None), decimals)?;
    if let Some(recharge_id) = top_up.recharge_id {
        auto_recharge::close(session, &mut book, recharge_id, auto_recharge::Answer::Paid, None)?;
    }
    let available = book.available;
    posting::post(session, &[book])?;
    (top_up.status, top_up.grant_id) = (Status::Paid, Some(id));
    Ok(available)
}

/// `credits.payment_failed`. Raises PC013, PC014.
#[pg_extern(sql = false)]
fn payment_failed(
    customer_id: Option<&str>,
    top_up_id: Option<Id>,
    provider: Option<&str>,
    provider_reference: Option<&str>,
    reason: Option<&str>,
) -> Reply<One<PaymentRow>> {
    Reply((|| {
        let (customer_id, top_up_id) = told::subject(customer_id, top_up_id)?;
        let told = Told::read(provider, provider_reference)?;
        writing(|session| fail(session, customer_id, top_up_id, told, reason)).map(One)
    })())
}

/// The money did not come. A payment may be tried again under the same reference, and fail again: that is told once. Raises
/// PC014.
pub fn fail(
    session: &Session,
    customer_id: &str,
    top_up_id: Uuid,
    told: Told<'_>,
    reason: Option<&str>,
) -> Result<PaymentRow, Error> {
    let now = settings::now()?;
    let mut top_up = told::lock(session, customer_id, top_up_id)?;
    if let Some(recorded) = told::was_told(session, &top_up, "failed", told)? {
        return answer(session, &top_up, recorded.contradiction, true);
    }
    if top_up.status == Status::Failed && told.reference.is_none() {
        return answer(session, &top_up, None, true);
    }
    let contradiction = top_up.grant_id.map(|_| "it was paid before");
    told::record(
        session,
        &top_up,
        &Entry { kind: "failed", told, amount: None, contradiction, operation_id: None },
        now,
    )?;
    if top_up.status == Status::Initiated {
        top_up.status = Status::Failed;
        stored::save(session, &top_up, now)?;
        close_recharge(session, &top_up, auto_recharge::Answer::Failed, reason, now)?;
        let payload = json!({"top_up_id": top_up.id, "reason": reason, "recharge_id": top_up.recharge_id});
        outbox::tell(session, customer_id, "top_up.failed", &payload, now)?;
    }
    answer(session, &top_up, contradiction.map(String::from), false)
}

fn close_recharge(
    session: &Session,
    top_up: &TopUp,
    answer: auto_recharge::Answer,
    reason: Option<&str>,
    now: Time,
) -> Result<(), Error> {
    let Some(recharge_id) = top_up.recharge_id else { return Ok(()) };
    let mut book = account::open_existing(session, &top_up.customer_id, &top_up.credit_currency, now)?;
    posting::take_windows(session, &mut [(&mut book, Decimal::ZERO)], &[])?;
    auto_recharge::close(session, &mut book, recharge_id, answer, reason)?;
    posting::post(session, &[book])
}

/// `credits.top_up_expire`. Raises PC013, PC014.
#[pg_extern(sql = false)]
fn top_up_expire(customer_id: Option<&str>, top_up_id: Option<Id>) -> Reply<One<PaymentRow>> {
    Reply((|| {
        let (customer_id, top_up_id) = told::subject(customer_id, top_up_id)?;
        writing(|session| expire(session, customer_id, top_up_id, Told { provider: "manual", reference: None }))
            .map(One)
    })())
}

/// Nobody will pay. Raises PC014.
pub fn expire(session: &Session, customer_id: &str, top_up_id: Uuid, told: Told<'_>) -> Result<PaymentRow, Error> {
    let now = settings::now()?;
    let mut top_up = told::lock(session, customer_id, top_up_id)?;
    if top_up.status >= Status::Failed {
        return answer(session, &top_up, None, true);
    }
    told::record(
        session,
        &top_up,
        &Entry { kind: "expired", told, amount: None, contradiction: None, operation_id: None },
        now,
    )?;
    top_up.status = Status::Expired;
    stored::save(session, &top_up, now)?;
    close_recharge(session, &top_up, auto_recharge::Answer::Failed, Some("the top-up was given up"), now)?;
    outbox::tell(session, customer_id, "top_up.expired", &json!({"top_up_id": top_up.id}), now)?;
    answer(session, &top_up, None, false)
}

fn answer(
    session: &Session,
    top_up: &TopUp,
    contradiction: Option<String>,
    replayed: bool,
) -> Result<PaymentRow, Error> {
    let available = told::available(session, top_up)?;
    Ok(PaymentRow::new(top_up, settings::now()?, available, contradiction, replayed))
}

impl PaymentRow {
    fn new(top_up: &TopUp, now: Time, available: Decimal, contradiction: Option<String>, replayed: bool) -> Self {
        PaymentRow {
            top_up_id: top_up.id,
            status: top_up.status_at(now).as_str().to_string(),
            grant_id: top_up.grant_id,
            credits: top_up.credits,
            credit_currency: top_up.credit_currency.clone(),
            available,
            contradiction,
            replayed,
        }
    }
}
