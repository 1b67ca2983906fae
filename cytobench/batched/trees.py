"""Ensembles of trees that grow once for all the sizes, and repeats, of one structure."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, MutableMapping, Sequence
from typing import Any

import numpy as np

from cytobench.batched.problem import Floats, Problem
from cytobench.batched.stacks import two_classes

STRUCTURES = 64
"""Ensembles of one split that are kept for its next trials; the oldest give way."""
KEPT = 2**16
"""Numbers of an ensemble's predictions that are kept: half a megabyte."""

Grow = Callable[[Problem, Mapping[str, Any], str], Floats]
"""Grows an ensemble; what its first 1, 2, ... trees predict, shape (trees, m)."""


def random_forest(problems: Sequence[Problem], *, kind: str, device: str) -> list[Floats]:
    """What a random forest with ``n_estimators`` and other parameters predicts.

    scikit-learn draws the seeds of a forest's trees one after the other, so that the first trees
    of a larger forest are the smaller one, to the last bit.

    Raises
    ------
    ValueError
        For a training part with one class.
    """
    from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor

    del device
    made = RandomForestRegressor if kind == "regression" else RandomForestClassifier
    return _by_prefix(problems, "n_estimators", kind, _forest(made))


def extra_trees(problems: Sequence[Problem], *, kind: str, device: str) -> list[Floats]:
    """What extremely randomised trees predict; as :func:`random_forest`."""
    from sklearn.ensemble import ExtraTreesClassifier, ExtraTreesRegressor

    del device
    made = ExtraTreesRegressor if kind == "regression" else ExtraTreesClassifier
    return _by_prefix(problems, "n_estimators", kind, _forest(made))


def hist_gradient_boosting(problems: Sequence[Problem], *, kind: str, device: str) -> list[Floats]:
    """What boosting on histograms predicts after ``max_iter`` iterations, without early stopping.

    Raises
    ------
    ValueError
        For a training part with one class.
    """
    del device
    return _by_prefix(problems, "max_iter", kind, _boosting)


def _by_prefix(problems: Sequence[Problem], size: str, kind: str, grow: Grow) -> list[Floats]:
    """Each structure of each split grown to the largest size that is asked of it, once."""
    wanted: dict[Hashable, int] = {}
    for problem in problems:
        key = (id(problem.kept), _structure(problem, size))
        wanted[key] = max(wanted.get(key, 0), int(problem.params[size]))
    grown: dict[Hashable, Floats] = {}
    answers: list[Floats] = []
    for problem in problems:
        structure = _structure(problem, size)
        key = (id(problem.kept), structure)
        if key not in grown:
            grown[key] = _recalled(problem, structure, size, wanted[key], kind, grow)
        answers.append(grown[key][int(problem.params[size]) - 1].copy())
    return answers


def _structure(problem: Problem, size: str) -> str:
    """Everything that an ensemble depends on beside its size."""
    return repr(sorted((name, value) for name, value in problem.params.items() if name != size))


def _recalled(
    problem: Problem, structure: str, size: str, most: int, kind: str, grow: Grow
) -> Floats:
    """Predictions by size from an earlier trial, or grown now and kept where they are few."""
    known: MutableMapping[str, Floats] = problem.kept.setdefault("grown", {})
    if structure in known and len(known[structure]) >= most:
        return known[structure]
    if kind != "regression":
        two_classes(problem)
    found = grow(problem, {**problem.params, size: most}, kind)
    if found.size <= KEPT:
        known.pop(structure, None)
        known[structure] = found
        while len(known) > STRUCTURES:
            del known[next(iter(known))]
    return found


def _forest(made: Any) -> Grow:
    def grow(problem: Problem, params: Mapping[str, Any], kind: str) -> Floats:
        forest = made(**params, random_state=problem.random_state, n_jobs=1)
        forest.fit(problem.X, _outcome(problem, kind))
        new = problem.X_new.astype(np.float32)
        if kind == "regression":
            each = np.stack([tree.predict(new) for tree in forest.estimators_])
        else:
            each = np.stack([tree.predict_proba(new)[:, 1] for tree in forest.estimators_])
        # One tree added after the other and divided at the end, as the forest does it.
        return np.asarray(each.cumsum(axis=0) / np.arange(1, len(each) + 1)[:, None])

    return grow


def _boosting(problem: Problem, params: Mapping[str, Any], kind: str) -> Floats:
    from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

    settings = {**params, "early_stopping": False, "random_state": problem.random_state}
    y = _outcome(problem, kind)
    if kind == "regression":
        numbers = HistGradientBoostingRegressor(**settings).fit(problem.X, y)
        return np.stack(list(numbers.staged_predict(problem.X_new)))
    classes = HistGradientBoostingClassifier(**settings).fit(problem.X, y)
    return np.stack([after[:, 1] for after in classes.staged_predict_proba(problem.X_new)])


def _outcome(problem: Problem, kind: str) -> Any:
    return problem.y if kind == "regression" else problem.y.astype(np.intp)
