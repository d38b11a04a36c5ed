//! Tests of policy.rs: what is decided for a balance.

use super::*;
use crate::auto_recharge::limit::PERIODS;
use crate::auto_recharge::offer::Goods;
use crate::auto_recharge::schedule::Step;
use crate::ledger::currency::PaymentLimits;
use proptest::prelude::*;

const DAY: i64 = 24 * 60 * 60;

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
        offer: offer(Limits::default()),
        schedule: None,
        scheduled_at: Time::NEVER,
        open: None,
        cooled_at: None,
    }
}

/// The limits within 24 hours, and what there was within them, the oldest a hundred seconds ago.
#[derive(Clone, Copy, Default)]
struct Limits {
    most_attempts: Option<i32>,
    attempts: i32,
    most_amount: Option<i64>,
    amount: i64,
}

fn offer(limits: Limits) -> Offer {
    let window = |period| Window {
        period,
        most_attempts: limits.most_attempts.filter(|_| period == Period::Rolling),
        attempts: limits.attempts,
        most_amount: limits.most_amount.filter(|_| period == Period::Rolling).map(d),
        amount: d(limits.amount),
        oldest: Some(at(-100)).filter(|_| limits.attempts > 0),
    };
    Offer {
        on_sale: true,
        active: true,
        unrestricted: true,
        goods: Goods::Units { amount: d(20), credits: d(100), quantity: 1 },
        target: None,
        decimals: (2, 6),
        limits: [PaymentLimits::default(), PaymentLimits::default()],
        windows: PERIODS.map(window).into(),
        issued: Decimal::ZERO,
    }
}

fn request(processing: bool, expires: i64) -> Option<Open> {
    let counted = Counted { amount: d(20), comparable: true, requested_at: at(-50) };
    Some(Open { processing, scheduled: false, counted, expires_at: at(expires) })
}

/// Every hour from 100 seconds ago on, and the first of its moments that is still due.
fn hourly(scheduled: i64) -> Auto {
    let step = Step { months: 0, days: 0, microseconds: 3_600_000_000 };
    Auto { schedule: Some(Schedule::Every(step, at(-100))), scheduled_at: at(scheduled), ..auto() }
}

fn state(available: i64, low: i64, reported: Level, auto: Option<Auto>) -> State {
    State { at: at(0), available: d(available), pending: d(0), unit: d(1), low: d(low), reported, cause: None, auto }
}

fn asks(verdict: &Verdict) -> bool {
    verdict.request.is_some()
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
    assert!(asks(&first));
    assert!(!asks(&judge(&state(10, 0, Level::Enough, Some(auto())))), "the threshold itself is enough");
    assert_eq!((first.below, first.above), (d(0), Some(d(10))), "nothing to look for while it is open, but a top-up");
    let open_at = |expires| Auto { open: request(false, expires), ..auto() };
    let open = open_at(9);
    assert_eq!(judge(&state(1, 0, Level::Enough, Some(open.clone()))).due_at, at(9));
    assert!(!asks(&judge(&state(1, 0, Level::Enough, Some(open.clone())))));
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
    assert_eq!((second.close, asks(&second), second.failures), (Some(Close::TimedOut), true, 2));
    let third = judge(&state(1, 0, Level::Enough, Some(late(2))));
    assert_eq!((third.switch_off, asks(&third), third.below), (Some(Off::Failures), false, d(0)));
}

#[test]
fn limits_wait_for_their_day() {
    let tried = Limits { most_attempts: Some(2), attempts: 2, ..Limits::default() };
    let limited = Auto { offer: offer(tried), cooled_at: Some(at(-1)), ..auto() };
    let verdict = judge(&state(1, 0, Level::Enough, Some(limited)));
    assert_eq!((asks(&verdict), verdict.due_at, verdict.below), (false, at(DAY - 100), d(10)));
    let cooling = Auto { cooled_at: Some(at(5)), ..auto() };
    assert_eq!(judge(&state(1, 0, Level::Enough, Some(cooling))).due_at, at(5));
    let both = Auto { offer: offer(tried), cooled_at: Some(at(DAY)), ..auto() };
    assert_eq!(judge(&state(1, 0, Level::Enough, Some(both))).due_at, at(DAY), "the later of the two");
    let spent = |amount| Auto {
        offer: offer(Limits { most_amount: Some(60), amount, attempts: 1, ..Limits::default() }),
        ..auto()
    };
    assert!(asks(&judge(&state(1, 0, Level::Enough, Some(spent(40))))), "up to the limit and no further");
    assert_eq!(judge(&state(1, 0, Level::Enough, Some(spent(41)))).due_at, at(DAY - 100));
}

