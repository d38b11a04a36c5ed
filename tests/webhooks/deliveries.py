"""Deliveries, call by call: order, retries, leases, secrets, tests, what is sent again, and the end of an endpoint."""

from __future__ import annotations

import datetime
import json
import subprocess
from typing import Any

import psycopg

import packages
from support import harness
from support.harness import Checks

Connection = psycopg.Connection[Any]
BEGIN = datetime.datetime(2026, 9, 1, 9, tzinfo=datetime.timezone.utc)
MINUTE, HOUR, DAY = (datetime.timedelta(**{unit: 1}) for unit in ("minutes", "hours", "days"))
# When a delivery that fails is tried, after the first time.
ATTEMPTS = (MINUTE, 6 * MINUTE, 36 * MINUTE, 156 * MINUTE, 636 * MINUTE, DAY + 636 * MINUTE, 2 * DAY + 636 * MINUTE, 3 * DAY)


def at(connection: Connection, moment: datetime.datetime) -> None:
    connection.execute("SELECT set_config('credits.test_clock', %s, false)", [moment.isoformat()])


def endpoint(connection: Connection, events: str = "{*}", url: str = "https://hooks.example/") -> tuple[Any, str]:
    row = connection.execute(
        "SELECT webhook_endpoint_id, secret FROM credits.webhook_endpoint_create(%s, %s)", [url, events]
    ).fetchone()
    assert row is not None
    return row[0], row[1]


def claim(connection: Connection, worker: str = "test", most: int = 100, lease: str = "1 minute") -> list[Any]:
    """Attempt, endpoint, headers and the event of what is handed out."""
    rows = connection.execute(
        "SELECT attempt_id, webhook_endpoint_id, headers, body FROM credits.webhook_claim(%s, %s, %s)", [worker, most, lease]
    ).fetchall()
    return [(attempt, whose, headers, json.loads(body), body) for attempt, whose, headers, body in rows]


def report(connection: Connection, attempt: Any, status: int | None = 200, body: str | None = None) -> Any:
    return connection.execute(
        "SELECT status, delivery_status, next_attempt_at, endpoint_disabled, replayed FROM credits.webhook_report(%s, %s, %s)",
        [attempt, status, body],
    ).fetchone()


def rename(connection: Connection, customer: str, count: int = 1) -> None:
    """So many events of a customer."""
    for _ in range(count):
        connection.execute("SELECT FROM credits.customer_upsert(%s, gen_random_uuid()::text)", [customer])


def seen(rows: list[Any]) -> list[tuple[str, int]]:
    return sorted((event["object_id"], event["object_seq"]) for _, _, _, event, _ in rows)


def check(checks: Checks, _: str) -> None:
    cases = (order, shares, commits, retries, leases, slow_reports, signatures, again, disabling, deleted, pages)
    for case in (*cases, secrets, rights):
        with checks.case(case.__doc__ or ""), harness.fresh_database(case.__name__) as own, harness.connect(own) as connection:
            at(connection, BEGIN)
            case(checks, connection, own)
            checks.none(harness.verify(connection), "verify() finds nothing")


def order(checks: Checks, connection: Connection, _: str) -> None:
    """of one object an endpoint is sent one event at a time, in order; others do not wait"""
    endpoint(connection)
    rename(connection, "ann", 3)
    rename(connection, "bob", 2)
    first = claim(connection)
    checks.equal(seen(first), [("ann", 1), ("bob", 1)], "the first of each")
    checks.equal(claim(connection), [], "and no more while they are under way")
    by_object = {event["object_id"]: attempt for attempt, _, _, event, _ in first}
    report(connection, by_object["ann"])
    second = claim(connection)
    checks.equal(seen(second), [("ann", 2)], "then the next of what was delivered")
    report(connection, by_object["bob"], 500)
    rename(connection, "ann")
    checks.equal(claim(connection), [], "what failed holds back its own object")
    report(connection, second[0][0])
    checks.equal(seen(claim(connection)), [("ann", 3)], "and no other; what came later is after what waited")


