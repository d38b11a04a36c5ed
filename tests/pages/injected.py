"""Text that tries to be more than text, wherever somebody may write: nothing of it runs, and it is shown as it was given."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path

from browser import Browser
from shop import Shop
from support.harness import Checks

TRIES = (
    "<script>window.ran = 1</script>",
    "<img src=x onerror='window.ran = 2'>",
    '"><svg/onload=window.ran=3>',
    "' onmouseover='window.ran = 4' style='position:fixed;inset:0' x='",
    "</style><script>window.ran = 5</script>",
    "</title></head><body onload=window.ran=6>",
    "</span></th></td></tr></table></main><h1>Paid</h1>",
    "<iframe srcdoc='<script>parent.ran = 7</script>'></iframe>",
    "<meta http-equiv=refresh content='0;url=https://evil.example/'>",
    "<base href=https://evil.example/><link rel=stylesheet href=//evil.example/x.css>",
    "<!-- <![CDATA[ <?php --!> ]]>",
    "&lt;b&gt; &amp;amp; &#60;script&#62; &quot; &notit; &#x3c;",
    "{{ 7 * 7 }} {% raw %} {# no #} ${7*7} #{7*7} <%= 7 %>",
    "javascript:window.ran=8",
    "\u202egnorw yaw\u202c \u200f\u2066",
    "<plaintext><textarea><noscript><template>",
    "é < ñ > \" ' ` = / \\ ~ \U0001f4b8 𝔘",
)
# Every place on the page where somebody else's text stands.
SHOWN = "[...document.querySelectorAll('[dir=auto]')].map(one => one.textContent)"
ACTIVE = """[...document.querySelectorAll('*')].flatMap(one => [
    ...(/^(script|img|iframe|svg|link|base|form|input|object|embed|textarea|template|noscript|plaintext)$/i.test(one.tagName)
        ? [one.tagName] : []),
    ...[...one.attributes].filter(a => /^(on|style$|src)/i.test(a.name) || /^\\s*javascript:/i.test(a.value)).map(a => a.name)])"""
# The page as a tree of names, without what is written in it.
TREE = """(() => { const shown = one => one.tagName + '[' + [...one.attributes].map(a => a.name).sort() + '](' +
    [...one.children].map(shown) + ')'; return shown(document.documentElement); })()"""


class Reader(HTMLParser):
    """The page as a second, simpler reader sees it."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(name, value or "") for name, value in attrs]


def check(checks: Checks, shop: Shop, browser: Browser | None, folder: Path) -> None:
    plain = _page(shop, "plain", "Plain text")
    reader = Reader()
    reader.feed(plain)
    policy = re.search(r'http-equiv="Content-Security-Policy" content="([^"]*)"', plain)
    checks.check(policy is not None and "default-src &#39;none&#39;" in policy[1], "the page has a policy", policy)
    _of_a_coupon(checks, shop, browser)
    for no, text in enumerate(TRIES, 1):
        html = _page(shop, f"try-{no}", text)
        what = f"try {no}, {text[:32]!r}"
        seen = Reader()
        seen.feed(html)
        checks.equal(seen.tags, reader.tags, f"{what}: the same tags")
        names = [name for name, _ in seen.attributes]
        checks.equal(names, [name for name, _ in reader.attributes], f"{what}: the same attributes")
        checks.check("secret" not in html, f"{what}: metadata is not on the page")
        if browser is None:
            continue
        # Once as it is, and once without its policy, so that each of the two is seen to be enough.
        for without, how in (("", "as it is"), (policy[0], "without the policy")):
            browser.open(plain.replace(without, "") if without else plain)
            tree = browser.evaluate(TREE)
            browser.open(html.replace(without, "") if without else html)
            checks.equal(browser.evaluate("window.ran"), None, f"{what}, {how}: nothing ran")
            checks.none(browser.evaluate(ACTIVE), f"{what}, {how}: nothing that could run, load or lay itself out")
            checks.equal(browser.evaluate(TREE), tree, f"{what}, {how}: the tree is that of any other page")
            shown = browser.evaluate(SHOWN)
            checks.equal(shown.count(text), 14, f"{what}, {how}: the text stands in all its places as given")
            checks.none(browser.requests() + browser.complaints(), f"{what}, {how}: nothing was loaded or refused")
    if browser is not None:
        _policy_holds(checks, browser, plain)


