"""The customer views, from a customer's own login: its rows and nobody else's, whatever it tries; and what they do not
protect against, so that nobody takes them for more than they are.
"""

from __future__ import annotations

import json
import uuid
from typing import Any

import psycopg
import settings
from logins import Logins, state_of
from psycopg import sql
from settings import CUSTOMER
from support.harness import Checks

VIEWS = {
    "my_wallets": "currency", "my_grants": "grant_id", "my_ledger": "line_no", "my_invoices": "invoice_id",
    "my_invoice_lines": "invoice_line_id", "my_payment_methods": "payment_method_id",
    "my_payment_intents": "payment_intent_id", "my_refunds": "refund_id",
    "my_checkout_sessions": "checkout_session_id", "my_subscriptions": "subscription_id",
    "my_usage_records": "usage_record_id", "my_usage_record_summaries": "usage_record_summary_id",
}  # fmt: skip
# Whose rows a session sees: that of the setting, and of every row of some of the views.
WHO = (
    "SELECT concat_ws('|', credits.current_customer(), (SELECT name FROM credits.customer_me()),"
    " (SELECT string_agg(name, '|') FROM credits.my_payment_methods), (SELECT string_agg(currency, '|') FROM credits.my_wallets),"
    " (SELECT string_agg(name, '|') FROM credits.my_grants),"
    " (SELECT string_agg(grant_name, '|') FROM credits.my_ledger))"
)
# A function that a customer can make for itself, so cheap that PostgreSQL would like to call it first.
SPY = """
CREATE FUNCTION pg_temp.spy(text) RETURNS boolean COST 0.0000001 LANGUAGE plpgsql
AS $$BEGIN RAISE NOTICE 'seen: %', $1; RETURN true; END$$
"""


def check(checks: Checks, logins: Logins) -> None:
    make_data(logins.owner)
    for name in ("alice", "bob"):
        logins.make(name, "credits_customer", settings={CUSTOMER: name})
    check_rows(checks, logins)
    check_columns(checks, logins.owner)
    check_spies(checks, logins)
    check_choice(checks, logins)
    check_not_protected(checks, logins)


def make_data(owner: psycopg.Connection[Any]) -> None:
    """Both have an account, grants (of 50 and of 777) and lines; what is whose can be told from any of its texts."""
    owner.execute("SELECT credits.currency_create('USD', kind => 'fiat')")
    for name, amount in (("alice", 50), ("bob", 777)):
        coin, gift, work = f"{name}-coin", f"{name}-gift", f"{name}-work"
        owner.execute("SELECT credits.currency_create(%s)", [coin])
        owner.execute("SELECT credits.credit_grant(%s, %s, %s, name => %s)", [name, amount, coin, gift])
        owner.execute("SELECT credits.wallet_debit(%s, 1, %s, description => %s)", [name, coin, work])
        owner.execute("SELECT credits.hold_create(%s, 2, %s)", [name, coin])
        owner.execute("SELECT credits.customer_upsert(%s, name => %s)", [name, f"{name}-person"])
        owner.execute("SELECT credits.payment_method_attach(%s, 'stripe', %s, %s, name => %s)",
                      [name, f"{name}-cus", f"{name}-pm", f"{name}-card"])  # fmt: skip
        lines = json.dumps([{"unit_amount": 2, "quantity": 3, "description": work}])
        owner.execute("SELECT credits.invoice_create(%s, %s, %s, %s, auto_finalize => true)", [name, lines, coin, work])
        top_up = owner.execute("SELECT top_up_id FROM credits.top_up_create(%s, amount => 6, currency => 'USD',"
                               " credit_currency => %s, rate => 1, description => %s)", [name, coin, work])  # fmt: skip
        intent = top_up.fetchone()[0]
        owner.execute("SELECT credits.payment_succeeded(%s, %s, 'acmepay', %s, 6)", [name, intent, f"{name}-pay"])
        owner.execute("SELECT credits.refund_create(%s, %s, 2, description => %s)", [name, intent, work])
        price = "SELECT (credits.price_create((credits.product_create(%s)).product_id, unit_amount => 1, currency => %s)).price_id"
        (price_id,) = owner.execute(price, [work, coin]).fetchone() or (None,)
        items = json.dumps([{"price_id": str(price_id), "description": work}])
        owner.execute("SELECT credits.checkout_session_create(%s, line_items => %s)", [name, items])
        terms = """(credits.product_create(%s)).product_id, 'recurring', 777, %s, recurring => '{"interval": "month"}'"""
        price = f"SELECT (credits.price_create({terms})).price_id"
        (price_id,) = owner.execute(price, [work, "USD"]).fetchone() or (None,)
        plan = "SELECT credits.subscription_create(%s, %s, description => %s, collection_method => 'send_invoice')"
        owner.execute(plan, [name, json.dumps([{"price_id": str(price_id)}]), work])
        metered = terms.replace('"}', '", "usage_type": "metered"}')
        (price_id,) = owner.execute(f"SELECT (credits.price_create({metered})).price_id", [work, "USD"]).fetchone() or (None,)
        owner.execute(plan, [name, json.dumps([{"price_id": str(price_id)}]), work])
        owner.execute("SELECT credits.usage_record_create(i.customer_id, i.subscription_item_id, 5)"
                      " FROM credits.subscription_items i WHERE i.customer_id = %s AND i.quantity IS NULL", [name])  # fmt: skip


