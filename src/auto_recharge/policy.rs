//! The policy of a balance: when to publish that it is low, and when to buy credits. Pure: the state goes in, a verdict
//! comes out; evaluation.rs carries it out.

use crate::amount::Decimal;
use crate::auto_recharge::limit::{Counted, Period, Window};
use crate::auto_recharge::offer::{Obstacle, Offer, Pack};
use crate::auto_recharge::schedule::Schedule;
use crate::ledger::engine::book::Cause;
use crate::moment::Time;

/// So many failures in a row switch auto-recharge off.
pub const MOST_FAILURES: i32 = 3;

/// An account, from its rows.
#[derive(Debug, Clone)]
pub struct State {
    /// Its time.
    pub at: Time,
    /// What a plain debit may take.
    pub available: Decimal,
    /// What it owes.
    pub pending: Decimal,
    /// The smallest part of a credit.
    pub unit: Decimal,
    /// Below this it is low; zero for never.
    pub low: Decimal,
    /// The level that was last published.
    pub reported: Level,
    /// How the credits changed last.
    pub cause: Option<Cause>,
    /// Its auto-recharge, if it has one.
    pub auto: Option<Auto>,
}

/// How low a balance is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum Level {
    /// Not at all.
    #[default]
    Enough,
    /// Below the threshold.
    Low,
    /// Nothing is left.
    Exhausted,
}

impl Level {
    /// The number in the account's row.
    pub fn number(self) -> i16 {
        self as i16
    }

    /// The level of that number.
    pub fn of(number: i16) -> Self {
        match number {
            2.. => Level::Exhausted,
            1 => Level::Low,
            _ => Level::Enough,
        }
    }
}

/// An account's auto-recharge, and its recent requests.
#[derive(Debug, Clone)]
pub struct Auto {
    /// Whether it is switched on.
    pub enabled: bool,
    /// Below this credits are bought; zero for never because of the balance.
    pub threshold: Decimal,
    /// How many attempts in a row failed or timed out.
    pub failures: i32,
    /// Whether credits were taken back, leaving too few, and none were spent since: no card is charged because money
    /// was refunded.
    pub waits_for_spend: bool,
    /// What it buys, and within which limits.
    pub offer: Offer,
    /// When it buys whatever the balance.
    pub schedule: Option<Schedule>,
    /// The first moment of the schedule that nothing was bought for yet; [`Time::NEVER`] without one.
    pub scheduled_at: Time,
    /// The open request.
    pub open: Option<Open>,
    /// No other request may be made before this: the time of the last one plus the cooldown.
    pub cooled_at: Option<Time>,
}

/// A request that has no answer yet.
#[derive(Debug, Clone, Copy)]
pub struct Open {
    /// Whether a worker has begun it: then it can no longer be canceled.
    pub processing: bool,
    /// Whether the schedule asked for it, so that no balance makes up for it.
    pub scheduled: bool,
    /// What it costs, and when it was made.
    pub counted: Counted,
    /// When it times out.
    pub expires_at: Time,
}

impl Auto {
    /// How many credits make a request needless that no worker has begun, if any number does.
    fn enough_for(&self, scheduled: bool) -> Option<Decimal> {
        if scheduled { self.offer.target } else { Some(self.threshold) }
    }
}

/// Why an open request ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Close {
    /// No answer came in time.
    TimedOut,
    /// There are enough credits again, before a worker began.
    Enough,
    /// Auto-recharge was switched off, before a worker began.
    SwitchedOff,
    /// It exceeds a limit that was lowered, before a worker began.
    BeyondLimit,
}

/// Why auto-recharge is switched off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Off {
    /// Too many failures in a row.
    Failures,
    /// A payment of the customer was disputed.
    Disputed,
    /// The customer was erased.
    Erased,
    /// There is nothing that it could buy.
    Impossible(Obstacle),
}

