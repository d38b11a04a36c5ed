//! Who uses a coupon or a code, for readers.

use crate::amount::Decimal;
use crate::error::Error;
use crate::input;
use crate::moment::Time;
use crate::pg::call::argument::Id;
use crate::pg::call::reply::Many;
use crate::pg::statement::{Session, Statement, text};
use crate::pg::value::{Json, ToCell};
use crate::row;
use pgrx::pg_sys::{INT8OID, TEXTOID, UUIDOID};
use uuid::Uuid;

row! {
    /// A use of a coupon.
    pub struct RedemptionRow {
        /// Whose.
        pub customer_id: String,
        /// A person's or a company's.
        pub customer_name: Option<String>,
        /// What has it.
        pub holder_id: Uuid,
        /// 'invoice', 'subscription' or 'voucher'.
        pub holder_type: String,
        /// The coupon.
        pub coupon_id: Uuid,
        /// The code.
        pub promotion_code_id: Option<Uuid>,
        /// As it was made.
        pub code: Option<String>,
        /// What it takes off, or the credits that it gave.
        pub amount: Decimal,
        /// The currency of the amount.
        pub currency: String,
        /// 'reserved' or 'confirmed'.
        pub status: String,
        /// Whether nothing was left any more.
        pub over_quota: bool,
        /// When it was reserved.
        pub reserved_at: Time,
        /// When it may go to others.
        pub expires_at: Option<Time>,
        /// When it was paid for.
        pub confirmed_at: Option<Time>,
        /// How the application knew.
        pub verification_method: Option<String>,
        /// What it vouched with.
        pub verification_data: Option<Json>,
    } read
}

macro_rules! listing {
    ($id:literal) => {
        text!(
            "SELECT h.* FROM credits_internal.held_redemptions h WHERE h.",
            $id,
            " = $1 AND h.holder_id < coalesce($2, 'ffffffff-ffff-ffff-ffff-ffffffffffff')
               AND coalesce(h.holder_type = $3, true)
             ORDER BY h.holder_id DESC LIMIT $4"
        )
    };
}

const PARAMETERS: [pgrx::pg_sys::Oid; 4] = [UUIDOID, UUIDOID, TEXTOID, INT8OID];

/// Of a coupon.
pub static OF_COUPON: Statement = Statement::in_order(listing!("coupon_id"), &PARAMETERS);
/// Of a code.
pub static OF_CODE: Statement = Statement::in_order(listing!("promotion_code_id"), &PARAMETERS);

/// Which of them, and how many.
pub struct Page {
    holder_type: Option<&'static str>,
    size: i64,
    after: Option<Uuid>,
}

impl Page {
    /// As it is asked for. Raises PC013.
    pub fn read(kind: Option<&str>, size: Option<i32>, after: Option<Id>) -> Result<Self, Error> {
        let kind = input::choice("type", kind, "customer", &["customer", "subscription"])?;
        let holder_type = (kind == "subscription").then_some("subscription");
        Ok(Page { holder_type, size: input::page_size(size)?, after: after.map(|id| id.0) })
    }

    /// Those of a coupon or a code, by one of the statements.
    pub fn of(&self, session: &Session, statement: &'static Statement, id: Uuid) -> Result<Many<RedemptionRow>, Error> {
        let cells = [id.cell(), self.after.cell(), self.holder_type.cell(), self.size.cell()];
        let rows = statement.run(session, &cells)?;
        rows.iter().map(RedemptionRow::read).collect::<Result<_, _>>().map(Many)
    }
}
