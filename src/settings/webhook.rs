//! The settings of webhooks: how long those that came in are kept, and where those that leave may be sent.

use pgrx::guc::{GucContext, GucFlags, GucRegistry, GucSetting};

/// Whether webhook endpoints may be http.
static HTTP: GucSetting<bool> = GucSetting::<bool>::new(false);
/// Whether webhook endpoints may be at private addresses.
static PRIVATE_ADDRESSES: GucSetting<bool> = GucSetting::<bool>::new(false);
/// How many seconds an ignored webhook is kept.
static RETENTION: GucSetting<i32> = GucSetting::<i32>::new(90 * 24 * 60 * 60);

/// Registers them.
pub fn register() {
    GucRegistry::define_int_guc(
        c"credits.webhook_retention",
        c"How long maintain() keeps a webhook that was ignored.",
        c"Until then a refund or a dispute that came before its payment can still be applied.",
        &RETENTION,
        60,
        i32::MAX,
        GucContext::Suset,
        GucFlags::UNIT_S,
    );
    GucRegistry::define_bool_guc(
        c"credits.webhook_http",
        c"Whether a webhook endpoint's address may begin with http, without TLS.",
        c"It is judged when an endpoint is created or gets another address.",
        &HTTP,
        GucContext::Suset,
        GucFlags::default(),
    );
    GucRegistry::define_bool_guc(
        c"credits.webhook_private_addresses",
        c"Whether a webhook endpoint may be at an address of this machine or of a private network.",
        c"It is judged when an endpoint is created or gets another address. Whoever sends judges again.",
        &PRIVATE_ADDRESSES,
        GucContext::Suset,
        GucFlags::default(),
    );
}

/// Whether webhook endpoints may be http.
pub fn webhook_http() -> bool {
    HTTP.get()
}

/// Whether webhook endpoints may be at private addresses.
pub fn webhook_private_addresses() -> bool {
    PRIVATE_ADDRESSES.get()
}

/// How many seconds an ignored webhook is kept.
pub fn webhook_retention() -> i32 {
    RETENTION.get()
}
