//! Which events an endpoint may ask for: each name of a billing SDK, so that what was set up for it can be set up here, though
//! many of them are of things that are not here and are never sent. Pure.

use crate::error::{Error, quoted};
use crate::nearest::nearest;
use crate::outbox::billing_event::EventType;

/// Stands for all.
pub const ALL: &str = "*";

/// The most names that an endpoint may ask for: all that there are, and some.
const MOST: usize = 500;

/// Names that the SDK has and that are never sent.
const NEVER: &str = "
    account.application.authorized account.application.deauthorized account.external_account.created
    account.external_account.deleted account.external_account.updated account.updated application_fee.created
    application_fee.refund.updated application_fee.refunded balance.available billing.discrepancy
    billing_portal.configuration.created billing_portal.configuration.updated billing_portal.session.created
    capability.updated cash_balance.funds_available charge.captured charge.dispute.closed charge.dispute.created
    charge.dispute.funds_reinstated charge.dispute.funds_withdrawn charge.dispute.updated charge.expired
    charge.failed charge.pending charge.refund.updated charge.refunded charge.succeeded charge.updated
    checkout.session.nft_minted credit_note.created credit_note.updated credit_note.voided
    customer.source.created customer.source.deleted customer.source.expiring customer.source.updated
    customer.subscription.pending_update_applied customer.subscription.pending_update_expired
    customer.subscription.will_canceled customer.subscription.will_renew customer.tax_id.created
    customer.tax_id.deleted customer.tax_id.updated customer_cash_balance_transaction.created
    exchange_rate.providers_unavailable exchange_rate.spread_exceeded file.created
    financial_connections.account.created financial_connections.account.deactivated
    financial_connections.account.disconnected financial_connections.account.reactivated
    financial_connections.account.refreshed_balance identity.verification_session.canceled
    identity.verification_session.created identity.verification_session.processing
    identity.verification_session.redacted identity.verification_session.requires_input
    identity.verification_session.verified invoice.finalization_failed invoice.payment_action_required
    invoice.payment_succeeded invoice.sent invoiceitem.created invoiceitem.deleted issuing_authorization.created
    issuing_authorization.request issuing_authorization.updated issuing_card.created issuing_card.updated
    issuing_cardholder.created issuing_cardholder.updated issuing_dispute.closed issuing_dispute.created
    issuing_dispute.funds_reinstated issuing_dispute.submitted issuing_dispute.updated
    issuing_transaction.created issuing_transaction.updated mandate.updated order.created
    payment_intent.amount_capturable_updated payment_intent.partially_funded payment_method.attached
    payment_method.automatically_updated payment_method.detached payment_method.updated payout.canceled
    payout.created payout.failed payout.paid payout.reconciliation_completed payout.updated person.created
    person.deleted person.updated plan.created plan.deleted plan.updated quote.accepted quote.canceled
    quote.created quote.finalized radar.early_fraud_warning.created radar.early_fraud_warning.updated
    recipient.created recipient.deleted recipient.updated reporting.report_run.failed
    reporting.report_run.succeeded reporting.report_type.updated review.closed review.opened
    setup_intent.canceled setup_intent.created setup_intent.requires_action setup_intent.setup_failed
    setup_intent.succeeded sigma.scheduled_query_run.created sku.created sku.deleted sku.updated source.canceled
    source.chargeable source.failed source.mandate_notification source.refund_attributes_required
    source.transaction.created source.transaction.updated subscription.stake.slash.succeeded
    subscription_schedule.aborted subscription_schedule.canceled subscription_schedule.completed
    subscription_schedule.created subscription_schedule.expiring subscription_schedule.released
    subscription_schedule.updated tax.settings.updated tax_rate.created tax_rate.updated
    terminal.reader.action_failed terminal.reader.action_succeeded test_helpers.test_clock.advancing
    test_helpers.test_clock.created test_helpers.test_clock.deleted test_helpers.test_clock.internal_failure
    test_helpers.test_clock.ready topup.canceled topup.created topup.failed topup.reversed topup.succeeded
    transfer.created transfer.reversed transfer.updated usage.report.empty
";

fn never() -> impl Iterator<Item = &'static str> {
    NEVER.split_ascii_whitespace()
}

/// Whether events of that name are sent at all.
pub fn is_sent(name: &str) -> bool {
    name == ALL || EventType::ALL.iter().any(|one| one.as_str() == name && one.is_sent())
}

/// Whether an endpoint that asked for these is sent one of that type.
pub fn wants(enabled_events: &[String], event_type: &str) -> bool {
    enabled_events.iter().any(|name| name == ALL || name == event_type)
}

/// The names, each once, in order. Raises PC013.
pub fn check(given: Vec<Option<String>>) -> Result<Vec<String>, Error> {
    if given.is_empty() || given.len() > MOST {
        return Err(Error::argument("enabled_events", format!("must have 1 to {MOST} elements; '*' is all events")));
    }
    let mut names = Vec::with_capacity(given.len());
    for name in given {
        let name = name.ok_or_else(|| Error::argument("enabled_events", "must have no NULL"))?;
        let known = || EventType::ALL.iter().map(|one| one.as_str()).chain(never());
        if name != ALL && known().all(|one| one != name) {
            let meant =
                nearest(&name, known()).map_or(String::new(), |one| format!("; perhaps {} is meant", quoted(&one)));
            let reason = format!("has {}, which is no type of event{meant}", quoted(&name));
            return Err(Error::argument("enabled_events", reason));
        }
        names.push(name);
    }
    names.sort();
    names.dedup();
    Ok(names)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checked(names: &[&str]) -> Result<Vec<String>, String> {
        check(names.iter().map(|name| Some(name.to_string())).collect()).map_err(|error| error.to_string())
    }

    #[test]
    fn names_of_the_sdk_are_taken_and_others_are_not() {
        assert_eq!(
            checked(&["invoice.paid", "*", "invoice.paid"]).as_deref(),
            Ok(&["*".into(), "invoice.paid".into()][..])
        );
        assert!(checked(&["radar.early_fraud_warning.created", "plan.deleted"]).is_ok());
        let wrong = checked(&["invoice.payed"]).unwrap_err();
        assert!(wrong.ends_with("perhaps \"invoice.paid\" is meant"), "{wrong}");
        assert!(checked(&[]).is_err() && checked(&[""]).is_err() && checked(&["invoice.*"]).is_err());
        assert!(check(vec![None]).is_err());
    }

    #[test]
    fn what_is_never_sent_is_no_event_of_ours() {
        let ours: Vec<&str> = EventType::ALL.iter().map(|one| one.as_str()).collect();
        assert!(never().all(|name| !ours.contains(&name) && !is_sent(name)));
        assert!(never().count() > 150);
        assert!(is_sent("invoice.paid") && is_sent(ALL));
    }

    #[test]
    fn an_endpoint_wants_what_it_names() {
        let some = ["invoice.paid".to_string()];
        assert!(wants(&some, "invoice.paid") && !wants(&some, "invoice.voided"));
        assert!(wants(&[ALL.to_string()], "invoice.voided"));
    }
}
