"""The common workloads: one cohort, five models, the same search spaces for everybody.

W0        logistic regression, 5 folds, no search: nothing but overhead
W1        five models, 5 x 2 outer folds, 3 inner, 20 settings each, refit, scored by AUC
W1-light  its logistic regression and support vector machine, where the fits are small
W1-mid    its network and its boosting, where they are not
W2        10 cohorts x 10 logistic regressions x 10 folds: a hundred cells of tiny fits
tiny      one small cohort, 2 folds, 2 settings: what every process does before its clock starts

Needs numpy and scikit-learn only, so that peers can import it in environments of their own; torch
for the network. Sizes and spaces are those of the project's performance notes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

SEED = 20240
FOLDS, REPEATS, INNER, TRIALS = 5, 2, 3, 20
COHORTS = 10
STRENGTHS = [round(float(value), 6) for value in np.logspace(-3, 2, 10)]
MODELS = {
    "W0": ("lr",),
    "W1": ("lr", "svm", "mlp", "hgb", "rf"),
    "W1-light": ("lr", "svm"),
    "W1-mid": ("mlp", "hgb"),
    "W2": ("lr",),
    "tiny": ("lr",),
}
SPACE: dict[str, dict[str, tuple[Any, ...]]] = {
    "lr": {"C": ("log", 1e-3, 1e2)},
    "svm": {"C": ("log", 1e-2, 1e2), "gamma": ("log", 1e-4, 1e0)},
    "rf": {"max_features": ("choice", ["sqrt", 0.33]), "min_samples_leaf": ("int", 1, 8)},
    "hgb": {
        "l2_regularization": ("log", 1e-3, 1e1),
        "learning_rate": ("log", 1e-2, 3e-1),
        "max_leaf_nodes": ("int", 4, 24),
    },
    "mlp": {"lr": ("log", 1e-3, 3e-2), "weight_decay": ("log", 1e-5, 1e-1)},
}


@dataclass(frozen=True)
class Shape:
    """How often a workload splits and searches, and on which cohorts."""

    folds: int
    repeats: int
    trials: int
    cohorts: Sequence[Mapping[str, int]]
    strengths: Sequence[float | None] = (None,)


USUAL = {"n": 300, "analytes": 27, "seed": SEED}
GRID = [{"n": 100 + 20 * k, "analytes": 12 + 2 * k, "seed": SEED + k} for k in range(COHORTS)]


def shape_of(workload: str) -> Shape:
    """The shape of a workload; 0 trials: no search."""
    if workload == "tiny":
        return Shape(2, 1, 2, [{"n": 80, "analytes": 12, "seed": 1}])
    if workload == "W0":
        return Shape(FOLDS, 1, 0, [USUAL])
    if workload == "W2":
        return Shape(FOLDS, REPEATS, 0, GRID, STRENGTHS)
    return Shape(FOLDS, REPEATS, TRIALS, [USUAL])


def make_cohort(n: int = 300, analytes: int = 27, seed: int = SEED) -> tuple[Any, Any, list[str]]:
    """Log-normal analytes in correlated blocks, age, sex, BMI, treatment, and a binary response.

    Returns
    -------
    X : array, shape (n, analytes + 4)
        8 % of the analytes are missing.
    y : array of int, shape (n,)
    names : list of str
    """
    rng = np.random.default_rng(seed)
    factors = rng.normal(size=(n, 4))
    loading = rng.normal(scale=0.6, size=(4, analytes))
    z = factors @ loading + rng.normal(scale=0.8, size=(n, analytes))
    levels = np.exp(z + rng.normal(1.5, 0.7, size=analytes))
    age = rng.normal(42, 12, n).clip(18, 80)
    sex = rng.integers(0, 2, n).astype(float)
    bmi = rng.normal(27, 5, n).clip(16, 50)
    treatment = rng.integers(0, 2, n).astype(float)
    logit = 0.55 * z[:, 0] - 0.5 * z[:, 3] + 0.4 * z[:, 7] * (2 * treatment - 1)
    logit += -0.03 * (bmi - 27) + 0.25 * (z[:, 11] ** 2 - 1) - 0.2
    y = (rng.random(n) < 1 / (1 + np.exp(-logit))).astype(int)
    levels[rng.random(levels.shape) < 0.08] = np.nan
    names = [f"analyte{number:02d}" for number in range(analytes)]
    X = np.column_stack([levels, age, sex, bmi, treatment])
    return X, y, [*names, "age", "sex", "bmi", "treatment"]


def make_model(name: str, **params: Any) -> Any:
    """An unfitted estimator."""
    if name == "lr":
        from sklearn.linear_model import LogisticRegression

        return LogisticRegression(max_iter=1000, **params)
    if name == "svm":
        from estimators import ScoredSVC

        return ScoredSVC(**params)
    if name == "rf":
        from sklearn.ensemble import RandomForestClassifier

        return RandomForestClassifier(n_estimators=300, random_state=0, n_jobs=1, **params)
    if name == "hgb":
        from sklearn.ensemble import HistGradientBoostingClassifier

        return HistGradientBoostingClassifier(
            max_iter=100, early_stopping=False, random_state=0, **params
        )
    from estimators import network

    return network()(**params)


def data_of(workload: str) -> Iterator[tuple[int, Any, Any]]:
    """Number, features and outcome of each cohort of a workload."""
    for number, size in enumerate(shape_of(workload).cohorts):
        X, y, _ = make_cohort(**size)
        yield number, X, y


def fixed(strength: float | None) -> dict[str, Any]:
    """Parameters that a workload sets, in place of searching for them."""
    return {} if strength is None else {"C": strength}


def steps() -> list[tuple[str, Any]]:
    """Preprocessing, as scikit-learn writes it."""
    from sklearn.impute import SimpleImputer
    from sklearn.preprocessing import FunctionTransformer, StandardScaler

    return [
        ("log", FunctionTransformer(np.log1p)),
        ("impute", SimpleImputer(strategy="median")),
        ("scale", StandardScaler()),
    ]


def make_pipe(name: str, **params: Any) -> Any:
    """Preprocessing and a model in one pipeline."""
    from sklearn.pipeline import Pipeline

    return Pipeline([*steps(), ("clf", make_model(name, **params))])


def outer_folds(workload: str) -> Any:
    """The outer splitter that peers are given."""
    from sklearn.model_selection import RepeatedStratifiedKFold

    shape = shape_of(workload)
    return RepeatedStratifiedKFold(n_splits=shape.folds, n_repeats=shape.repeats, random_state=SEED)


def inner_folds() -> Any:
    """The inner splitter that peers are given."""
    from sklearn.model_selection import StratifiedKFold

    return StratifiedKFold(n_splits=INNER, shuffle=True, random_state=SEED)


def scipy_space(name: str, prefix: str = "clf__") -> dict[str, Any]:
    """The search space for scikit-learn and julearn."""
    from scipy.stats import loguniform, randint

    def draw(kind: str, *ends: Any) -> Any:
        if kind == "log":
            return loguniform(*ends)
        return randint(ends[0], ends[1] + 1) if kind == "int" else ends[0]

    return {prefix + key: draw(*spec) for key, spec in SPACE[name].items()}


def suggest(trial: Any, name: str) -> dict[str, Any]:
    """One setting from an Optuna trial."""
    chosen = {}
    for key, (kind, *ends) in SPACE[name].items():
        if kind == "log":
            chosen[key] = trial.suggest_float(key, *ends, log=True)
        elif kind == "int":
            chosen[key] = trial.suggest_int(key, *ends)
        else:
            chosen[key] = trial.suggest_categorical(key, ends[0])
    return chosen


def score(model: Any, X: Any) -> Any:
    """What a model ranks patients by."""
    if hasattr(model, "decision_function"):
        return model.decision_function(X)
    return model.predict_proba(X)[:, 1]


def rank_auc(y: Any, values: Any) -> float:
    """Area under the ROC curve from ranks, ties counted half."""
    order = np.argsort(values, kind="stable")
    ordered = values[order]
    edges = np.flatnonzero(np.r_[True, ordered[1:] != ordered[:-1], True])
    ranks = np.repeat((edges[:-1] + edges[1:] - 1) / 2 + 1, np.diff(edges))
    positive = y[order] == 1
    n = positive.sum()
    return float((ranks[positive].sum() - n * (n + 1) / 2) / (n * (len(y) - n)))
