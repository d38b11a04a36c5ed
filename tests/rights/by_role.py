"""The story told by several logins, each call by the one with the fewest rights that may make it: what only reads by a
reader's, what one program does by that program's, what an application does all day by an application's, the rest by an
administrator's. It must come out as when
one administrator tells all of it, so that no call needs more rights inside than its caller has.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import psycopg
import search_path
import story
from logins import Logins
from psycopg import sql
from settings import CLOCK, CUSTOMER
from story import Story
from support.harness import Checks
from tries import NARROW

# From the fewest rights to the most; a customer's are others altogether.
GROUPS = (
    "credits_customer", "credits_read", "credits_webhook", "credits_meter", "credits_sender", "credits_worker",
    "credits_app", "credits_admin",
)  # fmt: skip
MAY = """
    SELECT proname FROM pg_proc WHERE pronamespace = 'credits'::regnamespace
    GROUP BY proname HAVING bool_and(has_function_privilege(%(role)s, oid, 'EXECUTE'))
    UNION SELECT relname FROM pg_class WHERE relnamespace = 'credits'::regnamespace AND relkind IN ('r', 'v')
    AND (has_table_privilege(%(role)s, oid, 'SELECT') OR has_any_column_privilege(%(role)s, oid, 'INSERT'))
"""


class Told(Story):
    """The story, told in a session for each group."""

    def __init__(self, sessions: dict[str, psycopg.Connection[Any]], name: str, owner: psycopg.Connection[Any]) -> None:
        super().__init__(sessions["credits_admin"], name)
        self.sessions = sessions
        self.may = {group: {what for (what,) in owner.execute(MAY, {"role": group})} for group in sessions}
        self.callers: dict[str, set[str]] = {group: set() for group in sessions}

    def session(self, what: str) -> psycopg.Connection[Any]:
        group = next((group for group in GROUPS if what in self.may[group]), "credits_admin")
        self.callers[group].add(what)
        return self.sessions[group]


def check(checks: Checks, logins: Logins) -> None:
    plain = search_path.told(logins.owner, logins, "zoe_30")
    with sessions(logins) as each:
        it = Told(each, "zoe_31", logins.owner)
        search_path.check_same(checks, plain, search_path.tell_it(logins.owner, it), "told by whoever may")
        counts = {group: len(callers) for group, callers in it.callers.items()}
        checks.check(min(counts.values()) > 0, f"each group had something to tell: {counts}", it.callers)
        told = {name: it.callers[f"credits_{name}"] for name in NARROW}
        checks.equal(told, NARROW, "and the roles of one program all that they may")


@contextlib.contextmanager
def sessions(logins: Logins) -> Iterator[dict[str, psycopg.Connection[Any]]]:
    """A session of a login of each group, which all live at the time of the story."""
    with contextlib.ExitStack() as stack:
        each = {}
        for group in GROUPS:
            label = f"only_{group.removeprefix('credits_')}"
            role = sql.Identifier(logins.make(label, group, settings={CLOCK: story.NOW}))
            if group == "credits_customer":
                logins.owner.execute(sql.SQL("GRANT SET ON PARAMETER {} TO {}").format(sql.SQL(CUSTOMER), role))
            each[group] = stack.enter_context(logins.connect(label))
        yield each
