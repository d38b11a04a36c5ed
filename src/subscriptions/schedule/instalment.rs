//! Instalments: the credits that a paid period grants, when each is to begin, and until when it lasts. Pure.

use crate::amount::split::{amount, split, units};
use crate::amount::{AmountError, Decimal};
use crate::catalog::credit_config::CreditConfig;
use crate::invoicing::line::instalment::Instalment;
use crate::moment::Time;
use crate::moment::length::Length;
use crate::subscriptions::schedule::cycle::{Period, Step};
use crate::subscriptions::schedule::proration::part;

/// The most instalments of a period.
pub const MOST: usize = 366;

/// What a price's credit_config says of the credits of a period.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// Credits of a whole period.
    pub credits: Decimal,
    /// Those of each instalment, where that is said.
    pub per_grant: Option<Decimal>,
    /// From one instalment to the next; `None` for one of all.
    pub every: Option<Step>,
    /// The most of them, where that is said: the rest of the period has none.
    pub most: Option<usize>,
    /// Whether what is left of each expires as it is planned to end.
    pub expires: bool,
    /// How long each lasts instead, where that is said.
    pub lasts: Option<Length>,
    /// Decimals of the credits.
    pub decimals: u32,
}

/// Why there is no plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// An amount cannot be kept.
    Amount(AmountError),
    /// They would be more than [`MOST`].
    TooMany,
}

impl From<AmountError> for Fault {
    fn from(reason: AmountError) -> Self {
        Fault::Amount(reason)
    }
}

impl Plan {
    /// That of so many units. Raises what cannot be counted.
    pub fn of(config: &CreditConfig, quantity: Decimal, decimals: u32) -> Result<Self, AmountError> {
        let times = |credits: Decimal| {
            let credits = credits.checked_mul(quantity).ok_or(AmountError::TooManyDigits)?;
            crate::amount::fit(credits, decimals)
        };
        let schedule = config.schedule.as_ref();
        let most =
            schedule.and_then(|schedule| schedule.max_grants_per_period).and_then(|most| usize::try_from(most).ok());
        Ok(Plan {
            credits: times(config.amount)?,
            per_grant: schedule.and_then(|schedule| schedule.amount_per_grant).map(times).transpose()?,
            every: schedule.and_then(|schedule| schedule.every).map(Step::from),
            most,
            lasts: config.valid_for,
            expires: config.valid_for.is_none() && schedule.is_some_and(|schedule| schedule.expire_with_next_grant),
            decimals,
        })
    }

    /// The same with as many instalments as there may be: of a trial, which may be longer than a period.
    pub fn capped(self) -> Self {
        Plan { most: self.most.or(Some(MOST)), ..self }
    }

    /// When the instalments of a period begin.
    fn starts(&self, period: Period) -> Result<Vec<Time>, Fault> {
        let Some(every) = self.every else { return Ok(vec![period.start]) };
        let mut starts = vec![period.start];
        loop {
            let next = every.times(starts.len() as i64, period.start);
            // A length of nothing has no next one.
            if next >= period.end || next <= period.start || Some(starts.len()) == self.most {
                return Ok(starts);
            }
            if starts.len() == MOST {
                return Err(Fault::TooMany);
            }
            starts.push(next);
        }
    }

    /// All instalments of a period.
    pub fn whole(&self, period: Period) -> Result<Vec<Instalment>, Fault> {
        let starts = self.starts(period)?;
        let each = match self.per_grant {
            Some(each) => vec![each; starts.len()],
            None => {
                let parts = split(units(self.credits, self.decimals)?, &vec![1; starts.len()])?;
                parts.into_iter().map(|part| amount(part, self.decimals)).collect::<Result<_, _>>()?
            }
        };
        let ends = starts.iter().skip(1).copied().chain([period.end]);
        let all = (1..).zip(starts.iter().zip(ends)).zip(each);
        Ok(all
            .map(|((no, (start, ends_at)), credits)| Instalment { no, starts_at: *start, ends_at, credits })
            .collect())
    }

    /// Those of what is left of a period from a moment on: of the one that is under way its part, and all that are to come.
    pub fn rest(&self, period: Period, from: Time) -> Result<Vec<Instalment>, Fault> {
        let mut rest = Vec::new();
        for instalment in self.whole(period)?.into_iter().filter(|instalment| instalment.ends_at > from) {
            rest.push(self::rest(instalment, from, self.decimals)?);
        }
        rest.retain(|instalment| !instalment.credits.is_zero());
        Ok(rest)
    }

    /// Whether the instalment of a period that is under way at a moment has lasted as long as it does.
    pub fn has_lapsed(&self, period: Period, at: Time) -> Result<bool, Fault> {
        let Some(lasts) = self.lasts else { return Ok(false) };
        let starts = self.starts(period)?;
        Ok(starts.into_iter().rfind(|start| *start <= at).is_some_and(|start| lasts.after(start) <= at))
    }
}

