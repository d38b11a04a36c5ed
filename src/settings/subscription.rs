//! What subscriptions depend on.

use super::text;
use crate::error::Error;
use pgrx::guc::{GucContext, GucFlags, GucRegistry, GucSetting};
use std::ffi::CString;

/// How many days after a renewal's first failure a worker is asked again to charge it.
static SUBSCRIPTION_RETRIES: GucSetting<Option<CString>> = GucSetting::<Option<CString>>::new(Some(c"1, 3, 5, 7"));
/// How many seconds after a subscription's period its usage is invoiced.
static USAGE_GRACE: GucSetting<i32> = GucSetting::<i32>::new(60 * 60);
/// How many days before a renewal its invoice is announced.
static UPCOMING_INVOICE_DAYS: GucSetting<i32> = GucSetting::<i32>::new(3);

/// Declares these settings.
pub fn define() {
    GucRegistry::define_string_guc(
        c"credits.subscription_retries",
        c"How many days after the first failure of a subscription's payment a worker is asked again to charge it.",
        c"Whole numbers that grow, with commas between them. Empty for never.",
        &SUBSCRIPTION_RETRIES,
        GucContext::Suset,
        GucFlags::default(),
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

/// How many days before a renewal its invoice is announced; 0 for never.
pub fn upcoming_invoice_days() -> i32 {
    UPCOMING_INVOICE_DAYS.get()
}
