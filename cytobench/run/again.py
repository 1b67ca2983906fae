"""Run folds of a cell again, each within a limit of time, and say what is not as it was."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from cytobench.core.hashing import canonical_json
from cytobench.core.result import FoldFailure, FoldResult
from cytobench.core.seeds import derive_seed
from cytobench.run.cells import Cell, load_cell
from cytobench.run.engine import run_folds
from cytobench.run.fold import failure_of, run_fold

FIELDS = ("n_train", "train_mean", "threshold", "params", "features", "left_out", "best_single")
"""Of a fold, besides its predictions and trials."""
COLUMNS = ("patient", "y", "truth")


@dataclass(frozen=True)
class AgainSpec:
    """A fold to be run as things are here, whatever its key would be."""

    cell: Cell
    key: str
    fold: int

    def attempt(self, salt: bytes) -> FoldResult | FoldFailure:
        """Do it; whatever is raised becomes a :class:`FoldFailure`."""
        try:
            return run_fold(load_cell(self.cell), self.fold, salt)
        except (Exception, SystemExit) as error:  # whatever a plugin raises is an answer about it
            return failure_of(self.fold, error)


def run_again(
    cell: Cell, key: str, folds: Sequence[int], salt: bytes, *, seconds: float | None = None
) -> Iterator[tuple[int, FoldResult | FoldFailure]]:
    """Run folds of a cell once more.

    Parameters
    ----------
    seconds : float, optional
        What one fold may take; longer ones are stopped and fail with ``E241``.
    """
    engine = {"name": "serial", "workers": 1, "fold_seconds": seconds}
    for spec, outcome in run_folds([AgainSpec(cell, key, fold) for fold in folds], engine, salt):
        yield spec.fold, outcome


def sampled(folds: int, number: int, word: str) -> list[int]:
    """Which of so many folds are run again, drawn by a word."""
    draw = np.random.default_rng(derive_seed("refit", word))
    return sorted(draw.choice(folds, size=min(number, folds), replace=False).tolist())


def largest_difference(stored: FoldResult, again: FoldResult) -> float:
    """Of the predictions; 0 where they agree to the last bit, infinite for other patients."""
    mine = np.asarray(again.predictions.prediction, dtype=float)
    other = np.asarray(stored.predictions.prediction, dtype=float)
    if mine.shape != other.shape:
        return float("inf")
    return float(np.abs(mine - other).max(initial=0.0))


def unlike(stored: FoldResult, again: FoldResult, *, names: bool = True) -> list[str]:
    """Everything in which a fold differs from the one that was stored, to the last bit.

    Parameters
    ----------
    names : bool
        False where pseudonyms cannot be compared: without the store's salt.
    """
    mine, other = stored.predictions, again.predictions
    found = [
        {"patient": "the patients", "y": "the outcomes", "truth": "the truth"}[name]
        for name in (COLUMNS if names else COLUMNS[1:])
        if _text(getattr(mine, name)) != _text(getattr(other, name))
    ]
    largest = largest_difference(stored, again)
    if largest == float("inf"):
        found.append("the number of predictions")
    elif largest:
        count = int(np.not_equal(mine.prediction, other.prediction).sum())
        found.append(f"{count} of {len(mine.prediction)} predictions, by up to {largest:.3g}")
    if _text(mine.by_arm) != _text(other.by_arm):
        found.append("what is predicted by arm")
    for name in FIELDS:
        before, now = getattr(stored, name), getattr(again, name)
        if _text(before) != _text(now):
            found.append(f"{name}: {_short(before)}, here {_short(now)}")
    trials = [
        [(trial.number, _text(trial.params), trial.score) for trial in fold.trials]
        for fold in (stored, again)
    ]
    if trials[0] != trials[1]:
        pairs = enumerate(zip(*trials, strict=False))
        first = next((k for k, (a, b) in pairs if a != b), min(map(len, trials)))
        found.append(f"the search, from its trial {first} on")
    return found


def _text(value: Any) -> str:
    """Equal content gives equal text, NaN included; a float's has all of its bits."""
    if isinstance(value, Mapping):
        value = dict(value)
    elif isinstance(value, Sequence) and not isinstance(value, str):
        value = list(value)
    return canonical_json(value)


def _short(value: Any) -> str:
    text = _text(value)
    return text if len(text) <= 60 else text[:57] + "..."
