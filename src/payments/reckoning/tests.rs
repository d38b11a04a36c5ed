//! Of payments, refunds and disputes: what single stories come to, and what must hold for any, in any order.

use super::*;
use crate::amount::parse;
use crate::payments::clawback::share::{self, Part};
use proptest::prelude::*;

fn d(text: &str) -> Decimal {
    parse(text).unwrap()
}

fn fact(kind: Kind, reference: &str, amount: &str) -> Fact {
    let text = |text: &str| (!text.is_empty()).then(|| text.to_string());
    Fact {
        kind,
        provider: String::from("stripe"),
        reference: text(reference),
        payment: None,
        amount: text(amount).map(|amount| d(&amount)),
        total: None,
        details: Details::default(),
        asked: false,
    }
}

fn paid(reference: &str, amount: &str) -> Fact {
    fact(Kind::Succeeded, reference, amount)
}

fn refund(reference: &str, amount: &str) -> Fact {
    fact(Kind::Refunded, reference, amount)
}

/// One that was asked for here.
fn asked(reference: &str, amount: &str) -> Fact {
    Fact { asked: true, ..refund(reference, amount) }
}

fn total(amount: &str) -> Fact {
    Fact { total: Some(d(amount)), ..refund("", "") }
}

impl Fact {
    fn of(self, payment: &str) -> Fact {
        Fact { payment: Some(payment.to_string()), ..self }
    }

    fn by(self, provider: &str) -> Fact {
        Fact { provider: provider.to_string(), ..self }
    }

    fn with(self, tax: &str, shipping: &str, discount: &str, subtotal: &str) -> Fact {
        let part = |text: &str| (!text.is_empty()).then(|| d(text));
        let details =
            Details { tax: part(tax), shipping: part(shipping), discount: part(discount), subtotal: part(subtotal) };
        Fact { details: details.essential(), ..self }
    }
}

/// Of a pack of 100 credits for 10: the credits that are taken in all.
fn taken(facts: &[Fact]) -> Decimal {
    taken_of("10", "100", facts)
}

fn taken_of(amount: &str, credits: &str, facts: &[Fact]) -> Decimal {
    let standing = reckon(d(amount), facts.iter());
    taken_by(d(credits), &standing)
}

/// Of one line without tax.
fn taken_by(credits: Decimal, standing: &Standing) -> Decimal {
    let line = Part { net: standing.due, gross: standing.due, refunded: Decimal::ZERO };
    share::of(credits, &share::gone(&[line], standing.remaining)[0], 6)
}

#[test]
fn what_is_asked_for_is_in_no_total_of_before() {
    let refunded = |facts: &[Fact]| reckon(d("10"), [&[paid("p", "10")], facts].concat().iter()).refunded;
    assert_eq!(refunded(&[total("6").of("p"), asked("r1", "4").of("p")]), d("10"));
    assert_eq!(refunded(&[asked("r1", "4").of("p"), total("6").of("p")]), d("6"), "a later total has it");
    assert_eq!(refunded(&[total("6").of("p"), asked("r1", "4").of("p"), total("10").of("p")]), d("10"));
    assert_eq!(refunded(&[total("6").of("p"), asked("r1", "4").of("p"), failed("r1", "4").of("p")]), d("6"));
    assert_eq!(refunded(&[total("6").of("p"), refund("r1", "4").of("p")]), d("6"), "what is reported may be in it");
}