def check_rows(checks: Checks, logins: Logins) -> None:
    """Each login sees what the extension knows of its customer, all of it, and a login of nobody's sees nothing."""
    owner = logins.owner
    sources = {view: view.removeprefix("my_") for view in VIEWS}
    for name in ("alice", "bob"):
        with logins.connect(name) as connection:
            for view, key in VIEWS.items():
                cursor = connection.execute(f"SELECT * FROM credits.{view} ORDER BY {key}")
                columns = sql.SQL(", ").join(sql.Identifier(column.name) for column in cursor.description)
                query = sql.SQL(f"SELECT {{}} FROM credits.{sources[view]} WHERE customer_id = %s ORDER BY {key}")
                expected = owner.execute(query.format(columns), [name]).fetchall()
                rows = cursor.fetchall()
                checks.check(rows == expected and rows != [], f"{name} sees all of {name}'s rows in {view}", rows)
            for refused in (
                "SELECT * FROM credits_internal.accounts", "SELECT * FROM credits_internal.own_wallets()",
                "SELECT * FROM credits.wallets", "SELECT * FROM credits.ledger", "SELECT * FROM credits.invoices",
                "SELECT * FROM credits.wallet_balance('bob')", "SELECT * FROM credits.wallet_history('bob')",
                "SELECT * FROM credits.wallet_transfer('bob', 'alice', 1, 'bob-coin')",
                "SELECT * FROM credits.search('bob')", "SELECT * FROM credits.search('alice', customer_id => 'alice')",
                "SELECT * FROM credits_internal.searched_customers",
            ):  # fmt: skip
                checks.equal(state_of(connection, refused), settings.REFUSED, f"{name} is refused {refused}")
            check_pages(checks, owner, connection, name)
    logins.make("unset", "credits_customer")
    logins.make("empty", "credits_customer", settings={CUSTOMER: ""})
    for label in ("unset", "empty"):
        with logins.connect(label) as connection:
            checks.equal(connection.execute(WHO).fetchone()[0], "", f"where the setting is {label} there are no rows")
            state = state_of(connection, f"SELECT credits.my_invoice_html('{uuid.uuid4()}')")
            checks.equal(state, "PC019", f"where the setting is {label} there are no pages")


def check_pages(checks: Checks, owner: psycopg.Connection[Any], connection: psycopg.Connection[Any], name: str) -> None:
    """Each login gets the pages of its own invoices, except drafts; another's are as good as none."""
    mine, other = (
        owner.execute("SELECT invoice_id::text FROM credits.invoices WHERE customer_id = %s", [customer]).fetchone()[0]
        for customer in ((name, "bob" if name == "alice" else "alice"))
    )
    page = connection.execute("SELECT credits.my_invoice_html(%s)", [mine]).fetchone()
    expected = owner.execute("SELECT credits.invoice_html(%s, %s)", [name, mine]).fetchone()
    checks.check(page == expected and f"{name}-work" in page[0], f"{name} gets the page of {name}'s invoice")
    draft = owner.execute(
        "SELECT invoice_id::text FROM credits.invoice_create(%s, '[{\"amount\": 1}]', %s)", [name, f"{name}-coin"]
    ).fetchone()[0]
    for what, invoice in (("another's", other), ("a draft's", draft)):
        state = state_of(connection, f"SELECT credits.my_invoice_html('{invoice}')")
        checks.equal(state, "PC019", f"{name} does not get {what} page")
    state = state_of(connection, f"SELECT credits.invoice_html('{name}', '{mine}')")
    checks.equal(state, settings.REFUSED, f"{name} is refused invoice_html")
    owner.execute("SELECT credits.invoice_delete(%s, %s)", [name, draft])


def check_columns(checks: Checks, owner: psycopg.Connection[Any]) -> None:
    """What the views leave out (who a transfer came from, what a grant had cost, the application's notes) is not to be
    had from the functions behind them either, which a customer may call as well."""
    for view in ("my_wallets", "my_grants"):
        function = view.replace("my_", "own_")
        shown, returned = (
            {column.name for column in owner.execute(f"SELECT * FROM {source} LIMIT 0").description}
            for source in (f"credits.{view}", f"credits_internal.{function}()")
        )
        beyond = sorted(returned - shown - {"customer_id"})
        checks.none(beyond, f"{function}() returns no column that {view} leaves out")


def check_spies(checks: Checks, logins: Logins) -> None:
    """A function or an error in a WHERE sees no row that the view does not show."""
    checks.none(spied(logins, "alice"), "no spy in a WHERE sees anything of bob's")
    checks.check(len(spied(logins, "alice", of="alice")) > 4, "it does see alice's", spied(logins, "alice", of="alice"))
    # Without the barrier it would be seen.
    logins.owner.execute("ALTER VIEW credits.my_ledger SET (security_barrier = false)")
    try:
        checks.check(spied(logins, "alice") != [], "without security_barrier the spy sees bob's")
    finally:
        logins.owner.execute("ALTER VIEW credits.my_ledger SET (security_barrier = true)")


