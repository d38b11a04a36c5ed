//! Vouchers: codes that give credits at once.

use crate::amount::{self, Decimal};
use crate::catalog::coupon::terms::Coupon;
use crate::catalog::credit_config::CreditConfig;
use crate::catalog::discount::Use;
use crate::catalog::redemption::holding::{HolderType, confirm, reserve_for};
use crate::catalog::redemption::{Cart, Chosen, Quote, Verification, judged, resolve, share};
use crate::error::Error;
use crate::input;
use crate::ledger::engine::book::Book;
use crate::ledger::engine::line::LineType;
use crate::ledger::engine::operation::{self, Begun, Operation, Texts};
use crate::ledger::engine::posting;
use crate::ledger::grant::terms::Terms;
use crate::ledger::grant::{self, NewGrant};
use crate::ledger::{account, balance, currency, customer};
use crate::moment::Time;
use crate::pg::call::reply::{One, Reply};
use crate::pg::statement::{Session, Statement, writing};
use crate::pg::value::{Json, ToCell};
use crate::row;
use crate::settings;
use pgrx::pg_extern;
use pgrx::pg_sys::{TEXTOID, UUIDOID};
use uuid::Uuid;

row! {
    /// What `voucher_redeem` returns.
    pub struct VoucherRow {
        /// The application's key.
        pub customer_id: String,
        /// The code's id.
        pub promotion_code_id: Option<Uuid>,
        /// The coupon.
        pub coupon_id: Uuid,
        /// As it was made.
        pub code: Option<String>,
        /// The grant that carries the credits.
        pub grant_id: Uuid,
        /// The currency's code.
        pub currency: String,
        /// Credits granted.
        pub credits: Decimal,
        /// When they expire.
        pub expires_at: Option<Time>,
        /// What a plain debit may take now.
        pub available: Decimal,
        /// Whether this replays an earlier call.
        pub replayed: bool,
    }
}

/// The name under which it claims its key.
const FUNCTION: &str = "voucher_redeem";

/// `credits.voucher_redeem`. Raises PC002, PC007, PC008, PC013, PC016, PC019.
#[pg_extern(sql = false)]
fn voucher_redeem(
    customer_id: Option<&str>,
    code: Option<&str>,
    idempotency_key: Option<&str>,
    verification_data: Option<Json>,
    verification_method: Option<&str>,
) -> Reply<One<VoucherRow>> {
    Reply((|| {
        let customer_id = input::key("customer_id", customer_id)?;
        let code = input::key("code", code)?;
        let key = input::optional_key("idempotency_key", idempotency_key)?;
        let verification = Verification::read(verification_method, verification_data)?;
        writing(|session| redeem(session, customer_id, code, key, &verification)).map(One)
    })())
}

/// A call, as it claims its key: under one key it is one code.
fn call(code: &str, currency: &str, grant_id: Uuid) -> Operation {
    Operation {
        function: FUNCTION.to_string(),
        operation_id: Uuid::now_v7(),
        currency: currency.to_string(),
        amount: Decimal::ZERO,
        category: None,
        grant_id: Some(grant_id),
        counterparty: None,
        reason: Some(code.trim().to_lowercase()),
    }
}

