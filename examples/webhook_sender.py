#!/usr/bin/env python3
"""A program that sends billing events to webhook endpoints: it claims them from pg_credits, posts them, and reports answers.

It may be killed at any moment, and several may run at once: what was claimed and not reported is handed out again when its
lease has passed. So an endpoint gets each event at least once; it knows an event again by its id.

What it never does, whatever an endpoint's address says:

  * connect to an address of this machine or of a private network: a name is resolved once, every address that it has is
    judged, and the connection goes to the very address that was judged;
  * follow a redirect, or use a proxy;
  * wait longer than 10 seconds for all of an answer, or read more than 16 KiB of it.

Environment:
  PGHOST, PGDATABASE, …       where the database is, as every PostgreSQL program has it
  WEBHOOK_WORKER              a name for this program, as the view webhook_attempts shows it (host and process)
  WEBHOOK_CONCURRENCY         how many requests at once (16)
  WEBHOOK_TIMEOUT             seconds for one request (10)
  WEBHOOK_LEASE               how long a request is this program's before others get it ('1 minute')
  WEBHOOK_ALLOW_PRIVATE       1: private addresses are not refused
  WEBHOOK_POLL                seconds between two looks when there is nothing to do (2)
"""

from __future__ import annotations

import http.client
import ipaddress
import os
import queue
import signal
import socket
import ssl
import threading
import time
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import psycopg
from psycopg.rows import namedtuple_row

WORKER = os.environ.get("WEBHOOK_WORKER") or f"{socket.gethostname()} {os.getpid()}"
CONCURRENCY = int(os.environ.get("WEBHOOK_CONCURRENCY") or 16)
TIMEOUT = float(os.environ.get("WEBHOOK_TIMEOUT") or 10)
LEASE = os.environ.get("WEBHOOK_LEASE") or "1 minute"
POLL = float(os.environ.get("WEBHOOK_POLL") or 2)
ALLOW_PRIVATE = os.environ.get("WEBHOOK_ALLOW_PRIVATE") == "1"
MOST_BYTES = 16 * 1024  # of an answer

# Networks that the standard library's is_global takes for the internet's, and that lead to others: 6to4, NAT64, multicast.
TRANSLATED = [ipaddress.ip_network(n) for n in ("2002::/16", "64:ff9b::/96", "64:ff9b:1::/48", "192.88.99.0/24")]

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


class Answer(NamedTuple):
    """What an endpoint answered, or why it did not."""

    status: int | None
    body: str


class Refused(Exception):
    """An address that nothing is sent to."""


def is_public(address: Address) -> bool:
    """Whether an address is one of the internet's."""
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    within = any(address.version == network.version and address in network for network in TRANSLATED)
    return address.is_global and not (address.is_multicast or address.is_reserved or within)


def resolve(host: str, port: int) -> str:
    """The address to connect to. A name that has a private address beside others is refused as a whole."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise Refused(f"{host} has no address: {error}") from error
    addresses = [str(one[4][0]).partition("%")[0] for one in found]
    if not addresses:
        raise Refused(f"{host} has no address")
    for address in addresses:
        if not ALLOW_PRIVATE and not is_public(ipaddress.ip_address(address)):
            raise Refused(f"{host} is at {address}, which is local or private")
    return addresses[0]


def send(url: str, headers: dict[str, str], body: str) -> Answer:
    """Posts one event. Whatever goes wrong is an answer without a status."""
    ends = time.monotonic() + TIMEOUT
    connection: http.client.HTTPConnection | None = None
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
        port = parts.port or (443 if parts.scheme == "https" else 80)
        # The connection is made here, to the address that was judged; the name is for TLS and the Host header alone.
        stream = socket.create_connection((resolve(host, port), port), timeout=left(ends))
        connection = http.client.HTTPConnection(host, port)
        connection.sock = stream
        stream.settimeout(left(ends))
        if parts.scheme == "https":
            connection.sock = stream = ssl.create_default_context().wrap_socket(stream, server_hostname=host)
        # A server that sends a byte a second is cut off as well: at the end the stream is closed under the reader.
        watch = threading.Timer(left(ends), shut, [stream])
        watch.daemon = True
        watch.start()
        try:
            default = port == (443 if parts.scheme == "https" else 80)
            named = f"[{host}]" if ":" in host else host
            target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
            whole = {"Host": named if default else f"{named}:{port}", "Connection": "close", **headers}
            connection.request("POST", target, body.encode(), whole)
            response = connection.getresponse()
            text = response.read(MOST_BYTES).decode("utf-8", "replace").replace("\0", "\ufffd")
            if time.monotonic() >= ends:
                return Answer(None, "no whole answer in time")
            return Answer(response.status, text)
        finally:
            watch.cancel()
    except Refused as error:
        return Answer(None, str(error))
    except (OSError, http.client.HTTPException, ValueError) as error:
        reason = "no answer in time" if time.monotonic() >= ends else f"{type(error).__name__}: {error}"
        return Answer(None, reason[:500].replace("\0", "\ufffd"))
    finally:
        if connection is not None:
            connection.close()


def left(ends: float) -> float:
    """The seconds that are left, at least a few thousandths."""
    return max(ends - time.monotonic(), 0.005)


def shut(stream: socket.socket) -> None:
    """Ends a connection that somebody reads from."""
    try:
        stream.shutdown(socket.SHUT_RDWR)
    except OSError:
        pass


class Sender:
    """Claims in one thread, with one connection; sends in many, each of which reports with a connection of its own."""

    def __init__(self) -> None:
        self.free = threading.Semaphore(CONCURRENCY)
        self.work: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self.stopping = threading.Event()
        self.look = threading.Event()  # set by a report: the next event of an object may have its turn
        self.failed: Exception | None = None

    def run(self) -> None:
        threads = [threading.Thread(target=self.send_some) for _ in range(CONCURRENCY)]
        for thread in threads:
            thread.start()
        try:
            with psycopg.connect(autocommit=True, row_factory=namedtuple_row) as connection:
                while not self.stopping.is_set():
                    self.claim(connection)
        finally:
            self.stopping.set()
            for _ in threads:
                self.work.put(None)
            for thread in threads:
                thread.join()
        if self.failed is not None:
            raise self.failed

    def claim(self, connection: psycopg.Connection[Any]) -> None:
        """Claims as many as there are threads without work: what waits in a queue would only use up its lease."""
        self.free.acquire()
        count = 1
        while count < CONCURRENCY and self.free.acquire(blocking=False):
            count += 1
        if self.stopping.is_set():
            return
        rows = connection.execute("SELECT * FROM credits.webhook_claim(%s, %s, %s)", [WORKER, count, LEASE]).fetchall()
        for row in rows:
            self.work.put(row)
        for _ in range(count - len(rows)):
            self.free.release()
        if not rows:
            self.look.wait(POLL)
        self.look.clear()

    def send_some(self) -> None:
        try:
            with psycopg.connect(autocommit=True) as connection:
                while (row := self.work.get()) is not None:
                    answer = send(row.url, row.headers, row.body)
                    connection.execute(
                        "SELECT credits.webhook_report(%s, %s, %s)", [row.attempt_id, answer.status, answer.body]
                    )
                    self.free.release()
                    self.look.set()
        except Exception as error:  # noqa: BLE001 - the database is gone: whoever runs this starts it again
            self.failed = error
            self.stop()

    def stop(self) -> None:
        """Claims no more; what is under way is finished."""
        self.stopping.set()
        self.look.set()
        self.free.release()


def main() -> None:
    sender = Sender()
    signal.signal(signal.SIGTERM, lambda *_: sender.stop())
    sender.run()


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        pass
