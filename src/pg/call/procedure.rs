//! Procedures that commit between batches. PostgreSQL allows that only to a procedure that was called outside any
//! transaction block, is not SECURITY DEFINER, has no SET, and opened its connection for it.

use crate::moment::Time;
use crate::pg::memory;
use crate::pg::subtransaction::{self, Failure};
use pgrx::callconv::{Arg, ArgAbi};
use pgrx::pg_sys;
use pgrx::pgrx_sql_entity_graph::metadata::{
    ArgumentError, ReturnsError, ReturnsRef, SqlMappingRef, SqlTranslatable, TypeOrigin,
};
use std::ffi::CStr;

/// The current call, as PostgreSQL describes it to the function.
pub struct Call(pg_sys::FunctionCallInfo);

impl Call {
    /// The table that a trigger fires for, if a trigger calls.
    pub fn trigger_table(&self) -> Option<pg_sys::Oid> {
        // SAFETY: for a trigger the context is a TriggerData with the table open; for anything else it is not, or null.
        unsafe {
            let context = (*self.0).context;
            if context.is_null() || (*context).type_ != pg_sys::NodeTag::T_TriggerData {
                return None;
            }
            (*context.cast::<pg_sys::TriggerData>()).tg_relation.as_ref().map(|table| table.rd_id)
        }
    }
}

// SAFETY: taken from no argument but from the call itself, just as pgrx's own FunctionCallInfo.
unsafe impl<'fcx> ArgAbi<'fcx> for Call {
    unsafe fn unbox_arg_unchecked(arg: Arg<'_, 'fcx>) -> Self {
        // SAFETY: the caller's promise, passed on.
        Call(unsafe { ArgAbi::unbox_arg_unchecked(arg) })
    }

    fn is_virtual_arg() -> bool {
        true
    }
}

// SAFETY: no argument in SQL.
unsafe impl SqlTranslatable for Call {
    const TYPE_IDENT: &'static str = "pg_credits::Call";
    const TYPE_ORIGIN: TypeOrigin = TypeOrigin::External;
    const ARGUMENT_SQL: Result<SqlMappingRef, ArgumentError> = Ok(SqlMappingRef::Skip);
    const RETURN_SQL: Result<ReturnsRef, ReturnsError> = Err(ReturnsError::Datum);
}

/// Runs kinds of work, each a statement that does one batch and returns how much that was: in turn, with a commit after
/// each batch, until each has returned zero once. Their arguments are a number and the moment up to which work is due,
/// so that new work does not keep them going: the beginning and, as one kind may leave work to another, when the last
/// of them ended. Called inside a transaction, it runs each once and commits nothing. A kind that fails is skipped from
/// then on; the first failure is returned.
pub fn in_turn(call: Call, kinds: &[&CStr], number: i32, now: impl Fn() -> Time) -> Option<Failure> {
    // SAFETY: for a procedure called by CALL the context is a CallContext; for anything else it is not, or null.
    let atomic = unsafe {
        let context = (*call.0).context;
        context.is_null()
            || (*context).type_ != pg_sys::NodeTag::T_CallContext
            || (*context.cast::<pg_sys::CallContext>()).atomic
    };
    let options = if atomic { 0 } else { pg_sys::SPI_OPT_NONATOMIC as i32 };
    let (mut kinds, mut until, mut failed) = (kinds.to_vec(), now(), None);
    // SAFETY: connected and finished here, with nothing kept in between but integers; SPI_commit starts the next
    // transaction at once. An error in between is PostgreSQL's to clean up.
    unsafe {
        pg_sys::SPI_connect_ext(options);
        while !kinds.is_empty() {
            kinds.retain(|statement| {
                let done = match subtransaction::isolate_kind(|| Ok(batch(statement, number, until))) {
                    Ok(count) => count == 0,
                    Err(failure) => {
                        failed.get_or_insert(failure);
                        // It may have failed for lack of memory, and the others need some.
                        memory::give_back(0, usize::MAX);
                        true
                    }
                };
                if !atomic {
                    pg_sys::SPI_commit();
                }
                if done {
                    until = now();
                }
                !done && !atomic
            });
        }
        pg_sys::SPI_finish();
    }
    failed
}

/// Runs such a statement.
///
/// # Safety
/// SPI must be connected.
unsafe fn batch(statement: &CStr, number: i32, until: Time) -> i32 {
    let mut types = [pg_sys::INT4OID, pg_sys::TIMESTAMPTZOID];
    let mut values = [pg_sys::Datum::from(number), pg_sys::Datum::from(until.0)];
    // SAFETY: text, types and values live through the call; the row that it returns is read before its table is freed.
    unsafe {
        let status = pg_sys::SPI_execute_with_args(
            statement.as_ptr(),
            types.len() as i32,
            types.as_mut_ptr(),
            values.as_mut_ptr(),
            std::ptr::null(),
            false,
            1,
        );
        let table = pg_sys::SPI_tuptable;
        if status != pg_sys::SPI_OK_SELECT as i32 || table.is_null() {
            return 0;
        }
        let mut null = true;
        let count = if (*table).numvals == 0 {
            pg_sys::Datum::null()
        } else {
            pg_sys::SPI_getbinval(*(*table).vals, (*table).tupdesc, 1, &mut null)
        };
        pg_sys::SPI_freetuptable(table);
        if null { 0 } else { count.value() as i32 }
    }
}
