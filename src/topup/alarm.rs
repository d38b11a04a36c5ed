//! What a balance calls for: somebody to be told that it is low, or credits to be bought. Pure: what is known goes in, what is
//! to be done comes out; watch.rs does it.

use super::offer::{Obstacle, Offer};
use crate::amount::Decimal;
use crate::clock::Time;
use crate::ledger::book::Cause;

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
    /// What was done to the credits last.
    pub cause: Option<Cause>,
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
    /// Whether credits were taken back when there were too few already, or of which too few were left, and none were spent
    /// since: nobody's card is charged because money was given back.
    pub waits_for_spend: bool,
    /// What it buys.
    pub offer: Offer,
    /// The request that is open.
    pub open: Option<Open>,
    /// Before this no other may be made; the time of the last, and the cooldown.
    pub cooled_at: Option<Time>,
    /// The limit of attempts, and how many there were within a day.
    pub attempts: (Option<i32>, i32),
    /// What was bought within a day.
    pub amount: Decimal,
    /// The oldest attempt within a day: when it no longer counts, others may.
    pub oldest: Option<Time>,
}

/// A request that nobody has answered.
#[derive(Debug, Clone, Copy)]
pub struct Open {
    /// Whether a worker has begun with it: then it cannot be canceled any more.
    pub processing: bool,
    /// What it costs.
    pub amount: Decimal,
    /// Whether that is in the currency of the price, and so of the limits.
    pub comparable: bool,
    /// When it has timed out.
    pub expires_at: Time,
}

/// What becomes of an open request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Close {
    /// Nobody answered.
    TimedOut,
    /// There are credits enough again, before a worker began.
    Enough,
    /// Auto-recharge was switched off, before a worker began.
    SwitchedOff,
    /// It is beyond a limit that was lowered, before a worker began.
    BeyondLimit,
}

/// Why auto-recharge is switched off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Off {
    /// Too many failures in a row.
    Failures,
    /// A payment of the customer was disputed.
    Disputed,
    /// The customer was erased.
    Erased,
    /// There is nothing that it could buy.
    Impossible(Obstacle),
}

impl Off {
    /// What programs go by.
    pub fn code(self) -> &'static str {
        match self {
            Off::Failures => "failures",
            Off::Disputed => "disputed",
            Off::Erased => "erased",
            Off::Impossible(Obstacle::NotOnSale) => "not_on_sale",
            Off::Impossible(Obstacle::Currency) => "currency_inactive",
            Off::Impossible(Obstacle::Restricted) => "restricted_credits",
            Off::Impossible(Obstacle::TooLarge) => "amount_too_large",
            Off::Impossible(Obstacle::Limit(..)) => "payment_limit",
            Off::Impossible(Obstacle::DailyLimit(_)) => "daily_limit",
        }
    }

    /// The same for people.
    pub fn message(self) -> &'static str {
        match self {
            Off::Failures => "three attempts in a row failed or timed out",
            Off::Disputed => "a payment was disputed",
            Off::Erased => "the customer was erased",
            Off::Impossible(Obstacle::NotOnSale) => "its price is archived",
            Off::Impossible(Obstacle::Currency) => "its price's currency or its credits' currency is not active",
            Off::Impossible(Obstacle::Restricted) => "its product's credits are for certain meters only",
            Off::Impossible(Obstacle::TooLarge) => {
                "what it costs or buys, or all credits ever granted with it, has too many digits"
            }
            Off::Impossible(Obstacle::Limit(..)) => "it costs less or more than one payment may",
            Off::Impossible(Obstacle::DailyLimit(_)) => "it costs more than may be spent within a day",
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
    /// Whether only a spend asks for a recharge then.
    pub waits_for_spend: bool,
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
    let is_enough = seen.available >= auto.threshold;
    let mut open = auto.open;
    verdict.failures = auto.failures;
    if open.is_some_and(|request| request.expires_at <= seen.at) {
        verdict.close = Some(Close::TimedOut);
        verdict.failures += 1;
        open = None;
    }
    let pack = auto.offer.pack();
    if auto.enabled && verdict.failures >= MOST_FAILURES {
        verdict.switch_off = Some(Off::Failures);
    } else if auto.enabled {
        verdict.switch_off = pack.err().map(Off::Impossible);
    }
    let enabled = auto.enabled && verdict.switch_off.is_none();
    if let Some(request) = open.filter(|request| !request.processing) {
        verdict.close = match () {
            _ if !enabled => Some(Close::SwitchedOff),
            _ if is_enough => Some(Close::Enough),
            _ if !is_within_limits(auto, &request) => Some(Close::BeyondLimit),
            _ => None,
        };
        open = open.filter(|_| verdict.close.is_none());
    }
    verdict.waits_for_spend = !is_enough && seen.cause.map_or(auto.waits_for_spend, |cause| cause == Cause::TakenBack);
    if let (true, Ok(pack), None, false, false) = (enabled, pack, open, is_enough, verdict.waits_for_spend) {
        // What is canceled just now counts no longer.
        let freed = auto.open.filter(|_| !matches!(verdict.close, None | Some(Close::TimedOut)));
        let allowed_at = allowed_at(seen.at, auto, pack.amount, freed);
        verdict.request = allowed_at <= seen.at;
        verdict.due_at = Some(allowed_at).filter(|_| !verdict.request);
    }
    if open.is_some() || verdict.request || verdict.waits_for_spend && enabled {
        let again = auto.threshold;
        verdict.above = Some(verdict.above.map_or(again, |above| above.min(again)));
    }
    if open.is_some() || verdict.request {
        verdict.due_at = open.map(|request| request.expires_at);
    } else if enabled {
        verdict.below = verdict.below.max(auto.threshold);
    }
}

