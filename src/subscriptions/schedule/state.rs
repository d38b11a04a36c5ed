//! What time does to a subscription, and when: one change after another, in the order of time. Pure.

use crate::moment::{DAY, Time};

/// How long the first payment may take, in seconds.
const INCOMPLETE: i64 = 23 * 60 * 60;

/// What a subscription is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// Its first invoice is not paid.
    Incomplete,
    /// Its first invoice was not paid in time.
    IncompleteExpired,
    /// It is being tried out.
    Trialing,
    /// It goes on from period to period.
    Active,
    /// The same, and something is owed.
    PastDue,
    /// It has stopped, and may go on.
    Paused,
    /// It has ended.
    Canceled,
}

impl Status {
    const ALL: [Status; 7] = [
        Status::Incomplete,
        Status::IncompleteExpired,
        Status::Trialing,
        Status::Active,
        Status::PastDue,
        Status::Paused,
        Status::Canceled,
    ];

    /// Its name in SQL.
    pub fn as_str(self) -> &'static str {
        match self {
            Status::Incomplete => "incomplete",
            Status::IncompleteExpired => "incomplete_expired",
            Status::Trialing => "trialing",
            Status::Active => "active",
            Status::PastDue => "past_due",
            Status::Paused => "paused",
            Status::Canceled => "canceled",
        }
    }

    /// The status of that name.
    pub fn parse(name: &str) -> Option<Self> {
        Status::ALL.into_iter().find(|status| status.as_str() == name)
    }

    /// Whether nothing changes it any more.
    pub fn is_over(self) -> bool {
        matches!(self, Status::IncompleteExpired | Status::Canceled)
    }
}

/// What time brings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Change {
    /// A deposit is to pay what is owed.
    Protect,
    /// The first payment did not come.
    Expire,
    /// It was to end then.
    Cancel,
    /// It was past due for too long.
    GiveUp,
    /// The end of its trial, or its next invoice, is announced.
    Announce,
    /// The trial is over.
    EndTrial,
    /// It goes on after a pause.
    Resume,
    /// The next period begins.
    Renew,
    /// Usage of what is over is invoiced.
    CloseUsage,
    /// An invoice that was sent is not paid in time.
    Overdue,
    /// A worker is asked again to charge what is owed.
    Retry,
}

/// What its next change depends on.
#[derive(Debug, Clone)]
pub struct Facts<'a> {
    /// What it is.
    pub status: Status,
    /// When it was created.
    pub created_at: Time,
    /// Whether a checkout session ends it where its first payment does not come.
    pub ends_with_session: bool,
    /// The end of the period, or of the trial.
    pub period_end: Time,
    /// When it is to end.
    pub cancel_at: Option<Time>,
    /// When it goes on after a pause.
    pub resumes_at: Option<Time>,
    /// Since when something is owed.
    pub past_due_at: Option<Time>,
    /// How often a worker was asked again.
    pub retries: usize,
    /// How many days after the first failure that is done.
    pub retry_days: &'a [i32],
    /// How many days after the first failure it is canceled.
    pub days_until_cancel: i32,
    /// Whether a worker is asked to charge.
    pub is_automatic: bool,
    /// When the first of its open invoices is due, of those that are sent.
    pub due_date: Option<Time>,
    /// When usage is invoiced next.
    pub usage_closes_at: Option<Time>,
    /// Since when a deposit is to pay what is owed.
    pub protect_at: Option<Time>,
    /// When the end of its period is to be announced; `None` where that is done, or too late.
    pub announce_at: Option<Time>,
}

/// How many days before its end a trial's end is announced.
const TRIAL_NOTICE: i32 = 3;

/// When the end of a period is to be announced, which is done once: of a trial some days before, or as it begins where it is
/// shorter; of any other, which has another after it, so many days before, and not at all where it is no longer than that.
/// After the end it is too late.
pub fn announcement(
    (status, period): (Status, (Time, Time)),
    (cancel_at, announced): (Option<Time>, Option<Time>),
    days: i32,
    now: Time,
) -> Option<Time> {
    let (start, end) = period;
    if announced == Some(end) || now >= end {
        return None;
    }
    match status {
        Status::Trialing => Some(days_after(end, -TRIAL_NOTICE).max(start)),
        Status::Active | Status::PastDue if days > 0 && cancel_at.is_none_or(|at| at > end) => {
            Some(days_after(end, -days)).filter(|at| *at > start)
        }
        _ => None,
    }
}

