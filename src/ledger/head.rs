//! The head: the grant that pays next, whose remaining the account's own row carries. What it covers, while nothing is
//! due, is one statement of three writes: claim the identifier or key, charge the account where its row allows it,
//! write the line from what that returned. It waits at most for the claim and then for the account's row, and nothing
//! in it depends on any other row. The two such statements are HEAD_PAYS in debit.rs and in metering/event.rs; here is
//! what they come to.

use crate::amount::Decimal;
use crate::error::Error;
use crate::pg::statement::Rows;

/// What the one statement came to.
pub enum Head {
    /// The head paid all.
    Paid {
        /// What a plain debit may take now.
        available: Decimal,
    },
    /// The identifier or key is claimed, and the head alone does not decide.
    Claimed,
    /// The identifier or key belongs to another call.
    Repeat,
}

impl Head {
    /// Reads its answer: no row where the claim was not to be had, else what is available, NULL where nothing was
    /// charged.
    pub fn read(rows: Rows<'_>) -> Result<Self, Error> {
        match rows.first() {
            None => Ok(Head::Repeat),
            Some(mut row) => Ok(match row.next()? {
                Some(available) => Head::Paid { available },
                None => Head::Claimed,
            }),
        }
    }
}
