"""julearn: ``run_cross_validation`` with its own pipeline and random search; no threshold."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from julearn import PipelineCreator, run_cross_validation
from workload import (
    MODELS,
    SEED,
    data_of,
    fixed,
    inner_folds,
    make_model,
    outer_folds,
    scipy_space,
    shape_of,
    steps,
)


def run(workload: str, folder: Path) -> dict[str, float]:
    """One process."""
    del folder
    shape, found = shape_of(workload), {}
    search = None
    if shape.trials:
        search = {
            "kind": "random",
            "cv": inner_folds(),
            "scoring": "roc_auc",
            "random_state": SEED,
            "n_iter": shape.trials,
        }
    for _, X, y in data_of(workload):
        columns = [f"x{number}" for number in range(X.shape[1])]
        table = pd.DataFrame(X, columns=columns).assign(response=y)
        for name in MODELS[workload]:
            for strength in shape.strengths:
                scores = run_cross_validation(
                    X=columns,
                    y="response",
                    data=table,
                    model=_creator(name, bool(shape.trials), strength),
                    cv=outer_folds(workload),
                    scoring="roc_auc",
                    search_params=search,
                    seed=SEED,
                )["test_score"]
                found.setdefault(name, []).append(float(np.mean(scores)))
    return {model: float(np.mean(values)) for model, values in found.items()}


def _creator(name: str, search: bool, strength: float | None) -> Any:
    creator = PipelineCreator(problem_type="classification")
    for step, transformer in steps():
        creator.add(transformer, name=step)
    space = scipy_space(name, "") if search else {}
    creator.add(make_model(name, **fixed(strength)), name="clf", **space)
    return creator