#[test]
fn a_refund_is_of_the_payment_that_it_names() {
    let two = [paid("pi_1", "10"), paid("pi_2", "10")];
    for payment in ["pi_1", "pi_2"] {
        let facts = [&two[..], &[refund("re_1", "10").of(payment)]].concat();
        assert_eq!(taken(&facts), Decimal::ZERO);
        let twice = [&facts[..], &[refund("re_2", "10").of(payment)]].concat();
        assert_eq!((taken(&twice), reckon(d("10"), twice.iter()).excess), (Decimal::ZERO, d("10")));
    }
    let both = [&two[..], &[refund("re_1", "10").of("pi_1"), refund("re_2", "5").of("pi_2")]].concat();
    assert_eq!(taken(&both), d("50"));
    let neither = [&two[..], &[refund("re_1", "12")]].concat();
    let standing = reckon(d("10"), neither.iter());
    assert_eq!((standing.remaining, standing.excess), (d("8"), Decimal::ZERO));
    let refunded: Vec<_> = standing.payments.iter().map(|payment| payment.refunded).collect();
    assert_eq!(refunded, [d("2"), d("10")], "the latest first");
    let unknown = [&two[..], &[refund("re_1", "10").of("pi_3")]].concat();
    assert_eq!((taken(&unknown), reckon(d("10"), unknown.iter()).payments.len()), (Decimal::ZERO, 3));
}

#[test]
fn a_payment_without_a_name_may_be_the_one_that_is_named() {
    assert_eq!(taken(&[paid("", "10"), refund("re_1", "10").of("pi_1")]), d("100"));
    let later = [paid("", "10"), refund("re_1", "10").of("pi_1"), paid("pi_1", "10")];
    assert_eq!(taken(&later), Decimal::ZERO);
}

#[test]
fn too_much_and_too_little() {
    let over = [paid("pi_1", "30"), refund("re_1", "5")];
    let standing = reckon(d("25"), over.iter());
    assert_eq!((standing.cover.unwrap().surplus > Decimal::ZERO, taken_of("25", "500", &over)), (true, Decimal::ZERO));
    assert_eq!(taken_of("25", "500", &[&over[..], &[refund("re_2", "5")]].concat()), d("100"));
    let parts = [paid("pi_1", "10"), paid("pi_2", "15")];
    assert_eq!(reckon(d("25"), parts[..1].iter()).cover, None);
    let cover = reckon(d("25"), parts.iter()).cover.unwrap();
    assert_eq!((cover.surplus > Decimal::ZERO, cover.net), (false, d("25")));
    // One that is enough by itself, after one that was too little; and one after those that were enough.
    let cover = reckon(d("25"), [paid("a", "10"), paid("b", "25"), paid("c", "30")].iter()).cover.unwrap();
    assert_eq!((cover.surplus > Decimal::ZERO, cover.paid), (false, d("25")));
    let cover = reckon(d("25"), [&parts[..], &[paid("c", "30")]].concat().iter()).cover.unwrap();
    assert_eq!((cover.surplus > Decimal::ZERO, cover.paid), (false, d("25")));
    let back = [paid("pi_1", "9"), refund("re_1", "9").of("pi_1"), paid("pi_2", "10")];
    assert_eq!(taken(&back), Decimal::ZERO);
}

#[test]
fn tax_shipping_and_discounts() {
    let standing = |fact: Fact| {
        let standing = reckon(d("10"), [fact].iter());
        let cover = standing.cover.unwrap_or_default();
        (standing.cover.is_some(), cover.surplus > Decimal::ZERO, standing.due, cover.net)
    };
    assert_eq!(standing(paid("cs", "11.90").with("1.90", "", "", "10")), (true, false, d("10"), d("10")));
    assert_eq!(standing(paid("cs", "11.90").with("1.90", "", "", "")), (true, false, d("10"), d("10")));
    assert_eq!(standing(paid("cs", "11.90")), (true, true, d("10"), d("11.90")));
    assert_eq!(standing(paid("cs", "8").with("", "", "2", "10")), (true, false, d("8"), d("8")));
    assert_eq!(standing(paid("cs", "0").with("", "", "10", "10")), (true, false, d("0"), d("0")));
    assert_eq!(standing(paid("cs", "15").with("", "5", "", "")), (true, false, d("10"), d("10")));
    // In the price, on top of it, and a price that is not ours.
    assert_eq!(standing(paid("cs", "10").with("1.60", "", "", "10")), (true, false, d("8.40"), d("8.40")));
    assert_eq!(standing(paid("cs", "10").with("1.60", "", "", "")), (true, false, d("8.40"), d("8.40")));
    assert_eq!(standing(paid("cs", "10").with("1.60", "", "", "8.40")), (false, false, d("10"), d("0")));
    let pack = paid("cs", "11.90").with("1.90", "", "", "10");
    assert_eq!(taken(&[pack.clone(), refund("re", "1.90")]), Decimal::ZERO);
    assert_eq!(taken(&[pack.clone(), refund("re", "5.95")]), d("40.5"));
    assert_eq!(taken(&[pack, refund("re", "11.90")]), d("100"));
    assert_eq!(taken(&[paid("cs", "8").with("", "", "2", "10"), refund("re", "4")]), d("50"));
    // Of two payments with a discount each the first is the one that was due.
    let twice = [paid("a", "8").with("", "", "2", ""), paid("b", "8").with("", "", "2", "")];
    assert_eq!(reckon(d("10"), twice.iter()).due, d("8"));
}

