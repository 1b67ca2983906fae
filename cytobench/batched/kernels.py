"""Support vector machines on kernels made from distances that all settings share."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from scipy.special import expit

from cytobench.batched.problem import Floats, Problem
from cytobench.batched.stacks import two_classes

PARTS = 3
"""Of the cross-validation inside the training part that Platt's scaling is fitted to."""
KEPT = 2**18
"""Distances of one split that are kept for its next trial: two megabytes."""
LARGEST = 3000
"""Training patients beyond which a whole kernel matrix takes more memory than it saves time."""
LARGE_SCORE = 30.0
"""From which on scores are divided by the largest, as scikit-learn does."""
FLAT = 0.01
"""Spread of scores below which the slope is not determined to the precision of its search."""
MOST_STEPS = 100


def svm_rbf(problems: Sequence[Problem], *, kind: str, device: str) -> list[Floats]:
    """Predictions of a Gaussian-kernel machine with the parameters ``C`` and ``gamma``.

    ``SVC`` with Platt's scaling on three-fold cross-validation inside the training part, as
    ``CalibratedClassifierCV(SVC(C, gamma), cv=3, ensemble=False)``; or ``SVR`` on the standardised
    outcome. Both are fitted by scikit-learn, on precomputed kernels.

    Raises
    ------
    ValueError
        Where a class has fewer than three training patients.
    NotImplementedError
        For more than `LARGEST` training patients.
    """
    import sklearn

    del device
    if any(len(problem.y) > LARGEST for problem in problems):
        raise NotImplementedError(f"more than {LARGEST} training patients")
    fit = _number if kind == "regression" else _probability
    found: list[Floats] = [np.empty(0)] * len(problems)
    last: tuple[Floats, Floats, Floats] | None = None
    # What a problem is given was encoded, and so is finite; its parameters come from the space.
    with sklearn.config_context(assume_finite=True, skip_parameter_validation=True):
        for position in sorted(range(len(problems)), key=lambda k: id(problems[k].X)):
            problem = problems[position]
            if last is None or last[0] is not problem.X:
                last = (problem.X, *_distances(problem))
            gamma = float(problem.params["gamma"])
            kernels = [np.exp(-gamma * distances) for distances in last[1:]]
            found[position] = fit(problem, kernels[0], kernels[1])
    return found


def _distances(problem: Problem) -> tuple[Floats, Floats]:
    """Squared distances among the training patients, and of the new ones to them."""
    if "distances" in problem.kept:
        found: tuple[Floats, Floats] = problem.kept["distances"]
        return found
    X, new = problem.X, problem.X_new
    own = (X * X).sum(axis=1)
    among = np.maximum(own[:, None] + own - 2 * X @ X.T, 0)
    between = np.maximum((new * new).sum(axis=1)[:, None] + own - 2 * new @ X.T, 0)
    if among.size + between.size <= KEPT:
        problem.kept["distances"] = (among, between)
    return among, between


def _number(problem: Problem, among: Floats, between: Floats) -> Floats:
    from sklearn.svm import SVR

    mean, spread = problem.y.mean(), problem.y.std() or 1.0
    machine = SVR(kernel=_given(among), C=float(problem.params["C"]))
    machine.fit(_rows(len(among)), (problem.y - mean) / spread)
    return np.asarray(_values(machine, between) * spread + mean)


def _probability(problem: Problem, among: Floats, between: Floats) -> Floats:
    from sklearn.svm import SVC

    two_classes(problem)
    labels = problem.y.astype(np.intp)
    if min(labels.sum(), (1 - labels).sum()) < PARTS:
        raise ValueError(f"a class has fewer than {PARTS} training patients")
    # The seed changes nothing; without one SVC draws from numpy's global state.
    state = np.random.RandomState(0)

    def machine(kernel: Floats, y: Any) -> Any:
        svc = SVC(kernel=_given(kernel), C=float(problem.params["C"]), random_state=state)
        return svc.fit(_rows(len(y)), y)

    left_out = np.empty(len(labels))
    for rows, others in _parts(problem):
        part = machine(among[np.ix_(rows, rows)], labels[rows])
        left_out[others] = _values(part, among[np.ix_(others, rows)])
    slope, intercept = platt(left_out, problem.y)
    whole = machine(among, labels)
    return np.asarray(expit(-(slope * _values(whole, between) + intercept)))


