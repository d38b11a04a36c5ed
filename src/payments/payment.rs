//! Payments: what providers, or people, report of the money for a top-up. Credits are granted once, whatever is repeated or
//! comes late or out of order; what contradicts what was recorded before is recorded as well. Refunds and disputes: refund.rs,
//! dispute.rs.

use crate::amount::{self, Decimal};
use crate::error::Error;
use crate::input;
use crate::ledger::engine::book::Book;
use crate::ledger::engine::line::LineType;
use crate::ledger::engine::posting;
use crate::ledger::grant::terms::{Cost, Terms};
use crate::ledger::grant::{self, NewGrant};
use crate::ledger::{account, currency, customer};
use crate::moment::Time;
use crate::outbox;
use crate::payments::clawback;
use crate::payments::listener::{Answer, LISTENERS};
use crate::payments::notification::case::{self, Case};
use crate::payments::notification::record::{self, Entry};
use crate::payments::notification::replay::Before;
use crate::payments::notification::{self, Applied, Notification};
use crate::payments::reckoning::{Cover, Details, Fact, Kind};
use crate::payments::subject::{self, Status, TopUp};
use crate::pg::call::argument::{Id, Numeric};
use crate::pg::call::reply::{One, Reply};
use crate::pg::statement::{Session, Statement, writing};
use crate::pg::value::ToCell;
use crate::row;
use pgrx::pg_extern;
use pgrx::pg_sys::{NUMERICOID, TEXTOID, UUIDOID};
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
        /// What does not fit what was recorded before; NULL where all does.
        pub contradiction: Option<String>,
        /// Whether this repeats what was recorded before.
        pub replayed: bool,
    }
}

/// `credits.payment_succeeded`. Raises PC007, PC013, PC014.
#[pg_extern(sql = false)]
#[allow(clippy::too_many_arguments)]
fn payment_succeeded(
    customer_id: Option<&str>,
    top_up_id: Option<Id>,
    provider: Option<&str>,
    provider_reference: Option<&str>,
    amount: Option<Numeric>,
    tax: Option<Numeric>,
    shipping: Option<Numeric>,
    discount: Option<Numeric>,
    currency: Option<&str>,
) -> Reply<One<PaymentRow>> {
    Reply((|| {
        let subject = notification::subject(customer_id, top_up_id)?;
        let notification = Notification::read(provider, provider_reference)?.in_currency(currency)?;
        let part = |name, part| input::optional_number(name, part, amount::not_negative);
        let details = Details {
            tax: part("tax", tax)?,
            shipping: part("shipping", shipping)?,
            discount: part("discount", discount)?,
            subtotal: None,
        };
        // With a discount there may be nothing left to pay.
        let least = if details.essential().discount.is_some() { amount::not_negative } else { amount::over_zero };
        let amount = input::optional_number("amount", amount, least)?;
        writing(|session| {
            let mut case = case::open(session, subject, &notification, Kind::Succeeded)?;
            let applied = succeed(session, &mut case, &notification, amount, details)?;
            row(session, &case, applied)
        })
        .map(One)
    })())
}

/// A payment for a purchase that is paid.
const AGAIN: &str = "it was paid before, by another payment";
/// Less than was due, where nothing was granted yet, and where it was.
const LESS: &str = "less was paid than was due: nothing is granted";
const LESS_AFTER_ALL: &str = "less was paid than was due, and it was granted before";
/// What is paid and cannot be granted: the account can count no more. That never changes, so nobody is asked to try again.
const NO_ROOM: &str = "it is paid, and the account has no room for the credits: nothing is granted";
/// More than was due.
const MORE: &str = "more was paid than was due";

