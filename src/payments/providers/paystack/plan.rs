//! Paystack's plans: subscriptions, and the invoices of those. Sources: Paystack, "Subscriptions: Listen for subscription
//! events" and "Webhooks: Types of events". A subscription has no metadata there: it is known by its code, or by the metadata
//! of the transaction that began it, which has the same customer and plan. Pure.

use crate::amount::Decimal;
use crate::json;
use crate::moment::Time;
use crate::payments::providers::event::NoEvent;
use crate::payments::providers::paystack::Paystack;
use crate::payments::providers::plan::{
    Bill, Item, Line, Price, Report, Says, Standing, id, instant, paid, quantity, span, text,
};
use serde_json::Value;

/// What an event says of a plan; `None` for nothing.
pub fn read(payload: &Value) -> Result<Option<Report>, NoEvent> {
    let data = &payload["data"];
    let kind = payload["event"].as_str().unwrap_or_default();
    Ok(match kind {
        "subscription.create" => standing(data, "active", false),
        "subscription.not_renew" => standing(data, "", true),
        "subscription.disable" => standing(data, "canceled", false),
        "invoice.payment_failed" => of_invoice(data, Says::Failed),
        "invoice.update" if is_true(&data["paid"]) => {
            let bill = Says::Paid(Box::new(bill(data)?));
            of_invoice(data, bill)
        }
        "charge.success" => first_charge(data)?,
        _ => None,
    })
}

/// Whether it is true, however Paystack writes that.
fn is_true(value: &Value) -> bool {
    *value == true || *value == 1 || *value == "true"
}

/// When something happened, by the first of these that is there.
fn when(data: &Value, names: &[&str]) -> Option<Time> {
    names.iter().find_map(|name| instant(&data[*name]))
}

/// Whose plan, in Paystack's names: what the first transaction and the subscription that it begins have both.
fn pair(data: &Value) -> Option<String> {
    let plan = text(&data["plan"]["plan_code"]).or_else(|| text(&data["plan"]))?;
    Some(format!("{} {plan}", text(&data["customer"]["customer_code"])?))
}

fn standing(data: &Value, status: &'static str, stops: bool) -> Option<Report> {
    let next = when(data, &["next_payment_date"]);
    let created_at = when(data, &["createdAt", "created_at"]);
    let plan = Price { id: text(&data["plan"]["plan_code"]), ..Price::default() };
    let standing = Standing {
        status,
        currency: text(&data["plan"]["currency"]).or_else(|| text(&data["authorization"]["currency"])),
        items: plan
            .id
            .is_some()
            .then(|| Item { id: None, price: plan, quantity: quantity(&data["quantity"]).unwrap_or(Decimal::ONE) })
            .filter(|item| !item.quantity.is_zero())
            .into_iter()
            .collect(),
        // Once it is not renewed, it has no next payment: then its period says when it ends.
        period: if status == "active" { span(created_at, next) } else { None },
        cancel_at_period_end: stops,
        ..Standing::default()
    };
    Some(Report {
        // What ends it does not say when.
        at: created_at.filter(|_| status == "active"),
        subscription: Some(text(&data["subscription_code"])?),
        customer_id: None,
        subscription_id: None,
        pair: pair(data).filter(|_| status == "active"),
        says: Says::Stands(Box::new(standing)),
    })
}

fn of_invoice(data: &Value, says: Says) -> Option<Report> {
    Some(Report {
        at: when(data, &["paid_at", "created_at"]),
        subscription: Some(text(&data["subscription"]["subscription_code"])?),
        customer_id: None,
        subscription_id: None,
        pair: None,
        says,
    })
}

fn bill(data: &Value) -> Result<Bill, NoEvent> {
    let transaction = &data["transaction"];
    let currency = text(&transaction["currency"]).or_else(|| text(&data["authorization"]["currency"]));
    let currency = currency.unwrap_or_else(|| String::from("NGN"));
    let amount = if transaction["amount"].is_null() { &data["amount"] } else { &transaction["amount"] };
    let amount_paid = paid(&Paystack, &currency, amount, "data.amount")?;
    let wrong = || NoEvent::at("data.invoice_code", "must be a text of 1 to 255 characters");
    let line = Line {
        item: None,
        price: Price { id: text(&data["plan"]["plan_code"]), ..Price::default() },
        quantity: None,
        amount: amount_paid,
        period: span(instant(&data["period_start"]), instant(&data["period_end"])),
        is_of_item: true,
        is_proration: false,
        is_free: false,
    };
    Ok(Bill {
        invoice: text(&data["invoice_code"]).ok_or_else(wrong)?,
        number: None,
        payment: text(&transaction["reference"]),
        currency,
        amount_paid,
        tax: Default::default(),
        is_update: false,
        is_first: false,
        lines: vec![line],
    })
}

