//! When a delivery that failed is tried again. Pure.

use crate::moment::Time;

/// How long after each of the first failures, in seconds; after later ones daily.
const AFTER: [i64; 5] = [60, 5 * 60, 30 * 60, 2 * 60 * 60, 8 * 60 * 60];
const DAY: i64 = 24 * 60 * 60;
/// How long after the first failure the last attempt is.
pub const GIVEN_UP_AFTER: i64 = 3 * DAY;

/// When it is tried next, after so many failures of which the first and the last were then; `None` where it is given up.
pub fn next(failures: i32, first: Time, last: Time) -> Option<Time> {
    let end = first.plus_seconds(GIVEN_UP_AFTER);
    let index = usize::try_from(failures - 1).unwrap_or_default();
    (last < end).then(|| last.plus_seconds(AFTER.get(index).copied().unwrap_or(DAY)).min(end))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn an_endpoint_that_is_down_is_tried_nine_times_in_three_days() {
        let start = Time(0);
        let (mut at, mut failures, mut hours) = (start, 0, Vec::new());
        loop {
            failures += 1;
            let Some(then) = next(failures, start, at) else { break };
            at = then;
            hours.push(at.0 / 1_000_000 / 60);
        }
        assert_eq!(hours, [1, 6, 36, 156, 636, 636 + 1_440, 636 + 2 * 1_440, 3 * 1_440]);
        assert_eq!(failures, 9);
    }

    proptest! {
        /// It ends, and never goes back.
        #[test]
        fn it_is_later_and_within_three_days(failures in 1..50i32, since in 0..400_000i64) {
            let last = Time(0).plus_seconds(since);
            match next(failures, Time(0), last) {
                Some(at) => prop_assert!(at > last && at <= Time(0).plus_seconds(GIVEN_UP_AFTER)),
                None => prop_assert!(since >= GIVEN_UP_AFTER),
            }
        }
    }
}
