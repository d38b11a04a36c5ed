//! Stripe Billing: subscriptions and their invoices, as the API had them before 2025-03-31 and as it has them since: then
//! periods went to the items, and what an invoice is for went to `parent`. Sources: Stripe, "The Subscription object", "The
//! Invoice object", "The Invoice Line Item object", "The Invoice Payment object", and its changelog. Pure.

use crate::amount::Decimal;
use crate::moment::Time;
use crate::payments::providers::event::NoEvent;
use crate::payments::providers::plan::{
    Bill, Item, Line, Price, Report, Says, Standing, amount, id, moment, paid, quantity, required, span, text,
};
use crate::payments::providers::stripe::Stripe;
use serde_json::Value;

/// What an event says of a plan; `None` for nothing.
pub fn read(json: &Value) -> Result<Option<Report>, NoEvent> {
    let object = &json["data"]["object"];
    let kind = json["type"].as_str().unwrap_or_default();
    let at = moment(&json["created"]);
    if let Some(what) = kind.strip_prefix("customer.subscription.") {
        let is_state = ["created", "updated", "deleted", "paused", "resumed"].contains(&what);
        return Ok(if is_state { subscription(object, what, at) } else { None });
    }
    if kind == "invoice_payment.paid" {
        return Ok(paid_by(object, at));
    }
    let Some(invoice) = Invoice::of(object) else { return Ok(None) };
    let says = match kind {
        "invoice.paid" | "invoice.payment_succeeded" => Says::Paid(Box::new(invoice.bill()?)),
        "invoice.payment_failed" => Says::Failed,
        _ => return Ok(None),
    };
    let metadata = invoice.metadata();
    Ok(Some(Report {
        at,
        subscription: Some(invoice.subscription.clone()),
        customer_id: text(&metadata["customer_id"]),
        subscription_id: text(&metadata["subscription_id"]),
        pair: None,
        says,
    }))
}

fn subscription(object: &Value, what: &str, at: Option<Time>) -> Option<Report> {
    let status = match object["status"].as_str().unwrap_or_default() {
        _ if what == "deleted" => "canceled",
        "trialing" => "trialing",
        "past_due" | "unpaid" => "past_due",
        "incomplete" => "incomplete",
        "incomplete_expired" => "incomplete_expired",
        "canceled" => "canceled",
        "paused" => "paused",
        "active" => "active",
        _ => return None,
    };
    let items: Vec<&Value> = object["items"]["data"].as_array().map(|all| all.iter().collect()).unwrap_or_default();
    let first = items.first().copied().unwrap_or(&Value::Null);
    let of = |name: &str| moment(&object[name]).or_else(|| moment(&first[name]));
    let period = span(of("current_period_start"), of("current_period_end"));
    let at_end = object["cancel_at_period_end"].as_bool().unwrap_or_default();
    let standing = Standing {
        status,
        currency: text(&object["currency"]).or_else(|| text(&first["price"]["currency"])),
        items: items.iter().map(|item| self::item(item)).filter(|item| !item.quantity.is_zero()).collect(),
        period,
        anchor: moment(&object["billing_cycle_anchor"]),
        trial_end: moment(&object["trial_end"]),
        cancel_at: moment(&object["cancel_at"]).or(period.filter(|_| at_end).map(|(_, end)| end)),
        cancel_at_period_end: at_end,
        ended_at: moment(&object["ended_at"]),
    };
    Some(Report {
        at,
        subscription: Some(text(&object["id"])?),
        customer_id: text(&object["metadata"]["customer_id"]),
        subscription_id: text(&object["metadata"]["subscription_id"]),
        pair: None,
        says: Says::Stands(Box::new(standing)),
    })
}

fn item(json: &Value) -> Item {
    let price = if json["price"].is_null() { &json["plan"] } else { &json["price"] };
    Item {
        id: text(&json["id"]),
        price: self::price(price),
        quantity: quantity(&json["quantity"]).unwrap_or(Decimal::ONE),
    }
}

fn price(json: &Value) -> Price {
    Price { id: id(json), lookup_key: text(&json["lookup_key"]), price_id: text(&json["metadata"]["price_id"]) }
}

fn paid_by(object: &Value, at: Option<Time>) -> Option<Report> {
    let says = Says::PaidBy { invoice: id(&object["invoice"])?, payment: id(&object["payment"]["payment_intent"])? };
    Some(Report { at, subscription: None, customer_id: None, subscription_id: None, pair: None, says })
}

/// An invoice of a subscription.
struct Invoice<'a> {
    json: &'a Value,
    subscription: String,
    currency: String,
}

impl<'a> Invoice<'a> {
    fn of(json: &'a Value) -> Option<Self> {
        let details = &json["parent"]["subscription_details"];
        let subscription = id(&details["subscription"]).or_else(|| id(&json["subscription"]))?;
        Some(Invoice { json, subscription, currency: text(&json["currency"]).unwrap_or_default() })
    }

