"""What of a run's folds falls to this process, where other runs of the store do the same ones."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, Generic

from cytobench import console
from cytobench.run.claims import Claims
from cytobench.run.engine import Spec
from cytobench.run.lockstep import FoldsSpec

LOOK = 0.2
"""Seconds between two looks at what others have done."""


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
