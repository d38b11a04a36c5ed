"""A Stripe server for tests, on 127.0.0.1: localstripe, with what it lacks and this test is about.

Run by itself, with the port as its argument, by a Python that has localstripe. What is added to localstripe:

  * idempotency keys: a repeat is answered with what the first request was answered, declined cards too;
  * webhooks are sent again until they are answered with 2xx, each time signed anew (Stripe does so for days);
  * amount_received of a PaymentIntent, which Stripe's events have;
  * where the bank asks the customer: off session Stripe refuses with authentication_required; what the customer confirms
    after that has an address to go to, and an event payment_intent.requires_action;
  * POST /_config/clock {"now": seconds}: webhooks are signed as of then, for a database whose test clock is set;
  * POST /_config/hold {"hold": true}: from then on payments are made, but their answers wait until hold is false;
  * GET /_config/calls: how often each idempotency key was asked for.

And it listens on 127.0.0.1 alone and keeps nothing on disk, while localstripe does otherwise in both.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import sys
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Any

import aiohttp
from aiohttp import web
from localstripe import errors, resources, webhooks
from localstripe.server import app

AGAIN = 0.5  # seconds until a webhook is sent again
clock = {"ahead": 0.0}  # by how many seconds

answers: dict[str, tuple[int, bytes]] = {}
calls: Counter[str] = Counter()
answering = asyncio.Event()
answering.set()

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@web.middleware
async def idempotent(request: web.Request, handler: Handler) -> web.StreamResponse:
    key = request.headers.get("Idempotency-Key")
    if request.method != "POST" or key is None:
        return await handler(request)
    if request.path == "/v1/payment_intents":
        calls[key] += 1
    if key not in answers:
        made = await handler(request)
        assert isinstance(made, web.Response) and isinstance(made.body, bytes)
        answers[key] = (made.status, made.body)
        if request.path == "/v1/payment_intents":
            await answering.wait()
    status, body = answers[key]
    return web.Response(status=status, body=body, content_type="application/json")


async def hold(request: web.Request) -> web.Response:
    if (await request.json())["hold"]:
        answering.clear()
    else:
        answering.set()
    return web.Response()


async def set_clock(request: web.Request) -> web.Response:
    clock["ahead"] = (await request.json())["now"] - time.time()
    return web.Response()


async def told(_: web.Request) -> web.Response:
    return web.json_response(calls)


async def deliver(event: resources.Event, webhook: webhooks.Webhook) -> None:
    payload = json.dumps(event._export(), indent=2, sort_keys=True).encode()
    while True:
        now = int(time.time() + clock["ahead"])
        signature = hmac.new(webhook.secret.encode(), b"%d.%s" % (now, payload), hashlib.sha256).hexdigest()
        headers = {"Content-Type": "application/json", "Stripe-Signature": f"t={now},v1={signature}"}
        try:
            async with aiohttp.ClientSession() as session:
                async with session.post(webhook.url, data=payload, headers=headers) as answer:
                    if 200 <= answer.status < 300:
                        return
        except aiohttp.ClientError:
            pass
        await asyncio.sleep(AGAIN)


under_way: set[asyncio.Task[None]] = set()


def schedule(event: resources.Event) -> None:
    for webhook in webhooks._webhooks.values():
        if webhook.events is None or event.type in webhook.events:
            task = asyncio.ensure_future(deliver(event, webhook))
            under_way.add(task)
            task.add_done_callback(under_way.discard)


create = resources.PaymentIntent._api_create.__func__
confirm = resources.PaymentIntent._confirm


def create_intent(cls: type, confirm: object = None, off_session: object = None, **data: Any) -> Any:
    card = data.get("payment_method")
    if not (confirm and off_session and card and resources.PaymentMethod._api_retrieve(card)._requires_authentication()):
        return create(cls, confirm=confirm, off_session=off_session, **data)
    made = create(cls, **data)
    made._authentication_failed = True
    schedule(resources.Event("payment_intent.payment_failed", made))
    why = {"code": "authentication_required", "payment_intent": made._export()}
    raise errors.UserError(402, "Your bank asks you to confirm this payment.", why)


def confirm_intent(self: Any, on_failure_now: Callable[[], None]) -> None:
    confirm(self, on_failure_now)
    if self.next_action:
        url = f"https://bank.example/{self.id}"
        self.next_action = {"type": "redirect_to_url", "redirect_to_url": {"url": url}}
        schedule(resources.Event("payment_intent.requires_action", self))


def amount_received(intent: resources.PaymentIntent) -> int:
    return intent.amount if intent.status == "succeeded" else 0


def main(port: int) -> None:
    resources.schedule_webhook = schedule
    resources.PaymentIntent.amount_received = property(amount_received)
    resources.PaymentIntent._api_create = classmethod(create_intent)
    resources.PaymentIntent._confirm = confirm_intent
    resources.store.dump_to_disk = lambda: None
    app.middlewares.insert(0, idempotent)
    app.router.add_post("/_config/hold", hold)
    app.router.add_post("/_config/clock", set_clock)
    app.router.add_get("/_config/calls", told)
    web.run_app(app, host="127.0.0.1", port=port, print=lambda *_: None, access_log=None)


if __name__ == "__main__":
    main(int(sys.argv[1]))
