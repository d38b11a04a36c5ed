//! Rows of the inbox that came at different moments, for example each in a transaction of its own, would each need a
//! posting. If nothing falls due in their accounts in between, and their head grants pay, one posting charges all of
//! them, each as of its moment, with the same lines as one by one (batch/fast_path.rs).

use crate::error::Error;
use crate::ledger::engine::posting::{self, Key};
use crate::metering::batch::accounts::{Map, Owned};
use crate::metering::batch::{self, fast_path, replay};
use crate::metering::meter::Meter;
use crate::metering::report::{self, Event, Priced};
use crate::moment::Time;
use crate::pg::statement::Session;
use std::collections::HashSet;
use std::rc::Rc;

/// An account of an event's own keys: customer, currency.
type Account<'a> = (&'a str, &'a str);

/// Charges those of these rows, given in order of time, for which the result is the same as one by one. Returns whether
/// each was charged.
pub fn charge(session: &Session, rows: &[(Time, &Result<Event, Error>)]) -> Result<Vec<bool>, Error> {
    let mut done = vec![false; rows.len()];
    let mut meters: Vec<Option<Rc<Meter>>> = Vec::with_capacity(rows.len());
    for (_, event) in rows {
        meters.push(match event {
            Ok(event) => batch::meter_of(session, event)?,
            Err(_) => None,
        });
    }
    let mut priced: Vec<(usize, Priced<'_>)> = Vec::new();
    // Customers whose rows are all of one account that may pay for each: then only the order within the account
    // matters.
    let mut accounts: Map<&str, Option<Account<'_>>> = Map::default();
    for (index, ((at, event), meter)) in rows.iter().zip(&meters).enumerate() {
        let Ok(event) = event else { continue };
        let payable = report::price(event, meter.as_deref(), *at).ok().filter(|p| fast_path::cost(p).is_some());
        let account = payable.as_ref().map(Priced::account);
        let same = accounts.entry(&event.customer_id).or_insert(account);
        if *same != account {
            *same = None;
        }
        priced.extend(payable.map(|p| (index, p)));
    }
    let mut keys: Vec<Key> = accounts.into_values().flatten().map(|account| account.owned()).collect();
    keys.sort_unstable();
    if keys.is_empty() {
        return Ok(done);
    }
    let free: HashSet<Key> = posting::lock_free(session, &keys)?.into_iter().collect();
    priced.retain(|(_, p)| free.contains(&p.account().owned()));
    // A replay, of an earlier report or of one of these, charges nothing, and is answered after them.
    let mut taken = replay::which_are_there(session, priced.iter().map(|(_, p)| p.event))?;
    priced.retain(|(_, p)| taken.insert(p.event.key().owned()));
    if priced.is_empty() {
        return Ok(done);
    }
    let events: Vec<(&Priced<'_>, Time)> = priced.iter().map(|(index, p)| (p, rows[*index].0)).collect();
    for ((index, _), charged) in priced.iter().zip(fast_path::pay_as_of(session, &events)) {
        done[*index] = charged;
    }
    Ok(done)
}