    /// The subscription's, as it was when the invoice was finalized; old versions have it on the lines alone.
    fn metadata(&self) -> &'a Value {
        let places = [
            &self.json["parent"]["subscription_details"]["metadata"],
            &self.json["subscription_details"]["metadata"],
            &self.json["lines"]["data"][0]["metadata"],
        ];
        let is_said = |metadata: &&Value| !metadata["customer_id"].is_null();
        places.into_iter().find(is_said).unwrap_or(&Value::Null)
    }

    fn bill(&self) -> Result<Bill, NoEvent> {
        let json = self.json;
        let wrong = || NoEvent::at("data.object.id", "must be a text of 1 to 255 characters");
        let taxes = sum(&self.currency, [&json["total_taxes"], &json["total_tax_amounts"]], |_| true);
        let tax = taxes.or_else(|| self.amount(&json["tax"])).unwrap_or_default();
        let payment = &json["payments"]["data"][0]["payment"]["payment_intent"];
        let lines = json["lines"]["data"].as_array();
        let lines = lines.into_iter().flatten().map(|line| self.line(line)).collect::<Result<_, _>>()?;
        let reason = json["billing_reason"].as_str().unwrap_or_default();
        let amount_paid = paid(&Stripe, &self.currency, &json["amount_paid"], "data.object.amount_paid")?;
        Ok(Bill {
            invoice: text(&json["id"]).ok_or_else(wrong)?,
            number: text(&json["number"]),
            payment: id(&json["payment_intent"]).or_else(|| id(payment)),
            currency: self.currency.clone(),
            amount_paid,
            tax,
            is_update: reason == "subscription_update",
            is_first: reason == "subscription_create",
            lines,
        })
    }

    fn amount(&self, json: &Value) -> Option<Decimal> {
        amount(&Stripe, &self.currency, json)
    }

    fn line(&self, json: &Value) -> Result<Line, NoEvent> {
        let parent = &json["parent"]["subscription_item_details"];
        let by_hand = &json["parent"]["invoice_item_details"];
        let is_proration = [&json["proration"], &parent["proration"], &by_hand["proration"]];
        let is_proration = is_proration.into_iter().any(|said| *said == true);
        let named = [&json["pricing"]["price_details"]["price"], &json["price"], &json["plan"]];
        let price = named.into_iter().find(|price| !price.is_null()).map(self::price).unwrap_or_default();
        let gross = required(&Stripe, &self.currency, &json["amount"], "data.object.lines.data.amount")?;
        let off = sum(&self.currency, [&json["discount_amounts"], &Value::Null], |_| true).unwrap_or_default();
        let is_in_it = |tax: &Value| tax["inclusive"] == true || tax["tax_behavior"] == "inclusive";
        let tax = sum(&self.currency, [&json["taxes"], &json["tax_amounts"]], is_in_it).unwrap_or_default();
        // What was added by hand is of no item; early versions name the subscription alone.
        let is_item = !parent.is_null() || !json["subscription_item"].is_null() || json["type"] == "subscription";
        Ok(Line {
            item: id(&parent["subscription_item"]).or_else(|| id(&json["subscription_item"])),
            price,
            quantity: quantity(&json["quantity"]),
            amount: gross - off - tax,
            period: span(moment(&json["period"]["start"]), moment(&json["period"]["end"])),
            is_of_item: is_item && !is_proration,
            is_proration,
            is_free: gross.is_zero(),
        })
    }
}

