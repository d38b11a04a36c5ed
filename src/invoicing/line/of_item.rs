//! A line of a subscription: for one of its items and a period, or a part of that.

use crate::amount::Decimal;
use crate::catalog::credit_config::CreditConfig;
use crate::catalog::price::offer::Offer;
use crate::invoicing::line::given::Given;
use crate::invoicing::line::instalment::Instalment;
use crate::invoicing::line::{Credits, New};
use crate::moment::Time;
use uuid::Uuid;

/// What a line of a subscription says of itself.
pub struct OfItem<'a> {
    /// The item.
    pub item_id: Uuid,
    /// The price, as it is sold.
    pub offer: &'a Offer,
    /// And its id.
    pub price_id: Uuid,
    /// How many.
    pub quantity: Decimal,
    /// What it costs, rounded; below zero for what is given back.
    pub amount: Decimal,
    /// What is taken off it.
    pub discount: Decimal,
    /// For people.
    pub description: String,
    /// What time it is for.
    pub period: (Time, Time),
    /// Whether that is a part of a period, since an item changed.
    pub is_proration: bool,
    /// In percent; `None` for the invoice's.
    pub tax_rate: Option<Decimal>,
    /// 'exclusive' or 'inclusive'; `None` for the price's.
    pub tax_behavior: Option<&'a str>,
    /// In which its credits are granted; none where it grants none.
    pub instalments: Vec<Instalment>,
    /// Whether what is left of each expires as it is planned to end.
    pub expires: bool,
}

/// What is kept of it with a line.
pub(super) struct Item {
    pub(super) id: Uuid,
    pub(super) covers_until: Option<Time>,
    pub(super) is_proration: bool,
    pub(super) instalments: Vec<Instalment>,
    pub(super) expires: bool,
    pub(super) waits: bool,
}

impl New {
    /// The line of an item.
    pub fn of_item(id: Uuid, of: OfItem<'_>) -> Self {
        let OfItem { offer, quantity, amount, .. } = of;
        let schedule = offer.config.as_ref().and_then(|config| config.schedule.as_ref());
        let sum: Decimal = of.instalments.iter().map(|one| one.credits).sum();
        let granted = |config: &CreditConfig| Credits {
            amount: sum,
            currency: config.currency.clone(),
            name: Some(config.name.clone().unwrap_or_else(|| offer.product_name.clone())),
            terms: config.terms(),
        };
        New {
            id,
            description: Some(of.description),
            amount,
            tax_behavior: of.tax_behavior.unwrap_or(&offer.tax_behavior).to_string(),
            credits: offer.config.as_ref().filter(|_| !of.instalments.is_empty()).map(granted),
            product_id: Some(offer.product_id),
            item: Some(Item {
                id: of.item_id,
                covers_until: (amount >= Decimal::ZERO).then_some(of.period.1),
                is_proration: of.is_proration,
                instalments: of.instalments,
                expires: of.expires,
                waits: schedule.is_some_and(|schedule| schedule.first_grant == "after_first_payment"),
            }),
            given: Given {
                price_id: Some(of.price_id),
                quantity: Some(quantity).filter(|quantity| *quantity > Decimal::ZERO),
                unit_amount: offer.unit_amount.filter(|_| !of.is_proration),
                pricing: offer.pricing.clone().filter(|_| !of.is_proration),
                discount: Some(of.discount),
                tax_rate: of.tax_rate,
                period: Some(of.period),
                is_sold: true,
                ..Given::default()
            },
        }
    }
}

impl New {
    /// Whether it is a subscription's.
    pub fn is_of_item(&self) -> bool {
        self.item.is_some()
    }

    /// Whether its credits wait until money was paid for its subscription.
    pub fn waits(&self) -> bool {
        self.item.as_ref().is_some_and(|item| item.waits)
    }

    /// It grants nothing.
    pub fn grant_nothing(&mut self) {
        self.credits = None;
        if let Some(item) = &mut self.item {
            item.instalments.clear();
        }
    }

    /// It is for what was used: time to come is none of it. What a unit costs is said where that is all.
    pub fn in_arrears(mut self, is_plain: bool) -> Self {
        if !is_plain {
            (self.given.unit_amount, self.given.pricing) = (None, None);
        }
        if let Some(item) = &mut self.item {
            item.covers_until = None;
        }
        self
    }

    /// It costs what somebody else charged for it, whatever its price says.
    pub fn as_charged(&mut self) {
        (self.given.unit_amount, self.given.pricing) = (None, None);
    }

    /// It costs nothing, and pays for nothing: a trial's.
    pub fn make_free(&mut self) {
        self.amount = Decimal::ZERO;
        (self.given.unit_amount, self.given.pricing) = (None, None);
        if let Some(item) = &mut self.item {
            item.covers_until = None;
        }
    }
}
