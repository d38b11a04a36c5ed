use super::*;
use proptest::prelude::*;

const NOW: Time = Time(1_000);

fn coupon(off: Off) -> CouponTerms {
    CouponTerms { active: true, redeem_by: None, off, products: None }
}

fn percent(percent: i64) -> CouponTerms {
    coupon(Off::Percent(Decimal::from(percent)))
}

fn amount_off(amounts: &[(&str, i64)]) -> CouponTerms {
    coupon(Off::Amount(amounts.iter().map(|(code, amount)| (code.to_string(), Decimal::new(*amount, 2))).collect()))
}

fn code() -> CodeTerms {
    CodeTerms { active: true, starts_at: None, expires_at: None, first_transaction: false, minimum: None }
}

fn facts() -> Facts {
    Facts { now: NOW, is_left: true, is_left_to_customer: true, is_verified: true, has_paid: false }
}

fn line(product: u128, cents: i64) -> CartLine {
    CartLine { product_id: Some(Uuid::from_u128(product)).filter(|id| !id.is_nil()), amount: Decimal::new(cents, 2) }
}

fn usd(lines: &[CartLine]) -> Use<'_> {
    Use::Purchase { currency: "USD", decimals: 2, lines }
}

fn off(coupon: &CouponTerms, lines: &[CartLine]) -> (String, Vec<String>) {
    let discount = judge(coupon, None, &facts(), usd(lines)).unwrap();
    (discount.amount.to_string(), discount.per_line.iter().map(Decimal::to_string).collect())
}

#[test]
fn percent_is_rounded_once_and_split() {
    assert_eq!(off(&percent(20), &[line(1, 1_000), line(2, 500)]), (String::from("3"), vec!["2".into(), "1".into()]));
    // Three times 0.10 at 5 percent is 0.015, which is 0.02 in all: not 0.01 each.
    let thirds = [line(1, 10), line(2, 10), line(3, 10)];
    assert_eq!(off(&percent(5), &thirds), (String::from("0.02"), vec!["0.01".into(), "0".into(), "0.01".into()]));
    assert_eq!(off(&percent(100), &thirds).0, "0.3");
    let third = coupon(Off::Percent(Decimal::new(33_333, 3)));
    assert_eq!(off(&third, &[line(1, 100_000)]).0, "333.33");
}

#[test]
fn an_amount_is_capped_at_what_it_is_taken_off() {
    let ten = amount_off(&[("USD", 1_000), ("EUR", 900)]);
    assert_eq!(off(&ten, &[line(1, 700), line(2, 2_300)]).1, ["2.33", "7.67"]);
    assert_eq!(off(&ten, &[line(1, 200), line(2, 300)]), (String::from("5"), vec!["2".into(), "3".into()]));
    let one_product = CouponTerms { products: Some(vec![Uuid::from_u128(2)]), ..ten };
    assert_eq!(off(&one_product, &[line(1, 5_000), line(2, 300), line(0, 100)]).1, ["0", "3", "0"]);
    // What is given back lowers what it is taken off.
    assert_eq!(
        off(&percent(10), &[line(1, 10_000), line(1, -4_000)]),
        (String::from("6"), vec!["6".into(), "0".into()])
    );
}

