//! What a balance calls for: somebody to be told that it is low, or credits to be bought. Pure: what is known goes in, what is
//! to be done comes out; watch.rs does it.

use crate::amount::Decimal;
use crate::clock::Time;

/// So many failures in a row switch auto-recharge off.
pub const MOST_FAILURES: i32 = 3;
/// The span of the daily limits, in seconds.
pub const DAY: i64 = 24 * 60 * 60;

/// An account as its rows have it.
#[derive(Debug, Clone)]
pub struct Seen {
    /// Its time.
    pub at: Time,
    /// What a plain debit may take.
    pub available: Decimal,
    /// The smallest part of a credit.
    pub unit: Decimal,
    /// Below this it is low; zero for never.
    pub low: Decimal,
    /// What was told last.
    pub told: Level,
    /// Its auto-recharge, where it has one.
    pub auto: Option<Auto>,
}

/// How low a balance is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum Level {
    /// Not at all.
    #[default]
    Enough,
    /// Below the threshold.
    Low,
    /// Nothing is left.
    Exhausted,
}

impl Level {
    /// As the account's row has it.
    pub fn number(self) -> i16 {
        self as i16
    }

    /// The level of that number.
    pub fn of(number: i16) -> Self {
        match number {
            2.. => Level::Exhausted,
            1 => Level::Low,
            _ => Level::Enough,
        }
    }
}

/// An account's auto-recharge, and what it did lately.
#[derive(Debug, Clone)]
pub struct Auto {
    /// Whether it is switched on.
    pub enabled: bool,
    /// Below this credits are bought.
    pub threshold: Decimal,
    /// How many attempts in a row failed or timed out.
    pub failures: i32,
    /// Whether its price is on sale.
    pub on_sale: bool,
    /// The request that is open.
    pub open: Option<Open>,
    /// Before this no other may be made; the time of the last, and the cooldown.
    pub cooled_at: Option<Time>,
    /// The limit of attempts, and how many there were within a day.
    pub attempts: (Option<i32>, i32),
    /// The limit of what is bought, what one attempt costs, and what there was within a day.
    pub amount: (Option<Decimal>, Decimal, Decimal),
    /// The oldest attempt within a day: when it no longer counts, others may.
    pub oldest: Option<Time>,
}

/// A request that nobody has answered.
#[derive(Debug, Clone, Copy)]
pub struct Open {
    /// Whether a worker has begun with it: then it cannot be canceled any more.
    pub processing: bool,
    /// When it has timed out.
    pub expires_at: Time,
}

/// What becomes of an open request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Close {
    /// Nobody answered.
    TimedOut,
    /// There are credits enough again, or it was switched off, before a worker began.
    Canceled,
}

/// Why auto-recharge is switched off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Off {
    /// Too many failures in a row.
    Failures,
    /// Its price is no longer sold.
    NotOnSale,
}

impl Off {
    /// As it is shown.
    pub fn as_str(self) -> &'static str {
        match self {
            Off::Failures => "three attempts in a row failed or timed out",
            Off::NotOnSale => "its price is archived",
        }
    }
}

/// What is to be done.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Verdict {
    /// Tell that the balance is low.
    pub tell_low: bool,
    /// Tell that nothing is left.
    pub tell_exhausted: bool,
    /// What has been told then.
    pub told: Level,
    /// End the open request.
    pub close: Option<Close>,
    /// Ask for a recharge.
    pub request: bool,
    /// Switch auto-recharge off.
    pub switch_off: Option<Off>,
    /// Failures in a row then.
    pub failures: i32,
    /// Look again when less is available.
    pub below: Decimal,
    /// Look again when so much is available.
    pub above: Option<Decimal>,
    /// Look again at this moment, where no request is made: else when the new one times out.
    pub due_at: Option<Time>,
}

/// What an account calls for.
pub fn judge(seen: &Seen) -> Verdict {
    let level = if seen.low.is_zero() {
        Level::Enough
    } else if seen.available.is_zero() {
        Level::Exhausted
    } else if seen.available < seen.low {
        Level::Low
    } else {
        Level::Enough
    };
    let mut verdict = Verdict {
        tell_low: level >= Level::Low && seen.told < Level::Low,
        tell_exhausted: level == Level::Exhausted && seen.told < Level::Exhausted,
        told: level,
        ..Verdict::default()
    };
    // One level down, one level up.
    (verdict.below, verdict.above) = match level {
        Level::Enough => (seen.low, None),
        Level::Low => (seen.unit, Some(seen.low)),
        Level::Exhausted => (Decimal::ZERO, Some(seen.unit)),
    };
    if let Some(auto) = &seen.auto {
        recharge(seen, auto, &mut verdict);
    }
    verdict
}

