//! What SQL functions return: a value, a row with named columns, or rows; or an error raised with its own SQLSTATE.

use crate::error::Error;
use crate::pg::call::raise::raise;
use crate::pg::memory;
use crate::pg::value::{Cell, ToCell};
use pgrx::callconv::{BoxRet, FcInfo};
use pgrx::datum::Datum;
use pgrx::pg_sys;
use pgrx::pgrx_sql_entity_graph::metadata::{
    ArgumentError, ReturnsError, ReturnsRef, SqlMappingRef, SqlTranslatable, TypeOrigin,
};
use std::cell::RefCell;
use std::collections::HashMap;

/// A row: its columns are in the order of the function's row type.
pub trait Columns {
    /// Their names and Rust types, for the test that compares them with the declarations.
    const DECLARED: &'static str;

    /// The columns' values.
    fn columns(&self) -> Vec<Cell>;
}

/// The result of a function, before it is raised or returned.
pub struct Reply<T>(pub Result<T, Error>);

/// One value, for a function that returns no row.
pub struct Value<T: ToCell>(pub T);

/// One row.
pub struct One<T: Columns>(pub T);

/// One row or NULL.
pub struct Maybe<T: Columns>(pub Option<T>);

/// Any number of rows.
pub struct Many<T: Columns>(pub Vec<T>);

/// How an answer becomes the function's result.
pub trait Answer {
    /// The columns' names and Rust types; empty if it has none.
    const COLUMNS: &'static str = "";

    /// The result, as a datum of the current call.
    ///
    /// # Safety
    /// `fcinfo` is that of the current call, to a function declared with the matching result.
    unsafe fn datum(self, fcinfo: pg_sys::FunctionCallInfo) -> Cell;
}

/// The result of a procedure.
pub struct Nothing;

impl Answer for Nothing {
    unsafe fn datum(self, _: pg_sys::FunctionCallInfo) -> Cell {
        Cell::NULL
    }
}

/// The result of a trigger that changes nothing: a null pointer that is not NULL.
pub struct Unchanged;

impl Answer for Unchanged {
    unsafe fn datum(self, _: pg_sys::FunctionCallInfo) -> Cell {
        Cell { datum: pg_sys::Datum::null(), null: false }
    }
}

impl<T: ToCell> Answer for Value<T> {
    unsafe fn datum(self, _: pg_sys::FunctionCallInfo) -> Cell {
        self.0.cell()
    }
}

impl<T: Columns> Answer for One<T> {
    const COLUMNS: &'static str = T::DECLARED;

    unsafe fn datum(self, fcinfo: pg_sys::FunctionCallInfo) -> Cell {
        // SAFETY: the descriptor is the function's own, with as many columns as its row type, each of the type that
        // the declaration in sql/ and the columns share; tests call every function.
        unsafe {
            let descriptor = row_descriptor(fcinfo);
            let (mut datums, mut nulls) = fitted(self.0.columns(), descriptor);
            let tuple = pg_sys::heap_form_tuple(descriptor, datums.as_mut_ptr(), nulls.as_mut_ptr());
            Cell { datum: pg_sys::HeapTupleHeaderGetDatum((*tuple).t_data), null: false }
        }
    }
}

impl<T: Columns> Answer for Maybe<T> {
    const COLUMNS: &'static str = T::DECLARED;

    unsafe fn datum(self, fcinfo: pg_sys::FunctionCallInfo) -> Cell {
        // SAFETY: the caller's promise.
        self.0.map_or(Cell::NULL, |row| unsafe { One(row).datum(fcinfo) })
    }
}

impl<T: Columns> Answer for Many<T> {
    const COLUMNS: &'static str = T::DECLARED;

    unsafe fn datum(self, fcinfo: pg_sys::FunctionCallInfo) -> Cell {
        // SAFETY: InitMaterializedSRF checks that the caller takes a set and makes the store and its descriptor.
        unsafe {
            pg_sys::InitMaterializedSRF(fcinfo, 0);
            let set = (*fcinfo).resultinfo.cast::<pg_sys::ReturnSetInfo>();
            let rows = self.0.len();
            for row in self.0 {
                memory::let_interrupt();
                let (mut datums, mut nulls) = fitted(row.columns(), (*set).setDesc);
                pg_sys::tuplestore_putvalues((*set).setResult, (*set).setDesc, datums.as_mut_ptr(), nulls.as_mut_ptr());
            }
            memory::give_back(rows, 0);
        }
        Cell::NULL
    }
}

