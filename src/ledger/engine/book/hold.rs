//! Holds: credits set aside for a while, more of them or fewer, spent by one capture or several, and given back.

use crate::amount::Decimal;
use crate::ledger::engine::book::{Book, Short};
use crate::ledger::engine::line::{ClosedHold, Debt, Effect, Hold, HoldStatus, LineType, Source};
use crate::moment::Time;
use uuid::Uuid;

impl Book {
    /// Sets credits aside, all or nothing, until `expires_at`: those that an event of that meter, or with `None` a plain
    /// debit, would draw.
    pub fn hold(&mut self, id: Uuid, meter: Option<&str>, amount: Decimal, expires_at: Time) -> Result<Hold, Short> {
        let mut hold = Hold { id, expires_at, parts: Vec::new() };
        self.hold_more(&mut hold, meter, amount)?;
        Ok(hold)
    }

    /// Sets more credits aside for an open hold, all or nothing.
    pub fn hold_more(&mut self, hold: &mut Hold, meter: Option<&str>, amount: Decimal) -> Result<(), Short> {
        for draw in self.draw_all(meter, amount)? {
            let effect = Effect { balance: -draw.amount, held: draw.amount, ..Effect::default() };
            self.post(LineType::Hold, Some(draw.grant), effect, Some(&Source::Operation(hold.id)), self.posted_at);
            match hold.parts.last_mut() {
                Some((id, part)) if *id == draw.grant.id => *part += draw.amount,
                _ => hold.parts.push((draw.grant.id, draw.amount)),
            }
        }
        self.next_change_at = self.next_change_at.min(hold.expires_at);
        self.spent();
        Ok(())
    }

    /// Gives back a part of what an open hold has, newest draw first; it pays debts. The grants that gave to it must be
    /// loaded.
    pub fn hold_less(&mut self, hold: &mut Hold, amount: Decimal, debts: Vec<Debt>) {
        self.take_debts(debts);
        self.release(hold, amount);
        self.pay_debts(self.posted_at);
    }

    /// Moves when an open hold runs out.
    pub fn hold_until(&mut self, hold: &mut Hold, expires_at: Time) {
        hold.expires_at = expires_at;
        self.next_change_at = self.next_change_at.min(expires_at);
        self.touch();
    }

    /// Spends what an open hold has, in drawdown order. Returns what was spent of each grant, for
    /// [`Book::end_capture`]. The grants that gave to it must be loaded.
    pub fn capture(&mut self, hold: &mut Hold, amount: Decimal, source: &Source) -> Vec<(Uuid, Decimal)> {
        let mut open = amount;
        let mut spent = Vec::new();
        for (grant_id, part) in &mut hold.parts {
            let of_grant = open.min(*part);
            if of_grant > Decimal::ZERO {
                let grant = self.grant(*grant_id).map(|g| g.reference());
                self.broken |= grant.is_none();
                let effect = Effect { held: -of_grant, ..Effect::default() };
                self.post(LineType::Capture, grant, effect, Some(source), self.posted_at);
                spent.push((*grant_id, of_grant));
                *part -= of_grant;
                open -= of_grant;
            }
        }
        self.broken |= !open.is_zero();
        hold.parts.retain(|(_, part)| !part.is_zero());
        spent
    }

    /// Ends a capture, or a release: open clawbacks of what was spent are owed. With a status the hold is closed, and
    /// what it still has goes back, newest draw first; that pays debts.
    pub fn end_capture(
        &mut self,
        hold: &mut Hold,
        spent: &[(Uuid, Decimal)],
        close: Option<HoldStatus>,
        debts: Vec<Debt>,
    ) {
        let at = self.posted_at;
        self.take_debts(debts);
        let rest = hold.amount();
        if close.is_some() {
            self.release(hold, rest);
        }
        for (grant_id, amount) in spent {
            self.owe_spent_clawbacks(*grant_id, *amount, at);
        }
        if let Some(status) = close {
            let captured = spent.iter().map(|(_, amount)| *amount).sum();
            self.closed.push(ClosedHold { id: hold.id, status, captured, released: rest, closed_at: at });
        }
        self.pay_debts(at);
    }

    fn release(&mut self, hold: &mut Hold, amount: Decimal) {
        let mut open = amount;
        while open > Decimal::ZERO {
            let Some((grant_id, part)) = hold.parts.pop() else {
                self.broken = true;
                return;
            };
            let back = open.min(part);
            if back < part {
                hold.parts.push((grant_id, part - back));
            }
            open -= back;
            self.give_back(LineType::Release, &Source::Operation(hold.id), grant_id, back, self.posted_at);
        }
    }

    /// A hold's time ran out: all that it has goes back.
    pub(super) fn expire_hold(&mut self, hold: &Hold, at: Time) {
        for (grant_id, amount) in hold.parts.iter().rev() {
            self.give_back(LineType::Release, &Source::Operation(hold.id), *grant_id, *amount, at);
        }
        let (status, captured) = (HoldStatus::Expired, Decimal::ZERO);
        self.closed.push(ClosedHold { id: hold.id, status, captured, released: hold.amount(), closed_at: at });
    }
}
