//! Instalments: parts of a line's credits, each of which begins at a time of its own. The rows of those of a line that is
//! kept, and what is pure about when they begin and end.

use crate::amount::Decimal;
use crate::error::Error;
use crate::moment::Time;
use crate::pg::statement::{Session, Statement, text};
use crate::pg::value::ToCell;
use crate::pg::value::array::array;
use pgrx::pg_sys::{
    BOOLOID, INT4ARRAYOID, INT4OID, NUMERICARRAYOID, NUMERICOID, TEXTOID, TIMESTAMPTZARRAYOID, TIMESTAMPTZOID, UUIDOID,
};
use uuid::Uuid;

/// One instalment, as it is planned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Instalment {
    /// Its place in the period, from 1.
    pub no: i32,
    /// When it is to begin.
    pub starts_at: Time,
    /// When it is to end: as the next one begins, or the period ends.
    pub ends_at: Time,
    /// How many credits.
    pub credits: Decimal,
}

impl Instalment {
    /// From when it lasts where it is paid at that moment, and until when where it expires with its planned end. What was
    /// planned to have ended by then keeps its length.
    pub fn window(self, paid_at: Time) -> (Time, Time) {
        let start = self.starts_at.max(paid_at);
        if self.ends_at > start {
            return (start, self.ends_at);
        }
        (start, Time(start.0.saturating_add(self.ends_at.0.saturating_sub(self.starts_at.0))))
    }
}

static INSERT: Statement = Statement::new(
    c"INSERT INTO credits_internal.invoice_line_grants (
          customer_id, invoice_line_id, instalment_no, revision, starts_at, ends_at, expires, credits)
      SELECT $1, $2, p.no, 1, p.starts_at, p.ends_at, $3, p.credits
      FROM unnest($4, $5, $6, $7) AS p (no, starts_at, ends_at, credits)",
    &[TEXTOID, UUIDOID, BOOLOID, INT4ARRAYOID, TIMESTAMPTZARRAYOID, TIMESTAMPTZARRAYOID, NUMERICARRAYOID],
);

/// Keeps the instalments of a line that is kept.
pub fn insert(
    session: &Session,
    (customer_id, line_id): (&str, Uuid),
    instalments: &[Instalment],
    expires: bool,
) -> Result<(), Error> {
    let cells = [
        customer_id.cell(),
        line_id.cell(),
        expires.cell(),
        array(instalments.iter().map(|one| one.no)),
        array(instalments.iter().map(|one| one.starts_at)),
        array(instalments.iter().map(|one| one.ends_at)),
        array(instalments.iter().map(|one| one.credits)),
    ];
    INSERT.run(session, &cells).map(drop)
}

/// An instalment that is kept.
#[derive(Debug, Clone)]
pub struct Kept {
    /// The line.
    pub line_id: Uuid,
    /// How it is planned.
    pub plan: Instalment,
    /// How often it was planned.
    pub revision: i32,
    /// Whether what is left of it expires as it is planned to end.
    pub expires: bool,
    /// Its grant, once it is paid.
    pub grant_id: Option<Uuid>,
    /// Where it was ended before and planned again: its part of what was paid for the grants that it had, and all of that.
    pub had: Option<(Decimal, Decimal)>,
    /// The currency of the credits.
    pub currency: String,
    /// Its decimals.
    pub decimals: u32,
}

static OF_LINE: Statement = Statement::new(
    c"SELECT g.instalment_no, g.starts_at, g.ends_at, g.credits, g.revision, g.expires, g.grant_id,
             round(h.cost * g.credits / h.credits, m.decimals), h.cost, f.currency, f.decimals::int
      FROM credits_internal.invoice_line_grants g
      JOIN credits_internal.invoice_lines l
        ON l.customer_id = g.customer_id AND l.invoice_line_id = g.invoice_line_id
      JOIN credits_internal.currencies f ON f.currency = l.credit_currency
      JOIN credits_internal.currencies m ON m.currency = l.currency
      LEFT JOIN LATERAL (
          SELECT sum(c.cost_amount) AS cost, max(b.credits) FILTER (WHERE b.revision = 1) AS credits
          FROM credits_internal.invoice_line_grants b
          JOIN credits_internal.credit_grants c ON c.customer_id = b.customer_id AND c.grant_id = b.grant_id
          WHERE b.customer_id = g.customer_id AND b.invoice_line_id = g.invoice_line_id
            AND b.instalment_no = g.instalment_no AND b.revision < g.revision) h ON true
      WHERE g.customer_id = $1 AND g.invoice_line_id = $2 AND g.ended_at IS NULL ORDER BY g.instalment_no",
    &[TEXTOID, UUIDOID],
);

