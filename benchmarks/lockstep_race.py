"""Tuning of all outer folds in lock-step, against a hand-written loop and one fold at a time.

5 x 2 outer folds, 3 inner, 20 trials, about 300 patients. All contenders tune on the same outer
folds with the same sampler, in turn, in one process with one thread; CPU seconds, medians over
rounds. The hand loop is what a careful person writes: Optuna around pipelines of scikit-learn that
impute, scale and fit, scored by ``roc_auc_score``. Refits and test predictions are left out.
"""

from __future__ import annotations

import sys
import time
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

import numpy as np

from cytobench.run.cells import LoadedCell, load_cell
from cytobench.run.fold import OuterFold, run_fold
from cytobench.run.jobs import plan_jobs
from cytobench.run.lockstep import run_together
from cytobench.run.provenance import versions

SETTING = [
    "dataset=sim_inflamed_mdd",
    "dataset.n=370",
    "protocol.repeats=2",
    "protocol.inner_folds=3",
    "tuning.trials=20",
    "floors=[]",
]
ROUNDS = 3


@dataclass(frozen=True)
class Row:
    """CPU seconds of three ways to tune one model."""

    model: str
    sampler: str
    by_hand: float
    one_by_one: float
    batched: float

    def __str__(self) -> str:
        return (
            f"| {self.model} | {self.sampler} | {self.by_hand:.2f} | {self.one_by_one:.2f} "
            f"| {self.batched:.3f} | {self.by_hand / self.batched:.1f} "
            f"| {self.one_by_one / self.batched:.1f} |"
        )


HEAD = (
    "| model | sampler | hand loop, s | one by one, s | lock-step, s | against hand | against one "
    "by one |\n|---|---|---|---|---|---|---|"
)


def race(model: str, sampler: str, make: Callable[..., Any]) -> Row:
    """Time all three in turn.

    Parameters
    ----------
    make : callable
        Parameters -> the estimator that the hand loop fits.
    """
    batched, plain = (
        load_cell(
            plan_jobs(
                [*SETTING, f"model={model}", f"tuning={sampler}", f"tuning.batched={value}"]
            ).cells[0]
        )
        for value in ("true", "false")
    )
    folds = range(len(batched.bench.plan.splits))
    run_together(batched, [0], b"salt")  # imports and caches
    ways: list[Callable[[], object]] = [
        lambda: by_hand(batched, sampler, make),
        lambda: [run_fold(plain, fold, b"salt") for fold in folds],
        lambda: run_together(batched, folds, b"salt"),
    ]
    times = np.array([[tuning_seconds(way) for way in ways] for _ in range(ROUNDS)])
    return Row(model, sampler, *(median(column) for column in times.T.tolist()))


def tuning_seconds(way: Callable[[], object]) -> float:
    """CPU seconds, without those of final fits."""
    from threadpoolctl import threadpool_limits

    refits = 0.0
    plain = OuterFold._refit

    def timed(self: OuterFold, params: Any) -> Any:
        nonlocal refits
        begun = time.process_time()
        try:
            return plain(self, params)
        finally:
            refits += time.process_time() - begun

    OuterFold._refit = timed  # type: ignore[method-assign]
    begun = time.process_time()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with threadpool_limits(limits=1):
                way()
    finally:
        OuterFold._refit = plain  # type: ignore[method-assign]
    return time.process_time() - begun - refits


def by_hand(cell: LoadedCell, sampler: str, make: Callable[..., Any]) -> None:
    """The loop over outer folds, trials and inner folds."""
    import optuna
    from sklearn.impute import SimpleImputer
    from sklearn.metrics import roc_auc_score
    from sklearn.model_selection import StratifiedKFold
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    frame = OuterFold(cell, 0).frame
    X = np.column_stack(
        [
            np.unique(column.to_numpy(), return_inverse=True)[1]
            if column.dtype == object
            else column.to_numpy(dtype=np.float64)
            for _, column in frame.items()
            if column.dtype != bool
        ]
    ).astype(float)
    y = cell.bench.target.y
    for split in cell.bench.plan.splits:
        known, labels = X[split.train], y[split.train].astype(int)
        inner = list(StratifiedKFold(3, shuffle=True, random_state=0).split(known, labels))

        def objective(trial: Any, X: Any = known, y: Any = labels, inner: Any = inner) -> Any:
            params = {
                name: trial.suggest_float(name, item.low, item.high, log=item.log)
                for name, item in cell.model.space.items()
            }
            scores = []
            for train, valid in inner:
                pipeline = make_pipeline(SimpleImputer(), StandardScaler(), make(**params))
                pipeline.fit(X[train], y[train])
                said = pipeline.predict_proba(X[valid])[:, 1]
                scores.append(roc_auc_score(y[valid], said))
            return np.mean(scores)

        samplers = {"tpe": optuna.samplers.TPESampler, "random": optuna.samplers.RandomSampler}
        study = optuna.create_study(direction="maximize", sampler=samplers[sampler](seed=0))
        study.optimize(objective, n_trials=20)


def report(rows: Sequence[Row]) -> None:
    """Print the table, with what it was measured on."""
    print(HEAD)
    for row in rows:
        print(row)
    print()
    found = versions()
    print(", ".join(f"{name} {found[name]}" for name in sorted(found)))
    print(f"command: python {' '.join(sys.argv)}")