def shares(checks: Checks, connection: Connection, _: str) -> None:
    """what becomes free goes to whoever has the fewest under way, however long others have waited"""
    slow, _secret = endpoint(connection, url="https://slow.example")
    for index in range(30):
        rename(connection, f"customer {index}")
    checks.equal(len(claim(connection, lease="1 hour")), 8, "one endpoint has eight at most")
    at(connection, BEGIN + MINUTE)
    good, _secret = endpoint(connection, url="https://good.example")
    rename(connection, "ann")
    for attempt, *_ in connection.execute("SELECT attempt_id FROM credits.webhook_attempts LIMIT 4").fetchall():
        report(connection, attempt)
    checks.equal([row[1] for row in claim(connection, most=1)], [good], "the other is next, though its event is younger")
    checks.equal([row[1] for row in claim(connection, most=100)], [slow] * 4, "then the first again")


def commits(checks: Checks, connection: Connection, database: str) -> None:
    """an event that commits late is sent late, and none is lost"""
    endpoint(connection)
    with harness.connect(database, autocommit=False) as late:
        at(late, BEGIN)
        rename(late, "slow")
        rename(connection, "quick", 2)
        for attempt, *_ in claim(connection):
            report(connection, attempt)
        checks.equal(seen(claim(connection)), [("quick", 2)], "whoever is quick does not wait for who is slow")
        late.commit()
    checks.equal(seen(claim(connection)), [("slow", 1)], "and what has a lower id and commits later is found")


def retries(checks: Checks, connection: Connection, _: str) -> None:
    """an endpoint that is down for an hour, and one that is down for good"""
    healthy, _secret = endpoint(connection, url="https://a.example")
    endpoint(connection, '{"customer.created"}', "https://b.example")
    rename(connection, "ann")
    moments = []
    failed = {whose: attempt for attempt, whose, *_ in claim(connection)}
    for attempt in failed.values():
        report(connection, attempt, None, "connection refused")
    for after in ATTEMPTS:
        at(connection, BEGIN + after - datetime.timedelta(seconds=1))
        early = claim(connection)
        at(connection, BEGIN + after)
        due = claim(connection)
        moments.append((len(early), len(due)))
        for attempt, whose, *_ in due:
            taken = whose == healthy and after > HOUR
            answer = report(connection, attempt, 200 if taken else 503)
    checks.equal(moments, [(0, 2)] * 4 + [(0, 1)] * 4, "after 1, 5 and 30 minutes, 2 and 8 hours, then daily, for three days")
    checks.equal(answer[:4], ("failed", "failed", None, True), "then it is given up, and the endpoint is disabled")
    states = connection.execute("SELECT url, status, failing_since IS NULL FROM credits.webhook_endpoints ORDER BY url").fetchall()
    checks.equal(states, [("https://a.example", "enabled", True), ("https://b.example", "disabled", False)], "the other is well")


def leases(checks: Checks, connection: Connection, database: str) -> None:
    """what nobody reports in time is handed out again; two senders never get the same"""
    endpoint(connection)
    rename(connection, "ann")
    rename(connection, "bob")
    with harness.connect(database) as other:
        at(other, BEGIN)
        with connection.transaction():
            mine = claim(connection, "one", 1)
        theirs = claim(other, "two", 100)
        checks.equal((len(mine), len(theirs)), (1, 1), "each gets one of two")
        checks.check(seen(mine) != seen(theirs), "not the same")
        report(other, theirs[0][0])
        at(other, BEGIN + 2 * MINUTE)
        again = claim(other, "two")
        checks.equal(seen(again), seen(mine), "what was not reported comes again")
        statuses = connection.execute("SELECT status, worker FROM credits.webhook_attempts ORDER BY attempt_id").fetchall()
        checks.check(("lost", "one") in statuses, "and its first attempt is lost", statuses)
        late = report(connection, mine[0][0], 500)
        checks.equal(late[:2], ("failed", "sending"), "a late failure says nothing of the attempt after it")
        checks.equal(report(other, again[0][0])[:2], ("succeeded", "succeeded"), "which counts")
        checks.equal(report(other, again[0][0])[4], True, "a repeat changes nothing")


