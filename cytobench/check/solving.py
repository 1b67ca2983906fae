"""CB5xx: a solver that fits many problems at once answers as the plain estimator does."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from cytobench.check.register import NotTestable, check
from cytobench.check.subject import Subject, spoken
from cytobench.check.witness import undisturbed
from cytobench.core.cards import BINARY_TASKS
from cytobench.core.errors import NotApplicable

if TYPE_CHECKING:
    from cytobench.core.result import FoldFailure, FoldResult
    from cytobench.run.cells import LoadedCell

PATIENTS, FOLDS, TRIALS = 200, 2, 6
SALT = b"check"
WITHIN = 1e-3
"""Difference of AUC, and relative one of an error, in every outer fold."""
SCORED_ALIKE = 1e-3
"""Relative difference of two settings' scores below which either is a fair choice."""


@check("CB500", "its solver agrees with its estimator", "model", after="CB200")
def agrees(subject: Subject) -> Iterator[str]:
    """On a small simulated trial the solver and the estimator score the same settings: in every
    outer fold their mean inner AUC differs by less than 0.001 (the squared error by 0.1 %), and the
    same setting is chosen.
    """
    for task in _tasks(subject):
        cell = _cell(subject, task, True)
        fast, slow = _results(cell), _results(_cell(subject, task, False))
        for mine, other in zip(fast, slow, strict=True):
            sizes = _inner_sizes(cell, other.fold)
            for fault in _faults(mine, other, sizes):
                yield f"{task}, fold {other.fold}: {fault}"


@check("CB501", "its solver answers alike in any company", "model", after="CB500")
def alone(subject: Subject) -> Iterator[str]:
    """What a solver says of a problem does not depend on the problems beside it, to the last bit:
    otherwise a resumed run, or one with more workers, gives other numbers.
    """
    for task in _tasks(subject):
        cell = _cell(subject, task, True)
        together = _results(cell)
        for fold, one in enumerate(together):
            (apart,) = _results(cell, [fold])
            if _said(apart) != _said(one):
                yield f"{task}, fold {fold}: other numbers where the fold is tuned alone"


def _tasks(subject: Subject) -> list[str]:
    """One task of each kind that the solver is asked for."""
    subject.factory  # noqa: B018 - a missing package is said first
    if subject.model.solver is None:
        raise NotTestable("it declares no solver")
    tasks = subject.model.tasks
    binary = [task for task in tasks if task in BINARY_TASKS][:1]
    return binary + [task for task in tasks if task == "percent_change"]


def _cell(subject: Subject, task: str, batched: bool) -> LoadedCell:
    from cytobench.config import compose_jobs
    from cytobench.run.cells import Cell, load_cell
    from cytobench.run.jobs import CELL_NODES

    (config,) = compose_jobs(
        [
            "dataset=sim_inflamed_mdd", f"dataset.n={PATIENTS}", f"task={task}", "floors=[]",
            f"model={subject.name}", "tuning=random", f"tuning.trials={TRIALS}", "device=cpu",
            f"tuning.batched={str(batched).lower()}", "protocol.repeats=1",
            "protocol.inner_folds=3",
        ]
    )  # fmt: skip
    try:
        return load_cell(Cell("check", "check", {node: config[node] for node in CELL_NODES}))
    except NotApplicable as error:
        raise NotTestable(spoken(error)) from error


def _results(
    cell: LoadedCell, folds: Sequence[int] = range(FOLDS)
) -> list[FoldResult | FoldFailure]:
    from cytobench.run.lockstep import run_together

    with undisturbed():
        return run_together(cell, folds, SALT)


def _inner_sizes(cell: LoadedCell, fold: int) -> list[int]:
    from cytobench.run.outer_fold import OuterFold

    return [len(valid) for _, valid in OuterFold(cell, fold).inner_rows()]


def _faults(mine: Any, other: Any, sizes: Sequence[int]) -> Iterator[str]:
    """What the solver's fold has that the estimator's has not."""
    from cytobench.core.result import FoldFailure

    if isinstance(other, FoldFailure):
        raise NotTestable(f"the estimator fails: {other.error}")
    if isinstance(mine, FoldFailure):
        yield f"the solver fails ({mine.error})"
        return
    y = np.asarray(other.inner.y)
    binary = bool(np.isin(y, (0, 1)).all())
    for number, expected in other.inner.predictions.items():
        if number not in mine.inner.predictions:
            why = next(trial.error for trial in mine.trials if trial.number == number)
            yield f"trial {number}: the solver fails ({why.strip().splitlines()[-1]})"
            continue
        said = np.asarray(mine.inner.predictions[number])
        apart = _apart(y, said, np.asarray(expected), np.cumsum(sizes)[:-1], binary)
        if not apart < WITHIN:
            unit = "AUCs" if binary else "squared errors, relatively,"
            yield f"trial {number}: {unit} differ by {apart:.2g}, allowed are {WITHIN:g}"
    if mine.params != other.params and not _alike(other, mine.params):
        yield f"it chooses {dict(mine.params)}, the estimator {dict(other.params)}"


def _apart(y: Any, mine: Any, other: Any, ends: Any, binary: bool) -> float:
    """Difference of the mean score over the inner parts, which end at these positions."""
    from cytobench.evaluate.metrics import auc, mse

    # Predictions that a fit to the sixth digit does not tell apart may fall in any order.
    score = auc if binary else mse
    parts = zip(*(np.split(values.round(6), ends) for values in (y, mine, other)), strict=True)
    scores = np.array([[score(y, p), score(y, q)] for y, p, q in parts])
    first, second = np.nanmean(scores, axis=0)
    return float(abs(first - second) / (1 if binary else second))


def _alike(fold: FoldResult, params: Any) -> bool:
    """Whether the estimator scores these parameters as its own choice."""
    scores = {
        tuple(sorted(trial.params.items())): trial.score
        for trial in fold.trials
        if trial.score is not None
    }
    best = min(scores.values())
    found = scores.get(tuple(sorted(params.items())))
    return found is not None and found - best <= SCORED_ALIKE * abs(best)


def _said(fold: Any) -> Any:
    """The numbers of a fold that a solver has a part in."""
    trials = [(trial.number, trial.score) for trial in getattr(fold, "trials", ())]
    return trials, getattr(fold, "inner", None), getattr(fold, "error", "")