/// Those of a line that were not ended, in their order.
pub fn of(session: &Session, customer_id: &str, line_id: Uuid) -> Result<Vec<Kept>, Error> {
    let rows = OF_LINE.run(session, &[customer_id.cell(), line_id.cell()])?;
    let read = |mut row: crate::pg::statement::Row<'_>| {
        let plan = Instalment { no: row.next()?, starts_at: row.next()?, ends_at: row.next()?, credits: row.next()? };
        let (revision, expires, grant_id) = (row.next()?, row.next()?, row.next()?);
        let (part, all): (Option<Decimal>, Option<Decimal>) = (row.next()?, row.next()?);
        let (currency, decimals) = (row.next()?, row.next::<i32>()?.unsigned_abs());
        Ok(Kept { line_id, plan, revision, expires, grant_id, had: part.zip(all), currency, decimals })
    };
    rows.iter().map(read).collect()
}

static GRANTED: Statement = Statement::new(
    c"UPDATE credits_internal.invoice_line_grants g SET grant_id = $5
      WHERE g.customer_id = $1 AND g.invoice_line_id = $2 AND g.instalment_no = $3 AND g.revision = $4",
    &[TEXTOID, UUIDOID, INT4OID, INT4OID, UUIDOID],
);

// What this grant is for, those that it had before are for no more: what is left of the cost stays with the last of them.
static MOVE_COST: Statement = Statement::new(
    c"UPDATE credits_internal.credit_grants c
      SET cost_amount = n.cost, cost_basis = trim_scale(round(n.cost / c.amount, 12))
      FROM credits_internal.invoice_line_grants b
      CROSS JOIN LATERAL (
          SELECT CASE WHEN EXISTS (SELECT FROM credits_internal.invoice_line_grants m
                                   WHERE m.customer_id = b.customer_id AND m.invoice_line_id = b.invoice_line_id
                                     AND m.instalment_no = b.instalment_no AND m.revision > b.revision AND m.revision < $4
                                     AND m.grant_id IS NOT NULL) THEN 0 ELSE $5 END AS cost) n
      WHERE b.customer_id = $1 AND b.invoice_line_id = $2 AND b.instalment_no = $3 AND b.revision < $4
        AND c.customer_id = b.customer_id AND c.grant_id = b.grant_id",
    &[TEXTOID, UUIDOID, INT4OID, INT4OID, NUMERICOID],
);

/// It has a grant.
pub fn granted(session: &Session, customer_id: &str, kept: &Kept, grant_id: Uuid) -> Result<(), Error> {
    let cells = [customer_id.cell(), kept.line_id.cell(), kept.plan.no.cell(), kept.revision.cell(), grant_id.cell()];
    GRANTED.run(session, &cells)?;
    let Some((part, all)) = kept.had else { return Ok(()) };
    let [a, b, c, d, _] = cells;
    MOVE_COST.run(session, &[a, b, c, d, (all - part).cell()]).map(drop)
}

// Where nothing is left of it, it is ended.
static LOWER: Statement = Statement::new(
    c"UPDATE credits_internal.invoice_line_grants g
      SET credits = CASE WHEN g.credits > $5 THEN g.credits - $5 ELSE g.credits END,
          ends_at = CASE WHEN g.credits > $5 AND g.starts_at < $6 THEN $6 ELSE g.ends_at END,
          ended_at = CASE WHEN g.credits > $5 THEN g.ended_at ELSE $6 END
      WHERE g.customer_id = $1 AND g.invoice_line_id = $2 AND g.instalment_no = $3 AND g.revision = $4",
    &[TEXTOID, UUIDOID, INT4OID, INT4OID, NUMERICOID, TIMESTAMPTZOID],
);
static LOWER_LINE: Statement = Statement::new(
    c"UPDATE credits_internal.invoice_lines l SET credits = l.credits - $3
      WHERE l.customer_id = $1 AND l.invoice_line_id = $2 AND l.credits > $3",
    &[TEXTOID, UUIDOID, NUMERICOID],
);

