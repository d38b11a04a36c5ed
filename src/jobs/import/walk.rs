//! The way through history: each entry happens at its moment, by the call that would have made it happen then. Usage and
//! debits are most of it, and go in runs, up to where something falls due in the account.

use crate::error::{Error, quoted};
use crate::jobs::import::entry::{Adjustment, Debit, Entry, Grant, Part, What};
use crate::ledger::account;
use crate::ledger::adjustment;
use crate::ledger::debit::past as debit;
use crate::ledger::engine::drawdown::Status;
use crate::ledger::engine::operation::{self, Operation, Texts};
use crate::ledger::engine::posting;
use crate::ledger::grant::terms::Given;
use crate::ledger::grant::{self, Request, ending};
use crate::ledger::reversal::{self, Named};
use crate::metering::batch::past::{self as usage};
use crate::metering::correction::cancellation;
use crate::moment::Time;
use crate::past;
use crate::pg::call::argument::{ArrayOf, Numeric, Timestamptz};
use crate::pg::statement::{Session, freeing};

/// The most entries that happen in one posting.
const RUN: usize = 2_000;

/// An account: customer, currency.
type Account<'a> = (&'a str, &'a str);

/// Makes entries happen, given in the order of time. Raises what their calls raise, with the entry's number.
pub fn walk(session: &Session, import: &past::Import, account: Account<'_>, entries: &[Entry]) -> Result<(), Error> {
    let mut rest = entries;
    while let Some(first) = rest.first() {
        import.go_to(first.at);
        // What a run reads is given back.
        let done = freeing(session, |session| step(session, account, rest)).map_err(|failure| match failure {
            Error::Entry { .. } => failure,
            error => at_entry(first, error),
        })?;
        rest = rest.get(done..).unwrap_or_default();
    }
    Ok(())
}

fn at_entry(entry: &Entry, error: Error) -> Error {
    Error::Entry { number: entry.number, error: Box::new(error) }
}

/// Makes the first of these entries happen, with those after it that go along. Returns how many.
fn step(session: &Session, account: Account<'_>, entries: &[Entry]) -> Result<usize, Error> {
    let Some(first) = entries.first() else { return Ok(0) };
    match &first.what {
        What::Usage(..) => {
            let run = run(session, account, entries, |what| matches!(what, What::Usage(..)))?;
            let events: Vec<_> = run.iter().filter_map(past_usage).collect();
            usage::charge(session, account.1, &events).map_err(|failed| of_run(run, failed))
        }
        What::Debit(_) => {
            let run = run(session, account, entries, |what| matches!(what, What::Debit(_)))?;
            let debits: Vec<_> = run.iter().filter_map(past_debit).collect();
            debit::take(session, account, &debits).map_err(|failed| of_run(run, failed))
        }
        What::Grant(grant) => give(session, account, grant).map(|()| 1),
        What::Adjustment(adjustment) => adjust(session, account, adjustment).map(|()| 1),
        What::Reversal(part) => reverse(session, account, part).map(|()| 1),
        What::Cancellation { identifier, reason } => {
            cancellation::must_be_of(session, account, identifier)?;
            cancellation::cancel(session, account.0, identifier, reason.as_deref()).map(|_| 1)
        }
        What::End(part, status) => end(session, account, part, *status).map(|()| 1),
    }
}

fn of_run(run: &[Entry], (index, error): (usize, Error)) -> Error {
    match run.get(index) {
        Some(entry) => at_entry(entry, error),
        None => error,
    }
}

/// The first of these entries that go together: of one kind, and nothing falls due between them.
fn run<'e>(
    session: &Session,
    (customer_id, currency): Account<'_>,
    entries: &'e [Entry],
    goes_along: impl Fn(&What) -> bool,
) -> Result<&'e [Entry], Error> {
    let begin = entries.first().map_or(Time::BEGINNING, |entry| entry.at);
    let next = |session: &Session| -> Result<Time, Error> {
        let book = posting::read_one(session, customer_id, currency)?;
        Ok(book.ok_or_else(|| Error::internal("an account is not there"))?.next_change_at)
    };
    let mut until = next(session)?;
    if until <= begin {
        let book = account::open_existing(session, customer_id, currency, begin)?;
        account::post_due(session, book)?;
        until = next(session)?;
    }
    let along = |entry: &&Entry| goes_along(&entry.what) && (entry.at < until || entry.at == begin);
    let count = entries.iter().take(RUN).take_while(along).count();
    Ok(entries.get(..count.max(1)).unwrap_or(entries))
}

