"""Simulated cohorts with known truth, for the study of intervals and of the rule for a winner.

Analytes are normal with an equicorrelated part; the outcome is logistic in some of them. For a
linear score the true AUC follows from its correlation with the true linear predictor, by quadrature
and not from a test set. Models are logistic ridges, fitted for all folds (or bootstrap resamples)
of a cohort in one batch of Newton steps.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class World:
    """A population.

    Attributes
    ----------
    effects : sequence of float
        Log odds ratio of each analyte, per standard deviation.
    correlation : float
        Between any two analytes.
    intercept : float
    """

    name: str
    effects: Sequence[float]
    correlation: float = 0.3
    intercept: float = 0.0

    @cached_property
    def covariance(self) -> Floats:
        p = len(self.effects)
        return (1 - self.correlation) * np.eye(p) + self.correlation * np.ones((p, p))

    @cached_property
    def _root(self) -> Floats:
        return np.linalg.cholesky(self.covariance)

    def draw(self, n: int, rng: np.random.Generator) -> tuple[Floats, Floats]:
        """Analytes, shape (n, p), and outcomes, at least ten of each class."""
        while True:
            X = rng.normal(size=(n, len(self.effects))) @ self._root.T
            risk = 1 / (1 + np.exp(-(self.intercept + X @ np.asarray(self.effects))))
            y = (rng.random(n) < risk).astype(float)
            if min(y.sum(), n - y.sum()) >= 10:
                return X, y

    @cached_property
    def _auc_by_correlation(self) -> tuple[Floats, Floats]:
        effects = np.asarray(self.effects)
        spread = float(np.sqrt(effects @ self.covariance @ effects))
        u, w = np.polynomial.hermite_e.hermegauss(80)
        w = w / w.sum()
        risk = 1 / (1 + np.exp(-(self.intercept + spread * u)))
        positive, negative = w * risk, w * (1 - risk)
        positive, negative = positive / positive.sum(), negative / negative.sum()
        from scipy.special import ndtr

        grid = np.linspace(-0.9999, 0.9999, 801)
        gap = (u[:, None] - u[None, :]).ravel()
        weight = np.outer(positive, negative).ravel()
        values = [weight @ ndtr(r * gap / np.sqrt(2 * (1 - r**2))) for r in grid]
        return grid, np.array(values)

    @cached_property
    def _crowd(self) -> tuple[Floats, Floats]:
        """Analytes and true risks of 20,000 patients, to average a loss over."""
        X = np.random.default_rng(20_000).normal(size=(20_000, len(self.effects))) @ self._root.T
        return X, 1 / (1 + np.exp(-(self.intercept + X @ np.asarray(self.effects))))

    def true_brier(self, intercept: float, coefficients: Floats) -> float:
        """Expected Brier score of a logistic model, over patients and their outcomes."""
        X, risk = self._crowd
        said = 1 / (1 + np.exp(-(intercept + X @ coefficients)))
        return float(np.mean((said - risk) ** 2 + risk * (1 - risk)))

    def true_auc(self, coefficients: Floats) -> Floats:
        """True AUC of linear scores, `coefficients` of shape (..., p)."""
        effects = np.asarray(self.effects)
        if not effects.any():
            return np.full(coefficients.shape[:-1], 0.5)
        along = coefficients @ self.covariance @ effects
        length = np.sqrt(
            np.einsum("...i,ij,...j->...", coefficients, self.covariance, coefficients)
        )
        r = along / (length * np.sqrt(effects @ self.covariance @ effects))
        return np.interp(r, *self._auc_by_correlation)


def ridge(X: Floats, y: Floats, weights: Floats, penalty: Floats | float) -> Floats:
    """Logistic ridges by Newton's method, one for each row of `weights`.

    Parameters
    ----------
    X : array, shape (n, p)
    y : array of 0 and 1, shape (n,)
    weights : array, shape (fits, n)
        How often each patient is in the training part.
    penalty : float or array, shape (fits,)
        Half the squared length of the coefficients is multiplied by it.

    Returns
    -------
    array, shape (fits, 1 + p)
        Intercept first; it is not penalised.
    """
    n, p = X.shape
    design = np.column_stack([np.ones(n), X])
    outer = (design[:, :, None] * design[:, None, :]).reshape(n, -1)
    fits = len(weights)
    beta = np.zeros((fits, p + 1))
    shrink = (
        np.broadcast_to(np.asarray(penalty, dtype=float), (fits,))[:, None] * np.r_[0.0, np.ones(p)]
    )
    for _ in range(25):
        risk = 1 / (1 + np.exp(-np.clip(beta @ design.T, -30, 30)))
        gradient = (weights * (y - risk)) @ design - shrink * beta
        hessian = ((weights * risk * (1 - risk)) @ outer).reshape(fits, p + 1, p + 1)
        hessian[:, np.arange(p + 1), np.arange(p + 1)] += shrink + 1e-9
        step = np.linalg.solve(hessian, gradient[:, :, None])[:, :, 0]
        beta = beta + step
        if np.abs(step).max() < 1e-7:
            break
    return beta


def tuned_ridge(
    X: Floats, y: Floats, weights: Floats, rng: np.random.Generator, inner: int = 5
) -> Floats:
    """Ridges whose penalty has the least inner cross-validated log-loss, chosen for each fit."""
    penalties = np.geomspace(0.3, 300, 6)
    fold = stratified(y, inner, rng)
    losses = np.zeros((len(penalties), len(weights)))
    for position, penalty in enumerate(penalties):
        for part in range(inner):
            held = weights * (fold == part)
            beta = ridge(X, y, weights * (fold != part), penalty)
            eta = beta[:, :1] + beta[:, 1:] @ X.T
            losses[position] += (held * (np.logaddexp(0, eta) - y * eta)).sum(axis=1)
    return ridge(X, y, weights, penalties[losses.argmin(axis=0)])


def stratified(y: Floats, folds: int, rng: np.random.Generator) -> NDArray[np.intp]:
    """The fold of each patient, stratified by outcome."""
    fold = np.empty(len(y), dtype=np.intp)
    shift = 0
    for value in (0.0, 1.0):
        rows = rng.permutation(np.flatnonzero(y == value))
        fold[rows] = (np.arange(len(rows)) + shift) % folds
        shift = len(rows) % folds
    return fold


@dataclass(frozen=True)
class Replicate:
    """One cohort, cross-validated.

    Attributes
    ----------
    y : array, shape (n,)
    fold : array of int, shape (repeats, n)
    score : array, shape (models, repeats, n)
        Out-of-fold predictions.
    auc_at_n, brier_at_n : array, shape (models,)
        True values of the model fitted to the whole cohort.
    """

    y: Floats
    fold: NDArray[np.intp]
    score: Floats
    auc_at_n: Floats
    brier_at_n: Floats


def cross_validate(
    world: World,
    n: int,
    rng: np.random.Generator,
    *,
    folds: int = 5,
    repeats: int = 10,
    tuned: bool = False,
    blocks: Sequence[Sequence[int]] = (),
    penalty: float = 10.0,
) -> Replicate:
    """Draw a cohort and cross-validate a ridge on each block of analytes (default: on all)."""
    X, y = world.draw(n, rng)
    fold = np.array([stratified(y, folds, rng) for _ in range(repeats)])
    train = np.concatenate([fold != part for part in range(folds)]).astype(float)
    everyone = np.vstack([train, np.ones(n)])
    scores, truths, briers = [], [], []
    for block in blocks or [range(X.shape[1])]:
        some = X[:, list(block)]
        beta = tuned_ridge(some, y, everyone, rng) if tuned else ridge(some, y, everyone, penalty)
        eta = (beta[:-1, :1] + beta[:-1, 1:] @ some.T).reshape(folds, repeats, n)
        scores.append(np.take_along_axis(eta, fold[None], axis=0)[0])
        full = np.zeros(X.shape[1])
        full[list(block)] = beta[-1, 1:]
        truths.append(world.true_auc(full))
        briers.append(world.true_brier(float(beta[-1, 0]), full))
    return Replicate(y, fold, np.array(scores), np.array(truths), np.array(briers))


def refit_bootstrap(
    world: World, n: int, rng: np.random.Generator, *, resamples: int = 100, penalty: float = 10.0
) -> tuple[Floats, float]:
    """Out-of-bag AUCs of ridges fitted to resampled cohorts, and the true AUC of the full fit."""
    X, y = world.draw(n, rng)
    weights = rng.multinomial(n, np.full(n, 1 / n), size=resamples).astype(float)
    beta = ridge(X, y, np.vstack([weights, np.ones(n)]), penalty)
    eta = beta[:-1, :1] + beta[:-1, 1:] @ X.T
    found = []
    for row, score in zip(weights, eta, strict=True):
        out = row == 0
        if len(np.unique(y[out])) == 2:
            found.append(auc(y[out], score[out]))
    return np.array(found), float(world.true_auc(beta[-1, 1:]))


def auc(y: Floats, score: Floats) -> float:
    """AUC of one test part without ties."""
    ranks = np.empty(len(y))
    ranks[np.argsort(score)] = np.arange(1, len(y) + 1)
    positives = y.sum()
    return float(
        (ranks[y == 1].sum() - positives * (positives + 1) / 2) / (positives * (len(y) - positives))
    )


def fold_aucs(replicate: Replicate, model: int = 0) -> Floats:
    """One AUC for each fold of each repeat, shape (repeats, folds)."""
    found = [
        [auc(replicate.y[row == part], score[row == part]) for part in range(int(row.max()) + 1)]
        for row, score in zip(replicate.fold, replicate.score[model], strict=True)
    ]
    return np.array(found)


def fold_briers(replicate: Replicate, model: int = 0) -> Floats:
    """One Brier score for each fold of each repeat, shape (repeats, folds)."""
    loss = (1 / (1 + np.exp(-replicate.score[model])) - replicate.y) ** 2
    found = [
        [losses[row == part].mean() for part in range(int(row.max()) + 1)]
        for row, losses in zip(replicate.fold, loss, strict=True)
    ]
    return np.array(found)


WEAK = World("20 analytes, five of them weak", [0.25] * 5 + [0.0] * 15)
STRONG = World("20 analytes, five of them strong", [0.6] * 5 + [0.0] * 15, correlation=0.2)
NOTHING = World("20 analytes, no signal", [0.0] * 20)
RARE = World("20 analytes, one outcome in four", [0.3] * 5 + [0.0] * 15, intercept=-1.3)
WORLDS = (WEAK, STRONG, NOTHING, RARE)