/// The transaction that begins a subscription has no invoice: its metadata say whose it is.
fn first_charge(data: &Value) -> Result<Option<Report>, NoEvent> {
    let metadata = match &data["metadata"] {
        Value::String(text) => json::read(text).unwrap_or_default(),
        object => object.clone(),
    };
    let (Some(customer_id), Some(subscription_id)) =
        (text(&metadata["customer_id"]), text(&metadata["subscription_id"]))
    else {
        return Ok(None);
    };
    let Some(reference) = text(&data["reference"]) else { return Ok(None) };
    let at = when(data, &["paid_at", "paidAt", "created_at"]);
    let currency = text(&data["currency"]).unwrap_or_default();
    let amount_paid = paid(&Paystack, &currency, &data["amount"], "data.amount")?;
    let plan = text(&data["plan"]["plan_code"]).or_else(|| id(&data["plan"]));
    let line = Line {
        item: None,
        price: Price { id: plan, ..Price::default() },
        quantity: None,
        amount: amount_paid,
        period: None,
        is_of_item: true,
        is_proration: false,
        is_free: false,
    };
    let bill = Bill {
        invoice: reference.clone(),
        number: None,
        payment: Some(reference),
        currency,
        amount_paid,
        tax: Default::default(),
        is_update: false,
        is_first: true,
        lines: vec![line],
    };
    Ok(Some(Report {
        at,
        subscription: text(&data["subscription"]["subscription_code"]),
        customer_id: Some(customer_id),
        subscription_id: Some(subscription_id),
        pair: pair(data),
        says: Says::Paid(Box::new(bill)),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn event(kind: &str, data: Value) -> Option<Report> {
        read(&json!({"event": kind, "data": data})).unwrap()
    }

    #[test]
    fn a_subscription_begins_is_paid_and_ends() {
        let plan = json!({"plan_code": "PLN_1", "currency": "NGN"});
        let begins = json!({"subscription_code": "SUB_1", "createdAt": "2026-03-20T00:23:24.000Z", "plan": plan,
                            "next_payment_date": "2026-04-20T00:00:00.000Z"});
        let begins = event("subscription.create", begins).unwrap();
        let Says::Stands(standing) = &begins.says else { panic!("{begins:?}") };
        assert_eq!((standing.status, standing.items[0].price.id.as_deref()), ("active", Some("PLN_1")));
        let invoice = json!({"invoice_code": "INV_1", "paid": 1, "amount": 44000, "paid_at": "2026-04-20T06:00:00.000Z",
                             "period_start": "2026-04-20T00:00:00.000Z", "period_end": "2026-05-19T23:59:59.000Z",
                             "subscription": {"subscription_code": "SUB_1"},
                             "transaction": {"reference": "r1", "amount": 44000, "currency": "NGN"}});
        let paid = event("invoice.update", invoice.clone()).unwrap();
        let Says::Paid(bill) = &paid.says else { panic!("{paid:?}") };
        assert_eq!((bill.amount_paid, bill.payment.as_deref()), (Decimal::from(440), Some("r1")));
        let failed = event("invoice.payment_failed", invoice).unwrap();
        assert_eq!((failed.says, failed.subscription.as_deref()), (Says::Failed, Some("SUB_1")));
        assert_eq!(event("invoice.update", json!({"paid": 0, "invoice_code": "INV_1"})), None);
        let ends = event("subscription.disable", json!({"subscription_code": "SUB_1"})).unwrap();
        assert!(matches!(ends.says, Says::Stands(standing) if standing.status == "canceled"));
        let stops = event("subscription.not_renew", json!({"subscription_code": "SUB_1"})).unwrap();
        assert!(matches!(stops.says, Says::Stands(standing) if standing.cancel_at_period_end));
    }

    #[test]
    fn the_first_charge_says_whose_it_is() {
        let charge = |metadata: Value| {
            event(
                "charge.success",
                json!({"reference": "r0", "amount": 44000, "currency": "NGN", "metadata": metadata,
                                           "paid_at": "2026-03-20T00:23:00.000Z", "plan": {"plan_code": "PLN_1"}}),
            )
        };
        let first = charge(json!({"customer_id": "ann", "subscription_id": "s"})).unwrap();
        assert_eq!((first.customer_id.as_deref(), first.subscription.as_deref()), (Some("ann"), None));
        assert_eq!(
            charge(json!("{\"customer_id\": \"ann\", \"subscription_id\": \"s\"}")).map(|it| it.at),
            Some(first.at)
        );
        assert_eq!(charge(json!({"customer_id": "ann", "top_up_id": "t"})), None);
        // The subscription that it begins is known by the same customer and plan.
        let of = json!({"reference": "r0", "amount": 1, "currency": "NGN", "plan": {"plan_code": "PLN_1"},
                        "customer": {"customer_code": "CUS_1"}, "subscription_code": "SUB_1",
                        "metadata": {"customer_id": "ann", "subscription_id": "s"}});
        let pair = event("charge.success", of.clone()).unwrap().about();
        assert_eq!(
            (pair.as_deref(), event("subscription.create", of).unwrap().about()),
            (Some("CUS_1 PLN_1"), pair.clone())
        );
    }
}
