"""Folds as several runs of a store do them: each does what nobody has, and waits for the rest."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from typing import Any, Generic

from cytobench import console
from cytobench.run.claims import Claims
from cytobench.run.engine import Spec, run_folds
from cytobench.run.lockstep import FoldsSpec
from cytobench.run.store import RunStore

LOOK = 0.2
"""Seconds between two looks at what others have done."""


def shared_folds(
    specs: Sequence[Spec],
    engine: Mapping[str, Any],
    store: RunStore,
    is_done: Callable[[str, int], bool],
    work: str = "",
) -> Generator[tuple[Spec, Any]]:
    """Run folds that no other run of the store does, and wait for those that another one does.

    A fold is held until the next one is asked for: by then it is stored.

    Parameters
    ----------
    is_done : callable
        Of a cell's key and a fold: whether what is done to it is stored.
    work : str
        As :class:`Claims`.

    Yields
    ------
    spec
        Of one fold.
    outcome
        As :func:`run_folds`; None where another run has done it.
    """
    with Claims(store.root, work) as claims:
        share: Share[Spec] = Share(claims, is_done)
        while specs or share.elsewhere:
            # Closed at once where this is interrupted: no worker goes on.
            with closing(run_folds(specs, engine, store.salt(), share.take)) as outcomes:
                for spec, outcome in outcomes:
                    yield spec, outcome
                    claims.release(spec.key, spec.fold)
            done, specs = share.wait()
            for spec in done:
                yield spec, None


class Share(Generic[Spec]):
    """Takes folds that nobody has, and waits for the others.

    Parameters
    ----------
    claims : Claims
        Of this run.
    is_done : callable
        Of a cell's key and a fold: whether what is done to it is stored.
    """

    def __init__(self, claims: Claims, is_done: Callable[[str, int], bool]) -> None:
        self.claims = claims
        self.is_done = is_done
        self.elsewhere: list[Spec] = []
        self._said = False

    def take(self, spec: Spec) -> Spec | None:
        """The part of a spec that is for this run, which holds it from now on; None for nothing."""
        folds: list[Any] = spec.apart if isinstance(spec, FoldsSpec) else [spec]
        mine: list[Any] = []
        for one in folds:
            (mine if self._mine(one) else self.elsewhere).append(one)
        if len(mine) < len(folds) and isinstance(spec, FoldsSpec):
            return replace(spec, folds=tuple(one.fold for one in mine)) if mine else None
        return spec if mine else None

    def wait(self) -> tuple[Sequence[Spec], Sequence[Spec]]:
        """Wait for folds that others had.

        Returns
        -------
        done, free : sequence of specs, each of one fold
            What was stored by others since, and what they have let go of: this run holds that now.
        """
        waiting, self.elsewhere = self.elsewhere, []
        while waiting:
            done: list[Spec] = []
            free: list[Spec] = []
            rest: list[Spec] = []
            for one in waiting:
                if self.is_done(one.key, one.fold):
                    done.append(one)
                elif self.claims.take(one.key, one.fold):
                    free.append(one)
                else:
                    rest.append(one)
            if done or free:
                self.elsewhere = rest
                return done, free
            self._say(waiting)
            time.sleep(LOOK)
        return [], []

    def _mine(self, one: Spec) -> bool:
        if not self.claims.take(one.key, one.fold):
            return False
        if self.is_done(one.key, one.fold):  # stored since this run was planned
            self.claims.release(one.key, one.fold)
            return False
        return True

    def _say(self, waiting: Sequence[Spec]) -> None:
        if self._said:
            return
        self._said = True
        holders = {self.claims.holder(one.key, one.fold) for one in waiting}
        who = ", ".join(sorted(f"process {holder.pid}" for holder in holders if holder))
        folds = "1 fold is" if len(waiting) == 1 else f"{len(waiting)} folds are"
        console.say(
            f"{folds} being done by another run ({who or 'which has just ended'}); waiting",
            style="dim",
        )
