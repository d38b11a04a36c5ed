//! Refunds that are asked for: by the application, with the credits that go back for them at once; and of money that paid for
//! nothing, which takes none. A worker begins with one, and what the provider reports of it answers it: refund/answer.rs.

use crate::amount::{self, AmountError, Decimal};
use crate::error::Error;
use crate::input;
use crate::ledger::engine::operation::{self, Begun, Operation, Texts};
use crate::outbox;
use crate::outbox::billing_event::{self, EventType};
use crate::payments::clawback::{self, line};
use crate::payments::notification::case::{self, Case};
use crate::payments::notification::record::{self, Entry};
use crate::payments::payment_intent as intent;
use crate::payments::reckoning::{Details, Fact, Kind, Payment, Standing};
use crate::payments::reference::{self, Thing};
use crate::payments::refund::given::{self, Part};
use crate::payments::refund::row::{self, RefundRow};
use crate::pg::call::argument::{Id, Numeric};
use crate::pg::call::reply::{One, Reply};
use crate::pg::statement::{Session, Statement, writing};
use crate::pg::value::{Json, ToCell};
use crate::settings::{self, Spent};
use pgrx::pg_extern;
use pgrx::pg_sys::{BOOLOID, JSONBOID, NUMERICOID, TEXTOID, TIMESTAMPTZOID, UUIDOID};
use serde_json::json;
use uuid::Uuid;

/// Why money goes back where nobody says more.
const REASON: &str = "requested_by_customer";

/// A refund as it is asked for.
struct Asked<'a> {
    amount: Option<Decimal>,
    lines: Vec<Part>,
    reason: &'a str,
    description: Option<&'a str>,
    metadata: Option<Json>,
    spent: Spent,
}

/// `credits.refund_create`. Raises PC002, PC003, PC007, PC013, PC014.
#[pg_extern(sql = false)]
#[allow(clippy::too_many_arguments)]
fn refund_create(
    customer_id: Option<&str>,
    payment_intent_id: Option<Id>,
    amount: Option<Numeric>,
    lines: Option<Json>,
    reason: Option<&str>,
    description: Option<&str>,
    metadata: Option<Json>,
    spent: Option<&str>,
    idempotency_key: Option<&str>,
) -> Reply<One<RefundRow>> {
    Reply((|| {
        let lines = lines.map_or(Ok(Vec::new()), |lines| given::read(&lines.text()))?;
        let asked = Asked { metadata, lines, ..asked(amount, reason, description, spent)? };
        let key = input::optional_key("idempotency_key", idempotency_key)?;
        create(customer_id, payment_intent_id, asked, key)
    })())
}

/// `credits.payment_intent_refund`. Raises PC003, PC007, PC013, PC014.
#[pg_extern(sql = false)]
fn payment_intent_refund(
    customer_id: Option<&str>,
    payment_intent_id: Option<Id>,
    amount: Option<Numeric>,
    reason: Option<&str>,
    description: Option<&str>,
    idempotency_key: Option<&str>,
) -> Reply<One<RefundRow>> {
    Reply((|| {
        let key = input::optional_key("idempotency_key", idempotency_key)?;
        create(customer_id, payment_intent_id, asked(amount, reason, description, None)?, key)
    })())
}

fn asked<'a>(
    amount: Option<Numeric>,
    reason: Option<&'a str>,
    description: Option<&'a str>,
    spent: Option<&str>,
) -> Result<Asked<'a>, Error> {
    Ok(Asked {
        amount: input::optional_number("amount", amount, amount::over_zero)?,
        lines: Vec::new(),
        reason: input::optional_key("reason", reason)?.unwrap_or(REASON),
        description: input::text("description", description)?,
        metadata: None,
        spent: clawback::policy(spent)?,
    })
}

