"""Several outer folds of a cell that advance together: each trial of all of them in one solve."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from cytobench.core.result import FoldFailure, FoldResult
from cytobench.core.threads import one_thread
from cytobench.run.cells import Cell, LoadedCell
from cytobench.run.fold import FoldSpec, failure_of, load_as_planned
from cytobench.run.inner import Answer, Params, answers
from cytobench.run.outer_fold import OuterFold, Steps
from cytobench.tuning import budget_from_config

Outcome = FoldResult | FoldFailure


MOST = 25
"""Folds at once: more gain little, and an interrupted run loses what has not ended."""
MEMORY = 256 * 1024**2
"""Bytes that the encoded inner parts of these folds may take."""


def at_once(loaded: LoadedCell) -> int:
    """How many folds of a cell may advance together; 1 where its model has no solver for that."""
    if (
        not loaded.batched
        or not loaded.model.card.together
        or budget_from_config(loaded.cell.config["tuning"]).seconds
    ):
        return 1
    columns = len(loaded.bench.cohort.baseline_columns(loaded.model.card.inputs))
    one = 8 * len(loaded.bench.target.known) * columns * loaded.bench.plan.inner_folds
    return max(min(MOST, MEMORY // one), 1)


@dataclass(frozen=True)
class FoldsSpec:
    """A unit of work: several folds of one cell, whose model has a solver."""

    cell: Cell
    key: str
    folds: tuple[int, ...]

    @property
    def fold(self) -> int:
        """The first of them."""
        return self.folds[0]

    @property
    def apart(self) -> list[FoldSpec]:
        """The same folds, one by one."""
        return [FoldSpec(self.cell, self.key, fold) for fold in self.folds]

    def attempt(self, salt: bytes) -> list[Outcome]:
        """Do them, wherever this is; one outcome for each fold."""
        try:
            loaded = load_as_planned(self.cell, self.key)
        except (Exception, SystemExit) as error:
            return [failure_of(fold, error) for fold in self.folds]
        return run_together(loaded, self.folds, salt)


def run_together(loaded: LoadedCell, folds: Sequence[int], salt: bytes) -> list[Outcome]:
    """Tune, fit and predict several folds; what one of them raises costs that one only.

    Parameters
    ----------
    folds : sequence of int
        Positions in the split plan.
    salt : bytes
        The run store's salt for pseudonyms.

    Returns
    -------
    list of FoldResult or FoldFailure
        In the order of `folds`.
    """
    with one_thread():
        walks = [_Walk(fold) for fold in folds]
        for walk in walks:
            walk.begin(loaded, salt)
        while asking := [walk for walk in walks if walk.outcome is None]:
            said: list[str] = []
            with _heard(said):
                found = answers([(walk.outer, walk.asked) for walk in asking])
            for walk, each in zip(asking, found, strict=True):
                walk.said += said
                walk.advance(each)
    return [walk.outcome for walk in walks if walk.outcome is not None]


@dataclass
class _Walk:
    """A fold on its way: what it waits for, what it warned of, and what became of it."""

    fold: int
    asked: Sequence[Params] = ()
    said: list[str] = field(default_factory=list)
    outcome: Outcome | None = None
    outer: OuterFold = field(init=False)
    steps: Steps = field(init=False)

    def begin(self, loaded: LoadedCell, salt: bytes) -> None:
        """Up to the first thing that it asks for."""

        def first() -> Sequence[Params]:
            self.outer = OuterFold(loaded, self.fold)
            self.steps = self.outer.steps(salt)
            return next(self.steps)

        self._go(first)

    def advance(self, found: Sequence[Answer]) -> None:
        """Up to the next thing that it asks for, or to its end."""
        self._go(lambda: self.steps.send(found))

    def _go(self, step: Callable[[], Sequence[Params]]) -> None:
        try:
            with _heard(self.said):
                self.asked = step()
        except StopIteration as end:
            fields: dict[str, Any] = end.value
            self.outcome = FoldResult(**{**fields, "warnings": sorted(set(self.said))})
        except (Exception, SystemExit) as error:
            self.outcome = failure_of(self.fold, error)


@contextmanager
def _heard(said: list[str]) -> Iterator[None]:
    """Note what is warned of."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("default")
        try:
            yield
        finally:
            said += [f"{item.category.__name__}: {item.message}" for item in caught]
