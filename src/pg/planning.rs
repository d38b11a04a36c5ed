//! How kept statements are planned. A plan made while a table is small, or not analyzed, is kept when the table is
//! large. So the planner does not see the statistics, but assumes that every table has many rows of which nothing else
//! is known. Then the plan that finds the fewest rows by key is the cheapest, and plans are the same in every database.

use pgrx::guc::{GucContext, GucFlags, GucRegistry, GucSetting};
use pgrx::{pg_guard, pg_sys};
use std::ffi::CStr;
use std::sync::OnceLock;

/// How a statement is planned. What the planner expects for an average customer is wrong for a large one, so each
/// statement says what it is like.
pub enum Planning {
    /// Finds rows by key, one after the other, in the order in which the keys are given. Planned once, and without JIT
    /// compilation, which would take longer than the statement.
    ByKey,
    /// Takes the first rows in an index's order: the same, and without sorting or materializing rows that need not be
    /// read.
    InOrder,
    /// Finds rows by words in an index of words, which PostgreSQL reads as bitmaps alone: planned once, and without JIT
    /// compilation.
    ByWords,
    /// Reads much of a table: planned for the arguments of each call.
    Scanning,
}

impl Planning {
    /// The settings that are off during planning, whatever the caller's values.
    fn without(&self) -> &'static [&'static CStr] {
        match self {
            Planning::ByKey => {
                &[c"jit", c"enable_seqscan", c"enable_bitmapscan", c"enable_hashjoin", c"enable_mergejoin"]
            }
            Planning::InOrder => &[
                c"jit",
                c"enable_seqscan",
                c"enable_sort",
                c"enable_bitmapscan",
                c"enable_material",
                c"enable_hashjoin",
                c"enable_mergejoin",
            ],
            Planning::ByWords => &[c"jit", c"enable_seqscan"],
            Planning::Scanning => &[],
        }
    }

    /// The settings that are on.
    fn with(&self) -> &'static [&'static CStr] {
        match self {
            Planning::ByWords => &[c"enable_bitmapscan", c"enable_sort", c"enable_nestloop", FOR_MANY],
            _ => &[c"enable_indexscan", c"enable_nestloop", FOR_MANY],
        }
    }

    /// Whether its plan is kept for all arguments.
    pub fn is_kept(&self) -> bool {
        !matches!(self, Planning::Scanning)
    }

    /// Runs `work`, which plans such a statement.
    pub fn around<T>(&self, work: impl FnOnce() -> T) -> T {
        let without = self.without().iter().map(|name| (*name, c"off"));
        with_settings(self.with().iter().map(|name| (*name, c"on")).chain(without), work)
    }
}

/// Runs `work` with other values for some settings, PostgreSQL's or ours.
pub fn with_settings<T>(settings: impl Iterator<Item = (&'static CStr, &'static CStr)>, work: impl FnOnce() -> T) -> T {
    // SAFETY: the level is closed below, or by PostgreSQL when the work aborts.
    let level = unsafe { pg_sys::NewGUCNestLevel() };
    for (name, value) in settings {
        // SAFETY: for as long as the level lasts.
        unsafe {
            pg_sys::set_config_option(
                name.as_ptr(),
                value.as_ptr(),
                pg_sys::GucContext::PGC_SUSET,
                pg_sys::GucSource::PGC_S_SESSION,
                pg_sys::GucAction::GUC_ACTION_SAVE,
                true,
                0,
                false,
            );
        }
    }
    let result = work();
    // SAFETY: closes the level opened above.
    unsafe { pg_sys::AtEOXact_GUC(true, level) };
    result
}

/// The name of [`PLANS_FOR_MANY`].
const FOR_MANY: &CStr = c"credits.plan_for_many_rows";

/// Whether the planner assumes that every table is large. A setting, so that PostgreSQL resets it even after an error,
/// and so that a test can plan statements the same way.
static PLANS_FOR_MANY: GucSetting<bool> = GucSetting::<bool>::new(false);

/// The assumed number of rows of a table.
const ROWS: f64 = 1_000_000.0;
/// The assumed number of pages that they fill, and an index's entries.
const PAGES: pg_sys::BlockNumber = 20_000;
const INDEX_PAGES: pg_sys::BlockNumber = 5_000;
/// The assumed number of levels of such an index above its leaves.
const HEIGHT: i32 = 2;

/// The hooks that were installed before, for tables and for columns.
static TABLES: OnceLock<pg_sys::get_relation_info_hook_type> = OnceLock::new();
static COLUMNS: OnceLock<pg_sys::get_relation_stats_hook_type> = OnceLock::new();

/// Installs the planner hooks for tables and columns. Called once, when the library is loaded.
pub fn listen() {
    GucRegistry::define_bool_guc(
        FOR_MANY,
        c"For tests of pg_credits: plans a query as the statements of its functions are planned.",
        c"The planner takes every table for one of a million rows of which nothing is known.",
        &PLANS_FOR_MANY,
        GucContext::Suset,
        GucFlags::NO_SHOW_ALL,
    );
    // SAFETY: a process has one thread, and the library is never unloaded.
    unsafe {
        if TABLES.set(pg_sys::get_relation_info_hook).is_ok() && COLUMNS.set(pg_sys::get_relation_stats_hook).is_ok() {
            pg_sys::get_relation_info_hook = Some(on_table);
            pg_sys::get_relation_stats_hook = Some(on_column);
        }
    }
}

#[pg_guard]
unsafe extern "C-unwind" fn on_table(
    root: *mut pg_sys::PlannerInfo,
    table: pg_sys::Oid,
    inherited: bool,
    info: *mut pg_sys::RelOptInfo,
) {
    if let Some(Some(before)) = TABLES.get() {
        // SAFETY: called as we are.
        unsafe { before(root, table, inherited, info) };
    }
    if !PLANS_FOR_MANY.get() {
        return;
    }
    // SAFETY: the planner's own description of a table and of its indexes, made only for the current planning.
    unsafe {
        ((*info).tuples, (*info).pages) = (ROWS, PAGES);
        let Some(indexes) = (*info).indexlist.as_ref() else { return };
        for number in 0..indexes.length as usize {
            let index = (*indexes.elements.add(number)).ptr_value.cast::<pg_sys::IndexOptInfo>();
            ((*index).tuples, (*index).pages, (*index).tree_height) = (ROWS, INDEX_PAGES, HEIGHT);
        }
    }
}

/// Hides the statistics of a column. Returns whether it did.
#[pg_guard]
unsafe extern "C-unwind" fn on_column(
    root: *mut pg_sys::PlannerInfo,
    table: *mut pg_sys::RangeTblEntry,
    column: pg_sys::AttrNumber,
    info: *mut pg_sys::VariableStatData,
) -> bool {
    if PLANS_FOR_MANY.get() {
        // SAFETY: the answer's place, which not every caller has cleared.
        unsafe { (*info).statsTuple = std::ptr::null_mut() };
        return true;
    }
    // SAFETY: called as we are.
    COLUMNS.get().copied().flatten().is_some_and(|before| unsafe { before(root, table, column, info) })
}
