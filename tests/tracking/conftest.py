"""A small run store written directly, and an MLflow database created once."""

from __future__ import annotations

import shutil
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cytobench.core.result import FoldResult, Predictions, Trial
from cytobench.run.store import RunStore

SUITE, ENTRY = "quickstart", "toy-response"


def _about(model: str, kind: str, folds: int, **changes: Any) -> dict[str, Any]:
    regression = kind == "regression"
    about = {
        "folds": folds,
        "model": {
            "name": model, "summary": "Ridge logistic regression", "role": "model",
            "version": "1", "licence": "BSD-3-Clause", "citation": "10.1000/toy_ridge",
            "inputs": ["analytes", "clinical"], "source": "5" * 64,
        },
        "dataset": {
            "name": "toy", "summary": "Toy cohort", "kind": "simulated", "population": "",
            "outcome": "", "treatment": "", "version": "1", "licence": "", "citation": "",
            "origin": "/home/someone/toy.py", "caveat": "", "fingerprint": "f" * 64,
            "patients": 40, "analytes": 4, "notes": [],
        },
        "task": {
            "name": "percent_change" if regression else "response", "kind": kind,
            "meaning": "half the score",
        },
        "n": 40,
        "events": None if regression else 20,
        "outcome_mean": -40.0 if regression else 0.5,
        "protocol": {
            "name": "repeated_stratified", "folds": 2, "repeats": 2, "inner_folds": 2,
            "claim": "new patients",
        },
        "plan": "a" * 64, "permutation": 0,
        "test_labels": [""] * folds,
        "notes": [],
        "config": {
            "model": {
                "name": model, "C": 1.0, "kernel": "rbf", "tol": 0.01,
                "space": {
                    "C": {"type": "float", "low": 0.1, "high": 10, "log": True},
                    "kernel": {"type": "choice", "options": ["rbf", "linear"]},
                },
            },
            "preprocess": {"name": "standard", "censored": "llod_sqrt2", "missing": "median"},
            "tuning": {"sampler": "tpe", "trials": 2, "seconds": None, "metric": "log_loss"},
            "seed": 0,
            "device": "auto",
        },
        "versions": {"cytobench": "0"},
        "git_commit": "abc123",
        "command": f"cytobench run model={model}",
    }  # fmt: skip
    return {**about, **changes}


def _fold(kind: str, fold: int) -> FoldResult:
    draw = np.random.default_rng(fold)
    half = np.arange(20) + 20 * (fold % 2)
    y = (half % 2).astype(float) if kind == "classification" else -half.astype(float)
    noise = draw.normal(size=20)
    p = 1 / (1 + np.exp(-(2 * y - 1 + noise))) if kind == "classification" else y + 5 * noise
    return FoldResult(
        fold=fold,
        repeat=fold // 2,
        n_train=20,
        predictions=Predictions(
            [f"pseudonym-{i}" for i in half], y.tolist(), p.tolist(),
            ["A"] * 20, ["north"] * 20, [float("nan")] * 20,
        ),
        params={"C": 1.0 + fold, "kernel": "rbf" if fold else "linear", "tol": 0.01},
        trials=[
            Trial(0, {"C": 1.0, "kernel": "rbf"}, 0.5, 0.1),
            Trial(1, {"C": 2.0, "kernel": "rbf"}, None, 0.1, "ValueError: patient-7 is odd"),
        ],
        threshold=0.5 if kind == "classification" else None,
        train_mean=0.5,
        timings={"tune": 0.2, "fit": 0.05, "predict": 0.01},
    )  # fmt: skip


WriteCell = Callable[..., str]


@pytest.fixture
def store(working_directory: Path) -> RunStore:
    """An empty run store."""
    return RunStore(working_directory / "runs")


@pytest.fixture
def write_cell(store: RunStore) -> WriteCell:
    """``write_cell("toy_ridge", "k1")`` stores a cell of four folds and returns its key."""

    def write(
        model: str,
        key: str,
        *,
        kind: str = "classification",
        folds: int = 4,
        done: int = 4,
        slot: str = "",
        suite: str = SUITE,
        **changes: Any,
    ) -> str:
        about = _about(model, kind, folds, **changes)
        store.open_cell(key, about, suite, ENTRY, slot or key)
        for fold in range(done):
            store.write_fold(key, _fold(kind, fold))
        return key

    return write


@pytest.fixture(scope="session")
def empty_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An MLflow database without runs; MLflow takes seconds to make one."""
    from cytobench.tracking.client import create_database

    path = tmp_path_factory.mktemp("mlflow") / "empty.db"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of MLflow's libraries, about each other
        create_database(f"sqlite:///{path}")
    return path


@pytest.fixture
def config(working_directory: Path, empty_database: Path) -> dict[str, str]:
    """The ``tracking`` node, with a database ready in the working directory."""
    shutil.copy(empty_database, working_directory / "mlflow.db")
    return {"name": "mlflow", "uri": "sqlite:///mlflow.db", "artifacts": "mlartifacts"}
