//! The model: the same account as nothing but its grants' terms, stepped second by second.

use crate::amount::Decimal;
use crate::ledger::engine::book::tests::reclaims::Returned;
use crate::ledger::engine::book::tests::rollovers::Rolls;
use crate::ledger::engine::book::tests::{Action, METERS, Outcome, make};
use crate::ledger::engine::drawdown::{Category, Grant, Status};
use crate::moment::Time;

pub(super) struct Granted {
    pub(super) grant: Grant,
    pub(super) started: bool,
    pub(super) ended: bool,
    pub(super) never_started: bool,
    /// What expired or was voided, and how much of it counts for clawbacks.
    pub(super) lapsed: Decimal,
    pub(super) gone: Decimal,
    /// What is taken when it comes back: credits, by which clawback, whether they are owed once spent.
    pub(super) clawbacks: Vec<(Decimal, usize, bool)>,
    pub(super) reclaimed: Decimal,
    /// Parts that were ended by hand, and whether all of it was.
    pub(super) parts: Decimal,
    pub(super) by_hand: bool,
    pub(super) suspended: bool,
    /// Whether it was suspended when its time ran out.
    pub(super) suspended_at_end: bool,
    /// What was owed for it, because it was a mistake.
    pub(super) mistaken: Decimal,
    /// How it rolls over, as long as it has not, and what did.
    pub(super) rolls: Option<Rolls>,
    pub(super) rolled: Option<Decimal>,
}

pub(super) struct Held {
    pub(super) parts: Vec<(usize, Decimal)>,
    pub(super) ends: i64,
    /// The meter whose usage it is for.
    pub(super) meter: Option<usize>,
    pub(super) open: bool,
}

pub(super) struct Event {
    pub(super) meter: Option<usize>,
    pub(super) parts: Vec<(usize, Decimal)>,
    pub(super) owed: Decimal,
    pub(super) canceled: bool,
    /// Whether it is priced with the others of its meter's gauge.
    pub(super) gauge: bool,
    /// Which clawback owes, if it is no event.
    pub(super) reclaim: Option<usize>,
}

/// Usage that is priced together: what it costs, and which grants paid for it, oldest draw first.
#[derive(Default)]
struct Gauge {
    cost: Decimal,
    draws: Vec<(usize, Decimal)>,
}

#[derive(Default)]
pub struct Model {
    pub now: i64,
    pub(super) grants: Vec<Granted>,
    pub(super) holds: Vec<Held>,
    /// What may owe, in payment order.
    pub(super) events: Vec<Event>,
    /// Which of them are events.
    numbered: Vec<usize>,
    pub(super) reclaims: Vec<Returned>,
    gauges: [Gauge; 2],
    /// What grants gave to each debit and did not get back, oldest draw first.
    pub(super) debits: Vec<Vec<(usize, Decimal)>>,
}

impl Granted {
    pub(super) fn new(grant: Grant, started: bool, rolls: Option<Rolls>) -> Self {
        Granted {
            grant,
            started,
            ended: false,
            never_started: false,
            lapsed: Decimal::ZERO,
            gone: Decimal::ZERO,
            clawbacks: Vec::new(),
            reclaimed: Decimal::ZERO,
            parts: Decimal::ZERO,
            by_hand: false,
            suspended: false,
            suspended_at_end: false,
            mistaken: Decimal::ZERO,
            rolls,
            rolled: None,
        }
    }

    /// What remains is gone; a second call does nothing.
    pub(super) fn end(&mut self) {
        self.suspended_at_end |= std::mem::take(&mut self.suspended);
        if !std::mem::replace(&mut self.ended, true) {
            self.lapsed += self.grant.remaining;
            self.never_started = !self.started;
        }
    }
}

impl Granted {
    /// What open clawbacks get of credits that come back, or are spent: oldest first, and which one each is.
    pub(super) fn take_off(&mut self, mut amount: Decimal, owing_alone: bool) -> Vec<(Decimal, usize)> {
        let mut parts = Vec::new();
        for (clawback, reclaim, owes) in &mut self.clawbacks {
            let part = amount.min(*clawback);
            if part > Decimal::ZERO && (*owes || !owing_alone) {
                *clawback -= part;
                amount -= part;
                parts.push((part, *reclaim));
            }
        }
        parts
    }
}

impl Model {
    pub(super) fn time(&self) -> Time {
        Time(0).plus_seconds(self.now)
    }

    pub(super) fn usable(&self, index: usize, meter: Option<usize>) -> bool {
        let Granted { grant, started, ended, suspended, .. } = &self.grants[index];
        *started
            && !ended
            && !suspended
            && grant.remaining > Decimal::ZERO
            && match (&grant.meters, meter) {
                (None, _) => true,
                (Some(list), Some(m)) => list[0] == METERS[m],
                _ => false,
            }
    }

