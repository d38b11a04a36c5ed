"""Endpoints on 127.0.0.1, well-behaved and not."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, *_: Any) -> None:
        """Whoever hangs up is no news here."""


class Receiver:
    """An endpoint: what it was sent, in order, and how it answers."""

    def __init__(self, answer: Callable[[BaseHTTPRequestHandler], None] | None = None) -> None:
        self.answer = answer or ok
        self.received: list[dict[str, Any]] = []
        self.raw: list[tuple[dict[str, str], str]] = []
        self.lock = threading.Lock()
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"])).decode()
                with receiver.lock:
                    receiver.received.append(json.loads(body))
                    receiver.raw.append((dict(self.headers), body))
                receiver.answer(self)

            do_GET = do_POST

            def log_message(self, *_: Any) -> None:
                pass

        self.server = Server(("127.0.0.1", 0), Handler)
        self.port = self.server.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}/hook"
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        self.thread.start()

    def __enter__(self) -> Receiver:
        return self

    def __exit__(self, *_: object) -> None:
        self.server.shutdown()
        self.server.server_close()

    def events(self) -> list[str]:
        with self.lock:
            return [event["id"] for event in self.received]


def ok(handler: BaseHTTPRequestHandler) -> None:
    status(handler, 200, b"ok")


def status(handler: BaseHTTPRequestHandler, code: int, body: bytes, **headers: str) -> None:
    handler.send_response(code)
    for name, value in {"Content-Length": str(len(body)), **headers}.items():
        handler.send_header(name.replace("_", "-"), value)
    handler.end_headers()
    handler.wfile.write(body)


def failing(handler: BaseHTTPRequestHandler) -> None:
    status(handler, 500, b"no")


def slow(handler: BaseHTTPRequestHandler) -> None:
    time.sleep(30)


def tardy(handler: BaseHTTPRequestHandler) -> None:
    """A success, just in time."""
    time.sleep(1.2)
    ok(handler)


def dripping(handler: BaseHTTPRequestHandler) -> None:
    """A byte now and then, without an end."""
    handler.send_response(200)
    handler.send_header("Content-Length", "1000000")
    handler.end_headers()
    for _ in range(300):
        handler.wfile.write(b"x")
        handler.wfile.flush()
        time.sleep(0.1)


def nonsense(handler: BaseHTTPRequestHandler) -> None:
    handler.wfile.write(b"\x00\xff" * 500 + b"\r\n\r\n")


def endless(handler: BaseHTTPRequestHandler) -> None:
    """A success, with more than anybody wants to read."""
    handler.send_response(200)
    handler.end_headers()
    for _ in range(1_000):
        handler.wfile.write(b"\x00y" * 5_000)


def twice(handler: BaseHTTPRequestHandler) -> None:
    """Reads the body once more, which never comes: until whoever sent it hangs up."""
    handler.connection.settimeout(30)
    try:
        handler.rfile.read(1)
    except OSError:
        pass


def redirecting(to: str) -> Callable[[BaseHTTPRequestHandler], None]:
    return lambda handler: status(handler, 307, b"over there", Location=to)
