"""Where the sample sender connects to: what a name resolves to is judged, and the connection goes to what was judged."""

from __future__ import annotations

import socket
from typing import Any
from unittest import mock

import webhook_sender as sender
from receivers import Receiver
from support.harness import Checks

PRIVATE = (
    "127.0.0.1", "10.0.0.7", "172.16.3.4", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0", "224.0.0.1",
    "255.255.255.255", "192.0.2.1", "198.18.0.1", "::1", "::", "fe80::1", "fd00::1", "ff02::1", "::ffff:127.0.0.1",
    "64:ff9b::a00:1", "2002:a00:1::", "2001:db8::1", "192.88.99.1",
)  # fmt: skip


class Names:
    """A resolver that answers each question with the next of a list."""

    def __init__(self, *answers: tuple[str, ...]) -> None:
        self.answers = list(answers)
        self.asked = 0

    def __call__(self, host: str, port: int, *_: Any, **__: Any) -> list[Any]:
        answer = self.answers[min(self.asked, len(self.answers) - 1)]
        self.asked += 1
        if not answer:
            raise socket.gaierror(-2, "Name or service not known")
        family = [socket.AF_INET6 if ":" in one else socket.AF_INET for one in answer]
        return [(kind, socket.SOCK_STREAM, 6, "", (one, port)) for kind, one in zip(family, answer, strict=True)]


def sent(url: str, names: Names, reached: list[Any]) -> sender.Answer:
    """What is answered, with that resolver; and what was connected to."""

    def connect(address: Any, *_: Any, **__: Any) -> socket.socket:
        reached.append(address)
        raise ConnectionRefusedError("nobody is there")

    with mock.patch.object(socket, "getaddrinfo", names), mock.patch.object(socket, "create_connection", connect):
        return sender.send(url, {}, "{}")


def check(checks: Checks, _database: str) -> None:
    for address in PRIVATE:
        reached: list[Any] = []
        answer = sent("https://hooks.example/", Names((address,)), reached)
        checks.check(answer.status is None and "local or private" in answer.body and not reached, f"a name at {address}", answer)
    reached = []
    sent("https://hooks.example/", Names(("8.8.8.8", "10.0.0.1")), reached)
    checks.equal(reached, [], "a name with a private address beside another is refused as a whole")
    names = Names(("8.8.8.8",), ("127.0.0.1",))
    reached = []
    sent("https://hooks.example:8443/", names, reached)
    checks.equal((names.asked, reached), (1, [("8.8.8.8", 8443)]), "a name is asked for once: what it becomes later is not used")
    names = Names(())
    checks.check("has no address" in sent("https://hooks.example/", names, []).body, "a name that nobody has")
    for url in ("http://127.0.0.1:9/", "http://[::1]:9/", "http://localhost:9/", "http://2130706433:9/", "http://0x7f.1:9/"):
        answer = sender.send(url, {}, "{}")
        checks.check(answer.status is None and "local or private" in answer.body, f"{url} is refused", answer)
    with Receiver() as receiver:
        checks.equal(sender.send(receiver.url, {}, "{}").status, None, "a server of this machine is not reached")
        checks.equal(receiver.received, [], "indeed")
        with mock.patch.object(sender, "ALLOW_PRIVATE", True):
            checks.equal(sender.send(receiver.url, {"X": "y"}, "{}").status, 200, "unless that is allowed")