    pub(super) fn best(&self, meter: Option<usize>) -> Option<usize> {
        (0..self.grants.len()).filter(|i| self.usable(*i, meter)).min_by_key(|i| {
            let g = &self.grants[*i].grant;
            (g.priority, g.expires_at.0, g.category == Category::Paid, g.effective_at.0, g.id)
        })
    }

    pub(super) fn payable(&self, meter: Option<usize>) -> Decimal {
        (0..self.grants.len()).filter(|i| self.usable(*i, meter)).map(|i| self.grants[i].grant.remaining).sum()
    }

    pub(super) fn take(&mut self, meter: Option<usize>, mut amount: Decimal) -> Vec<(usize, Decimal)> {
        let mut parts = Vec::new();
        while amount > Decimal::ZERO {
            let Some(best) = self.best(meter) else { break };
            let part = amount.min(self.grants[best].grant.remaining);
            self.grants[best].grant.remaining -= part;
            amount -= part;
            parts.push((best, part));
        }
        parts
    }

    pub(super) fn pay(&mut self) {
        for i in 0..self.events.len() {
            let meter = self.events[i].meter;
            let mut parts = self.take(meter, self.events[i].owed);
            self.events[i].owed -= parts.iter().map(|(_, part)| *part).sum::<Decimal>();
            if let (true, Some(meter)) = (self.events[i].gauge, meter) {
                self.gauges[meter].draws.append(&mut parts);
            } else if let Some(reclaim) = self.events[i].reclaim {
                self.reclaims[reclaim].parts.extend(parts.into_iter().map(|(index, part)| (index, part, false)));
            } else {
                self.events[i].parts.append(&mut parts);
            }
        }
    }

    /// Back to its grant, unless that has ended.
    pub(super) fn give_back(&mut self, index: usize, amount: Decimal) {
        let now = self.time();
        let granted = &mut self.grants[index];
        if granted.ended || granted.grant.expires_at <= now && !granted.rolls_at(now) {
            let clawed_back: Decimal = granted.take_off(amount, false).iter().map(|(part, _)| *part).sum();
            granted.lapsed += amount;
            granted.gone += clawed_back;
            return;
        }
        granted.grant.remaining += amount;
        for (part, reclaim) in granted.take_off(amount, false) {
            granted.grant.remaining -= part;
            self.reclaims[reclaim].parts.push((index, part, true));
        }
    }

    pub(super) fn record(&mut self, event: Event) {
        self.numbered.push(self.events.len());
        self.events.push(event);
    }

    /// An event that nothing can refuse.
    fn charge(&mut self, meter: usize, cost: Decimal, gauge: bool) -> Outcome {
        let parts = self.take(Some(meter), cost);
        let paid: Decimal = parts.iter().map(|(_, part)| *part).sum();
        let parts = if gauge {
            self.gauges[meter].draws.extend(parts);
            Vec::new()
        } else {
            parts
        };
        self.record(Event { meter: Some(meter), parts, owed: cost - paid, canceled: false, gauge, reclaim: None });
        Outcome::Charged(paid, cost - paid)
    }

    /// The newest debt is forgiven first, then the newest draw comes back first.
    fn lower(&mut self, meter: usize, mut amount: Decimal) -> Outcome {
        for event in self.events.iter_mut().rev().filter(|e| e.gauge && e.meter == Some(meter)) {
            let part = amount.min(event.owed);
            event.owed -= part;
            amount -= part;
        }
        let returned = amount;
        while amount > Decimal::ZERO {
            let (index, drawn) = self.gauges[meter].draws.pop().expect("what was charged was drawn");
            let part = amount.min(drawn);
            if part < drawn {
                self.gauges[meter].draws.push((index, drawn - part));
            }
            amount -= part;
            self.give_back(index, part);
        }
        let (meter, parts) = (Some(meter), Vec::new());
        self.record(Event { meter, parts, owed: Decimal::ZERO, canceled: false, gauge: true, reclaim: None });
        self.pay();
        Outcome::Charged(-returned, Decimal::ZERO)
    }

    fn tick(&mut self) {
        self.now += 1;
        let now = self.time();
        for which in 0..self.holds.len() {
            if self.holds[which].open && self.holds[which].ends <= self.now {
                self.close(which, Decimal::ZERO);
            }
        }
        for index in 0..self.grants.len() {
            if self.grants[index].grant.expires_at <= now {
                self.roll_over(index);
                self.grants[index].end();
            }
            let granted = &mut self.grants[index];
            granted.started |= granted.grant.effective_at <= now;
        }
        self.pay();
    }

