//! Signing up listeners: a room calls the rooms above it that lib.rs has signed up, and so does not import them.

use std::sync::OnceLock;

/// The listeners of one room, in the order in which they are called.
pub struct SignUp<T: ?Sized + Sync + 'static>(OnceLock<&'static [&'static T]>);

impl<T: ?Sized + Sync> SignUp<T> {
    /// No listeners yet.
    pub const fn new() -> Self {
        SignUp(OnceLock::new())
    }

    /// Signs up all listeners, once, when the library is loaded.
    pub fn set(&self, all: &'static [&'static T]) {
        let _ = self.0.set(all);
    }

    /// All listeners.
    pub fn all(&self) -> impl Iterator<Item = &'static T> {
        self.0.get().copied().unwrap_or_default().iter().copied()
    }
}
