//! The payments of an intent, each with what went back of it: derived from what was reported.

use crate::error::Error;
use crate::payments::payment_intent::Intent;
use crate::payments::reckoning::Payment;
use crate::pg::statement::{Session, Statement};
use crate::pg::value::ToCell;
use crate::pg::value::array::array;
use pgrx::pg_sys::{INT8OID, NUMERICARRAYOID, TEXTARRAYOID, TEXTOID, UUIDOID};

static SAVE: Statement = Statement::new(
    c"INSERT INTO credits_internal.payment_totals (customer_id, top_up_id, payment_no, provider, provider_reference,
      paid_amount, tax,
                                          shipping, discount, subtotal, refunded_amount, disputed_amount)
      SELECT $1, $2, p.payment_no, p.provider, p.provider_reference, p.paid_amount, p.tax, p.shipping, p.discount, p.subtotal,
             p.refunded_amount, p.disputed_amount
      FROM unnest($3, $4, $5, $6, $7, $8, $9, $10, $11)
           WITH ORDINALITY AS p (provider, provider_reference, paid_amount, tax, shipping, discount, subtotal, refunded_amount,
                                 disputed_amount, payment_no)
      ON CONFLICT (customer_id, top_up_id, payment_no) DO UPDATE
      SET provider = excluded.provider, provider_reference = excluded.provider_reference, paid_amount = excluded.paid_amount,
          tax = excluded.tax, shipping = excluded.shipping, discount = excluded.discount, subtotal = excluded.subtotal,
          refunded_amount = excluded.refunded_amount, disputed_amount = excluded.disputed_amount",
    &[
        TEXTOID,
        UUIDOID,
        TEXTARRAYOID,
        TEXTARRAYOID,
        NUMERICARRAYOID,
        NUMERICARRAYOID,
        NUMERICARRAYOID,
        NUMERICARRAYOID,
        NUMERICARRAYOID,
        NUMERICARRAYOID,
        NUMERICARRAYOID,
    ],
);

// One that was only named by a refund that failed after all.
static FORGET: Statement = Statement::new(
    c"DELETE FROM credits_internal.payment_totals WHERE customer_id = $1 AND top_up_id = $2 AND payment_no > $3",
    &[TEXTOID, UUIDOID, INT8OID],
);

/// Writes them.
pub fn save(session: &Session, intent: &Intent, payments: &[Payment]) -> Result<(), Error> {
    let (customer_id, top_up_id) = (intent.customer_id.cell(), intent.id.cell());
    SAVE.run(
        session,
        &[
            customer_id,
            top_up_id,
            array(payments.iter().map(|payment| &payment.provider)),
            array(payments.iter().map(|payment| payment.reference.as_ref())),
            array(payments.iter().map(|payment| payment.paid)),
            array(payments.iter().map(|payment| payment.details.tax)),
            array(payments.iter().map(|payment| payment.details.shipping)),
            array(payments.iter().map(|payment| payment.details.discount)),
            array(payments.iter().map(|payment| payment.details.subtotal)),
            array(payments.iter().map(|payment| payment.refunded)),
            array(payments.iter().map(|payment| payment.disputed)),
        ],
    )?;
    FORGET.run(session, &[customer_id, top_up_id, (payments.len() as i64).cell()]).map(drop)
}
