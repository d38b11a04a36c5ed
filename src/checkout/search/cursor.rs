//! Where a page ends: what was found last. Pure.

use crate::moment::Time;
use std::fmt;
use uuid::Uuid;

/// The last object of a page: newer ones and those that came before it at the same time were returned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cursor {
    /// When it was created.
    pub created_at: Time,
    /// The kind of object, by its place in the order of kinds.
    pub kind: usize,
    /// Its id.
    pub id: String,
}

/// What is not before any id of a kind: a customer's, or a uuid.
pub const NO_KEY: &str = "";
/// The same as a uuid.
pub const NO_UUID: Uuid = Uuid::nil();

impl Cursor {
    /// Reads what `Display` writes; `names` are the names of the kinds in order.
    pub fn read(text: &str, names: &[&str]) -> Option<Cursor> {
        let mut parts = text.splitn(3, ':');
        let created_at = Time(parts.next()?.parse().ok()?);
        let name = parts.next()?;
        let kind = names.iter().position(|one| *one == name)?;
        let id = parts.next()?.to_string();
        Some(Cursor { created_at, kind, id })
    }

    /// Before which time and id objects of a kind are still to come; they go from the newest to the oldest, at one time by
    /// kind, and then from the greatest id to the least.
    pub fn bound(&self, kind: usize, least: &str) -> (Time, String) {
        match kind.cmp(&self.kind) {
            std::cmp::Ordering::Equal => (self.created_at, self.id.clone()),
            std::cmp::Ordering::Less => (self.created_at, least.to_string()),
            std::cmp::Ordering::Greater => (Time(self.created_at.0.saturating_add(1)), least.to_string()),
        }
    }
}

/// As a page's last row has it, with the name of the kind.
pub struct Shown<'a>(pub &'a Cursor, pub &'a str);

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.0.created_at.0, self.1, self.0.id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_is_read_as_it_was_written() {
        let names = ["customer", "invoice"];
        let cursor = Cursor { created_at: Time(-5), kind: 0, id: "a:b ünd".to_string() };
        assert_eq!(Cursor::read(&Shown(&cursor, "customer").to_string(), &names), Some(cursor));
        for wrong in
            ["", "5", "5:customer", "x:customer:a", "5:refund:a", ":customer:a", "99999999999999999999:customer:a"]
        {
            assert_eq!(Cursor::read(wrong, &names), None, "{wrong}");
        }
    }

    #[test]
    fn kinds_before_it_go_on_earlier() {
        let cursor = Cursor { created_at: Time(5), kind: 1, id: "m".to_string() };
        assert_eq!(cursor.bound(0, NO_KEY), (Time(5), String::new()));
        assert_eq!(cursor.bound(1, NO_KEY), (Time(5), "m".to_string()));
        assert_eq!(cursor.bound(2, NO_KEY), (Time(6), String::new()));
    }
}
