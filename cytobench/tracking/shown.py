"""Under which names and in which words MLflow shows a cell's numbers, wherever it shows them."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import numpy as np

from cytobench.data.target import BENEFIT
from cytobench.evaluate.intervals import Estimate
from cytobench.evaluate.scores import Scores
from cytobench.leaderboard.benefit import BenefitRow
from cytobench.leaderboard.rank import Row
from cytobench.run.store import StoredCell
from cytobench.tracking.benefit_record import value_of_fold

NAMES = {
    "auc": "AUC",
    "brier": "Brier",
    "log_loss": "log-loss",
    "balanced_accuracy": "balanced accuracy",
    "mae": "MAE",
    "r2": "R2",
}
CHARTED = ("auc", "brier", "mae", "r2")
"""Metrics that are also given for each fold, as the steps of a series."""


AnyRow = Row | BenefitRow | None
"""A cell on its board; None where it stands on none."""


def scores_of(cell: StoredCell, row: AnyRow = None) -> Scores:
    """The cell's fold values: those of its row, which need not be computed again."""
    if isinstance(row, Row):
        return row.assessment.scores
    return Scores(cell.about["task"]["kind"], cell.about["protocol"]["name"], cell.folds)


def is_benefit(cell: StoredCell) -> bool:
    """Whether the cell chooses treatments."""
    return bool(cell.about["task"]["kind"] == BENEFIT)


def rule_row(row: AnyRow) -> BenefitRow | None:
    """The row of a treatment rule, None for any other."""
    return row if isinstance(row, BenefitRow) else None


def estimates_of(cell: StoredCell, row: AnyRow = None) -> Callable[[str], Estimate]:
    """What gives each metric with its interval."""
    return row.estimate if isinstance(row, Row) else scores_of(cell).estimate


def charted(cell: StoredCell, row: AnyRow = None) -> dict[str, Any]:
    """Metric as MLflow calls it -> one value for each fold."""
    if is_benefit(cell):
        return {"value": np.array([value_of_fold(fold) for fold in cell.folds])}
    by_fold = scores_of(cell, row).by_fold
    return {NAMES[name]: by_fold[name] for name in CHARTED if name in by_fold}


def as_word(value: Any) -> str:
    """A parameter's value as text: four digits of a number, JSON of what is neither."""
    if isinstance(value, float):
        return f"{value:.4g}"
    return value if isinstance(value, str) else json.dumps(value)


def kind_of_error(error: str) -> str:
    """The kind of an error; its message may quote data, and stays in the run store."""
    return error.partition(":")[0].strip()
