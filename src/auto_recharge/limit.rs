//! The limits of auto-recharge: how often it may try and how much it may cost, within 24 hours, and within a day and a
//! month of the calendar in UTC. Pure.

use crate::amount::Decimal;
use crate::moment::{DAY, Time};

/// 24 hours, in seconds.
const ROLLING: i64 = 24 * 60 * 60;

/// What a limit counts within.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Period {
    /// The last 24 hours.
    Rolling,
    /// The day of the calendar.
    Day,
    /// The month of the calendar.
    Month,
}

/// All of them, in the order of the tables.
pub const PERIODS: [Period; 3] = [Period::Rolling, Period::Day, Period::Month];

impl Period {
    /// From when on it counts, as of a moment.
    pub fn since(self, at: Time) -> Time {
        match self {
            Period::Rolling => Time(at.plus_seconds(-ROLLING).0.saturating_add(1)),
            Period::Day => at.start_of_day(),
            Period::Month => at.start_of_month(),
        }
    }

    /// The argument that limits the amount within it.
    pub fn amount_argument(self) -> &'static str {
        match self {
            Period::Rolling => "max_amount_per_day",
            Period::Day => "max_amount_per_calendar_day",
            Period::Month => "max_amount_per_calendar_month",
        }
    }
}

/// A request as limits count it.
#[derive(Debug, Clone, Copy)]
pub struct Counted {
    /// What it costs.
    pub amount: Decimal,
    /// Whether that is in the currency of the limits.
    pub comparable: bool,
    /// When it was made.
    pub requested_at: Time,
}

/// A period, its limits, and what there was in it.
#[derive(Debug, Clone)]
pub struct Window {
    /// Which.
    pub period: Period,
    /// How many attempts there may be.
    pub most_attempts: Option<i32>,
    /// How many there were, canceled ones left out.
    pub attempts: i32,
    /// How much they may cost, in the currency of what is bought.
    pub most_amount: Option<Decimal>,
    /// How much they cost, failed ones left out as well.
    pub amount: Decimal,
    /// The oldest of these attempts.
    pub oldest: Option<Time>,
}

impl Window {
    /// Whether all that is in it, with an open request, is within its limits.
    pub fn holds(&self) -> bool {
        self.most_attempts.is_none_or(|most| self.attempts <= most)
            && self.most_amount.is_none_or(|most| self.amount <= most)
    }

    /// The same window where a request of it no longer counts.
    pub fn without(&self, freed: Option<&Counted>, at: Time) -> Window {
        let mut window = self.clone();
        if let Some(freed) = freed.filter(|freed| freed.requested_at >= self.period.since(at)) {
            window.attempts -= 1;
            if freed.comparable {
                window.amount = (window.amount - freed.amount).max(Decimal::ZERO);
            }
        }
        window
    }

    /// How much may still be spent.
    pub fn rest(&self) -> Option<Decimal> {
        self.most_amount.map(|most| (most - self.amount).max(Decimal::ZERO))
    }

    /// When it next allows an attempt that costs so much.
    pub fn allows_at(&self, at: Time, amount: Decimal) -> Time {
        let is_full = self.most_attempts.is_some_and(|most| self.attempts >= most)
            || self.rest().is_some_and(|rest| amount > rest);
        match self.period {
            _ if !is_full => at,
            // Once the oldest no longer counts, it is judged again.
            Period::Rolling => self.oldest.map_or(at, |oldest| oldest.plus_seconds(ROLLING)),
            Period::Day => Time(at.start_of_day().0.saturating_add(DAY)),
            // In the next month, whatever their days.
            Period::Month => Time(at.start_of_month().0.saturating_add(32 * DAY)).start_of_month(),
        }
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

    fn window(period: Period, attempts: (i32, i32), amounts: (i64, i64), oldest: i64) -> Window {
        Window {
            period,
            most_attempts: Some(attempts.0),
            attempts: attempts.1,
            most_amount: Some(d(amounts.0)),
            amount: d(amounts.1),
            oldest: Some(at(oldest)),
        }
    }

    #[test]
    fn each_period_ends_in_its_own_way() {
        let noon = 40 * ROLLING + ROLLING / 2; // 2000-02-10
        let full = |period| window(period, (2, 2), (100, 0), noon - 100).allows_at(at(noon), d(1));
        assert_eq!(full(Period::Rolling), at(noon - 100 + ROLLING));
        assert_eq!(full(Period::Day), at(41 * ROLLING));
        assert_eq!(full(Period::Month), at(60 * ROLLING), "2000-03-01");
        let spent = |amount| window(Period::Day, (9, 1), (100, 60), noon).allows_at(at(noon), d(amount));
        assert_eq!((spent(40), spent(41)), (at(noon), at(41 * ROLLING)), "up to the limit and no further");
    }

    #[test]
    fn what_is_canceled_counts_where_it_was_counted() {
        let freed = |requested_at, comparable| Counted { amount: d(20), comparable, requested_at: at(requested_at) };
        let counts = |period, freed: Counted| {
            let window = window(period, (2, 2), (100, 60), 0).without(Some(&freed), at(31 * ROLLING));
            (window.attempts, window.amount)
        };
        assert_eq!(counts(Period::Day, freed(31 * ROLLING, true)), (1, d(40)));
        assert_eq!(counts(Period::Day, freed(31 * ROLLING - 1, true)), (2, d(60)), "it was yesterday's");
        assert_eq!(counts(Period::Rolling, freed(31 * ROLLING - 1, true)), (1, d(40)));
        assert_eq!(counts(Period::Month, freed(31 * ROLLING - 1, true)), (2, d(60)), "it was last month's");
        assert_eq!(counts(Period::Day, freed(31 * ROLLING, false)), (1, d(60)), "its amount was of another currency");
    }

    proptest! {
        /// Attempts that are made whenever they are allowed never exceed a limit in any day, month or 24 hours.
        #[test]
        fn no_period_ever_exceeds_its_limits(
            waits in proptest::collection::vec((0i64..20 * 60 * 60, 1i64..40), 1..120), most_attempts in 1i32..6,
            most in 40i64..90, period in 0usize..3
        ) {
            let (period, mut made, mut now) = (PERIODS[period], Vec::<(Time, i64)>::new(), at(27 * ROLLING));
            for (wait, amount) in waits {
                now = now.plus_seconds(wait);
                let within: Vec<_> = made.iter().filter(|(time, _)| *time >= period.since(now)).collect();
                let window = Window {
                    period, most_attempts: Some(most_attempts), attempts: within.len() as i32, most_amount: Some(d(most)),
                    amount: d(within.iter().map(|(_, amount)| amount).sum()), oldest: within.first().map(|(time, _)| *time),
                };
                let allowed_at = window.allows_at(now, d(amount));
                if allowed_at <= now {
                    made.push((now, amount));
                } else {
                    prop_assert!(period == Period::Rolling || period.since(allowed_at) == allowed_at);
                }
            }
            for (time, _) in &made {
                // Every period that begins with an attempt, and every one of the calendar that has it.
                let is_in = |other: &Time| match period {
                    Period::Rolling => *other >= *time && *other < time.plus_seconds(ROLLING),
                    _ => period.since(*other) == period.since(*time),
                };
                let within: Vec<i64> = made.iter().filter(|(time, _)| is_in(time)).map(|(_, amount)| *amount).collect();
                prop_assert!(within.len() as i32 <= most_attempts && within.iter().sum::<i64>() <= most);
            }
        }
    }
}
