"""cytobench as a contender: ``cytobench run``, in this process, with all that it does by itself."""

from __future__ import annotations

import contextlib
import io
import json
import os
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from workload import INNER, MODELS, rank_auc, shape_of

from cytobench.cli.main import main
from cytobench.run.cells import load_cell
from cytobench.run.jobs import plan_jobs
from cytobench.run.outer_fold import OuterFold
from cytobench.run.store import RunStore

Answer = Callable[[], dict[str, float]]
"""Reads the mean AUC of each model from the store, once the clock has stopped."""


def overrides(workload: str, *, batched: bool = False) -> list[list[str]]:
    """The command lines of a workload: one, or for W2 one for each cohort."""
    shape = shape_of(workload)
    common = [
        "model=" + ",".join(f"workload_{name}" for name in MODELS[workload]),
        "floors=[]",
        f"protocol.folds={shape.folds}",
        f"protocol.repeats={shape.repeats}",
        f"protocol.inner_folds={INNER}",
    ]
    if shape.trials:
        common += ["tuning=random", f"tuning.trials={shape.trials}", "tuning.metric=auc"]
    else:
        common += ["tuning=off"]
    common += [f"tuning.batched={str(batched).lower()}"]
    if shape.strengths != (None,):
        common += ["model.C=" + ",".join(map(str, shape.strengths))]
    cohorts = [[f"dataset.{key}={value}" for key, value in size.items()] for size in shape.cohorts]
    return [["dataset=workload_cohort", *cohort, *common] for cohort in cohorts]


def serial(workload: str, folder: Path) -> Answer:
    """One process; store, leaderboard and MLflow mirror on."""
    return _run(workload, folder, "engine=serial")


def unmirrored(workload: str, folder: Path) -> Answer:
    """One process, without MLflow."""
    return _run(workload, folder, "engine=serial", "tracking=none")


def batched(workload: str, folder: Path) -> Answer:
    """As `serial`; inner fits by a solver where a model of the workload declares one."""
    return _run(workload, folder, "engine=serial", batched=True)


def batched_unmirrored(workload: str, folder: Path) -> Answer:
    """The same without MLflow."""
    return _run(workload, folder, "engine=serial", "tracking=none", batched=True)


def two_workers(workload: str, folder: Path) -> Answer:
    """Two worker processes."""
    return _run(workload, folder, "engine=joblib", "engine.workers=2")


def _run(workload: str, folder: Path, *more: str, batched: bool = False) -> Answer:
    """Every command line of the workload, in a folder whose database exists already."""
    os.chdir(folder)
    for asked in overrides(workload, batched=batched):
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
            code = main(["run", *asked, *more])
        if code:
            raise RuntimeError(f"cytobench run ended with {code}")
    return partial(aucs, workload, batched=batched)


def cells_of(workload: str, *, batched: bool = False) -> list[Any]:
    """The cells of a workload, loaded."""
    lines = overrides(workload, batched=batched)
    return [load_cell(cell) for asked in lines for cell in plan_jobs(asked).cells]


def aucs(workload: str, *, batched: bool = False) -> dict[str, float]:
    """Mean AUC over folds of each model, from the stored predictions."""
    store, found = RunStore(Path("runs")), {}
    for loaded in cells_of(workload, batched=batched):
        for fold in store.read_cell(loaded.key).folds:
            y, p = np.array(fold.predictions.y), np.array(fold.predictions.prediction)
            name = loaded.cell.model_name.removeprefix("workload_")
            found.setdefault(name, []).append(rank_auc(y, p))
    return {model: float(np.mean(values)) for model, values in found.items()}


def record(workload: str, folder: Path) -> list[dict[str, Any]]:
    """Run a workload, and say exactly what was fitted: rows, settings, and the setting chosen."""
    serial(workload, folder)
    store, problems = RunStore(Path("runs")), {}
    for loaded in cells_of(workload):
        config = loaded.cell.config["dataset"]
        cohort = {key: config[key] for key in ("n", "analytes", "seed")}
        key = json.dumps(cohort)
        if key not in problems:
            problems[key] = {"cohort": cohort, "folds": _folds(loaded), "cells": []}
        stored = store.read_cell(loaded.key).folds
        done = [
            {
                "params": fold.params,
                "trials": [trial.params for trial in fold.trials] or [fold.params],
            }
            for fold in stored
        ]
        name = loaded.cell.model_name.removeprefix("workload_")
        problems[key]["cells"].append({"model": name, "folds": done})
    return list(problems.values())


def _folds(loaded: Any) -> list[dict[str, Any]]:
    return [
        {
            "train": split.train.tolist(),
            "test": split.test.tolist(),
            "inner": [
                (train.tolist(), valid.tolist())
                for train, valid in OuterFold(loaded, number).inner_rows()
            ],
        }
        for number, split in enumerate(loaded.bench.plan.splits)
    ]


if __name__ == "__main__":
    import sys

    where = Path(sys.argv[1]).resolve()
    plan = {name: record(name, where) for name in sys.argv[2:]}
    (where / "plan.json").write_text(json.dumps(plan), encoding="utf-8")
