#!/usr/bin/env python3
"""A program that sends billing events to webhook endpoints: it claims them from pg_credits, posts them, and reports answers.

It may be killed at any moment, and several may run at once: what was claimed and not reported is handed out again when its
lease has passed. So an endpoint gets each event at least once; it knows an event again by its id.

Its login needs the role credits_sender, and nothing else: docs/reference/webhook_endpoints.md says how to set it up.

What it never does, whatever an endpoint's address says:

  * connect to an address of this machine or of a private network: a name is resolved once, every address that it has is
    judged, and the connection goes to the very addresses that were judged;
  * follow a redirect, or use a proxy;
  * wait longer than 10 seconds for all of it, from the name to the end of the answer, or read more than 16 KiB of that.

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

import functools
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
GONE = "PC019"  # the endpoint was deleted meanwhile, or the attempt is too old to be kept

# IPv6 of the internet is in the first of these; in the second, NAT64, are addresses of IPv4.
GLOBAL, NAT64 = ipaddress.ip_network("2000::/3"), ipaddress.ip_network("64:ff9b::/96")
# Networks that the standard library may take for the internet's, and that lead elsewhere: 6to4, and a cloud's own server.
ELSEWHERE = [ipaddress.ip_network(n) for n in ("2002::/16", "3fff::/20", "192.88.99.0/24", "168.63.129.16/32")]

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


class Answer(NamedTuple):
    """What an endpoint answered, or why it did not."""

    status: int | None
    body: str


class Refused(Exception):
    """An address that nothing is sent to."""


def is_public(address: Address) -> bool:
    """Whether an address is one of the internet's."""
    if isinstance(address, ipaddress.IPv6Address):
        if address in NAT64:
            return is_public(ipaddress.IPv4Address(int(address) & 0xFFFFFFFF))
        if address.ipv4_mapped is not None:
            return is_public(address.ipv4_mapped)
        if address not in GLOBAL:
            return False
    elsewhere = any(address.version == network.version and address in network for network in ELSEWHERE)
    return address.is_global and not (address.is_multicast or address.is_reserved or elsewhere)


def look_up(host: str, port: int, found: queue.SimpleQueue[Any]) -> None:
    try:
        found.put(socket.getaddrinfo(host, port, type=socket.SOCK_STREAM))
    except Exception as error:  # noqa: BLE001 - it is raised by whoever waits for it
        found.put(error)


def resolve(host: str, port: int, ends: float) -> list[str]:
    """The addresses to connect to. A name that has a private address beside others is refused as a whole."""
    answer: queue.SimpleQueue[Any] = queue.SimpleQueue()
    # Nothing else ends a question to a name server that says nothing.
    threading.Thread(target=look_up, args=(host, port, answer), daemon=True).start()
    try:
        found = answer.get(timeout=left(ends))
    except queue.Empty:
        raise Refused(f"{host}: no address in time") from None
    if isinstance(found, Exception):
        raise Refused(f"{host} has no address: {found}") from found
    addresses = list(dict.fromkeys(str(one[4][0]).partition("%")[0] for one in found))
    if not addresses:
        raise Refused(f"{host} has no address")
    for address in addresses:
        if not ALLOW_PRIVATE and not is_public(ipaddress.ip_address(address)):
            raise Refused(f"{host} is at {address}, which is local or private")
    return addresses


def connect(host: str, port: int, ends: float) -> socket.socket:
    """A connection to the first address that answers: what was judged, and no name."""
    failure: OSError | None = None
    addresses = resolve(host, port, ends)
    for index, address in enumerate(addresses):
        try:
            # The later ones have their share of the time as well.
            stream = socket.create_connection((address, port), timeout=left(ends) / (len(addresses) - index))
        except OSError as error:
            failure = error
            continue
        if not ALLOW_PRIVATE and stream.getsockname()[0] == stream.getpeername()[0]:
            stream.close()
            raise Refused(f"{host} is at {address}, which is this machine")
        return stream
    raise failure or Refused(f"{host} has no address")


def send(url: str, headers: dict[str, str], body: str) -> Answer:
    """Posts one event. Whatever goes wrong is an answer without a status."""
    ends = time.monotonic() + TIMEOUT
    connection: http.client.HTTPConnection | None = None
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
        if not host or parts.scheme not in ("https", "http"):
            raise Refused("no address of the web")
        usual = 443 if parts.scheme == "https" else 80
        port = parts.port or usual
        # The connection is made here; the name is for TLS and the Host header alone.
        stream = connect(host, port, ends)
        connection = http.client.HTTPConnection(host, port)
        connection.sock = stream
        stream.settimeout(left(ends))
        if parts.scheme == "https":
            connection.sock = stream = tls().wrap_socket(stream, server_hostname=host, do_handshake_on_connect=False)
        # A server that sends a byte a second, of the handshake for one, is cut off as well: at the end the stream is closed
        # under whoever reads it.
        watch = threading.Timer(left(ends), shut, [stream])
        watch.daemon = True
        watch.start()
        try:
            if isinstance(stream, ssl.SSLSocket):
                stream.do_handshake()
            named = f"[{host}]" if ":" in host else host
            target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
            whole = {"Host": named if port == usual else f"{named}:{port}", "Connection": "close", **headers}
            connection.request("POST", target, body.encode(), whole)
            response = connection.getresponse()
            text = response.read(MOST_BYTES).decode("utf-8", "replace").replace("\0", "\ufffd")
            if time.monotonic() >= ends:
                return Answer(None, "no whole answer in time")
            return Answer(response.status, text)
        finally:
            watch.cancel()
    except Refused as error:
        return Answer(None, str(error)[:500])
    except Exception as error:  # noqa: BLE001 - whatever an endpoint does, it does not stop this program
        reason = "no answer in time" if time.monotonic() >= ends else f"{type(error).__name__}: {error}"
        return Answer(None, reason[:500].replace("\0", "\ufffd"))
    finally:
        if connection is not None:
            connection.close()


@functools.cache
def tls() -> ssl.SSLContext:
    """Reads the machine's certificates once."""
    return ssl.create_default_context()


def left(ends: float) -> float:
    """The seconds that are left, at least a few thousandths."""
    return max(ends - time.monotonic(), 0.005)


def shut(stream: socket.socket) -> None:
    """Ends a connection that somebody reads from: below TLS, which that somebody may be in the middle of."""
    try:
        socket.socket.shutdown(stream, socket.SHUT_RDWR)
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
                    try:
                        connection.execute(
                            "SELECT credits.webhook_report(%s, %s, %s)", [row.attempt_id, answer.status, answer.body]
                        )
                    except psycopg.Error as error:
                        if error.sqlstate != GONE:
                            raise
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
