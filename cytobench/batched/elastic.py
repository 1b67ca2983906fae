"""Elastic net and lasso, logistic and linear: scikit-learn's objectives for many problems at once.

Proximal Newton steps (Lee, Sun & Saunders 2014, doi:10.1137/130921428), each to the minimum of a
quadratic model.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import numpy as np
from scipy.special import expit

from cytobench.batched.damped import damped
from cytobench.batched.problem import Floats, Problem
from cytobench.batched.quadratic import quadratic
from cytobench.batched.stacks import alike, two_classes

WIDEST = 300
"""Features beyond which a matrix of their products costs more than what is shared saves."""
MOST_FLOATS = 2**20
"""In a stack of features: 8 megabytes. Larger ones outgrow the cache, smaller ones call more."""
MOST_STEPS = 100
ENOUGH = 1e-9
"""Of the objective, that a step promises, or a sweep brings: what is left is rounding."""
EXACTLY = 1e-13
"""The same of a linear model, whose objective is at most 0.5 and may come close to 0."""


def elastic_net(problems: Sequence[Problem], *, kind: str, device: str) -> list[Floats]:
    """Predictions of an elastic net with the parameters ``C`` and ``l1_ratio``, fitted to the end.

    ``LogisticRegression(C, l1_ratio)``; or ``ElasticNet(0.01 / C, l1_ratio)`` on the standardised
    outcome. The intercept is not penalised.

    Raises
    ------
    ValueError
        Where a training part has one class only.
    NotImplementedError
        For more than `WIDEST` features.
    """
    del device
    return _solved(problems, kind, [float(one.params["l1_ratio"]) for one in problems])


def lasso(problems: Sequence[Problem], *, kind: str, device: str) -> list[Floats]:
    """The same with ``C`` alone and no quadratic penalty."""
    del device
    return _solved(problems, kind, [1.0] * len(problems))


def _solved(problems: Sequence[Problem], kind: str, ratios: Sequence[float]) -> list[Floats]:
    if any(problem.X.shape[1] > WIDEST for problem in problems):
        raise NotImplementedError(f"more than {WIDEST} features")
    found: list[Floats] = [np.empty(0)] * len(problems)
    groups = alike(
        problems,
        lambda one: one.X.shape,
        lambda one: max(one.X.size, one.X.shape[1] ** 2),
        MOST_FLOATS,
    )
    fit = _linear if kind == "regression" else _logistic
    for group in groups:
        some = [problems[position] for position in group]
        ratio = np.array([ratios[position] for position in group])
        for position, prediction in zip(group, fit(some, ratio), strict=True):
            found[position] = prediction
    return found


def _linear(problems: Sequence[Problem], ratio: Floats) -> list[Floats]:
    kept = [_products(problem) for problem in problems]
    H = np.stack([products for products, *_ in kept])
    toward = np.stack([along for _, along, *_ in kept])
    alpha = np.array([0.01 / float(problem.params["C"]) for problem in problems])
    H[:, np.arange(H.shape[1]), np.arange(H.shape[1])] += (alpha * (1 - ratio))[:, None]
    weights = np.zeros_like(toward)
    l1 = np.broadcast_to((alpha * ratio)[:, None], weights.shape)
    weights = quadratic(H, -toward, weights, l1, np.full(len(H), EXACTLY))
    return [
        (new @ w) * spread + mean
        for w, (_, _, new, mean, spread) in zip(weights, kept, strict=True)
    ]


def _products(problem: Problem) -> tuple[Floats, Floats, Floats, float, float]:
    """What all settings share: products of centred features, with the standardised outcome too."""
    if "products" not in problem.kept:
        n = len(problem.y)
        mean, spread = float(problem.y.mean()), float(problem.y.std()) or 1.0
        center = problem.X.mean(axis=0)
        X = problem.X - center
        problem.kept["products"] = (
            X.T @ X / n, X.T @ ((problem.y - mean) / spread) / n, problem.X_new - center, mean,
            spread,
        )  # fmt: skip
    found: tuple[Floats, Floats, Floats, float, float] = problem.kept["products"]
    return found


def _logistic(problems: Sequence[Problem], ratio: Floats) -> list[Floats]:
    for problem in problems:
        two_classes(problem)
    A = np.stack([np.column_stack([one.X, np.ones(len(one.y))]) for one in problems])
    y = np.stack([one.y for one in problems])
    C = np.array([float(one.params["C"]) for one in problems])
    weights = proximal_newton(A, y, C, ratio)
    return [expit(one.X_new @ w[:-1] + w[-1]) for one, w in zip(problems, weights, strict=True)]


def proximal_newton(A: Floats, y: Floats, C: Floats, ratio: Floats) -> Floats:
    """Weights that minimise ``C * sum log(1 + exp(-s z)) + r |w|_1 + (1 - r) |w|^2 / 2``.

    Parameters
    ----------
    A : array, shape (k, n, d)
        Features; the last column is that of the intercept, which is not penalised.
    y : array of 0 and 1, shape (k, n)
    C, ratio : array, shape (k,)

    Returns
    -------
    array, shape (k, d)
    """
    k, _, d = A.shape
    penalised = np.ones(d)
    penalised[-1] = 0
    l1, l2 = ratio[:, None] * penalised, (1 - ratio)[:, None] * penalised
    weights = np.zeros((k, d))
    share = y.mean(axis=1)
    weights[:, -1] = np.log(share / (1 - share))
    live, w, sign = np.arange(k), weights.copy(), np.where(y > 0, 1.0, -1.0)
    z = (A @ w[..., None])[..., 0]
    loss = _objective(z, w, sign, C, l1, l2)
    for _ in range(MOST_STEPS):
        p = expit(z)
        gradient = C[:, None] * ((p - y)[:, None, :] @ A)[:, 0] + l2 * w
        curvature = C[:, None] * p * (1 - p)
        hessian = A.transpose(0, 2, 1) @ (curvature[..., None] * A)
        hessian[:, np.arange(d), np.arange(d)] += l2 + 1e-10
        step = quadratic(hessian, gradient, w, l1, ENOUGH * loss) - w
        promised = -(gradient * step + l1 * (np.abs(w + step) - np.abs(w))).sum(axis=1)
        along = (A @ step[..., None])[..., 0]
        objective = partial(_objective, sign=sign, C=C, l1=l1, l2=l2)
        z, w, loss = damped(objective, z, w, along, step, loss, promised, ENOUGH)
        weights[live] = w
        going = promised > ENOUGH * np.abs(loss)
        if not going.any():
            break
        if not going.all():
            A, y, C, w, z, sign, loss, l1, l2, live = (
                part[going] for part in (A, y, C, w, z, sign, loss, l1, l2, live)
            )
    return weights


def _objective(z: Floats, w: Floats, sign: Floats, C: Floats, l1: Floats, l2: Floats) -> Floats:
    data = np.logaddexp(0, -sign * z).sum(axis=1)
    found: Floats = C * data + (l1 * np.abs(w) + 0.5 * l2 * w * w).sum(axis=1)
    return found
