//! The past: while history is imported, the moment that calls take for now. Then nothing is refused because of what is set
//! today, and nothing is announced: it happened long ago.

use crate::moment::Time;
use std::cell::Cell;

thread_local! {
    static AS_OF: Cell<Option<AsOf>> = const { Cell::new(None) };
}

/// As of when history goes on, and when it is recorded.
#[derive(Debug, Clone, Copy)]
struct AsOf {
    at: Time,
    recorded_at: Time,
}

/// What calls take for now, if history is being imported.
pub fn at() -> Option<Time> {
    AS_OF.get().map(|as_of| as_of.at)
}

/// When history is being imported, really; `None` if none is.
pub fn recorded_at() -> Option<Time> {
    AS_OF.get().map(|as_of| as_of.recorded_at)
}

/// Whether history is being imported.
pub fn is_set() -> bool {
    AS_OF.get().is_some()
}

/// The import of history: ends when it is dropped, also by an error.
pub struct Import {
    recorded_at: Time,
}

impl Import {
    /// Begins, at that moment.
    pub fn begin(recorded_at: Time) -> Self {
        AS_OF.set(Some(AsOf { at: recorded_at, recorded_at }));
        Import { recorded_at }
    }

    /// Goes on to a moment.
    pub fn go_to(&self, at: Time) {
        AS_OF.set(Some(AsOf { at, recorded_at: self.recorded_at }));
    }
}

impl Drop for Import {
    fn drop(&mut self) {
        AS_OF.set(None);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_ends_where_it_is_dropped() {
        assert!(!is_set());
        {
            let import = Import::begin(Time(9));
            import.go_to(Time(3));
            assert_eq!((at(), recorded_at()), (Some(Time(3)), Some(Time(9))));
        }
        assert_eq!((at(), recorded_at(), is_set()), (None, None, false));
    }
}
