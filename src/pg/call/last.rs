//! What a call does last: rows that many transactions want, whatever they are about, are put off until the call's work is done,
//! and then written in the order of a key, so that they are locked in one order and nothing else is waited for behind them. What
//! a subtransaction put off is not done where that is undone.

use crate::error::Error;
use crate::pg::statement::Session;
use std::cell::RefCell;

type Work = Box<dyn FnOnce(&Session) -> Result<(), Error>>;

thread_local! {
    static PUT_OFF: RefCell<Vec<(String, Work)>> = const { RefCell::new(Vec::new()) };
}

/// Puts work off until the call's end; there it is done in the order of the keys, and of one key in that in which it was put off.
pub fn put_off(_session: &Session, key: &str, work: impl FnOnce(&Session) -> Result<(), Error> + 'static) {
    PUT_OFF.with_borrow_mut(|all| all.push((key.to_string(), Box::new(work))));
}

/// A place in what is put off. What is behind it is gone when this is, done or not.
pub struct Scope(usize);

impl Scope {
    /// Behind all that is put off by now.
    pub fn begin() -> Self {
        Scope(PUT_OFF.with_borrow(Vec::len))
    }

    /// Does what was put off since.
    pub fn finish(self, session: &Session) -> Result<(), Error> {
        let mut all = PUT_OFF.with_borrow_mut(|all| all.split_off(self.0.min(all.len())));
        all.sort_by(|(one, _), (other, _)| one.cmp(other));
        all.into_iter().try_for_each(|(_, work)| work(session))
    }

    /// Keeps it put off.
    pub fn keep(self) {
        std::mem::forget(self);
    }
}

impl Drop for Scope {
    fn drop(&mut self) {
        PUT_OFF.with_borrow_mut(|all| all.truncate(self.0));
    }
}
