//! Credits that go back of a line that is granted in instalments: those that have not begun first, the latest first. One
//! that has not begun is granted anew with what is left of it, and again with all of it where the money did not go back
//! after all.

use crate::amount::Decimal;
use crate::error::Error;
use crate::invoicing::effect;
use crate::invoicing::line::instalment;
use crate::ledger::engine::book::Reclaimed;
use crate::ledger::engine::drawdown::Status;
use crate::ledger::grant::ending;
use crate::payments::clawback::line::Credits;
use crate::payments::clawback::{self, Step};
use crate::payments::payment_intent::Intent;
use crate::pg::statement::{Session, Statement};
use crate::pg::value::ToCell;
use pgrx::pg_sys::{INT4OID, NUMERICOID, TEXTOID, TIMESTAMPTZOID, UUIDOID};
use uuid::Uuid;

// The last revision of each, with what it was planned for at first; those that begin last come first.
static OF: Statement = Statement::new(
    c"SELECT g.instalment_no, g.revision, w.credits, g.credits, g.grant_id, g.reclaimed, g.ended_at IS NOT NULL, g.paid_back,
             c.status = 'pending' AND c.effective_at > $3
      FROM credits_internal.invoice_line_grants g
      JOIN credits_internal.invoice_line_grants w
        ON w.customer_id = g.customer_id AND w.invoice_line_id = g.invoice_line_id AND w.instalment_no = g.instalment_no
           AND w.revision = 1
      LEFT JOIN credits_internal.credit_grants c ON c.customer_id = g.customer_id AND c.grant_id = g.grant_id
      WHERE g.customer_id = $1 AND g.invoice_line_id = $2
        AND NOT EXISTS (SELECT FROM credits_internal.invoice_line_grants n
                        WHERE n.customer_id = g.customer_id AND n.invoice_line_id = g.invoice_line_id
                          AND n.instalment_no = g.instalment_no AND n.revision > g.revision)
      ORDER BY g.instalment_no DESC",
    &[TEXTOID, UUIDOID, TIMESTAMPTZOID],
);

/// An instalment as it stands.
struct One {
    no: i32,
    revision: i32,
    /// What it was planned for.
    whole: Decimal,
    /// What it is for now.
    credits: Decimal,
    grant_id: Option<Uuid>,
    reclaimed: Decimal,
    is_ended: bool,
    /// Ended since its price was paid back.
    is_paid_back: bool,
    is_to_come: bool,
}

static SAVE: Statement = Statement::new(
    c"UPDATE credits_internal.invoice_line_grants g SET reclaimed = $5
      WHERE g.customer_id = $1 AND g.invoice_line_id = $2 AND g.instalment_no = $3 AND g.revision = $4",
    &[TEXTOID, UUIDOID, INT4OID, INT4OID, NUMERICOID],
);

static END: Statement = Statement::new(
    c"UPDATE credits_internal.invoice_line_grants g SET ended_at = $5, paid_back = true
      WHERE g.customer_id = $1 AND g.invoice_line_id = $2 AND g.instalment_no = $3 AND g.revision = $4",
    &[TEXTOID, UUIDOID, INT4OID, INT4OID, TIMESTAMPTZOID],
);

/// Brings what went back of a line's instalments to what the line says.
pub fn instalments(
    session: &Session,
    intent: &Intent,
    (line_id, line): (Uuid, &Credits),
    step: &mut Step<'_>,
) -> Result<Reclaimed, Error> {
    let customer_id = intent.customer_id.as_str();
    let mut all = Vec::new();
    for mut row in OF.run(session, &[customer_id.cell(), line_id.cell(), step.now().cell()])?.iter() {
        all.push(One {
            no: row.next()?,
            revision: row.next()?,
            whole: row.next()?,
            credits: row.next()?,
            grant_id: row.next()?,
            reclaimed: row.next()?,
            is_ended: row.next()?,
            is_paid_back: row.next()?,
            is_to_come: row.next::<Option<bool>>()?.unwrap_or_default(),
        });
    }
    let (mut left, mut sum, mut again) = (line.reclaimed, Reclaimed::default(), false);
    for one in all {
        let gone = left.min(one.whole);
        left -= gone;
        let [a, b, c, d] = [customer_id.cell(), line_id.cell(), one.no.cell(), one.revision.cell()];
        if one.is_ended && !one.is_paid_back {
            // Nothing of it is there; what is granted of it again is less by this.
            let wanted = one.whole - gone;
            if wanted > one.credits {
                instalment::hold_back(session, (customer_id, line_id), (one.no, one.revision), gone, step.now())?;
            } else {
                SAVE.run(session, &[a, b, c, d, (one.credits - wanted).cell()])?;
            }
            continue;
        }
        if one.is_to_come || one.is_ended {
            let there = if one.is_ended { Decimal::ZERO } else { one.credits };
            let wanted = one.whole - gone;
            if wanted == there {
                continue;
            }
            if let Some(grant_id) = one.grant_id.filter(|_| !one.is_ended) {
                ending::end(session, customer_id, grant_id, Status::Voided, Some("Its price was paid back"))?;
                END.run(session, &[a, b, c, d, step.now().cell()])?;
            }
            sum.taken += there - wanted;
            if wanted > Decimal::ZERO {
                instalment::again(session, (customer_id, line_id), (one.no, one.revision), Some(wanted))?;
                again = true;
            }
            continue;
        }
        // What has begun, perhaps with less than it was planned for.
        let target = (gone - (one.whole - one.credits)).max(Decimal::ZERO);
        let mut credits = Credits {
            amount: one.credits,
            currency: line.currency.clone(),
            decimals: line.decimals,
            grant_id: one.grant_id,
            reclaimed: one.reclaimed,
            applicable_meters: line.applicable_meters.clone(),
            in_instalments: false,
        };
        let reclaimed = step.bring(session, intent, &mut credits, target)?;
        clawback::add(&mut sum, reclaimed);
        SAVE.run(session, &[a, b, c, d, credits.reclaimed.cell()])?;
    }
    if again {
        effect::grant_again(session, customer_id, line_id)?;
    }
    Ok(sum)
}