/// The money came. Raises PC007, PC013.
pub fn succeed(
    session: &Session,
    case: &mut Case,
    notification: &Notification<'_>,
    amount: Option<Decimal>,
    details: Details,
) -> Result<Applied, Error> {
    let paid = amount.unwrap_or_else(|| what_is_due(case.top_up.amount, &details));
    let fact = Fact { details: details.essential(), ..notification.fact(Kind::Succeeded, Some(paid)) };
    check(session, case, &fact)?;
    let before = case.standing();
    let more_is_said = match case.before(&fact) {
        Before::Same(recorded) if before.says(&fact) || !recorded.counts => {
            return Ok(Applied::before(recorded.contradiction.as_deref()));
        }
        Before::Other(refused) if amount.is_some() => {
            return record::refuse(session, case, &fact, notification, &refused);
        }
        Before::Other(_) => {
            let recorded = case.known(Kind::Succeeded, notification);
            return Ok(Applied::before(recorded.and_then(|recorded| recorded.contradiction.as_deref())));
        }
        Before::Same(_) => true,
        Before::New | Before::Corrects(_) => false,
    };
    if let Some(refused) = &case.refused {
        return record::refuse(session, case, &fact, notification, refused);
    }
    let granted = case.top_up.grant_id.is_some();
    if notification.reference.is_none() && is_known_without_a_name(case, &fact, amount) {
        return Ok(Applied::before(None));
    }
    let standing = case.standing_with(&fact);
    if granted && standing.cover.is_none() {
        return record::refuse(session, case, &fact, notification, LESS_AFTER_ALL);
    }
    let contradiction = if granted {
        (!more_is_said).then_some(AGAIN)
    } else {
        match standing.cover {
            None => Some(LESS),
            Some(cover) => cover.over.then_some(MORE),
        }
    };
    if let Some(cover) = standing.cover {
        if granted {
            correct_cost(session, &case.top_up, (before.cover, cover))?;
        } else {
            if !give(session, &mut case.top_up, cover.net, case.now)? {
                return no_room(session, case, &fact, notification);
            }
            case.top_up.provider = Some(notification.provider.to_string());
            case.top_up.provider_reference = notification.reference.map(String::from);
        }
        // What was paid back before anybody said that it was paid; or what is there again.
        let how = (None, "payment_refunded", clawback::policy(None)?);
        clawback::bring(session, &mut case.top_up, &standing, how, case.now)?;
    }
    record::write(session, case, &Entry::counting(&fact, contradiction))?;
    subject::save(session, &case.top_up, &standing, case.now)?;
    if more_is_said {
        publish_corrected(session, case, &fact);
    }
    if let (Some(cover), false) = (standing.cover, granted) {
        publish_paid(session, case, &cover);
    }
    Ok(Applied::now(contradiction))
}

/// What is due with what comes on top of the price, where nobody says how much was paid.
fn what_is_due(amount: Decimal, details: &Details) -> Decimal {
    let on_top = details.tax.unwrap_or_default().saturating_add(details.shipping.unwrap_or_default());
    (amount - details.discount.unwrap_or_default()).max(Decimal::ZERO).saturating_add(on_top)
}

/// Amounts in the decimals of the payment currency, and parts that are no more than the whole. Raises PC007, PC013.
fn check(session: &Session, case: &Case, fact: &Fact) -> Result<(), Error> {
    let Details { tax, shipping, discount, .. } = fact.details;
    for (argument, part) in [("amount", fact.amount), ("tax", tax), ("shipping", shipping), ("discount", discount)] {
        case.fits(session, argument, part)?;
    }
    let on_top = tax.unwrap_or_default().saturating_add(shipping.unwrap_or_default());
    let paid = fact.amount.unwrap_or_default();
    if on_top > paid {
        let reason = format!("and shipping must not be more than was paid, {paid}: they are {on_top}");
        return Err(Error::argument("tax", reason));
    }
    Ok(())
}

/// Whether a payment without a reference is taken for one that was recorded before: any, once all is paid, unless it says
/// another amount; until then one without a reference either, of the same amount.
fn is_known_without_a_name(case: &Case, fact: &Fact, amount: Option<Decimal>) -> bool {
    let is_known = |also: fn(&Fact, &Fact) -> bool| {
        case.facts().any(|other| other.kind == Kind::Succeeded && other.amount == fact.amount && also(other, fact))
    };
    if case.top_up.grant_id.is_some() {
        return amount.is_none() || amount == Some(case.top_up.amount) || is_known(|_, _| true);
    }
    is_known(|other, fact| other.reference.is_none() && other.provider == fact.provider)
}

/// What a payment is made of is known now: what it contradicted before, it may contradict no longer.
fn publish_corrected(session: &Session, case: &Case, fact: &Fact) {
    let part = |part: Option<Decimal>| part.unwrap_or_default().normalize().to_string();
    let payload = json!({
        "top_up_id": case.top_up.id,
        "provider": fact.provider,
        "provider_reference": fact.reference,
        "amount": part(fact.amount),
        "currency": case.top_up.currency,
        "tax": part(fact.details.tax),
        "shipping": part(fact.details.shipping),
        "discount": part(fact.details.discount),
    });
    outbox::publish(session, &case.top_up.customer_id, "payment.corrected", &payload, case.now);
}

