//! How kept statements are planned. A plan made while a table is small, or not analyzed, is kept when the table is large: so the
//! planner is not told what there is, but takes every table for one of many rows of which nothing else is known. Then what finds
//! the fewest rows by their keys is the cheapest, and the plans are the same in every database.

use pgrx::guc::{GucContext, GucFlags, GucRegistry, GucSetting};
use pgrx::{pg_guard, pg_sys};
use std::ffi::CStr;
use std::sync::OnceLock;

/// How a statement is planned. What the planner expects of an average customer is wrong for a large one: so it is told what a
/// statement is like.
pub enum Planning {
    /// Finds rows by key, one after the other, in the order in which their keys are given. Planned once, and without compilation,
    /// which takes longer than it all.
    ByKey,
    /// Takes the first rows in an index's order: likewise, and without sorting or keeping what it need not have read.
    InOrder,
    /// Reads much of a table: anew for the arguments of each call.
    Scanning,
}

impl Planning {
    /// The settings that are off while it is planned, whatever the caller's are.
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
            Planning::Scanning => &[],
        }
    }

    /// Whether its plan is kept, whatever the arguments.
    pub fn is_kept(&self) -> bool {
        !matches!(self, Planning::Scanning)
    }

    /// Runs `work`, which plans such a statement.
    pub fn around<T>(&self, work: impl FnOnce() -> T) -> T {
        let without = self.without().iter().map(|name| (*name, c"off"));
        with_settings(
            without.chain([c"enable_indexscan", c"enable_nestloop", FOR_MANY].map(|name| (name, c"on"))),
            work,
        )
    }
}

/// Runs `work` with some of PostgreSQL's own settings, or of ours, set otherwise.
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

/// Whether the planner takes every table for a large one. A setting, so that its end is PostgreSQL's to see to, and so that a test
/// can plan the statements as they are planned here.
static PLANS_FOR_MANY: GucSetting<bool> = GucSetting::<bool>::new(false);

/// How many rows a table has.
const ROWS: f64 = 1_000_000.0;
/// How many pages they fill, and an index's entries.
const PAGES: pg_sys::BlockNumber = 20_000;
const INDEX_PAGES: pg_sys::BlockNumber = 5_000;
/// How many levels such an index has above its leaves.
const HEIGHT: i32 = 2;

/// Whoever was asked before, of tables and of columns.
static TABLES: OnceLock<pg_sys::get_relation_info_hook_type> = OnceLock::new();
static COLUMNS: OnceLock<pg_sys::get_relation_stats_hook_type> = OnceLock::new();

/// Has the planner ask what it is to know of tables and their columns. Called once, when the library is loaded.
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
    // SAFETY: the planner's own description of a table and of its indexes, made for the planning under way alone.
    unsafe {
        ((*info).tuples, (*info).pages) = (ROWS, PAGES);
        let Some(indexes) = (*info).indexlist.as_ref() else { return };
        for number in 0..indexes.length as usize {
            let index = (*indexes.elements.add(number)).ptr_value.cast::<pg_sys::IndexOptInfo>();
            ((*index).tuples, (*index).pages, (*index).tree_height) = (ROWS, INDEX_PAGES, HEIGHT);
        }
    }
}

/// Whether what is known of a column has been said: nothing.
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
