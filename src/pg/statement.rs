//! Statements: SQL text that is prepared once per session, planned and run with bound parameters, read-only or not.

use crate::error::Error;
use crate::pg::call::last;
use crate::pg::installed;
use crate::pg::memory;
use crate::pg::planning::Planning;
use crate::pg::value::{Cell, FromCell};
use pgrx::pg_sys;
use std::ffi::{CStr, CString, c_char};
use std::marker::PhantomData;
use std::sync::atomic::{AtomicI32, AtomicPtr, AtomicU32, Ordering};

/// Proof that SPI, the server programming interface, is connected; the results of statements live no longer than this.
pub struct Session {
    reading: bool,
}

/// Runs `work` with statements that may write. They see what this transaction wrote, and each sees what others
/// committed before it began (if the isolation level allows it). Then does the work that was put off.
pub fn writing<T>(work: impl FnOnce(&Session) -> Result<T, Error>) -> Result<T, Error> {
    connected(Session { reading: false }, |session| {
        let begin = last::Scope::begin();
        let result = work(session)?;
        begin.finish(session)?;
        Ok(result)
    })
}

/// Runs `work` with statements that only read, in the snapshot of the calling statement, without a transaction id:
/// suitable for a STABLE function, a standby and a parallel worker.
pub fn reading<T>(work: impl FnOnce(&Session) -> Result<T, Error>) -> Result<T, Error> {
    connected(Session { reading: true }, work)
}

fn connected<T>(session: Session, work: impl FnOnce(&Session) -> Result<T, Error>) -> Result<T, Error> {
    // SAFETY: paired with SPI_finish below; where PostgreSQL raises an error in between, its abort closes the
    // connection, and pgrx's guard unwinds this frame before.
    unsafe { pg_sys::SPI_connect() };
    let result = work(&session);
    // SAFETY: connected above. What `work` returns is owned by Rust, none of it is in the connection's memory.
    unsafe { pg_sys::SPI_finish() };
    result
}

/// Runs `work` in a connection of its own, whose end frees all arguments and results of its statements: for work that
/// is repeated many times in one call.
pub fn freeing<T>(session: &Session, work: impl FnOnce(&Session) -> Result<T, Error>) -> Result<T, Error> {
    connected(Session { reading: session.reading }, work)
}

/// Runs `work`, in a session that may write, with statements that only read, all in one snapshot of what this
/// transaction wrote and what others have committed by now.
pub fn in_one_snapshot<T>(_session: &Session, work: impl FnOnce(&Session) -> Result<T, Error>) -> Result<T, Error> {
    // SAFETY: pushed here and popped below; where PostgreSQL raises an error in between, its abort pops it. The copy's
    // command id is brought up to now, so that it sees this transaction's own rows, as SPI itself does it.
    unsafe {
        pg_sys::CommandCounterIncrement();
        pg_sys::PushCopiedSnapshot(pg_sys::GetTransactionSnapshot());
        pg_sys::UpdateActiveSnapshotCommandId();
    }
    let result = work(&Session { reading: true });
    // SAFETY: the snapshot pushed above is on top again: statements pop their own.
    unsafe { pg_sys::PopActiveSnapshot() };
    result
}

/// Runs `work` with statements that only read, in a snapshot of everything that is committed now, whatever snapshot the
/// caller has.
pub fn in_latest_snapshot<T>(_session: &Session, work: impl FnOnce(&Session) -> Result<T, Error>) -> Result<T, Error> {
    // SAFETY: pushed here and popped below; where PostgreSQL raises an error in between, its abort pops it.
    unsafe { pg_sys::PushActiveSnapshot(pg_sys::GetLatestSnapshot()) };
    let result = work(&Session { reading: true });
    // SAFETY: the snapshot pushed above is on top again: statements pop their own.
    unsafe { pg_sys::PopActiveSnapshot() };
    result
}

/// The text of a statement that begins like others, joined by the compiler: a panic here is a compile error.
macro_rules! text {
    ($($part:expr),+) => {
        match std::ffi::CStr::from_bytes_with_nul(concat!($($part),+, "\0").as_bytes()) {
            Ok(text) => text,
            Err(_) => panic!("a statement's text ends early"),
        }
    };
}
pub(crate) use text;

/// One SQL statement with the types of its parameters.
pub struct Statement {
    text: &'static CStr,
    /// The text for a schema of the release before, if it differs.
    before: Option<&'static CStr>,
    parameters: &'static [pg_sys::Oid],
    plan: AtomicPtr<pg_sys::_SPI_plan>,
    /// The text of the plan.
    prepared: AtomicPtr<c_char>,
    planning: Planning,
    /// The source of the plan.
    source: AtomicPtr<pg_sys::CachedPlanSource>,
    /// The generation of the plan that was made with our planning.
    generation: AtomicI32,
    /// The session's schema for temporary tables when it last ran: PostgreSQL replans when that changes.
    temporary: AtomicU32,
}

