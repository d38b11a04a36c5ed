//! How long a trial is, and other times, as they are given.

use crate::error::Error;
use crate::moment::{DAY, Time};
use crate::pg::call::argument::Timestamptz;

/// The longest trial, in days; and how far a due date or a cancellation may be.
pub const MOST_DAYS: i32 = 3_650;

/// When the trial ends; `None` for none. Raises PC013.
pub fn trial(days: Option<i32>, end: Option<Timestamptz>, now: Time) -> Result<Option<Time>, Error> {
    match (days, finite("trial_end", end)?) {
        (Some(_), Some(_)) => Err(Error::argument("trial_end", "or trial_period_days is to be given, not both")),
        (None | Some(0), None) => Ok(None),
        (Some(days), None) if (1..=MOST_DAYS).contains(&days) => Ok(Some(Time(now.0 + DAY * i64::from(days)))),
        (Some(_), None) => Err(Error::argument("trial_period_days", format!("must be from 0 to {MOST_DAYS}"))),
        (None, Some(end)) if end > now => Ok(Some(end)),
        (None, Some(_)) => Err(Error::argument("trial_end", "must be a moment to come")),
    }
}

/// A moment. Raises PC013.
pub fn finite(argument: &'static str, given: Option<Timestamptz>) -> Result<Option<Time>, Error> {
    match given.map(|at| at.0) {
        Some(at) if !at.is_finite() => Err(Error::argument(argument, "must be a moment, not infinity")),
        at => Ok(at),
    }
}

/// A number of days. Raises PC013.
pub fn days(argument: &'static str, given: Option<i32>) -> Result<Option<i32>, Error> {
    match given {
        Some(days) if !(0..=MOST_DAYS).contains(&days) => {
            Err(Error::argument(argument, format!("must be from 0 to {MOST_DAYS}")))
        }
        days => Ok(days),
    }
}
