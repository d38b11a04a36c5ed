//! Work at the end of a call: rows that many transactions want are written last, in the order of a key, so that they
//! are locked in one order and the call waits for nothing else while it holds them. What a subtransaction put off is
//! dropped if that is undone.

use crate::error::Error;
use crate::pg::statement::Session;
use std::cell::RefCell;

type Work = Box<dyn FnOnce(&Session) -> Result<(), Error>>;

thread_local! {
    static PUT_OFF: RefCell<Vec<(String, Work)>> = const { RefCell::new(Vec::new()) };
}

/// Puts work off until the end of the call, where it is done in the order of the keys, and for one key in the order in
/// which it was put off.
pub fn put_off(_session: &Session, key: &str, work: impl FnOnce(&Session) -> Result<(), Error> + 'static) {
    PUT_OFF.with_borrow_mut(|all| all.push((key.to_string(), Box::new(work))));
}

/// The scope of the work put off since it began. When it is dropped, so is work that is not done yet.
pub struct Scope(usize);

impl Scope {
    /// Begins after all work that is put off by now.
    pub fn begin() -> Self {
        Scope(PUT_OFF.with_borrow(Vec::len))
    }

    /// Does the work that was put off since.
    pub fn finish(self, session: &Session) -> Result<(), Error> {
        let mut all = PUT_OFF.with_borrow_mut(|all| all.split_off(self.0.min(all.len())));
        all.sort_by(|(one, _), (other, _)| one.cmp(other));
        all.into_iter().try_for_each(|(_, work)| work(session))
    }

    /// Leaves the work put off, for the enclosing scope.
    pub fn keep(self) {
        std::mem::forget(self);
    }
}

impl Drop for Scope {
    fn drop(&mut self) {
        PUT_OFF.with_borrow_mut(|all| all.truncate(self.0));
    }
}