impl Statement {
    /// A statement that finds rows by key, in the order in which the keys are given, to be prepared when it is first run.
    pub const fn new(text: &'static CStr, parameters: &'static [pg_sys::Oid]) -> Self {
        Statement {
            text,
            before: None,
            parameters,
            plan: AtomicPtr::new(std::ptr::null_mut()),
            prepared: AtomicPtr::new(std::ptr::null_mut()),
            planning: Planning::ByKey,
            source: AtomicPtr::new(std::ptr::null_mut()),
            generation: AtomicI32::new(0),
            temporary: AtomicU32::new(0),
        }
    }

    /// The same for a statement that takes the first rows in an index's order.
    pub const fn in_order(text: &'static CStr, parameters: &'static [pg_sys::Oid]) -> Self {
        Statement { planning: Planning::InOrder, ..Statement::new(text, parameters) }
    }

    /// The same for a statement that finds rows by their words, of which an index has all.
    pub const fn by_words(text: &'static CStr, parameters: &'static [pg_sys::Oid]) -> Self {
        Statement { planning: Planning::ByWords, ..Statement::new(text, parameters) }
    }

    /// The same for a statement that reads much of a table.
    pub const fn scanning(text: &'static CStr, parameters: &'static [pg_sys::Oid]) -> Self {
        Statement { planning: Planning::Scanning, ..Statement::new(text, parameters) }
    }

    /// The same with another text, of the same parameters and columns, for a schema of the release before, whose upgrade step
    /// has not run yet.
    pub const fn before(self, text: &'static CStr) -> Self {
        Statement { before: Some(text), ..self }
    }

    /// Runs it and returns its rows.
    pub fn run<'s>(&self, session: &'s Session, arguments: &[Cell]) -> Result<Rows<'s>, Error> {
        if arguments.len() != self.parameters.len() {
            return Err(Error::internal("a statement was given a wrong number of arguments"));
        }
        let text = match self.before {
            Some(before) if installed::is_before(session)? => before,
            _ => self.text,
        };
        let mut plan = self.plan.load(Ordering::Relaxed);
        if plan.is_null() || self.prepared.load(Ordering::Relaxed) != text.as_ptr().cast_mut() {
            plan = self.prepare(text)?;
        }
        if self.planning.is_kept() {
            self.see_to_plan(plan)?;
        }
        self.execute(session, plan, arguments)
    }

    /// Ensures that the plan is valid and was made with our planning: if PostgreSQL found only while running it that
    /// the plan is invalid, it would replan it like any other query.
    fn see_to_plan(&self, plan: pg_sys::SPIPlanPtr) -> Result<(), Error> {
        let temporary = temporary_schema();
        let same = self.temporary.swap(temporary, Ordering::Relaxed) == temporary;
        let source = self.source.load(Ordering::Relaxed);
        // SAFETY: the plan and its source were kept and are never freed; this process alone changes them. What is released here
        // its source still has.
        unsafe {
            let as_planned = (*source).generation == self.generation.load(Ordering::Relaxed);
            let valid = (*source).is_valid && (*source).gplan.as_ref().is_some_and(|made| made.is_valid);
            if same && as_planned && valid {
                return Ok(());
            }
            (*source).is_valid &= as_planned;
            let made = self.planning.around(|| pg_sys::SPI_plan_get_cached_plan(plan));
            if made.is_null() {
                return Err(Error::internal("a statement could not be planned"));
            }
            pg_sys::ReleaseCachedPlan(made, pg_sys::CurrentResourceOwner);
            self.generation.store((*source).generation, Ordering::Relaxed);
        }
        Ok(())
    }

    fn prepare(&self, text: &'static CStr) -> Result<pg_sys::SPIPlanPtr, Error> {
        let mut types = self.parameters.to_vec();
        let kept =
            if self.planning.is_kept() { pg_sys::CURSOR_OPT_GENERIC_PLAN } else { pg_sys::CURSOR_OPT_CUSTOM_PLAN };
        // SAFETY: text and types live through the call, which copies them. A plan belongs to one backend process, and
        // so does this static: backends are forked, not threaded.
        unsafe {
            let plan = pg_sys::SPI_prepare_cursor(text.as_ptr(), types.len() as i32, types.as_mut_ptr(), kept as i32);
            if plan.is_null() || pg_sys::SPI_keepplan(plan) != 0 {
                return Err(Error::internal("a statement could not be prepared"));
            }
            let sources = pg_sys::SPI_plan_get_plan_sources(plan);
            if (*sources).length != 1 {
                return Err(Error::internal("a statement is more than one"));
            }
            self.source.store((*(*sources).elements).ptr_value.cast(), Ordering::Relaxed);
            self.plan.store(plan, Ordering::Relaxed);
            self.prepared.store(text.as_ptr().cast_mut(), Ordering::Relaxed);
            Ok(plan)
        }
    }

    fn execute<'s>(
        &self,
        session: &'s Session,
        plan: pg_sys::SPIPlanPtr,
        arguments: &[Cell],
    ) -> Result<Rows<'s>, Error> {
        let mut datums: Vec<pg_sys::Datum> = arguments.iter().map(|a| a.datum).collect();
        let nulls: Vec<c_char> = arguments.iter().map(|a| if a.null { b'n' } else { b' ' } as c_char).collect();
        // SAFETY: the plan is kept; both arrays have an element for each of its parameters, checked in run().
        let status = unsafe { pg_sys::SPI_execute_plan(plan, datums.as_mut_ptr(), nulls.as_ptr(), session.reading, 0) };
        if status < 0 {
            return Err(Error::internal("a statement could not be run"));
        }
        // SAFETY: set by the call above; null for a statement that returns no rows.
        let table = unsafe { pg_sys::SPI_tuptable };
        // SAFETY: a table that is not null has a descriptor.
        if unsafe { table.as_ref().is_some_and(|table| (*table.tupdesc).natts as usize > COLUMNS) } {
            return Err(Error::internal("a statement returns more columns than can be read"));
        }
        // SAFETY: set by the call above.
        let processed = unsafe { pg_sys::SPI_processed };
        let rows = Rows { table, processed, session: PhantomData };
        memory::expect(rows.len() * ROW_BYTES);
        Ok(rows)
    }
}

