//! Every setting, its purpose and its value; and what "now" is.

mod spent;
mod subscription;
mod webhook;

use crate::error::Error;
use crate::input;
use crate::moment::Time;
use crate::past;
use crate::pg::backend::{self, settings_are_all};
use crate::pg::call::raise::raise;
use crate::pg::placeholder::{self, first_refused};
use pgrx::guc::{GucContext, GucFlags, GucRegistry, GucSetting};
use std::ffi::CString;

pub use spent::Spent;
pub use subscription::{subscription_retries, upcoming_invoice_days, usage_grace};
pub use webhook::{webhook_http, webhook_private_addresses, webhook_retention};

/// The default currency, for calls that name none.
static DEFAULT_CURRENCY: GucSetting<Option<CString>> = GucSetting::<Option<CString>>::new(Some(c"CREDIT"));
/// How many seconds after now an event may be.
static EVENT_MAX_FUTURE: GucSetting<i32> = GucSetting::<i32>::new(5 * 60);
/// How many seconds before now an event may be.
static EVENT_MAX_AGE: GucSetting<i32> = GucSetting::<i32>::new(35 * 24 * 60 * 60);
/// Whether a grant may be backdated.
static ALLOW_BACKDATING: GucSetting<bool> = GucSetting::<bool>::new(false);
/// For how many seconds after a grant's end late usage may be paid by what lapsed.
static LATE_USAGE_GRACE: GucSetting<i32> = GucSetting::<i32>::new(0);
/// Whether what happens to grants is published.
static GRANT_EVENTS: GucSetting<bool> = GucSetting::<bool>::new(true);
/// How many seconds before its end a grant's notice is published; 0 for never.
static EXPIRING_NOTICE: GucSetting<i32> = GucSetting::<i32>::new(0);
/// For how many seconds after its end a grant can be extended.
static EXTEND_WITHIN: GucSetting<i32> = GucSetting::<i32>::new(7 * 24 * 60 * 60);
/// Whether listening sessions are notified of new rows of the outbox.
static NOTIFY: GucSetting<bool> = GucSetting::<bool>::new(true);
/// How many seconds a row of the outbox is kept for consumers that do not fetch it.
static OUTBOX_RETENTION: GucSetting<i32> = GucSetting::<i32>::new(30 * 24 * 60 * 60);
/// How many seconds a billing event is kept.
static EVENT_RETENTION: GucSetting<i32> = GucSetting::<i32>::new(30 * 24 * 60 * 60);
/// How many seconds an invoice keeps whom it was for, once the customer is erased.
static INVOICE_RETENTION: GucSetting<i32> = GucSetting::<i32>::new(10 * 366 * 24 * 60 * 60);
/// What happens to spent credits whose price is refunded.
static SPENT_ON_REFUND: GucSetting<Spent> = GucSetting::<Spent>::new(Spent::Pending);
/// Where customers' billing pages are.
static PORTAL_URL: GucSetting<Option<CString>> = GucSetting::<Option<CString>>::new(None);
/// Who sells, as invoices say it.
static INVOICE_SELLER: GucSetting<Option<CString>> = GucSetting::<Option<CString>>::new(None);
/// Where customers' checkout sessions are.
static CHECKOUT_URL: GucSetting<Option<CString>> = GucSetting::<Option<CString>>::new(None);
/// Whose rows the customer views show.
static CURRENT_CUSTOMER: GucSetting<Option<CString>> = GucSetting::<Option<CString>>::new(None);
/// Whether the database serves customers: then it is never emptied.
static PRODUCTION: GucSetting<bool> = GucSetting::<bool>::new(true);
/// What the extension uses as now(), in tests.
static TEST_CLOCK: GucSetting<Option<CString>> = GucSetting::<Option<CString>>::new(None);
/// Whether maintain() does in billing what a clock of one session's own brings.
static TEST_CLOCK_DRIVES_BILLING: GucSetting<bool> = GucSetting::<bool>::new(false);

