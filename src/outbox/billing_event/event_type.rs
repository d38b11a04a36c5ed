//! The types of billing events, each by its name. They are a billing SDK's, so that its handlers find what they know.

/// All types, by their names. The first word or words say what an event is of, the last one what happened.
macro_rules! event_types {
    ($($name:literal $type:ident)*) => {
        /// What happened.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        // What is sold by subscription, by coupon and in sessions is yet to come; its names are fixed already.
        #[allow(dead_code)]
        pub enum EventType {
            $(#[doc = concat!("`", $name, "`.")] $type,)*
        }

        impl EventType {
            /// All of them.
            pub const ALL: &[EventType] = &[$(EventType::$type),*];

            /// Its name.
            pub fn as_str(self) -> &'static str {
                match self {
                    $(EventType::$type => $name,)*
                }
            }
        }
    };
}

event_types! {
    "customer.created" CustomerCreated
    "customer.updated" CustomerUpdated
    "customer.deleted" CustomerDeleted

    "product.created" ProductCreated
    "product.updated" ProductUpdated
    "product.deleted" ProductDeleted
    "price.created" PriceCreated
    "price.updated" PriceUpdated
    "price.deleted" PriceDeleted

    "coupon.created" CouponCreated
    "coupon.updated" CouponUpdated
    "coupon.deleted" CouponDeleted
    "promotion_code.created" PromotionCodeCreated
    "promotion_code.updated" PromotionCodeUpdated
    "promotion_code.deleted" PromotionCodeDeleted
    "customer.discount.created" DiscountCreated
    "customer.discount.updated" DiscountUpdated
    "customer.discount.deleted" DiscountDeleted

    "checkout.session.created" CheckoutSessionCreated
    "checkout.session.completed" CheckoutSessionCompleted
    "checkout.session.expired" CheckoutSessionExpired
    "checkout.session.async_payment_succeeded" CheckoutSessionAsyncPaymentSucceeded
    "checkout.session.async_payment_failed" CheckoutSessionAsyncPaymentFailed
    "payment_link.created" PaymentLinkCreated
    "payment_link.updated" PaymentLinkUpdated

    "payment_intent.created" PaymentIntentCreated
    "payment_intent.processing" PaymentIntentProcessing
    "payment_intent.requires_action" PaymentIntentRequiresAction
    "payment_intent.succeeded" PaymentIntentSucceeded
    "payment_intent.payment_failed" PaymentIntentPaymentFailed
    "payment_intent.canceled" PaymentIntentCanceled
    "refund.created" RefundCreated
    "refund.updated" RefundUpdated
    "refund.succeeded" RefundSucceeded
    "refund.failed" RefundFailed
    "refund.canceled" RefundCanceled

    "invoice.created" InvoiceCreated
    "invoice.updated" InvoiceUpdated
    "invoice.finalized" InvoiceFinalized
    "invoice.paid" InvoicePaid
    "invoice.payment_failed" InvoicePaymentFailed
    "invoice.voided" InvoiceVoided
    "invoice.marked_uncollectible" InvoiceMarkedUncollectible
    "invoice.upcoming" InvoiceUpcoming
    "invoice.deleted" InvoiceDeleted

    "customer.subscription.created" SubscriptionCreated
    "customer.subscription.started" SubscriptionStarted
    "customer.subscription.updated" SubscriptionUpdated
    "customer.subscription.renewed" SubscriptionRenewed
    "customer.subscription.renew_failed" SubscriptionRenewFailed
    "customer.subscription.past_due" SubscriptionPastDue
    "customer.subscription.paused" SubscriptionPaused
    "customer.subscription.resumed" SubscriptionResumed
    "customer.subscription.recovered" SubscriptionRecovered
    "customer.subscription.upgraded" SubscriptionUpgraded
    "customer.subscription.trial_start" SubscriptionTrialStart
    "customer.subscription.trial_will_end" SubscriptionTrialWillEnd
    "customer.subscription.trial_end" SubscriptionTrialEnd
    "customer.subscription.deleted" SubscriptionDeleted

    "customer.credit_grant.granted" CreditGrantGranted
    "customer.credit_grant.depleted" CreditGrantDepleted
    "customer.credit_grant.expired" CreditGrantExpired
    "customer.credit_grant.expiring" CreditGrantExpiring
    "customer.credit.low_balance" CreditLowBalance
    "customer.credit.insufficient" CreditInsufficient

    "webhook_endpoint.test" WebhookEndpointTest
    "webhook_endpoint.disabled" WebhookEndpointDisabled
}

/// Those that nothing writes yet.
const NOT_YET: [EventType; 3] = [
    EventType::CheckoutSessionAsyncPaymentSucceeded,
    EventType::CheckoutSessionAsyncPaymentFailed,
    EventType::RefundUpdated,
];

impl EventType {
    /// Whether that is the name of an event of a subscription.
    pub fn is_of_subscription(name: &str) -> bool {
        EventType::ALL.iter().any(|one| one.as_str() == name && one.object_type() == "subscription")
    }

    /// Whether anything writes it.
    pub fn is_sent(self) -> bool {
        !NOT_YET.contains(&self)
    }

    /// What it is of: the name without what happened, and in one word.
    pub fn object_type(self) -> &'static str {
        match self.as_str().rsplit_once('.').map_or("", |(object, _)| object) {
            "customer.discount" => "discount",
            "checkout.session" => "checkout_session",
            "customer.subscription" => "subscription",
            // There is no invoice yet: it is of its subscription.
            "invoice" if self == EventType::InvoiceUpcoming => "subscription",
            "customer.credit_grant" => "credit_grant",
            "customer.credit" => "account",
            object => object,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::EventType;
    use std::collections::BTreeSet;

    #[test]
    fn no_two_have_the_same_name() {
        let names: BTreeSet<&str> = EventType::ALL.iter().map(|one| one.as_str()).collect();
        assert_eq!(names.len(), EventType::ALL.len());
        assert!(names.iter().all(|name| name.split('.').count() > 1 && *name == name.to_lowercase()));
    }

    #[test]
    fn each_is_of_an_object_in_one_word() {
        let objects: BTreeSet<&str> = EventType::ALL.iter().map(|one| one.object_type()).collect();
        let expected = [
            "account",
            "checkout_session",
            "coupon",
            "credit_grant",
            "customer",
            "discount",
            "invoice",
            "payment_intent",
            "payment_link",
            "price",
            "product",
            "promotion_code",
            "refund",
            "subscription",
            "webhook_endpoint",
        ];
        assert_eq!(objects, BTreeSet::from(expected));
        assert_eq!(EventType::SubscriptionTrialEnd.object_type(), "subscription");
    }
}