/// What the amounts in the first of these lists that is there come to; `None` where neither is.
fn sum(currency: &str, lists: [&Value; 2], which: impl Fn(&Value) -> bool) -> Option<Decimal> {
    let list = lists.into_iter().find_map(Value::as_array)?;
    let all = list.iter().filter(|one| which(one)).filter_map(|one| amount(&Stripe, currency, &one["amount"]));
    Some(all.sum())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn at(seconds: i64) -> Option<Time> {
        moment(&json!(seconds))
    }

    fn event(kind: &str, object: Value) -> Option<Report> {
        read(&json!({"id": "evt_1", "type": kind, "created": 1_700_000_000, "data": {"object": object}})).unwrap()
    }

    #[test]
    fn a_subscription_in_both_shapes() {
        let price = json!({"id": "price_1", "lookup_key": "pro", "currency": "usd", "metadata": {"price_id": "p"}});
        let period = json!({"current_period_start": 1_700_000_000, "current_period_end": 1_702_592_000});
        let mut item = json!({"id": "si_1", "price": price, "quantity": 2});
        let mut old = json!({"id": "sub_1", "status": "unpaid", "cancel_at_period_end": true, "items": {"data": [item]},
                             "metadata": {"customer_id": "ann"}, "billing_cycle_anchor": 1_700_000_000});
        let mut new = old.clone();
        old.as_object_mut().unwrap().extend(period.as_object().unwrap().clone());
        item.as_object_mut().unwrap().extend(period.as_object().unwrap().clone());
        new["items"]["data"][0] = item;
        let report = event("customer.subscription.updated", old).unwrap();
        assert_eq!(Some(report.clone()), event("customer.subscription.updated", new));
        assert_eq!(report.about().as_deref(), Some("sub_1"));
        let Says::Stands(standing) = report.says else { panic!("{report:?}") };
        assert_eq!((standing.status, standing.currency.as_deref()), ("past_due", Some("usd")));
        assert_eq!(standing.period, span(at(1_700_000_000), at(1_702_592_000)));
        assert_eq!(standing.cancel_at, at(1_702_592_000));
        assert_eq!(standing.items[0].quantity, Decimal::from(2));
        assert_eq!(standing.items[0].price.lookup_key.as_deref(), Some("pro"));
        let gone = event("customer.subscription.deleted", json!({"id": "sub_1", "status": "active"})).unwrap();
        assert!(matches!(gone.says, Says::Stands(standing) if standing.status == "canceled"));
        assert_eq!(event("customer.subscription.trial_will_end", json!({"id": "sub_1", "status": "active"})), None);
        assert_eq!(event("customer.subscription.updated", json!({"id": "sub_1", "status": "odd"})), None);
    }

    #[test]
    fn an_invoice_in_both_shapes() {
        let period = json!({"start": 1_700_000_000, "end": 1_702_592_000});
        let line = json!({"amount": 2400, "quantity": 2, "period": period, "discount_amounts": [{"amount": 400}]});
        let mut old = json!({"id": "in_1", "subscription": "sub_1", "currency": "usd", "amount_paid": 2000, "tax": 300,
                             "payment_intent": "pi_1", "billing_reason": "subscription_cycle",
                             "subscription_details": {"metadata": {"customer_id": "ann"}}, "lines": {"data": [line]}});
        let mut new = old.clone();
        let mut of_old = json!({"subscription_item": "si_1", "price": {"id": "price_1"}, "proration": false,
                                "tax_amounts": [{"amount": 300, "inclusive": true}]});
        old["lines"]["data"][0].as_object_mut().unwrap().append(of_old.as_object_mut().unwrap());
        let mut of_new = json!({"pricing": {"price_details": {"price": "price_1"}},
                                "taxes": [{"amount": 300, "tax_behavior": "inclusive"}],
                                "parent": {"subscription_item_details": {"subscription_item": "si_1", "proration": false}}});
        new["lines"]["data"][0].as_object_mut().unwrap().append(of_new.as_object_mut().unwrap());
        let object = new.as_object_mut().unwrap();
        for name in ["subscription", "tax", "payment_intent", "subscription_details"] {
            object.remove(name);
        }
        new["total_taxes"] = json!([{"amount": 300}]);
        new["payments"] = json!({"data": [{"payment": {"payment_intent": "pi_1"}}]});
        new["parent"] = json!({"subscription_details": {"subscription": "sub_1", "metadata": {"customer_id": "ann"}}});
        let report = event("invoice.paid", old).unwrap();
        assert_eq!(Some(report.clone()), event("invoice.paid", new));
        assert_eq!(report.customer_id.as_deref(), Some("ann"));
        let Says::Paid(bill) = report.says else { panic!("{report:?}") };
        assert_eq!((bill.amount_paid, bill.tax, bill.is_first), (Decimal::from(20), Decimal::from(3), false));
        assert_eq!(bill.payment.as_deref(), Some("pi_1"));
        assert_eq!(bill.lines[0].amount, Decimal::from(17));
        assert_eq!(bill.lines[0].price.id.as_deref(), Some("price_1"));
        assert!(!bill.lines[0].is_proration);
    }

    #[test]
    fn other_invoices_are_none_of_it() {
        assert_eq!(event("invoice.paid", json!({"id": "in_1", "amount_paid": 1, "currency": "usd"})), None);
        assert_eq!(event("invoice.created", json!({"id": "in_1", "subscription": "sub_1"})), None);
        let failed = event("invoice.payment_failed", json!({"id": "in_1", "subscription": {"id": "sub_1"}}));
        assert!(matches!(failed, Some(Report { says: Says::Failed, .. })));
        let paid_by = json!({"invoice": "in_1", "payment": {"type": "payment_intent", "payment_intent": "pi_1"}});
        assert_eq!(event("invoice_payment.paid", paid_by).unwrap().about().as_deref(), Some("in_1"));
        let odd = json!({"type": "invoice.paid", "created": 1, "data": {"object": {"subscription": "s", "id": "i"}}});
        assert_eq!(
            read(&odd).unwrap_err().to_string(),
            "is wrong at data.object.amount_paid: it must be a whole number of minor units that is not negative"
        );
    }
}
