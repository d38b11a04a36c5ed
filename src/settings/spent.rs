//! What a setting may say of credits that are spent and paid back.

use pgrx::guc::PostgresGucEnum;

/// What happens to spent credits whose price is refunded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PostgresGucEnum)]
pub enum Spent {
    /// They are owed.
    #[name = c"pending"]
    Pending,
    /// They are forgiven.
    #[name = c"forgive"]
    Forgiven,
}

impl Spent {
    const ALL: [Spent; 2] = [Spent::Pending, Spent::Forgiven];
    /// All names.
    pub const NAMES: [&str; 2] = [Spent::Pending.as_str(), Spent::Forgiven.as_str()];

    const fn as_str(self) -> &'static str {
        match self {
            Spent::Pending => "pending",
            Spent::Forgiven => "forgive",
        }
    }

    /// The one with that name.
    pub fn parse(name: &str) -> Option<Self> {
        Spent::ALL.into_iter().find(|spent| spent.as_str() == name)
    }
}