fn create(
    customer_id: Option<&str>,
    payment_intent_id: Option<Id>,
    asked: Asked<'_>,
    key: Option<&str>,
) -> Result<One<RefundRow>, Error> {
    let customer_id = input::key("customer_id", customer_id)?;
    let id = input::required("payment_intent_id", payment_intent_id)?.0;
    writing(|session| {
        let now = settings::now()?;
        let refund_id = Uuid::now_v7();
        let currency = intent::subject(session, customer_id, id)?.currency;
        let call = Operation {
            function: String::from("refund_create"),
            operation_id: refund_id,
            currency,
            amount: asked.amount.unwrap_or_default(),
            category: None,
            grant_id: None,
            counterparty: None,
            reason: Some(format!("{id}, {}", given::compared(&asked.lines))),
        };
        let judge = || {
            let case = case::whole(session, customer_id, id, now)?;
            let amount = asked.judge(session, &case)?;
            Ok((case, amount))
        };
        let (mut case, amount) = match key {
            None => judge()?,
            Some(_) => match operation::begin(session, customer_id, &call, key, &Texts::default(), now, judge)? {
                Begun::First(judged) => judged,
                Begun::Replay(first) => return row::find(session, customer_id, first.operation_id, true).map(One),
            },
        };
        go_back(session, &mut case, refund_id, &asked, amount)?;
        row::find(session, customer_id, refund_id, false).map(One)
    })
}

impl Asked<'_> {
    /// How much goes back: what is asked for, or all that is there of one payment. Raises PC007, PC013.
    fn judge(&self, session: &Session, case: &Case) -> Result<Decimal, Error> {
        let of_lines = given::judge(&self.lines, &case.lines)?;
        let most = refundable(session, case)?.into_iter().map(|(_, left)| left).max().unwrap_or_default();
        let amount = match (self.amount, of_lines) {
            (Some(amount), Some(sum)) if amount != sum => {
                return Err(Error::argument("amount", format!("must be what the lines come to, {sum}, or left out")));
            }
            (Some(amount), _) => amount,
            (None, Some(sum)) => sum,
            (None, None) => most,
        };
        case.fits(session, "amount", Some(amount))?;
        if amount > most || amount.is_zero() {
            return Err(Error::amount("amount", amount, AmountError::MoreThanPaid(most)));
        }
        Ok(amount)
    }
}

static PENDING: Statement = Statement::new(
    c"SELECT r.provider, r.payment_reference, r.amount FROM credits_internal.refunds r
      WHERE r.customer_id = $1 AND r.payment_intent_id = $2 AND r.status = 'pending' AND NOT r.takes_credits",
    &[TEXTOID, UUIDOID],
)
.before(c"SELECT ''::text, NULL::text, 0::numeric WHERE num_nonnulls($1, $2) < 0");

/// Each payment with what is there of it, less what is asked back already since it paid for nothing.
pub fn not_asked_for(session: &Session, case: &Case, standing: &Standing) -> Result<Vec<(Payment, Decimal)>, Error> {
    let mut all: Vec<(Payment, Decimal)> =
        standing.payments.iter().map(|payment| (payment.clone(), payment.left())).collect();
    for mut row in PENDING.run(session, &[case.intent.customer_id.cell(), case.intent.id.cell()])?.iter() {
        let (provider, reference): (String, Option<String>) = (row.next()?, row.next()?);
        let amount: Decimal = row.next()?;
        let is_meant = |payment: &Payment| payment.name() == (provider.as_str(), reference.as_deref());
        if let Some((_, left)) = all.iter_mut().find(|(payment, _)| is_meant(payment)) {
            *left = (*left - amount).max(Decimal::ZERO);
        }
    }
    Ok(all)
}

/// What can go back of each payment: of a deposit, less what it paid.
fn refundable(session: &Session, case: &Case) -> Result<Vec<(Payment, Decimal)>, Error> {
    let mut all = not_asked_for(session, case, &case.standing())?;
    let left = all.iter_mut().map(|(_, left)| left);
    line::keep_used(session, (&case.intent.customer_id, case.intent.invoice_id), left)?;
    Ok(all)
}