fn recharge(seen: &Seen, auto: &Auto, verdict: &mut Verdict) {
    let mut open = auto.open;
    verdict.failures = auto.failures;
    if let Some(request) = open {
        if request.expires_at <= seen.at {
            verdict.close = Some(Close::TimedOut);
            verdict.failures += 1;
            open = None;
        } else if !request.processing && (!auto.enabled || seen.available >= auto.threshold) {
            verdict.close = Some(Close::Canceled);
            open = None;
        }
    }
    let mut enabled = auto.enabled;
    if enabled && verdict.failures >= MOST_FAILURES {
        verdict.switch_off = Some(Off::Failures);
        enabled = false;
    }
    if enabled && open.is_none() && seen.available < auto.threshold {
        let allowed_at = allowed_at(seen.at, auto);
        if !auto.on_sale {
            verdict.switch_off = Some(Off::NotOnSale);
            enabled = false;
        } else if allowed_at > seen.at {
            verdict.due_at = Some(allowed_at);
        } else {
            verdict.request = true;
        }
    }
    if open.is_some() || verdict.request {
        let again = auto.threshold;
        verdict.above = Some(verdict.above.map_or(again, |above| above.min(again)));
        verdict.due_at = open.map(|request| request.expires_at);
    } else if enabled {
        verdict.below = verdict.below.max(auto.threshold);
    }
}

