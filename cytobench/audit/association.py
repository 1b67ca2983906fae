"""Does this predict that? Out-of-fold ridge scores with a permutation test, and Cramér's V."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cytobench.evaluate.metrics import auc, midranks, spearman

Floats = NDArray[np.float64]
FOLDS = 5
PENALTY = 5.0
"""Ridge penalty: a category is drawn to the mean as by five patients of its own."""
PERMUTATIONS = 1999
CHUNK = 500
MOST_TESTED = 20_000
"""Patients; of more, so many are drawn, who show any association that is worth a word."""


@dataclass(frozen=True)
class Link:
    """How well features predict an outcome out of fold.

    Attributes
    ----------
    strength : float
        AUC for a binary outcome, Spearman's rank correlation for a continuous one.
    test : callable
        Computes `p`.
    """

    strength: float
    binary: bool
    test: Callable[[], float] = field(repr=False, compare=False)

    @cached_property
    def p(self) -> float:
        """Of the permutation test, one-sided: better than shuffled outcomes.

        Computed when it is asked for: it takes thousands of refits, and a strength that is none
        needs no test.
        """
        return self.test()

    def __str__(self) -> str:
        name = "AUC" if self.binary else "rank correlation"
        return f"out-of-fold {name} {self.strength:.2f}, permutation p = {self.p:.4f}"


def some_of(n: int, seed: int) -> NDArray[np.intp]:
    """Positions of all of `n` patients, or of `MOST_TESTED` drawn at random, in order."""
    if n <= MOST_TESTED:
        return np.arange(n)
    return np.sort(np.random.default_rng(seed).choice(n, MOST_TESTED, replace=False))


def permutations_of(y: ArrayLike, seed: int, count: int = PERMUTATIONS) -> Floats:
    """The values in `count` random orders, shape (n, count)."""
    values = np.asarray(y, dtype=np.float64)
    draw = np.random.default_rng(seed)
    return draw.permuted(np.repeat(values[:, None], count, axis=1), axis=0)


def link(X: ArrayLike, y: ArrayLike, shuffled: Callable[[], Floats], seed: int) -> Link:
    """Score features by cross-validated ridge regression and test that by permutation.

    Predictions are linear in the outcome, so that all permutations share the factorisation. They
    leave the training mean out: fold means, which fall as the test part's rise, then play no part.
    ``p = (b + 1) / (m + 1)`` (Phipson & Smyth 2010, doi:10.2202/1544-6115.1585).

    Parameters
    ----------
    X : array, shape (n, p)
        Features without gaps; they are not scaled here.
    y : array, shape (n,)
    shuffled : callable
        The outcomes in random orders, shape (n, m), from :func:`permutations_of`.
    seed : int
        Of the folds.

    Returns
    -------
    Link
        Strength at chance and p = 1 where features or outcome are constant.
    """
    features, outcome = np.asarray(X, dtype=np.float64), np.asarray(y, dtype=np.float64)
    binary = bool(np.isin(outcome, (0, 1)).all())
    if features.size == 0 or (np.ptp(features, axis=0) == 0).all() or np.ptp(outcome) == 0:
        return Link(0.5 if binary else 0.0, binary, lambda: 1.0)
    fold = np.arange(len(outcome)) % FOLDS
    np.random.default_rng(seed).shuffle(fold)
    ranks = midranks(outcome)
    observed = _predictions(features, ranks[:, None], fold)[:, 0]
    score = _agreement(observed[:, None], ranks[:, None])[0]

    def p() -> float:
        beaten, orders = 0, shuffled()
        for start in range(0, orders.shape[1], CHUNK):
            part = _ranked(outcome, ranks, orders[:, start : start + CHUNK])
            agreement = _agreement(_predictions(features, part, fold), part)
            beaten += int((agreement >= score - 1e-12).sum())
        return float((beaten + 1) / (orders.shape[1] + 1))

    strength = auc(outcome, observed) if binary else spearman(outcome, observed)
    return Link(strength, binary, p)


def indicators(labels: ArrayLike) -> Floats:
    """One column of 0 and 1 for each label, shape (n, n_labels)."""
    values = np.asarray(labels)
    return np.asarray(values[:, None] == np.unique(values)[None, :], dtype=np.float64)


def cramers_v(rows: ArrayLike, columns: ArrayLike) -> float:
    """Association of two classifications from 0 to 1, corrected for its bias in small samples.

    Bergsma (2013), doi:10.1016/j.jkss.2012.10.002.
    """
    table = indicators(rows).T @ indicators(columns)
    n = table.sum()
    expected = np.outer(table.sum(axis=1), table.sum(axis=0)) / n
    phi2 = float(((table - expected) ** 2 / expected).sum() / n)
    r, k = table.shape
    if min(r, k) < 2:
        return 0.0
    corrected = max(0.0, phi2 - (r - 1) * (k - 1) / (n - 1))
    sides = min(r - (r - 1) ** 2 / (n - 1), k - (k - 1) ** 2 / (n - 1)) - 1
    return float(min(1.0, np.sqrt(corrected / sides))) if sides > 0 else 0.0


def _predictions(X: Floats, y: Floats, fold: NDArray[np.intp]) -> Floats:
    """Out-of-fold predictions for every column of `y`, shape (n, m)."""
    out = np.empty_like(y)
    for number in range(FOLDS):
        test = fold == number
        centre = X[~test].mean(axis=0)
        known = X[~test] - centre
        gram = known.T @ known + PENALTY * np.eye(X.shape[1])
        out[test] = (X[test] - centre) @ np.linalg.solve(gram, known.T @ y[~test])
    return out


def _agreement(prediction: Floats, y: Floats) -> Floats:
    """Pearson correlation column by column; 0 where a prediction is constant."""
    a, b = prediction - prediction.mean(axis=0), y - y.mean(axis=0)
    size = np.sqrt((a**2).sum(axis=0) * (b**2).sum(axis=0))
    return np.where(size > 1e-12, (a * b).sum(axis=0) / np.maximum(size, 1e-12), 0.0)


def _ranked(y: Floats, ranks: Floats, shuffled: Floats) -> Floats:
    """Midranks of permuted values, looked up rather than sorted again."""
    order = np.argsort(y, kind="stable")
    return ranks[order][np.searchsorted(y[order], shuffled)]
