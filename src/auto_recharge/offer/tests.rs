//! Tests of offer.rs: what one recharge is.

use super::*;
use crate::auto_recharge::limit::PERIODS;
use proptest::prelude::*;

fn d(n: i64) -> Decimal {
    Decimal::from(n)
}

const NOW: Time = Time(0);

fn windows(most: [Option<i64>; 3], spent: i64) -> Vec<Window> {
    let window = |(period, most): (Period, Option<i64>)| Window {
        period,
        most_attempts: None,
        attempts: 0,
        most_amount: most.map(d),
        amount: d(spent),
        oldest: None,
    };
    PERIODS.into_iter().zip(most).map(window).collect()
}

fn units(amount: i64, credits: i64, quantity: i32) -> Goods {
    Goods::Units { amount: d(amount), credits: d(credits), quantity }
}

fn offer() -> Offer {
    Offer {
        on_sale: true,
        active: true,
        unrestricted: true,
        goods: units(20, 100, 2),
        target: None,
        decimals: (2, 6),
        limits: [PaymentLimits::default(), PaymentLimits::default()],
        windows: windows([None; 3], 0),
        issued: Decimal::ZERO,
    }
}

fn pack(quantity: i32, amount: i64, credits: i64) -> Pack {
    Pack { quantity, amount: d(amount), credits: d(credits) }
}

fn most(most: i64) -> PaymentLimits {
    PaymentLimits { least: None, most: Some(d(most)) }
}

fn at_least(least: i64) -> PaymentLimits {
    PaymentLimits { least: Some(d(least)), most: None }
}

#[test]
fn what_one_recharge_is() {
    assert_eq!(offer().least(), Ok(pack(2, 40, 200)));
    assert_eq!(offer().pack_for(None, None, NOW), Some(pack(2, 40, 200)));
    assert_eq!(Offer { on_sale: false, ..offer() }.least(), Err(Obstacle::NotOnSale));
    assert_eq!(Offer { active: false, ..offer() }.least(), Err(Obstacle::Currency));
    assert_eq!(Offer { unrestricted: false, ..offer() }.least(), Err(Obstacle::Restricted));
    assert_eq!(Offer { goods: Goods::Money(None), target: Some(d(1)), ..offer() }.least(), Err(Obstacle::NoRate));
}

#[test]
fn limits_bind() {
    for limits in [[most(39), PaymentLimits::default()], [PaymentLimits::default(), most(39)]] {
        assert_eq!(Offer { limits, ..offer() }.least(), Err(Obstacle::Limit(d(40), AmountError::AboveMaximum(d(39)))));
    }
    assert_eq!(
        Offer { limits: [at_least(41), most(50)], ..offer() }.least(),
        Err(Obstacle::Limit(d(40), AmountError::BelowMinimum(d(41)))),
        "always the same quantity"
    );
    let within = |limits: [Option<i64>; 3]| Offer { windows: windows(limits, 0), ..offer() }.least();
    assert!(within([Some(40); 3]).is_ok());
    assert_eq!(within([Some(39), None, None]), Err(Obstacle::PeriodLimit(Period::Rolling, d(40), d(39))));
    assert_eq!(within([None, None, Some(39)]), Err(Obstacle::PeriodLimit(Period::Month, d(40), d(39))));
}

#[test]
fn what_does_not_fit_is_no_pack() {
    let credits: Decimal = "9999999999999999999999.999999".parse().unwrap();
    let grants = |quantity| Offer { goods: Goods::Units { amount: d(20), credits, quantity }, ..offer() };
    assert_eq!(grants(2).least(), Err(Obstacle::TooLarge));
    assert!(grants(1).least().is_ok());
    assert_eq!(Offer { issued: credits, ..offer() }.least(), Err(Obstacle::TooLarge), "no grant would be made of it");
    let dear = Goods::Units { amount: credits.trunc(), credits: d(1), quantity: i32::MAX };
    assert_eq!(Offer { goods: dear, ..offer() }.least(), Err(Obstacle::TooLarge));
    // To a target, it is as much as fits.
    let full = Offer { issued: credits - d(350), target: Some(credits), ..offer() };
    assert_eq!(full.pack_for(full.missing(d(0), d(0)), None, NOW), Some(pack(3, 60, 300)));
}

