//! Both spellings, everything that is wrong, and what is stored read again.

use super::*;
use proptest::prelude::*;

fn stored(text: &str) -> String {
    CreditConfig::parse(text, "CREDIT").map_or_else(|wrong| wrong.to_string(), |config| config.value().to_string())
}

#[test]
fn two_spellings_are_one() {
    let one = r#"{"amount": 500, "currency": "GPU", "valid_for": "90 days", "applicable_meters": ["b", "a", "a"],
        "schedule": {"delivery": "schedule", "every": "1 month", "first_grant": "after_trial"}}"#;
    let other = r#"{"credit_amount": "500.00", "currency_id": "GPU", "valid_duration_value": 90,
        "valid_duration_unit": "days", "applicable_prices": ["a", "b"], "category": null,
        "schedule": {"enabled": true, "delivery_mode": "schedule", "interval_value": 1, "interval_unit": "month",
                     "first_grant_timing": "after_trial"}}"#;
    assert_eq!(CreditConfig::parse(one, "CREDIT"), CreditConfig::parse(other, "CREDIT"));
    assert_eq!(
        stored(one),
        concat!(
            r#"{"amount":"500","applicable_meters":["a","b"],"category":"paid","currency":"GPU","priority":50,"#,
            r#""schedule":{"delivery":"schedule","every":"1 month","expire_with_next_grant":false,"#,
            r#""first_grant":"after_trial"},"valid_for":"90 days"}"#
        )
    );
    assert_eq!(
        stored(r#"{"amount": 1, "valid_duration_value": 0, "schedule": {"enabled": false}, "rollover": {}}"#),
        r#"{"amount":"1","category":"paid","currency":"CREDIT","priority":50,"rollover":{"percent":"100"}}"#
    );
}