/// What is left of an instalment from a moment on.
pub fn rest(of: Instalment, from: Time, decimals: u32) -> Result<Instalment, AmountError> {
    if from <= of.starts_at {
        return Ok(of);
    }
    let planned = Period { start: of.starts_at, end: of.ends_at };
    Ok(Instalment { starts_at: from, credits: part(of.credits, planned, from, decimals)?, ..of })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::subscriptions::schedule::cycle::tests::day;
    use proptest::prelude::*;

    fn plan(credits: i64, every: Option<Step>) -> Plan {
        Plan {
            credits: Decimal::from(credits),
            per_grant: None,
            every,
            most: None,
            expires: true,
            lasts: None,
            decimals: 0,
        }
    }

    fn year() -> Period {
        Period { start: day(2026, 1, 31), end: day(2027, 1, 31) }
    }

    #[test]
    fn a_year_by_months() {
        let monthly = plan(1_000, Step::of("month", 1));
        let all = monthly.whole(year()).unwrap();
        assert_eq!(all.len(), 12);
        assert_eq!(all.iter().map(|one| one.credits).sum::<Decimal>(), Decimal::from(1_000));
        assert_eq!((all[0].credits, all[1].credits), (Decimal::from(83), Decimal::from(84)));
        assert_eq!((all[1].starts_at, all[1].ends_at), (day(2026, 2, 28), day(2026, 3, 31)));
        // Half of February is over, and January is.
        let rest = monthly.rest(year(), Time((day(2026, 2, 28).0 + day(2026, 3, 31).0) / 2)).unwrap();
        assert_eq!((rest.len(), rest[0].no, rest[0].credits), (11, 2, Decimal::from(42)));
        let each = Plan { per_grant: Some(Decimal::from(100)), most: Some(3), ..monthly.clone() };
        let all = each.whole(year()).unwrap();
        assert_eq!((all.len(), all[2].credits, all[2].ends_at), (3, Decimal::from(100), day(2027, 1, 31)));
        let lasting = |days| Plan { lasts: Length::of(days, "day"), ..monthly.clone() };
        let lapsed = |days, at| lasting(days).has_lapsed(year(), at).unwrap();
        assert_eq!((lapsed(7, day(2026, 3, 6)), lapsed(7, day(2026, 3, 7))), (false, true));
        assert_eq!((lapsed(60, day(2026, 3, 30)), monthly.has_lapsed(year(), day(2026, 3, 30))), (false, Ok(false)));
        let hourly = plan(1, Step::of("hour", 1));
        assert_eq!(hourly.whole(year()), Err(Fault::TooMany));
        assert_eq!(plan(1, None).whole(year()).unwrap().len(), 1);
    }

    proptest! {
        #[test]
        fn instalments_add_up_without_a_gap(credits in 1i64..100_000, days in 1i32..40, from in 0i64..31_536_000) {
            let plan = plan(credits, Step::of("day", days));
            let all = plan.whole(year()).unwrap();
            prop_assert_eq!(all.iter().map(|one| one.credits).sum::<Decimal>(), Decimal::from(credits));
            prop_assert_eq!(all[0].starts_at, year().start);
            prop_assert!(all.windows(2).all(|two| two[0].ends_at == two[1].starts_at));
            prop_assert_eq!(all.last().unwrap().ends_at, year().end);
            let from = Time(year().start.0 + from * 1_000_000);
            let rest: Decimal = plan.rest(year(), from).unwrap().iter().map(|one| one.credits).sum();
            prop_assert!(rest <= Decimal::from(credits));
        }

        /// Of any period by any length: one after another, none twice and none left out, up to as many as there may be; what is
        /// granted from a moment on and what was for the time before are all of it.
        #[test]
        fn instalments_of_any_period(
            begin in 0i64..1_500_000_000, length in 1i64..370 * 24, every in 0usize..5, count in 1i32..9,
            per_grant in proptest::option::of(1i64..1_000), most in proptest::option::of(1usize..20),
            credits in 1i64..1_000_000, moments in proptest::array::uniform2(0i64..1_000_000)
        ) {
            let start = Time(begin * 1_000_000);
            let period = Period { start, end: Time(start.0 + length * 3_600_000_000) };
            let every = Step::of(["hour", "day", "week", "month", "year"][every], count).unwrap();
            let per_grant = per_grant.map(|credits| Decimal::new(credits, 2));
            let credits = Decimal::new(credits, 2);
            let plan = Plan { credits, per_grant, most, decimals: 2, ..plan(1, Some(every)) };
            let Ok(all) = plan.whole(period) else {
                prop_assert!(most.is_none() && every.times(MOST as i64, start) < period.end);
                return Ok(());
            };
            let sum = |all: &[Instalment]| all.iter().map(|one| one.credits).sum::<Decimal>();
            let due = per_grant.map_or(credits, |each| each * Decimal::from(all.len()));
            prop_assert_eq!(sum(&all), due);
            prop_assert!(all.len() <= most.unwrap_or(MOST));
            prop_assert_eq!((all[0].starts_at, all.last().unwrap().ends_at), (period.start, period.end));
            prop_assert!(all.iter().all(|one| one.starts_at < one.ends_at && one.credits >= Decimal::ZERO));
            prop_assert!(all.windows(2).all(|two| two[0].ends_at == two[1].starts_at && two[0].no + 1 == two[1].no));
            prop_assert!((0..).zip(&all).all(|(number, one)| one.starts_at == every.times(number, start)));
            let mut moments = moments.map(|share| Time(start.0 + period.length() / 1_000_000 * share));
            moments.sort();
            let [one, other] = moments.map(|at| plan.rest(period, at).unwrap());
            prop_assert!(sum(&other) <= sum(&one) && sum(&one) <= due, "later there is less");
            prop_assert_eq!(sum(&plan.rest(period, start).unwrap()), due);
            prop_assert_eq!(plan.rest(period, period.end).unwrap(), vec![]);
            // What is left of what is left is what is left.
            let again = one.into_iter().filter(|one| one.starts_at >= moments[1]).map(|one| one.credits).sum::<Decimal>();
            let begun_later = other.iter().filter(|later| later.starts_at > moments[1]).map(|one| one.credits);
            prop_assert!(again >= begun_later.sum::<Decimal>());
        }
    }
}