def slow_reports(checks: Checks, connection: Connection, database: str) -> None:
    """an event that comes while the one before it is being reported is not forgotten"""
    endpoint(connection)
    rename(connection, "ann")
    first = claim(connection)
    rename(connection, "ann")
    with harness.connect(database) as other, harness.connect(database) as third:
        at(other, BEGIN)
        at(third, BEGIN)
        with other.transaction():
            report(other, first[0][0])
            # Its delivery is written after the report, or before: it waits for the report's end.
            third.execute("SET statement_timeout = '300 ms'")
            try:
                claim(third)
                checks.check(False, "whoever writes the next one waits for the report")
            except psycopg.errors.QueryCanceled:
                checks.check(True, "whoever writes the next one waits for the report")
        third.execute("RESET statement_timeout")
        checks.equal(seen(claim(third)), [("ann", 2)], "and finds it done")


def signatures(checks: Checks, connection: Connection, _: str) -> None:
    """signatures are those that Stripe's own library accepts, with the old secret and the new"""
    whose, old = endpoint(connection)

    def accepts(secret: str, header: str, body: str) -> bool:
        # The library is in a virtual environment of its own.
        question = {"provider": "stripe", "payload": body, "secret": secret, "header": header, "tolerance": 300}
        libraries = str(packages.REQUIREMENTS.parent / "libraries.py")
        done = subprocess.run(
            [str(packages.python()), libraries], input=json.dumps(question), capture_output=True, text=True, timeout=60
        )
        return json.loads(done.stdout)

    def sent() -> tuple[str, str]:
        connection.execute("SELECT credits.webhook_test(%s)", [whose])
        ((attempt, _, headers, _, body),) = claim(connection)
        report(connection, attempt)
        return headers["Credits-Signature"], body

    header, body = sent()
    checks.check(accepts(old, header, body), "the secret's signature")
    checks.check(not accepts(old, header, body + " "), "of nothing else")
    checks.check(not accepts("whsec_" + "0" * 64, header, body), "and of no other secret")
    new = connection.execute(
        "SELECT secret FROM credits.webhook_endpoint_update(%s, new_secret => true, overlap => '1 day')", [whose]
    ).fetchone()[0]
    header, body = sent()
    checks.check(accepts(old, header, body) and accepts(new, header, body), "both, while secrets are changed")
    at(connection, BEGIN + DAY)
    header, body = sent()
    checks.check(not accepts(old, header, body) and accepts(new, header, body), "the new one alone after that")
    connection.execute("CALL credits.maintain()")
    left = connection.execute("SELECT count(*) FROM credits_internal.webhook_secrets WHERE previous_secret IS NOT NULL").fetchone()
    checks.equal(left, (0,), "and the old one is forgotten")