#[test]
fn a_schedule_buys_whatever_the_balance() {
    let judge_at = |available, auto| judge(&state(available, 0, Level::Enough, Some(auto)));
    let ahead = judge_at(50, hourly(900));
    assert_eq!((asks(&ahead), ahead.due_at, ahead.scheduled_at), (false, at(900), at(900)));
    let due = judge_at(50, hourly(-100));
    assert_eq!((due.request.map(|pack| pack.quantity), due.scheduled), (Some(1), true));
    assert_eq!((due.scheduled_at, due.due_at), (at(3_500), at(3_500)));
    assert_eq!(judge_at(50, hourly(-7_300)).scheduled_at, at(3_500), "moments that were missed are one");
    // What is open already is waited for, and so are cooldown and limits.
    let under_way = judge_at(5, Auto { open: request(true, 9), ..hourly(-100) });
    assert_eq!((asks(&under_way), under_way.scheduled_at, under_way.due_at), (false, at(-100), at(9)));
    let cooling = judge_at(50, Auto { cooled_at: Some(at(5)), ..hourly(-100) });
    assert_eq!((asks(&cooling), cooling.scheduled_at, cooling.due_at), (false, at(-100), at(5)));
    // Credits that were taken back ask for nothing, a schedule does.
    let back = State { cause: Some(Cause::TakenBack), ..state(5, 0, Level::Enough, Some(hourly(-100))) };
    assert_eq!((asks(&judge(&back)), judge(&back).waits_for_spend), (true, true));
    let off = judge_at(50, Auto { enabled: false, ..hourly(-100) });
    assert_eq!((asks(&off), off.due_at), (false, Time::NEVER));
    // Without a threshold no balance asks; time still does.
    let alone = judge_at(0, Auto { threshold: d(0), ..hourly(900) });
    assert_eq!((asks(&alone), alone.below, alone.above), (false, d(0), Some(Decimal::MAX)));
}

#[test]
fn no_balance_makes_up_for_a_schedule() {
    let scheduled = |auto: Auto| Auto { open: auto.open.map(|open| Open { scheduled: true, ..open }), ..auto };
    let open = scheduled(Auto { open: request(false, 9), ..hourly(900) });
    let verdict = judge(&state(50, 0, Level::Enough, Some(open.clone())));
    assert_eq!((verdict.close, verdict.above, verdict.due_at), (None, Some(Decimal::MAX), at(9)));
    // A target does: there is nothing to buy.
    let to = |target| Offer { target: Some(d(target)), ..offer(Limits::default()) };
    let verdict = judge(&state(50, 0, Level::Enough, Some(Auto { offer: to(60), ..open.clone() })));
    assert_eq!((verdict.close, verdict.above), (None, Some(d(60))));
    let verdict = judge(&state(60, 0, Level::Enough, Some(Auto { offer: to(60), ..open.clone() })));
    assert_eq!((verdict.close, asks(&verdict), verdict.due_at), (Some(Close::Enough), false, at(900)));
    let full = judge(&state(60, 0, Level::Enough, Some(Auto { offer: to(60), ..hourly(-100) })));
    assert_eq!((asks(&full), full.scheduled_at), (false, at(3_500)), "that moment is over");
    // What a lowered limit cancels is asked for again, as far as the limit allows.
    let lowered = Limits { most_amount: Some(40), amount: 60, attempts: 1, ..Limits::default() };
    let beyond = Open { counted: Counted { amount: d(60), ..open.open.unwrap().counted }, ..open.open.unwrap() };
    let offer = Offer { target: Some(d(300)), ..offer(lowered) };
    let verdict = judge(&state(50, 0, Level::Enough, Some(Auto { open: Some(beyond), offer, ..open })));
    assert_eq!((verdict.close, verdict.scheduled), (Some(Close::BeyondLimit), true));
    assert_eq!(verdict.request.map(|pack| (pack.quantity, pack.credits)), Some((2, d(200))));
}

