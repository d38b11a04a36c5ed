//! Tests of policy.rs: what is decided for a balance.

use super::*;
use crate::ledger::currency::PaymentLimits;
use proptest::prelude::*;

fn d(n: i64) -> Decimal {
    Decimal::from(n)
}

fn at(seconds: i64) -> Time {
    Time(0).plus_seconds(seconds)
}

fn auto() -> Auto {
    Auto {
        enabled: true,
        threshold: d(10),
        failures: 0,
        waits_for_spend: false,
        offer: offer(None),
        open: None,
        cooled_at: None,
        attempts: (None, 0),
        amount: d(0),
        oldest: None,
    }
}

fn offer(most_a_day: Option<Decimal>) -> Offer {
    Offer {
        on_sale: true,
        active: true,
        unrestricted: true,
        unit_amount: d(20),
        unit_credits: d(100),
        quantity: 1,
        decimals: (2, 6),
        limits: [PaymentLimits::default(), PaymentLimits::default()],
        most_a_day,
        issued: Decimal::ZERO,
    }
}

fn request(processing: bool, expires: i64) -> Option<Open> {
    Some(Open { processing, amount: d(20), comparable: true, expires_at: at(expires) })
}

fn state(available: i64, low: i64, reported: Level, auto: Option<Auto>) -> State {
    State { at: at(0), available: d(available), unit: d(1), low: d(low), reported, cause: None, auto }
}

#[test]
fn a_crossing_is_published_once() {
    let first = judge(&state(4, 5, Level::Enough, None));
    assert!(first.publish_low && !first.publish_exhausted);
    assert_eq!((first.reported, first.below, first.above), (Level::Low, d(1), Some(d(5))));
    assert!(!judge(&state(3, 5, first.reported, None)).publish_low);
    let none = judge(&state(0, 5, first.reported, None));
    assert!(none.publish_exhausted && !none.publish_low);
    let both = judge(&state(0, 5, Level::Enough, None));
    assert!(both.publish_exhausted && both.publish_low);
    let again = judge(&state(7, 5, Level::Exhausted, None));
    assert_eq!((again.reported, again.below, again.above), (Level::Enough, d(5), None));
}

#[test]
fn one_request_is_open_at_a_time() {
    let first = judge(&state(9, 0, Level::Enough, Some(auto())));
    assert!(first.request);
    assert!(!judge(&state(10, 0, Level::Enough, Some(auto()))).request, "the threshold itself is enough");
    assert_eq!((first.below, first.above), (d(0), Some(d(10))), "nothing to look for while it is open, but a top-up");
    let open_at = |expires| Auto { open: request(false, expires), ..auto() };
    let open = open_at(9);
    assert_eq!(judge(&state(1, 0, Level::Enough, Some(open.clone()))).due_at, Some(at(9)));
    assert!(!judge(&state(1, 0, Level::Enough, Some(open.clone()))).request);
    assert_eq!(judge(&state(10, 0, Level::Enough, Some(open))).close, Some(Close::Enough));
    let off = Auto { enabled: false, ..open_at(9) };
    assert_eq!(
        judge(&state(1, 0, Level::Enough, Some(off))).close,
        Some(Close::SwitchedOff),
        "who opted out is not charged"
    );
    let begun = Auto { open: request(true, 9), ..auto() };
    assert_eq!(judge(&state(10, 0, Level::Enough, Some(begun))).close, None, "a charge may be under way");
}

#[test]
fn nobody_answers_three_times() {
    let late = |failures| Auto { open: request(true, 0), failures, ..auto() };
    let second = judge(&state(1, 0, Level::Enough, Some(late(1))));
    assert_eq!((second.close, second.request, second.failures), (Some(Close::TimedOut), true, 2));
    let third = judge(&state(1, 0, Level::Enough, Some(late(2))));
    assert_eq!((third.switch_off, third.request, third.below), (Some(Off::Failures), false, d(0)));
}

#[test]
fn limits_wait_for_their_day() {
    let limited = Auto { attempts: (Some(2), 2), oldest: Some(at(-100)), cooled_at: Some(at(-1)), ..auto() };
    let verdict = judge(&state(1, 0, Level::Enough, Some(limited)));
    assert_eq!((verdict.request, verdict.due_at, verdict.below), (false, Some(at(DAY - 100)), d(10)));
    let cooling = Auto { cooled_at: Some(at(5)), ..auto() };
    assert_eq!(judge(&state(1, 0, Level::Enough, Some(cooling))).due_at, Some(at(5)));
    let both = Auto { attempts: (Some(2), 2), oldest: Some(at(-100)), cooled_at: Some(at(DAY)), ..auto() };
    assert_eq!(judge(&state(1, 0, Level::Enough, Some(both))).due_at, Some(at(DAY)), "the later of the two");
    let spent = |amount| Auto { offer: offer(Some(d(60))), amount: d(amount), oldest: Some(at(-100)), ..auto() };
    assert!(judge(&state(1, 0, Level::Enough, Some(spent(40)))).request, "up to the limit and no further");
    assert_eq!(judge(&state(1, 0, Level::Enough, Some(spent(41)))).due_at, Some(at(DAY - 100)));
}