fn publish_paid(session: &Session, case: &Case, cover: &Cover) {
    let top_up = &case.top_up;
    let payload = json!({
        "top_up_id": top_up.id,
        "grant_id": top_up.grant_id,
        "credits": top_up.credits.normalize().to_string(),
        "credit_currency": top_up.credit_currency,
        "amount": cover.paid.normalize().to_string(),
        "currency": top_up.currency,
        "recharge_id": top_up.recharge_id,
    });
    outbox::publish(session, &top_up.customer_id, "top_up.paid", &payload, case.now);
}

static CORRECT_COST: Statement = Statement::new(
    c"UPDATE credits_internal.credit_grants g
      SET cost_basis = $3,
          cost_amount = CASE WHEN EXISTS (
              SELECT FROM credits_internal.credit_transactions l
              WHERE l.customer_id = g.customer_id AND l.currency = g.currency AND l.grant_id = g.grant_id
                AND l.type = 'transfer') THEN g.cost_amount ELSE $4 END
      WHERE g.customer_id = $1 AND g.grant_id = $2",
    &[TEXTOID, UUIDOID, NUMERICOID, NUMERICOID],
)
.before(
    c"UPDATE credits_internal.credit_grants SET cost_basis = $3
      WHERE customer_id = $1 AND grant_id = $2 AND $4 IS NOT NULL",
);

/// What was paid for the grant, where what the payment is made of is reported after it. A part that was transferred took
/// its part of the cost with it, for good: then the cost stays what it was.
fn correct_cost(session: &Session, top_up: &TopUp, (before, cover): (Option<Cover>, Cover)) -> Result<(), Error> {
    if before.is_some_and(|before| before.net == cover.net) {
        return Ok(());
    }
    let cost = cost(top_up, cover.net);
    let cost_basis = cost.per_credit(top_up.credits);
    let cells = [top_up.customer_id.cell(), top_up.grant_id.cell(), cost_basis.cell(), cost.amount.cell()];
    CORRECT_COST.run(session, &cells).map(drop)
}

fn cost(top_up: &TopUp, paid: Decimal) -> Cost {
    Cost { amount: paid.normalize(), currency: top_up.currency.clone() }
}

/// Records a payment whose credits the account has no room for: once, also where it has no name to be known by.
fn no_room(session: &Session, case: &Case, fact: &Fact, notification: &Notification<'_>) -> Result<Applied, Error> {
    let is_known = case.recorded.iter().any(|recorded| {
        let other = &recorded.fact;
        recorded.contradiction.as_deref() == Some(NO_ROOM)
            && (&other.provider, &other.reference, other.amount) == (&fact.provider, &None, fact.amount)
    });
    if notification.reference.is_none() && is_known {
        return Ok(Applied::before(Some(NO_ROOM)));
    }
    record::refuse(session, case, fact, notification, NO_ROOM)
}

/// Grants what was bought, for so much; nothing, and false, where the account has no room for it.
fn give(session: &Session, top_up: &mut TopUp, paid: Decimal, now: Time) -> Result<bool, Error> {
    let (customer_id, code) = (top_up.customer_id.clone(), top_up.credit_currency.clone());
    let mut book = account::open_existing(session, &customer_id, &code, now)?;
    let expires_at = top_up.terms.time_to_live.map_or(Time::NEVER, |lasts| lasts.added_to(book.posted_at));
    let terms = Terms::bought(&top_up.terms, expires_at, cost(top_up, paid));
    let id = Uuid::now_v7();
    let new = NewGrant {
        id,
        amount: top_up.credits,
        name: top_up.name.as_deref(),
        granted_by: Some("top_up"),
        metadata: top_up.metadata.as_ref(),
    };
    let decimals = currency::decimals(session, &code)?;
    if grant::check_room(&book, new.amount, decimals).is_err() {
        return Ok(false);
    }
    grant::give(session, &mut book, &new, &terms, (LineType::Grant, None), decimals)?;
    if let Some(recharge_id) = top_up.recharge_id {
        end_recharge(session, &mut book, recharge_id, Answer::Paid, None)?;
    }
    posting::post(session, &[book])?;
    (top_up.status, top_up.grant_id) = (Status::Paid, Some(id));
    Ok(true)
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
        let subject = notification::subject(customer_id, top_up_id)?;
        let notification = Notification::read(provider, provider_reference)?;
        writing(|session| {
            let mut case = case::open(session, subject, &notification, Kind::Failed)?;
            let applied = fail(session, &mut case, &notification, reason)?;
            row(session, &case, applied)
        })
        .map(One)
    })())
}