/// Asks for a refund of the latest payment that has so much left, and takes the credits back that it stands for.
fn go_back(
    session: &Session,
    case: &mut Case,
    refund_id: Uuid,
    asked: &Asked<'_>,
    amount: Decimal,
) -> Result<(), Error> {
    let found = refundable(session, case)?.into_iter().rfind(|(_, left)| *left >= amount);
    let (payment, _) = found.ok_or_else(|| Error::internal("a payment has less left than it had"))?;
    for part in &asked.lines {
        if let Some(line) = case.lines.iter_mut().find(|line| line.id == part.invoice_line_id) {
            line.refunded += part.amount;
            line::save_refunded(session, &case.intent.customer_id, line.id, line.refunded)?;
        }
    }
    let fact = Fact {
        kind: Kind::Refunded,
        provider: payment.provider.clone(),
        reference: Some(refund_id.to_string()),
        payment: payment.reference.clone(),
        amount: Some(amount),
        total: None,
        details: Details::default(),
        asked: true,
    };
    let name = refund_id.to_string();
    let owner = (case.intent.customer_id.as_str(), case.intent.id);
    reference::claim(session, (Thing::Refund, &payment.provider, &name), owner, case.now)?;
    let standing = case.standing_with(&fact);
    let outcome = clawback::bring(session, case, &standing, (None, "payment_refunded", asked.spent))?;
    let entry =
        Entry { fact: &fact, currency: None, contradiction: None, counts: true, operation_id: outcome.operation_id };
    record::write(session, case, &entry)?;
    intent::save(session, &case.intent, &standing, None, case.now)?;
    let new = New {
        id: refund_id,
        amount,
        takes_credits: true,
        lines: (!asked.lines.is_empty()).then(|| given::json(&asked.lines)),
        reason: asked.reason,
        description: asked.description,
        metadata: asked.metadata.as_ref(),
    };
    insert(session, case, payment.name(), &new)
}

/// Asks for so much of an intent's money to go back, of as many of its payments as it takes, the latest first; its customer
/// and accounts are locked.
pub fn give_back(
    session: &Session,
    customer_id: &str,
    intent_id: Uuid,
    amount: Decimal,
    reason: &str,
) -> Result<(), Error> {
    let mut case = case::whole(session, customer_id, intent_id, settings::now()?)?;
    let mut rest = amount;
    while rest > Decimal::ZERO {
        let left = refundable(session, &case)?.into_iter().map(|(_, left)| left).rfind(|left| !left.is_zero());
        let part =
            left.ok_or_else(|| Error::amount("amount", amount, AmountError::MoreThanPaid(amount - rest)))?.min(rest);
        let asked = Asked {
            amount: Some(part),
            lines: Vec::new(),
            reason,
            description: None,
            metadata: None,
            spent: clawback::policy(None)?,
        };
        go_back(session, &mut case, Uuid::now_v7(), &asked, part)?;
        case = case::whole(session, customer_id, intent_id, case.now)?;
        rest -= part;
    }
    Ok(())
}

/// Asks for all of an intent's money to go back that is there, of each of its payments; its customer is locked.
pub fn give_all_back(session: &Session, customer_id: &str, intent_id: Uuid, reason: &str) -> Result<(), Error> {
    let case = case::whole(session, customer_id, intent_id, settings::now()?)?;
    let left: Decimal = refundable(session, &case)?.into_iter().map(|(_, left)| left).sum();
    give_back(session, customer_id, intent_id, left, reason)
}

/// Asks for parts of lines to go back, in their order, as far as one payment of the intent has so much left; its customer is
/// locked.
pub fn give_lines_back(
    session: &Session,
    customer_id: &str,
    intent_id: Uuid,
    mut parts: Vec<Part>,
    reason: &str,
) -> Result<(), Error> {
    let mut case = case::whole(session, customer_id, intent_id, settings::now()?)?;
    let mut left = refundable(session, &case)?.into_iter().map(|(_, left)| left).max().unwrap_or_default();
    for part in &mut parts {
        part.amount = part.amount.min(left);
        left -= part.amount;
    }
    parts.retain(|part| part.amount > Decimal::ZERO);
    let amount: Decimal = parts.iter().map(|part| part.amount).sum();
    if amount.is_zero() {
        return Ok(());
    }
    let asked = Asked {
        amount: Some(amount),
        lines: parts,
        reason,
        description: None,
        metadata: None,
        spent: clawback::policy(None)?,
    };
    go_back(session, &mut case, Uuid::now_v7(), &asked, amount)
}