#[test]
fn what_a_payment_is_made_of_may_be_reported_later() {
    let facts = [paid("pi_1", "8"), paid("pi_1", "8").with("", "", "2", "10")];
    assert_eq!(reckon(d("10"), facts[..1].iter()).cover, None);
    let standing = reckon(d("10"), facts.iter());
    assert_eq!((standing.cover.is_some(), standing.paid, standing.payments.len()), (true, Some(d("8")), 1));
}

#[test]
fn providers_add_up_and_each_counts_once() {
    let stripe = [total("1").of("pi_1"), total("2").of("pi_1"), refund("re_1", "1").of("pi_1")];
    for facts in [
        [&[paid("pi_1", "10")], &stripe[..], &[refund("c", "3").by("cheque")]].concat(),
        [&[refund("c", "3").by("cheque"), paid("pi_1", "10")], &stripe[..]].concat(),
        [&[paid("pi_1", "10"), refund("c", "3").by("cheque").of("pi_1")], &stripe[..]].concat(),
        // By a call that does not say of which payment, beside the provider's word.
        [&[paid("pi_1", "10"), refund("re_0", "2"), refund("c", "3").by("cheque")], &stripe[..1], &stripe[1..2]]
            .concat(),
    ] {
        assert_eq!((reckon(d("10"), facts.iter()).refunded, taken(&facts)), (d("5"), d("50")));
    }
}

#[test]
fn a_refund_fails_and_a_dispute_is_decided() {
    assert_eq!(taken(&[paid("p", "10"), refund("re_1", "4"), failed("re_1", "")]), Decimal::ZERO);
    assert_eq!(taken(&[paid("p", "10"), total("4").of("p"), failed("re_1", "1").of("p")]), d("30"));
    let dispute = fact(Kind::Disputed, "dp_1", "10").of("p");
    let facts = [paid("p", "10"), dispute, refund("re_1", "10").of("p")];
    assert_eq!((taken(&facts), reckon(d("10"), facts.iter()).excess), (d("100"), Decimal::ZERO));
    for (kind, excess) in [(Kind::DisputeLost, "10"), (Kind::DisputeWon, "0")] {
        let decided = [&facts[..], &[fact(kind, "dp_1", "")]].concat();
        assert_eq!((taken(&decided), reckon(d("10"), decided.iter()).excess), (d("100"), d(excess)));
    }
}

fn failed(reference: &str, amount: &str) -> Fact {
    fact(Kind::RefundFailed, reference, amount)
}

