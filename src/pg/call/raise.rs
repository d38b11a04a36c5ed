//! Raising errors with SQLSTATEs of our own, which are not in pgrx's closed list of codes.

use crate::error::Error;
use std::ffi::{CString, c_char, c_int};

// Declared here and not taken from pgrx: its wrappers turn the jump out of errfinish into a Rust panic, which knows
// only PostgreSQL's own SQLSTATEs.
unsafe extern "C-unwind" {
    fn errstart(elevel: c_int, domain: *const c_char) -> bool;
    fn errcode(sqlerrcode: c_int) -> c_int;
    fn errmsg_internal(format: *const c_char, ...) -> c_int;
    fn errdetail_internal(format: *const c_char, ...) -> c_int;
    fn errhint(format: *const c_char, ...) -> c_int;
    fn errfinish(filename: *const c_char, lineno: c_int, funcname: *const c_char);
}

/// A five-character SQLSTATE as PostgreSQL packs it: six bits per character.
fn pack(sqlstate: &str) -> c_int {
    sqlstate
        .bytes()
        .take(5)
        .enumerate()
        .fold(0, |code, (i, b)| code | ((c_int::from(b) - c_int::from(b'0')) & 0x3f) << (6 * i))
}

fn c_string(text: String) -> CString {
    // No text that reaches us holds a NUL: PostgreSQL's types cannot.
    CString::new(text.replace('\0', "")).unwrap_or_default()
}

/// Raises the error. Does not return: PostgreSQL jumps from here to its error handler. The caller must hold nothing
/// that needs dropping.
pub fn raise(error: Error) -> ! {
    let sqlstate = pack(error.sqlstate());
    // SAFETY: the calls are PostgreSQL's ereport(ERROR, …) taken apart; each text is copied into its error context,
    // and all that Rust owns is dropped before errfinish, which jumps.
    unsafe {
        {
            let (message, detail, hint) =
                (c_string(error.to_string()), c_string(error.detail()), c_string(error.hint()));
            drop(error);
            errstart(pgrx::PgLogLevel::ERROR as c_int, std::ptr::null());
            errcode(sqlstate);
            errmsg_internal(c"%s".as_ptr(), message.as_ptr());
            errdetail_internal(c"%s".as_ptr(), detail.as_ptr());
            errhint(c"%s".as_ptr(), hint.as_ptr());
        }
        errfinish(c"pg_credits".as_ptr(), 0, c"raise".as_ptr());
    }
    // errfinish at level ERROR does not return.
    std::process::abort()
}

/// Keeps Rust backtraces away from users: pgrx adds one to the DETAIL of every error that passes through Rust if the
/// server's environment asks for it.
pub fn without_backtraces() {
    // SAFETY: called once, when the library is loaded, by a process that has one thread.
    unsafe { std::env::set_var("RUST_LIB_BACKTRACE", "0") };
}

#[cfg(test)]
mod tests {
    #[test]
    fn packs_as_postgresql_does() {
        // MAKE_SQLSTATE('2','2','0','2','3'): 22023, invalid_parameter_value.
        assert_eq!(super::pack("22023"), 50_856_066);
        assert_ne!(super::pack("PC001"), super::pack("PC010"));
    }
}