#[test]
fn what_was_paid_in_another_currency_frees_nothing() {
    // 20 of an old price are canceled; within the limits 60 were paid at the new one, of which nothing is free.
    let full = Limits { most_amount: Some(60), amount: 60, attempts: 2, ..Limits::default() };
    let mut elsewhere = request(false, 9);
    elsewhere.iter_mut().for_each(|open| open.counted.comparable = false);
    let verdict = judge(&state(1, 0, Level::Enough, Some(Auto { offer: offer(full), open: elsewhere, ..auto() })));
    assert_eq!((verdict.close, asks(&verdict)), (Some(Close::BeyondLimit), false));
}

#[test]
fn what_cannot_be_bought_is_switched_off() {
    let dear = Auto { offer: offer(Limits { most_amount: Some(19), ..Limits::default() }), ..auto() };
    for available in [1, 100] {
        let verdict = judge(&state(available, 0, Level::Enough, Some(dear.clone())));
        assert_eq!(verdict.switch_off.map(Off::code), Some("daily_limit"));
        assert_eq!((asks(&verdict), verdict.below, verdict.above, verdict.due_at), (false, d(0), None, Time::NEVER));
    }
    let open = Auto { open: request(false, 9), ..dear };
    assert_eq!(judge(&state(1, 0, Level::Enough, Some(open))).close, Some(Close::SwitchedOff));
}

#[test]
fn a_lowered_limit_binds_what_is_open() {
    let limited = |most| Limits { most_attempts: Some(3), attempts: 3, most_amount: Some(most), amount: 60 };
    let open = |processing, most| Auto { offer: offer(limited(most)), open: request(processing, 9), ..auto() };
    let within = state(1, 0, Level::Enough, Some(open(false, 60)));
    assert_eq!((judge(&within).close, may_charge(&within)), (None, true));
    let beyond = state(1, 0, Level::Enough, Some(open(false, 59)));
    let verdict = judge(&beyond);
    assert_eq!((verdict.close, may_charge(&beyond)), (Some(Close::BeyondLimit), false));
    assert_eq!((asks(&verdict), verdict.due_at), (false, at(DAY - 100)), "40 and 20 are more than 59");
    let freed = judge(&state(
        1,
        0,
        Level::Enough,
        Some(Auto { offer: offer(Limits { most_attempts: Some(2), ..limited(60) }), ..open(false, 60) }),
    ));
    assert_eq!((freed.close, asks(&freed)), (Some(Close::BeyondLimit), false));
    let begun = state(1, 0, Level::Enough, Some(open(true, 59)));
    assert_eq!((judge(&begun).close, may_charge(&begun)), (None, false), "it may be charged already, but not again");
    let mut elsewhere = request(false, 9);
    elsewhere.iter_mut().for_each(|open| open.counted.comparable = false);
    let elsewhere = state(1, 0, Level::Enough, Some(Auto { open: elsewhere, ..open(false, 60) }));
    assert_eq!(judge(&elsewhere).close, Some(Close::BeyondLimit), "in the currency of an old price");
}

#[test]
fn only_a_spend_asks_after_credits_were_taken_back() {
    let evaluate = |available, cause, waits_for_spend| {
        judge(&State { cause, ..state(available, 0, Level::Enough, Some(Auto { waits_for_spend, ..auto() })) })
    };
    let back = evaluate(9, Some(Cause::TakenBack), false);
    assert_eq!((asks(&back), back.waits_for_spend, back.due_at), (false, true, Time::NEVER));
    assert_eq!((back.below, back.above), (d(10), Some(d(10))), "a spend is looked at, and so is a top-up");
    let later = evaluate(9, None, true);
    assert_eq!((asks(&later), later.waits_for_spend), (false, true));
    let spend = evaluate(8, Some(Cause::Spent), true);
    assert_eq!((asks(&spend), spend.waits_for_spend), (true, false));
    let topped_up = evaluate(10, None, true);
    assert_eq!((asks(&topped_up), topped_up.waits_for_spend, topped_up.below), (false, false, d(10)));
    assert!(!evaluate(10, Some(Cause::TakenBack), false).waits_for_spend, "there is enough all the same");
}

