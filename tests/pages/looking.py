"""What pages say and how they look: on a phone's screen and a desk's, light and dark; their numbers, and who can read them."""

from __future__ import annotations

import re
from pathlib import Path

from browser import Browser
from shop import Shop
from support.harness import Checks

SCREENS = {"desk": 1280, "phone": 390}
# Texts whose contrast to what is behind them is below 4.5 to 1, WCAG's level AA.
PALE = """(() => {
    const parts = colour => (colour.match(/[\\d.]+/g) || []).map(Number);
    const light = ([r, g, b]) => [r, g, b].map(v => v / 255).map(v => v <= .03928 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4)
        .reduce((sum, v, i) => sum + v * [.2126, .7152, .0722][i], 0);
    const ground = one => { for (; one; one = one.parentElement) {
        const colour = parts(getComputedStyle(one).backgroundColor);
        if (colour.length === 3 || colour[3] > 0) return colour; }
        return [255, 255, 255]; };
    const pale = [];
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    for (let node; node = walker.nextNode();) {
        if (!node.data.trim()) continue;
        const one = node.parentElement, style = getComputedStyle(one);
        if (!one.getClientRects().length || style.visibility === 'hidden') continue;
        const [a, b] = [light(parts(style.color)), light(ground(one))].sort((x, y) => y - x);
        const ratio = (a + .05) / (b + .05);
        if (ratio < 4.5) pale.push(node.data.trim().slice(0, 30) + ': ' + ratio.toFixed(2));
    }
    return pale; })()"""
# How far each number's point, or its end where it has none, is from its column's end; in tenths of a pixel.
POINTS = """[...document.querySelectorAll('.lines tbody .CLASS')].filter(cell => cell.textContent).map(cell => {
    const node = cell.querySelector('span')?.firstChild || cell.firstChild, range = document.createRange();
    const at = node.data.indexOf('.');
    range.setStart(node, at < 0 ? node.data.length - 1 : at);
    range.setEnd(node, at < 0 ? node.data.length : at + 1);
    const box = range.getBoundingClientRect();
    return Math.round(10 * (at < 0 ? box.right : box.left)); })"""
# What is wider than the screen, or than the sheet that it is on.
OVERFLOW = """(() => { const page = document.documentElement, sheet = document.querySelector('main');
    const end = sheet.getBoundingClientRect().right - parseFloat(getComputedStyle(sheet).paddingRight) + 1;
    return [...document.querySelectorAll('main *')]
        .filter(one => one.getBoundingClientRect().right > end && !one.closest('.lines thead, caption'))
        .map(one => one.tagName + ' ' + one.textContent.slice(0, 30))
        .concat(page.scrollWidth > page.clientWidth ? ['the page'] : []); })()"""


def check(checks: Checks, shop: Shop, browser: Browser | None, folder: Path) -> None:
    pages = {
        "usual": shop.html("nora", shop.usual()),
        "draft": shop.html("nora", shop.draft("nora", [{"description": "Not sure yet", "amount": 10}])),
        "void": shop.html("nora", _void(shop)),
        "paid": shop.html("nora", _paid(shop)),
        "yen": shop.html("nora", shop.invoice("nora", [{"description": "本", "unit_amount": 1200, "quantity": 3}], "JPY")),
        "dinar": shop.html("nora", shop.invoice("nora", [{"description": "Tea", "amount": 1.125}], "KWD")),
        "tiny": shop.html("nora", _tiny(shop)),
        "rtl": shop.html("leila", _right_to_left(shop)),
        "code": _code(shop),
    }  # fmt: skip
    _words(checks, pages)
    if browser is None:
        return
    for name, html in pages.items():
        for screen, width in SCREENS.items():
            for scheme in ("light", "dark"):
                browser.open(html, width, scheme=scheme)
                browser.screenshot(folder / f"{name}-{screen}-{scheme}.png")
                what = f"{name}, {screen}, {scheme}"
                checks.none(browser.evaluate(PALE), f"{what}: every text stands out from what is behind it")
                checks.none(browser.evaluate(OVERFLOW), f"{what}: nothing is wider than the sheet or the screen")
                checks.none(browser.requests() + browser.complaints(), f"{what}: nothing is loaded, run or refused")
    _aligned(checks, browser, pages["tiny"])
    _structure(checks, browser, pages["usual"])
    _directions(checks, browser, pages["rtl"])