impl Off {
    /// The code, for programs.
    pub fn code(self) -> &'static str {
        match self {
            Off::Failures => "failures",
            Off::Disputed => "disputed",
            Off::Erased => "erased",
            Off::Impossible(Obstacle::NotOnSale) => "not_on_sale",
            Off::Impossible(Obstacle::Currency) => "currency_inactive",
            Off::Impossible(Obstacle::Restricted) => "restricted_credits",
            Off::Impossible(Obstacle::TooLarge) => "amount_too_large",
            Off::Impossible(Obstacle::Limit(..)) => "payment_limit",
            Off::Impossible(Obstacle::NoRate) => "no_rate",
            Off::Impossible(Obstacle::PeriodLimit(Period::Month, ..)) => "monthly_limit",
            Off::Impossible(Obstacle::PeriodLimit(..)) => "daily_limit",
        }
    }

    /// The same for people.
    pub fn message(self) -> &'static str {
        match self {
            Off::Failures => "three attempts in a row failed or timed out",
            Off::Disputed => "a payment was disputed",
            Off::Erased => "the customer was erased",
            Off::Impossible(Obstacle::NotOnSale) => "its price is archived",
            Off::Impossible(Obstacle::Currency) => "its price's currency or its credits' currency is not active",
            Off::Impossible(Obstacle::Restricted) => "its product's credits are for certain meters only",
            Off::Impossible(Obstacle::TooLarge) => {
                "what it costs or buys, or all credits ever granted with it, has too many digits"
            }
            Off::Impossible(Obstacle::Limit(..)) => "it costs less or more than one payment may",
            Off::Impossible(Obstacle::NoRate) => "its credits have no exchange rate in its money",
            Off::Impossible(Obstacle::PeriodLimit(Period::Month, ..)) => {
                "it costs more than may be spent within a month"
            }
            Off::Impossible(Obstacle::PeriodLimit(..)) => "it costs more than may be spent within a day",
        }
    }
}

/// What to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// Publish that the balance is low.
    pub publish_low: bool,
    /// Publish that nothing is left.
    pub publish_exhausted: bool,
    /// The level that is published afterwards.
    pub reported: Level,
    /// End the open request.
    pub close: Option<Close>,
    /// Ask for a recharge: of what.
    pub request: Option<Pack>,
    /// Whether that is because of the schedule.
    pub scheduled: bool,
    /// The first moment of the schedule that nothing was bought for afterwards.
    pub scheduled_at: Time,
    /// Switch auto-recharge off.
    pub switch_off: Option<Off>,
    /// Failures in a row afterwards.
    pub failures: i32,
    /// Whether only a spend requests a recharge afterwards.
    pub waits_for_spend: bool,
    /// Evaluate again when less is available.
    pub below: Decimal,
    /// Evaluate again when at least this much is available.
    pub above: Option<Decimal>,
    /// Evaluate again at this moment, and when a request times out that is made now.
    pub due_at: Time,
}

/// Decides what to do for an account.
pub fn judge(state: &State) -> Verdict {
    let level = if state.low.is_zero() {
        Level::Enough
    } else if state.available.is_zero() {
        Level::Exhausted
    } else if state.available < state.low {
        Level::Low
    } else {
        Level::Enough
    };
    // One level down, one level up.
    let (below, above) = match level {
        Level::Enough => (state.low, None),
        Level::Low => (state.unit, Some(state.low)),
        Level::Exhausted => (Decimal::ZERO, Some(state.unit)),
    };
    let mut verdict = Verdict {
        publish_low: level >= Level::Low && state.reported < Level::Low,
        publish_exhausted: level == Level::Exhausted && state.reported < Level::Exhausted,
        reported: level,
        close: None,
        request: None,
        scheduled: false,
        scheduled_at: Time::NEVER,
        switch_off: None,
        failures: 0,
        waits_for_spend: false,
        below,
        above,
        due_at: Time::NEVER,
    };
    if let Some(auto) = &state.auto {
        recharge(state, auto, &mut verdict);
    }
    verdict
}