fn redeem(
    session: &Session,
    customer_id: &str,
    code: &str,
    key: Option<&str>,
    verification: &Verification,
) -> Result<VoucherRow, Error> {
    let now = settings::now()?;
    let grant_id = Uuid::now_v7();
    // Whatever became of the code since.
    if let Some(key) = key
        && let Some(first) = operation::find(session, customer_id, key)?
    {
        let call = call(code, &first.currency, grant_id);
        return replay(session, customer_id, first.replayed(key, &call)?);
    }
    let ids = resolve(session, &Chosen::Code(code))?;
    share(session, ids)?;
    let coupon = Coupon::stored(session, ids.0)?;
    let config = coupon.config();
    let currency = config.map_or_else(settings::default_currency, |config| config.currency.clone());
    let call = call(code, &currency, grant_id);
    let judge = || {
        customer::ensure_kept(session, customer_id)?;
        customer::lock(session, customer_id)?;
        let cart = Cart { customer_id, holder_id: Some(grant_id), currency: &currency, lines: &[] };
        let quote = judged(session, &cart, ids, &coupon, verification, Use::Voucher, now)?;
        let config = config.ok_or_else(|| Error::internal("a voucher gives nothing"))?;
        let decimals = currency::resolve(session, &currency)?.decimals;
        let fits = amount::fit(config.amount, decimals);
        fits.map_err(|reason| Error::amount("credit_config", config.amount, reason))?;
        let book = account::open_or_make(session, customer_id, &currency, now)?;
        Ok((quote, config, book, decimals))
    };
    let (quote, config, book, decimals) = match key {
        // The redemption says everything: only a key needs an operation.
        None => judge()?,
        Some(_) => match operation::begin(session, customer_id, &call, key, &Texts::default(), now, judge)? {
            Begun::First(judged) => judged,
            Begun::Replay(first) => return replay(session, customer_id, first),
        },
    };
    give(session, grant_id, book, (&coupon, config), decimals)?;
    // Last: other customers wait for the counters.
    let quote = Quote { amount: config.amount.normalize(), ..quote };
    reserve_for(session, (customer_id, HolderType::Voucher, grant_id), &quote, None, now)?;
    confirm(session, customer_id, grant_id, now)?;
    find(session, customer_id, grant_id, &currency, false)
}

fn give(
    session: &Session,
    grant_id: Uuid,
    mut book: Book,
    (coupon, config): (&Coupon, &CreditConfig),
    decimals: u32,
) -> Result<(), Error> {
    let terms = config.terms();
    let expires_at = terms.time_to_live.map_or(Time::NEVER, |lasts| lasts.added_to(book.posted_at));
    let new = NewGrant {
        id: grant_id,
        amount: config.amount,
        name: Some(config.name.as_deref().unwrap_or(&coupon.name)),
        granted_by: Some("voucher"),
        metadata: None,
    };
    let terms = Terms::given(&terms, expires_at);
    grant::give(session, &mut book, &new, &terms, (LineType::Grant, None), decimals)?;
    posting::post(session, &[book])
}

static FIND: Statement = Statement::new(
    c"SELECT r.promotion_code_id, r.coupon_id, p.code, r.amount, nullif(g.expires_at, 'infinity')
      FROM credits_internal.redemptions r
      JOIN credits_internal.credit_grants g ON g.customer_id = r.customer_id AND g.grant_id = r.holder_id
      LEFT JOIN credits_internal.promotion_codes p ON p.promotion_code_id = r.promotion_code_id
      WHERE r.customer_id = $1 AND r.holder_id = $2",
    &[TEXTOID, UUIDOID],
);

fn find(
    session: &Session,
    customer_id: &str,
    grant_id: Uuid,
    currency: &str,
    replayed: bool,
) -> Result<VoucherRow, Error> {
    let rows = FIND.run(session, &[customer_id.cell(), grant_id.cell()])?;
    let mut row = rows.first().ok_or_else(|| Error::internal("a voucher's redemption is not there"))?;
    let (promotion_code_id, coupon_id, code) = (row.next()?, row.next()?, row.next()?);
    let book = balance::current(session, customer_id, currency)?;
    Ok(VoucherRow {
        customer_id: customer_id.to_string(),
        promotion_code_id,
        coupon_id,
        code,
        grant_id,
        currency: currency.to_string(),
        credits: row.next()?,
        expires_at: row.next()?,
        available: book.map_or(Decimal::ZERO, |book| book.available),
        replayed,
    })
}

fn replay(session: &Session, customer_id: &str, first: Operation) -> Result<VoucherRow, Error> {
    let grant_id = first.grant_id.ok_or_else(|| Error::internal("an operation lost its grant"))?;
    find(session, customer_id, grant_id, &first.currency, true)
}
