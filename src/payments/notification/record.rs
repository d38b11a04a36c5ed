//! What is recorded of a purchase's notifications: a row for each thing that was reported.

use crate::error::Error;
use crate::payments::notification::case::Case;
use crate::payments::notification::{Applied, Notification};
use crate::payments::reckoning::{Details, Fact, Kind};
use crate::pg::statement::{Row, Session, Statement, text};
use crate::pg::value::ToCell;
use pgrx::pg_sys::{BOOLOID, NUMERICOID, TEXTOID, TIMESTAMPTZOID, UUIDOID};
use serde_json::json;
use uuid::Uuid;

/// What was recorded of a notification.
pub struct Recorded {
    /// What it reported.
    pub fact: Fact,
    /// Whether it counts: what contradicts what was recorded before may not.
    pub counts: bool,
    /// What did not fit that.
    pub contradiction: Option<String>,
    /// The operation that took credits for it.
    pub operation_id: Option<Uuid>,
}

macro_rules! of_intent {
    ($asked:literal) => {
        text!(
            "SELECT p.type, p.provider, p.provider_reference, p.payment_reference, p.amount, p.total_refunded, p.tax,
                    p.shipping, p.discount, p.subtotal, ",
            $asked,
            ", p.counts, p.contradiction, p.operation_id
             FROM credits_internal.payments p WHERE p.customer_id = $1 AND p.top_up_id = $2
             ORDER BY p.customer_id, p.top_up_id, p.payment_id"
        )
    };
}
// One that was asked for here has its id for a name.
static OF_PURCHASE: Statement = Statement::new(
    of_intent!(
        "p.type = 'refunded' AND EXISTS (
             SELECT FROM credits_internal.refunds u
             WHERE u.customer_id = p.customer_id AND u.payment_intent_id = p.top_up_id
               AND u.refund_id::text = p.provider_reference)"
    ),
    &[TEXTOID, UUIDOID],
)
.before(of_intent!("false"));

/// What was recorded of a top-up, in that order.
pub fn of(session: &Session, customer_id: &str, top_up_id: Uuid) -> Result<Vec<Recorded>, Error> {
    OF_PURCHASE.run(session, &[customer_id.cell(), top_up_id.cell()])?.iter().map(read).collect()
}

fn read(mut row: Row<'_>) -> Result<Recorded, Error> {
    Ok(Recorded {
        fact: Fact {
            kind: Kind::parse(&row.next::<String>()?)
                .ok_or_else(|| Error::internal("a payment's record is of an unknown type"))?,
            provider: row.next()?,
            reference: row.next()?,
            payment: row.next()?,
            amount: row.next()?,
            total: row.next()?,
            details: Details { tax: row.next()?, shipping: row.next()?, discount: row.next()?, subtotal: row.next()? },
            asked: row.next()?,
        },
        counts: row.next()?,
        contradiction: row.next()?,
        operation_id: row.next()?,
    })
}

/// What is recorded of a notification now.
pub struct Entry<'a> {
    /// What it reports.
    pub fact: &'a Fact,
    /// The currency of its amounts; `None` for the top-up's.
    pub currency: Option<&'a str>,
    /// What does not fit what was recorded before.
    pub contradiction: Option<&'a str>,
    /// Whether it counts all the same.
    pub counts: bool,
    /// The operation that took credits for it.
    pub operation_id: Option<Uuid>,
}

impl<'a> Entry<'a> {
    /// One that counts and took nothing.
    pub fn counting(fact: &'a Fact, contradiction: Option<&'a str>) -> Self {
        Entry { fact, currency: None, contradiction, counts: true, operation_id: None }
    }
}

static RECORD: Statement = Statement::new(
    c"INSERT INTO credits_internal.payments (customer_id, payment_id, top_up_id, type, provider, provider_reference, payment_reference,
                                    amount, total_refunded, tax, shipping, discount, subtotal, currency, counts,
                                    contradiction, operation_id, created_at)
      VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18)",
    &[
        TEXTOID,
        UUIDOID,
        UUIDOID,
        TEXTOID,
        TEXTOID,
        TEXTOID,
        TEXTOID,
        NUMERICOID,
        NUMERICOID,
        NUMERICOID,
        NUMERICOID,
        NUMERICOID,
        NUMERICOID,
        TEXTOID,
        BOOLOID,
        TEXTOID,
        UUIDOID,
        TIMESTAMPTZOID,
    ],
);

/// Records a notification; a contradiction is published.
pub fn write(session: &Session, case: &Case, entry: &Entry<'_>) -> Result<(), Error> {
    let (fact, intent) = (entry.fact, &case.intent);
    let foreign = entry.currency.filter(|currency| !currency.eq_ignore_ascii_case(&intent.currency));
    let currency = foreign.map_or_else(|| intent.currency.clone(), str::to_uppercase);
    RECORD.run(
        session,
        &[
            intent.customer_id.cell(),
            Uuid::now_v7().cell(),
            intent.id.cell(),
            fact.kind.as_str().cell(),
            fact.provider.cell(),
            fact.reference.cell(),
            fact.payment.cell(),
            fact.amount.cell(),
            fact.total.cell(),
            fact.details.tax.cell(),
            fact.details.shipping.cell(),
            fact.details.discount.cell(),
            fact.details.subtotal.cell(),
            currency.cell(),
            entry.counts.cell(),
            entry.contradiction.cell(),
            entry.operation_id.cell(),
            case.now.cell(),
        ],
    )?;
    let Some(contradiction) = entry.contradiction else { return Ok(()) };
    let mut payload = intent.named();
    for (name, value) in [
        ("type", json!(fact.kind.as_str())),
        ("provider", json!(fact.provider)),
        ("provider_reference", json!(fact.reference)),
        ("amount", json!(fact.amount.or(fact.total).map(|amount| amount.normalize().to_string()))),
        ("contradiction", json!(contradiction)),
    ] {
        payload[name] = value;
    }
    if let Some(payment) = &fact.payment {
        payload["payment_reference"] = json!(payment);
    }
    if foreign.is_some() {
        payload["currency"] = json!(currency);
    }
    case.publish(session, ("payment.contradiction", "payment.contradiction"), &payload);
    Ok(())
}

/// Records a notification that changes nothing, and why.
pub fn refuse(
    session: &Session,
    case: &Case,
    fact: &Fact,
    notification: &Notification<'_>,
    contradiction: &str,
) -> Result<Applied, Error> {
    let contradiction = Some(contradiction);
    let entry = Entry { fact, currency: notification.currency, contradiction, counts: false, operation_id: None };
    write(session, case, &entry)?;
    Ok(Applied::now(contradiction))
}

static SUPERSEDE: Statement = Statement::new(
    c"UPDATE credits_internal.payments SET counts = false
      WHERE customer_id = $1 AND top_up_id = $2 AND type = $3 AND provider = $4 AND provider_reference = $5 AND counts",
    &[TEXTOID, UUIDOID, TEXTOID, TEXTOID, TEXTOID],
);

impl Case {
    /// What was recorded there counts no longer: it is reported again, and better.
    pub fn supersede(&mut self, session: &Session, place: usize) -> Result<(), Error> {
        let Some(recorded) = self.recorded.get_mut(place) else { return Ok(()) };
        let fact = &recorded.fact;
        let cells = [
            self.intent.customer_id.cell(),
            self.intent.id.cell(),
            fact.kind.as_str().cell(),
            fact.provider.cell(),
            fact.reference.cell(),
        ];
        SUPERSEDE.run(session, &cells)?;
        recorded.counts = false;
        Ok(())
    }
}
