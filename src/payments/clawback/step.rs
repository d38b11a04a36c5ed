//! One step of a payment's refunds and disputes, as it is done to the credits of one grant after another.

use crate::amount::Decimal;
use crate::error::Error;
use crate::ledger::engine::book::Reclaimed;
use crate::moment::Time;
use crate::payments::clawback::line::Credits;
use crate::payments::clawback::{give_back, take};
use crate::payments::payment_intent::Intent;
use crate::pg::statement::Session;
use crate::settings::Spent;
use uuid::Uuid;

/// One step of a payment's refunds and disputes.
pub struct Step<'a> {
    /// The operations that are undone, each with its grant.
    pub(super) undone: &'a [(Uuid, Uuid)],
    /// The function that was called.
    pub(super) function: &'a str,
    /// What becomes of credits that are spent.
    pub(super) spent: Spent,
    /// The first operation of it, once there is one.
    pub(super) first: &'a mut Option<Uuid>,
    /// When it is.
    pub(super) now: Time,
}

impl Step<'_> {
    /// When it is.
    pub fn now(&self) -> Time {
        self.now
    }

    /// Brings what went back of the credits of one grant to so many.
    pub fn bring(
        &mut self,
        session: &Session,
        intent: &Intent,
        credits: &mut Credits,
        target: Decimal,
    ) -> Result<Reclaimed, Error> {
        let Some(grant_id) = credits.grant_id else { return Ok(Reclaimed::default()) };
        let before = credits.reclaimed;
        let undone = self.undone.iter().filter(|(_, of)| *of == grant_id).map(|(operation_id, _)| *operation_id);
        let undone: Vec<Uuid> = undone.collect();
        let mut of_line = (intent, &mut *credits, grant_id);
        if !undone.is_empty() || target < before {
            let taken = give_back(session, &mut of_line, target, &undone, self.now)?;
            return Ok(Reclaimed { taken, ..Reclaimed::default() });
        }
        if target <= before {
            return Ok(Reclaimed::default());
        }
        let what = (self.function, target - before, self.spent);
        let reclaimed = take(session, &of_line, what, self.first, self.now)?;
        credits.reclaimed = target;
        Ok(reclaimed)
    }
}
