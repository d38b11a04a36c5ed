//! Time as the ledger counts it. Pure; what "now" is comes from [`crate::settings`].

/// A moment: microseconds since 2000-01-01 00:00 UTC, as PostgreSQL stores a `timestamptz`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Time(pub i64);

impl Time {
    /// PostgreSQL's 'infinity': after every moment.
    pub const NEVER: Time = Time(i64::MAX);

    /// PostgreSQL's '-infinity': before every moment.
    pub const BEGINNING: Time = Time(i64::MIN);

    /// Whether it is a moment at all, and neither 'infinity' nor '-infinity'.
    pub fn is_finite(self) -> bool {
        self.0 != i64::MAX && self.0 != i64::MIN
    }

    /// The moment so many seconds later (or earlier), held within what can be counted.
    pub fn plus_seconds(self, seconds: i64) -> Time {
        Time(self.0.saturating_add(seconds.saturating_mul(1_000_000)))
    }
}
