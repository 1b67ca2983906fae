"""Ridge and ridge logistic regression: scikit-learn's objectives for many problems at once."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import numpy as np
from scipy.special import expit

from cytobench.batched.damped import damped
from cytobench.batched.problem import Floats, Problem
from cytobench.batched.stacks import alike, two_classes

MOST_STEPS = 100
DECREMENT = 1e-9
"""Of the objective, that a Newton step promises: once it is smaller, that step was the last."""
JITTER = 1e-10
"""On the Hessian's diagonal: where classes are separated the intercept has no curvature."""


def ridge(problems: Sequence[Problem], *, kind: str, device: str) -> list[Floats]:
    """Predictions of ``LogisticRegression(C)`` or ``Ridge(1 / C)``, each fitted to the end.

    The parameter ``C`` is read; the intercept is free in both. Standardising the outcome changes
    nothing for ridge regression, which is linear in it.

    Raises
    ------
    ValueError
        Where a training part has one class only.
    """
    del device
    if kind == "regression":
        return [_least_squares(problem) for problem in problems]
    return _logistic(problems)


def _least_squares(problem: Problem) -> Floats:
    """Closed form through the singular values, which all `C` share (Hoerl & Kennard 1970)."""
    if "ridge" not in problem.kept:
        center = problem.X.mean(axis=0)
        U, s, Vt = np.linalg.svd(problem.X - center, full_matrices=False)
        problem.kept["ridge"] = (s, U.T @ problem.y, (problem.X_new - center) @ Vt.T)
    s, along, new = problem.kept["ridge"]
    alpha = 1 / problem.params["C"]
    prediction: Floats = new @ (along * s / (s**2 + alpha)) + problem.y.mean()
    return prediction


def _logistic(problems: Sequence[Problem]) -> list[Floats]:
    found: list[Floats] = [np.empty(0)] * len(problems)
    for problem in problems:
        two_classes(problem)
    parts = [_reduced(problem) for problem in problems]
    for group in alike(parts, lambda part: part[0].shape, lambda part: part[0].size):
        A = np.stack([parts[position][0] for position in group])
        y = np.stack([problems[position].y for position in group])
        C = np.array([float(problems[position].params["C"]) for position in group])
        for position, weights in zip(group, newton(A, y, C), strict=True):
            found[position] = expit(parts[position][1] @ weights)
    return found


def _reduced(problem: Problem) -> tuple[Floats, Floats]:
    """Training and new features with a column of ones; no more columns than patients.

    A penalised weight lies in the span of the training rows, so that with fewer patients than
    features their coordinates there do as well (Hastie & Tibshirani 2004,
    doi:10.1093/biostatistics/kxh010).
    """
    if "reduced" not in problem.kept:
        X, new = problem.X, problem.X_new
        if X.shape[1] > len(X):
            Q, R = np.linalg.qr(X.T)
            X, new = np.ascontiguousarray(R.T), new @ Q
        problem.kept["reduced"] = (_with_ones(X), _with_ones(new))
    found: tuple[Floats, Floats] = problem.kept["reduced"]
    return found


def _with_ones(X: Floats) -> Floats:
    return np.column_stack([X, np.ones(len(X))])


def newton(A: Floats, y: Floats, C: Floats) -> Floats:
    """Weights that minimise ``C * sum log(1 + exp(-s z)) + |w|^2 / 2`` with ``z = A w``.

    Damped Newton (iteratively reweighted least squares). Each problem of the stack goes its own
    way and leaves when it is done.

    Parameters
    ----------
    A : array, shape (k, n, d)
        Features; the last column is that of the intercept, which is not penalised.
    y : array of 0 and 1, shape (k, n)
    C : array, shape (k,)

    Returns
    -------
    array, shape (k, d)
    """
    k, _, d = A.shape
    penalty = np.ones(d)
    penalty[-1] = 0
    weights = np.zeros((k, d))
    share = y.mean(axis=1)
    weights[:, -1] = np.log(share / (1 - share))
    live = np.arange(k)
    w, sign = weights.copy(), np.where(y > 0, 1.0, -1.0)
    z = (A @ w[..., None])[..., 0]
    loss = _objective(z, w, sign, C, penalty)
    diagonal = np.arange(d)
    for _ in range(MOST_STEPS):
        p = expit(z)
        gradient = C[:, None] * ((p - y)[:, None, :] @ A)[:, 0] + penalty * w
        curvature = C[:, None] * p * (1 - p)
        hessian = A.transpose(0, 2, 1) @ (curvature[..., None] * A)
        hessian[:, diagonal, diagonal] += penalty + JITTER
        step = -np.linalg.solve(hessian, gradient[..., None])[..., 0]
        promised = -(gradient * step).sum(axis=1)
        along = (A @ step[..., None])[..., 0]
        objective = partial(_objective, sign=sign, C=C, penalty=penalty)
        z, w, loss = damped(objective, z, w, along, step, loss, promised, DECREMENT)
        weights[live] = w
        going = promised > DECREMENT * np.abs(loss)
        if not going.any():
            break
        if not going.all():
            A, y, C, w, z, sign, loss, live = (
                part[going] for part in (A, y, C, w, z, sign, loss, live)
            )
    return weights


def _objective(z: Floats, w: Floats, sign: Floats, C: Floats, penalty: Floats) -> Floats:
    data = np.logaddexp(0, -sign * z).sum(axis=1)
    found: Floats = C * data + 0.5 * (penalty * w * w).sum(axis=1)
    return found