#[test]
fn a_target_takes_as_much_as_it_takes() {
    let to = |offer: Offer, available, pending| {
        offer.pack_for(offer.missing(d(available), d(pending)), None, NOW).map(|pack| pack.quantity)
    };
    let target = || Offer { goods: units(20, 100, 1), target: Some(d(5_000)), ..offer() };
    assert_eq!(to(target(), 10, 0), Some(50), "the last one goes beyond it");
    assert_eq!(to(target(), 0, 0), Some(50));
    assert_eq!(to(target(), 0, 1), Some(51), "what is owed is paid first");
    assert_eq!(to(target(), 4_999, 0), Some(1));
    assert_eq!(to(Offer { goods: units(20, 100, 3), ..target() }, 4_999, 0), Some(3), "the quantity is the least");
    assert_eq!(to(Offer { limits: [at_least(50), most(90)], ..target() }, 4_999, 0), Some(3), "what a payment must be");
    assert_eq!(to(Offer { limits: [at_least(50), most(90)], ..target() }, 0, 0), Some(4), "what a payment may be");
    assert_eq!(to(Offer { windows: windows([None, Some(100), Some(500)], 35), ..target() }, 0, 0), Some(3));
    assert_eq!(to(Offer { windows: windows([None, None, Some(50)], 35), ..target() }, 0, 0), None, "not even one");
    assert_eq!(
        to(Offer { goods: units(1, 1, 1), target: Some(Decimal::from(10u64.pow(12))), ..offer() }, 0, 0),
        Some(i32::MAX)
    );
}

#[test]
fn by_amount_it_is_to_the_cent() {
    let rate: Decimal = "0.3".parse().unwrap();
    let offer = |limits| Offer { goods: Goods::Money(Some(rate)), target: Some(d(100)), limits, ..offer() };
    let to = |offer: Offer, available: &str| {
        let missing = offer.missing(available.parse().unwrap(), d(0));
        let Pack { amount, credits, .. } = offer.pack_for(missing, None, NOW).unwrap();
        (amount.to_string(), credits.to_string())
    };
    let any = [PaymentLimits::default(); 2];
    assert_eq!(to(offer(any), "0"), (String::from("30"), String::from("100")));
    assert_eq!(to(offer(any), "0.01"), (String::from("30"), String::from("100")), "29.997 are rounded up");
    assert_eq!(to(offer(any), "99.9"), (String::from("0.03"), String::from("0.1")));
    assert_eq!(to(offer([at_least(5), most(20)]), "99.9"), (String::from("5"), String::from("16.666666")));
    assert_eq!(to(offer([at_least(5), most(20)]), "0"), (String::from("20"), String::from("66.666666")));
    let dear = Offer { goods: Goods::Money(Some(d(10_000_000))), decimals: (2, 0), ..offer(any) };
    assert_eq!(dear.least(), Ok(pack(1, 10_000_000, 1)), "less would buy nothing");
}

proptest! {
    /// Beside trying one quantity after the other: the least that reaches the target, or else the most that is allowed.
    #[test]
    fn no_other_quantity_would_do(
        amount in 1i64..50, credits in 1i64..50, quantity in 1i32..5, missing in -50i64..2_000,
        least in 1i64..200, most in 1i64..900,
        caps in proptest::array::uniform3(proptest::option::of(1i64..900)), spent in 0i64..300, by_amount: bool
    ) {
        let goods = if by_amount { Goods::Money(Some(d(amount) / d(100))) } else { units(amount, credits, quantity) };
        let limits = [at_least(least), PaymentLimits { least: None, most: Some(d(most)) }];
        let offer =
            Offer { goods, target: Some(d(0)), limits, windows: windows(caps, spent), decimals: (0, 2), ..offer() };
        let rest = caps.iter().flatten().map(|cap| (cap - spent).max(0)).min().unwrap_or(i64::MAX);
        let mut chosen = None;
        for count in if by_amount { 1 } else { quantity }..2_000 {
            let Ok(pack) = offer.goods(count.into()) else { continue };
            if pack.amount < d(least) {
                continue;
            }
            if pack.amount > d(most.min(rest)) || caps.iter().flatten().any(|cap| pack.amount > d(*cap)) {
                break;
            }
            chosen = Some(pack);
            if pack.credits >= d(missing) {
                break;
            }
        }
        prop_assert_eq!(offer.pack_for(Some(d(missing)), None, NOW), chosen);
        prop_assert!(chosen.is_none() || offer.least().is_ok());
    }
}