/// A row's values and which of them are NULL, as many as the installed row type has columns: types only grow at the end,
/// and the schema may be that of the release before. Raises 55000 where it is that of a release that follows.
///
/// # Safety
/// The descriptor is a live one.
unsafe fn fitted(columns: Vec<Cell>, descriptor: pg_sys::TupleDesc) -> (Vec<pg_sys::Datum>, Vec<bool>) {
    // SAFETY: the caller's promise.
    let declared = usize::try_from(unsafe { (*descriptor).natts }).unwrap_or_default();
    if declared > columns.len() {
        raise(Error::VersionsDiffer);
    }
    columns.into_iter().take(declared).map(|c| (c.datum, c.null)).unzip()
}

thread_local! {
    /// Row descriptors by function, cached for the session: creating one costs more than a small function does.
    static DESCRIPTORS: RefCell<HashMap<pg_sys::Oid, pg_sys::TupleDesc>> = RefCell::new(HashMap::new());
}

/// # Safety
/// `fcinfo` is that of a call to a function that returns a row.
unsafe fn row_descriptor(fcinfo: pg_sys::FunctionCallInfo) -> pg_sys::TupleDesc {
    // SAFETY: the caller's promise; flinfo is set for every function called through SQL.
    let function = unsafe { (*(*fcinfo).flinfo).fn_oid };
    if let Some(cached) = DESCRIPTORS.with_borrow(|d| d.get(&function).copied()) {
        return cached;
    }
    // SAFETY: the descriptor is copied to memory that lasts as long as the session. Where ALTER TYPE adds
    // a column meanwhile, the session's rows lack it, and PostgreSQL reads NULL there.
    let descriptor = unsafe {
        let mut made = std::ptr::null_mut();
        pg_sys::get_call_result_type(fcinfo, std::ptr::null_mut(), &mut made);
        let caller = pg_sys::MemoryContextSwitchTo(pg_sys::TopMemoryContext);
        let kept = pg_sys::CreateTupleDescCopy(made);
        pg_sys::MemoryContextSwitchTo(caller);
        pg_sys::BlessTupleDesc(kept)
    };
    DESCRIPTORS.with_borrow_mut(|d| d.insert(function, descriptor));
    descriptor
}

// SAFETY: the cell was made for this call in the caller's memory context; an error does not return at all.
unsafe impl<T: Answer> BoxRet for Reply<T> {
    unsafe fn box_into<'fcx>(self, fcinfo: &mut FcInfo<'fcx>) -> Datum<'fcx> {
        match self.0 {
            Err(error) => raise(error),
            Ok(answer) => {
                // SAFETY: pgrx hands us the fcinfo of the call under way.
                let cell = unsafe { answer.datum(fcinfo.as_mut_ptr()) };
                if cell.null {
                    fcinfo.return_null()
                } else {
                    // SAFETY: not NULL, and of the declared type.
                    unsafe { fcinfo.return_raw_datum(cell.datum) }
                }
            }
        }
    }
}

// SAFETY: the functions are declared in sql/. What this says of the result is for the test that compares the two.
unsafe impl<T: Answer> SqlTranslatable for Reply<T> {
    const TYPE_IDENT: &'static str = "pg_credits::Reply";
    const TYPE_ORIGIN: TypeOrigin = TypeOrigin::External;
    const ARGUMENT_SQL: Result<SqlMappingRef, ArgumentError> = Err(ArgumentError::NotValidAsArgument("Reply"));
    const RETURN_SQL: Result<ReturnsRef, ReturnsError> = Ok(ReturnsRef::One(SqlMappingRef::literal(T::COLUMNS)));
}

/// Declares a struct as a row: its fields are its type's columns, in order. With `read` after the fields it can also be
/// read from a statement's row that has the same columns.
#[macro_export]
macro_rules! row {
    ($(#[$doc:meta])* pub struct $name:ident { $($(#[$fdoc:meta])* pub $field:ident: $type:ty,)* } read) => {
        $crate::row! { $(#[$doc])* pub struct $name { $($(#[$fdoc])* pub $field: $type,)* } }

        impl $name {
            fn read(mut row: $crate::pg::statement::Row<'_>) -> Result<Self, $crate::error::Error> {
                Ok($name { $($field: row.next()?),* })
            }
        }
    };
    ($(#[$doc:meta])* pub struct $name:ident { $($(#[$fdoc:meta])* pub $field:ident: $type:ty,)* }) => {
        $(#[$doc])*
        #[derive(Clone)]
        pub struct $name { $($(#[$fdoc])* pub $field: $type,)* }

        impl $crate::pg::call::reply::Columns for $name {
            const DECLARED: &'static str = concat!($(stringify!($field), ": ", stringify!($type), "\n"),*);

            fn columns(&self) -> Vec<$crate::pg::value::Cell> {
                vec![$($crate::pg::value::ToCell::cell(&self.$field)),*]
            }
        }
    };
}