def again(checks: Checks, connection: Connection, _: str) -> None:
    """a test, and what is sent again, out of order"""
    whose, _secret = endpoint(connection, '{"customer.created"}')
    other, _secret = endpoint(connection, '{"customer.updated"}', "https://b.example")
    rename(connection, "ann", 2)
    for attempt, *_ in claim(connection):
        report(connection, attempt)
    (first,), (second,) = connection.execute("SELECT event_id FROM credits.billing_events ORDER BY event_id").fetchall()
    resend = "SELECT credits.webhook_resend(%s, %s)"
    checks.equal(connection.execute(resend, [first, None]).fetchone(), (1,), "to whoever asks for its type")
    checks.equal(connection.execute(resend, [first, None]).fetchone(), (0,), "once, while it is on its way")
    checks.equal(connection.execute(resend, [first, other]).fetchone(), (1,), "or to whom it is said")
    rows = claim(connection)
    checks.equal(sorted(str(row[1]) for row in rows), sorted([str(whose), str(other)]), "both get it")
    rename(connection, "ann")
    checks.equal(seen(claim(connection)), [("ann", 3)], "and what comes later does not wait for it")
    for attempt, *_ in rows:
        checks.equal(report(connection, attempt, 500)[1], "due", "it is tried again as any")
    event = connection.execute("SELECT credits.webhook_test(%s)", [whose]).fetchone()
    ((attempt, _, _, body, _),) = claim(connection)
    checks.equal((body["type"], body["id"]), ("webhook_endpoint.test", str(event[0])), "a test is sent whatever was asked for")
    checks.equal(report(connection, attempt, 404)[1:3], ("failed", None), "and once only")
    connection.execute("SELECT FROM credits.webhook_endpoint_update(%s, status => 'disabled')", [whose])
    for text, values, state in (
        ("SELECT credits.webhook_test(%s)", [whose], "PC020"), (resend, [second, whose], "PC020"),
        ("SELECT credits.webhook_test(gen_random_uuid())", [], "PC019"), (resend, [whose, None], "PC019"),
        ("SELECT credits.webhook_report(gen_random_uuid(), 200)", [], "PC019"),
        ("SELECT credits.webhook_report(%s, 20)", [attempt], "PC013"),
        ("SELECT credits.webhook_claim('x', 0)", [], "PC013"), ("SELECT credits.webhook_claim('x', 1, '2 hours')", [], "PC013"),
        ("SELECT credits.webhook_claim(NULL)", [], "PC013"),
    ):  # fmt: skip
        try:
            connection.execute(text, values)
            found = None
        except psycopg.Error as error:
            found = error.sqlstate
        checks.equal(found, state, text)


def disabling(checks: Checks, connection: Connection, _: str) -> None:
    """what happens at a disabled endpoint, and that others hear of it"""
    bad, _secret = endpoint(connection, url="https://hooks.example/a/key?token=another")
    watcher, _secret = endpoint(connection, '{"webhook_endpoint.disabled"}', "https://watch.example")
    rename(connection, "ann", 2)
    ((attempt, *_),) = claim(connection)
    report(connection, attempt, 500)
    at(connection, BEGIN + 3 * DAY)
    ((attempt, *_),) = claim(connection)
    checks.equal(report(connection, attempt, 500)[3], True, "disabled after three days")
    ((attempt, whose, _, event, _),) = claim(connection)
    checks.equal((whose, event["data"]["object"]["url"]), (watcher, "https://hooks.example"), "another endpoint is told")
    checks.check("key" not in str(event) and "token" not in str(event), "but not what may be a key to it", event)
    report(connection, attempt)
    rename(connection, "ann")
    checks.equal(claim(connection), [], "it is sent nothing")
    connection.execute("SELECT FROM credits.webhook_endpoint_update(%s, status => 'enabled')", [bad])
    checks.equal(seen(claim(connection)), [("ann", 2)], "enabled again, what had waited is sent")
    rename(connection, "ann")
    reasons = connection.execute("SELECT DISTINCT disabled_reason FROM credits.webhook_endpoints").fetchall()
    checks.equal(reasons, [(None,)], "and it is not disabled any more")
    gone = connection.execute("SELECT url FROM credits.webhook_endpoint_delete(%s)", [bad]).fetchone()
    checks.equal(gone, ("https://hooks.example/a/key?token=another",), "deleted")
    checks.equal(connection.execute("SELECT count(*) FROM credits.webhook_attempts").fetchone(), (1,), "with what was sent to it")


def deleted(checks: Checks, connection: Connection, _: str) -> None:
    """an endpoint is deleted while something is on its way to it"""
    whose, _secret = endpoint(connection)
    rename(connection, "ann", 2)
    ((attempt, *_),) = claim(connection)
    connection.execute("SELECT FROM credits.webhook_endpoint_delete(%s)", [whose])
    try:
        report(connection, attempt)
        checks.check(False, "its report is PC019")
    except psycopg.Error as error:
        checks.equal(error.sqlstate, "PC019", "its report is PC019")
    checks.equal(claim(connection), [], "nothing of it is sent any more")
    left = connection.execute(
        "SELECT (SELECT count(*) FROM credits_internal.webhook_deliveries), (SELECT count(*) FROM credits_internal.webhook_secrets)"
    ).fetchone()
    checks.equal(left, (0, 0), "nor kept")


