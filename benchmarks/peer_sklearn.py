"""scikit-learn: ``cross_validate`` over a search, or over a threshold chosen on inner folds.

Without a search cytobench still chooses each fold's decision threshold on inner out-of-fold
predictions, which costs a fit for each inner fold; ``TunedThresholdClassifierCV`` is the same job.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from workload import (
    MODELS,
    SEED,
    data_of,
    fixed,
    inner_folds,
    make_pipe,
    outer_folds,
    scipy_space,
    shape_of,
)


def searched(name: str, trials: int, jobs: int | None = None) -> Any:
    """A random search over the workload's space."""
    from sklearn.model_selection import RandomizedSearchCV

    return RandomizedSearchCV(
        make_pipe(name),
        scipy_space(name),
        n_iter=trials,
        cv=inner_folds(),
        scoring="roc_auc",
        random_state=SEED,
        n_jobs=jobs,
    )


def thresholded(name: str, jobs: int | None = None, **params: Any) -> Any:
    """A model with its decision threshold."""
    from sklearn.model_selection import TunedThresholdClassifierCV

    return TunedThresholdClassifierCV(make_pipe(name, **params), cv=inner_folds(), n_jobs=jobs)


def one_job(workload: str, folder: Path) -> dict[str, float]:
    """One process."""
    del folder
    return _run(workload)


def no_threshold(workload: str, folder: Path) -> dict[str, float]:
    """One process, without the threshold: a quarter of the fits where nothing is searched."""
    del folder
    return _run(workload, threshold=False)


def two_outer_jobs(workload: str, folder: Path) -> dict[str, float]:
    """Outer folds on two processes."""
    del folder
    return _run(workload, outer=2)


def two_inner_jobs(workload: str, folder: Path) -> dict[str, float]:
    """Inner fits on two processes."""
    del folder
    return _run(workload, inner=2)


def _run(
    workload: str, outer: int | None = None, inner: int | None = None, threshold: bool = True
) -> dict[str, float]:
    from sklearn.model_selection import cross_validate

    shape, found = shape_of(workload), {}
    for _, X, y in data_of(workload):
        for name in MODELS[workload]:
            for strength in shape.strengths:
                if shape.trials:
                    model = searched(name, shape.trials, inner)
                elif threshold:
                    model = thresholded(name, inner, **fixed(strength))
                else:
                    model = make_pipe(name, **fixed(strength))
                scores = cross_validate(
                    model, X, y, cv=outer_folds(workload), scoring="roc_auc", n_jobs=outer
                )["test_score"]
                found.setdefault(name, []).append(float(np.mean(scores)))
    return {model: float(np.mean(values)) for model, values in found.items()}
