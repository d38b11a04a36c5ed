//! Attempts to charge a payment method: asked for in the outbox, begun by the worker that charges, under way until the
//! payment is reported; and payments that the customer has to confirm.

use crate::amount::Decimal;
use crate::error::Error;
use crate::input;
use crate::moment::Time;
use crate::outbox;
use crate::outbox::billing_event::EventType;
use crate::payments::listener::SALES;
use crate::payments::notification::case::{self, Case};
use crate::payments::notification::record::{self, Entry};
use crate::payments::notification::replay::Before;
use crate::payments::notification::{self, Applied, Notification};
use crate::payments::payment::{self, PaymentRow};
use crate::payments::payment_intent::{self as intent, Intent, Status};
use crate::payments::payment_method::{self, Chargeable};
use crate::payments::reckoning::Kind;
use crate::payments::{money, providers};
use crate::pg::call::argument::Id;
use crate::pg::call::reply::{One, Reply};
use crate::pg::statement::{Session, Statement, writing};
use crate::pg::value::ToCell;
use crate::row;
use crate::settings;
use pgrx::pg_extern;
use pgrx::pg_sys::{TEXTOID, TIMESTAMPTZOID, UUIDOID};
use serde_json::json;
use uuid::Uuid;

/// Asks a worker to charge a customer's payment method, or the default one, for a locked intent. Does nothing, and returns
/// false, where there is none.
pub fn request(session: &Session, case: &mut Case, method_id: Option<Uuid>) -> Result<bool, Error> {
    let found = payment_method::chargeable(session, &case.intent.customer_id, method_id, case.now)?;
    let Some(method) = found else { return Ok(false) };
    let intent = &mut case.intent;
    (intent.payment_method_id, intent.provider) = (Some(method.id), Some(method.provider.clone()));
    (intent.requested_at, intent.failed) = (Some(case.now), false);
    intent::save(session, &case.intent, &case.standing(), None, case.now)?;
    let intent = &case.intent;
    let of = (intent.customer_id.as_str(), intent.id, intent.invoice_id);
    publish(session, of, (intent.amount, &intent.currency), &method, case.now);
    Ok(true)
}

static REQUEST: Statement = Statement::new(
    c"UPDATE credits_internal.payment_intents t
      SET provider = $3, payment_method_id = $4, requested_at = $5, updated_at = $5
      WHERE t.customer_id = $1 AND t.payment_intent_id = $2",
    &[TEXTOID, UUIDOID, TEXTOID, UUIDOID, TIMESTAMPTZOID],
);

/// The same for an intent that begins: nothing is known of it yet.
pub fn request_first(
    session: &Session,
    new: &intent::New<'_>,
    method_id: Option<Uuid>,
    now: Time,
) -> Result<(), Error> {
    let Some(method) = payment_method::chargeable(session, new.customer_id, method_id, now)? else { return Ok(()) };
    let cells = [new.customer_id.cell(), new.id.cell(), method.provider.cell(), method.id.cell(), now.cell()];
    REQUEST.run(session, &cells)?;
    publish(session, (new.customer_id, new.id, new.invoice_id), (new.amount, new.currency), &method, now);
    Ok(())
}

/// Asks a worker in the outbox.
fn publish(
    session: &Session,
    (customer_id, id, invoice_id): (&str, Uuid, Uuid),
    (amount, currency): (Decimal, &str),
    method: &Chargeable,
    now: Time,
) {
    let payload = json!({
        "payment_intent_id": id,
        "invoice_id": invoice_id,
        "amount": amount.normalize().to_string(),
        "currency": currency,
        "provider": method.provider,
        "payment_method_id": method.id,
    });
    outbox::publish(session, customer_id, "payment.requested", &payload, now);
}

/// After a failure nobody is asked to charge, and the customer tries again: what failed before is over.
pub fn begin_again(session: &Session, case: &mut Case) -> Result<(), Error> {
    case.intent.failed = false;
    intent::save(session, &case.intent, &case.standing(), None, case.now)
}

row! {
    /// What `payment_intent_begin` returns.
    pub struct AttemptRow {
        /// Whether to charge.
        pub go: bool,
        /// The payment intent: what the payment must name.
        pub payment_intent_id: Uuid,
        /// What it pays.
        pub invoice_id: Uuid,
        /// What it is by now.
        pub status: String,
        /// The provider's idempotency key for this attempt.
        pub attempt_key: Option<Uuid>,
        /// Which attempt it is, from 1.
        pub attempt: i32,
        /// What to charge, in major units.
        pub amount: Decimal,
        /// The same in the provider's minor units; NULL if it is not a whole number of them.
        pub minor_units: Option<Decimal>,
        /// The payment currency's code.
        pub currency: String,
        /// Who is to charge.
        pub provider: Option<String>,
        /// What to charge.
        pub payment_method_id: Option<Uuid>,
        /// What the provider calls the customer.
        pub provider_customer: Option<String>,
        /// What the provider calls the payment method.
        pub payment_method: Option<String>,
    }
}

/// `credits.payment_intent_begin`. Raises PC013, PC014.
#[pg_extern(sql = false)]
fn payment_intent_begin(customer_id: Option<&str>, payment_intent_id: Option<Id>) -> Reply<One<AttemptRow>> {
    Reply((|| {
        let customer_id = input::key("customer_id", customer_id)?;
        let id = input::required("payment_intent_id", payment_intent_id)?.0;
        writing(|session| {
            let mut case = case::alone(session, customer_id, id, settings::now()?)?;
            let found = payment_method::chargeable(session, customer_id, case.intent.payment_method_id, case.now)?;
            let method = found.filter(|_| case.intent.payment_method_id.is_some());
            let go = begin(session, &mut case, method.is_some())?;
            Ok(One(AttemptRow::of(&case.intent, method, go)))
        })
    })())
}