/// So many days later.
fn days_after(at: Time, days: i32) -> Time {
    Time(at.0.saturating_add(DAY.saturating_mul(days.into())))
}

/// Its next change, and when that is due; `None` where time changes nothing. Of two at one moment the first of [`Change`]
/// comes first.
pub fn next(facts: &Facts<'_>) -> Option<(Time, Change)> {
    let cancel = facts.cancel_at.map(|at| (at, Change::Cancel));
    let at_end = |change| Some((facts.period_end, change));
    let goes_on = facts.past_due_at.filter(|_| facts.status == Status::PastDue);
    let give_up = goes_on.map(|since| (days_after(since, facts.days_until_cancel), Change::GiveUp));
    let days = facts.retry_days.get(facts.retries).filter(|_| facts.is_automatic);
    let retry = goes_on.zip(days).map(|(since, days)| (days_after(since, *days), Change::Retry));
    let overdue = facts.due_date.map(|at| (at, Change::Overdue));
    let close = facts.usage_closes_at.map(|at| (at, Change::CloseUsage));
    let protect = facts.protect_at.map(|at| (at, Change::Protect));
    let announce = facts.announce_at.map(|at| (at, Change::Announce));
    let all = match facts.status {
        // Nor does it begin a second period unpaid.
        Status::Incomplete => {
            let at = facts.created_at.plus_seconds(INCOMPLETE).min(facts.period_end);
            [Some((at, Change::Expire)).filter(|_| !facts.ends_with_session), None, None, None, None, None, None]
        }
        Status::Trialing => [cancel, at_end(Change::EndTrial), announce, None, None, None, None],
        Status::Active => [cancel, at_end(Change::Renew), overdue, announce, None, close, None],
        Status::PastDue => [cancel, give_up, at_end(Change::Renew), retry, announce, close, protect],
        Status::Paused => [cancel, facts.resumes_at.map(|at| (at, Change::Resume)), None, None, None, close, None],
        // What was used until the end is still to be invoiced.
        Status::Canceled => [None, None, None, None, None, close, None],
        Status::IncompleteExpired => [None; 7],
    };
    all.into_iter().flatten().min()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn facts(status: Status) -> Facts<'static> {
        Facts {
            status,
            created_at: Time(0),
            ends_with_session: false,
            period_end: Time(30 * DAY),
            cancel_at: None,
            resumes_at: None,
            past_due_at: None,
            retries: 0,
            retry_days: &[1, 3],
            days_until_cancel: 30,
            is_automatic: true,
            due_date: None,
            usage_closes_at: None,
            protect_at: None,
            announce_at: None,
        }
    }

    #[test]
    fn announced_once_and_in_time() {
        let at = |days: i64| Time(days * DAY);
        let month = (at(0), at(30));
        let active =
            |cancel, announced, days, now| announcement((Status::Active, month), (cancel, announced), days, now);
        assert_eq!(active(None, None, 3, at(1)), Some(at(27)));
        assert_eq!(active(None, None, 3, at(29)), Some(at(27)));
        // Too late, done, never, or it will have ended.
        assert_eq!(active(None, None, 3, at(30)), None);
        assert_eq!(active(None, Some(at(30)), 3, at(1)), None);
        assert_eq!(active(None, None, 0, at(1)), None);
        assert_eq!(active(Some(at(30)), None, 3, at(1)), None);
        assert_eq!(active(Some(at(31)), Some(at(0)), 3, at(1)), Some(at(27)));
        assert_eq!(active(None, None, 30, at(1)), None);
        let trial = |period| announcement((Status::Trialing, period), (None, None), 0, at(0));
        assert_eq!(trial(month), Some(at(27)));
        assert_eq!(trial((at(0), at(2))), Some(at(0)));
        assert_eq!(announcement((Status::Paused, month), (None, None), 3, at(1)), None);
        let active = Facts { announce_at: Some(at(27)), ..facts(Status::Active) };
        assert_eq!(next(&active), Some((at(27), Change::Announce)));
    }

    #[test]
    fn one_after_another() {
        let at = |days: i64, change| Some((Time(days * DAY), change));
        assert_eq!(next(&facts(Status::Incomplete)), Some((Time(23 * 3_600_000_000), Change::Expire)));
        let short = Facts { period_end: Time(DAY / 24), ..facts(Status::Incomplete) };
        assert_eq!(next(&short), Some((Time(DAY / 24), Change::Expire)));
        assert_eq!(next(&Facts { ends_with_session: true, ..short }), None);
        assert_eq!(next(&facts(Status::Trialing)), at(30, Change::EndTrial));
        assert_eq!(next(&facts(Status::Active)), at(30, Change::Renew));
        assert_eq!(next(&facts(Status::Paused)), None);
        assert_eq!(next(&Facts { cancel_at: Some(Time(0)), ..facts(Status::Canceled) }), None);
        // What ends with its period does not begin another.
        let ends = Facts { cancel_at: Some(Time(30 * DAY)), ..facts(Status::Active) };
        assert_eq!(next(&ends), at(30, Change::Cancel));
        let owes = Facts { past_due_at: Some(Time(5 * DAY)), ..facts(Status::PastDue) };
        assert_eq!(next(&owes), at(6, Change::Retry));
        assert_eq!(next(&Facts { retries: 1, ..owes.clone() }), at(8, Change::Retry));
        assert_eq!(next(&Facts { retries: 2, ..owes.clone() }), at(30, Change::Renew));
        let later = Facts { retries: 2, period_end: Time(90 * DAY), ..owes.clone() };
        assert_eq!(next(&later), at(35, Change::GiveUp));
        assert_eq!(next(&Facts { is_automatic: false, ..owes }), at(30, Change::Renew));
        // A deposit comes before it is given up.
        let protected = Facts { protect_at: Some(Time(35 * DAY)), ..later.clone() };
        assert_eq!(next(&protected), at(35, Change::Protect));
        assert_eq!(next(&Facts { status: Status::Active, ..protected }), at(90, Change::Renew));
        let sent = Facts { is_automatic: false, due_date: Some(Time(7 * DAY)), ..facts(Status::Active) };
        assert_eq!(next(&sent), at(7, Change::Overdue));
        let paused = Facts { resumes_at: Some(Time(9 * DAY)), ..facts(Status::Paused) };
        assert_eq!(next(&paused), at(9, Change::Resume));
        // Usage closes a while after its period, and after the end too.
        let used = Facts { usage_closes_at: Some(Time(31 * DAY)), ..facts(Status::Active) };
        assert_eq!(next(&used), at(30, Change::Renew));
        assert_eq!(next(&Facts { period_end: Time(60 * DAY), ..used.clone() }), at(31, Change::CloseUsage));
        assert_eq!(next(&Facts { status: Status::Canceled, ..used.clone() }), at(31, Change::CloseUsage));
        assert_eq!(next(&Facts { status: Status::IncompleteExpired, ..used }), None);
        assert!(Status::Canceled.is_over() && !Status::Paused.is_over());
        assert!(Status::ALL.into_iter().all(|status| Status::parse(status.as_str()) == Some(status)));
    }

    proptest! {
        /// Whatever a subscription is: what is known to end it changes nothing before, and then comes before all else that is
        /// due at that moment, but for what never paid. So one that was to end and is not is as if it never had been.
        #[test]
        fn canceled_for_later_and_recovered(
            status in 0usize..7, moments in proptest::array::uniform6(proptest::option::of(0i64..100)), retries in 0usize..4,
            days_until_cancel in 1i32..40, is_automatic: bool, cancel_at in 0i64..100, ends_with_session: bool
        ) {
            let status = Status::ALL[status];
            let [period_end, resumes_at, past_due_at, due_date, usage_closes_at, _] =
                moments.map(|day| day.map(|day| Time(day * DAY)));
            let without = Facts {
                period_end: period_end.unwrap_or(Time(30 * DAY)),
                resumes_at, past_due_at, due_date, usage_closes_at, retries, days_until_cancel, is_automatic,
                ends_with_session, ..facts(status)
            };
            let at = Time(cancel_at * DAY);
            let with = Facts { cancel_at: Some(at), ..without.clone() };
            match next(&without) {
                Some((earlier, change)) if earlier < at => prop_assert_eq!(next(&with), Some((earlier, change))),
                _ if status == Status::Incomplete || status.is_over() => prop_assert_eq!(next(&with), next(&without)),
                _ => prop_assert_eq!(next(&with), Some((at, Change::Cancel))),
            }
            prop_assert_eq!(next(&Facts { cancel_at: None, ..with }), next(&without));
        }
    }
}
