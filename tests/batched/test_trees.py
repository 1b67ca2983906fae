"""Ensembles that grow once for all sizes: scikit-learn's own answers, to the last bit."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.ensemble import (
    ExtraTreesClassifier,
    ExtraTreesRegressor,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)

from cytobench.batched import trees
from cytobench.batched.problem import Problem

FOREST = {"max_features": "sqrt", "min_samples_leaf": 3}
BOOSTING = {
    "learning_rate": 0.1,
    "max_leaf_nodes": 4,
    "min_samples_leaf": 5,
    "l2_regularization": 1.0,
}
CASES = [
    (trees.random_forest, RandomForestClassifier, "n_estimators", FOREST),
    (trees.random_forest, RandomForestRegressor, "n_estimators", FOREST),
    (trees.extra_trees, ExtraTreesClassifier, "n_estimators", FOREST),
    (trees.extra_trees, ExtraTreesRegressor, "n_estimators", FOREST),
    (trees.hist_gradient_boosting, HistGradientBoostingClassifier, "max_iter", BOOSTING),
    (trees.hist_gradient_boosting, HistGradientBoostingRegressor, "max_iter", BOOSTING),
]
ALL = pytest.mark.parametrize(("solve", "plain", "size", "structure"), CASES)


def problem(params, *, n=60, seed=0, kind="classification"):
    draw = np.random.default_rng(seed)
    X, new = draw.normal(size=(n, 5)), draw.normal(size=(12, 5))
    z = X[:, 0] + draw.normal(size=n)
    y = 10 * z if kind == "regression" else (z > 0) * 1.0
    return Problem(X, y, new, params, 7)


def kind_of(plain):
    return "regression" if plain.__name__.endswith("Regressor") else "classification"


def alone(plain, asked):
    fixed = {"early_stopping": False} if "Hist" in plain.__name__ else {}
    estimator = plain(**asked.params, **fixed, random_state=asked.random_state)
    if kind_of(plain) == "regression":
        return estimator.fit(asked.X, asked.y).predict(asked.X_new)
    return estimator.fit(asked.X, asked.y.astype(int)).predict_proba(asked.X_new)[:, 1]


@pytest.fixture
def fits(monkeypatch):
    """Counts how often an ensemble grows."""
    counted = []
    for made in {case[1] for case in CASES}:

        def fit(self, X, y, _fit=made.fit, **more):
            counted.append(type(self).__name__)
            return _fit(self, X, y, **more)

        monkeypatch.setattr(made, "fit", fit)
    return counted


@ALL
def test_every_size_is_answered_as_an_ensemble_of_that_size_would(solve, plain, size, structure):
    kind = kind_of(plain)
    first = problem({**structure, size: 4}, kind=kind)
    asked = [
        Problem(first.X, first.y, first.X_new, {**structure, size: count}, 7, first.kept)
        for count in (4, 1, 15, 9)
    ]

    found = solve(asked, kind=kind, device="cpu")

    for one, answer in zip(asked, found, strict=True):
        assert answer.tobytes() == alone(plain, one).tobytes()


@ALL
def test_it_grows_once_for_all_sizes_and_trials(solve, plain, size, structure, fits):
    kind = kind_of(plain)
    first = problem({**structure, size: 10}, kind=kind)
    smaller = Problem(first.X, first.y, first.X_new, {**structure, size: 3}, 7, first.kept)

    solve([smaller, first], kind=kind, device="cpu")
    solve([smaller], kind=kind, device="cpu")
    solve([first], kind=kind, device="cpu")

    assert len(fits) == 1


@ALL
def test_a_larger_one_at_a_later_trial_grows_anew(solve, plain, size, structure):
    kind = kind_of(plain)
    small = problem({**structure, size: 3}, kind=kind)
    large = Problem(small.X, small.y, small.X_new, {**structure, size: 8}, 7, small.kept)

    solve([small], kind=kind, device="cpu")
    (found,) = solve([large], kind=kind, device="cpu")

    assert found.tobytes() == alone(plain, large).tobytes()


@settings(max_examples=15)
@given(
    order=st.permutations(range(6)),
    seeds=st.lists(st.integers(0, 3), min_size=6, max_size=6),
)
def test_an_answer_does_not_depend_on_the_company(order, seeds):
    sizes, leaves = (2, 5, 9, 2, 5, 9), (3, 3, 3, 6, 6, 6)

    def made():
        parts = {seed: problem({}, seed=seed) for seed in set(seeds)}
        return [
            Problem(
                parts[seed].X,
                parts[seed].y,
                parts[seed].X_new,
                {"max_features": "sqrt", "min_samples_leaf": leaf, "n_estimators": count},
                7,
                parts[seed].kept,
            )
            for seed, count, leaf in zip(seeds, sizes, leaves, strict=True)
        ]

    straight = trees.random_forest(made(), kind="classification", device="cpu")
    asked = made()
    shuffled = trees.random_forest([asked[k] for k in order], kind="classification", device="cpu")

    for position, answer in zip(order, shuffled, strict=True):
        assert answer.tobytes() == straight[position].tobytes()


def test_what_is_kept_stays_bounded(monkeypatch):
    monkeypatch.setattr(trees, "STRUCTURES", 2)
    first = problem({**FOREST, "n_estimators": 2})

    for leaf in (3, 4, 5, 6):
        params = {**FOREST, "min_samples_leaf": leaf, "n_estimators": 2}
        one = Problem(first.X, first.y, first.X_new, params, 7, first.kept)
        trees.random_forest([one], kind="classification", device="cpu")

    assert len(first.kept["grown"]) == 2


def test_many_predictions_are_not_kept(monkeypatch):
    monkeypatch.setattr(trees, "KEPT", 10)
    asked = problem({**FOREST, "n_estimators": 2})

    trees.random_forest([asked], kind="classification", device="cpu")

    assert not asked.kept["grown"]


@pytest.mark.parametrize(("solve", "plain", "size", "structure"), CASES[::2])
def test_a_training_part_of_one_class_is_refused(solve, plain, size, structure):
    asked = problem({**structure, size: 2})
    asked.y[:] = 1

    with pytest.raises(ValueError, match="two classes"):
        solve([asked], kind="classification", device="cpu")