/// Whether an account's open request may be charged, as limits are by now.
pub fn may_charge(seen: &Seen) -> bool {
    seen.auto.as_ref().is_some_and(|auto| {
        let open = auto.open.filter(|request| request.expires_at > seen.at);
        auto.enabled && open.is_some_and(|request| is_within_limits(auto, &request))
    })
}

/// Whether a request that is open is within the limits that hold now. It is among what there was within a day.
fn is_within_limits(auto: &Auto, request: &Open) -> bool {
    let (most_attempts, attempts) = auto.attempts;
    request.comparable
        && auto.offer.allows(request.amount).is_ok()
        && most_attempts.is_none_or(|most| attempts <= most)
        && auto.offer.most_a_day.is_none_or(|most| auto.amount <= most)
}

/// From when on cooldown and daily limits allow another attempt that costs so much, where this one no longer counts.
fn allowed_at(at: Time, auto: &Auto, one: Decimal, freed: Option<Open>) -> Time {
    let (most_attempts, mut attempts) = auto.attempts;
    let mut amount = auto.amount;
    if let Some(request) = freed {
        attempts -= 1;
        amount = (amount - request.amount).max(Decimal::ZERO);
    }
    let is_full = most_attempts.is_some_and(|most| attempts >= most)
        || auto.offer.most_a_day.is_some_and(|most| amount.checked_add(one).is_none_or(|sum| sum > most));
    let cooled_at = auto.cooled_at.unwrap_or(at);
    match auto.oldest {
        Some(oldest) if is_full => cooled_at.max(oldest.plus_seconds(DAY)),
        _ => cooled_at,
    }
}

#[cfg(test)]
mod tests {
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
            plain: true,
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

    fn seen(available: i64, low: i64, told: Level, auto: Option<Auto>) -> Seen {
        Seen { at: at(0), available: d(available), unit: d(1), low: d(low), told, cause: None, auto }
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
        let open_at = |expires| Auto { open: request(false, expires), ..auto() };
        let open = open_at(9);
        assert_eq!(judge(&seen(1, 0, Level::Enough, Some(open.clone()))).due_at, Some(at(9)));
        assert!(!judge(&seen(1, 0, Level::Enough, Some(open.clone()))).request);
        assert_eq!(judge(&seen(10, 0, Level::Enough, Some(open))).close, Some(Close::Enough));
        let off = Auto { enabled: false, ..open_at(9) };
        assert_eq!(
            judge(&seen(1, 0, Level::Enough, Some(off))).close,
            Some(Close::SwitchedOff),
            "who opted out is not charged"
        );
        let begun = Auto { open: request(true, 9), ..auto() };
        assert_eq!(judge(&seen(10, 0, Level::Enough, Some(begun))).close, None, "a charge may be under way");
    }

    #[test]
    fn nobody_answers_three_times() {
        let late = |failures| Auto { open: request(true, 0), failures, ..auto() };
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
        let spent = |amount| Auto { offer: offer(Some(d(60))), amount: d(amount), oldest: Some(at(-100)), ..auto() };
        assert!(judge(&seen(1, 0, Level::Enough, Some(spent(40)))).request, "up to the limit and no further");
        assert_eq!(judge(&seen(1, 0, Level::Enough, Some(spent(41)))).due_at, Some(at(DAY - 100)));
    }

