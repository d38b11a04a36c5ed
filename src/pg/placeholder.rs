//! Placeholders: settings that got a value before the library was loaded, when PostgreSQL knows only their names and
//! accepts any value from any role.

use pgrx::pg_sys;
use std::ffi::CStr;

/// The first setting beginning with `prefix` that was set by a role without the right to do so; `anybodys`, which any
/// role may set, are skipped. PostgreSQL itself only warns when the setting is defined, and goes on with the default.
pub fn first_refused(prefix: &str, anybodys: &[&str]) -> Option<String> {
    let is_ours = |name: &str| {
        name.get(..prefix.len()).is_some_and(|start| start.eq_ignore_ascii_case(prefix))
            && !anybodys.iter().any(|one| one.eq_ignore_ascii_case(name))
    };
    settings().into_iter().find_map(|setting| {
        // SAFETY: PostgreSQL's own settings, none of which goes away while this looks; their names are C strings.
        let (setting, name) = unsafe { (&*setting, CStr::from_ptr((*setting).name)) };
        let text = name.to_str().ok()?;
        let refused = setting.flags.cast_unsigned() & pg_sys::GUC_CUSTOM_PLACEHOLDER != 0
            && is_ours(text)
            && (is_refused(name, setting.source, setting.scontext, setting.srole)
                || is_refused(name, setting.reset_source, setting.reset_scontext, setting.reset_srole));
        refused.then(|| text.to_owned())
    })
}

/// The value of a setting, whoever set it; `None` if it was not set.
pub fn value(name: &CStr) -> Option<String> {
    // SAFETY: the name is a live C string; what comes back is null or a C string that lives as long as nothing is set, and is
    // copied at once.
    unsafe {
        let value = pg_sys::GetConfigOption(name.as_ptr(), true, false);
        (!value.is_null()).then(|| CStr::from_ptr(value).to_string_lossy().into_owned())
    }
}

/// All settings that PostgreSQL has now.
fn settings() -> Vec<*mut pg_sys::config_generic> {
    // SAFETY: a list and its length, copied before anything else can be called.
    unsafe {
        #[cfg(feature = "pg15")]
        let (list, count) = (pg_sys::get_guc_variables(), pg_sys::GetNumConfigOptions());
        #[cfg(not(feature = "pg15"))]
        let (list, count) = {
            let mut count = 0;
            (pg_sys::get_guc_variables(&mut count), count)
        };
        std::slice::from_raw_parts(list, usize::try_from(count).unwrap_or(0)).to_vec()
    }
}

/// Whether a setting that needs superuser would refuse this value: the check that PostgreSQL makes later.
fn is_refused(
    name: &CStr,
    source: pg_sys::GucSource::Type,
    context: pg_sys::GucContext::Type,
    role: pg_sys::Oid,
) -> bool {
    source != pg_sys::GucSource::PGC_S_DEFAULT
        && matches!(context, pg_sys::GucContext::PGC_USERSET | pg_sys::GucContext::PGC_BACKEND)
        // SAFETY: the name is a live C string. What a user has set is looked at by that user's session, in a transaction.
        && unsafe { pg_sys::pg_parameter_aclcheck(name.as_ptr(), role, pg_sys::ACL_SET as pg_sys::AclMode) }
            != pg_sys::AclResult::ACLCHECK_OK
}
