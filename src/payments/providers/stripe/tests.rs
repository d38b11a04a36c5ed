//! What Stripe signs and sends, and what it does not.

use super::*;
use crate::amount::Decimal;
use proptest::prelude::*;
use serde_json::json;

fn read(kind: &str, object: Value) -> Result<Event, NoEvent> {
    Stripe.event(&json!({"id": "evt_1", "type": kind, "data": {"object": object}}))
}

fn event(kind: &str, object: Value) -> Event {
    read(kind, object).unwrap()
}

#[test]
fn a_session_and_its_intent_are_one_payment() {
    let session = event(
        "checkout.session.completed",
        json!({"id": "cs_1", "payment_intent": "pi_1", "payment_status": "paid", "amount_total": 2500, "currency": "usd",
               "metadata": {"customer_id": "u1", "top_up_id": "t"}}),
    );
    let details = Details::default();
    assert_eq!(session.fact, Fact::Succeeded { amount: Some(Decimal::from(25)), details });
    let intent = event(
        "payment_intent.succeeded",
        json!({"id": "pi_1", "amount_received": 2500, "currency": "usd", "metadata": {"top_up_id": "t"}}),
    );
    assert_eq!((session.reference, session.subject.payment), (intent.reference, intent.subject.payment));
}

#[test]
fn what_is_not_paid_yet_is_nothing() {
    let unpaid = json!({"id": "cs_1", "payment_intent": null, "payment_status": "unpaid", "amount_total": 2500});
    assert_eq!(event("checkout.session.completed", unpaid).fact, Fact::Nothing);
    assert_eq!(event("refund.created", json!({"id": "re_1", "status": "pending", "amount": 1})).fact, Fact::Nothing);
    assert_eq!(event("customer.created", json!({"id": "cus_1"})).fact, Fact::Nothing);
    let inquiry = json!({"id": "dp_1", "status": "warning_needs_response", "amount": 1, "currency": "usd"});
    assert_eq!(event("charge.dispute.created", inquiry).fact, Fact::Nothing);
}

#[test]
fn refunds_and_disputes_name_the_payment() {
    let refund = event(
        "refund.updated",
        json!({"id": "re_1", "status": "succeeded", "amount": 500, "currency": "usd", "payment_intent": {"id": "pi_1"}}),
    );
    assert_eq!(refund.fact, Fact::Refunded { amount: Some(Decimal::from(5)), total: None });
    assert_eq!((refund.reference.as_deref(), refund.subject.payment.as_deref()), (Some("re_1"), Some("pi_1")));
    let charge = event(
        "charge.refunded",
        json!({"id": "ch_1", "amount_refunded": 700, "currency": "usd", "payment_intent": "pi_1"}),
    );
    assert_eq!(charge.fact, Fact::Refunded { amount: None, total: Some(Decimal::from(7)) });
    assert_eq!((charge.reference, charge.subject.of_payment.as_deref()), (None, Some("pi_1")));
    let lost = event("charge.dispute.closed", json!({"id": "dp_1", "status": "lost", "payment_intent": "pi_1"}));
    assert_eq!(lost.fact, Fact::DisputeClosed { won: false });
}

#[test]
fn what_is_no_event_says_where() {
    for (json, says) in [
        (json!(null), "must be a JSON object"),
        (json!([]), "must be a JSON object"),
        (json!({"id": "x"}), "is wrong at type: it must be a text or a number of 1 to 255 characters"),
        (json!({"id": [], "type": "t"}), "is wrong at id: it must be a text or a number of 1 to 255 characters"),
        (json!({"id": 1, "type": "t", "data": []}), "is wrong at data.object: it is required"),
        (json!({"id": 1, "type": "t", "data": {}}), "is wrong at data.object: it is required"),
    ] {
        assert_eq!(Stripe.event(&json).unwrap_err().to_string(), says, "{json}");
    }
}

#[test]
fn an_amount_is_there_with_its_currency_or_says_where_not() {
    let kind = "payment_intent.succeeded";
    let units =
        "is wrong at data.object.amount_received: it must be a whole number of minor units that is not negative";
    for odd in [json!(null), json!(true), json!(-1), json!(1.5), json!("ten"), json!([5]), json!({"value": 5})] {
        let wrong = read(kind, json!({"id": "pi_1", "amount_received": odd, "currency": "usd"})).unwrap_err();
        assert_eq!(wrong.to_string(), units, "{odd}");
    }
    for odd in [json!(null), json!({}), json!("")] {
        let wrong = read(kind, json!({"id": "pi_1", "amount_received": 1, "currency": odd})).unwrap_err();
        assert_eq!(wrong.to_string(), "is wrong at data.object.currency: it must be the code of the amount's currency");
    }
    let huge = read(kind, json!({"amount_received": "9".repeat(35), "currency": "usd"})).unwrap_err();
    assert!(huge.to_string().starts_with("is wrong at data.object.amount_received: it must have at most 28 digits"));
    let text = event(kind, json!({"id": "pi_1", "amount_received": "2500", "currency": "USD"}));
    assert_eq!(text.fact, Fact::Succeeded { amount: Some(Decimal::from(25)), details: Details::default() });
}

