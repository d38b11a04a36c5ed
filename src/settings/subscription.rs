//! What subscriptions depend on.

use super::text;
use crate::error::Error;
use crate::pg::placeholder;
use crate::pg::setting::{self, Judge};
use pgrx::guc::{GucContext, GucFlags, GucRegistry, GucSetting};
use std::ffi::{CStr, CString};

/// How many days after a renewal's first failure a worker is asked again to charge it.
static SUBSCRIPTION_RETRIES: GucSetting<Option<CString>> = GucSetting::<Option<CString>>::new(Some(c"1, 3, 5, 7"));
/// How many seconds after a subscription's period its usage is invoiced.
static USAGE_GRACE: GucSetting<i32> = GucSetting::<i32>::new(60 * 60);
/// How many days before a renewal its invoice is announced.
static UPCOMING_INVOICE_DAYS: GucSetting<i32> = GucSetting::<i32>::new(3);

/// Declares these settings.
pub fn define() {
    setting::define_judged::<Retries>(
        c"credits.subscription_retries",
        c"How many days after the first failure of a subscription's payment a worker is asked again to charge it.",
        c"Whole numbers that grow, with commas between them. Empty for never.",
        &SUBSCRIPTION_RETRIES,
        GucContext::Suset,
    );
    GucRegistry::define_int_guc(
        c"credits.usage_grace",
        c"How long after a subscription's period its metered usage is invoiced.",
        c"What is recorded later is on the next invoice. It holds for periods that begin after it is set.",
        &USAGE_GRACE,
        0,
        30 * 24 * 60 * 60,
        GucContext::Suset,
        GucFlags::UNIT_S,
    );
    GucRegistry::define_int_guc(
        c"credits.upcoming_invoice_days",
        c"How many days before a subscription renews the billing event invoice.upcoming says what it will cost; 0 for never.",
        c"Periods that are no longer than that have none.",
        &UPCOMING_INVOICE_DAYS,
        0,
        60,
        GucContext::Suset,
        GucFlags::default(),
    );
}

/// What `credits.subscription_retries` may be.
struct Retries;

impl Judge for Retries {
    const WHAT: &CStr = c"It must be whole numbers of days that grow, as in '1, 3, 5, 7'.";

    fn allows(text: &str) -> bool {
        days(text).is_some()
    }
}

fn days(text: &str) -> Option<Vec<i32>> {
    if text.is_empty() {
        return Some(Vec::new());
    }
    let days: Option<Vec<i32>> = text.split(',').map(|day| day.trim().parse().ok().filter(|day| *day > 0)).collect();
    days.filter(|days| days.windows(2).all(|two| two[0] < two[1]))
}

/// What was set of them before the library was loaded, and is none.
pub fn refused_retries() -> Option<Error> {
    let set = placeholder::value(c"credits.subscription_retries")?;
    let must = "must be whole numbers of days that grow, as in '1, 3, 5, 7'";
    days(&set).is_none().then(|| Error::argument("credits.subscription_retries", must))
}

/// How many days after a first failure a worker is asked again.
pub fn subscription_retries() -> Vec<i32> {
    text(&SUBSCRIPTION_RETRIES).and_then(|text| days(&text)).unwrap_or_default()
}

/// How many seconds after a period its usage is invoiced.
pub fn usage_grace() -> i64 {
    USAGE_GRACE.get().into()
}

/// How many days before a renewal its invoice is announced; 0 for never.
pub fn upcoming_invoice_days() -> i32 {
    UPCOMING_INVOICE_DAYS.get()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_that_grow() {
        assert_eq!(days("1, 3,5 ,7"), Some(vec![1, 3, 5, 7]));
        assert_eq!(days(""), Some(Vec::new()));
        for none in ["soon", "1, x", "3, 1", "2, 2", "0, 1", "-1", "1,", "1.5", "99999999999"] {
            assert_eq!(days(none), None, "{none}");
        }
    }
}
