"""Who works for a run: which workers are there, and which of them may do what."""

from __future__ import annotations

import asyncio
import time
from typing import Any

from cytobench import console
from cytobench.core.errors import CytobenchError
from cytobench.core.result import FoldFailure
from cytobench.run.clusters import Connection
from cytobench.run.engine import Work
from cytobench.run.worker import Done, Reply, Visit, welcome

SAID = 15.0
"""Seconds without a worker after which somebody who waits is told so."""
ANSWERS = 30.0
"""Seconds in which a worker answers its welcome; one that is frozen would hold up all others."""
ELSEWHERE = "[E501]"
"""Of a worker that has other data or plugins than the process that planned the run."""


class Crew:
    """The workers of a scheduler, as a run knows them.

    Attributes
    ----------
    fit : set of str
        Addresses of those that were welcomed and can do the work.
    unfit : dict
        Address -> why it cannot.
    """

    def __init__(self, connection: Connection, visit: Visit) -> None:
        self.connection = connection
        self.visit = visit
        self.fit: set[str] = set()
        self.unfit: dict[str, str] = {}
        self._refused: dict[str, set[str]] = {}
        self._since = time.monotonic()
        self._waited = False

    def look(self) -> None:
        """Welcome those that have come, and forget those that have gone.

        Raises
        ------
        CytobenchError
            ``E522`` where nobody who could do the work has been there for too long.
        """
        there = self.connection.client.nthreads()
        self.fit &= set(there)
        new = [address for address in there if address not in self.fit | self.unfit.keys()]
        if new:
            self._welcome(new)
        if self.fit:
            self._since, self._waited = time.monotonic(), False
            return
        alone = time.monotonic() - self._since
        if alone > self.connection.patience:
            raise self._nobody()
        if alone > SAID and not self._waited:
            self._waited = True
            console.warn(f"{self.connection.where}: no worker is there yet; waiting")

    def allowed(self, spec: Work) -> frozenset[str] | None:
        """Who may have a spec; None for everybody."""
        refused = self._refused.get(spec.key, set())
        if not self.unfit and not refused:
            return None
        # Where all have refused, one more answer says why.
        return frozenset(self.fit - refused) or frozenset(self.fit)

    def sends_elsewhere(self, spec: Work, done: Done) -> bool:
        """Whether a worker could not load what this process could, and another is there to ask."""
        first = done.outcome[0] if isinstance(done.outcome, list) else done.outcome
        if not isinstance(first, FoldFailure) or not first.error.startswith(ELSEWHERE):
            return False
        refused = self._refused.setdefault(spec.key, set())
        if done.worker not in refused:
            console.warn(f"{done.worker} cannot do cell {spec.key[:12]}: {first.error}")
        refused.add(done.worker)
        return bool(self.fit - refused)

    def _welcome(self, new: list[str]) -> None:
        replies = self.connection.client.sync(self._ask_all, new)
        for address, reply in zip(new, replies, strict=True):
            # TimeoutError is an OSError too.
            if isinstance(reply, OSError) and not isinstance(reply, TimeoutError):
                continue  # gone before it could answer
            why = reply.unfit if isinstance(reply, Reply) else _without_us(reply)
            if not why:
                self.fit.add(address)
                continue
            if why not in self.unfit.values():
                console.warn(f"the worker {address} is left out: {why}")
            self.unfit[address] = why

    async def _ask_all(self, new: list[str]) -> list[Any]:
        """The answers of workers to their welcome, or what was raised; none waits for another."""
        return await asyncio.gather(*map(self._ask, new))

    async def _ask(self, address: str) -> Any:
        asked = self.connection.client.run(
            welcome, self.visit, workers=[address], on_error="return"
        )
        try:
            replies = await asyncio.wait_for(asked, ANSWERS)
        except (OSError, TimeoutError) as error:
            return error
        return replies.get(address, ConnectionError())

    def _nobody(self) -> CytobenchError:
        why = "; ".join(sorted(set(self.unfit.values())))
        return CytobenchError(
            "E522",
            f"no worker that can do the work for {self.connection.patience:.0f} s",
            where=self.connection.where,
            hint=f"finished folds are kept; {why or 'start workers, or raise engine.patience'}",
        )


def _without_us(error: Any) -> str:
    if isinstance(error, TimeoutError):
        return f"[E524] it has not answered for {ANSWERS:.0f} s: frozen, or its machine is"
    return f"cytobench cannot be used on it ({type(error).__name__}: {error})"
