//! Settings of text whose values are judged as they are set.

use pgrx::guc::{GucContext, GucFlags, GucRegistry, GucSetting};
use pgrx::pg_sys;
use std::ffi::{CStr, CString, c_char, c_void};

/// What a setting may be.
pub trait Judge {
    /// That, for whoever sets it otherwise.
    const WHAT: &CStr;

    /// Whether it may be this.
    fn allows(text: &str) -> bool;
}

/// Declares a setting that PostgreSQL refuses to set otherwise.
pub fn define_judged<J: Judge>(
    name: &'static CStr,
    short_description: &'static CStr,
    long_description: &'static CStr,
    setting: &'static GucSetting<Option<CString>>,
    context: GucContext,
) {
    // SAFETY: the hook raises nothing and does not panic.
    unsafe {
        GucRegistry::define_string_guc_with_hooks(
            name,
            short_description,
            long_description,
            setting,
            context,
            GucFlags::default(),
            Some(check::<J>),
            None,
            None,
        );
    }
}

/// PostgreSQL's question whether a setting may be this.
unsafe extern "C-unwind" fn check<J: Judge>(
    value: *mut *mut c_char,
    _extra: *mut *mut c_void,
    _source: pg_sys::GucSource::Type,
) -> bool {
    // SAFETY: PostgreSQL hands over a pointer to the value, which is null or a C string.
    let text = unsafe { value.as_ref().filter(|text| !text.is_null()).map(|text| CStr::from_ptr(*text)) };
    let allowed = text.is_none_or(|text| text.to_str().is_ok_and(J::allows));
    if !allowed {
        // SAFETY: a variable of the backend that PostgreSQL reads as it reports the refusal; the copy lives until then.
        unsafe { pg_sys::GUC_check_errdetail_string = pg_sys::pstrdup(J::WHAT.as_ptr()) };
    }
    allowed
}
