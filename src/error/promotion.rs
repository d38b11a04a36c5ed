//! PC016: why a coupon or a promotion code does not apply.

use crate::amount::Decimal;
use serde_json::{Value, json};
use std::fmt;
use uuid::Uuid;

/// One reason: the first that there is, in the order of these.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reason {
    /// It or its coupon is switched off.
    Inactive,
    /// Its time has not come.
    NotStarted,
    /// Its time is over.
    Expired,
    /// The coupon's time is over.
    RedeemBy,
    /// It or its coupon is used up.
    MaxRedemptions,
    /// The customer has used it as often as one may.
    PerCustomer,
    /// It is not the customer's, or the application does not vouch for that.
    Verification,
    /// The customer has paid for something before.
    FirstTransaction,
    /// It says nothing of the currency.
    Currency,
    /// Nothing is bought that it takes something off.
    NoEligibleProduct,
    /// Too little is bought.
    Minimum,
}

impl Reason {
    /// For programs.
    pub fn as_str(self) -> &'static str {
        match self {
            Reason::Inactive => "inactive",
            Reason::NotStarted => "not_started",
            Reason::Expired => "expired",
            Reason::RedeemBy => "redeem_by",
            Reason::MaxRedemptions => "max_redemptions",
            Reason::PerCustomer => "max_redemptions_per_customer",
            Reason::Verification => "verification",
            Reason::FirstTransaction => "first_time_transaction",
            Reason::Currency => "currency",
            Reason::NoEligibleProduct => "no_eligible_product",
            Reason::Minimum => "minimum_amount",
        }
    }

    fn sentence(self) -> &'static str {
        match self {
            Reason::Inactive => "it is switched off",
            Reason::NotStarted => "its time has not come",
            Reason::Expired => "it has expired",
            Reason::RedeemBy => "its coupon has expired",
            Reason::MaxRedemptions => "it is used up",
            Reason::PerCustomer => "the customer has used it as often as one may",
            Reason::Verification => "it is for certain customers",
            Reason::FirstTransaction => "it is for a first purchase",
            Reason::Currency => "it is for other currencies",
            Reason::NoEligibleProduct => "it takes nothing off what is bought",
            Reason::Minimum => "too little is bought",
        }
    }

    /// What to do about it.
    pub fn hint(self) -> &'static str {
        match self {
            Reason::Inactive => {
                "credits.promotion_code_update or credits.coupon_update switches it on again: active => true."
            }
            Reason::NotStarted | Reason::Expired => {
                "credits.promotion_code_update has starts_at and expires_at; the view credits.promotion_codes shows them."
            }
            Reason::RedeemBy => "credits.coupon_update has redeem_by; the view credits.coupons shows it.",
            Reason::MaxRedemptions => {
                "What is reserved for purchases under way counts, and comes back where they are not paid: try again later."
            }
            Reason::PerCustomer => {
                "What is reserved for the customer's other purchases counts; the view credits.discount_log has them."
            }
            Reason::Verification => {
                "It is for its customer_ids, or where it is attested needs verification data: see credits.promotion_codes."
            }
            Reason::FirstTransaction => "Only a customer who never paid anything may use it: see credits.invoices.",
            Reason::Currency => {
                "Its currency_options may name others: see credits.coupons and credits.promotion_codes."
            }
            Reason::NoEligibleProduct => {
                "credits.coupons has applies_to_products; one with a credit_config gives credits: credits.voucher_redeem."
            }
            Reason::Minimum => "DETAIL has the amount that all that is bought must come to.",
        }
    }
}

/// What does not apply, and why.
#[derive(Debug, Clone)]
pub struct NotApplicable {
    /// The code, as it was made; `None` where a coupon is used without one.
    pub code: Option<String>,
    /// Its id.
    pub promotion_code_id: Option<Uuid>,
    /// The coupon.
    pub coupon_id: Uuid,
    /// Why.
    pub reason: Reason,
    /// Where too little is bought: the least, and of which currency.
    pub minimum: Option<(Decimal, String)>,
}

impl fmt::Display for NotApplicable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.code {
            Some(code) => write!(f, "promotion code \"{code}\" does not apply")?,
            None => write!(f, "coupon {} does not apply", self.coupon_id)?,
        }
        write!(f, ": {}", self.reason.sentence())?;
        match &self.minimum {
            Some((least, currency)) => write!(f, ", less than {least} {currency}"),
            None => Ok(()),
        }
    }
}

impl NotApplicable {
    /// The values, for programs.
    pub fn detail(&self) -> Value {
        let mut values = json!({
            "reason": self.reason.as_str(),
            "code": self.code,
            "promotion_code_id": self.promotion_code_id.map(|id| id.to_string()),
            "coupon_id": self.coupon_id.to_string(),
        });
        if let Some((least, currency)) = &self.minimum {
            values["minimum_amount"] = least.normalize().to_string().into();
            values["currency"] = currency.clone().into();
        }
        values
    }
}