#[test]
fn a_total_may_be_reported_after_a_refund_failed_that_it_counts() {
    let refunded = |facts: &[Fact]| reckon(d("10"), [&[paid("p", "10")], facts].concat().iter()).refunded;
    // Late, whichever of them name the payment.
    for (one, total) in [
        (refund("re_1", "5"), total("5")),
        (refund("re_1", "5").of("p"), total("5").of("p")),
        (refund("re_1", "5"), total("5").of("p")),
        (refund("re_1", "5").of("p"), total("5")),
    ] {
        assert_eq!(refunded(&[one.clone(), failed("re_1", ""), total.clone()]), d("0"));
        assert_eq!(refunded(&[one.clone(), total.clone(), failed("re_1", "")]), d("0"));
        assert_eq!(refunded(&[total, one, failed("re_1", "")]), d("0"));
    }
    // Of which nothing was reported but that it failed.
    assert_eq!(refunded(&[failed("re_1", "5").of("p"), total("5").of("p")]), d("0"));
    // With another that did not fail: late twice, and before that one is reported.
    let two = [refund("re_1", "5"), refund("re_2", "3"), failed("re_1", "")];
    assert_eq!(refunded(&[&two[..], &[total("5"), total("8").of("p")]].concat()), d("3"));
    assert_eq!(refunded(&[refund("re_1", "5"), failed("re_1", ""), total("8"), refund("re_2", "3")]), d("3"));
    // One that was more than the total was not in it.
    assert_eq!(refunded(&[total("3"), refund("re_1", "5"), failed("re_1", "")]), d("3"));
    assert_eq!(refunded(&[refund("re_1", "5"), failed("re_1", ""), total("3")]), d("3"));
}

#[test]
fn what_goes_back_after_a_refund_failed() {
    let refunded = |facts: &[Fact]| reckon(d("10"), [&[paid("p", "10")], facts].concat().iter()).refunded;
    let whole = |reference| Fact { total: Some(d("10")), ..refund(reference, "") }.of("p");
    // Tried again: by name, one by one, as a whole without a name, or by one who reports totals only.
    assert_eq!(refunded(&[whole("re_1"), failed("re_1", ""), whole("re_2")]), d("10"));
    assert_eq!(
        refunded(&[whole("re_1"), failed("re_1", ""), total("10").of("p"), refund("re_2", "10").of("p")]),
        d("10")
    );
    assert_eq!(refunded(&[refund("re_1", "10"), failed("re_1", ""), refund("", "").of("p")]), d("10"));
    let totals = [total("10").of("p"), failed("re_1", "10").of("p"), total("10").of("p")];
    assert_eq!((refunded(&totals[..2]), refunded(&totals)), (d("0"), d("10")));
    // A total that may be late is put right by the next.
    let open = [refund("re_1", "5"), failed("re_1", ""), total("5"), total("7")];
    assert_eq!((refunded(&open[..3]), refunded(&open)), (d("0"), d("7")));
    // A failure that names no payment is of the one that it may be in, and of no other.
    let two = [paid("q", "10"), total("4").of("p"), total("6").of("q"), refund("re_1", "6"), failed("re_1", "")];
    assert_eq!(refunded(&two), d("4"));
}

#[test]
fn the_whole_payment() {
    let before = [refund("", ""), paid("p", "12")];
    assert_eq!((taken(&before), reckon(d("10"), before.iter()).is_refunded()), (d("100"), true));
    let standing = reckon(d("25"), [paid("", "10"), paid("", "15"), refund("r", "4")].iter());
    let payment = standing.payment_of("stripe", None).unwrap();
    assert_eq!((payment.paid, standing.whole("stripe", payment)), (Some(d("15")), d("15")));
    assert_eq!(standing.payment_of("stripe", Some("unknown")).and_then(|payment| payment.paid), Some(d("10")));
}

#[test]
fn all_is_paid_back_whichever_payment_came_last() {
    // The bank took one payment, and what was paid back names neither and comes to more than both.
    let back = [
        fact(Kind::DisputeLost, "dp_2", "").by("bank").of("pi_2"),
        fact(Kind::Disputed, "dp_2", "3.34").by("bank").of("pi_0"),
        total("8.78"),
    ];
    for payments in [[paid("pi_0", "2.97"), paid("pi_2", "0.62")], [paid("pi_2", "0.62"), paid("pi_0", "2.97")]] {
        let standing = reckon(d("10"), [&payments[..], &back].concat().iter());
        assert_eq!((standing.is_refunded(), standing.remaining, standing.excess), (true, d("0"), d("8.53")));
    }
    // Of one that the bank took only what was paid back beyond the other is.
    let payments = [paid("pi_0", "2.97"), paid("pi_2", "0.62")];
    let standing = reckon(d("10"), [&payments[..], &back[..2], &[total("3.58")]].concat().iter());
    assert_eq!((standing.is_refunded(), standing.excess), (false, d("3.33")));
}