    #[test]
    fn what_cannot_be_bought_is_switched_off() {
        let dear = Auto { offer: offer(Some(d(19))), ..auto() };
        for available in [1, 100] {
            let verdict = judge(&seen(available, 0, Level::Enough, Some(dear.clone())));
            assert_eq!(verdict.switch_off.map(Off::code), Some("daily_limit"));
            assert_eq!((verdict.request, verdict.below, verdict.above, verdict.due_at), (false, d(0), None, None));
        }
        let open = Auto { open: request(false, 9), amount: d(20), ..dear };
        assert_eq!(judge(&seen(1, 0, Level::Enough, Some(open))).close, Some(Close::SwitchedOff));
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
        let within = seen(1, 0, Level::Enough, Some(open(false, 60)));
        assert_eq!((judge(&within).close, may_charge(&within)), (None, true));
        let beyond = seen(1, 0, Level::Enough, Some(open(false, 59)));
        let verdict = judge(&beyond);
        assert_eq!((verdict.close, may_charge(&beyond)), (Some(Close::BeyondLimit), false));
        assert_eq!((verdict.request, verdict.due_at), (false, Some(at(DAY - 100))), "40 and 20 are more than 59");
        let freed = judge(&seen(1, 0, Level::Enough, Some(Auto { attempts: (Some(2), 3), ..open(false, 60) })));
        assert_eq!((freed.close, freed.request), (Some(Close::BeyondLimit), false));
        let begun = seen(1, 0, Level::Enough, Some(open(true, 59)));
        assert_eq!(
            (judge(&begun).close, may_charge(&begun)),
            (None, false),
            "it may be charged already, but not again"
        );
        let elsewhere = Open { comparable: false, ..request(false, 9).unwrap() };
        let elsewhere = seen(1, 0, Level::Enough, Some(Auto { open: Some(elsewhere), ..open(false, 60) }));
        assert_eq!(judge(&elsewhere).close, Some(Close::BeyondLimit), "in the currency of an old price");
    }

    #[test]
    fn only_a_spend_asks_after_credits_were_taken_back() {
        let look = |available, cause, waits_for_spend| {
            judge(&Seen { cause, ..seen(available, 0, Level::Enough, Some(Auto { waits_for_spend, ..auto() })) })
        };
        let back = look(9, Some(Cause::TakenBack), false);
        assert_eq!((back.request, back.waits_for_spend, back.due_at), (false, true, None));
        assert_eq!((back.below, back.above), (d(10), Some(d(10))), "a spend is looked at, and so is a top-up");
        let later = look(9, None, true);
        assert_eq!((later.request, later.waits_for_spend), (false, true));
        let spend = look(8, Some(Cause::Spent), true);
        assert_eq!((spend.request, spend.waits_for_spend), (true, false));
        let topped_up = look(10, None, true);
        assert_eq!((topped_up.request, topped_up.waits_for_spend, topped_up.below), (false, false, d(10)));
        assert!(!look(10, Some(Cause::TakenBack), false).waits_for_spend, "there is enough all the same");
    }

    proptest! {
        /// Whatever is known: what is looked for next is not the case now, so that one look is enough; and limits hold.
        #[test]
        fn one_look_is_enough(
            available in 0i64..20, low in 0i64..20, told in 0i16..3, enabled: bool, threshold in 1i64..20, failures in 0i32..4,
            open in proptest::option::of((any::<bool>(), -5i64..5)), attempts in 1i32..4, spent in 20i64..100, cooled in -5i64..5,
            most in 10i64..70, cause in 0..3, waits_for_spend: bool
        ) {
            let auto = Auto {
                enabled, threshold: d(threshold), failures, waits_for_spend, offer: offer(Some(d(most))),
                open: open.and_then(|(processing, expires)| request(processing, expires)),
                cooled_at: Some(at(cooled)), attempts: (Some(3), attempts), amount: d(spent), oldest: Some(at(-50)),
            };
            let cause = [None, Some(Cause::Spent), Some(Cause::TakenBack)][cause as usize];
            let verdict = judge(&Seen { cause, ..seen(available, low, Level::of(told), Some(auto)) });
            let waits = enabled && !verdict.request && (verdict.due_at.is_some() || verdict.waits_for_spend);
            prop_assert!(d(available) >= verdict.below || waits);
            let processing = open.is_some_and(|(processing, _)| processing) && verdict.close.is_none();
            prop_assert!(verdict.above.is_none_or(|above| d(available) < above) || processing);
            if verdict.request {
                // One that was beyond its limit is canceled, and counts no longer.
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
}
