"""A stored cell in the form in which it leaves the machine: its key, its folds, its scores."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from typing import Any

from cytobench.core.hashing import canonical_json, digest
from cytobench.core.result import FoldResult
from cytobench.evaluate.assessment import assess
from cytobench.run.contents import GROUP
from cytobench.submission.names import exchange_name, places, shareable_groups
from cytobench.submission.table import write_table
from cytobench.tuning import budget_from_config

PATH = re.compile(r"(?:[A-Za-z]:)?[/\\](?:.*[/\\])?([^/\\]*)\Z")


def cell_key(cell: Mapping[str, Any], about: Mapping[str, Any]) -> str:
    """The key that a cell has in a run store, from what is said of it.

    The parts are those of :attr:`cytobench.run.cells.LoadedCell.key`.
    """
    config = about["config"]
    return digest(
        {
            "schema": cell["store_schema"],
            "framework": cell["framework"],
            "cohort": about["dataset"]["fingerprint"],
            "plan": about["plan"],
            "plugin": about["model"]["source"],
            "versions": about["versions"],
            "permutation": about["permutation"],
            "task": {name: value for name, value in about["task"].items() if name != "meaning"},
            **{name: config[name] for name in ("model", "preprocess", "seed", "device")},
            "tuning": asdict(budget_from_config(config["tuning"])),
        }
    )


def exchanged(folds: Sequence[FoldResult], fingerprint: str) -> list[FoldResult]:
    """The folds in order, with a bundle's names and the subgroups that may leave the machine."""
    folds = sorted(folds, key=lambda fold: fold.fold)
    place = places(folds)
    groups = shareable_groups(folds)
    found = []
    for fold in folds:
        parts, n = fold.predictions, len(fold.predictions.y)
        shared = replace(
            parts,
            patient=[exchange_name(fingerprint, place[patient]) for patient in parts.patient],
            arm=[""] * n,
            site=[""] * n,
            groups={name: parts.groups[name] for name in groups if name in parts.groups},
        )
        found.append(replace(fold, predictions=shared))
    return found


def fold_bytes(key: str, about: Mapping[str, Any], fold: FoldResult) -> bytes:
    """The member of a fold. Errors, warnings and learning curves stay: they can hold anything."""
    parts = fold.predictions
    record = {
        "cell": key,
        "fingerprint": about["dataset"]["fingerprint"],
        "plan": about["plan"],
        "fold": fold.fold,
        "repeat": fold.repeat,
        "n_train": fold.n_train,
        "params": without_paths(fold.params),
        "trials": [
            {
                **asdict(trial),
                "params": without_paths(trial.params),
                "error": "failed" if trial.error else "",
            }
            for trial in fold.trials
        ],
        "threshold": fold.threshold,
        "train_mean": fold.train_mean,
        "timings": dict(fold.timings),
        "features": list(fold.features),
        "parameters": fold.parameters,
        "left_out": dict(fold.left_out),
    }
    columns = {
        "patient": parts.patient,
        "y": parts.y,
        "prediction": parts.prediction,
        "truth": parts.truth,
        **{GROUP + name: levels for name, levels in parts.groups.items()},
    }
    return write_table(json.loads(canonical_json(record)), columns)


def scores_of(about: Mapping[str, Any], folds: Sequence[FoldResult]) -> dict[str, Any]:
    """Every number of a cell with its interval; null where it is undefined."""
    task = about["task"]
    estimates = assess(task["kind"], about["protocol"]["name"], folds, task).estimates
    return {
        name: {
            "value": _or_none(estimate.value),
            "low": _or_none(estimate.low),
            "high": _or_none(estimate.high),
        }
        for name, estimate in sorted(estimates.items())
    }


def _or_none(value: float | None) -> float | None:
    return None if value is None or value != value else float(value)


def without_paths(value: Any) -> Any:
    """Plain data in which an absolute path is its last part: folders are the machine's own."""
    if isinstance(value, str):
        match = PATH.match(value)
        return match[1] if match else value
    if isinstance(value, Mapping):
        return {str(key): without_paths(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [without_paths(item) for item in value]
    return value
