//! The policy of a balance: when to publish that it is low, and when to buy credits. Pure: the state goes in, a verdict
//! comes out; evaluation.rs carries it out.

use crate::amount::Decimal;
use crate::auto_recharge::offer::{Obstacle, Offer};
use crate::ledger::engine::book::Cause;
use crate::moment::Time;

/// So many failures in a row switch auto-recharge off.
pub const MOST_FAILURES: i32 = 3;
/// The span of the daily limits, in seconds.
pub const DAY: i64 = 24 * 60 * 60;

/// An account, from its rows.
#[derive(Debug, Clone)]
pub struct State {
    /// Its time.
    pub at: Time,
    /// What a plain debit may take.
    pub available: Decimal,
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
    /// Below this credits are bought.
    pub threshold: Decimal,
    /// How many attempts in a row failed or timed out.
    pub failures: i32,
    /// Whether credits were taken back, leaving too few, and none were spent since: no card is charged because money
    /// was refunded.
    pub waits_for_spend: bool,
    /// What it buys.
    pub offer: Offer,
    /// The open request.
    pub open: Option<Open>,
    /// No other request may be made before this: the time of the last one plus the cooldown.
    pub cooled_at: Option<Time>,
    /// The limit of attempts per day, and how many there were.
    pub attempts: (Option<i32>, i32),
    /// What was bought within a day.
    pub amount: Decimal,
    /// The oldest attempt within a day: once it no longer counts, another may be made.
    pub oldest: Option<Time>,
}

/// A request that has no answer yet.
#[derive(Debug, Clone, Copy)]
pub struct Open {
    /// Whether a worker has begun it: then it can no longer be canceled.
    pub processing: bool,
    /// What it costs.
    pub amount: Decimal,
    /// Whether that is in the currency of the price, and so of the limits.
    pub comparable: bool,
    /// When it times out.
    pub expires_at: Time,
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
            Off::Impossible(Obstacle::DailyLimit(_)) => "daily_limit",
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
            Off::Impossible(Obstacle::DailyLimit(_)) => "it costs more than may be spent within a day",
        }
    }
}

/// What to do.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Verdict {
    /// Publish that the balance is low.
    pub publish_low: bool,
    /// Publish that nothing is left.
    pub publish_exhausted: bool,
    /// The level that is published afterwards.
    pub reported: Level,
    /// End the open request.
    pub close: Option<Close>,
    /// Ask for a recharge.
    pub request: bool,
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
    /// Evaluate again at this moment if no request is made; otherwise when the new one times out.
    pub due_at: Option<Time>,
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
    let mut verdict = Verdict {
        publish_low: level >= Level::Low && state.reported < Level::Low,
        publish_exhausted: level == Level::Exhausted && state.reported < Level::Exhausted,
        reported: level,
        ..Verdict::default()
    };
    // One level down, one level up.
    (verdict.below, verdict.above) = match level {
        Level::Enough => (state.low, None),
        Level::Low => (state.unit, Some(state.low)),
        Level::Exhausted => (Decimal::ZERO, Some(state.unit)),
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
    if open.is_some_and(|request| request.expires_at <= state.at) {
        verdict.close = Some(Close::TimedOut);
        verdict.failures += 1;
        open = None;
    }
    let pack = auto.offer.pack();
    if auto.enabled && verdict.failures >= MOST_FAILURES {
        verdict.switch_off = Some(Off::Failures);
    } else if auto.enabled {
        verdict.switch_off = pack.err().map(Off::Impossible);
    }
    let enabled = auto.enabled && verdict.switch_off.is_none();
    if let Some(request) = open.filter(|request| !request.processing) {
        verdict.close = match () {
            _ if !enabled => Some(Close::SwitchedOff),
            _ if is_enough => Some(Close::Enough),
            _ if !is_within_limits(auto, &request) => Some(Close::BeyondLimit),
            _ => None,
        };
        open = open.filter(|_| verdict.close.is_none());
    }
    verdict.waits_for_spend = !is_enough && state.cause.map_or(auto.waits_for_spend, |cause| cause == Cause::TakenBack);
    if let (true, Ok(pack), None, false, false) = (enabled, pack, open, is_enough, verdict.waits_for_spend) {
        // A request that is canceled now no longer counts.
        let freed = auto.open.filter(|_| !matches!(verdict.close, None | Some(Close::TimedOut)));
        let allowed_at = allowed_at(state.at, auto, pack.amount, freed);
        verdict.request = allowed_at <= state.at;
        verdict.due_at = Some(allowed_at).filter(|_| !verdict.request);
    }
    if open.is_some() || verdict.request || verdict.waits_for_spend && enabled {
        let again = auto.threshold;
        verdict.above = Some(verdict.above.map_or(again, |above| above.min(again)));
    }
    if open.is_some() || verdict.request {
        verdict.due_at = open.map(|request| request.expires_at);
    } else if enabled {
        verdict.below = verdict.below.max(auto.threshold);
    }
}

/// Whether an account's open request may be charged under the current limits.
pub fn may_charge(state: &State) -> bool {
    state.auto.as_ref().is_some_and(|auto| {
        let open = auto.open.filter(|request| request.expires_at > state.at);
        auto.enabled && open.is_some_and(|request| is_within_limits(auto, &request))
    })
}

/// Whether an open request is within the current limits. It is included in what was bought within a day.
fn is_within_limits(auto: &Auto, request: &Open) -> bool {
    let (most_attempts, attempts) = auto.attempts;
    request.comparable
        && auto.offer.allows(request.amount).is_ok()
        && most_attempts.is_none_or(|most| attempts <= most)
        && auto.offer.most_a_day.is_none_or(|most| auto.amount <= most)
}

/// When cooldown and daily limits next allow an attempt that costs `one`, if the freed request no longer counts.
fn allowed_at(at: Time, auto: &Auto, one: Decimal, freed: Option<Open>) -> Time {
    let (most_attempts, mut attempts) = auto.attempts;
    let mut amount = auto.amount;
    if let Some(request) = freed {
        attempts -= 1;
        amount = (amount - request.amount).max(Decimal::ZERO);
    }
    let is_full = most_attempts.is_some_and(|most| attempts >= most)
        || auto.offer.most_a_day.is_some_and(|most| amount.checked_add(one).is_none_or(|sum| sum > most));
    let cooled_at = auto.cooled_at.unwrap_or(at);
    match auto.oldest {
        Some(oldest) if is_full => cooled_at.max(oldest.plus_seconds(DAY)),
        _ => cooled_at,
    }
}

#[cfg(test)]
mod tests;
