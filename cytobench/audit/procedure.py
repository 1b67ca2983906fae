"""The procedure that an audit puts questions to, and the changed data that it is asked about."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cytobench.audit.isolation import Errand, Failure, run_fresh
from cytobench.core.seeds import derive_seed
from cytobench.evaluate.metrics import auc, spearman

Floats = NDArray[np.float64]
Index = NDArray[np.intp]
Procedure = Callable[[pd.DataFrame, Floats, Index, Index, int], Floats]
"""``procedure(X, y, train, test, seed)`` fits on the rows ``train`` and predicts the rows ``test``.

Rows are positions (``X.iloc[train]``). It must pickle: a function at the top of a module, or an
instance of a class there.
"""
Answer = list[Floats]
"""One array for each fold, NaN where a prediction is not comparable."""
SINGLE_ROWS = 3
"""Test rows for each fold that are predicted one by one; each costs a fit."""


@dataclass(frozen=True)
class Problem:
    """Data and folds on which a procedure is tested.

    Attributes
    ----------
    X : DataFrame, shape (n, p)
    y : array, shape (n,)
        0 and 1, or numbers; none missing.
    folds : sequence of (train, test)
        Positions of rows.
    seed : int
    """

    X: pd.DataFrame
    y: Floats
    folds: Sequence[tuple[Index, Index]]
    seed: int = 0

    @cached_property
    def binary(self) -> bool:
        """Whether the outcome is a class."""
        return bool(np.isin(self.y, (0, 1)).all())

    def discrimination(self, answer: Answer, y: Floats | None = None) -> float:
        """Mean over folds of the AUC, or of (1 + Spearman's rho) / 2; chance is 0.5.

        A constant prediction counts as chance; folds with one class are left out.
        """
        outcome = self.y if y is None else y
        values = []
        for (_, test), prediction in zip(self.folds, answer, strict=True):
            if self.binary:
                values.append(auc(outcome[test], prediction))
            else:
                rho = spearman(outcome[test], prediction)
                values.append(0.5 if np.isnan(rho) else (1 + rho) / 2)
        return float(np.nanmean(values))

    def draw(self, *labels: str | int) -> np.random.Generator:
        """A random stream of its own."""
        return np.random.default_rng(derive_seed(self.seed, *labels))


def ask(procedure: Procedure, problem: Problem, fold: int) -> Floats:
    """Predictions of one fold, on copies that the procedure may spoil."""
    train, test = problem.folds[fold]
    answer = procedure(problem.X.copy(), problem.y.copy(), train.copy(), test.copy(), problem.seed)
    prediction = np.asarray(answer, dtype=np.float64)
    if prediction.shape != (len(test),):
        raise ValueError(f"predictions have shape {prediction.shape}, expected ({len(test)},)")
    if not np.isfinite(prediction).all():
        raise ValueError("a prediction is not finite")
    return prediction


def as_it_is(procedure: Procedure, problem: Problem) -> Answer:
    """Fold after fold in one process, as a run goes."""
    return [ask(procedure, problem, fold) for fold in range(len(problem.folds))]


def first_fold(procedure: Procedure, problem: Problem) -> Answer:
    """The first fold alone."""
    alone = [ask(procedure, problem, 0)]
    return alone + [np.full(len(test), np.nan) for _, test in problem.folds[1:]]


def backwards(procedure: Procedure, problem: Problem) -> Answer:
    """The last fold first: what it knows of the others then it cannot know now."""
    return [ask(procedure, problem, fold) for fold in reversed(range(len(problem.folds)))][::-1]


def other_test_labels(procedure: Procedure, problem: Problem) -> Answer:
    """Test labels exchanged: classes flipped, numbers mirrored about the training part's mean."""
    answers = []
    for fold, (train, test) in enumerate(problem.folds):
        y = problem.y.copy()
        y[test] = 1 - y[test] if problem.binary else 2 * y[train].mean() - y[test]
        answers.append(ask(procedure, replace(problem, y=y), fold))
    return answers


def no_test_labels(procedure: Procedure, problem: Problem) -> Answer:
    """Test labels missing."""
    answers = []
    for fold, (_, test) in enumerate(problem.folds):
        y = problem.y.copy()
        y[test] = np.nan
        answers.append(ask(procedure, replace(problem, y=y), fold))
    return answers


def scrambled_test_rows(procedure: Procedure, problem: Problem) -> Answer:
    """Every second test row kept, in the others every column shuffled and numbers trebled."""
    answers = []
    for fold, (_, test) in enumerate(problem.folds):
        draw = problem.draw("scramble", fold)
        kept = np.arange(len(test)) % 2 == 0
        X = problem.X.copy()
        others = test[~kept]
        for position, column in enumerate(X.columns):
            values = X[column].iloc[draw.permutation(others)]
            if pd.api.types.is_float_dtype(X[column]):
                values = values * 3
            X.iloc[others, position] = values.to_numpy()
        prediction = ask(procedure, replace(problem, X=X), fold)
        answers.append(np.where(kept, prediction, np.nan))
    return answers


def one_by_one(procedure: Procedure, problem: Problem) -> Answer:
    """Some test rows predicted alone."""
    answers = []
    for fold, (train, test) in enumerate(problem.folds):
        answer = np.full(len(test), np.nan)
        chosen = problem.draw("single", fold).permutation(len(test))[:SINGLE_ROWS]
        for position in chosen:
            alone = replace(problem, folds=[(train, test[[position]])])
            answer[position] = ask(procedure, alone, 0)[0]
        answers.append(answer)
    return answers


def relabelled(procedure: Procedure, problem: Problem) -> Answer:
    """The labels of the index exchanged between rows."""
    X = problem.X.copy()
    X.index = X.index[problem.draw("index").permutation(len(X))]
    return as_it_is(procedure, replace(problem, X=X))


def renumbered(procedure: Procedure, problem: Problem) -> Answer:
    """All rows at other positions; training and test rows come in the same order as before."""
    order = problem.draw("position").permutation(len(problem.X))
    place = np.empty(len(order), dtype=np.intp)
    place[order] = np.arange(len(order))
    moved = replace(
        problem,
        X=problem.X.iloc[order],
        y=problem.y[order],
        folds=[(place[train], place[test]) for train, test in problem.folds],
    )
    return as_it_is(procedure, moved)


def shuffled_training_rows(procedure: Procedure, problem: Problem) -> Answer:
    """The same training rows in another order."""
    draw = problem.draw("rows")
    folds = [(draw.permutation(train), test) for train, test in problem.folds]
    return as_it_is(procedure, replace(problem, folds=folds))


def shuffled_columns(procedure: Procedure, problem: Problem) -> Answer:
    """The same columns, with their names, in another order."""
    order = problem.draw("columns").permutation(problem.X.shape[1])
    return as_it_is(procedure, replace(problem, X=problem.X.iloc[:, order]))


@dataclass(frozen=True)
class Interview:
    """A procedure's answers to the same problem put in different ways.

    Attributes
    ----------
    problem : Problem
    answers : mapping
        Name of the variant -> its :data:`Answer`, or a :class:`Failure`.
    permuted : sequence of float
        Discrimination after each permutation of the labels.
    planted : float or Failure or None
        Discrimination of a planted effect; None where it was not asked.
    """

    problem: Problem
    answers: dict[str, Answer | Failure]
    permuted: Sequence[float] | Failure = ()
    planted: float | Failure | None = None


VARIANTS: dict[str, Callable[[Procedure, Problem], Answer]] = {
    variant.__name__: variant
    for variant in (
        as_it_is, first_fold, backwards, other_test_labels, no_test_labels, scrambled_test_rows,
        one_by_one, relabelled, renumbered, shuffled_training_rows, shuffled_columns,
    )
}  # fmt: skip


def interview(
    procedure: Procedure,
    problem: Problem,
    *,
    more: Sequence[Errand] = (),
    workers: int = 1,
    preload: Sequence[str] = (),
) -> tuple[dict[str, Answer | Failure], list[object]]:
    """Put all variants to the procedure, each in a fresh process, and run further errands beside.

    Returns
    -------
    answers : dict
        By name of the variant.
    others : list
        Of the errands in `more`.
    """
    errands = [Errand(variant, (procedure, problem)) for variant in VARIANTS.values()]
    done = run_fresh([*errands, *more], workers=workers, preload=preload)
    return dict(zip(VARIANTS, done, strict=False)), done[len(VARIANTS) :]
