"""Tuning of all outer folds in lock-step, against a hand-written loop and one fold at a time.

5 x 2 outer folds, 3 inner, 20 trials, about 300 patients. All contenders tune on the same outer
folds with the same sampler, in turn, in one process with one thread; CPU seconds, medians over
rounds. The hand loop is what a careful person writes: Optuna around pipelines of scikit-learn that
impute, scale and fit, scored by ``roc_auc_score``. Refits and test predictions are left out.
"""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from statistics import median
from typing import Any

import numpy as np
from race import about_the_machine, in_words, keep

from cytobench.run.cells import LoadedCell, load_cell
from cytobench.run.fold import run_fold
from cytobench.run.jobs import plan_jobs
from cytobench.run.lockstep import run_together
from cytobench.run.outer_fold import OuterFold

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
    """CPU seconds of three ways to tune one model; ratios are medians of those within a round."""

    model: str
    sampler: str
    by_hand: float
    one_by_one: float
    batched: float
    against_hand: float
    against_one_by_one: float

    def __str__(self) -> str:
        return (
            f"| {self.model} | {self.sampler} | {self.by_hand:.2f} | {self.one_by_one:.2f} "
            f"| {self.batched:.3f} | **{self.against_hand:.1f}** "
            f"| {self.against_one_by_one:.1f} |"
        )


HEAD = (
    "| model | sampler | hand loop, s | one by one, s | lock-step, s | against hand | against one "
    "by one |\n|---|---|---|---|---|---|---|"
)
NOTE = """Tuning of 5 x 2 outer folds, 3 inner, 20 trials, about 300 patients; CPU seconds on one
thread, medians over {rounds} rounds in which the contenders ran in turn. Refits and test
predictions are left out for all. **hand loop**: Optuna around scikit-learn's pipelines. **one by
one**: the same cytobench cell with `tuning.batched=false`. **lock-step**: the trials of all outer
folds in one solve. Once it goes by what it was told, Optuna's TPE needs about a millisecond for a
setting, whoever asks: here 0.1 s in each contender.
"""


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
    ratios = times[:, :2] / times[:, 2:]
    both = (*times.T.tolist(), *ratios.T.tolist())
    return Row(model, sampler, *(median(column) for column in both))


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


def report(name: str, title: str, target: str, least: float, rows: Sequence[Row]) -> None:
    """Print the table and keep it, with what it was measured on and whether a target is met.

    Parameters
    ----------
    least : float
        How many times faster than the hand loop every row has to be whose settings are drawn at
        random, as the workloads draw them: TPE's own time, equal on both sides, hides the fits'.
    """
    about = about_the_machine()
    measured = ", ".join(f"{row.model} {row.against_hand:.1f} ({row.sampler})" for row in rows)
    met = all(row.against_hand >= least for row in rows if row.sampler == "random")
    lines = [f"# {title}\n", HEAD, *map(str, rows), "", NOTE.format(rounds=ROUNDS)]
    text = "\n".join([*lines, f"Made by `python benchmarks/{name}.py`; {in_words(about)}"])
    print(text)
    content = {
        "about": about,
        "targets": {target: {"measured": f"{measured} times", "met": met}},
        "rows": [asdict(row) for row in rows],
    }
    keep(name, content, text)