def _page(shop: Shop, customer: str, text: str) -> str:
    address = {"line1": text, "line2": text, "city": text, "state": text, "country": "SE"}
    shop.customer(customer, text, text, address)
    shop.value("SELECT set_config('credits.invoice_seller', %s, false)", f"{text}\n{text}".replace("\\", "\\"))
    method = shop.value(
        "SELECT payment_method_id::text FROM credits.payment_method_attach(%s, 'stripe', 'cus', %s, name => %s)",
        customer, f"pm-{customer}", text,
    )  # fmt: skip
    assert method
    made = shop.invoice(
        customer, [{"description": text, "amount": 10, "metadata": {"secret": text}}], description=text, footer=text,
        custom_fields=[{"name": text, "value": text}], metadata={"secret": text}, collection_method="send_invoice",
    )  # fmt: skip
    shop.pay(customer, made, "outside", 4, text)
    return shop.html(customer, made)


def _of_a_coupon(checks: Checks, shop: Shop, browser: Browser | None) -> None:
    """The name of what takes something off is a merchant's text too."""
    plain = Reader()
    plain.feed(_discounted(shop, 0, "Plain text"))
    for no, text in enumerate(TRIES, 1):
        html = _discounted(shop, no, text)
        seen = Reader()
        seen.feed(html)
        checks.equal((seen.tags, seen.attributes), (plain.tags, plain.attributes), f"try {no} as a coupon's name: the same tags")
        if browser is not None:
            browser.open(html)
            checks.equal(browser.evaluate("window.ran"), None, f"try {no} as a coupon's name: nothing ran")
            checks.none(browser.evaluate(ACTIVE), f"try {no} as a coupon's name: nothing that could run")
            shown = browser.evaluate("document.querySelector('.totals [dir=auto]').textContent")
            checks.equal(shown, text, f"try {no} as a coupon's name: it stands there as given")


def _discounted(shop: Shop, no: int, text: str) -> str:
    """A cart that a coupon of that name takes something off."""
    codes = f'[{{"code": "TRY{no}"}}]'
    shop.value("SELECT coupon_id::text FROM credits.coupon_create(%s, percent_off => 50, promotion_codes => %s)", text, codes)
    return shop.discounted("plain", f"TRY{no}")


def _policy_holds(checks: Checks, browser: Browser, html: str) -> None:
    """Were a text ever to get through, the browser would refuse what it brings."""
    bad = (
        "<script>window.ran = 1</script><img src='https://evil.example/a.png' onerror='window.ran = 2'>"
        "<p style='color: red' id='styled'>x</p><style>#styled { color: red }</style>"
        "<form action='https://evil.example/'><input type='submit' id='send'></form>"
    )
    browser.open(html.replace("</main>", bad + "</main>"))
    checks.equal(browser.evaluate("window.ran"), None, "the policy lets no script run")
    colour = browser.evaluate("getComputedStyle(document.getElementById('styled')).color")
    checks.check(colour != "rgb(255, 0, 0)", "the policy lets no other style in", colour)
    checks.check(len(browser.complaints()) >= 4, "the browser says what it refused", browser.complaints())
    browser.evaluate("document.getElementById('send').click()")
    checks.check(browser.evaluate("location.href").startswith("file:"), "the policy lets no form go out")
    # Its own style is there: it is what the policy's hash is of.
    browser.open(html)
    checks.equal(browser.evaluate("getComputedStyle(document.querySelector('.what')).fontWeight"), "500", "its own style holds")
