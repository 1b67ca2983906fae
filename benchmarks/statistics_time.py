"""T7: CPU seconds for every statistic of a board: 15 models x 50 folds, 2,000 bootstrap resamples.

    python benchmarks/statistics_time.py [--patients 300]

Against a named alternative in the same run: the same bootstrap of the AUC with scikit-learn's
``roc_auc_score``, one resample after the other, for one model, times 15.
"""

from __future__ import annotations

import argparse
import time

import numpy as np
from race import about_the_machine, in_words, keep

from cytobench.core.result import FoldResult, InnerPredictions, Predictions
from cytobench.evaluate.assessment import RESAMPLES, Assessment, assess
from cytobench.evaluate.chance import against_chance
from cytobench.evaluate.intervals import corrected_t, holm
from cytobench.evaluate.selection import selected

MODELS, FOLDS, REPEATS = 15, 5, 10
LIMIT = 3
TASK = {"thresholds": (0.2, 0.8), "decide_at": 0.5}


def stored_folds(patients: int, model: int) -> list[FoldResult]:
    """Ten repeats of five folds with predictions that know something."""
    draw = np.random.default_rng(1)
    y = (draw.random(patients) < 0.45).astype(float)
    groups = {
        "sex": draw.choice(["female", "male"], patients),
        "site": draw.choice(["north", "south", "west"], patients),
        "BMI": draw.choice(["under 25", "25 to 30", "30 and over"], patients),
    }
    rng = np.random.default_rng(100 + model)
    folds = []
    for repeat in range(REPEATS):
        order = np.random.default_rng(repeat).permutation(patients)
        for rows in np.array_split(order, FOLDS):
            p = 1 / (1 + np.exp(-(rng.normal(size=len(rows)) + 0.8 * (y[rows] - 0.5))))
            train = patients - len(rows)
            inner_y = draw.integers(0, 2, train).astype(float)
            folds.append(
                FoldResult(
                    fold=len(folds),
                    repeat=repeat,
                    n_train=train,
                    predictions=Predictions(
                        patient=[f"p{row}" for row in rows],
                        y=y[rows].tolist(),
                        prediction=p.tolist(),
                        arm=[""] * len(rows),
                        site=[""] * len(rows),
                        truth=[float("nan")] * len(rows),
                        groups={name: levels[rows].tolist() for name, levels in groups.items()},
                    ),
                    params={},
                    trials=[],
                    threshold=0.45,
                    train_mean=0.45,
                    timings={"fit": 1.0},
                    inner=InnerPredictions(
                        inner_y.tolist(),
                        {trial: rng.random(train).tolist() for trial in range(30)},
                    ),
                )
            )
    return folds


def everything(cells: list[list[FoldResult]]) -> None:
    """Every number that a board, its pages and MLflow show."""
    shared: dict[str, object] = {}
    assessed = [
        assess("classification", "repeated_stratified", folds, TASK, shared=shared)
        for folds in cells
    ]
    for cell in assessed:
        use(cell, assessed[0])
    best = assessed[0].scores
    p = [
        corrected_t(best.by_fold["auc"], cell.scores.by_fold["auc"], *best.sizes)[1]
        for cell in assessed[1:]
    ]
    holm(p)
    null = {str(k): {i: float(i) / 400 for i in range(200)} for k in range(MODELS)}
    against_chance(dict.fromkeys(null, 0.6), null, larger_is_better=True)
    for folds in cells:
        selected([fold.inner for fold in folds if fold.inner], resamples=RESAMPLES, seed=0)


def use(cell: Assessment, reference: Assessment) -> None:
    """Ask for every part of an assessment."""
    assert cell.estimates
    assert cell.decision is not None
    assert cell.subgroups
    cell.added_to(reference, "reference")


def one_by_one(folds: list[FoldResult], resamples: int) -> float:
    """Mean AUC over folds in bootstrap resamples, with scikit-learn; CPU seconds."""
    from sklearn.metrics import roc_auc_score

    started = time.process_time()
    draw = np.random.default_rng(0)
    parts = [(np.array(f.predictions.y), np.array(f.predictions.prediction)) for f in folds]
    for _ in range(resamples):
        for y, p in parts:
            rows = draw.integers(0, len(y), len(y))
            if 0 < y[rows].sum() < len(rows):
                roc_auc_score(y[rows], p[rows])
    return time.process_time() - started


def main() -> None:
    """Time both and print the ratio."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--patients", type=int, default=300)
    options = parser.parse_args()
    cells = [stored_folds(options.patients, model) for model in range(MODELS)]
    started = time.process_time()
    everything(cells)
    cold = time.process_time() - started
    started = time.process_time()
    everything(cells)
    warm = time.process_time() - started
    alternative = one_by_one(cells[0], 100) * RESAMPLES / 100 * MODELS
    print(f"every statistic of {MODELS} models x {REPEATS * FOLDS} folds, n = {options.patients}:")
    print(f"  {cold:.2f} s with imports, {warm:.2f} s without")
    print(f"  the bootstrap of the AUC alone, one resample after the other: {alternative:.0f} s")
    print(f"  ratio {warm / alternative:.4f}")
    about = about_the_machine()
    times = alternative / warm
    said = f"{warm:.2f} s of CPU; {times:.0f} times faster than one resample after the other"
    keep(
        "statistics_time",
        {"about": about, "targets": {"T7": {"measured": said, "met": warm < LIMIT}}},
        f"# Every statistic of a board\n\n{MODELS} models x {REPEATS * FOLDS} folds, {RESAMPLES} "
        f"bootstrap resamples, {options.patients} patients: {said}.\n\n" + in_words(about),
    )


if __name__ == "__main__":
    main()