def _void(shop: Shop) -> str:
    made = shop.invoice("nora", [{"description": "Hosting", "amount": 60}])
    shop.value("SELECT credited FROM credits.wallet_credit('nora', 20, 'EUR', 'paid')")
    shop.pay("nora", made, "wallet", 20)
    shop.value("SELECT status FROM credits.invoice_void('nora', %s)", made)
    return made


def _paid(shop: Shop) -> str:
    """By card, with credits, and a part of it paid back."""
    pack = shop.value("SELECT price_id::text FROM credits.package_create('1,000 renderings', 1000, 119, 'EUR')")
    made = shop.invoice("nora", [{"price_id": pack, "tax_rate": 19, "tax_behavior": "inclusive"}])
    intent = shop.value("SELECT payment_intent_id::text FROM credits.invoices WHERE invoice_id = %s", made)
    shop.value("SELECT status FROM credits.payment_succeeded('nora', %s, 'stripe', %s, 119)", intent, f"pi_{made}")
    shop.value("SELECT status FROM credits.refund_create('nora', %s, 11.90)", intent)
    return made


def _code(shop: Shop) -> str:
    """A cart with a code, whose coupon was called so then."""
    codes = '[{"code": "AUTUMN20"}]'
    create = "SELECT coupon_id::text FROM credits.coupon_create('In autumn', percent_off => 20, promotion_codes => %s)"
    made = shop.value(create, codes)
    shop.discounted("nora", "autumn20")
    shop.value("SELECT name FROM credits.coupon_update(%s, 'Another name')", made)
    return shop.html("nora", shop.value("SELECT invoice_id::text FROM credits.checkout_sessions WHERE coupon_id = %s", made))


def _tiny(shop: Shop) -> str:
    units = ("0.000000000001", "95", "0.5", "1234567.25", "0.0001")
    lines = [{"description": f"At {unit}", "unit_amount": unit, "quantity": quantity}
             for unit, quantity in zip(units, ("1000000000000", "1", "2.5", "3", "10.125"))]  # fmt: skip
    return shop.invoice("nora", lines)


def _right_to_left(shop: Shop) -> str:
    shop.customer("leila", "شركة النور للتجارة", "leila@example.com", {"line1": "شارع الملك 12", "city": "الرياض", "country": "SA"})
    lines = [{"description": "ייעוץ, שעות (May)", "unit_amount": 120, "quantity": 2},
             {"description": "Évaluation \u202e3 of 5", "amount": 10}]  # fmt: skip
    return shop.invoice("leila", lines, footer="شكرا لكم!", description="עבודה עבור Nora, חלק 2",
                        custom_fields=[{"name": "رقم الطلب", "value": "7731-ب"}])  # fmt: skip