/// One that is not paid is for so many credits less, and ends then.
pub fn lower(session: &Session, customer_id: &str, kept: &Kept, credits: Decimal, at: Time) -> Result<(), Error> {
    let (customer, line, less) = (customer_id.cell(), kept.line_id.cell(), credits.cell());
    let cells = [customer, line, kept.plan.no.cell(), kept.revision.cell(), less, at.cell()];
    LOWER.run(session, &cells)?;
    // What was planned again is not counted twice.
    if credits < kept.plan.credits && kept.revision == 1 {
        LOWER_LINE.run(session, &[customer, line, less])?;
    }
    Ok(())
}

// The price's terms, or its product's.
static WITHHOLD: Statement = Statement::new(
    c"UPDATE credits_internal.invoice_line_grants g SET ended_at = $3
      FROM credits_internal.invoice_lines l
      JOIN credits_internal.subscription_items i
        ON i.customer_id = l.customer_id AND i.subscription_item_id = l.subscription_item_id
      JOIN credits_internal.subscriptions s ON s.customer_id = i.customer_id AND s.subscription_id = i.subscription_id
      JOIN credits_internal.prices p ON p.price_id = l.price_id
      JOIN credits_internal.products o ON o.product_id = p.product_id
      WHERE l.customer_id = $1 AND l.invoice_id = $2 AND NOT s.has_paid
        AND coalesce(p.credit_config, o.credit_config) #>> '{schedule,first_grant}' = 'after_first_payment'
        AND g.customer_id = l.customer_id AND g.invoice_line_id = l.invoice_line_id AND g.grant_id IS NULL
        AND g.ended_at IS NULL",
    &[TEXTOID, UUIDOID, TIMESTAMPTZOID],
);

/// Nothing is to be paid of an invoice: those of its lines that wait for the first payment of their subscription are none,
/// where there was none before.
pub fn withhold(session: &Session, customer_id: &str, invoice_id: Uuid, now: Time) -> Result<(), Error> {
    WITHHOLD.run(session, &[customer_id.cell(), invoice_id.cell(), now.cell()]).map(drop)
}

static AGAIN: Statement = Statement::new(
    c"INSERT INTO credits_internal.invoice_line_grants (
          customer_id, invoice_line_id, instalment_no, revision, starts_at, ends_at, expires, credits)
      SELECT g.customer_id, g.invoice_line_id, g.instalment_no, g.revision + 1, g.starts_at, g.ends_at, g.expires,
             coalesce($5, g.credits - g.reclaimed)
      FROM credits_internal.invoice_line_grants g
      WHERE g.customer_id = $1 AND g.invoice_line_id = $2 AND g.instalment_no = $3 AND g.revision = $4
        AND ($5 IS NOT NULL OR g.ended_at IS NOT NULL AND NOT g.paid_back AND g.credits > g.reclaimed)",
    &[TEXTOID, UUIDOID, INT4OID, INT4OID, NUMERICOID],
);

/// The next revision of one: with so many credits; or of one that was ended, and whose price was not paid back, with what is
/// left of them. Returns whether there is any.
pub fn again(
    session: &Session,
    (customer_id, line_id): (&str, Uuid),
    (no, revision): (i32, i32),
    credits: Option<Decimal>,
) -> Result<bool, Error> {
    let cells = [customer_id.cell(), line_id.cell(), no.cell(), revision.cell(), credits.cell()];
    Ok(AGAIN.run(session, &cells)?.written() > 0)
}

