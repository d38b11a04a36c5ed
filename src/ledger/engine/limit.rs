//! Limits of what may be spent: by a customer, by one of its members, on a meter or on anything, in a day, a month or a
//! rolling interval. Pure: whether spending is within its limits, and what counts in which window. posting/limits.rs
//! loads and writes them.

use crate::amount::Decimal;
use crate::moment::{DAY, Time};

/// The second, in microseconds.
const SECOND: i64 = 1_000_000;
/// What the length of a rolling window is named in: how many seconds, and the name.
const UNITS: [(i64, &str); 4] = [(86_400, "day"), (3_600, "hour"), (60, "minute"), (1, "second")];

/// In which span of time a limit counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Per {
    /// From midnight to midnight, in UTC.
    Day,
    /// From the first of a month to the first of the next, in UTC.
    Month,
    /// The last so many seconds.
    Rolling(i64),
}

impl Per {
    /// The span that is stored under that name.
    pub fn parse(name: &str, seconds: Option<i64>) -> Option<Self> {
        match (name, seconds) {
            ("day", None) => Some(Per::Day),
            ("month", None) => Some(Per::Month),
            (_, seconds) => seconds.map(Per::Rolling),
        }
    }

    /// Its name: one for each length.
    pub fn name(self) -> String {
        let seconds = match self {
            Per::Day => return String::from("day"),
            Per::Month => return String::from("month"),
            Per::Rolling(seconds) => seconds,
        };
        let (length, unit) = UNITS.into_iter().find(|(length, _)| seconds % length == 0).unwrap_or((1, "second"));
        match seconds / length {
            1 => format!("1 {unit}"),
            many => format!("{many} {unit}s"),
        }
    }

    /// The length of a rolling span.
    pub fn seconds(self) -> Option<i64> {
        if let Per::Rolling(seconds) = self { Some(seconds) } else { None }
    }

    /// The first moment whose spending counts at `at`.
    pub fn start(self, at: Time) -> Time {
        match self {
            Per::Day => at.start_of_day(),
            Per::Month => at.start_of_month(),
            Per::Rolling(seconds) => Time(at.0.saturating_sub(seconds.saturating_mul(SECOND)).saturating_add(1)),
        }
    }

    /// When the window of that start ends; `None` for a rolling one, in which each spending ends by itself.
    pub fn end(self, start: Time) -> Option<Time> {
        match self {
            Per::Day => Some(Time(start.0.saturating_add(DAY))),
            Per::Month => Some(Time(start.0.saturating_add(32 * DAY)).start_of_month()),
            Per::Rolling(_) => None,
        }
    }
}

/// Credits that are spent, or about to be.
#[derive(Debug, Clone, Copy)]
pub struct Use<'a> {
    /// The member who spends, if the caller says.
    pub member_id: Option<&'a str>,
    /// The meter, unless it is a plain debit.
    pub event_name: Option<&'a str>,
    /// Credits; below zero, credits that came back.
    pub amount: Decimal,
}

/// One limit, with what counts in its window.
#[derive(Debug, Clone)]
pub struct Limit {
    /// Whose spending; `None` for everybody's.
    pub member_id: Option<String>,
    /// On which meter; `None` for anything.
    pub event_name: Option<String>,
    /// In which span.
    pub per: Per,
    /// Credits, at most.
    pub most: Decimal,
    /// Whether spending beyond it is refused; otherwise it is only published.
    pub rejects: bool,
    /// Whether it is published that the limit is reached.
    pub reported: bool,
    /// From when on spending counts.
    pub since: Time,
    /// Credits spent since then, and not come back.
    pub used: Decimal,
    /// Credits in open holds.
    pub held: Decimal,
    /// Credits admitted in this call.
    pub admitted: Decimal,
}

impl Limit {
    /// Whether it is about that spending.
    pub fn applies(&self, spending: &Use<'_>) -> bool {
        self.member_id.as_deref().is_none_or(|member_id| spending.member_id == Some(member_id))
            && self.event_name.as_deref().is_none_or(|event_name| spending.event_name == Some(event_name))
    }