fn recharge(state: &State, auto: &Auto, verdict: &mut Verdict) {
    let is_enough = state.available >= auto.threshold;
    let mut open = auto.open;
    verdict.failures = auto.failures;
    verdict.scheduled_at = auto.scheduled_at;
    if open.is_some_and(|request| request.expires_at <= state.at) {
        verdict.close = Some(Close::TimedOut);
        verdict.failures += 1;
        open = None;
    }
    let least = auto.offer.least();
    if auto.enabled && verdict.failures >= MOST_FAILURES {
        verdict.switch_off = Some(Off::Failures);
    } else if auto.enabled {
        verdict.switch_off = least.err().map(Off::Impossible);
    }
    let enabled = auto.enabled && verdict.switch_off.is_none();
    if let Some(request) = open.filter(|request| !request.processing) {
        verdict.close = match () {
            _ if !enabled => Some(Close::SwitchedOff),
            _ if auto.enough_for(request.scheduled).is_some_and(|enough| state.available >= enough) => {
                Some(Close::Enough)
            }
            _ if !is_within_limits(auto, &request) => Some(Close::BeyondLimit),
            _ => None,
        };
        open = open.filter(|_| verdict.close.is_none());
        // Something smaller may be within the limits.
        if request.scheduled && verdict.close == Some(Close::BeyondLimit) {
            verdict.scheduled_at = verdict.scheduled_at.min(state.at);
        }
    }
    verdict.waits_for_spend = !is_enough && state.cause.map_or(auto.waits_for_spend, |cause| cause == Cause::TakenBack);
    if let (true, Ok(least), None) = (enabled, least, open) {
        ask(state, auto, least, !is_enough && !verdict.waits_for_spend, verdict);
    }
    let asked = open.map(|request| request.scheduled).or(verdict.request.map(|_| verdict.scheduled));
    let again = match asked {
        Some(scheduled) => auto.enough_for(scheduled),
        None => Some(auto.threshold).filter(|_| verdict.waits_for_spend && enabled),
    };
    verdict.above = verdict.above.into_iter().chain(again.filter(|again| !again.is_zero())).min();
    if asked.is_none() && enabled {
        verdict.below = verdict.below.max(auto.threshold);
    }
    verdict.due_at = open.map_or(verdict.due_at, |request| request.expires_at);
    // What is due already waits for a request to end, or for a limit.
    if enabled && verdict.scheduled_at > state.at {
        verdict.due_at = verdict.due_at.min(verdict.scheduled_at);
    }
    // Accounts in which no balance calls for an evaluation are not evaluated as time goes by either.
    let waits = verdict.due_at < Time::NEVER || verdict.request.is_some();
    if waits && verdict.below.is_zero() && verdict.above.is_none() {
        verdict.above = Some(Decimal::MAX);
    }
}

/// Asks for a recharge, if the balance or the schedule calls for one and the limits allow it; there is no open request.
fn ask(state: &State, auto: &Auto, least: Pack, is_low: bool, verdict: &mut Verdict) {
    let missing = auto.offer.missing(state.available, state.pending);
    let mut is_due = verdict.scheduled_at <= state.at;
    let next = || auto.schedule.map_or(Time::NEVER, |schedule| schedule.after(state.at));
    if is_due && missing.is_some_and(|missing| missing <= Decimal::ZERO) {
        // There is nothing to buy at that moment.
        (is_due, verdict.scheduled_at) = (false, next());
    }
    if !is_low && !is_due {
        return;
    }
    // A request that is canceled now no longer counts.
    let freed = auto.open.filter(|_| !matches!(verdict.close, None | Some(Close::TimedOut))).map(|open| open.counted);
    let allowed_at =
        auto.offer.allowed_at(state.at, freed.as_ref(), least.amount).max(auto.cooled_at.unwrap_or(state.at));
    if allowed_at > state.at {
        verdict.due_at = allowed_at;
        return;
    }
    verdict.request = auto.offer.pack_for(missing, freed.as_ref(), state.at);
    verdict.scheduled = is_due;
    if is_due {
        // However many moments have passed, one recharge makes up for them.
        verdict.scheduled_at = next();
    }
}

/// Whether an account's open request may be charged under the current limits.
pub fn may_charge(state: &State) -> bool {
    state.auto.as_ref().is_some_and(|auto| {
        let open = auto.open.filter(|request| request.expires_at > state.at);
        auto.enabled && open.is_some_and(|request| is_within_limits(auto, &request))
    })
}

/// Whether an open request is within the current limits. It is included in what was bought.
fn is_within_limits(auto: &Auto, request: &Open) -> bool {
    request.counted.comparable
        && auto.offer.allows(request.counted.amount).is_ok()
        && auto.offer.windows.iter().all(Window::holds)
}

#[cfg(test)]
mod tests;
