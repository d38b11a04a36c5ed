//! Numbers of invoices: a prefix of the customer's own, and a sequence without gaps. The counter's row is
//! locked after accounts, and a number that is rolled back was never given.

use crate::error::Error;
use crate::pg::statement::{Session, Statement};
use crate::pg::value::ToCell;
use pgrx::pg_sys::TEXTOID;
use sha2::{Digest, Sha256};

/// The digits of a prefix: none that is taken for another.
const DIGITS: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
/// So many a prefix has.
const LENGTH: usize = 10;

static NEXT: Statement = Statement::new(
    c"INSERT INTO credits_internal.invoice_numbers AS n (customer_id, prefix, last_no) VALUES ($1, $2, 1)
      ON CONFLICT (customer_id, prefix) DO UPDATE SET last_no = n.last_no + 1
      RETURNING n.last_no",
    &[TEXTOID, TEXTOID],
);

/// An invoice's number.
pub struct Number {
    /// Before the sequence.
    pub prefix: String,
    /// Its place in the sequence, from 1.
    pub no: i64,
}

impl Number {
    /// As people read it.
    pub fn text(&self) -> String {
        format!("{}-{:04}", self.prefix, self.no)
    }
}

/// The next number of a customer, with a prefix of its own or one that is made up.
pub fn next(session: &Session, customer_id: &str, own: Option<&str>) -> Result<Number, Error> {
    let prefix = own.map_or_else(|| prefix(customer_id), String::from);
    let rows = NEXT.run(session, &[customer_id.cell(), prefix.cell()])?;
    let no = rows.first().ok_or_else(|| Error::internal("a counter was not written"))?.next()?;
    Ok(Number { prefix, no })
}

/// A prefix that follows from the customer's key, and hardly from another's.
fn prefix(customer_id: &str) -> String {
    let hash = Sha256::digest(customer_id.as_bytes());
    hash.iter().take(LENGTH).map(|byte| char::from(DIGITS[usize::from(byte % 32)])).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_read_by_people() {
        assert_eq!(prefix("ann").len(), LENGTH);
        assert_eq!(prefix("ann"), prefix("ann"));
        assert_ne!(prefix("ann"), prefix("bob"));
        assert_eq!(Number { prefix: String::from("ANN"), no: 7 }.text(), "ANN-0007");
        assert_eq!(Number { prefix: String::from("ANN"), no: 12_345 }.text(), "ANN-12345");
    }
}
