//! Which of its account's grants a book has loaded: the head alone, a window of the first in drawdown order, or all.

use crate::amount::Decimal;
use crate::ledger::engine::book::Book;
use crate::ledger::engine::drawdown::{Category, Grant, Grants, Status};
use crate::moment::Time;
use std::collections::{HashMap, HashSet};
use uuid::Uuid;

impl Book {
    /// The head's true remaining is on the account's row.
    pub(super) fn with_head(&self, mut grant: Grant) -> Grant {
        if let Some((id, remaining)) = self.head
            && grant.id == id
        {
            grant.changed = grant.remaining != remaining;
            grant.remaining = remaining;
        }
        grant
    }

    /// Whether charges of `need` in total leave something of the head, and no other grant can come before it.
    pub fn head_suffices(&self, need: Decimal) -> bool {
        !self.touched && self.restricted.is_zero() && self.head.is_some_and(|(_, remaining)| remaining > need)
    }

    /// What plain debits could draw from these grants: the book's own value for loaded ones, and the account row's for
    /// the head.
    pub fn open_in(&self, window: &[Grant]) -> Decimal {
        let loaded: HashMap<Uuid, Decimal> = self.loaded().map(|g| (g.id, g.remaining)).collect();
        let head = |g: &Grant| self.head.filter(|(id, _)| *id == g.id).map(|(_, remaining)| remaining);
        window
            .iter()
            .filter(|g| !g.is_restricted())
            .map(|g| loaded.get(&g.id).copied().or_else(|| head(g)).unwrap_or(g.remaining))
            .sum()
    }

    /// Loads the open grants that the coming charges can need: the first in order, or all if `complete`. Grants that
    /// are loaded already are newer than their rows.
    pub fn take_window(&mut self, open: Vec<Grant>, complete: bool) {
        self.head_alone = false;
        // Those aside too: they may be in line now.
        let loaded: Vec<Grant> = std::mem::take(&mut self.grants).into_iter().chain(self.aside.drain(..)).collect();
        let ids: HashSet<Uuid> = loaded.iter().map(|k| k.id).collect();
        self.window_end = if complete { None } else { open.iter().max().cloned() };
        let open: Vec<Grant> = open.into_iter().filter(|g| !ids.contains(&g.id)).map(|g| self.with_head(g)).collect();
        let (line, aside): (Vec<_>, Vec<_>) = loaded.into_iter().partition(|grant| self.is_in_line(grant));
        self.grants = Grants::new(open.into_iter().chain(line).collect());
        self.aside = aside;
    }

    /// Loads grants in any state, ended ones too: those that a hold returns credits to, those about to end.
    pub fn take_grants(&mut self, grants: Vec<Grant>) {
        self.head_alone = false;
        for grant in grants {
            if self.grant(grant.id).is_none() {
                let grant = self.with_head(grant);
                self.insert(grant);
            }
        }
    }

    /// Loads the head alone, from the account's row: enough for charges that leave something of it.
    pub fn take_head(&mut self) {
        let Some((id, remaining)) = self.head else { return };
        let head = Grant {
            id,
            priority: 0,
            expires_at: Time::NEVER,
            category: Category::Promotional,
            effective_at: self.posted_at,
            meters: None,
            amount: remaining,
            remaining,
            lapsed: Decimal::ZERO,
            status: Status::Granted,
            was: Some(Status::Granted),
            clawbacks: Vec::new(),
            reclaimed: false,
            changed: false,
        };
        self.head_alone = true;
        self.window_end = Some(head.clone());
        self.grants = Grants::new(vec![head]);
    }

    /// Puts a grant in line if it belongs to the window, aside otherwise.
    pub(super) fn insert(&mut self, grant: Grant) {
        if self.is_in_line(&grant) {
            self.grants.insert(grant);
        } else {
            self.aside.push(grant);
        }
    }

    fn is_in_line(&self, grant: &Grant) -> bool {
        // A suspended one pays nothing, but its time runs on.
        matches!(grant.status, Status::Granted | Status::Suspended)
            && self.window_end.as_ref().is_none_or(|end| grant <= end)
    }

    /// Takes a grant out of its list, to be inserted again.
    pub(super) fn take_out(&mut self, id: Uuid) -> Option<Grant> {
        self.grants.remove(id).or_else(|| {
            let index = self.aside.iter().position(|g| g.id == id)?;
            Some(self.aside.swap_remove(index))
        })
    }

    /// The grant whose remaining the account's row will carry.
    pub fn next_head(&self) -> Option<(Uuid, Decimal)> {
        self.grants.head().map(|g| (g.id, g.remaining))
    }

    /// The grants whose rows must be written. The head's row stays: its remaining is on the account.
    pub fn changed_grants(&self) -> impl Iterator<Item = &Grant> {
        let head = self.next_head().map(|(id, _)| id);
        let carried = self.head.map(|(id, _)| id);
        self.grants
            .iter()
            .chain(&self.aside)
            // Clawbacks are in the grant's row only.
            .filter(move |g| g.changed && (g.reclaimed || !(head == Some(g.id) && carried == Some(g.id))))
    }

    /// The grants whose open clawbacks must be written.
    pub fn changed_clawbacks(&self) -> impl Iterator<Item = &Grant> {
        self.loaded().filter(|g| g.reclaimed)
    }

    /// The grants that could pay an event of that meter, or with `None` a plain debit, in order.
    pub fn payers<'g>(&'g self, meter: Option<&'g str>) -> impl Iterator<Item = &'g Grant> {
        self.grants.payers(meter)
    }

    /// A loaded grant by its id.
    pub fn grant(&self, id: Uuid) -> Option<&Grant> {
        self.loaded().find(|g| g.id == id)
    }

    /// The grants that are loaded, in no order.
    pub fn loaded(&self) -> impl Iterator<Item = &Grant> {
        self.grants.iter().chain(&self.aside)
    }

    /// When the first of the loaded grants ends that has begun: after `advance`, of those also that it began.
    pub fn first_to_end(&self) -> Time {
        let open = self.loaded().filter(|g| matches!(g.status, Status::Granted | Status::Suspended));
        open.map(|g| g.expires_at).min().unwrap_or(Time::NEVER)
    }

    /// The loaded grants that can be drawn on: after `advance`, those among them that it started or that got credits back.
    pub fn started(&self) -> impl Iterator<Item = &Grant> {
        self.loaded().filter(|g| g.status == Status::Granted)
    }
}