/// Whether a worker is to charge: with the key of the attempt that is under way already, or a new one.
fn begin(session: &Session, case: &mut Case, is_chargeable: bool) -> Result<bool, Error> {
    let intent = &mut case.intent;
    if intent.requested_at.is_none() || !is_chargeable || intent.status == Status::RequiresAction {
        return Ok(false);
    }
    if intent.attempt_key.is_none() {
        begun(session, case, Uuid::now_v7())?;
    }
    Ok(true)
}

/// A worker began to charge, with that key; nothing where the payment is under way already, or over.
pub fn begun(session: &Session, case: &mut Case, attempt_key: Uuid) -> Result<(), Error> {
    let intent = &mut case.intent;
    if !intent.status.is_open() || intent.status.is_under_way() {
        return Ok(());
    }
    (intent.status, intent.failed, intent.attempts) = (Status::Processing, false, intent.attempts + 1);
    intent.attempt_key = Some(attempt_key);
    intent::save(session, &case.intent, &case.standing(), None, case.now)?;
    SALES.all().try_for_each(|sale| sale.moved(session, &case.intent, case.now))?;
    case.record(session, EventType::PaymentIntentProcessing)
}

impl AttemptRow {
    fn of(intent: &Intent, method: Option<Chargeable>, go: bool) -> Self {
        let decimals = providers::of(intent.provider.as_deref().unwrap_or_default()).minor_decimals(&intent.currency);
        AttemptRow {
            go,
            payment_intent_id: intent.id,
            invoice_id: intent.invoice_id,
            status: intent.status.as_str().to_string(),
            attempt_key: intent.attempt_key,
            attempt: intent.attempts,
            amount: intent.amount,
            minor_units: money::to_minor(intent.amount, decimals),
            currency: intent.currency.clone(),
            provider: intent.provider.clone(),
            payment_method_id: intent.payment_method_id,
            provider_customer: method.as_ref().and_then(|method| method.provider_customer.clone()),
            payment_method: method.and_then(|method| method.reference),
        }
    }
}

/// `credits.payment_processing`. Raises PC013, PC014.
#[pg_extern(sql = false)]
fn payment_processing(
    customer_id: Option<&str>,
    top_up_id: Option<Id>,
    provider: Option<&str>,
    provider_reference: Option<&str>,
) -> Reply<One<PaymentRow>> {
    Reply((|| {
        let subject = notification::subject(customer_id, top_up_id)?;
        let notification = Notification::read(provider, provider_reference)?;
        reported(subject, notification, Kind::Processing, None)
    })())
}

/// `credits.payment_requires_action`. Raises PC013, PC014.
#[pg_extern(sql = false)]
fn payment_requires_action(
    customer_id: Option<&str>,
    top_up_id: Option<Id>,
    action_url: Option<&str>,
    provider: Option<&str>,
    provider_reference: Option<&str>,
) -> Reply<One<PaymentRow>> {
    Reply((|| {
        let subject = notification::subject(customer_id, top_up_id)?;
        let action_url = input::web_address("action_url", action_url)?;
        let notification = Notification::read(provider, provider_reference)?;
        reported(subject, notification, Kind::RequiresAction, Some(action_url))
    })())
}

fn reported(
    subject: (&str, Uuid),
    notification: Notification<'_>,
    kind: Kind,
    action: Option<Option<&str>>,
) -> Result<One<PaymentRow>, Error> {
    writing(|session| {
        let mut case = case::open(session, subject, &notification, kind)?;
        let applied = under_way(session, &mut case, &notification, action)?;
        payment::row(session, &case, applied)
    })
    .map(One)
}

/// A payment is under way, or waits for the customer to confirm it, at an address maybe. What is over already stays so; and
/// one that failed is under way no more, however late that it was is reported.
pub fn under_way(
    session: &Session,
    case: &mut Case,
    notification: &Notification<'_>,
    action: Option<Option<&str>>,
) -> Result<Applied, Error> {
    let fact = notification.fact(if action.is_some() { Kind::RequiresAction } else { Kind::Processing }, None);
    let is_known = match case.before(&fact) {
        Before::Same(_) => true,
        _ => {
            if let Some(refused) = &case.refused {
                return record::refuse(session, case, &fact, notification, refused);
            }
            false
        }
    };
    let has_failed = case.known(Kind::Failed, notification).is_some();
    if !case.intent.status.is_open() || (action.is_none() && has_failed) {
        return Ok(Applied::before(None));
    }
    if !is_known {
        record::write(session, case, &Entry::counting(&fact, None))?;
    }
    let intent = &mut case.intent;
    let status = if action.is_some() { Status::RequiresAction } else { Status::Processing };
    let action_url = action.flatten().map(String::from);
    if (intent.status, &intent.action_url) == (status, &action_url) && !intent.failed {
        return Ok(Applied::before(None));
    }
    (intent.status, intent.action_url, intent.failed) = (status, action_url, false);
    intent.provider = Some(notification.provider.to_string());
    intent.provider_reference = notification.reference.map(String::from);
    intent::save(session, &case.intent, &case.standing(), None, case.now)?;
    SALES.all().try_for_each(|sale| sale.moved(session, &case.intent, case.now))?;
    let is_action = action.is_some();
    let under_way = EventType::PaymentIntentProcessing;
    case.record(session, if is_action { EventType::PaymentIntentRequiresAction } else { under_way })?;
    let mut payload = case.intent.named();
    if is_action {
        payload["action_url"] = json!(case.intent.action_url);
    }
    let kind = if is_action { "payment.requires_action" } else { "payment.processing" };
    case.publish(session, (kind, kind), &payload);
    Ok(Applied::now(None))
}
