//! HINT: what to do about an error, for people.

use crate::amount::AmountError;
use crate::error::{Error, Spender, TOO_OLD};

impl Error {
    /// What to do about it.
    pub fn hint(&self) -> String {
        if let Error::Entry { error, .. } = self {
            return error.hint();
        }
        let hint = match self {
            Error::InsufficientCredits { by: Spender::Debit, .. } => {
                "Grant credits first (credits.credit_grant), or use credits.wallet_try_debit, which answers without an error."
            }
            Error::InsufficientCredits { by: Spender::Other, .. } => {
                "Grant credits first (credits.credit_grant); credits.credit_availability says what there is."
            }
            Error::InsufficientCredits { by: Spender::Grant, .. } => {
                "Only what there is of the grant can be ended (see the view credits.grants); without amount, all of it is."
            }
            Error::InsufficientCredits { by: Spender::Usage, .. } => {
                "Grant credits first (credits.credit_grant), or have the meter record what is owed (overage 'pending')."
            }
            Error::InsufficientCredits { by: Spender::Limited(_), .. } => {
                "Grant credits first (credits.credit_grant), or raise overdraft_limit with credits.account_configure."
            }
            Error::IdempotencyConflict { .. } => "A replay must have the same inputs; use a new key for another call.",
            Error::ExistsOtherwise { argument, .. } => match *argument {
                "currency" => "credits.currency_update changes what can be changed of it.",
                "event_name" => "credits.meter_update changes what can be changed of it.",
                "lookup_key" => "Archive that price with credits.price_archive first: its key is free then.",
                _ => "Archive its price with credits.price_archive to sell it on other terms, or give it another name.",
            },
            Error::CustomerNotFound { .. } => {
                "Make the customer with credits.customer_upsert, or grant credits: that makes it as well."
            }
            Error::MeterNotFound { .. } => "Make the meter with credits.meter_create.",
            Error::MeterInactive { .. } => "credits.meter_activate takes its events again.",
            Error::EventTimeOutOfRange { .. } => {
                "Correct the time; to import history, raise the setting that DETAIL names for the import."
            }
            Error::InvalidAmount { reason: AmountError::MoreThanHeld(_), .. } => {
                "Capture what is held, or take the rest from the balance with more => 'available'."
            }
            Error::InvalidAmount { reason: AmountError::MoreThanTaken(_), .. } => {
                "Leave amount NULL for all that is left; the view credits.ledger has what went back before."
            }
            Error::InvalidAmount { reason: AmountError::NoRoom | AmountError::BuysTooMuch, .. } => {
                "Make it less, or take another currency: what was ever granted counts, spent or not."
            }
            Error::InvalidAmount { reason: AmountError::TooMuchOwed, .. } => {
                "Grant credits first (credits.credit_grant): they pay what is owed."
            }
            Error::InvalidAmount {
                reason:
                    AmountError::BelowMinimum(_)
                    | AmountError::AboveMaximum(_)
                    | AmountError::CostsTooLittle(..)
                    | AmountError::CostsTooMuch(..),
                ..
            } => "credits.currency_update and credits.configure_recharge set what one payment may be.",
            Error::InvalidAmount { argument: "quantity", .. } => {
                "A quantity is an exact decimal: how many, whatever one costs."
            }
            Error::InvalidAmount { .. } => "Amounts are exact decimals in major units of the currency.",
            Error::CurrencyNotFound { inactive: true, .. } => {
                "credits.currency_update(currency, active => true) takes it up again."
            }
            Error::CurrencyNotFound { .. } => "Make the currency with credits.currency_create.",
            Error::GrantNotFound { .. } => "A grant is found by its customer and its id: see the view credits.grants.",
            Error::HoldNotOpen { state: "unknown", .. } => {
                "A hold is found by its customer and its id: see the view credits.holds."
            }
            Error::HoldNotOpen { .. } => {
                "A closed hold has nothing left: use credits.wallet_debit or another hold, or where it expired late => 'charge'."
            }
            Error::RechargeNotConfigured { .. } => {
                "Configure it with credits.configure_recharge, for a customer with credits.configure_auto_recharge."
            }
            Error::SignatureInvalid { reason: TOO_OLD } => {
                "Look whether both clocks are right, and how long the request waited; credits.payment_provider_set has the tolerance."
            }
            Error::SignatureInvalid { .. } => {
                "Pass the raw request body and the signature header as they came; credits.payment_provider_set has the secret."
            }
            Error::TokenInvalid { .. } => {
                "Make a new link: credits.billing_portal_session_create, for a checkout credits.checkout_session_update."
            }
            Error::TopUpNotOpen { subject: "recharge", .. } => {
                "Try again: the transaction that asks for it may not have committed yet. See the view credits.recharge_log."
            }
            Error::TopUpNotOpen { .. } => {
                "Try again: the transaction that makes it may not have committed yet. See the view credits.top_ups."
            }
            Error::LimitExceeded(limited) if limited.member_id.is_some() => {
                "Wait until resets_at in DETAIL, or raise it with credits.member_limit_set; the view credits.limits lists them."
            }
            Error::LimitExceeded(_) => {
                "Wait until resets_at in DETAIL, or raise it with credits.usage_limit_set; the view credits.limits lists them."
            }
            Error::PromotionNotApplicable(why) => why.reason.hint(),
            Error::ObjectNotFound { object: "coupon", .. } => "The view credits.coupons lists all of them.",
            Error::ObjectNotFound { object: "promotion_code", .. } => {
                "The view credits.promotion_codes lists all of them; upper and lower case are the same."
            }
            Error::StateConflict { object: "meter_event", .. } => {
                "What was invoiced stays: credits.invoice_item_create() with an amount below zero gives it back."
            }
            Error::StateConflict { state: "billed by its provider", .. } => {
                "It is changed and ended with its provider, whose webhook says so here; description and metadata are ours."
            }
            Error::StateConflict { state: "known by that provider_reference", .. } => {
                "One subscription of a provider's is one of ours: the view credits.subscriptions has its provider_reference."
            }
            Error::StateConflict { object: "coupon", .. } => {
                "What was used stays what it is: credits.coupon_update(active => false) switches it off, and its codes."
            }
            Error::StateConflict { object: "promotion_code", .. } => {
                "What was used stays what it is: credits.promotion_code_archive switches it off."
            }
            Error::ObjectNotFound { object: "subscription", .. } => {
                "It is found by its customer and its id: see the view credits.subscriptions."
            }
            Error::ObjectNotFound { object: "subscription_item", .. } => {
                "It is found by its customer and its id: see the view credits.subscription_items."
            }
            Error::StateConflict { object: "subscription_item", .. } => {
                "credits.subscription_cancel ends the subscription; credits.subscription_item_update changes the item."
            }
            Error::StateConflict { object: "subscription", state: "used", .. } => {
                "Only one without any invoice or discount can be deleted: credits.subscription_cancel ends others."
            }
            Error::StateConflict { object: "subscription", .. } => {
                "What is over stays over, and what is paused or not paid yet has to go on first: see credits.subscriptions."
            }
            Error::ObjectNotFound { object: "product", .. } => "The view credits.products lists all of them.",
            Error::StateConflict { object: "price" | "product", state: "archived", .. } => {
                "What was taken off sale stays so: credits.product_create makes another."
            }
            Error::StateConflict { object: "product", .. } => {
                "credits.product_archive takes it off sale; what was begun with it can still be paid."
            }
            Error::StateConflict { object: "price", state: "unlimited", .. } => {
                "Any number of it may be sold: credits.price_update gives it a quantity_available."
            }
            Error::StateConflict { object: "price", .. } => {
                "credits.price_archive takes it off sale; credits.price_create makes one with other terms."
            }
            Error::OutOfStock(_) => {
                "Ask for no more, or add some with credits.price_inventory; the view credits.prices says how many there are."
            }
            Error::CustomerOverdue(_) => "credits.customer_overdue_invoices lists them; credits.invoice_pay pays one.",
            Error::ObjectNotFound { object: "checkout_session", .. } => {
                "It is found by its customer and its id: see the view credits.checkout_sessions."
            }
            Error::ObjectNotFound { object: "payment_link", .. } => "The view credits.payment_links lists all of them.",
            Error::ObjectNotFound { object: "price", .. } => "The view credits.prices lists all of them.",
            Error::StateConflict { object: "checkout_session", state: "submitted", .. } => {
                "What is submitted is paid as it is, or credits.checkout_session_expire ends it."
            }
            Error::StateConflict { object: "checkout_session", .. } => {
                "It is over: credits.checkout_session_create makes another."
            }
            Error::StateConflict { object: "payment_link", .. } => {
                "What was archived stays so: credits.payment_link_create makes another."
            }
            Error::StateConflict { state: "draft of a checkout session", .. } => {
                "Its payment gives it out; credits.checkout_session_expire ends it."
            }
            Error::ObjectNotFound { object: "invoice_line", .. } => {
                "It is found by its customer and its id: see the view credits.invoice_lines."
            }
            Error::ObjectNotFound { object: "payment_method", .. } => {
                "It is found by its customer and its id: see the view credits.payment_methods."
            }
            Error::ObjectNotFound { object: "refund", .. } => {
                "It is found by its customer and its id: see the view credits.refunds."
            }
            Error::ObjectNotFound { .. } => "It is found by its customer and its id: see the view credits.invoices.",
            Error::StateConflict { object: "customer", state: "erased", .. } => {
                "credits.customer_upsert says who the customer is: then it is known again."
            }
            Error::StateConflict { object: "customer", .. } => {
                "credits.customer_erase forgets the person, and keeps what happened."
            }
            Error::StateConflict { object: "invoice_line", .. } => {
                "Only what is pending and was given by hand can be deleted: see the view credits.invoice_lines."
            }
            Error::StateConflict { object: "refund", .. } => {
                "Only what is pending and nobody began with can be taken back: see the view credits.refunds."
            }
            Error::StateConflict { object: "payment_intent", .. } => {
                "Try again once the payment was reported: see the view credits.payment_intents."
            }
            Error::StateConflict { state: "draft of a top-up", .. } => {
                "Its payment gives it out: credits.payment_succeeded, or the provider's webhook."
            }
            Error::StateConflict { .. } => {
                "A draft can be changed and deleted; what is open can be paid, voided or given up; paid stays paid."
            }
            Error::PriceNotFound { .. } => "The view credits.packages lists what is on sale.",
            Error::InvalidArgument { argument, .. } if argument.starts_with("credits.") => {
                "It is a setting: SET, ALTER ROLE, ALTER DATABASE or postgresql.conf gave it that value."
            }
            Error::InvalidArgument { .. } | Error::UnknownKey { .. } => {
                "SELECT credits.help('function') lists what each argument takes."
            }
            Error::ConsumerNotFound { is_needed: false, .. } => {
                "The view credits.outbox_backlog lists those that there are."
            }
            Error::ConsumerNotFound { .. } => "An administrator makes it with credits.outbox_consumer_create.",
            Error::Production => {
                "Where it holds test data alone, a superuser marks it so: ALTER DATABASE … SET credits.production = off."
            }
            Error::SuperuserOnly { .. } => {
                "Call it as a superuser, or through a function of one's own with SECURITY DEFINER that a superuser made."
            }
            Error::SettingRefused { .. } => {
                "It needs superuser, or GRANT SET ON PARAMETER. RESET it, or connect without it, to go on with the default."
            }
            Error::Maintenance { .. } => "Put right what the message says; what the other kinds did is kept.",
            Error::VersionsDiffer => {
                "ALTER EXTENSION pg_credits UPDATE brings the database to the library's version; older sessions must reconnect."
            }
            Error::AccountBusy => "Try again once the other session's transaction has ended.",
            Error::AccountNotEmpty { state: "posted_to", .. } => {
                "Import all parts in one transaction; or import it all into another customer's account."
            }
            Error::AccountNotEmpty { .. } => {
                "Import before anything else happens to the account; later, credits.wallet_adjust corrects what it has."
            }
            Error::Internal { .. } | Error::Entry { .. } => "SELECT * FROM credits.verify() lists what does not agree.",
        };
        match self.suggestion() {
            Some(suggestion) => format!("{suggestion} {hint}"),
            None => hint.to_string(),
        }
    }
}