/// Each reason is said although all that come after it hold too.
#[test]
fn reasons_come_in_their_order() {
    let mut no = CouponTerms {
        active: false,
        redeem_by: Some(Time(999)),
        products: Some(vec![Uuid::from_u128(9)]),
        ..amount_off(&[("EUR", 100)])
    };
    let mut asks = CodeTerms {
        active: false,
        starts_at: Some(Time(1_001)),
        expires_at: Some(NOW),
        first_transaction: true,
        minimum: Some(Amounts::from([(String::from("USD"), Decimal::from(10))])),
    };
    let mut of = Facts { now: NOW, is_left: false, is_left_to_customer: false, is_verified: false, has_paid: true };
    let mut lines = vec![line(1, 500)];
    let mut said = Vec::new();
    let mut say = |no: &CouponTerms, asks: &CodeTerms, of: &Facts, lines: &[CartLine]| {
        said.push(match judge(no, Some(asks), of, usd(lines)) {
            Ok(discount) => discount.amount.to_string(),
            Err(Refusal::Reason(reason)) => reason.as_str().to_string(),
            Err(Refusal::Minimum(least)) => format!("minimum {least}"),
            Err(Refusal::Amount(reason)) => reason.to_string(),
        });
    };
    say(&no, &asks, &of, &lines);
    no.active = true;
    say(&no, &asks, &of, &lines);
    asks.active = true;
    say(&no, &asks, &of, &lines);
    asks.starts_at = Some(NOW);
    say(&no, &asks, &of, &lines);
    asks.expires_at = Some(Time(1_001));
    say(&no, &asks, &of, &lines);
    no.redeem_by = Some(NOW);
    say(&no, &asks, &of, &lines);
    of.is_left = true;
    say(&no, &asks, &of, &lines);
    of.is_left_to_customer = true;
    say(&no, &asks, &of, &lines);
    of.is_verified = true;
    say(&no, &asks, &of, &lines);
    of.has_paid = false;
    say(&no, &asks, &of, &lines);
    no.off = Off::Amount(Amounts::from([(String::from("USD"), Decimal::from(3))]));
    say(&no, &asks, &of, &lines);
    lines.push(line(9, 200));
    say(&no, &asks, &of, &lines);
    lines.push(line(1, 300));
    say(&no, &asks, &of, &lines);
    let expected = [
        "inactive",
        "inactive",
        "not_started",
        "expired",
        "redeem_by",
        "max_redemptions",
        "max_redemptions_per_customer",
        "verification",
        "first_time_transaction",
        "currency",
        "no_eligible_product",
        "minimum 10",
        "2",
    ];
    assert_eq!(said, expected);
}

#[test]
fn a_minimum_in_other_currencies_is_no_minimum_of_this_one() {
    let asks = CodeTerms { minimum: Some(Amounts::from([(String::from("EUR"), Decimal::ONE)])), ..code() };
    let refused = judge(&percent(10), Some(&asks), &facts(), usd(&[line(1, 1_000)]));
    assert_eq!(refused, Err(Refusal::Reason(Reason::Currency)));
}

#[test]
fn credits_are_no_discount_and_a_discount_no_credits() {
    let credits = coupon(Off::Credits);
    assert_eq!(judge(&credits, Some(&code()), &facts(), Use::Voucher), Ok(Discount::default()));
    for refused in [
        judge(&credits, None, &facts(), usd(&[line(1, 100)])),
        judge(&percent(5), None, &facts(), Use::Voucher),
        judge(&percent(5), None, &facts(), usd(&[])),
        judge(&percent(5), None, &facts(), usd(&[line(1, 0)])),
        judge(&percent(5), None, &facts(), usd(&[line(1, 100), line(1, -100)])),
    ] {
        assert_eq!(refused, Err(Refusal::Reason(Reason::NoEligibleProduct)));
    }
}

proptest! {
    /// Parts add up, none is below zero or above its line, and the whole is the rounded percentage or the capped amount.
    #[test]
    fn parts_add_up(cents in prop::collection::vec((0u128..4, 0i64..1_000_000), 1..20), hundredths in 1i64..=10_000,
                    fixed in 1i64..2_000_000, is_percent: bool, for_some: bool) {
        let lines: Vec<CartLine> = cents.iter().map(|(product, cents)| line(*product, *cents)).collect();
        let products = for_some.then(|| vec![Uuid::from_u128(1), Uuid::from_u128(3)]);
        let is_eligible = |product: u128| !for_some || product == 1 || product == 3;
        let subtotal: i64 = cents.iter().filter(|(product, _)| is_eligible(*product)).map(|(_, cents)| cents).sum();
        let what = if is_percent {
            Off::Percent(Decimal::new(hundredths, 2))
        } else {
            Off::Amount(Amounts::from([(String::from("USD"), Decimal::new(fixed, 2))]))
        };
        let terms = CouponTerms { products, ..coupon(what) };
        match judge(&terms, None, &facts(), usd(&lines)) {
            Err(refusal) => {
                prop_assert_eq!(refusal, Refusal::Reason(Reason::NoEligibleProduct));
                prop_assert_eq!(subtotal, 0);
            }
            Ok(discount) => {
                let expected =
                    if is_percent { (subtotal * hundredths * 2 + 10_000) / 20_000 } else { fixed.min(subtotal) };
                prop_assert_eq!(discount.amount, Decimal::new(expected, 2));
                prop_assert_eq!(discount.per_line.iter().sum::<Decimal>(), discount.amount);
                for ((product, cents), part) in cents.iter().zip(&discount.per_line) {
                    prop_assert!(!part.is_sign_negative() || part.is_zero());
                    let most = if is_eligible(*product) { *cents } else { 0 };
                    prop_assert!(*part <= Decimal::new(most, 2));
                }
            }
        }
    }
}
