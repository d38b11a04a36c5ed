"""Invoices on paper: 200 lines over several pages, A4 and Letter."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

from browser import Browser
from shop import Shop, many
from support.harness import Checks

COUNT = 200


def check(checks: Checks, shop: Shop, browser: Browser | None, folder: Path) -> None:
    made = shop.invoice("nora", many(COUNT), tax_rate=25, footer="Thank you!")
    html, number = shop.html("nora", made), shop.number(made)
    checks.equal(len(set(re.findall(r"Line \d{3}\.", html))), COUNT, f"a page of {COUNT} lines has them all")
    if browser is None:
        return
    for paper in ("A4", "Letter"):
        # A dark screen prints on white paper too.
        browser.open(html, scheme="dark")
        path = folder / f"long-{paper}.pdf"
        browser.paper(path, paper)
        pages = text_of(path)
        checks.check(4 <= len(pages) <= 20, f"{paper}: {COUNT} lines are several pages", len(pages))
        whole = "\n".join(pages)
        found = re.findall(r"Line (\d{3})\.", whole)
        checks.equal(found, [f"{n:03}" for n in range(1, COUNT + 1)], f"{paper}: every line is there once, in order")
        cut = [n for n in found if not any(f"Line {n}." in page and f"end {n}." in page for page in pages)]
        checks.none(cut, f"{paper}: no line is cut in two")
        with_lines = [page for page in pages if "Line " in page]
        headed = [bool(re.search(r"Description\s+Quantity\s+Unit amount\s+Tax\s+Amount EUR", page)) for page in with_lines]
        checks.check(all(headed), f"{paper}: each page of lines has their headers", headed)
        checks.equal([f"Invoice {number}" in page for page in with_lines], [True] * len(with_lines),
                     f"{paper}: each says of which invoice it is")  # fmt: skip
        counted = [f"{n} / {len(pages)}" in page for n, page in enumerate(pages, 1)]
        checks.check(all(counted), f"{paper}: pages are counted", counted)
        for total in ("Subtotal", "Tax 25% on", "Still to pay", "Thank you!"):
            checks.equal([total in page for page in pages], [False] * (len(pages) - 1) + [True], f"{paper}: {total} is on the last")
        checks.check("https://pay.example/?id=" in re.sub(r"\s", "", pages[0]), f"{paper}: where to pay is written out")
        checks.none(_dark(path), f"{paper}: the paper stays white")
    _short(checks, shop, browser, folder)


def _short(checks: Checks, shop: Shop, browser: Browser, folder: Path) -> None:
    browser.open(shop.html("nora", shop.usual()))
    for paper in ("A4", "Letter"):
        path = folder / f"usual-{paper}.pdf"
        browser.paper(path, paper)
        checks.equal(len(text_of(path)), 1, f"{paper}: a usual invoice is one page")


def text_of(path: Path) -> list[str]:
    """The text of each page, as it is laid out."""
    read = subprocess.run(["pdftotext", "-layout", str(path), "-"], capture_output=True, text=True, check=True).stdout
    return read.split("\f")[:-1]


def _dark(path: Path) -> list[str]:
    """Pages whose corners are not white."""
    shot = subprocess.run(["pdftoppm", "-r", "20", "-gray", str(path)], capture_output=True, check=True).stdout
    dark = []
    for page, image in enumerate(re.findall(rb"P5\s(\d+) (\d+)\s255\s", shot), 1):
        width = int(image[0])
        start = shot.find(b"P5")
        header = re.compile(rb"P5\s\d+ \d+\s255\s").match(shot, start)
        assert header is not None
        pixels = shot[header.end() : header.end() + width * int(image[1])]
        shot = shot[header.end() + len(pixels) :]
        if pixels[0] < 250 or pixels[-1] < 250:
            dark.append(f"page {page}")
    return dark