/// What can be reported of a purchase of 10, of two payments with names of their own; each thing once.
fn facts() -> impl Strategy<Value = Vec<Fact>> {
    let cents = || (1i64..1_200).prop_map(|cents| Some(Decimal::new(cents, 2)));
    let payment = || prop_oneof![Just(None), Just(Some("pi_0")), Just(Some("pi_1")), Just(Some("pi_2"))];
    let kind = prop_oneof![
        3 => Just(Kind::Succeeded), 3 => Just(Kind::Refunded), 1 => Just(Kind::RefundFailed), 2 => Just(Kind::Disputed),
        1 => Just(Kind::DisputeWon), 1 => Just(Kind::DisputeLost)
    ];
    let one = (kind, cents(), payment(), any::<bool>(), prop_oneof![Just("stripe"), Just("bank")], 0usize..3);
    proptest::collection::vec(one, 0..12).prop_map(|all| {
        let mut facts: Vec<Fact> = Vec::new();
        for (number, (kind, amount, payment, in_all, provider, which)) in all.into_iter().enumerate() {
            let reference = match kind {
                Kind::Succeeded => format!("pi_{which}"),
                Kind::Refunded if in_all => format!("total {number}"),
                Kind::Refunded | Kind::RefundFailed => format!("re_{which}"),
                _ => format!("dp_{which}"),
            };
            let provider = if kind == Kind::Succeeded { "stripe" } else { provider };
            let decides = |kind| matches!(kind, Kind::DisputeWon | Kind::DisputeLost);
            let reported = |fact: &Fact| {
                (fact.kind == kind || (decides(fact.kind) && decides(kind)))
                    && (fact.provider.as_str(), fact.reference.as_deref()) == (provider, Some(&reference))
            };
            // What failed before it was reported is recorded and does not count.
            let failed = |fact: &Fact| {
                kind == Kind::Refunded
                    && fact.kind == Kind::RefundFailed
                    && fact.reference.as_deref() == Some(&reference)
            };
            if facts.iter().any(|fact| reported(fact) || failed(fact)) {
                continue;
            }
            let (one, total) = match kind {
                Kind::Refunded if in_all => (None, amount),
                Kind::RefundFailed | Kind::DisputeWon | Kind::DisputeLost => (None, None),
                _ => (amount, None),
            };
            facts.push(Fact {
                kind,
                provider: provider.to_string(),
                reference: Some(reference),
                payment: payment.filter(|_| kind != Kind::Succeeded).map(String::from),
                amount: one,
                total,
                details: Details::default(),
                asked: false,
            });
        }
        facts
    })
}

/// Failures behind the refunds that failed: reported before them they are a contradiction.
fn in_order(mut facts: Vec<Fact>) -> Vec<Fact> {
    facts.sort_by_key(|fact| fact.kind == Kind::RefundFailed);
    facts
}

/// What a provider reports of a payment of 100: each refund by itself, the total that went back when it began, and whether it
/// failed. Some fail at once, others are in all later totals.
fn reported_in_full() -> impl Strategy<Value = Vec<Fact>> {
    let one = (1i64..25, any::<bool>(), any::<bool>(), any::<bool>());
    proptest::collection::vec(one, 0..5).prop_map(|all| {
        let (mut facts, mut total_so_far) = (vec![paid("p", "100")], 0);
        for (number, (amount, is_named, fails, at_once)) in all.into_iter().enumerate() {
            let reference = format!("re_{number}");
            let reported = refund(&reference, &amount.to_string());
            facts.push(if is_named { reported.of("p") } else { reported });
            facts.push(total(&(total_so_far + amount).to_string()).of("p"));
            if fails {
                facts.push(failed(&reference, ""));
            }
            total_so_far += if fails && at_once { 0 } else { amount };
        }
        facts
    })
}

