"""Where the sample sender connects to: what a name resolves to is judged, and the connection goes to what was judged."""

from __future__ import annotations

import ipaddress
import socket
import threading
import time
from typing import Any
from unittest import mock

import webhook_sender as sender
from receivers import Receiver
from support.harness import Checks

PRIVATE = (
    "127.0.0.1", "10.0.0.7", "172.16.3.4", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0", "224.0.0.1",
    "255.255.255.255", "192.0.2.1", "198.18.0.1", "::1", "::", "fe80::1", "fd00::1", "ff02::1", "::ffff:127.0.0.1",
    "64:ff9b::a00:1", "64:ff9b:1::808:808", "2002:a00:1::", "2001:db8::1", "192.88.99.1", "192.0.0.192", "168.63.129.16",
    "fec0::1", "::7f00:1", "::ffff:0:7f00:1", "100::1", "2001::1", "3fff::1", "4000::1", "fd00:ec2::254", "100.100.100.200",
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
    for address in ("8.8.8.8", "2606:4700:4700::1111", "64:ff9b::808:808", "::ffff:8.8.8.8"):
        checks.check(sender.is_public(ipaddress.ip_address(address)), f"{address} is the internet's")
    reached = []
    sent("https://hooks.example/", Names(("2606:4700::1", "8.8.8.8")), reached)
    checks.equal(reached, [("2606:4700::1", 443), ("8.8.8.8", 443)], "where one address does not answer the next is tried")
    names = Names(())
    checks.check("has no address" in sent("https://hooks.example/", names, []).body, "a name that nobody has")
    for url in ("http://127.0.0.1:9/", "http://[::1]:9/", "http://localhost:9/", "http://2130706433:9/", "http://0x7f.1:9/"):
        answer = sender.send(url, {}, "{}")
        checks.check(answer.status is None and "local or private" in answer.body, f"{url} is refused", answer)
    for url in ("ftp://hooks.example/", "gopher://hooks.example/", "file:///etc/passwd", "//hooks.example/", "https://"):
        reached = []
        checks.equal((sent(url, Names(("8.8.8.8",)), reached).status, reached), (None, []), f"{url} is nothing to connect to")
    for url in ("https://hooks.example/\r\nX: y", "https://hooks.example/a b", "https://hooks.example:99999/"):
        checks.equal(sender.send(url, {}, "{}").status, None, f"{url!r} is no answer")
    deaf(checks)
    itself(checks)
    handshake(checks)
    with Receiver() as receiver:
        checks.equal(sender.send(receiver.url, {}, "{}").status, None, "a server of this machine is not reached")
        checks.equal(receiver.received, [], "indeed")
        with mock.patch.object(sender, "ALLOW_PRIVATE", True):
            checks.equal(sender.send(receiver.url, {"X": "y"}, "{}").status, 200, "unless that is allowed")
            checks.equal(sender.send(receiver.url, {"X": "y\r\nInjected: z"}, "{}").status, None, "a header has one line")
            named = receiver.url.replace("http://", "http://me:secret@")
            checks.equal(sender.send(named, {}, "{}").status, 200, "a user name")
            checks.none([head for head, _ in receiver.raw if "Authorization" in head or "secret" in str(head)], "is sent nowhere")


def took(url: str, seconds: float) -> tuple[sender.Answer, float]:
    began = time.monotonic()
    with mock.patch.object(sender, "TIMEOUT", seconds), mock.patch.object(sender, "ALLOW_PRIVATE", True):
        answer = sender.send(url, {}, "{}")
    return answer, time.monotonic() - began


def deaf(checks: Checks) -> None:
    """A name server that does not answer."""

    def never(*_: Any, **__: Any) -> list[Any]:
        time.sleep(3)
        return []

    with mock.patch.object(socket, "getaddrinfo", never):
        answer, seconds = took("https://hooks.example/", 0.5)
    checks.check(answer.status is None and seconds < 1, f"a name that nobody resolves takes {seconds:.1f} s", answer)


def itself(checks: Checks) -> None:
    """An address that is this machine's, whatever it looks like."""
    with Receiver() as receiver, mock.patch.object(sender, "is_public", lambda _: True):
        answer = sender.send(receiver.url, {}, "{}")
        checks.check("this machine" in answer.body and not receiver.received, "nothing is sent to this machine itself", answer)


def handshake(checks: Checks) -> None:
    """A server that sends its side of a TLS handshake byte by byte."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def drip() -> None:
            stream, _ = server.accept()
            with stream:
                try:
                    # The beginning of a long record: more is to come.
                    for byte in b"\x16\x03\x03\x3f\xff\x02\x00\x3f\xfb" + b"\x03" * 40:
                        stream.send(bytes([byte]))
                        time.sleep(0.2)
                except OSError:
                    pass

        threading.Thread(target=drip, daemon=True).start()
        answer, seconds = took(f"https://127.0.0.1:{server.getsockname()[1]}/", 1)
        checks.check(answer.status is None and seconds < 2, f"a handshake without an end takes {seconds:.1f} s", answer)
