//! The settings of webhook endpoints: where events may be sent.

use pgrx::guc::{GucContext, GucFlags, GucRegistry, GucSetting};

/// Whether webhook endpoints may be http.
static HTTP: GucSetting<bool> = GucSetting::<bool>::new(false);
/// Whether webhook endpoints may be at private addresses.
static PRIVATE_ADDRESSES: GucSetting<bool> = GucSetting::<bool>::new(false);

/// Registers them.
pub fn register() {
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