fn past_usage(entry: &Entry) -> Option<usage::Past<'_>> {
    match &entry.what {
        What::Usage(event, credits) => Some(usage::Past { event, at: entry.at, credits: *credits }),
        _ => None,
    }
}

fn past_debit(entry: &Entry) -> Option<debit::Past<'_>> {
    let What::Debit(Debit { amount, key, description, metadata, member_id }) = &entry.what else { return None };
    let (description, metadata, member_id) = (description.as_deref(), metadata.as_ref(), member_id.as_deref());
    let texts = Texts { description, metadata, member_id };
    Some(debit::Past { at: entry.at, amount: *amount, key: key.as_deref(), texts })
}

fn give(session: &Session, (customer_id, currency): Account<'_>, grant: &Grant) -> Result<(), Error> {
    let request = Request {
        function: grant::FUNCTION,
        customer_id: Some(customer_id),
        amount: Some(Numeric::of(grant.amount)),
        currency: Some(currency),
        terms: Given {
            category: grant.category.as_deref(),
            priority: grant.priority,
            effective_at: grant.effective_at.map(Timestamptz),
            expires_at: grant.expires_at.map(Timestamptz),
            applicable_meters: grant.applicable_meters.clone().map(ArrayOf::of),
            cost_basis: grant.cost_basis.map(Numeric::of),
            cost_amount: grant.cost_amount.map(Numeric::of),
            cost_currency: grant.cost_currency.as_deref(),
            // What went on is given as grants of its own.
            rollover: None,
        },
        name: grant.name.as_deref(),
        granted_by: grant.granted_by.as_deref(),
        idempotency_key: grant.key.as_deref(),
        metadata: grant.metadata.clone(),
    };
    first_use(grant::perform(session, customer_id, request)?.replayed, grant.key.as_deref())
}

fn adjust(session: &Session, (customer_id, currency): Account<'_>, given: &Adjustment) -> Result<(), Error> {
    let call = adjustment::Adjustment {
        amount: Some(Numeric::of(given.amount)),
        reason: given.reason.as_deref(),
        currency: Some(currency),
        idempotency_key: given.key.as_deref(),
        expires_at: given.expires_at.map(Timestamptz),
        description: given.description.as_deref(),
        metadata: given.metadata.clone(),
    };
    first_use(adjustment::adjust(session, customer_id, call)?.replayed, given.key.as_deref())
}

fn reverse(session: &Session, account: Account<'_>, part: &Part) -> Result<(), Error> {
    earlier(session, account, "operation_key", &part.of)?;
    let (reason, key) = (part.reason.as_deref(), part.key.as_deref());
    let row = reversal::reverse(session, account.0, Named::Key(&part.of), part.amount, reason, key)?;
    first_use(row.replayed, key)
}

fn end(session: &Session, account: Account<'_>, part: &Part, status: Status) -> Result<(), Error> {
    let operation = earlier(session, account, "grant_key", &part.of)?;
    let Some(grant_id) = operation.grant_id else {
        return Err(Error::argument("grant_key", format!("{} is the key of no grant", quoted(&part.of))));
    };
    let ended = ending::end_in_history(session, account.0, (grant_id, part.amount), status, part.reason.as_deref())?;
    if ended {
        return Err(Error::argument(
            "grant_key",
            format!("{} is that of a grant that had ended by then", quoted(&part.of)),
        ));
    }
    Ok(())
}

/// What an earlier entry made under that key. Raises PC013.
fn earlier(
    session: &Session,
    (customer_id, currency): Account<'_>,
    argument: &'static str,
    key: &str,
) -> Result<Operation, Error> {
    let found = operation::find(session, customer_id, key)?.filter(|operation| operation.currency == currency);
    found
        .ok_or_else(|| Error::argument(argument, format!("{} is the idempotency_key of no earlier entry", quoted(key))))
}

/// A key is claimed for ever: the calls would take the second use for a replay. Raises PC013.
fn first_use(replayed: bool, key: Option<&str>) -> Result<(), Error> {
    if replayed { Err(debit::used(key.unwrap_or_default())) } else { Ok(()) }
}
