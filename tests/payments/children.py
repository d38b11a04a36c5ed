"""Programs that a test runs beside itself, killed and stopped by their own pids; and waiting for what they do."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable
from typing import Any

PATIENCE = 30.0  # seconds until something that should have happened counts as not happening


class Child:
    """A program under way; what it writes is kept, to be shown where something goes wrong."""

    def __init__(self, name: str, command: list[str], environment: dict[str, str]) -> None:
        self.name = name
        self._said = tempfile.TemporaryFile()
        self._process = subprocess.Popen(
            command,
            env={**os.environ, **environment},
            stdin=subprocess.DEVNULL,
            stdout=self._said,
            stderr=subprocess.STDOUT,
        )

    def runs(self) -> bool:
        return self._process.poll() is None

    def said(self) -> str:
        """The end of what it wrote, in one line."""
        self._said.seek(0)
        return " / ".join(self._said.read().decode(errors="replace").split("\n"))[-1000:]

    def kill(self) -> None:
        """kill -9, so that it can do nothing about it."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        self._end(signal.SIGINT)

    def _end(self, how: signal.Signals) -> None:
        if self.runs():
            self._process.send_signal(how)
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait(10)


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def listens(port: int) -> bool:
    with socket.socket() as one:
        one.settimeout(1)
        return one.connect_ex(("127.0.0.1", port)) == 0


def until(condition: Callable[[], Any], seconds: float = PATIENCE) -> bool:
    """Waits until it holds, and says whether it came to that."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True
