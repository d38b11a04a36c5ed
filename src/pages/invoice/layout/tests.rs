use super::*;
use crate::moment::{DAY, Time};
use crate::pages::invoice::{Coupon, Totals};
use proptest::prelude::*;

fn of(text: &str) -> Decimal {
    text.parse().unwrap()
}

fn line(description: &str, amount: &str) -> Line {
    Line {
        description: Some(description.to_string()),
        quantity: None,
        unit_amount: None,
        amount: of(amount),
        discount: Decimal::ZERO,
        tax_rate: None,
        is_inclusive: false,
        tax: Decimal::ZERO,
        net: of(amount),
        credits: None,
        period: None,
    }
}

fn open(lines: Vec<Line>) -> Invoice {
    let total: Decimal = lines.iter().map(|line| line.amount).sum();
    Invoice {
        state: State::Open,
        number: Some(String::from("ANN-0001")),
        currency: String::from("USD"),
        decimals: Some(2),
        seller: vec![String::from("Seller")],
        customer: vec![String::from("Ann")],
        description: None,
        footer: None,
        custom: Vec::new(),
        issued_at: Some(Time(0)),
        due_at: Some(Time(14 * DAY)),
        paid_at: None,
        voided_at: None,
        totals: Totals { subtotal: total, total, net: total, due: total, remaining: total, ..Totals::default() },
        pay_at: Some(String::from("https://pay.example/?a=1&b=2")),
        coupon: None,
        lines,
        payments: Vec::new(),
        refunds: Vec::new(),
    }
}

#[test]
fn the_state_says_what_is_to_be_paid_and_where() {
    let mut invoice = open(vec![line("Work", "1200")]);
    let page = invoice.html().unwrap();
    assert!(page.contains("1,200.00\u{a0}USD</span> due on <time datetime=\"2000-01-15T00:00:00Z\">15 January 2000"));
    assert!(page.contains("href=\"https://pay.example/?a=1&#38;b=2\""));
    for (state, words, payable) in [
        (State::Draft, "DRAFT", false),
        (State::Void, "VOID", false),
        (State::Paid, "PAID", false),
        (State::Overdue, "OVERDUE", true),
        (State::Uncollectible, "UNPAID", true),
    ] {
        invoice.state = state;
        let page = invoice.html().unwrap();
        assert!(page.to_uppercase().contains(&format!("\">{words}")), "{words}");
        assert_eq!(page.contains("Pay online"), payable, "{words}");
        assert_eq!(page.contains("role=\"note\""), matches!(state, State::Draft | State::Void), "{words}");
    }
}

#[test]
fn tax_is_named_by_rate_and_behaviour() {
    let taxed = |amount: &str, rate: &str, is_inclusive, tax: &str, net: &str| Line {
        tax_rate: Some(of(rate)),
        is_inclusive,
        tax: of(tax),
        net: of(net),
        ..line("Taxed", amount)
    };
    let invoice = open(vec![
        taxed("100", "19", false, "19", "100"),
        taxed("10", "19", false, "1.9", "10"),
        taxed("10.7", "7", true, "0.7", "10"),
    ]);
    let names: Vec<_> = invoice.sums().into_iter().map(|sum| (sum.name, sum.amount)).collect();
    assert!(names.contains(&(String::from("Tax 19% on 110.00"), String::from("20.90"))), "{names:?}");
    assert!(names.contains(&(String::from("Tax 7% on 10.00, included"), String::from("0.70"))), "{names:?}");
}

#[test]
fn a_discount_has_the_name_of_its_coupon() {
    let mut invoice = open(vec![line("Poster", "30")]);
    invoice.totals.discount = of("6");
    let discounts = |invoice: &Invoice| {
        let rows = invoice.sums().into_iter().filter(|row| row.name == "Discount");
        let named = |row: Sum<'_>| (row.by.map(|(name, code)| format!("{name} {code:?}")), row.amount);
        rows.map(named).collect::<Vec<_>>()
    };
    assert_eq!(discounts(&invoice), [(None, String::from("\u{2212}6.00"))]);
    let coupon =
        |amount: &str| Coupon { name: String::from("Spring"), code: Some(String::from("S20")), amount: of(amount) };
    let spring = Some(String::from("Spring Some(\"S20\")"));
    invoice.coupon = Some(coupon("6"));
    assert_eq!(discounts(&invoice), [(spring.clone(), String::from("\u{2212}6.00"))]);
    // The provider's checkout took off less, more, or nothing.
    invoice.coupon = Some(coupon("7.5"));
    assert_eq!(discounts(&invoice), [(spring.clone(), String::from("\u{2212}6.00"))]);
    invoice.coupon = Some(coupon("4"));
    let both = [(spring, String::from("\u{2212}4.00")), (None, String::from("\u{2212}2.00"))];
    assert_eq!(discounts(&invoice), both);
    invoice.totals.discount = Decimal::ZERO;
    assert_eq!(discounts(&invoice), []);
    let page = Invoice { totals: Totals { discount: of("6"), ..Totals::default() }, ..invoice }.html().unwrap();
    assert!(page.contains("<span dir=\"auto\">Spring</span> (<bdi>S20</bdi>)</span></th>"), "{page}");
}

#[test]
fn credits_have_as_many_decimals_as_they_need() {
    let mut invoice = open(vec![line("Poster", "350"), line("Frame", "12.125")]);
    invoice.decimals = None;
    let amounts: Vec<_> = invoice.items().into_iter().map(|item| item.amount).collect();
    assert_eq!(amounts, ["350.000", "12.125"]);
}

/// What a browser makes of a text that was escaped.
fn unescaped(text: &str) -> String {
    let numbers = [("&#60;", "<"), ("&#62;", ">"), ("&#34;", "\""), ("&#39;", "'"), ("&#38;", "&")];
    numbers.into_iter().fold(text.to_string(), |text, (escaped, plain)| text.replace(escaped, plain))
}

proptest! {
    /// Whatever is written, the page has the same tags, and the text is there as it was given.
    #[test]
    fn text_is_text(text in "[<>&\"'/a-z=;\\-!{}% \u{202e}א]{1,40}") {
        let written = |text: &str| {
            let mut invoice = open(vec![line(text, "1")]);
            invoice.seller = vec![text.to_string()];
            invoice.customer = vec![text.to_string()];
            invoice.description = Some(text.to_string());
            invoice.footer = Some(text.to_string());
            invoice.custom = vec![(text.to_string(), text.to_string())];
            let (name, code) = (text.to_string(), Some(text.to_string()));
            invoice.coupon = Some(Coupon { name, code, amount: Decimal::ONE });
            invoice.totals.discount = Decimal::ONE;
            invoice.html().unwrap()
        };
        let (page, plain) = (written(&text), written("plain"));
        prop_assert_eq!(page.matches(['<', '>', '"']).count(), plain.matches(['<', '>', '"']).count());
        prop_assert!(unescaped(&page).matches(&text).count() >= 9);
    }
}