/// From when on cooldown and daily limits allow another attempt: `NEVER` where one alone is beyond its limit.
fn allowed_at(at: Time, auto: &Auto) -> Time {
    let (most_attempts, attempts) = auto.attempts;
    let (most_amount, one, amount) = auto.amount;
    if most_amount.is_some_and(|most| one > most) {
        return Time::NEVER;
    }
    let full =
        most_attempts.is_some_and(|most| attempts >= most) || most_amount.is_some_and(|most| amount + one > most);
    let cooled_at = auto.cooled_at.unwrap_or(at);
    match auto.oldest {
        Some(oldest) if full => cooled_at.max(oldest.plus_seconds(DAY)),
        _ => cooled_at,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
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
            on_sale: true,
            open: None,
            cooled_at: None,
            attempts: (None, 0),
            amount: (None, d(20), d(0)),
            oldest: None,
        }
    }

    fn seen(available: i64, low: i64, told: Level, auto: Option<Auto>) -> Seen {
        Seen { at: at(0), available: d(available), unit: d(1), low: d(low), told, auto }
    }

    #[test]
    fn a_crossing_is_told_once() {
        let first = judge(&seen(4, 5, Level::Enough, None));
        assert!(first.tell_low && !first.tell_exhausted);
        assert_eq!((first.told, first.below, first.above), (Level::Low, d(1), Some(d(5))));
        assert!(!judge(&seen(3, 5, first.told, None)).tell_low);
        let none = judge(&seen(0, 5, first.told, None));
        assert!(none.tell_exhausted && !none.tell_low);
        let both = judge(&seen(0, 5, Level::Enough, None));
        assert!(both.tell_exhausted && both.tell_low);
        let again = judge(&seen(7, 5, Level::Exhausted, None));
        assert_eq!((again.told, again.below, again.above), (Level::Enough, d(5), None));
    }

    #[test]
    fn one_request_is_open_at_a_time() {
        let first = judge(&seen(9, 0, Level::Enough, Some(auto())));
        assert!(first.request);
        assert!(!judge(&seen(10, 0, Level::Enough, Some(auto()))).request, "the threshold itself is enough");
        assert_eq!(
            (first.below, first.above),
            (d(0), Some(d(10))),
            "nothing to look for while it is open, but a top-up"
        );
        let open_at = |expires| Auto { open: Some(Open { processing: false, expires_at: at(expires) }), ..auto() };
        let open = open_at(9);
        assert_eq!(judge(&seen(1, 0, Level::Enough, Some(open.clone()))).due_at, Some(at(9)));
        assert!(!judge(&seen(1, 0, Level::Enough, Some(open.clone()))).request);
        assert_eq!(judge(&seen(10, 0, Level::Enough, Some(open))).close, Some(Close::Canceled));
        let off = Auto { enabled: false, ..open_at(9) };
        assert_eq!(
            judge(&seen(1, 0, Level::Enough, Some(off))).close,
            Some(Close::Canceled),
            "who opted out is not charged"
        );
        let begun = Auto { open: Some(Open { processing: true, expires_at: at(9) }), ..auto() };
        assert_eq!(judge(&seen(10, 0, Level::Enough, Some(begun))).close, None, "a charge may be under way");
    }

    #[test]
    fn nobody_answers_three_times() {
        let late = |failures| Auto { open: Some(Open { processing: true, expires_at: at(0) }), failures, ..auto() };
        let second = judge(&seen(1, 0, Level::Enough, Some(late(1))));
        assert_eq!((second.close, second.request, second.failures), (Some(Close::TimedOut), true, 2));
        let third = judge(&seen(1, 0, Level::Enough, Some(late(2))));
        assert_eq!((third.switch_off, third.request, third.below), (Some(Off::Failures), false, d(0)));
    }

    #[test]
    fn limits_wait_for_their_day() {
        let limited = Auto { attempts: (Some(2), 2), oldest: Some(at(-100)), cooled_at: Some(at(-1)), ..auto() };
        let verdict = judge(&seen(1, 0, Level::Enough, Some(limited)));
        assert_eq!((verdict.request, verdict.due_at, verdict.below), (false, Some(at(DAY - 100)), d(10)));
        let cooling = Auto { cooled_at: Some(at(5)), ..auto() };
        assert_eq!(judge(&seen(1, 0, Level::Enough, Some(cooling))).due_at, Some(at(5)));
        let both = Auto { attempts: (Some(2), 2), oldest: Some(at(-100)), cooled_at: Some(at(DAY)), ..auto() };
        assert_eq!(judge(&seen(1, 0, Level::Enough, Some(both))).due_at, Some(at(DAY)), "the later of the two");
        let spent = |amount| Auto { amount: (Some(d(60)), d(20), d(amount)), oldest: Some(at(-100)), ..auto() };
        assert!(judge(&seen(1, 0, Level::Enough, Some(spent(40)))).request, "up to the limit and no further");
        assert_eq!(judge(&seen(1, 0, Level::Enough, Some(spent(41)))).due_at, Some(at(DAY - 100)));
        let dear = Auto { amount: (Some(d(19)), d(20), d(0)), ..auto() };
        assert_eq!(judge(&seen(1, 0, Level::Enough, Some(dear))).due_at, Some(Time::NEVER));
    }

    proptest! {
        /// Whatever is known: what is looked for next is not the case now, so that one look is enough; and limits hold.
        #[test]
        fn one_look_is_enough(
            available in 0i64..20, low in 0i64..20, told in 0i16..3, enabled: bool, threshold in 1i64..20, failures in 0i32..4,
            open in proptest::option::of((any::<bool>(), -5i64..5)), attempts in 0i32..4, spent in 0i64..100, cooled in -5i64..5
        ) {
            let auto = Auto {
                enabled, threshold: d(threshold), failures, on_sale: true,
                open: open.map(|(processing, expires)| Open { processing, expires_at: at(expires) }),
                cooled_at: Some(at(cooled)), attempts: (Some(3), attempts), amount: (Some(d(60)), d(20), d(spent)), oldest: Some(at(-50)),
            };
            let verdict = judge(&seen(available, low, Level::of(told), Some(auto)));
            let waits = enabled && !verdict.request && verdict.due_at.is_some();
            prop_assert!(d(available) >= verdict.below || waits);
            let processing = open.is_some_and(|(processing, _)| processing) && verdict.close.is_none();
            prop_assert!(verdict.above.is_none_or(|above| d(available) < above) || processing);
            if verdict.request {
                prop_assert!(attempts < 3 && spent + 20 <= 60 && cooled <= 0 && enabled && available < threshold);
                prop_assert!(open.is_none() || verdict.close == Some(Close::TimedOut));
            }
            prop_assert!(verdict.failures < MOST_FAILURES || !enabled || verdict.switch_off.is_some());
        }
    }
}
