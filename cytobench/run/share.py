"""What of a run's folds falls to this process, where other runs of the store do the same ones."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace

from cytobench import console
from cytobench.run.claims import Claims
from cytobench.run.fold import FoldSpec
from cytobench.run.lockstep import FoldsSpec
from cytobench.run.store import RunStore

LOOK = 0.2
"""Seconds between two looks at what others have done."""


class Share:
    """Takes folds that nobody has, and waits for the others.

    Parameters
    ----------
    store : RunStore
    claims : Claims
        Of this run.
    """

    def __init__(self, store: RunStore, claims: Claims) -> None:
        self.store = store
        self.claims = claims
        self.elsewhere: list[FoldSpec] = []
        self._said = False

    def take(self, spec: FoldSpec | FoldsSpec) -> FoldSpec | FoldsSpec | None:
        """The part of a spec that is for this run, which holds it from now on; None for nothing."""
        folds = spec.apart if isinstance(spec, FoldsSpec) else [spec]
        mine: list[FoldSpec] = []
        for one in folds:
            (mine if self._mine(one) else self.elsewhere).append(one)
        if len(mine) < len(folds) and isinstance(spec, FoldsSpec):
            return replace(spec, folds=tuple(one.fold for one in mine)) if mine else None
        return spec if mine else None

    def wait(self) -> tuple[Sequence[FoldSpec], Sequence[FoldSpec]]:
        """Wait for folds that others had.

        Returns
        -------
        done, free : sequence of FoldSpec
            What was stored by others since, and what they have let go of: this run holds that now.
        """
        waiting, self.elsewhere = self.elsewhere, []
        while waiting:
            done: list[FoldSpec] = []
            free: list[FoldSpec] = []
            rest: list[FoldSpec] = []
            for one in waiting:
                if self.store.has_fold(one.key, one.fold):
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

    def _mine(self, one: FoldSpec) -> bool:
        if not self.claims.take(one.key, one.fold):
            return False
        if self.store.has_fold(one.key, one.fold):  # stored since this run was planned
            self.claims.release(one.key, one.fold)
            return False
        return True

    def _say(self, waiting: Sequence[FoldSpec]) -> None:
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