proptest! {
    /// Once all refunds are reported one by one, what went back is known exactly, whenever totals and failures are reported.
    #[test]
    fn refunds_that_fail_end_alike(mut facts in reported_in_full().prop_shuffle()) {
        // What failed before it was reported is recorded and does not count: the refund first, then its failure.
        let has_failed = |facts: &[Fact], refund: &Fact| {
            facts.iter().position(|fact| fact.kind == Kind::RefundFailed && fact.reference == refund.reference)
        };
        for place in 0..facts.len() {
            if let Some(failure) = has_failed(&facts[..place], &facts[place]) {
                facts.swap(place, failure);
            }
        }
        let back: Decimal = facts
            .iter()
            .filter(|fact| fact.kind == Kind::Refunded && has_failed(&facts, fact).is_none())
            .filter_map(|fact| fact.amount)
            .sum();
        prop_assert_eq!(reckon(d("100"), facts.iter()).refunded, back);
    }

    /// Whatever the order, the same remains, went back, and is taken.
    #[test]
    fn the_order_does_not_matter((one, other) in facts().prop_flat_map(|facts| (Just(facts.clone()), Just(facts).prop_shuffle()))) {
        let one = reckon(d("10"), in_order(one).iter());
        let other = reckon(d("10"), in_order(other).iter());
        prop_assert_eq!(one.remaining, other.remaining);
        prop_assert_eq!((one.paid, one.refunded, one.disputed), (other.paid, other.refunded, other.disputed));
        prop_assert_eq!((one.cover.is_some(), one.due, one.is_refunded()), (other.cover.is_some(), other.due, other.is_refunded()));
        prop_assert_eq!(one.excess, other.excess);
    }

    /// The payments' numbers are the purchase's, what is left of one is never more than was paid, and no credits are taken
    /// while what was due remains.
    #[test]
    fn the_parts_add_up(facts in facts()) {
        let standing = reckon(d("10"), facts.iter());
        let sum = |of: fn(&Payment) -> Decimal| standing.payments.iter().map(of).sum::<Decimal>();
        if standing.paid.is_some() {
            prop_assert_eq!(sum(|payment| payment.refunded), standing.refunded);
            prop_assert_eq!(sum(|payment| payment.disputed), standing.disputed);
        }
        prop_assert_eq!(sum(|payment| payment.paid.unwrap_or_default()), standing.paid.unwrap_or_default());
        prop_assert!(standing.remaining <= standing.paid.unwrap_or_default());
        let back = standing.refunded + standing.disputed;
        prop_assert!(standing.remaining >= standing.paid.unwrap_or_default() - back);
        let taken = taken_by(d("100"), &standing);
        prop_assert!(taken >= Decimal::ZERO && taken <= d("100"));
        prop_assert_eq!(taken.is_zero(), standing.remaining >= standing.due);
    }

    /// One more refund, by somebody who reported nothing before, never leaves more than before.
    #[test]
    fn more_back_leaves_less(facts in facts(), cents in 1i64..1_200, of in prop_oneof![Just(None), Just(Some("pi_1"))]) {
        let more = refund("more", "").by("cheque");
        let refund = Fact { payment: of.map(String::from), amount: Some(Decimal::new(cents, 2)), ..more };
        let before = reckon(d("10"), facts.iter());
        let after = reckon(d("10"), facts.iter().chain([&refund]));
        prop_assert!(after.remaining <= before.remaining);
        prop_assert_eq!(after.refunded, before.refunded + Decimal::new(cents, 2));
        prop_assert_eq!(after.cover, before.cover);
    }
}