def _words(checks: Checks, pages: dict[str, str]) -> None:
    """What stands there, without a browser."""
    for name, html in pages.items():
        text = re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", html.partition("<body>")[2])).replace("\u00a0", " ")
        for expected in {
            "usual": (
                "Studio Ek AB", "VAT SE556677889901", "Nora Ek", "Sveavägen 44", "111 34 Stockholm", "nora@example.com",
                "4 May 2026", "18 May 2026", "PO-7731", "Pay online", "12.5", "95.00", "1,187.50", "0.000125", "240,000",
                "Less a discount of", "1 April 2026", "19%", "7% incl.", "Tax 19% on", "Tax 7% on", "Subtotal 1,232.25",
                "Discount −52.00", "Wallet", "400.00", "Still to pay", "IBAN", "−12.00", "Amounts are in EUR . Dates are in UTC.",
            ),
            "draft": ("Draft invoice", "not an invoice yet", "10.00 EUR in all"),
            "void": ("This invoice was cancelled on 4 May 2026", "Void", "0.00 EUR to pay: the invoice is void", "Given back"),
            "paid": ("119.00 EUR paid on 4 May 2026", "For 1,000 CREDIT", "Tax 19% on 100.00, included 19.00", "Refunds",
                     "On its way", "11.90", "stripe"),
            "yen": ("3,600 JPY", "1,200"), "dinar": ("1.125 KWD", "Total 1.125"),
            "tiny": ("0.000000000001", "1,000,000,000,000", "1,234,567.25", "10.125"),
            "code": ("Subtotal 25.00", "Discount In autumn ( AUTUMN20 ) −5.00", "Tax 19% on 20.00", "Total 23.80 EUR"),
            "rtl": ("شركة النور للتجارة", "ייעוץ, שעות (May)", "شكرا لكم!"),
        }[name]:  # fmt: skip
            checks.check(expected in text, f"{name} says {expected}", text[:3000])
    checks.equal(pages["paid"].count(">11.90<"), 2, "what is paid back is said once in its table, and once in the sums")
    checks.check("Pay online" not in pages["draft"] + pages["void"] + pages["paid"], "only what is to be paid says where")
    address = re.search(r'href="([^"]*)"', pages["usual"])
    checks.check(address is not None and address[1].startswith("https://pay.example/?id="), "where to pay", address)


def _aligned(checks: Checks, browser: Browser, html: str) -> None:
    browser.open(html)
    for column in ("u", "q", "a"):
        points = browser.evaluate(POINTS.replace("CLASS", column))
        checks.check(len(points) == 5 and max(points) - min(points) <= 10, f"points of column {column} stand in line", points)


def _structure(checks: Checks, browser: Browser, html: str) -> None:
    """What a screen reader goes by: the tree that the browser makes for it."""
    for screen, width in SCREENS.items():
        browser.open(html, width)
        tree = browser.call("Accessibility.getFullAXTree")["nodes"]
        roles: dict[str, list[str]] = {}
        for node in tree:
            if not node.get("ignored"):
                roles.setdefault(node["role"]["value"], []).append(node.get("name", {}).get("value", ""))
        checks.equal(browser.evaluate("document.documentElement.lang"), "en", f"{screen}: the language is said")
        checks.equal(len(roles.get("main", [])), 1, f"{screen}: one main part")
        levels = browser.evaluate("[...document.querySelectorAll('h1, h2, h3')].map(one => one.tagName)")
        checks.equal(levels, ["H1", "H2"], f"{screen}: headings")
        headers = ["Description", "Quantity", "Unit amount", "Tax", "Amount EUR", "Date", "From", "Amount EUR"]
        checks.equal(roles.get("columnheader"), headers, f"{screen}: columns have headers")
        rows = roles.get("rowheader", [])
        checks.check(len(rows) == 4 + 8, f"{screen}: rows have headers", rows)
        tables = roles.get("table", [])
        checks.equal(tables, ["What it is for", "What it comes to", "Payments"], f"{screen}: tables have names")
        scopes = browser.evaluate("[...document.querySelectorAll('th')].filter(one => !one.scope).length")
        checks.equal(scopes, 0, f"{screen}: every header says of what")


def _directions(checks: Checks, browser: Browser, html: str) -> None:
    browser.open(html)
    shown = browser.evaluate(
        "[...document.querySelectorAll('[dir=auto]')].map(one => [one.textContent, one.matches(':dir(rtl)')])"
    )
    wrong = [text for text, is_rtl in shown if is_rtl != bool(re.match(r"[^A-Za-zÀ-ÿ]*[\u0590-\u08ff]", text))]
    checks.none(wrong, f"{len(shown)} texts go the way of their script")
    checks.check(len([text for text, is_rtl in shown if is_rtl]) >= 6, "some go from right to left", shown)
    # A mark that turns what follows around ends with the text that has it.
    checks.equal(
        browser.evaluate("(() => { const row = document.querySelectorAll('.lines tbody tr')[1];"
                         " return row.querySelector('.a').getBoundingClientRect().left >"
                         " row.querySelector('.what').getBoundingClientRect().left; })()"),
        True, "a text cannot turn its row around",
    )  # fmt: skip
