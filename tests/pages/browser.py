"""A headless Chromium, driven through a pipe by its own protocol: pages from files, at any size, on screen and on paper. It
reaches no network: no name is found, and nothing is fetched in the background.
"""

from __future__ import annotations

import base64
import contextlib
import json
import os
import select
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

PROGRAM = "chromium"
PATIENCE = 60.0
FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--disable-extensions", "--disable-default-apps", "--no-first-run",
    "--no-default-browser-check", "--metrics-recording-only", "--no-pings", "--hide-scrollbars", "--remote-debugging-pipe",
    "--host-resolver-rules=MAP * ~NOTFOUND", "--force-color-profile=srgb", "--font-render-hinting=none", "about:blank",
)  # fmt: skip
MILLIMETRES = 1 / 25.4
PAPERS = {"A4": (210 * MILLIMETRES, 297 * MILLIMETRES), "Letter": (8.5, 11.0)}


def is_here() -> bool:
    return shutil.which(PROGRAM) is not None


class Browser:
    """The program and one tab of it. `heard` is what it reported: requests, the console, breaches of a page's policy."""

    def __init__(self, process: subprocess.Popen[bytes], reading: int, writing: int, folder: Path) -> None:
        self.process = process
        self.reading, self.writing = reading, writing
        self.folder = folder
        self.rest = b""
        self.last = 0
        self.session: str | None = None
        self.heard: list[dict[str, Any]] = []
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self.session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Network", "Log", "Audits"):
            self.call(f"{domain}.enable")

    def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        self.last += 1
        message = {"id": self.last, "method": method, "params": parameters}
        if self.session:
            message["sessionId"] = self.session
        os.write(self.writing, json.dumps(message).encode() + b"\0")
        while (answer := self._next()).get("id") != self.last:
            self.heard.append(answer)
        if "error" in answer:
            raise RuntimeError(f"{method}: {answer['error']}")
        return answer["result"]

    def _next(self) -> dict[str, Any]:
        until = time.monotonic() + PATIENCE
        while b"\0" not in self.rest:
            if not select.select([self.reading], [], [], max(0.0, until - time.monotonic()))[0]:
                raise TimeoutError(f"{PROGRAM} has said nothing for {PATIENCE:.0f} s")
            more = os.read(self.reading, 1 << 20)
            if not more:
                raise RuntimeError(f"{PROGRAM} has ended")
            self.rest += more
        message, _, self.rest = self.rest.partition(b"\0")
        return json.loads(message)

    def open(self, html: str, width: int = 1280, height: int = 900, scheme: str = "light") -> None:
        """Shows a page from a file, on a screen of that width, and waits for all of it."""
        path = self.folder / "page.html"
        path.write_text(html, encoding="utf-8", newline="")
        phone = width < 600
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=2 if phone else 1,
                  mobile=phone)  # fmt: skip
        self.call("Emulation.setEmulatedMedia", media="", features=[{"name": "prefers-color-scheme", "value": scheme}])
        # What the page before had still to report.
        self.evaluate("0")
        self.heard = []
        self.call("Page.navigate", url=path.as_uri())
        until = time.monotonic() + PATIENCE
        while not any(one.get("method") == "Page.loadEventFired" for one in self.heard):
            if time.monotonic() > until:
                raise TimeoutError("the page does not load")
            self.heard.append(self._next())
        self.evaluate("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")

    def evaluate(self, expression: str) -> Any:
        """What an expression of JavaScript comes to, asked from outside of the page: its policy does not hold there."""
        got = self.call("Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True)
        if "exceptionDetails" in got:
            raise RuntimeError(got["exceptionDetails"])
        return got["result"].get("value")

    def requests(self) -> list[str]:
        """What was asked for, other than the page itself."""
        asked = [one["params"]["request"]["url"] for one in self.heard if one.get("method") == "Network.requestWillBeSent"]
        return [url for url in asked if url != (self.folder / "page.html").as_uri()]

    def complaints(self) -> list[str]:
        """What ran, failed or was refused, as far as the browser reported it."""
        methods = ("Log.entryAdded", "Runtime.consoleAPICalled", "Runtime.exceptionThrown", "Audits.issueAdded",
                   "Page.javascriptDialogOpening")  # fmt: skip
        return [json.dumps(one["params"])[:300] for one in self.heard if one.get("method") in methods]

    def screenshot(self, path: Path) -> None:
        size = self.call("Page.getLayoutMetrics")["cssContentSize"]
        clip = {"x": 0, "y": 0, "width": size["width"], "height": min(size["height"], 6000), "scale": 1}
        shot = self.call("Page.captureScreenshot", format="png", captureBeyondViewport=True, clip=clip)
        path.write_bytes(base64.b64decode(shot["data"]))

    def paper(self, path: Path, kind: str = "A4") -> None:
        width, height = PAPERS[kind]
        printed = self.call("Page.printToPDF", paperWidth=width, paperHeight=height, printBackground=False,
                            preferCSSPageSize=False, generateTaggedPDF=True)  # fmt: skip
        path.write_bytes(base64.b64decode(printed["data"]))


@contextlib.contextmanager
def browser() -> Iterator[Browser]:
    with tempfile.TemporaryDirectory(prefix="pg_credits_pages_", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        there, writing = os.pipe()
        reading, back = os.pipe()

        def place() -> None:
            # The protocol's ends are 3 and 4 there. Copies first: one of them may be in the other's place.
            first, second = os.dup(there), os.dup(back)
            os.dup2(first, 3)
            os.dup2(second, 4)

        command = [PROGRAM, *FLAGS[:-1], f"--user-data-dir={folder / 'profile'}", FLAGS[-1]]
        environment = {**os.environ, "HOME": name, "TZ": "America/Los_Angeles"}
        with open(folder / "log", "wb") as log:
            process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=environment,
                close_fds=False, preexec_fn=place,
            )  # fmt: skip
        os.close(there)
        os.close(back)
        try:
            yield Browser(process, reading, writing, folder)
        finally:
            os.close(writing)
            os.close(reading)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(10)
            if process.poll() is None:
                process.kill()
                process.wait()