/// Settings that any session may set: neither money nor tokens depend on them. All others need superuser.
const ANYBODYS: [&str; 1] = ["credits.notify"];

/// Raises an error if a role without the right to do so has set a setting already, or if a value is not one that is
/// allowed: going on with the default would charge in another currency, or at another time, or take back other
/// credits than intended.
pub fn refuse() {
    if let Some(setting) = first_refused("credits.", &ANYBODYS) {
        raise(Error::SettingRefused { setting });
    }
    let is_none = |value: &String| Spent::parse(&value.to_ascii_lowercase()).is_none();
    if let Some(value) = placeholder::value(c"credits.spent_on_refund").filter(is_none) {
        raise(input::none_of("credits.spent_on_refund", &value, &Spent::NAMES));
    }
    if let Some(error) = subscription::refused_retries() {
        raise(error);
    }
}

/// Registers the settings with PostgreSQL.
pub fn register() {
    GucRegistry::define_string_guc(
        c"credits.default_currency",
        c"The currency of calls that name none.",
        c"Where it is CREDIT and that does not exist yet, it is made with 6 decimals when it is first needed.",
        &DEFAULT_CURRENCY,
        GucContext::Suset,
        GucFlags::default(),
    );
    GucRegistry::define_int_guc(
        c"credits.event_max_future",
        c"How far ahead of now a meter event's occurred_at may lie.",
        c"An event beyond it is refused with PC006.",
        &EVENT_MAX_FUTURE,
        0,
        i32::MAX,
        GucContext::Suset,
        GucFlags::UNIT_S,
    );
    GucRegistry::define_int_guc(
        c"credits.event_max_age",
        c"How far behind now a meter event's occurred_at may lie.",
        c"An event beyond it is refused with PC006. Raise it to import history.",
        &EVENT_MAX_AGE,
        0,
        i32::MAX,
        GucContext::Suset,
        GucFlags::UNIT_S,
    );
    GucRegistry::define_bool_guc(
        c"credits.allow_backdating",
        c"Whether effective_at may lie more than 5 minutes behind now.",
        c"For imports of history, in the order of time.",
        &ALLOW_BACKDATING,
        GucContext::Suset,
        GucFlags::default(),
    );
    GucRegistry::define_int_guc(
        c"credits.late_usage_grace",
        c"How long after a grant's end usage of before it may still be paid by what lapsed.",
        c"0 for not at all. While it is set, events that are reported after they happened are charged under locks.",
        &LATE_USAGE_GRACE,
        0,
        i32::MAX,
        GucContext::Suset,
        GucFlags::UNIT_S,
    );
    GucRegistry::define_bool_guc(
        c"credits.grant_events",
        c"Whether the outbox has rows grant.granted, grant.depleted and grant.expired, where it has a consumer.",
        c"Switch it off where no consumer acts on them.",
        &GRANT_EVENTS,
        GucContext::Suset,
        GucFlags::default(),
    );
    GucRegistry::define_int_guc(
        c"credits.expiring_notice",
        c"How long before a grant's end maintain() writes a row grant.expiring into the outbox.",
        c"0 for never. One row per end of a grant, where the outbox has a consumer.",
        &EXPIRING_NOTICE,
        0,
        i32::MAX,
        GucContext::Suset,
        GucFlags::UNIT_S,
    );
    GucRegistry::define_int_guc(
        c"credits.extend_within",
        c"How long after a grant's time ran out credit_grant_extend() can still give it more.",
        c"What lapsed with its time comes back. 0 allows it before the end only.",
        &EXTEND_WITHIN,
        0,
        i32::MAX,
        GucContext::Suset,
        GucFlags::UNIT_S,
    );
    GucRegistry::define_bool_guc(
        c"credits.notify",
        c"Whether a new row of the outbox sends a notification on the channel credits_outbox.",
        c"Switch it off for two-phase commit, which a notification does not allow.",
        &NOTIFY,
        GucContext::Userset,
        GucFlags::default(),
    );
    GucRegistry::define_int_guc(
        c"credits.outbox_retention",
        c"How long maintain() keeps a row of the outbox that some consumer has not acknowledged.",
        c"Rows that every consumer has acknowledged are deleted at once.",
        &OUTBOX_RETENTION,
        60,
        i32::MAX,
        GucContext::Suset,
        GucFlags::UNIT_S,
    );
    GucRegistry::define_int_guc(
        c"credits.event_retention",
        c"How long maintain() keeps a billing event.",
        c"The view billing_events lists them.",
        &EVENT_RETENTION,
        60,
        i32::MAX,
        GucContext::Suset,
        GucFlags::UNIT_S,
    );
    webhook::register();
    GucRegistry::define_int_guc(
        c"credits.invoice_retention",
        c"How long after it was given out an invoice keeps whom it was for, where its customer was erased since.",
        c"maintain() clears the name and the address after that. The law of most countries asks for 6 to 10 years.",
        &INVOICE_RETENTION,
        0,
        i32::MAX,
        GucContext::Suset,
        GucFlags::UNIT_S,
    );
    GucRegistry::define_enum_guc(
        c"credits.spent_on_refund",
        c"What becomes of spent credits whose price is paid back: pending (they are owed) or forgive.",
        c"A call of payment_refunded or payment_disputed can say otherwise.",
        &SPENT_ON_REFUND,
        GucContext::Suset,
        GucFlags::default(),
    );
    subscription::define();
    GucRegistry::define_string_guc(
        c"credits.portal_url",
        c"Where customers' billing pages are: billing_portal_session_create adds the token to it.",
        c"Empty gives the token alone.",
        &PORTAL_URL,
        GucContext::Suset,
        GucFlags::default(),
    );
    GucRegistry::define_string_guc(
        c"credits.invoice_seller",
        c"Who sells, as invoices say it: a line with the name, then lines with the address and what else the law asks for.",
        c"An invoice keeps what it is when it gets its number. Where a line break cannot be written, \\n stands for it.",
        &INVOICE_SELLER,
        GucContext::Suset,
        GucFlags::default(),
    );
    GucRegistry::define_string_guc(
        c"credits.checkout_url",
        c"Where customers' checkout sessions are: a session's url is this with its token, a payment link's with its id.",
        c"Empty leaves both to the application.",
        &CHECKOUT_URL,
        GucContext::Suset,
        GucFlags::default(),
    );
    GucRegistry::define_bool_guc(
        c"credits.production",
        c"Whether the database serves customers: reset() refuses to empty it.",
        c"Switch it off for the databases of tests alone.",
        &PRODUCTION,
        GucContext::Suset,
        GucFlags::default(),
    );
    GucRegistry::define_string_guc(
        c"credits.test_clock",
        c"For tests: what pg_credits takes for now(), a timestamptz as text.",
        c"Empty is the real clock. An account's time never goes back: it is the later of this and its last posting.",
        &TEST_CLOCK,
        GucContext::Suset,
        GucFlags::default(),
    );
    GucRegistry::define_bool_guc(
        c"credits.test_clock_drives_billing",
        c"For tests: whether maintain() ends checkout sessions, and bills subscriptions, by its own session's test clock.",
        c"Otherwise it warns, and leaves them: others have another clock.",
        &TEST_CLOCK_DRIVES_BILLING,
        GucContext::Suset,
        GucFlags::default(),
    );
    GucRegistry::define_string_guc(
        c"credits.current_customer",
        c"Whose rows the views credits.my_* show.",
        c"Set it for a customer's own login: ALTER ROLE ... SET. Empty shows nothing.",
        &CURRENT_CUSTOMER,
        GucContext::Suset,
        GucFlags::default(),
    );
    settings_are_all();
}

