#!/usr/bin/env python3
"""Where Stripe delivers its webhooks: passes each one to pg_credits, which checks the signature and grants the credits.

Listens on 127.0.0.1 only, WEBHOOK_PORT (8080), for a web server in front of it that speaks TLS. The database is where
PGHOST, PGDATABASE, … say. The secret of the signatures is in the database: credits.payment_provider_set.
"""

from __future__ import annotations

import os
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import psycopg

LONGEST = 1 << 20  # bytes; a real event is far below that
# The status that Stripe gets. Whatever is not 2xx it sends again later, for days: right for a top-up whose transaction
# has not committed yet (PC014), and for any other trouble. A wrong signature (PC012) or no event (PC013) stays wrong.
ANSWERS = {"PC012": 400, "PC013": 400, "PC014": 503}


class Webhook(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        if not 0 < length <= LONGEST:
            self.answer(400)
            return
        # The raw body: the signature is over its very bytes, so it must not be parsed and serialized again.
        body = self.rfile.read(length).decode("utf-8", "replace")
        try:
            # One transaction: the event, the payment and the credits commit together, or nothing does.
            with psycopg.connect() as connection:
                connection.execute(
                    "SELECT credits.webhook_receive('stripe', %s, %s)", [body, self.headers.get("Stripe-Signature")]
                )
            self.answer(200)
        except psycopg.Error as error:
            self.log_error("%s %s", error.sqlstate, error)
            self.answer(ANSWERS.get(error.sqlstate or "", 500))

    def answer(self, status: int) -> None:
        self.send_response(status)
        self.send_header("Content-Length", "0")
        self.end_headers()


if __name__ == "__main__":
    try:
        ThreadingHTTPServer(("127.0.0.1", int(os.environ.get("WEBHOOK_PORT") or 8080)), Webhook).serve_forever()
    except KeyboardInterrupt:
        pass
