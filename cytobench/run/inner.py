"""Inner predictions: by the plain estimator one fit at a time, or by a solver for many folds."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from cytobench.run.outer_fold import OuterFold

    Floats = NDArray[np.float64]

Params = Mapping[str, Any]


@dataclass(frozen=True)
class Answer:
    """A setting's predictions for the inner validation parts of a fold, or why there are none.

    Attributes
    ----------
    seconds : float
        This setting's share of the time that was spent.
    """

    predictions: Sequence[Floats]
    seconds: float
    error: Exception | None = None


def answers(asked: Sequence[tuple[OuterFold, Sequence[Params]]]) -> list[list[Answer]]:
    """What each of these folds of one cell asked for."""
    flat = [(fold, params) for fold, settings in asked for params in settings]
    if flat and flat[0][0].loaded.batched:
        found = _by_solver(flat)
    else:
        found = [_by_estimator(fold, params) for fold, params in flat]
    rest = iter(found)
    return [[next(rest) for _ in settings] for _, settings in asked]


def _by_estimator(fold: OuterFold, params: Params) -> Answer:
    started = time.perf_counter()
    try:
        predictions = [fold.predict(fold.fit(params, train), valid) for train, valid in fold.inner]
    except Exception as error:
        return Answer([], time.perf_counter() - started, error)
    return Answer(predictions, time.perf_counter() - started)


def _by_solver(flat: Sequence[tuple[OuterFold, Params]]) -> list[Answer]:
    """All settings of all folds in one call; where that fails, in ever smaller ones."""
    started = time.perf_counter()
    model, config = flat[0][0].loaded.model, flat[0][0].loaded.cell.config
    problems = [fold.problems(params) for fold, params in flat]
    try:
        solver = model.solver
        assert solver is not None
        solved = solver(
            [problem for several in problems for problem in several],
            kind=flat[0][0].kind,
            device=config["device"],
        )
        rest = iter(solved)
        checked = [
            _checked(fold, [next(rest) for _ in several])
            for (fold, _), several in zip(flat, problems, strict=True)
        ]
    except NotImplementedError:
        # Settings that the solver does not know; the estimator does.
        if len(flat) == 1:
            return [_by_estimator(*flat[0])]
        return [answer for one in flat for answer in _by_solver([one])]
    except Exception as error:
        if len(flat) == 1:
            return [Answer([], time.perf_counter() - started, error)]
        half = len(flat) // 2
        return [*_by_solver(flat[:half]), *_by_solver(flat[half:])]
    seconds = (time.perf_counter() - started) / len(flat)
    return [Answer(predictions, seconds) for predictions in checked]


def _checked(fold: OuterFold, predictions: Sequence[Floats]) -> list[Floats]:
    return [
        fold.checked(prediction, len(valid.y))
        for prediction, (_, valid) in zip(predictions, fold.inner, strict=True)
    ]
