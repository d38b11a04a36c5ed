//! Payments: what providers, or people, report of the money for an invoice. It is paid once, whatever is repeated or comes
//! late or out of order; what contradicts what was recorded before is recorded as well. Refunds and disputes: refund.rs,
//! dispute.rs.

mod nothing;

use crate::amount::{self, Decimal};
use crate::error::Error;
use crate::input;
use crate::ledger::engine::book::Book;
use crate::ledger::engine::posting;
use crate::ledger::{account, customer};
use crate::moment::Time;
use crate::outbox::billing_event::EventType;
use crate::payments::clawback::{self, line};
use crate::payments::listener::{Answer, LISTENERS, SALES, Sold};
use crate::payments::notification::case::{self, Case};
use crate::payments::notification::record::{self, Entry, Recorded};
use crate::payments::notification::replay::Before;
use crate::payments::notification::{self, Applied, Notification};
use crate::payments::payment_intent::{self as intent, Intent, Status};
use crate::payments::reckoning::{Cover, Details, Fact, Kind};
use crate::pg::call::argument::{Id, Numeric};
use crate::pg::call::reply::{One, Reply};
use crate::pg::statement::{Session, writing};
use crate::row;
use pgrx::pg_extern;
use serde_json::json;
use uuid::Uuid;

row! {
    /// What `payment_succeeded`, `payment_failed` and `top_up_expire` return.
    pub struct PaymentRow {
        /// The payment intent.
        pub top_up_id: Uuid,
        /// What it is by now.
        pub status: String,
        /// The grant, once it is paid.
        pub grant_id: Option<Uuid>,
        /// Credits that it buys; NULL for none.
        pub credits: Option<Decimal>,
        /// Of which currency.
        pub credit_currency: Option<String>,
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

/// A payment for what is paid.
const AGAIN: &str = "it was paid before, by another payment";
/// Less than was due, where nothing was granted yet, and where it was.
const LESS: &str = "less was paid than was due: nothing is granted";
const LESS_AFTER_ALL: &str = "less was paid than was due, and it was granted before";
/// Less than was due of what cannot be paid any more.
const LESS_TOO_LATE: &str = "less was paid than was due, and nothing is due any more: nothing is done";
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
    let paid = amount.unwrap_or_else(|| what_is_due(case.intent.amount, &details));
    let fact = Fact { details: details.essential(), ..notification.fact(Kind::Succeeded, Some(paid)) };
    check(session, case, &fact)?;
    let before = case.standing();
    let more_is_said = match case.before(&fact) {
        Before::Same(recorded) if before.says(&fact) || !recorded.counts => {
            return Ok(Applied::before(recorded.contradiction.as_deref()));
        }
        // What came too late is asked back, whatever is said of it later.
        Before::Same(recorded) if is_too_late(case, recorded) => {
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
    let granted = case.intent.status == Status::Succeeded;
    if notification.reference.is_none() && is_known_without_a_name(case, &fact, amount) {
        return Ok(Applied::before(None));
    }
    let standing = case.standing_with(&fact);
    if granted && standing.cover.is_none() {
        return record::refuse(session, case, &fact, notification, LESS_AFTER_ALL);
    }
    if standing.cover.is_none() && case.intent.status == Status::Canceled && !case.intent.is_sale() {
        return nothing::too_late(session, case, &fact, &standing, LESS_TOO_LATE);
    }
    let contradiction = if granted {
        (!more_is_said).then_some(AGAIN)
    } else {
        match standing.cover {
            None => Some(LESS),
            Some(cover) => (!cover.surplus.is_zero()).then_some(MORE),
        }
    };
    if let Some(cover) = standing.cover {
        if granted {
            if before.cover != Some(cover) {
                SALES.all().try_for_each(|sale| sale.corrected(session, &case.intent, &cover, case.now))?;
            }
        } else {
            match sell(session, &case.intent, &cover, case.now)? {
                Sold::Paid => case.intent.succeed(notification),
                Sold::NoRoom => return nothing::no_room(session, case, &fact, notification),
                Sold::TooLate(why) => return nothing::too_late(session, case, &fact, &standing, why),
            }
        }
        case.lines = line::of(session, &case.intent.customer_id, case.intent.invoice_id)?;
        // What was paid back before anybody said that it was paid; or what is there again.
        let how = (None, "payment_refunded", clawback::policy(None)?);
        clawback::bring(session, case, &standing, how)?;
    }
    record::write(session, case, &Entry::counting(&fact, contradiction))?;
    // A part of it came: nothing is on its way any more, so time may end the session.
    let is_less = standing.cover.is_none() && case.intent.checkout_session_id.is_some() && !granted;
    if is_less && case.intent.status.is_under_way() {
        case.intent.status = Status::RequiresPaymentMethod;
        case.intent.under_way_no_more();
        SALES.all().try_for_each(|sale| sale.moved(session, &case.intent, case.now))?;
    }
    intent::save(session, &case.intent, &standing, None, case.now)?;
    if more_is_said {
        publish_corrected(session, case, &fact);
    }
    if let (Some(cover), false) = (standing.cover, granted) {
        case.record(session, EventType::PaymentIntentSucceeded)?;
        publish_paid(session, case, &cover);
    }
    if let Some(cover) = standing.cover {
        nothing::surplus(session, case, &standing, (&fact, &cover), (granted, more_is_said))?;
    }
    Ok(Applied::now(contradiction))
}

/// Whether a payment that was recorded was one of what could not be paid any more. What was too little may be enough once it
/// is known what was taken off.
fn is_too_late(case: &Case, recorded: &Recorded) -> bool {
    case.intent.status != Status::Succeeded && recorded.contradiction.as_deref().is_some_and(|why| why != LESS)
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
    if case.intent.status == Status::Succeeded {
        return amount.is_none() || amount == Some(case.intent.amount) || is_known(|_, _| true);
    }
    is_known(|other, fact| other.reference.is_none() && other.provider == fact.provider)
}

/// What a payment is made of is known now: what it contradicted before, it may contradict no longer.
fn publish_corrected(session: &Session, case: &Case, fact: &Fact) {
    let part = |part: Option<Decimal>| part.unwrap_or_default().normalize().to_string();
    let mut payload = case.intent.named();
    for (name, value) in [
        ("provider", json!(fact.provider)),
        ("provider_reference", json!(fact.reference)),
        ("amount", json!(part(fact.amount))),
        ("currency", json!(case.intent.currency)),
        ("tax", json!(part(fact.details.tax))),
        ("shipping", json!(part(fact.details.shipping))),
        ("discount", json!(part(fact.details.discount))),
    ] {
        payload[name] = value;
    }
    case.publish(session, ("payment.corrected", "payment.corrected"), &payload);
}

fn publish_paid(session: &Session, case: &Case, cover: &Cover) {
    let mut payload = case.intent.named();
    if let Some(credits) = case.credits() {
        payload["grant_id"] = json!(credits.grant_id);
        payload["credits"] = json!(credits.amount.normalize().to_string());
        payload["credit_currency"] = json!(credits.currency);
    }
    payload["amount"] = json!(cover.paid.normalize().to_string());
    payload["currency"] = json!(case.intent.currency);
    payload["recharge_id"] = json!(case.intent.recharge_id);
    case.publish(session, ("top_up.paid", "payment_intent.succeeded"), &payload);
}

/// What was paid for takes effect.
fn sell(session: &Session, intent: &Intent, cover: &Cover, now: Time) -> Result<Sold, Error> {
    for sale in SALES.all() {
        let sold = sale.paid(session, intent, cover, now)?;
        if sold != Sold::Paid {
            return Ok(sold);
        }
    }
    Ok(Sold::Paid)
}

impl Intent {
    /// It is paid.
    fn succeed(&mut self, notification: &Notification<'_>) {
        (self.status, self.failed) = (Status::Succeeded, false);
        self.provider = Some(notification.provider.to_string());
        self.provider_reference = notification.reference.map(String::from);
        self.under_way_no_more();
    }

    /// No attempt is under way, and none is asked for.
    pub fn under_way_no_more(&mut self) {
        (self.requested_at, self.attempt_key, self.action_url) = (None, None, None);
    }
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
    if case.intent.failed && notification.reference.is_none() {
        return Ok(Applied::before(None));
    }
    let contradiction = (case.intent.status == Status::Succeeded).then_some("it was paid before");
    record::write(session, case, &Entry::counting(&fact, contradiction))?;
    if case.intent.status.is_open() && !case.intent.failed {
        // The provider's own words may name the person.
        let reason = if customer::is_erased(session, &case.intent.customer_id)? { None } else { reason };
        (case.intent.status, case.intent.failed) = (Status::RequiresPaymentMethod, true);
        case.intent.under_way_no_more();
        intent::save(session, &case.intent, &case.standing(), reason, case.now)?;
        SALES.all().try_for_each(|sale| sale.moved(session, &case.intent, case.now))?;
        close_recharge(session, case, Answer::Failed, reason)?;
        case.record(session, EventType::PaymentIntentPaymentFailed)?;
        let mut payload = case.intent.named();
        payload["reason"] = json!(reason);
        payload["recharge_id"] = json!(case.intent.recharge_id);
        case.publish(session, ("top_up.failed", "payment_intent.payment_failed"), &payload);
    }
    Ok(Applied::now(contradiction))
}

fn close_recharge(session: &Session, case: &Case, answer: Answer, reason: Option<&str>) -> Result<(), Error> {
    let (Some(recharge_id), Some(credits)) = (case.intent.recharge_id, case.credits()) else { return Ok(()) };
    let mut book = account::open_existing(session, &case.intent.customer_id, &credits.currency, case.now)?;
    posting::take_windows(session, &mut [(&mut book, Decimal::ZERO)], &[])?;
    end_recharge(session, &mut book, recharge_id, answer, reason)?;
    posting::post(session, &[book])
}

/// The payment that a recharge asked for has ended; its account is posted afterwards.
pub fn end_recharge(
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
    if !case.intent.status.is_open() || (case.intent.failed && case.intent.checkout_session_id.is_none()) {
        return Ok(Applied::before(None));
    }
    let fact = notification.fact(Kind::Expired, None);
    if let Some(refused) = &case.refused {
        return record::refuse(session, case, &fact, notification, refused);
    }
    record::write(session, case, &Entry::counting(&fact, None))?;
    case.intent.status = Status::Canceled;
    case.intent.under_way_no_more();
    intent::save(session, &case.intent, &case.standing(), None, case.now)?;
    SALES.all().try_for_each(|sale| sale.moved(session, &case.intent, case.now))?;
    close_recharge(session, case, Answer::Failed, Some("the top-up was given up"))?;
    case.record(session, EventType::PaymentIntentCanceled)?;
    case.publish(session, ("top_up.expired", "payment_intent.canceled"), &case.intent.named());
    Ok(Applied::now(None))
}

/// The answer of functions that report payments.
pub fn row(session: &Session, case: &Case, applied: Applied) -> Result<PaymentRow, Error> {
    let credits = case.credits();
    Ok(PaymentRow {
        top_up_id: case.intent.id,
        status: case.status().to_string(),
        grant_id: credits.and_then(|credits| credits.grant_id),
        credits: credits.map(|credits| credits.amount),
        credit_currency: credits.map(|credits| credits.currency.clone()),
        available: case.available(session)?,
        contradiction: applied.contradiction,
        replayed: applied.replayed,
    })
}
