"""Signatures: what the providers' own libraries make is accepted here, and what is accepted here is accepted by them;
one changed byte, an old time and absurd headers are refused by both. No secret comes out anywhere.

Stripe: the package stripe, Stripe's own. Paystack: none of the packages that Paystack publishes itself (paystack-sdk
for Python, @paystack/paystack-sdk for Node) looks at webhooks, so it is pypaystack2: of those that do, the one with the
newest release and the most of them. libraries.py runs both.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import time
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

import packages
import signing
import vectors
from logins import logins, state_of
from support import harness
from support.harness import Checks
from vectors import KIND, SECRETS, event, other_digit, other_letter, with_one_changed

Connection = psycopg.Connection[Any]

PAGE = Path(__file__).resolve().parents[2] / "docs/webhooks.md"
LIBRARIES = packages.REQUIREMENTS.with_name("libraries.py")
ACCEPTED = "ignored"  # what becomes of an event that is genuine and means nothing here


class Library:
    """The providers' libraries, in a process of their own."""

    def __init__(self, python: str) -> None:
        self.process = subprocess.Popen(
            [python, str(LIBRARIES)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, encoding="utf-8"
        )

    def ask(self, **question: Any) -> Any:
        assert self.process.stdin is not None and self.process.stdout is not None
        self.process.stdin.write(json.dumps(question) + "\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())

    def header(self, provider: str, payload: str, secret: str, at: int | None = None) -> str:
        at = int(time.time()) if at is None else at
        return self.ask(provider=provider, payload=payload, secret=secret, at=at)

    def accepts(self, provider: str, payload: str, secret: str, header: str, tolerance: int = 300) -> bool:
        return self.ask(provider=provider, payload=payload, secret=secret, header=header, tolerance=tolerance)

    def close(self) -> None:
        self.process.communicate(timeout=10)


class Ours:
    """The extension with one provider. What it answers and how it refuses is kept: no secret may be in it."""

    def __init__(self, connection: Connection, provider: str) -> None:
        self.connection = connection
        self.provider = provider
        self.said: list[str] = []

    def set(self, secret: str, previous: str | None = None, tolerance: int = 300) -> None:
        row = self.connection.execute(
            "SELECT * FROM credits.payment_provider_set(%s, %s, previous_secret => %s, tolerance => %s)",
            [self.provider, secret, previous, tolerance],
        ).fetchone()
        self.said.append(str(row))

    def answer(self, payload: str | None, header: str | None) -> str:
        """The outcome, or the SQLSTATE where it is refused."""
        try:
            row = self.connection.execute(
                "SELECT outcome FROM credits.webhook_receive(%s, %s, %s)", [self.provider, payload, header]
            ).fetchone()
        except psycopg.Error as error:
            diag = error.diag
            self.said.append(f"{error} {diag.message_detail} {diag.message_hint} {diag.context}")
            return error.sqlstate or "no SQLSTATE"
        assert row is not None
        return row[0]

    def kept(self) -> int:
        row = self.connection.execute(
            "SELECT count(*) FROM credits.webhook_log WHERE provider = %s", [self.provider]
        ).fetchone()
        assert row is not None
        return row[0]


def check(checks: Checks, database: str) -> None:
    with harness.connect(database) as connection:
        some = {provider: Ours(connection, provider) for provider in (*KIND, "acme")}
        with checks.case("beside the providers' libraries"):
            beside_libraries(checks, some)
        with checks.case("by themselves"):
            stripe_ages(checks, some["stripe"])
            rotation(checks, some["stripe"])
            plain(checks, some["acme"])
            for provider in KIND:
                no_event(checks, some[provider])
        with checks.case("secrets"):
            stay_inside(checks, connection, [line for ours in some.values() for line in ours.said])
            rights(checks, connection, database)
            stay_out_of_logs(checks, connection, database)
        checks.none(harness.verify(connection), "verify() finds nothing")


# --- beside the libraries --------------------------------------------------------------------------------------------


def beside_libraries(checks: Checks, some: dict[str, Ours]) -> None:
    library = Library(str(packages.python()))
    try:
        for provider in KIND:
            both_ways(checks, some[provider], library)
            one_byte(checks, some[provider], library)
            odd_headers(checks, some[provider], library)
            absurd_headers(checks, some[provider], library)
        old(checks, some["stripe"], library)
    finally:
        library.close()


def both_ways(checks: Checks, ours: Ours, library: Library) -> None:
    provider, wrong = ours.provider, []
    for secret in SECRETS:
        ours.set(secret)
        for number, payload in enumerate(vectors.payloads(provider)):
            for whose, make in (("theirs", library.header), ("ours", signing.header)):
                header = make(provider, payload, secret)
                seen = ours.answer(payload, header), library.accepts(provider, payload, secret, header)
                if seen != (ACCEPTED, True):
                    wrong.append(f"{whose}, payload {number}, secret {secret[:12]}: {seen}")
    checks.none(wrong, f"{provider}: each side accepts what the other made")


def one_byte(checks: Checks, ours: Ours, library: Library) -> None:
    """Every byte of the payload, of the header and of the secret, one at a time."""
    provider, secret = ours.provider, SECRETS[1]
    ours.set(secret)
    payload = json.dumps(event(provider, "changed", of="this"))
    header = library.header(provider, payload, secret)
    checks.equal(ours.answer(payload, header), ACCEPTED, f"{provider}: accepted as it is")
    before = ours.kept()
    tried = [(changed, header) for changed in with_one_changed(payload, other_letter)]
    tried += [(payload, changed) for changed in with_one_changed(header, other_digit)]
    tried += [(payload, library.header(provider, payload, other)) for other in with_one_changed(secret, other_letter)]
    wrong = []
    for one in tried:
        seen = ours.answer(*one), library.accepts(provider, one[0], secret, one[1])
        wrong += [f"{seen}: {one}"] if seen != ("PC012", False) else []
    checks.none(wrong, f"{provider}: {len(tried)} with one changed byte are PC012, and refused by the library")
    checks.equal(ours.kept(), before, f"{provider}: nothing of them is kept")


def odd_headers(checks: Checks, ours: Ours, library: Library) -> None:
    """Headers that say the same differently. Blanks, capital letters and items without a value make no signature any
    less genuine, so these the library may refuse and we accept; otherwise we accept nothing that it refuses."""
    provider, secret = ours.provider, SECRETS[1]
    ours.set(secret)
    payload = json.dumps(event(provider, "odd"))
    headers = vectors.headers(provider, library.header(provider, payload, secret))
    wrong = []
    for header in headers.odd:
        state = ours.answer(payload, header)
        if state not in (ACCEPTED, "PC012"):
            wrong.append(f"{state}: {header}")
        elif state == ACCEPTED and not library.accepts(provider, payload, secret, header):
            wrong.append(f"accepted here alone: {header}")
    checks.none(wrong, f"{provider}: of {len(headers.odd)} odd headers none is accepted here that the library refuses")
    states = {ours.answer(payload, header) for header in headers.lenient}
    checks.check(states <= {ACCEPTED, "PC012"}, f"{provider}: only written otherwise: accepted or PC012", states)


def absurd_headers(checks: Checks, ours: Ours, library: Library) -> None:
    provider, secret = ours.provider, SECRETS[1]
    ours.set(secret)
    payload = json.dumps(event(provider, "absurd"))
    headers = vectors.headers(provider, library.header(provider, payload, secret)).absurd
    before, wrong = ours.kept(), []
    for header in headers:
        seen = ours.answer(payload, header), library.accepts(provider, payload, secret, header)
        wrong += [f"{seen}: {header[:80]!r}"] if seen != ("PC012", False) else []
    checks.none(wrong, f"{provider}: {len(headers)} absurd headers are PC012, the empty one among them")
    missing = ours.answer(payload, None)
    checks.check(missing in ("PC012", "PC013"), f"{provider}: no header at all is PC012, or PC013 as any NULL", missing)
    checks.equal(ours.kept(), before, f"{provider}: nothing of them is kept")


def old(checks: Checks, ours: Ours, library: Library) -> None:
    secret, payload = SECRETS[0], json.dumps(event("stripe", "old"))
    for age, tolerance, accepted in ((290, 300, True), (310, 300, False), (310, 600, True), (15, 5, False)):
        ours.set(secret, tolerance=tolerance)
        header = library.header("stripe", payload, secret, int(time.time()) - age)
        seen = ours.answer(payload, header), library.accepts("stripe", payload, secret, header, tolerance)
        what = f"stripe: signed {age} s ago, tolerance {tolerance} s: {'accepted' if accepted else 'refused'} by both"
        checks.equal(seen, (ACCEPTED if accepted else "PC012", accepted), what)


# --- by themselves ---------------------------------------------------------------------------------------------------


def stripe_ages(checks: Checks, ours: Ours) -> None:
    """To the second, by a clock that stands."""
    ours.set(SECRETS[0])
    payload, at = json.dumps(event("stripe", "ages")), 1_800_000_000
    header = signing.header("stripe", payload, SECRETS[0], at)
    seen = []
    for age in (-10, 0, 300, 301):
        ours.connection.execute("SELECT set_config('credits.test_clock', to_timestamp(%s)::text, false)", [at + age])
        seen.append(ours.answer(payload, header))
    ours.connection.execute("RESET credits.test_clock")
    checks.equal(seen, [ACCEPTED] * 3 + ["PC012"], "stripe: good for 300 seconds, to the second")


def rotation(checks: Checks, ours: Ours) -> None:
    payload = json.dumps(event("stripe", "rotated"))
    first, second = SECRETS[:2]
    seen = []
    for secret, previous in ((first, None), (second, first), (second, None)):
        ours.set(secret, previous)
        seen.append([ours.answer(payload, signing.header("stripe", payload, one)) for one in (first, second)])
    expected = [[ACCEPTED, "PC012"], [ACCEPTED, ACCEPTED], ["PC012", ACCEPTED]]
    checks.equal(seen, expected, "while secrets are changed both are accepted, before and after it only one")


def plain(checks: Checks, ours: Ours) -> None:
    ours.set(SECRETS[1])
    payload = json.dumps({"id": "plain 1", "type": "nothing.to.us", "data": {}})
    header = signing.header("acme", payload, SECRETS[1])
    schemes = ("acme", "paystack", "stripe")
    seen = [ours.answer(payload, signing.header(scheme, payload, SECRETS[1])) for scheme in schemes]
    checks.equal(seen, [ACCEPTED, "PC012", "PC012"], "any other provider: HMAC-SHA256 of the payload, no other scheme")
    states = {ours.answer(one, header) for one in with_one_changed(payload, other_letter)}
    checks.equal(states, {"PC012"}, "and one changed byte is PC012")
    state = Ours(ours.connection, "nobody").answer(payload, header)
    checks.equal(state, "PC013", "a provider that was never set is PC013")


def no_event(checks: Checks, ours: Ours) -> None:
    ours.set(SECRETS[0])
    before, wrong = ours.kept(), []
    for payload in vectors.no_events(ours.provider):
        state = ours.answer(payload, signing.header(ours.provider, payload, SECRETS[0]))
        wrong += [f"{state}: {payload[:100]}"] if state != "PC013" else []
    checks.none(wrong, f"{ours.provider}: signed as it should be, but no event: PC013")
    checks.equal(ours.kept(), before, f"{ours.provider}: nothing of it is kept")
    odd = vectors.odd_events(ours.provider)
    states = [ours.answer(payload, signing.header(ours.provider, payload, SECRETS[0])) for payload in odd]
    checks.equal(states, [ACCEPTED] * len(odd), f"{ours.provider}: {len(odd)} genuine events with odd JSON are taken")
    rows = ours.connection.execute(
        "SELECT payload FROM credits_internal.webhook_events WHERE provider = %s AND payload = ANY (%s)", [ours.provider, odd]
    ).fetchall()
    checks.equal(sorted(row[0] for row in rows), sorted(odd), f"{ours.provider}: and kept as they came")


# --- secrets ---------------------------------------------------------------------------------------------------------


def stay_inside(checks: Checks, connection: Connection, said: list[str]) -> None:
    shown = [line[:200] for line in said if any(one in line for one in SECRETS)]
    checks.none(shown, f"no secret is in any of {len(said):,} answers and errors")
    row = connection.execute("SELECT count(*) FROM credits_internal.payment_providers").fetchone()
    checks.equal(row, (3,), "the secrets are where they belong")
    tables = connection.execute(
        "SELECT oid::regclass::text FROM pg_class"
        " WHERE relnamespace::regnamespace::text ~ '^credits(_internal)?$' AND relkind IN ('r', 'p', 'v', 'm')"
        " AND relname <> 'payment_providers' ORDER BY relname"
    ).fetchall()
    found = []
    for (table,) in tables:
        # A row as text has every column of it, bytes in hexadecimal.
        query = sql.SQL(
            "SELECT count(*) FROM {} AS t CROSS JOIN unnest(%s::text[]) AS s (sought)"
            " WHERE strpos(t::text, s.sought) > 0 OR strpos(t::text, encode(convert_to(s.sought, 'UTF8'), 'hex')) > 0"
        ).format(sql.SQL(table))
        row = connection.execute(query, [SECRETS]).fetchone()
        found += [f"{table}: {row}"] if row != (0,) else []
    checks.none(found, f"and nowhere else, in none of {len(tables)} tables and views")


def stay_out_of_logs(checks: Checks, connection: Connection, database: str) -> None:
    """The ways of docs/webhooks.md to set a secret, on a server that logs all it can: when they work and when not."""
    log = Path(os.environ["PGDATA"]).parent / "log"
    for setting in ("log_statement = 'all'", "log_min_duration_statement = 0", "log_min_error_statement = 'debug5'",
                    "log_parameter_max_length_on_error = -1"):  # fmt: skip
        connection.execute(sql.SQL("ALTER DATABASE {} SET " + setting).format(sql.Identifier(database)))
    by_psql, by_program = blocks("\\copy given"), blocks("log_parameter_max_length")
    # Too short, what COPY reads otherwise in its other formats, and what it takes.
    for number, secret in enumerate(["too short 1", "back\\slash, \"quoted\"; and 'more'", "a secret for the log"]):
        environment = {**os.environ, "PGDATABASE": database, "STRIPE_WEBHOOK_SECRET": secret}
        before = log.stat().st_size
        done = subprocess.run(["psql", "-X"], input=by_psql, env=environment, capture_output=True, text=True)
        with harness.connect(database) as session, contextlib.suppress(psycopg.Error):
            os.environ["STRIPE_WEBHOOK_SECRET"] = secret
            exec(by_program, {"connection": session, "os": os})
        time.sleep(0.2)
        logged = log.read_bytes()[before:].decode()
        checks.check("payment_provider_set" in logged, f"secret {number}: the calls are in the log")
        checks.check(secret not in logged and json.dumps(secret)[1:-1] not in logged, f"secret {number}: it is not")
        checks.equal("at least 16 characters" in done.stderr, number == 0, f"secret {number}: as long as it must be?")
        if number:
            payload = json.dumps(event("stripe", f"logged {number}"))
            header = signing.header("stripe", payload, secret)
            checks.equal(Ours(connection, "stripe").answer(payload, header), ACCEPTED, "and it is what was set")
    connection.execute(sql.SQL("ALTER DATABASE {} RESET ALL").format(sql.Identifier(database)))


def blocks(what: str) -> str:
    """The fenced block of that page that has this in it."""
    fenced = PAGE.read_text().split("```")[1::2]
    (found,) = (block for block in fenced if what in block)
    return found.split("\n", 1)[1]


def rights(checks: Checks, connection: Connection, database: str) -> None:
    direct = [
        "SELECT * FROM credits_internal.payment_providers",
        "SELECT webhook_secret FROM credits_internal.payment_providers",
        "UPDATE credits_internal.payment_providers SET tolerance = 1",
    ]
    configure = "SELECT credits.payment_provider_set('acme', 'sk_new_of_16_char')"
    receive = "SELECT credits.webhook_receive('acme', '{}', 'no signature')"
    with logins(database, connection) as some:
        receivers = ("credits_webhook", "credits_app")
        for role in (*receivers, "credits_worker", "credits_read", "credits_admin"):
            some.make(role, role)
            with some.connect(role) as session:
                states = [state_of(session, statement) for statement in direct]
                checks.equal(states, ["42501"] * 3, f"{role} neither reads nor writes the table with the secrets")
                expected = "00000" if role == "credits_admin" else "42501"
                checks.equal(state_of(session, configure), expected, f"{role}: payment_provider_set is {expected}")
                if role != "credits_admin":
                    expected = "PC012" if role in receivers else "42501"
                    checks.equal(state_of(session, receive), expected, f"{role}: webhook_receive is {expected}")
