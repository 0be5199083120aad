"""Turns: long computations, one after the other, each in a thread.

Threads share one interpreter. Of two that compute, each would make every access query wait for both;
one at a time, they are answered in between.
"""

import asyncio
from collections.abc import Callable
from typing import TypeVar

from starlette.concurrency import run_in_threadpool

from eligibility.server.load import Overloaded

MOST_WAITING = 16
_T = TypeVar("_T")


class Turns:
    """Runs what it is given, one at a time."""

    def __init__(self) -> None:
        self._one = asyncio.Semaphore(1)
        self._present = 0

    async def run(self, work: Callable[[], _T]) -> _T:
        """What the work gives, or raises, when its turn has come. Raises: Overloaded."""
        if self._present > MOST_WAITING:
            raise Overloaded(f"{self._present} simulations")
        self._present += 1
        try:
            async with self._one:
                return await run_in_threadpool(work)
        finally:
            self._present -= 1
