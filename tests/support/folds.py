"""Small sets of stored folds for tests of statistics."""

from __future__ import annotations

import numpy as np

from cytobench.core.result import FoldResult, Predictions


def stored(prediction, y, *, folds=5, repeats=2, groups=None, threshold=0.5, seed=0, label="p"):
    """Folds of repeated stratified cross-validation whose predictions are given.

    `prediction` is one array for all repeats, or one for each.
    """
    y = np.asarray(y, dtype=float)
    p = np.broadcast_to(np.asarray(prediction, dtype=float), (repeats, len(y)))
    found = []
    for repeat in range(repeats):
        draw = np.random.default_rng([seed, repeat])
        fold_of = np.empty(len(y), dtype=int)
        values = np.unique(y) if len(np.unique(y)) == 2 else [None]
        for value in values:
            rows = np.arange(len(y)) if value is None else np.flatnonzero(y == value)
            fold_of[draw.permutation(rows)] = np.arange(len(rows)) % folds
        for fold in range(folds):
            rows = np.flatnonzero(fold_of == fold)
            found.append(one(p[repeat], y, rows, repeat, groups, threshold, label, len(found)))
    return found


def one(p, y, rows, repeat, groups, threshold, label, number):
    """One stored fold that tests `rows`."""
    train = np.setdiff1d(np.arange(len(y)), rows)
    return FoldResult(
        fold=number,
        repeat=repeat,
        n_train=len(train),
        predictions=Predictions(
            patient=[f"{label}{row}" for row in rows],
            y=y[rows].tolist(),
            prediction=p[rows].tolist(),
            arm=[""] * len(rows),
            site=[""] * len(rows),
            truth=[float("nan")] * len(rows),
            groups={name: [levels[row] for row in rows] for name, levels in (groups or {}).items()},
        ),
        params={},
        trials=[],
        threshold=threshold,
        train_mean=float(y[train].mean()) if len(train) else float(y.mean()),
        timings={"fit": 1.0},
    )