// Each has its last revision again, which has no grant: with all that it was planned for at first.
macro_rules! kept_ended {
    ($values:literal, $which:literal) => {
        text!(
            "INSERT INTO credits_internal.invoice_line_grants (
                 customer_id, invoice_line_id, instalment_no, revision, starts_at, ends_at, expires, credits, ended_at,
                 reclaimed, paid_back)
             SELECT g.customer_id, g.invoice_line_id, g.instalment_no, g.revision + 1, g.starts_at, g.ends_at, g.expires,
                    w.credits, $5, ",
            $values,
            " FROM credits_internal.invoice_line_grants g
              JOIN credits_internal.invoice_line_grants w
                ON w.customer_id = g.customer_id AND w.invoice_line_id = g.invoice_line_id
                   AND w.instalment_no = g.instalment_no AND w.revision = 1
              WHERE g.customer_id = $1 AND g.invoice_line_id = $2 AND g.instalment_no = $3 AND g.revision = $4 AND ",
            $which
        )
    };
}

static HELD_BACK: Statement = Statement::new(
    kept_ended!("$6, false", "g.ended_at IS NOT NULL"),
    &[TEXTOID, UUIDOID, INT4OID, INT4OID, TIMESTAMPTZOID, NUMERICOID],
);

/// One that was ended stays so, and so much of all of it is paid back: what is granted of it again, once it may, is less by
/// that.
pub fn hold_back(
    session: &Session,
    (customer_id, line_id): (&str, Uuid),
    (no, revision): (i32, i32),
    paid_back: Decimal,
    now: Time,
) -> Result<(), Error> {
    let cells = [customer_id.cell(), line_id.cell(), no.cell(), revision.cell(), now.cell(), paid_back.cell()];
    HELD_BACK.run(session, &cells).map(drop)
}

static LET_GO: Statement = Statement::new(
    kept_ended!("0, true", "g.ended_at IS NOT NULL AND NOT g.paid_back AND g.reclaimed >= g.credits"),
    &[TEXTOID, UUIDOID, INT4OID, INT4OID, TIMESTAMPTZOID],
);

/// One that was ended may be granted again, and all of it is paid back: it is, as soon as that fails.
pub fn let_go(
    session: &Session,
    (customer_id, line_id): (&str, Uuid),
    (no, revision): (i32, i32),
    now: Time,
) -> Result<(), Error> {
    let cells = [customer_id.cell(), line_id.cell(), no.cell(), revision.cell(), now.cell()];
    LET_GO.run(session, &cells).map(drop)
}

static CUT: Statement = Statement::new(
    c"UPDATE credits_internal.invoice_line_grants g SET ends_at = $4
      WHERE g.customer_id = $1 AND g.invoice_line_id = $2 AND g.instalment_no = $3 AND g.ended_at IS NULL
        AND g.starts_at < $4 AND g.ends_at > $4",
    &[TEXTOID, UUIDOID, INT4OID, TIMESTAMPTZOID],
);

/// One of a line that is under way is for the time until then alone: what it had for later was taken.
pub fn cut(session: &Session, customer_id: &str, (line_id, no): (Uuid, i32), at: Time) -> Result<(), Error> {
    CUT.run(session, &[customer_id.cell(), line_id.cell(), no.cell(), at.cell()]).map(drop)
}

static ENDED: Statement = Statement::new(
    c"UPDATE credits_internal.invoice_line_grants g SET ended_at = $5
      WHERE g.customer_id = $1 AND g.invoice_line_id = $2 AND g.instalment_no = $3 AND g.revision = $4",
    &[TEXTOID, UUIDOID, INT4OID, INT4OID, TIMESTAMPTZOID],
);

/// It is ended before its time.
pub fn ended(session: &Session, customer_id: &str, kept: &Kept, now: Time) -> Result<(), Error> {
    let cells = [customer_id.cell(), kept.line_id.cell(), kept.plan.no.cell(), kept.revision.cell(), now.cell()];
    ENDED.run(session, &cells).map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paid_late() {
        let one = Instalment { no: 1, starts_at: Time(10), ends_at: Time(40), credits: Decimal::ONE };
        for (paid_at, window) in [(0, (10, 40)), (10, (10, 40)), (30, (30, 40)), (40, (40, 70)), (99, (99, 129))] {
            assert_eq!(one.window(Time(paid_at)), (Time(window.0), Time(window.1)));
        }
    }
}