/// The default currency's code, for calls that name none.
pub fn default_currency() -> String {
    text(&DEFAULT_CURRENCY).unwrap_or_else(|| String::from("CREDIT"))
}

/// Whether a grant may be backdated.
pub fn allow_backdating() -> bool {
    ALLOW_BACKDATING.get()
}

/// For how many seconds after a grant's end late usage may be paid by what lapsed.
pub fn late_usage_grace() -> i64 {
    LATE_USAGE_GRACE.get().into()
}

/// Whether what happens to grants is published.
pub fn grant_events() -> bool {
    GRANT_EVENTS.get()
}

/// How many seconds before its end a grant's notice is published; 0 for never.
pub fn expiring_notice() -> i64 {
    EXPIRING_NOTICE.get().into()
}

/// For how many seconds after its end a grant can be extended.
pub fn extend_within() -> i64 {
    EXTEND_WITHIN.get().into()
}

/// Whether listening sessions are notified of new rows of the outbox.
pub fn notify() -> bool {
    NOTIFY.get()
}

/// How many seconds a row of the outbox is kept for consumers that do not fetch it.
pub fn outbox_retention() -> i32 {
    OUTBOX_RETENTION.get()
}

/// How many seconds a billing event is kept.
pub fn event_retention() -> i32 {
    EVENT_RETENTION.get()
}

