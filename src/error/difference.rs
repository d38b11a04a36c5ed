//! What differs between what is there and what was given: PC002.

use crate::error::quoted;

/// What is there and what was given, where they are not the same; `None` for NULL.
#[derive(Debug, Clone)]
pub struct Difference {
    /// The argument's name.
    pub what: String,
    /// What is there.
    pub there: Option<String>,
    /// What was given.
    pub given: Option<String>,
}

/// Differences in a sentence.
pub(super) fn each(differences: &[Difference]) -> String {
    let one = |d: &Difference| format!("{} is {}, not {}", d.what, quoted(said(&d.there)), quoted(said(&d.given)));
    differences.iter().map(one).collect::<Vec<_>>().join("; ")
}

/// A value in a sentence.
pub(super) fn said(value: &Option<String>) -> &str {
    value.as_deref().unwrap_or("none")
}
