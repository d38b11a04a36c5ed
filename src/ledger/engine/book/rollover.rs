//! Rollover: part of what remains of a grant as its time runs out goes on, as a grant that begins at that moment. What its
//! id, its end and its cost are follows from the grant that it came from, so that readers see what a posting will write.

use crate::amount::Decimal;
use crate::ledger::engine::book::Book;
use crate::ledger::engine::drawdown::{Grant, Status};
use crate::ledger::engine::line::{Effect, LineType};
use crate::moment::Time;
use crate::moment::length::Length;
use crate::rational::{self, Rational};
use std::collections::HashMap;
use uuid::Uuid;

/// How a grant rolls over: the terms that it has, and what of its row its successor's depends on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rolling {
    /// The first of the grants that rolled over into one another up to this.
    pub root_id: Uuid,
    /// How many of them came before it.
    pub generation: i32,
    /// One of them that the tables have: this, or the last before it.
    pub stored_id: Uuid,
    /// So many percent of what remains go on.
    pub percent: Decimal,
    /// At most so many credits.
    pub max: Option<Decimal>,
    /// So many times more; `None` for any number.
    pub times_left: Option<i32>,
    /// How long what goes on lives.
    pub lives: Length,
    /// Until when, if that is known for the next one, and later than its beginning.
    pub until: Option<Time>,
    /// Of the credits.
    pub decimals: u32,
    /// What was paid for the grant, and the decimals of that money.
    pub cost: Option<(Decimal, u32)>,
    /// What open holds have of it, and until when.
    pub held: Vec<(Time, Decimal)>,
}

/// A grant that another one rolled over into.
#[derive(Debug, Clone)]
pub struct RolledOver {
    /// The new grant.
    pub grant_id: Uuid,
    /// The one whose time ran out.
    pub rolled_from: Uuid,
    /// How many credits went on: what the new one was granted with.
    pub amount: Decimal,
    /// When.
    pub effective_at: Time,
    /// The end of the new one.
    pub expires_at: Time,
    /// Whether the other was suspended, and so the new one is.
    pub suspended: bool,
    /// How the new one rolls over.
    pub rolling: Rolling,
}

impl Rolling {
    /// How many of the credits that remain go on: rounded down to what their currency counts.
    pub fn credits(&self, remaining: Decimal) -> Decimal {
        if self.times_left == Some(0) {
            return Decimal::ZERO;
        }
        let share = rational::of(remaining) * rational::of(self.percent) / rational::of(Decimal::ONE_HUNDRED);
        let share = rational::rounded_down(&share, self.decimals).unwrap_or_default();
        share.min(self.max.unwrap_or(share)).max(Decimal::ZERO).normalize()
    }

    /// Until when a grant lives that begins then.
    fn end(&self, at: Time) -> Time {
        self.until.filter(|until| *until > at).unwrap_or_else(|| self.lives.after(at))
    }

    /// What the credits that go on cost: what the journal passes on by the same line, as a difference of rounded shares.
    fn passed_on(&self, grant: &Grant, remaining: Decimal, credits: Decimal, at: Time) -> Option<(Decimal, u32)> {
        let (cost, decimals) = self.cost?;
        let held = self.held.iter().filter(|(until, _)| *until > at).map(|(_, amount)| *amount);
        let kept = remaining + held.sum::<Decimal>();
        let gone = |kept: Decimal| {
            let share: Rational = rational::of(cost) * rational::of(grant.amount - kept) / rational::of(grant.amount);
            rational::rounded(&share, decimals).unwrap_or_default()
        };
        Some(((gone(kept - credits) - gone(kept)).normalize(), decimals))
    }

    /// The grant that one of which so much remains rolls over into; nothing if none of it goes on.
    pub(super) fn next(&self, grant: &Grant, remaining: Decimal, at: Time) -> Option<(Grant, RolledOver)> {
        let credits = self.credits(remaining);
        if credits.is_zero() {
            return None;
        }
        let suspended = grant.status == Status::Suspended;
        let next = Grant {
            id: next_id(grant.id),
            effective_at: at,
            expires_at: self.end(at),
            amount: credits,
            remaining: credits,
            lapsed: Decimal::ZERO,
            status: if suspended { Status::Suspended } else { Status::Granted },
            was: None,
            clawbacks: Vec::new(),
            reclaimed: false,
            changed: false,
            ..grant.clone()
        };
        let rolling = Rolling {
            generation: self.generation + 1,
            times_left: self.times_left.map(|times| times - 1),
            until: None,
            cost: self.passed_on(grant, remaining, credits, at),
            held: Vec::new(),
            ..self.clone()
        };
        let rolled_over = RolledOver {
            grant_id: next.id,
            rolled_from: grant.id,
            amount: credits,
            effective_at: at,
            expires_at: next.expires_at,
            suspended,
            rolling,
        };
        Some((next, rolled_over))
    }
}

/// The id of what a grant rolls over into: the next after its own. So it is as old as the grant that it came from, where age
/// decides which of two pays first.
pub fn next_id(grant_id: Uuid) -> Uuid {
    // What is random in a version 7: the last 62 bits, which count on from zero after their last number.
    let random = (1 << 62) - 1;
    let id = grant_id.as_u128();
    Uuid::from_u128((id & !random) | ((id + 1) & random))
}

impl Book {
    /// Whether a grant ends at that moment and may roll over then: what a hold gives back at the same moment is still there.
    pub(super) fn rolls_at(&self, grant: &Grant, at: Time) -> bool {
        grant.expires_at == at && self.rolling.contains_key(&grant.id)
    }

    /// Part of what remained of a grant whose time ran out goes on. Returns what expires, and when the new grant ends.
    pub(super) fn roll_over(&mut self, grant: &Grant, remaining: Decimal, at: Time) -> (Decimal, Option<Grant>) {
        let next = self.rolling.get(&grant.id).and_then(|rolling| rolling.next(grant, remaining, at));
        let Some((next, rolled_over)) = next else { return (remaining, None) };
        let credits = rolled_over.amount;
        for (of, balance) in [(grant, -credits), (&next, credits)] {
            let effect = Effect { balance, ..Effect::default() };
            self.post(LineType::Rollover, Some(of.reference()), effect, None, at);
        }
        if rolled_over.suspended {
            self.put_aside(&next, credits, at);
        }
        self.rolling.insert(next.id, rolled_over.rolling.clone());
        self.rolled_over.push(rolled_over);
        (remaining - credits, Some(next))
    }

    /// What grants rolled over into, by the grant whose time ran out.
    pub fn rolled_to(&self) -> HashMap<Uuid, &RolledOver> {
        self.rolled_over.iter().map(|rolled_over| (rolled_over.rolled_from, rolled_over)).collect()
    }
}