    /// Moves on to a moment. `gone` is what counted in a rolling window and no longer does.
    pub fn advance(&mut self, at: Time, gone: Decimal) {
        let start = self.per.start(at);
        if start > self.since {
            self.since = start;
            self.used = if self.per.seconds().is_some() { self.used - gone } else { Decimal::ZERO };
        }
    }

    /// Counts spending of a moment. Returns whether that is in the window: what comes back of earlier spending gives no
    /// room.
    pub fn count(&mut self, at: Time, amount: Decimal) -> bool {
        let counts = at >= self.since;
        if counts {
            self.used += amount;
        }
        counts
    }

    /// Everything that takes room.
    pub fn taken(&self) -> Decimal {
        self.used + self.held + self.admitted
    }

    /// What is left.
    pub fn left(&self) -> Decimal {
        (self.most - self.taken()).max(Decimal::ZERO)
    }

    /// Whether it was reached just now: published once, until there is room again.
    pub fn report(&mut self) -> bool {
        let reached = self.is_reached();
        !std::mem::replace(&mut self.reported, reached) && reached
    }

    /// Where time has made room, reaching it again is news.
    pub fn renew(&mut self) {
        self.reported &= self.is_reached();
    }

    /// Whether nothing is left.
    pub fn is_reached(&self) -> bool {
        self.used + self.held >= self.most
    }
}

/// A limit that does not allow some spending.
#[derive(Debug, Clone)]
pub struct Exceeded {
    /// The limit, as it stands.
    pub limit: Limit,
    /// The credits that were asked for.
    pub requested: Decimal,
}

/// The limits of an account that can matter in a call.
#[derive(Debug, Clone, Default)]
pub struct Limits {
    /// They.
    pub all: Vec<Limit>,
    /// The members whose own limits are among them.
    pub members: Vec<String>,
}

impl Limits {
    /// Takes room in every limit that applies, or in none if one of them has too little.
    pub fn admit(&mut self, spending: &Use<'_>) -> Result<(), Box<Exceeded>> {
        if spending.amount <= Decimal::ZERO {
            return Ok(());
        }
        let mut applying = self.all.iter().filter(|limit| limit.applies(spending));
        if let Some(limit) = applying.find(|limit| limit.rejects && limit.taken() + spending.amount > limit.most) {
            return Err(Box::new(Exceeded { limit: limit.clone(), requested: spending.amount }));
        }
        self.take(spending);
        Ok(())
    }

    /// Takes room for what a hold pays of usage, in the limits that the usage counts towards and the hold did not: each
    /// must have room for all that the usage costs, or none is changed.
    pub fn admit_captured(
        &mut self,
        usage: &Use<'_>,
        of_hold: Option<&str>,
        held: Decimal,
    ) -> Result<(), Box<Exceeded>> {
        if held <= Decimal::ZERO {
            return Ok(());
        }
        let hold = Use { event_name: of_hold, ..*usage };
        let counts = |limit: &Limit| limit.applies(usage) && !limit.applies(&hold);
        let mut applying = self.all.iter().filter(|limit| counts(limit));
        if let Some(limit) = applying.find(|limit| limit.rejects && limit.taken() + usage.amount > limit.most) {
            return Err(Box::new(Exceeded { limit: limit.clone(), requested: usage.amount }));
        }
        for limit in self.all.iter_mut().filter(|limit| counts(limit)) {
            limit.admitted += held;
        }
        Ok(())
    }

    /// Takes room for spending that can no longer be refused.
    pub fn take(&mut self, spending: &Use<'_>) {
        for limit in self.all.iter_mut().filter(|limit| limit.applies(spending)) {
            limit.admitted += spending.amount;
        }
    }

    /// Counts an open hold.
    pub fn hold(&mut self, hold: &Use<'_>) {
        for limit in self.all.iter_mut().filter(|limit| limit.applies(hold)) {
            limit.held += hold.amount;
        }
    }
}

#[cfg(test)]
mod tests;