/// Runs a command whose text is made at run time: only for tables whose names the catalogue alone knows.
pub fn run_text(_session: &Session, text: &str) -> Result<(), Error> {
    let text = CString::new(text).map_err(|_| Error::internal("a command's text ends early"))?;
    // SAFETY: SPI is connected, which the session proves; the text is a live C string that is not kept.
    match unsafe { pg_sys::SPI_execute(text.as_ptr(), false, 0) } {
        ..0 => Err(Error::internal("a command could not be run")),
        _ => Ok(()),
    }
}

fn temporary_schema() -> u32 {
    let (mut schema, mut toast) = (pg_sys::InvalidOid, pg_sys::InvalidOid);
    // SAFETY: reads two variables of the backend into places of ours.
    unsafe { pg_sys::GetTempNamespaceState(&mut schema, &mut toast) };
    schema.to_u32()
}

/// The rows that a statement returned.
pub struct Rows<'s> {
    table: *mut pg_sys::SPITupleTable,
    processed: u64,
    session: PhantomData<&'s Session>,
}

/// The memory that a row takes when it is read, apart from large values.
const ROW_BYTES: usize = 512;

/// Fewer rows are left to the end of the session, which frees all of them at once.
const FREED: usize = 64;

impl Drop for Rows<'_> {
    fn drop(&mut self) {
        if self.len() > FREED && !std::thread::panicking() {
            // SAFETY: a table of this session's, of which nothing is borrowed any more.
            unsafe { pg_sys::SPI_freetuptable(self.table) };
        }
    }
}

impl<'s> Rows<'s> {
    /// How many there are.
    pub fn len(&self) -> usize {
        // SAFETY: the table is null or lives until the session's end, which outlives self.
        unsafe { self.table.as_ref() }.map_or(0, |t| t.numvals as usize)
    }

    /// How many rows a statement wrote, whether or not it returns them.
    pub fn written(&self) -> u64 {
        self.processed
    }

    /// All rows in order.
    pub fn iter(&self) -> impl Iterator<Item = Row<'_>> {
        (0..self.len()).map(|row| {
            memory::let_interrupt();
            Row::read(self.table, row)
        })
    }

    /// The row at an index from 0, which must be less than their number.
    pub fn row(&self, index: usize) -> Row<'_> {
        Row::read(self.table, index.min(self.len() - 1))
    }

    /// The first row, if there is one.
    pub fn first(&self) -> Option<Row<'_>> {
        self.iter().next()
    }
}

/// The most columns that a statement may return.
const COLUMNS: usize = 44;

/// One row, read column by column.
pub struct Row<'r> {
    datums: [pg_sys::Datum; COLUMNS],
    nulls: [bool; COLUMNS],
    column: usize,
    rows: PhantomData<&'r ()>,
}

impl Row<'_> {
    /// Reads all columns of a row at once: column by column, PostgreSQL would begin at the first one each time.
    fn read(table: *mut pg_sys::SPITupleTable, row: usize) -> Self {
        let (mut datums, mut nulls) = ([pg_sys::Datum::null(); COLUMNS], [true; COLUMNS]);
        // SAFETY: the table lives as long as its rows, the row's index is below numvals, and both arrays have room for all of
        // its columns, which was checked when it was made.
        unsafe {
            let table = &*table;
            pg_sys::heap_deform_tuple(*table.vals.add(row), table.tupdesc, datums.as_mut_ptr(), nulls.as_mut_ptr());
        }
        Row { datums, nulls, column: 0, rows: PhantomData }
    }

    /// Reads the next column, which must be of a type that `T` reads.
    pub fn next<T: FromCell>(&mut self) -> Result<T, Error> {
        let cell = match (self.datums.get(self.column), self.nulls.get(self.column)) {
            (Some(datum), Some(false)) => Cell::of(*datum),
            _ => Cell::NULL,
        };
        self.column += 1;
        T::from_cell(cell).ok_or_else(|| Error::internal("a column holds what it cannot hold"))
    }
}