#[test]
fn what_cannot_be_bought_is_switched_off() {
    let dear = Auto { offer: offer(Some(d(19))), ..auto() };
    for available in [1, 100] {
        let verdict = judge(&state(available, 0, Level::Enough, Some(dear.clone())));
        assert_eq!(verdict.switch_off.map(Off::code), Some("daily_limit"));
        assert_eq!((verdict.request, verdict.below, verdict.above, verdict.due_at), (false, d(0), None, None));
    }
    let open = Auto { open: request(false, 9), amount: d(20), ..dear };
    assert_eq!(judge(&state(1, 0, Level::Enough, Some(open))).close, Some(Close::SwitchedOff));
}

#[test]
fn a_lowered_limit_binds_what_is_open() {
    let open = |processing, most| Auto {
        offer: offer(Some(d(most))),
        open: request(processing, 9),
        amount: d(60),
        attempts: (Some(3), 3),
        oldest: Some(at(-100)),
        ..auto()
    };
    let within = state(1, 0, Level::Enough, Some(open(false, 60)));
    assert_eq!((judge(&within).close, may_charge(&within)), (None, true));
    let beyond = state(1, 0, Level::Enough, Some(open(false, 59)));
    let verdict = judge(&beyond);
    assert_eq!((verdict.close, may_charge(&beyond)), (Some(Close::BeyondLimit), false));
    assert_eq!((verdict.request, verdict.due_at), (false, Some(at(DAY - 100))), "40 and 20 are more than 59");
    let freed = judge(&state(1, 0, Level::Enough, Some(Auto { attempts: (Some(2), 3), ..open(false, 60) })));
    assert_eq!((freed.close, freed.request), (Some(Close::BeyondLimit), false));
    let begun = state(1, 0, Level::Enough, Some(open(true, 59)));
    assert_eq!((judge(&begun).close, may_charge(&begun)), (None, false), "it may be charged already, but not again");
    let elsewhere = Open { comparable: false, ..request(false, 9).unwrap() };
    let elsewhere = state(1, 0, Level::Enough, Some(Auto { open: Some(elsewhere), ..open(false, 60) }));
    assert_eq!(judge(&elsewhere).close, Some(Close::BeyondLimit), "in the currency of an old price");
}

#[test]
fn only_a_spend_asks_after_credits_were_taken_back() {
    let evaluate = |available, cause, waits_for_spend| {
        judge(&State { cause, ..state(available, 0, Level::Enough, Some(Auto { waits_for_spend, ..auto() })) })
    };
    let back = evaluate(9, Some(Cause::TakenBack), false);
    assert_eq!((back.request, back.waits_for_spend, back.due_at), (false, true, None));
    assert_eq!((back.below, back.above), (d(10), Some(d(10))), "a spend is looked at, and so is a top-up");
    let later = evaluate(9, None, true);
    assert_eq!((later.request, later.waits_for_spend), (false, true));
    let spend = evaluate(8, Some(Cause::Spent), true);
    assert_eq!((spend.request, spend.waits_for_spend), (true, false));
    let topped_up = evaluate(10, None, true);
    assert_eq!((topped_up.request, topped_up.waits_for_spend, topped_up.below), (false, false, d(10)));
    assert!(!evaluate(10, Some(Cause::TakenBack), false).waits_for_spend, "there is enough all the same");
}

proptest! {
    /// For any state: the conditions for the next evaluation do not hold now, so that one evaluation is enough; and
    /// limits hold.
    #[test]
    fn one_evaluation_is_enough(
        available in 0i64..20, low in 0i64..20, reported in 0i16..3, enabled: bool, threshold in 1i64..20, failures in 0i32..4,
        open in proptest::option::of((any::<bool>(), -5i64..5)), attempts in 1i32..4, spent in 20i64..100, cooled in -5i64..5,
        most in 10i64..70, cause in 0..3, waits_for_spend: bool
    ) {
        let auto = Auto {
            enabled, threshold: d(threshold), failures, waits_for_spend, offer: offer(Some(d(most))),
            open: open.and_then(|(processing, expires)| request(processing, expires)),
            cooled_at: Some(at(cooled)), attempts: (Some(3), attempts), amount: d(spent), oldest: Some(at(-50)),
        };
        let cause = [None, Some(Cause::Spent), Some(Cause::TakenBack)][cause as usize];
        let verdict = judge(&State { cause, ..state(available, low, Level::of(reported), Some(auto)) });
        let waits = enabled && !verdict.request && (verdict.due_at.is_some() || verdict.waits_for_spend);
        prop_assert!(d(available) >= verdict.below || waits);
        let processing = open.is_some_and(|(processing, _)| processing) && verdict.close.is_none();
        prop_assert!(verdict.above.is_none_or(|above| d(available) < above) || processing);
        if verdict.request {
            // One that exceeded its limit is canceled, and no longer counts.
            let freed = i64::from(verdict.close == Some(Close::BeyondLimit));
            prop_assert!(attempts - (freed as i32) < 3 && spent - 20 * freed + 20 <= most && cooled <= 0);
            prop_assert!(enabled && most >= 20 && available < threshold);
            prop_assert!(open.is_none() || matches!(verdict.close, Some(Close::TimedOut | Close::BeyondLimit)));
            prop_assert!(cause == Some(Cause::Spent) || cause.is_none() && !waits_for_spend, "a clawback asks for nothing");
        }
        prop_assert!(most >= 20 || !enabled || verdict.switch_off.is_some());
        prop_assert!(verdict.failures < MOST_FAILURES || !enabled || verdict.switch_off.is_some());
    }
}