#[test]
fn whatever_else_an_event_carries_it_is_read() {
    for object in [json!(null), json!("x"), json!([{"id": 1}]), json!({"metadata": [], "payment_intent": true})] {
        let event = event("customer.created", object);
        assert_eq!((event.fact, event.subject), (Fact::Nothing, Subject::default()));
    }
    let odd = json!({"id": 7, "payment_intent": {"id": ""}, "metadata": "{}", "last_payment_error": "no",
                     "cancellation_reason": "abandoned", "status": {}, "unknown": {"deep": [1]}});
    let event = event("payment_intent.canceled", odd);
    assert_eq!(event.fact, Fact::Failed { reason: Some(String::from("abandoned")) });
    assert_eq!((event.reference.as_deref(), event.subject.intent_id), (Some("7"), None));
}

#[test]
fn the_sender_is_who_it_says() {
    let said = |members: Value| {
        let mut json = json!({"id": 1, "type": "t", "data": {"object": {}}});
        json.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
        Stripe.event(&json).unwrap().sender
    };
    assert_eq!(said(json!({})), Sender::default());
    assert_eq!(said(json!({"livemode": false})).livemode, Livemode::Said(false));
    for odd in [json!(null), json!("true"), json!(1), json!([])] {
        assert_eq!(said(json!({"livemode": odd})).livemode, Livemode::Unclear);
    }
    assert_eq!(said(json!({"account": "acct_1"})).account.as_deref(), Some("acct_1"));
}

#[test]
fn minor_units() {
    for (currency, decimals) in [("usd", 2), ("jpy", 0), ("KWD", 3), ("ISK", 2), ("UGX", 2), ("xof", 0)] {
        assert_eq!(Stripe.minor_decimals(currency), decimals, "{currency}");
    }
}

fn check(secrets: &[&str], payload: &str, header: &str, now: i64) -> Result<(), Invalid> {
    Stripe.verify(&Signed { secrets, payload, header, now, tolerance: 300 })
}

fn header(secret: &str, at: i64, payload: &str) -> String {
    let signature = signature::sign(secret.as_bytes(), &format!("{at}.{payload}"));
    format!("t={at},v1={}", hex::encode(signature))
}

#[test]
fn any_of_several_signatures_and_secrets_is_accepted() {
    let good = header("whsec_new", 1_000, "{}");
    assert_eq!(check(&["whsec_old", "whsec_new"], "{}", &good, 1_000), Ok(()));
    let several = format!("t=1000,v1={},{},v0=ff", "0".repeat(64), &good[7..]);
    assert_eq!(check(&["whsec_new"], "{}", &several, 1_000), Ok(()));
    assert_eq!(check(&["whsec_old"], "{}", &good, 1_000), Err(Invalid::Wrong));
    assert_eq!(check(&["whsec_new"], "{} ", &good, 1_000), Err(Invalid::Wrong));
    assert_eq!(check(&["s"], "{}", &format!("t=1,{}", header("s", 1, "{}")), 1), Err(Invalid::Malformed));
}

#[test]
fn many_signatures_cost_no_more_than_one() {
    let (payload, one) = ("x".repeat(1 << 20), format!("t=1,v1={}", "0".repeat(64)));
    let many = format!("t=1{}", format!(",v1={}", "0".repeat(64)).repeat(50));
    let quickest = |header: &str| {
        let time = || {
            let from = std::time::Instant::now();
            assert_eq!(check(&["s"], &payload, header, 1), Err(Invalid::Wrong));
            from.elapsed()
        };
        (0..5).map(|_| time()).min().unwrap()
    };
    assert!(quickest(&many) < quickest(&one) * 10);
}

#[test]
fn signatures_grow_old() {
    let good = header("s", 1_000, "{}");
    assert_eq!(check(&["s"], "{}", &good, 1_300), Ok(()));
    assert_eq!(check(&["s"], "{}", &good, 1_301), Err(Invalid::TooOld));
    // A time that was changed is not signed.
    let forged = good.replace("t=1000", "t=1301");
    assert_eq!(check(&["s"], "{}", &forged, 1_301), Err(Invalid::Wrong));
}

proptest! {
    #[test]
    fn one_changed_byte_is_noticed(payload in "[ -~]{1,60}", place in 0usize..60, secret in "[ -~]{1,40}") {
        let place = place % payload.len();
        let mut changed = payload.clone().into_bytes();
        changed[place] ^= 1;
        let changed = String::from_utf8(changed).unwrap();
        let header = header(&secret, 5, &payload);
        prop_assert_eq!(check(&[&secret], &payload, &header, 5), Ok(()));
        prop_assert_eq!(check(&[&secret], &changed, &header, 5), Err(Invalid::Wrong));
    }
}