def spied(logins: Logins, label: str, of: str = "bob") -> list[str]:
    """What a login's spies see of a customer: notices, and errors that only another's rows can cause."""
    notices: list[str] = []
    questions = [
        f"SELECT count(*) FROM credits.{view} v WHERE pg_temp.spy({column}::text)"
        for view, column in (
            ("my_wallets", "v.currency"), ("my_wallets", "v"), ("my_grants", "v.name"), ("my_grants", "v.currency"),
            ("my_ledger", "v.currency"), ("my_ledger", "v.grant_name"), ("my_ledger", "v.description"),
            ("my_ledger", "v"), ("my_invoices", "v.description"), ("my_invoices", "v"),
            ("my_invoice_lines", "v.description"), ("my_invoice_lines", "v"),
            ("my_payment_methods", "v.name"), ("my_payment_methods", "v"),
            ("my_payment_intents", "v.description"), ("my_payment_intents", "v"),
            ("my_refunds", "v.description"), ("my_refunds", "v"),
            ("my_checkout_sessions", "v.line_items::text"), ("my_checkout_sessions", "v"),
            ("my_subscriptions", "v.description"), ("my_subscriptions", "v"),
            ("my_usage_records", "v.action"), ("my_usage_records", "v"),
            ("my_usage_record_summaries", "v.aggregate_usage"), ("my_usage_record_summaries", "v"),
        )
    ]  # fmt: skip
    # 777 is bob's alone: whoever divides by the difference to it has seen bob's row.
    dividing = "SELECT count(*) FROM credits.{} WHERE 1 / (amount - 777) < 2"
    questions += [dividing.format(view) for view in ("my_grants", "my_ledger")]
    with logins.connect(label) as connection:
        connection.add_notice_handler(lambda notice: notices.append(str(notice.message_primary)))
        connection.execute(SPY)
        for plan in ("SET enable_seqscan = off", "SET enable_indexscan = off", "SET enable_bitmapscan = off"):
            connection.execute("RESET enable_seqscan")
            connection.execute(plan)
            for question in questions:
                state = state_of(connection, question)
                if state != "00000":
                    notices.append(f"bob's amount: {state} by {question}")
    return sorted({notice for notice in notices if of in notice})


def check_choice(checks: Checks, logins: Logins) -> None:
    """A customer's login cannot choose whose rows it sees."""
    settings.check_refused(checks, logins, "alice", CUSTOMER, "bob", WHO, lambda seen: "bob" in str(seen))
    with logins.connect("alice") as connection:
        checks.check("alice-gift" in connection.execute(WHO).fetchone()[0], "and after all that alice sees alice's")
    with logins.connect("alice", f"-c {CUSTOMER}=bob") as connection:
        checks.equal(state_of(connection, WHO), settings.REFUSED, "who asks for bob when connecting sees nothing")
    # The settings of another role are not taken by becoming it.
    logins.make("both", "credits_customer", logins.role("alice"), logins.role("bob"))
    with logins.connect("both") as connection:
        connection.execute(sql.SQL("SET ROLE {}").format(sql.Identifier(logins.role("bob"))))
        seen = connection.execute(WHO).fetchone()[0]
        checks.equal(seen, "", "SET ROLE to a customer's login does not choose its rows")


def check_not_protected(checks: Checks, logins: Logins) -> None:
    """Documented, and so tested: an application's login that may set the customer chooses it, and so does whoever can
    make that login run SQL of theirs. SET ROLE only guards against a forgotten WHERE, because RESET ROLE undoes it."""
    shop = logins.make("shop", "credits_customer")
    logins.owner.execute(sql.SQL("GRANT SET ON PARAMETER {} TO {}").format(sql.SQL(CUSTOMER), sql.Identifier(shop)))
    settings.check_possible(checks, logins, "shop", CUSTOMER, "bob", WHO, lambda seen: "bob-gift" in str(seen))
    with logins.connect("shop") as connection:
        for name in ("alice", "bob"):
            with connection.transaction():
                connection.execute(sql.SQL("SET LOCAL {} = {}").format(sql.SQL(CUSTOMER), sql.Literal(name)))
                connection.execute("SET LOCAL ROLE credits_customer")
                checks.check(f"{name}-gift" in connection.execute(WHO).fetchone()[0], f"the shop may ask for {name}")
                state = state_of(connection, f"SET LOCAL {CUSTOMER} = 'bob'")
                checks.equal(state, settings.REFUSED, "and under SET ROLE cannot choose another")
            checks.equal(connection.execute(WHO).fetchone()[0], "", "after the transaction it sees nothing")
        connection.execute(f"SET {CUSTOMER} = 'alice'")
        connection.execute("SET ROLE credits_customer")
        connection.execute("RESET ROLE")
        connection.execute(f"SET {CUSTOMER} = 'bob'")
        checks.check("bob-gift" in connection.execute(WHO).fetchone()[0], "but RESET ROLE lets it (no wall)")