proptest! {
    /// For any state: the conditions for the next evaluation do not hold now, so that one evaluation is enough; and
    /// limits hold.
    #[test]
    fn one_evaluation_is_enough(
        available in 0i64..20, low in 0i64..20, reported in 0i16..3, enabled: bool, threshold in 1i64..20, failures in 0i32..4,
        open in proptest::option::of((any::<bool>(), -5i64..5)), attempts in 1i32..4, spent in 20i64..100, cooled in -5i64..5,
        most in 10i64..70, cause in 0..3, waits_for_spend: bool, next in proptest::option::of(-5_000i64..5_000),
        target in proptest::option::of(20i64..400)
    ) {
        let auto = Auto {
            enabled, threshold: d(threshold), failures, waits_for_spend,
            offer: Offer {
                target: target.map(d),
                ..offer(Limits { most_attempts: Some(3), attempts, most_amount: Some(most), amount: spent })
            },
            open: open.and_then(|(processing, expires)| request(processing, expires)),
            cooled_at: Some(at(cooled)), ..next.map_or_else(auto, hourly)
        };
        let cause = [None, Some(Cause::Spent), Some(Cause::TakenBack)][cause as usize];
        let verdict = judge(&State { cause, ..state(available, low, Level::of(reported), Some(auto)) });
        let waits = enabled && !asks(&verdict) && (verdict.due_at < Time::NEVER || verdict.waits_for_spend);
        prop_assert!(d(available) >= verdict.below || waits);
        let processing = open.is_some_and(|(processing, _)| processing) && verdict.close.is_none();
        prop_assert!(verdict.above.is_none_or(|above| d(available) < above) || processing);
        prop_assert!(verdict.due_at > at(0));
        prop_assert!(!verdict.scheduled || asks(&verdict));
        let is_off = !enabled || verdict.switch_off.is_some();
        prop_assert!(next.is_none() || is_off || verdict.due_at < Time::NEVER || asks(&verdict), "time goes on");
        if let Some(pack) = verdict.request {
            // One that is canceled no longer counts.
            let freed = i64::from(matches!(verdict.close, Some(Close::BeyondLimit | Close::Enough)));
            prop_assert!(attempts - (freed as i32) < 3 && d(spent - 20 * freed) + pack.amount <= d(most) && cooled <= 0);
            prop_assert!(enabled && most >= 20 && (available < threshold || verdict.scheduled));
            prop_assert!(open.is_none() || verdict.close.is_some());
            prop_assert!(verdict.close != Some(Close::Enough) || verdict.scheduled);
            let is_spend = cause == Some(Cause::Spent) || cause.is_none() && !waits_for_spend;
            prop_assert!(is_spend || verdict.scheduled, "a clawback asks for nothing");
            prop_assert!(!verdict.scheduled || next.is_some_and(|next| next <= 0) && verdict.scheduled_at > at(0));
        }
        prop_assert!(most >= 20 || !enabled || verdict.switch_off.is_some());
        prop_assert!(verdict.failures < MOST_FAILURES || !enabled || verdict.switch_off.is_some());
    }
}

proptest! {
    /// A schedule, evaluated at any moments, with a worker that answers at once or late: beside counting the moments that
    /// passed since the last request of it.
    #[test]
    fn a_schedule_asks_once_for_what_has_passed(
        waits in proptest::collection::vec((1i64..9_000, 0i64..5_000), 1..60), cooldown in 0i64..4_000
    ) {
        let (step, start) = (3_600, at(-100));
        let passed = |time: Time| (time.0 - start.0).div_euclid(step * 1_000_000);
        let (mut auto, mut now, mut made_for, mut answered_at) = (hourly(3_500), at(0), 0, Time::BEGINNING);
        for (wait, answer) in waits {
            now = now.plus_seconds(wait);
            if answered_at <= now {
                auto.open = None;
            }
            let verdict = judge(&State { at: now, ..state(50, 0, Level::Enough, Some(auto.clone())) });
            let is_free = auto.open.is_none() && auto.cooled_at.is_none_or(|cooled_at| cooled_at <= now);
            prop_assert_eq!(asks(&verdict), is_free && passed(now) > made_for);
            prop_assert!(verdict.due_at > now, "it is looked at again");
            if asks(&verdict) {
                made_for = passed(now);
                answered_at = now.plus_seconds(answer);
                auto.cooled_at = Some(now.plus_seconds(cooldown));
                auto.open = request(true, 0).map(|open| Open { scheduled: true, expires_at: now.plus_seconds(DAY), ..open });
            }
            auto.scheduled_at = verdict.scheduled_at;
            // What is due waits for nothing but the open request and the cooldown.
            let is_due = auto.scheduled_at <= now;
            prop_assert_eq!(is_due, passed(now) > made_for);
        }
    }
}