def pages(checks: Checks, connection: Connection, _: str) -> None:
    """attempts are paged by key"""
    endpoint(connection)
    for index in range(25):
        rename(connection, f"customer {index}")
    while rows := claim(connection):
        for attempt, *_ in rows:
            report(connection, attempt)
    after, read = "00000000-0000-0000-0000-000000000000", []
    page = "SELECT attempt_id FROM credits.webhook_attempts WHERE attempt_id > %s ORDER BY attempt_id LIMIT 10"
    while rows := connection.execute(page, [after]).fetchall():
        read += [row[0] for row in rows]
        after = read[-1]
    checks.equal((len(read), len(set(read))), (25, 25), "each once")
    plan = "\n".join(row[0] for row in connection.execute(f"EXPLAIN (COSTS off) {page}", [after]).fetchall())
    checks.check("webhook_attempts_pkey" in plan, "from the key's index", plan)


def secrets(checks: Checks, connection: Connection, database: str) -> None:
    """secrets are in no view, in no answer but one, and in no log"""
    whose, secret = endpoint(connection)
    with harness.connect(database) as logged:
        for setting in ("log_statement = 'all'", "log_min_duration_statement = 0", "log_parameter_max_length = -1"):
            logged.execute(f"SET {setting}")
        at(logged, BEGIN)
        new = logged.execute("SELECT secret FROM credits.webhook_endpoint_update(%s, new_secret => true)", [whose]).fetchone()[0]
        logged.execute("SELECT credits.webhook_test(%s)", [whose])
        logged.execute("SELECT * FROM credits.webhook_claim('logged')")
        try:
            logged.execute("SELECT * FROM credits.webhook_endpoint_update(%s, url => 'ftp://x', new_secret => true)", [whose])
        except psycopg.Error:
            pass
    # scripts/cluster.sh keeps the log beside the data.
    log = connection.execute("SELECT pg_read_binary_file(current_setting('data_directory') || '/../log')").fetchone()[0]
    text = log.decode(errors="replace")
    checks.check(f"$1 = '{whose}'" in text, "the server's log has the calls")
    checks.none([one for one in (secret, new) if one in text], "and no secret")
    views = connection.execute("SELECT viewname FROM pg_views WHERE schemaname = 'credits'").fetchall()
    found = []
    for (view,) in views:
        text = connection.execute(f"SELECT string_agg(v::text, '') FROM credits.\"{view}\" v").fetchone()[0] or ""
        found += [view for one in (secret, new) if one in text]
    checks.none(found, "no view has any")
    answer = connection.execute("SELECT e.secret FROM credits.webhook_endpoint_update(%s) e", [whose]).fetchone()
    checks.equal(answer, (None,), "and no later answer")


def rights(checks: Checks, connection: Connection, _: str) -> None:
    """a sender's login claims and reports, and nothing else of endpoints"""
    endpoint(connection)
    rename(connection, "ann")
    connection.execute("SET ROLE credits_sender")
    # The clock is a superuser's, and stays.
    rows = claim(connection)
    checks.equal(len(rows), 1, "it claims")
    checks.equal(report(connection, rows[0][0])[0], "succeeded", "and reports")
    denied = []
    for text in ("SELECT credits.webhook_resend(gen_random_uuid())", "SELECT * FROM credits.webhook_endpoints",
                 "SELECT credits.webhook_endpoint_create('https://x.example', '{*}')",
                 "SELECT * FROM credits_internal.webhook_secrets"):  # fmt: skip
        try:
            connection.execute(text)
            denied.append(f"{text} is allowed")
        except psycopg.errors.InsufficientPrivilege:
            pass
    checks.none(denied, "and nothing else")
    connection.execute("RESET ROLE")
