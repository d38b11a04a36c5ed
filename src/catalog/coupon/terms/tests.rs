use super::*;

fn ten_percent() -> Given {
    Given { name: Some(String::from("Ten")), percent_off: Some(Decimal::TEN), ..Given::default() }
}

fn reason(given: Given) -> String {
    given.read().map_or_else(|error| error.to_string(), |_| String::from("none"))
}

#[test]
fn it_does_one_thing() {
    assert_eq!(reason(ten_percent()), "none");
    let amount = Given { amount_off: Some(Decimal::ONE), currency: Some(String::from("USD")), ..ten_percent() };
    assert_eq!(reason(amount.clone()), "percent_off or amount_off or credit_config is to be given, one of them");
    let amount = Given { percent_off: None, ..amount };
    assert_eq!(reason(amount.clone()), "none");
    assert_eq!(reason(Given { currency: None, ..amount.clone() }), "currency is required and must not be NULL");
    let twice = Some(String::from(r#"{"USD": {"amount_off": 2}}"#));
    let twice = Given { currency_options: twice, ..amount.clone() };
    assert_eq!(reason(twice), "currency_options has USD, which amount_off is in");
    assert_eq!(
        reason(Given { amount_off: None, ..amount }),
        "percent_off is required, or amount_off, or credit_config"
    );
    let currency = Given { currency: Some(String::from("USD")), ..ten_percent() };
    assert_eq!(reason(currency), "currency is for amount_off");
}

#[test]
fn what_is_given_takes_the_place_of_what_is_there() {
    let there = Given {
        percent_off: None,
        amount_off: Some(Decimal::ONE),
        currency: Some(String::from("USD")),
        currency_options: Some(String::from(r#"{"EUR": {"amount_off": 2}}"#)),
        duration: Some(String::from("repeating")),
        months: Some(3),
        redeem_by: Some(Time(0)),
        ..ten_percent()
    };
    let percent = Given { percent_off: Some(Decimal::TEN), ..Given::default() }.over(there.clone());
    assert_eq!((percent.currency, percent.currency_options, percent.months), (None, None, Some(3)));
    let once = Given { duration: Some(String::from("once")), ..Given::default() }.over(there.clone());
    assert_eq!((once.amount_off, once.months), (Some(Decimal::ONE), None));
    let open = Given { redeem_by: Some(Time::NEVER), max_redemptions: Some(UNLIMITED), ..Given::default() };
    let open = open.over(Given { max_redemptions: Some(5), ..there });
    assert_eq!((open.redeem_by, open.max_redemptions, open.currency.as_deref()), (None, None, Some("USD")));
}

#[test]
fn a_percentage_is_one() {
    assert_eq!(percent(Decimal::ZERO), Err(AmountError::NotPositive));
    assert_eq!(percent(Decimal::new(1_001, 1)), Err(AmountError::OverHundred));
    assert_eq!(percent(Decimal::new(1, 13)), Err(AmountError::TooManyDecimals(12)));
    assert_eq!(percent(Decimal::ONE_HUNDRED), Ok(Decimal::ONE_HUNDRED));
}

#[test]
fn credits_that_nobody_paid_for_are_promotional() {
    let category = |text| credits(text).map(|config| config.category);
    assert_eq!(category(r#"{"amount": 5, "currency": "CREDIT"}"#).ok(), Some("promotional"));
    assert_eq!(category(r#"{"amount": 5, "currency": "CREDIT", "category": "paid"}"#).ok(), Some("paid"));
    assert!(category(r#"{"amount": 5, "currency": "CREDIT", "rollover": {"percent": 5}}"#).is_err());
}
