//! Signing up: a room calls those above it that lib.rs has signed up for what happens in it, and so needs to import none of
//! them.

use std::sync::OnceLock;

/// Those who signed up for what one room announces, in the order in which they are called.
pub struct SignUp<T: ?Sized + Sync + 'static>(OnceLock<&'static [&'static T]>);

impl<T: ?Sized + Sync> SignUp<T> {
    /// Nobody yet.
    pub const fn new() -> Self {
        SignUp(OnceLock::new())
    }

    /// Signs them up, once: what the library is loaded with does not change.
    pub fn set(&self, all: &'static [&'static T]) {
        let _ = self.0.set(all);
    }

    /// All who did.
    pub fn all(&self) -> impl Iterator<Item = &'static T> {
        self.0.get().copied().unwrap_or_default().iter().copied()
    }
}
