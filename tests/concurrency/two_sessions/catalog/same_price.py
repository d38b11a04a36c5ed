"""Two sessions at one price or product: made under one lookup key or idempotency key, changed beside a sale, and deleted."""

from __future__ import annotations

from typing import Any

from sessions import Pair, refusal

PRODUCT = "SELECT * FROM credits.product_create(%s, credits => 100)"
PRICE = "SELECT * FROM credits.price_create(%s, unit_amount => %s, currency => 'USD', lookup_key => %s)"
KEYED = "SELECT * FROM credits.product_create(%s, idempotency_key => %s)"
BUY = "SELECT amount FROM credits.top_up_create(%s, %s)"
DEARER = "SELECT unit_amount FROM credits.price_update(%s, unit_amount => 20)"
RENAME = "SELECT nickname FROM credits.price_update(%s, nickname => 'renamed')"
DELETE_PRICE = "SELECT credits.price_delete(%s)"
DELETE_PRODUCT = "SELECT credits.product_delete(%s)"


def price(pair: Pair, lookup_key: str) -> tuple[Any, Any]:
    """A product and a price that nobody used."""
    product_id = pair.observer.one(PRODUCT, lookup_key)["product_id"]
    return product_id, pair.observer.one(PRICE, product_id, 10, lookup_key)["price_id"]


def one_lookup_key(pair: Pair) -> None:
    """one lookup key in two sessions: the second waits, and gets what the first made, or is told what differs"""
    product_id = pair.observer.one(PRODUCT, "one lookup key")["product_id"]
    for isolation in ("READ COMMITTED", "REPEATABLE READ"):
        for amount, state in ((10, None), (11, "PC002")):
            key = f"key {isolation} {amount}"
            pair.first.begin()
            made = pair.first.one(PRICE, product_id, 10, key)
            pair.second.begin(isolation)
            waiting = pair.blocked(pair.second.start(PRICE, product_id, amount, key))
            pair.first.commit()
            if state:
                pair.checks.equal(refusal(waiting.one).sqlstate, state, f"{isolation}: on other terms it is refused")
            else:
                row = waiting.one()
                pair.checks.equal((row["price_id"], row["replayed"]), (made["price_id"], True), f"{isolation}: the same price")
            pair.second.rollback()
    key = "rolled back"
    pair.first.begin()
    pair.first.one(PRICE, product_id, 10, key)
    waiting = pair.blocked(pair.second.start(PRICE, product_id, 11, key))
    pair.first.rollback()
    pair.checks.equal(waiting.one()["replayed"], False, "what was rolled back leaves the key free")


def one_idempotency_key(pair: Pair) -> None:
    """one idempotency key in two sessions: one product is made"""
    pair.first.begin()
    made = pair.first.one(KEYED, "Keyed", "one key")
    waiting = pair.blocked(pair.second.start(KEYED, "Keyed", "one key"))
    pair.first.commit()
    row = waiting.one()
    pair.checks.equal((row["product_id"], row["replayed"]), (made["product_id"], True), "the second gets the first's")


def changed_beside_a_first_sale(pair: Pair) -> None:
    """a price that is changed while it is sold for the first time: one waits for the other, and what is sold is what it says"""
    for isolation in ("READ COMMITTED", "REPEATABLE READ"):
        _, sold = price(pair, f"sold first {isolation}")
        pair.first.begin()
        pair.first.one(BUY, pair.customer, sold)
        pair.second.begin(isolation)
        waiting = pair.blocked(pair.second.start(DEARER, sold))
        pair.first.commit()
        expected = "PC020" if isolation == "READ COMMITTED" else "40001"
        state = refusal(waiting.one).sqlstate
        pair.checks.check(state in ("PC020", expected), f"{isolation}: once it is sold, it is frozen ({state})")
        pair.second.rollback()
        _, changed = price(pair, f"changed first {isolation}")
        pair.first.begin()
        pair.first.one(DEARER, changed)
        pair.second.begin(isolation)
        waiting = pair.blocked(pair.second.start(BUY, pair.customer, changed))
        pair.first.commit()
        if isolation == "READ COMMITTED":
            pair.checks.equal(waiting.one()["amount"], 20, "once it is changed, it is sold as it is now")
        else:
            pair.checks.equal(refusal(waiting.one).sqlstate, "40001", "a snapshot of before sells nothing")
        pair.second.rollback()


def deleted_beside_a_first_sale(pair: Pair) -> None:
    """a price that is deleted while it is sold for the first time, alone and with its product"""
    for delete, which in ((DELETE_PRICE, 1), (DELETE_PRODUCT, 0)):
        ids = price(pair, f"sold, not deleted {which}")
        pair.first.begin()
        pair.first.one(BUY, pair.customer, ids[1])
        waiting = pair.blocked(pair.second.start(delete, ids[which]))
        pair.first.commit()
        pair.checks.equal(refusal(waiting.one).sqlstate, "PC020", "what is sold is not deleted")
        ids = price(pair, f"deleted, not sold {which}")
        pair.first.begin()
        pair.first.one(delete, ids[which])
        waiting = pair.blocked(pair.second.start(BUY, pair.customer, ids[1]))
        pair.first.commit()
        pair.checks.equal(refusal(waiting.one).sqlstate, "PC015", "what is deleted is not sold")


def price_of_a_product_that_goes(pair: Pair) -> None:
    """a price that is made while its product is deleted: it is of no product, and is not made"""
    product_id, _ = price(pair, "goes")
    pair.first.begin()
    pair.first.one(DELETE_PRODUCT, product_id)
    waiting = pair.blocked(pair.second.start(PRICE, product_id, 10, "too late"))
    pair.first.commit()
    pair.checks.equal(refusal(waiting.one).sqlstate, "PC019", "refused")


def later_sales_wait_for_nobody(pair: Pair) -> None:
    """a price that was sold before: a change of its name keeps nobody from buying it"""
    _, sold = price(pair, "sold before")
    pair.observer.one(BUY, pair.customer, sold)
    pair.first.begin()
    pair.first.one(RENAME, sold)
    pair.checks.equal(pair.second.one(BUY, pair.customer, sold)["amount"], 10, "it is sold meanwhile")
    pair.first.commit()


CASES = (
    one_lookup_key, one_idempotency_key, changed_beside_a_first_sale, deleted_beside_a_first_sale, price_of_a_product_that_goes,
    later_sales_wait_for_nobody,
)  # fmt: skip
