//! What subscriptions depend on.

use super::{SUBSCRIPTION_RETRIES, USAGE_GRACE, text};
use crate::error::Error;

/// How many days after a first failure a worker is asked again. Raises PC013 where the setting is none.
pub fn subscription_retries() -> Result<Vec<i32>, Error> {
    let Some(text) = text(&SUBSCRIPTION_RETRIES) else { return Ok(Vec::new()) };
    let days: Option<Vec<i32>> = text.split(',').map(|day| day.trim().parse().ok().filter(|day| *day > 0)).collect();
    let grow = |days: &Vec<i32>| days.windows(2).all(|two| two[0] < two[1]);
    days.filter(grow).ok_or_else(|| {
        Error::argument("credits.subscription_retries", "must be whole numbers of days that grow, as in '1, 3, 5, 7'")
    })
}

/// How many seconds after a period its usage is invoiced.
pub fn usage_grace() -> i64 {
    USAGE_GRACE.get().into()
}
