"""What people write today: a loop, Optuna inside it, and perhaps an MLflow run for each fold."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import optuna
from sklearn.metrics import roc_auc_score
from workload import (
    MODELS,
    SEED,
    data_of,
    fixed,
    inner_folds,
    make_pipe,
    outer_folds,
    score,
    shape_of,
    suggest,
)

Log = Callable[[str, dict[str, Any], float], None]


def bare(workload: str, folder: Path) -> dict[str, float]:
    """Nothing is kept."""
    del folder
    return _run(workload, None)


def mirrored(workload: str, folder: Path) -> dict[str, float]:
    """A run in MLflow (SQLite) for each outer fold: parameters and the AUC, no model, no figure."""
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    import mlflow

    for name in ("mlflow", "alembic"):
        logging.getLogger(name).setLevel(logging.ERROR)
    mlflow.set_tracking_uri(f"sqlite:///{folder / 'by_hand.db'}")
    if mlflow.get_experiment_by_name(workload) is None:
        mlflow.create_experiment(workload, artifact_location=(folder / "by_hand").as_uri())
    mlflow.set_experiment(workload)

    def log(name: str, params: dict[str, Any], auc: float) -> None:
        with mlflow.start_run(run_name=name):
            mlflow.log_params({"model": name, **params})
            mlflow.log_metric("auc", auc)

    return _run(workload, log)


def _run(workload: str, log: Log | None) -> dict[str, float]:
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    shape, found = shape_of(workload), {}
    for _, X, y in data_of(workload):
        for name in MODELS[workload]:
            for strength in shape.strengths:
                for train, test in outer_folds(workload).split(X, y):
                    params = fixed(strength)
                    if shape.trials:
                        params = _search(name, X[train], y[train], shape.trials)
                    else:
                        _inner(name, params, X[train], y[train])
                    pipe = make_pipe(name, **params).fit(X[train], y[train])
                    auc = float(roc_auc_score(y[test], score(pipe, X[test])))
                    if log is not None:
                        log(name, params, auc)
                    found.setdefault(name, []).append(auc)
    return {model: float(np.mean(values)) for model, values in found.items()}


def _search(name: str, X: Any, y: Any, trials: int) -> dict[str, Any]:
    study = optuna.create_study(
        direction="maximize", sampler=optuna.samplers.RandomSampler(seed=SEED)
    )
    study.optimize(lambda trial: _inner(name, suggest(trial, name), X, y), n_trials=trials)
    return dict(study.best_params)


def _inner(name: str, params: dict[str, Any], X: Any, y: Any) -> float:
    """Mean AUC over the inner folds; without a search they are what a threshold is chosen on."""
    found = []
    for a, b in inner_folds().split(X, y):
        pipe = make_pipe(name, **params).fit(X[a], y[a])
        found.append(roc_auc_score(y[b], score(pipe, X[b])))
    return float(np.mean(found))
