"""Work that several sessions do at the same time, each in a process of its own."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Iterable
from concurrent.futures import ProcessPoolExecutor
from typing import Any


def together(work: Callable[..., Any], arguments: Iterable[tuple[Any, ...]]) -> list[Any]:
    """Does the work in processes at the same time, one for each of the arguments, and returns what each returned."""
    calls = list(arguments)
    with ProcessPoolExecutor(len(calls), mp_context=multiprocessing.get_context("fork")) as pool:
        return [one.result() for one in [pool.submit(work, *call) for call in calls]]
