//! How an invoice that was given out is collected: by a payment intent, which the customer pays where it says, or a worker
//! charges. One is open per invoice, for what remains.

use crate::amount::Decimal;
use crate::error::Error;
use crate::input;
use crate::invoicing::invoice::Invoice;
use crate::moment::Time;
use crate::payments::notification::case;
use crate::payments::payment_intent::{self as intent, New, attempt};
use crate::payments::provider;
use crate::payments::provider::link::Placeholders;
use crate::payments::refund::request;
use crate::pg::statement::Session;
use uuid::Uuid;

/// The name of what a worker is asked to charge.
pub const AUTOMATIC: &str = "charge_automatically";
/// The name of what is sent, and nobody is asked to charge.
pub const SENT: &str = "send_invoice";

/// How something is to be collected: automatically where nobody says. Raises PC013.
pub fn method(given: Option<&str>) -> Result<&str, Error> {
    input::choice("collection_method", given, AUTOMATIC, &[AUTOMATIC, SENT])
}

/// Begins the payment intent of an open invoice in money, and asks a worker to charge it where that is how it is collected
/// and the customer has a payment method.
pub fn begin(session: &Session, invoice: &Invoice, now: Time) -> Result<(), Error> {
    let (id, amount) = (Uuid::now_v7(), invoice.remaining());
    let mut values = Placeholders {
        id,
        invoice_id: invoice.id,
        customer_id: &invoice.customer_id,
        amount,
        minor_units: None,
        currency: &invoice.currency,
        credits: None,
        return_url: None,
        failure_url: None,
        checkout_session_id: None,
    };
    let (provider, checkout_url) = provider::checkout(session, None, &mut values, || Ok(None))?;
    let new = New {
        customer_id: &invoice.customer_id,
        id,
        invoice_id: invoice.id,
        amount,
        currency: &invoice.currency,
        provider: provider.as_deref(),
        return_url: None,
        failure_url: None,
        checkout_url: checkout_url.as_deref(),
        description: None,
        metadata: None,
        expires_at: None,
        recharge_id: None,
        credits: None,
    };
    intent::insert(session, &new, now)?;
    match invoice.collection_method == AUTOMATIC {
        true => attempt::request_first(session, &new, invoice.payment_method_id, now),
        false => Ok(()),
    }
}

/// Asks a worker to charge the customer's payment method for what remains, unless a payment is under way or asked for.
/// Returns whether it did.
pub fn ask(session: &Session, invoice: &Invoice, now: Time) -> Result<bool, Error> {
    let Some(open) = intent::open_of(session, &invoice.customer_id, invoice.id)? else { return Ok(false) };
    if open.status.is_under_way() || open.requested_at.is_some() {
        return Ok(false);
    }
    let mut case = case::alone(session, &invoice.customer_id, open.id, now)?;
    attempt::request(session, &mut case, invoice.payment_method_id)
}

/// Before an invoice is paid otherwise: nobody's money may be on its way, or have paid a part. Raises PC020.
pub fn stop(session: &Session, invoice: &Invoice) -> Result<(), Error> {
    match intent::open_of(session, &invoice.customer_id, invoice.id)? {
        Some(open) if open.status.is_under_way() || open.has_money => Err(open.conflict()),
        _ => Ok(()),
    }
}

/// What remains of it is paid by its intent, or nothing is.
pub fn settle(session: &Session, invoice: &Invoice, paid: Decimal, now: Time) -> Result<(), Error> {
    match intent::open_of(session, &invoice.customer_id, invoice.id)? {
        Some(open) => intent::reduce(session, &open, invoice.remaining() - paid, now),
        None => Ok(()),
    }
}

/// Whether a payment of it is being made.
pub fn is_under_way(session: &Session, invoice: &Invoice) -> Result<bool, Error> {
    let open = intent::open_of(session, &invoice.customer_id, invoice.id)?;
    Ok(open.is_some_and(|open| open.status == intent::Status::Processing))
}

/// Whether a payment of it is under way or asked for.
pub fn is_asked_for(session: &Session, invoice: &Invoice) -> Result<bool, Error> {
    let open = intent::open_of(session, &invoice.customer_id, invoice.id)?;
    Ok(open.is_some_and(|open| open.status.is_under_way() || open.requested_at.is_some()))
}

/// Whether nothing stands in the way of its being paid otherwise: no payment is under way, and none paid a part.
pub fn is_free(session: &Session, invoice: &Invoice) -> Result<bool, Error> {
    let open = intent::open_of(session, &invoice.customer_id, invoice.id)?;
    Ok(open.is_none_or(|open| !open.status.is_under_way() && !open.has_money))
}

/// Nobody is to pay it any more, and what was paid of it by a provider is asked back. Raises PC020 while money is on its way.
pub fn cancel(session: &Session, invoice: &Invoice, now: Time) -> Result<(), Error> {
    match intent::open_of(session, &invoice.customer_id, invoice.id)? {
        Some(open) if open.status == intent::Status::Processing => Err(open.conflict()),
        Some(open) => {
            intent::reduce(session, &open, Decimal::ZERO, now)?;
            request::everything(session, &case::alone(session, &invoice.customer_id, open.id, now)?, "too_late")
        }
        None => Ok(()),
    }
}
