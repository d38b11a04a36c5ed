//! Functions as earlier releases declared them: a new library serves the schema of the release before until its upgrade
//! step has run, and functions only ever gain parameters, at the end.

use pgrx::pg_sys;

/// The most parameters that a function has.
const PARAMETERS: usize = 32;

type Function = unsafe extern "C-unwind" fn(pg_sys::FunctionCallInfo) -> pg_sys::Datum;

/// Space for a call with any number of arguments: PostgreSQL ends this struct with an array of no fixed length.
#[repr(C)]
struct Room {
    call: pg_sys::FunctionCallInfoBaseData,
    arguments: [pg_sys::NullableDatum; PARAMETERS],
}

/// Calls a function that takes `all` arguments for a caller that has fewer: the others are NULL.
///
/// # Safety
/// `call` is the current call, to a function whose parameters are the first of those of `function`.
pub unsafe fn with_missing(call: pg_sys::FunctionCallInfo, function: Function, all: usize) -> pg_sys::Datum {
    // SAFETY: all zeros are a valid value of each field; every argument up to `all` is set below, within the room's array,
    // which follows the struct immediately as PostgreSQL's own macro LOCAL_FCINFO has it.
    unsafe {
        let mut room: Room = std::mem::zeroed();
        room.call.flinfo = (*call).flinfo;
        room.call.context = (*call).context;
        room.call.resultinfo = (*call).resultinfo;
        room.call.fncollation = (*call).fncollation;
        room.call.nargs = all.min(PARAMETERS) as i16;
        let given = (*call).args.as_slice((*call).nargs as usize);
        let called = &raw mut room;
        let arguments = (*called).call.args.as_mut_slice(all.min(PARAMETERS));
        for (number, argument) in arguments.iter_mut().enumerate() {
            *argument = match given.get(number) {
                Some(given) => *given,
                None => pg_sys::NullableDatum { value: pg_sys::Datum::null(), isnull: true },
            };
        }
        let result = function(&raw mut (*called).call);
        (*call).isnull = (*called).call.isnull;
        result
    }
}

/// Keeps the symbol of a function as an earlier release declared it, beside the one that has more parameters:
/// `older!(hold_create_wrapper => hold_create_2_wrapper, 7 of 9);`
#[macro_export]
macro_rules! older {
    ($old:ident => $new:ident, $given:literal of $all:literal) => {
        const _: () = {
            #[unsafe(export_name = concat!("pg_finfo_", stringify!($old)))]
            extern "C" fn info() -> &'static pgrx::pg_sys::Pg_finfo_record {
                &pgrx::pg_sys::Pg_finfo_record { api_version: 1 }
            }

            #[unsafe(export_name = stringify!($old))]
            unsafe extern "C-unwind" fn call(call: pgrx::pg_sys::FunctionCallInfo) -> pgrx::pg_sys::Datum {
                // SAFETY: PostgreSQL calls it with the arguments of the older declaration, whose parameters are the first of
                // the new one's; the test of the declarations compares both.
                unsafe { $crate::pg::call::older::with_missing(call, $new, $all) }
            }
            assert!($given < $all);
        };
    };
}
