"""The Dask engine: keeps every worker of a scheduler busy, whoever comes, goes or dies."""

from __future__ import annotations

import secrets
import time
from collections import Counter, deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from cytobench.core.errors import CytobenchError
from cytobench.core.result import FoldFailure
from cytobench.run.clusters import Connection, connected
from cytobench.run.crew import Crew
from cytobench.run.engine import Work
from cytobench.run.limits import Limits
from cytobench.run.worker import Done, attempt, visit_of_here

if TYPE_CHECKING:
    from distributed import Future

Spec = TypeVar("Spec", bound=Work)

AHEAD = 4
"""Folds under way for each worker, so that none waits for this process to store one."""
LOOK = 1.0
"""Seconds between two looks at who is there."""
TRIES = 3
"""Of a fold whose messages are lost; what kills its worker is counted by Dask."""


def dask_folds(
    specs: Sequence[Spec],
    engine: Mapping[str, Any],
    workers: int,
    salt: bytes,
    limits: Limits,
    take: Callable[[Spec], Spec | None],
) -> Iterator[tuple[Spec, Any]]:
    """Run specs on the workers of a scheduler, yielding each as it ends.

    Results come back to this process, which alone writes the store: workers need no access to it,
    and its files belong to one person.

    Raises
    ------
    CytobenchError
        ``E520`` where the scheduler cannot be reached, ``E521`` where it was lost, ``E522`` where
        nobody is there who could do the work.
    """
    with connected(engine, min(workers, len(specs))) as connection:
        visit = visit_of_here(secrets.token_hex(8), salt, limits, own=connection.own)
        run = _Run(connection, Crew(connection, visit), specs, take)
        try:
            yield from run.outcomes()
        finally:
            run.stop()


@dataclass(frozen=True)
class _Flight(Generic[Spec]):
    """A spec that is under way; `allowed` is None where any worker may have it."""

    spec: Spec
    future: Future
    allowed: frozenset[str] | None


class _Run(Generic[Spec]):
    """One pass over some specs.

    Only a few of them are with the scheduler at a time: a million folds are a list here, and the
    scheduler's memory is none of the limits.
    """

    def __init__(
        self,
        connection: Connection,
        crew: Crew,
        specs: Sequence[Spec],
        take: Callable[[Spec], Spec | None],
    ) -> None:
        self.connection = connection
        self.take = take
        self.client = connection.client
        self.crew = crew
        self.waiting = deque(specs)
        self.deadly: deque[Spec] = deque()
        self.killed: set[int] = set()
        self.flying: dict[str, _Flight[Spec]] = {}
        self.landed: SimpleQueue[Future] = SimpleQueue()
        self.tries: Counter[int] = Counter()
        self.sent = 0
        self.heard = time.monotonic()

    def outcomes(self) -> Iterator[tuple[Spec, Any]]:
        """Each spec with what became of it."""
        look = 0.0
        while self.waiting or self.flying or self.deadly:
            if self._connected():
                if time.monotonic() >= look:
                    self._look()
                    look = time.monotonic() + LOOK
                self._send()
            try:
                future = self.landed.get(timeout=LOOK)
            except Empty:
                continue
            flight = self.flying.pop(future.key, None)
            if flight is None:
                continue
            outcome = self._outcome(flight)
            if outcome is None:
                look = 0.0
            else:
                yield flight.spec, outcome

    def stop(self) -> None:
        """Take back what is under way."""
        if self.flying and self.client.status == "running":
            self.client.cancel([flight.future for flight in self.flying.values()])

    def _connected(self) -> bool:
        """Whether the scheduler can be spoken to; Dask tries to come back to it by itself."""
        if self.client.status == "running":
            self.heard = time.monotonic()
            return True
        silent = time.monotonic() - self.heard
        if self.client.status == "connecting" and silent < self.connection.patience:
            return False
        raise CytobenchError(
            "E521",
            f"the scheduler was lost: no answer for {silent:.0f} s",
            where=self.connection.where,
            hint="finished folds are kept; start it again, and the same command goes on",
        )

    def _look(self) -> None:
        """See who has come and gone; what only those who have gone might do is for others now."""
        try:
            self.crew.look()
        except OSError:
            return  # the connection broke in this moment; the next round sees it
        for key, flight in list(self.flying.items()):
            if flight.allowed is not None and not flight.allowed & self.crew.fit:
                del self.flying[key]
                flight.future.cancel()
                self.waiting.appendleft(flight.spec)

    def _send(self) -> None:
        most = AHEAD * len(self.crew.fit)
        while self.waiting and len(self.flying) < most:
            spec = self.take(self.waiting.popleft())
            if spec is not None:
                self._submit(spec)
        if self.deadly and not self.waiting and not self.flying and self.crew.fit:
            # By itself: if a worker dies again, nobody else is to blame.
            self._submit(self.deadly.popleft())

    def _submit(self, spec: Spec) -> None:
        allowed = self.crew.allowed(spec)
        self.sent += 1
        future = self.client.submit(
            attempt,
            spec,
            self.crew.visit.run,
            key=f"fold-{self.crew.visit.run}-{self.sent}",
            pure=False,
            workers=None if allowed is None else sorted(allowed),
        )
        self.flying[future.key] = _Flight(spec, future, allowed)
        future.add_done_callback(self.landed.put)

    def _outcome(self, flight: _Flight[Spec]) -> Any:
        """What became of a spec; None where it is tried again."""
        from distributed import KilledWorker

        spec = flight.spec
        try:
            done = flight.future.result()
        except KilledWorker as error:
            if id(spec) in self.killed:
                return _killed(spec, error)
            self.killed.add(id(spec))
            self.deadly.append(spec)
            return None
        except Exception as error:
            if flight.future.cancelled() or self.client.status != "running":
                return self._again(spec)
            self.tries[id(spec)] += 1
            if self.tries[id(spec)] < TRIES:
                return self._again(spec)
            return FoldFailure(
                spec.fold, f"[E523] did not come back: {type(error).__name__}: {error}", "", ""
            )
        assert isinstance(done, Done)
        if done.stranger or self.crew.sends_elsewhere(spec, done):
            return self._again(spec)
        return done.outcome

    def _again(self, spec: Spec) -> None:
        self.waiting.appendleft(spec)


def _killed(spec: Work, error: Exception) -> FoldFailure:
    return FoldFailure(
        spec.fold,
        "[E243] its process ended each time that it was tried",
        "",
        str(error),
        "a crash inside a library, or no memory left: give each worker more",
    )
