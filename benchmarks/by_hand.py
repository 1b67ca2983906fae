"""What cytobench fitted, fitted again by hand: as cheaply as can be, and as people write it.

Both read FOLDER/plan.json, which ``ours.record`` wrote.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
from workload import make_cohort, make_model, make_pipe, rank_auc, score


def prepare(X: Any, other: Any) -> tuple[Any, Any]:
    """Logarithm, median, mean 0 and standard deviation 1, fitted on `X`."""
    a, b = np.log1p(X), np.log1p(other)
    middle = np.nanmedian(a, axis=0)
    a, b = np.where(np.isnan(a), middle, a), np.where(np.isnan(b), middle, b)
    center, spread = a.mean(0), a.std(0)
    spread[spread == 0] = 1
    return (a - center) / spread, (b - center) / spread


def floor(workload: str, folder: Path) -> dict[str, float]:
    """The least that gives the same answer: one preprocessing a split, rank AUC, nothing kept."""
    found: dict[str, list[float]] = {}
    for problem in _problems(workload, folder):
        X, y, _ = make_cohort(**problem["cohort"])
        for number, fold in enumerate(problem["folds"]):
            train, test = fold["train"], fold["test"]
            inner = [(*prepare(X[a], X[b]), y[a], y[b]) for a, b in fold["inner"]]
            known, new = prepare(X[train], X[test])
            for cell in problem["cells"]:
                done = cell["folds"][number]
                for params in done["trials"]:
                    for A, B, y_a, y_b in inner:
                        rank_auc(y_b, score(make_model(cell["model"], **params).fit(A, y_a), B))
                best = make_model(cell["model"], **done["params"]).fit(known, y[train])
                found.setdefault(cell["model"], []).append(rank_auc(y[test], score(best, new)))
    return {model: float(np.mean(values)) for model, values in found.items()}


def hand_loop(workload: str, folder: Path) -> dict[str, float]:
    """A careful script: a new pipeline for every fit, scikit-learn's AUC."""
    from sklearn.metrics import roc_auc_score

    found: dict[str, list[float]] = {}
    for problem in _problems(workload, folder):
        X, y, _ = make_cohort(**problem["cohort"])
        for cell in problem["cells"]:
            for fold, done in zip(problem["folds"], cell["folds"], strict=True):
                train, test = fold["train"], fold["test"]
                for params in done["trials"]:
                    for a, b in fold["inner"]:
                        pipe = make_pipe(cell["model"], **params).fit(X[a], y[a])
                        roc_auc_score(y[b], score(pipe, X[b]))
                best = make_pipe(cell["model"], **done["params"]).fit(X[train], y[train])
                auc = roc_auc_score(y[test], score(best, X[test]))
                found.setdefault(cell["model"], []).append(float(auc))
    return {model: float(np.mean(values)) for model, values in found.items()}


def _problems(workload: str, folder: Path) -> list[dict[str, Any]]:
    plan = json.loads((folder / "plan.json").read_text(encoding="utf-8"))
    return plan[workload]  # type: ignore[no-any-return]