/// How many seconds an invoice keeps whom it was for, once the customer is erased.
pub fn invoice_retention() -> i32 {
    INVOICE_RETENTION.get()
}

/// What happens to spent credits whose price is refunded, if the call does not say.
pub fn spent_on_refund() -> Spent {
    SPENT_ON_REFUND.get()
}

/// Where customers' billing pages are.
pub fn portal_url() -> Option<String> {
    text(&PORTAL_URL)
}

/// Who sells, as invoices say it.
pub fn invoice_seller() -> Option<String> {
    text(&INVOICE_SELLER)
}

/// Where customers' checkout sessions are. Raises PC013 unless it is a web address.
pub fn checkout_url() -> Result<Option<String>, Error> {
    let page = text(&CHECKOUT_URL);
    input::web_address("credits.checkout_url", page.as_deref())?;
    Ok(page)
}

/// Whether maintain() does in billing what a clock of one session's own brings.
pub fn test_clock_drives_billing() -> bool {
    TEST_CLOCK_DRIVES_BILLING.get()
}

/// Whether the database serves customers.
pub fn production() -> bool {
    PRODUCTION.get()
}

/// Whose rows the customer views show; `None` for nobody's.
pub fn current_customer() -> Option<String> {
    text(&CURRENT_CUSTOMER)
}

/// How many seconds after now an event may be.
pub fn event_max_future() -> i64 {
    EVENT_MAX_FUTURE.get().into()
}

/// How many seconds before now an event may be.
pub fn event_max_age() -> i64 {
    EVENT_MAX_AGE.get().into()
}

/// When this transaction began, or the test clock; while history is imported, how far that is.
pub fn now() -> Result<Time, Error> {
    if let Some(at) = past::at() {
        return Ok(at);
    }
    match text(&TEST_CLOCK) {
        None => Ok(backend::transaction_start()),
        Some(clock) => Some(backend::parse_timestamp(&clock))
            .filter(|at| at.is_finite())
            .ok_or_else(|| Error::argument("credits.test_clock", "must be a moment, not infinity")),
    }
}

/// The moment of this call, or the test clock: for what must not be dated at the beginning of the transaction.
pub fn clock() -> Result<Time, Error> {
    if is_clock_set() { now() } else { Ok(backend::clock()) }
}

/// Whether a test clock is set: then the server's own times mean nothing.
pub fn is_clock_set() -> bool {
    text(&TEST_CLOCK).is_some()
}

fn text(setting: &'static GucSetting<Option<CString>>) -> Option<String> {
    setting.get().and_then(|value| value.into_string().ok()).filter(|value| !value.is_empty())
}