#[test]
fn what_is_wrong_is_named() {
    for (text, expected) in [
        ("[]", "must be a JSON object"),
        ("{}", "is wrong at amount: it is required"),
        (r#"{"amount": 0}"#, "is wrong at amount: it must be greater than zero"),
        (r#"{"amount": "x"}"#, "is wrong at amount: it must be a finite number"),
        (
            r#"{"amount": 1, "credit_amount": 1}"#,
            "is wrong at credit_amount: it is another name of amount: give one of them",
        ),
        (r#"{"amount": 1, "category": "free"}"#, "is wrong at category: it must be one of: paid, promotional"),
        (r#"{"amount": 1, "priority": 101}"#, "is wrong at priority: it must be a whole number from 0 to 100"),
        (r#"{"amount": 1, "priority": 0.5}"#, "is wrong at priority: it must be a whole number from 0 to 100"),
        (
            r#"{"amount": 1, "applicable_meters": []}"#,
            "is wrong at applicable_meters: it must be an array of 1 to 1000 names, or left out for anything",
        ),
        (r#"{"amount": 1, "valid_for": 30}"#, "is wrong at valid_for: it must be a length as text, like '30 days'"),
        (
            r#"{"amount": 1, "valid_for": "soon"}"#,
            "is wrong at valid_for: it must be a length like '30 days', '1 month' or 'P1Y'",
        ),
        (
            r#"{"amount": 1, "valid_duration_value": 3}"#,
            "is wrong at valid_duration_unit: it is required with valid_duration_value",
        ),
        (
            r#"{"amount": 1, "valid_duration_value": 3, "valid_duration_unit": "moons"}"#,
            "is wrong at valid_duration_unit: it must be one of: hour, day, week, month, year",
        ),
        (
            r#"{"amount": 1, "schedule": {"delivery": "schedule"}}"#,
            "is wrong at schedule.every: it is required: from one instalment to the next",
        ),
        (
            r#"{"amount": 1, "schedule": {"every": "1 day"}}"#,
            "is wrong at schedule.every: it is for the delivery 'schedule'",
        ),
        (
            r#"{"amount": 1, "schedule": {"delivery": "schedule", "every": "1 month -1 day"}}"#,
            "is wrong at schedule.every: it must not have a negative part",
        ),
        (
            r#"{"amount": 1, "schedule": {"max_grants_per_period": 367}}"#,
            "is wrong at schedule.max_grants_per_period: it must be a whole number from 1 to 366",
        ),
        (r#"{"amount": 1, "rollover": {"percent": 101}}"#, "is wrong at rollover.percent: it must be at most 100"),
        (
            r#"{"amount": 1, "rollover": {"most": 1}}"#,
            "is wrong at rollover.most: it is unknown there; known are max, percent, max_times, expires_after",
        ),
    ] {
        assert_eq!(stored(text), expected, "{text}");
    }
    assert!(stored(r#"{"amount": 1, "credits": 1}"#).starts_with("is wrong at credits: it is unknown there"));
}

fn lengths() -> impl Strategy<Value = Length> {
    (0i32..100, 0i32..1000, 0i64..1_000_000_000_000).prop_map(|(months, days, microseconds)| Length {
        months,
        days,
        microseconds,
    })
}

fn amounts() -> impl Strategy<Value = Decimal> {
    (1i64.., 0u32..12).prop_map(|(mantissa, scale)| Decimal::new(mantissa, scale).normalize())
}

fn schedules() -> impl Strategy<Value = Schedule> {
    let instalments = (lengths(), proptest::option::of(amounts())).prop_map(Some);
    (prop_oneof![Just(None), instalments], 0..FIRST_GRANTS.len(), any::<bool>(), proptest::option::of(1..=MOST_GRANTS))
        .prop_map(|(instalments, first, expire_with_next_grant, max_grants_per_period)| Schedule {
            delivery: DELIVERIES[usize::from(instalments.is_some())],
            every: instalments.map(|(every, _)| every),
            amount_per_grant: instalments.and_then(|(_, amount)| amount),
            first_grant: FIRST_GRANTS[first],
            expire_with_next_grant,
            max_grants_per_period,
        })
}

fn rollovers() -> impl Strategy<Value = Rollover> {
    let percent = (1i64..=10_000).prop_map(|n| Decimal::new(n, 2).normalize());
    (proptest::option::of(amounts()), percent, proptest::option::of(1..=i32::MAX), proptest::option::of(lengths()))
        .prop_map(|(max, percent, max_times, expires_after)| Rollover { max, percent, max_times, expires_after })
}

fn configs() -> impl Strategy<Value = CreditConfig> {
    let meters = proptest::collection::btree_set("\\PC{1,9}", 1..5).prop_map(|names| names.into_iter().collect());
    let terms = (any::<bool>(), 0i16..=100, proptest::option::of("\\PC{1,20}"), proptest::option::of(meters));
    let plan = (proptest::option::of(lengths()), proptest::option::of(schedules()), proptest::option::of(rollovers()));
    ("[A-Z]{1,8}", amounts(), terms, plan).prop_map(|(currency, amount, terms, plan)| CreditConfig {
        currency,
        amount,
        category: CATEGORIES[usize::from(terms.0)],
        priority: terms.1,
        name: terms.2,
        applicable_meters: terms.3,
        valid_for: plan.0,
        schedule: plan.1,
        rollover: plan.2,
    })
}

proptest! {
    #[test]
    fn what_is_stored_is_read_again(config in configs()) {
        let stored = config.value().to_string();
        prop_assert_eq!(CreditConfig::parse(&stored, "another"), Ok(config), "{}", stored);
    }

    #[test]
    fn nothing_is_a_panic(key in "amount|priority|valid_for|schedule|rollover|name", value in "[\\[\\]{}\":,a-z0-9.-]{0,20}") {
        let _ = CreditConfig::parse(&format!(r#"{{"amount": 1, "{key}": {value}}}"#), "CREDIT");
    }
}