/// Asks for money back that paid for nothing: at most so much of a payment, as far as nobody asked for that yet.
pub fn surplus(
    session: &Session,
    case: &Case,
    standing: &Standing,
    payment: &Payment,
    (most, reason): (Decimal, &str),
) -> Result<(), Error> {
    let all = not_asked_for(session, case, standing)?;
    let left = all.into_iter().find(|(one, _)| one.name() == payment.name()).map_or(Decimal::ZERO, |(_, left)| left);
    nothing(session, case, payment.name(), left.min(most), reason)
}

/// Asks for money back that paid for nothing: so much of a payment.
pub fn nothing(
    session: &Session,
    case: &Case,
    payment: (&str, Option<&str>),
    amount: Decimal,
    reason: &str,
) -> Result<(), Error> {
    if amount <= Decimal::ZERO {
        return Ok(());
    }
    let new = New {
        id: Uuid::now_v7(),
        amount,
        takes_credits: false,
        lines: None,
        reason,
        description: None,
        metadata: None,
    };
    insert(session, case, payment, &new)
}

/// Asks for all money back that is there and was not asked for.
pub fn everything(session: &Session, case: &Case, reason: &str) -> Result<(), Error> {
    let left = refundable(session, case)?;
    left.iter().try_for_each(|(payment, left)| nothing(session, case, payment.name(), *left, reason))
}

struct New<'a> {
    id: Uuid,
    amount: Decimal,
    takes_credits: bool,
    lines: Option<String>,
    reason: &'a str,
    description: Option<&'a str>,
    metadata: Option<&'a Json>,
}

static INSERT: Statement = Statement::new(
    c"INSERT INTO credits_internal.refunds (
          customer_id, refund_id, payment_intent_id, invoice_id, status, amount, currency, takes_credits, lines, reason,
          description, provider, payment_reference, metadata, created_at, updated_at)
      VALUES ($1, $2, $3, $4, 'pending', $5, $6, $7, $8::jsonb, $9, $10, $11, $12, $13, $14, $14)
      RETURNING 1",
    &[
        TEXTOID,
        UUIDOID,
        UUIDOID,
        UUIDOID,
        NUMERICOID,
        TEXTOID,
        BOOLOID,
        TEXTOID,
        TEXTOID,
        TEXTOID,
        TEXTOID,
        TEXTOID,
        JSONBOID,
        TIMESTAMPTZOID,
    ],
)
.before(c"SELECT 1 WHERE num_nonnulls($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14) < 0");

/// Writes one that is asked for, and asks a worker for it.
fn insert(
    session: &Session,
    case: &Case,
    (provider, payment): (&str, Option<&str>),
    new: &New<'_>,
) -> Result<(), Error> {
    let intent = &case.intent;
    let cells = [
        intent.customer_id.cell(),
        new.id.cell(),
        intent.id.cell(),
        intent.invoice_id.cell(),
        new.amount.cell(),
        intent.currency.cell(),
        new.takes_credits.cell(),
        new.lines.cell(),
        new.reason.cell(),
        new.description.cell(),
        provider.cell(),
        payment.cell(),
        new.metadata.cell(),
        case.now.cell(),
    ];
    if INSERT.run(session, &cells)?.len() == 0 {
        // A schema of the release before asks for nothing back.
        return Ok(());
    }
    let payload = json!({
        "refund_id": new.id,
        "payment_intent_id": intent.id,
        "invoice_id": intent.invoice_id,
        "amount": new.amount.normalize().to_string(),
        "currency": intent.currency,
        "provider": provider,
        "payment_reference": payment,
        "reason": new.reason,
    });
    outbox::publish(session, &intent.customer_id, "refund.requested", &payload, case.now);
    billing_event::record(session, EventType::RefundCreated, new.id, Some(&intent.customer_id), case.now)?;
    Ok(())
}