    pub fn apply(&mut self, id: u128, action: &Action) -> Outcome {
        match action {
            Action::Wait { seconds } => {
                (0..*seconds).for_each(|_| self.tick());
                Outcome::Nothing
            }
            Action::Grant { .. } => {
                let grant = make(id, self.time(), action);
                let started = grant.status == Status::Granted;
                let Action::Grant { rolls, .. } = action else { unreachable!() };
                self.grants.push(Granted::new(grant, started, rolls.clone()));
                self.pay();
                Outcome::Nothing
            }
            Action::Charge { amount, meter, reject } => {
                let cost = Decimal::new(*amount, 1);
                let short = cost > self.payable(*meter);
                if short && (*reject || meter.is_none()) {
                    return Outcome::Refused;
                }
                match *meter {
                    Some(meter) => self.charge(meter, cost, false),
                    None => {
                        let parts = self.take(None, cost);
                        self.debits.push(parts);
                        Outcome::Charged(cost, Decimal::ZERO)
                    }
                }
            }
            // As if it were charged when it is recorded.
            Action::Record { amount, meter } => {
                self.charge(*meter, Decimal::new(*amount, 1), false);
                Outcome::Nothing
            }
            Action::Gauge { amount, meter } => {
                let cost = Decimal::new(*amount, 1);
                let more = cost - std::mem::replace(&mut self.gauges[*meter].cost, cost);
                if more < Decimal::ZERO { self.lower(*meter, -more) } else { self.charge(*meter, more, true) }
            }
            Action::Hold { amount, lasts, meter } => {
                let amount = Decimal::new(*amount, 1);
                if amount > self.payable(*meter) {
                    return Outcome::Refused;
                }
                let parts = self.take(*meter, amount);
                self.holds.push(Held { parts, ends: self.now + lasts, meter: *meter, open: true });
                Outcome::Charged(amount, Decimal::ZERO)
            }
            Action::Close { which, tenths } => {
                let Some(hold) = self.holds.get(*which) else { return Outcome::Nothing };
                if !hold.open {
                    return Outcome::Refused;
                }
                let amount: Decimal = hold.parts.iter().map(|(_, part)| *part).sum();
                let captured = amount * Decimal::new(*tenths, 1);
                self.close(*which, captured);
                self.pay();
                Outcome::Charged(captured, Decimal::ZERO)
            }
            Action::Part { which, tenths } => self.part(*which, *tenths),
            Action::Resize { which, amount, lasts } => self.resize(*which, Decimal::new(*amount, 1), *lasts),
            Action::Cancel { which } => {
                let Some(number) = self.numbered.get(*which) else { return Outcome::Nothing };
                let Some(event) = self.events.get_mut(*number).filter(|e| !e.gauge) else { return Outcome::Nothing };
                if std::mem::replace(&mut event.canceled, true) {
                    return Outcome::Refused;
                }
                let (parts, owed) = (std::mem::take(&mut event.parts), std::mem::take(&mut event.owed));
                for (index, part) in &parts {
                    self.give_back(*index, *part);
                }
                self.pay();
                Outcome::Charged(parts.iter().map(|(_, part)| *part).sum(), owed)
            }
            Action::Reverse { which, tenths } => self.reverse(*which, *tenths),
            Action::Reclaim { which, tenths, owes } => self.reclaim(*which, *tenths, *owes),
            Action::Undo { which } => self.undo(*which),
            Action::EndPart { which, tenths, .. } => self.end_part(*which, *tenths),
            Action::Mistake { which, tenths } => self.mistake(*which, *tenths),
            Action::Late { amount, meter, ago, record } => {
                let outcome = self.late(*meter, Decimal::new(*amount, 1), *ago);
                if *record { Outcome::Nothing } else { outcome }
            }
            Action::Suspend { which } => self.suspend(*which),
            Action::Resume { which } => self.resume(*which),
            Action::Extend { which, lasts } => self.extend(*which, *lasts),
            Action::End { which, .. } => {
                let index = self.which(*which);
                if let Some(granted) = self.grants.get_mut(index) {
                    granted.by_hand |= !granted.ended;
                    granted.end();
                }
                Outcome::Nothing
            }
            Action::Change { which, priority, lasts } => {
                let expires_at = self.time().plus_seconds(*lasts);
                let index = self.which(*which);
                let Some(granted) = self.grants.get_mut(index) else { return Outcome::Nothing };
                if granted.ended || expires_at <= granted.grant.effective_at {
                    return Outcome::Refused;
                }
                (granted.grant.priority, granted.grant.expires_at) = (*priority, expires_at);
                Outcome::Nothing
            }
        }
    }

    pub fn total(&self, restricted: bool) -> Decimal {
        self.grants
            .iter()
            .filter(|g| g.started && !g.ended && !g.suspended && g.grant.is_restricted() == restricted)
            .map(|g| g.grant.remaining)
            .sum()
    }

    pub fn held(&self) -> Decimal {
        self.holds.iter().filter(|h| h.open).flat_map(|h| &h.parts).map(|(_, part)| *part).sum()
    }

    pub fn pending(&self) -> Decimal {
        self.events.iter().map(|event| event.owed).sum()
    }
}
