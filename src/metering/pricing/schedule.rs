//! Schedules: from when on each of a meter's prices is in force. Pure: no SPI, no pgrx type.

use crate::moment::Time;

/// The versions of a meter's prices, in the order of the moments from which on they are in force.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Schedule(Vec<(Time, i32)>);

/// A version, and when it is in force.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InForce {
    /// Which one.
    pub version: i32,
    /// From then on.
    pub since: Time,
    /// Until then, not included.
    pub until: Time,
}

impl InForce {
    /// Whether it is in force at a moment.
    pub fn covers(&self, at: Time) -> bool {
        self.since <= at && at < self.until
    }
}

impl Schedule {
    /// Of versions and the moments from which on they hold, in any order.
    pub fn new(mut versions: Vec<(Time, i32)>) -> Self {
        versions.sort_unstable();
        Schedule(versions)
    }

    /// What is in force at a moment: what began last; of several that began at once, what was set last.
    pub fn at(&self, at: Time) -> Option<InForce> {
        let next = self.0.partition_point(|(since, _)| *since <= at);
        let (since, version) = *self.0.get(next.checked_sub(1)?)?;
        Some(InForce { version, since, until: self.0.get(next).map_or(Time::NEVER, |(since, _)| *since) })
    }

    /// The versions that were in force one before the other, as far as each goes on from the one before it: the newest
    /// first, without the one in force.
    pub fn gone_on_from(&self, in_force: &InForce, continuing: &[i32]) -> Vec<i32> {
        let (mut last, mut before) = (*in_force, Vec::new());
        while continuing.contains(&last.version)
            && last.since.is_finite()
            && let Some(earlier) = self.at(Time(last.since.0 - 1))
        {
            before.push(earlier.version);
            last = earlier;
        }
        before
    }

    /// The version that was set last, whenever it is in force.
    pub fn last_version(&self) -> i32 {
        self.0.iter().map(|(_, version)| *version).max().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// Beside looking at every moment, from the last one back.
        #[test]
        fn a_price_goes_on_from_those_before_it(
            begins in proptest::collection::vec(0i64..20, 0..8), continuing in proptest::collection::vec(1i32..9, 0..8),
            at in 0i64..25
        ) {
            let begins = std::iter::once(Time::BEGINNING).chain(begins.into_iter().map(Time));
            let schedule = Schedule::new(begins.zip(1..).collect());
            let in_force = schedule.at(Time(at)).unwrap();
            let (mut last, mut naive) = (in_force.version, Vec::new());
            for moment in (-1..at).rev() {
                let version = schedule.at(Time(moment)).unwrap().version;
                if version != last {
                    if !continuing.contains(&last) {
                        break;
                    }
                    naive.push(version);
                    last = version;
                }
            }
            prop_assert_eq!(schedule.gone_on_from(&in_force, &continuing), naive);
        }

        /// Beside looking at every version.
        #[test]
        fn what_began_last_is_in_force(
            later in proptest::collection::vec(0i64..20, 0..8), moments in proptest::collection::vec(-5i64..25, 1..20)
        ) {
            let begins = std::iter::once(Time::BEGINNING).chain(later.into_iter().map(Time));
            let versions: Vec<(Time, i32)> = begins.zip(1..).collect();
            let schedule = Schedule::new(versions.clone());
            prop_assert_eq!(schedule.last_version(), versions.len() as i32);
            for at in moments.into_iter().map(Time) {
                let naive = |at: Time| versions.iter().filter(|(since, _)| *since <= at).max().map(|(_, v)| *v);
                let found = schedule.at(at).unwrap();
                prop_assert!(found.covers(at));
                prop_assert_eq!(Some(found.version), naive(at));
                // All of the time that it says, and no longer.
                prop_assert_eq!(Some(found.version), naive(found.since));
                if found.until != Time::NEVER {
                    prop_assert_eq!(Some(found.version), naive(Time(found.until.0 - 1)));
                    prop_assert_ne!(Some(found.version), naive(found.until));
                }
            }
        }
    }
}