def _given(kernel: Floats) -> Callable[[Any, Any], Floats]:
    """A kernel function that answers with a matrix.

    scikit-learn validates a matrix of ``kernel="precomputed"`` for longer than it fits to it.
    """
    return lambda *_: kernel


def _rows(n: int) -> Any:
    """Something that stands for n patients, whom the kernel knows."""
    return np.arange(n)[:, None]


def _parts(problem: Problem) -> list[tuple[Any, Any]]:
    from sklearn.model_selection import StratifiedKFold

    if "parts" not in problem.kept:
        folds = StratifiedKFold(PARTS)
        problem.kept["parts"] = list(folds.split(np.zeros(len(problem.y)), problem.y))
    found: list[tuple[Any, Any]] = problem.kept["parts"]
    return found


def _values(machine: Any, kernel: Floats) -> Floats:
    """What ``decision_function`` or ``predict`` says, from a kernel with the training patients."""
    return np.asarray(kernel[:, machine.support_] @ machine.dual_coef_[0] + machine.intercept_[0])


def platt(score: Floats, y: Floats) -> tuple[float, float]:
    """Slope A and intercept B of ``P(y = 1) = 1 / (1 + exp(A score + B))``.

    Newton steps on Platt's smoothed targets (Lin, Lin & Weng 2007,
    doi:10.1007/s10994-007-5018-6). Where scores hardly differ the slope is as good as free, and
    stays where scikit-learn's search along the gradient leaves it.
    """
    positives = float(y.sum())
    negatives = len(y) - positives
    target = np.where(y > 0, (positives + 1) / (positives + 2), 1 / (negatives + 2))
    start = np.array([0.0, np.log((negatives + 1) / (positives + 1))])
    largest = float(np.abs(score).max())
    size = largest if largest >= LARGE_SCORE else 1.0
    features = np.column_stack([score / size, np.ones(len(score))])
    if features[:, 0].std() < FLAT:
        slope, intercept = _along_the_gradient(features, target, start)
    else:
        slope, intercept = _newton(features, target, start)
    return float(slope / size), float(intercept)


def _loss(weights: Floats, features: Floats, target: Floats) -> tuple[float, Floats]:
    z = features @ weights
    loss = float((target * np.logaddexp(0, z) + (1 - target) * np.logaddexp(0, -z)).sum())
    return loss, (target - expit(-z)) @ features


def _newton(features: Floats, target: Floats, weights: Floats) -> Floats:
    now, gradient = _loss(weights, features, target)
    for _ in range(MOST_STEPS):
        p = expit(-(features @ weights))
        hessian = (features * (p * (1 - p))[:, None]).T @ features
        step = np.linalg.solve(hessian + 1e-12 * np.eye(2), gradient)
        promised, length = float(gradient @ step), 1.0
        found, slope = _loss(weights - step, features, target)
        while found > now - 1e-4 * length * promised and length > 1e-10:
            length /= 2
            found, slope = _loss(weights - length * step, features, target)
        weights, now, gradient = weights - length * step, found, slope
        if promised < 1e-12 * max(now, 1.0):
            break
    return weights


def _along_the_gradient(features: Floats, target: Floats, start: Floats) -> Floats:
    """With the tolerances of ``sklearn.calibration``."""
    from scipy.optimize import minimize

    options = {"gtol": 1e-6, "ftol": 64 * np.finfo(float).eps}
    found = minimize(_loss, start, (features, target), method="L-BFGS-B", jac=True, options=options)
    return np.asarray(found.x)
