"""What a preview of an update said, beside what the update then makes."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

from server import Server

LINES = """
SELECT l.invoice_line_id::text AS id, l.invoice_id::text AS invoice, l.description, l.amount,
       l.from_invoice_id IS NOT NULL AS left_over,
       CASE WHEN l.invoice_id IS NULL THEN l.given_discount ELSE l.discount END AS discount,
       (SELECT sum(g.credits) FROM credits_internal.invoice_line_grants g
        WHERE g.customer_id = l.customer_id AND g.invoice_line_id = l.invoice_line_id AND g.revision = 1) AS credits
FROM credits_internal.invoice_lines l WHERE l.customer_id = %s ORDER BY l.created_at, l.line_no, l.invoice_line_id"""
GRANTS = """
SELECT g.grant_id::text AS id, g.remaining FROM credits.grants g
WHERE g.customer_id = %s AND g.effective_at <= credits.clock()"""


class Previewed:
    """One, and what there was before."""

    def __init__(self, server: Server, arguments: dict[str, Any]) -> None:
        self.server = server
        self.said = server.preview(**arguments)
        self.lines, self.grants = self.there()

    def there(self) -> tuple[dict[str, dict[str, Any]], dict[str, Decimal]]:
        lines = {row["id"]: row for row in self.server.all(LINES, self.server.customer_id)}
        return lines, {row["id"]: row["remaining"] for row in self.server.all(GRANTS, self.server.customer_id)}

    def wrong(self) -> list[str]:
        """What is otherwise, now that the update was made."""
        lines, grants = self.there()
        new = [row for key, row in lines.items() if key not in self.lines and not row["left_over"]]
        found: dict[str, Any] = {
            "lines": sorted([row["description"], row["amount"], row["discount"]] for row in new),
            "lowered": sorted([key, row["amount"] - lines[key]["amount"], row["discount"] - lines[key]["discount"]]
                              for key, row in self.lines.items() if (row["amount"], row["discount"])
                              != (lines[key]["amount"], lines[key]["discount"])),
            "granted": sum((row["credits"] for row in new if row["credits"]), Decimal(0)),
            "taken": sum((left - grants[key] for key, left in self.grants.items()), Decimal(0)),
        }  # fmt: skip
        decimals = lambda row: [Decimal(row["amount"]), Decimal(row["discount"])]  # noqa: E731
        said: dict[str, Any] = {
            "lines": sorted([row["description"], *decimals(row)] for row in self.said["lines"]),
            "lowered": sorted([row["invoice_line_id"], *decimals(row)] for row in self.said["lowered"]
                              if any(decimals(row))),
            **{key: sum((Decimal(row[key]) for row in self.said["credits"]), Decimal(0)) for key in ("granted", "taken")},
        }  # fmt: skip
        # What was pending may be on it too, where it begins a period.
        own = {row["id"] for row in new}
        made = new[0]["invoice"] if new else None
        if made and all(key in own for key, row in lines.items() if row["invoice"] == made):
            query = "SELECT subtotal, discount, tax, total FROM credits.invoices WHERE customer_id = %s AND invoice_id = %s"
            made = self.server.one(query, self.server.customer_id, new[0]["invoice"])
            found |= made
            said |= {key: self.said[key] for key in made}
        return [f"previewed {key}: {json.dumps(said[key], default=str)} became {json.dumps(found[key], default=str)}"
                for key in found if found[key] != said[key]]  # fmt: skip