/// The money did not come. A payment may be tried again under the same reference, and fail again: that is recorded once.
pub fn fail(
    session: &Session,
    case: &mut Case,
    notification: &Notification<'_>,
    reason: Option<&str>,
) -> Result<Applied, Error> {
    let fact = notification.fact(Kind::Failed, None);
    if let Before::Same(recorded) = case.before(&fact) {
        return Ok(Applied::before(recorded.contradiction.as_deref()));
    }
    if let Some(refused) = &case.refused {
        return record::refuse(session, case, &fact, notification, refused);
    }
    if case.top_up.status == Status::Failed && notification.reference.is_none() {
        return Ok(Applied::before(None));
    }
    let contradiction = case.top_up.grant_id.map(|_| "it was paid before");
    record::write(session, case, &Entry::counting(&fact, contradiction))?;
    if case.top_up.status == Status::Initiated {
        // The provider's own words may name the person.
        let reason = if customer::is_erased(session, &case.top_up.customer_id)? { None } else { reason };
        case.top_up.status = Status::Failed;
        subject::save(session, &case.top_up, &case.standing(), case.now)?;
        close_recharge(session, &case.top_up, Answer::Failed, reason, case.now)?;
        let payload = json!({"top_up_id": case.top_up.id, "reason": reason, "recharge_id": case.top_up.recharge_id});
        outbox::publish(session, &case.top_up.customer_id, "top_up.failed", &payload, case.now);
    }
    Ok(Applied::now(contradiction))
}

fn close_recharge(
    session: &Session,
    top_up: &TopUp,
    answer: Answer,
    reason: Option<&str>,
    now: Time,
) -> Result<(), Error> {
    let Some(recharge_id) = top_up.recharge_id else { return Ok(()) };
    let mut book = account::open_existing(session, &top_up.customer_id, &top_up.credit_currency, now)?;
    posting::take_windows(session, &mut [(&mut book, Decimal::ZERO)], &[])?;
    end_recharge(session, &mut book, recharge_id, answer, reason)?;
    posting::post(session, &[book])
}

fn end_recharge(
    session: &Session,
    book: &mut Book,
    recharge_id: Uuid,
    answer: Answer,
    reason: Option<&str>,
) -> Result<(), Error> {
    LISTENERS.all().try_for_each(|listener| listener.recharge_ended(session, book, recharge_id, answer, reason))
}

/// Nobody will pay.
pub fn expire(session: &Session, case: &mut Case, notification: &Notification<'_>) -> Result<Applied, Error> {
    if case.top_up.status >= Status::Failed {
        return Ok(Applied::before(None));
    }
    let fact = notification.fact(Kind::Expired, None);
    if let Some(refused) = &case.refused {
        return record::refuse(session, case, &fact, notification, refused);
    }
    record::write(session, case, &Entry::counting(&fact, None))?;
    case.top_up.status = Status::Expired;
    subject::save(session, &case.top_up, &case.standing(), case.now)?;
    close_recharge(session, &case.top_up, Answer::Failed, Some("the top-up was given up"), case.now)?;
    let payload = json!({"top_up_id": case.top_up.id});
    outbox::publish(session, &case.top_up.customer_id, "top_up.expired", &payload, case.now);
    Ok(Applied::now(None))
}

/// The answer of functions that report payments.
pub fn row(session: &Session, case: &Case, applied: Applied) -> Result<PaymentRow, Error> {
    let top_up = &case.top_up;
    Ok(PaymentRow {
        top_up_id: top_up.id,
        status: case.status().to_string(),
        grant_id: top_up.grant_id,
        credits: top_up.credits,
        credit_currency: top_up.credit_currency.clone(),
        available: case::available(session, top_up)?,
        contradiction: applied.contradiction,
        replayed: applied.replayed,
    })
}
