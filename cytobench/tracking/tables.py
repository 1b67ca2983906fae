"""The tables of a run in MLflow: every number, the folds, every trial, as CSV for spreadsheets."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from typing import Any

from cytobench.evaluate.cohort_facts import FEWEST
from cytobench.evaluate.importance import alike, importances, losses
from cytobench.leaderboard.benefit import BenefitRow
from cytobench.leaderboard.rank import Row
from cytobench.report.text import printable
from cytobench.run.store import StoredCell
from cytobench.tracking.benefit_record import number_rows
from cytobench.tracking.shown import (
    NAMES,
    AnyRow,
    as_word,
    charted,
    is_benefit,
    kind_of_error,
    scores_of,
)

FORMULA = tuple("=+-@＝＋－＠")
"""First characters for which spreadsheets take a text to be a formula; the wide ones, too."""


def tables(cell: StoredCell, row: AnyRow = None) -> dict[str, str]:
    """File name -> CSV: every number, the folds, every trial; what has no rows is left out."""
    rows = {
        "numbers.csv": _number_rows(row) if row else [],
        "folds.csv": _fold_rows(cell, row),
        "trials.csv": _trial_rows(cell),
        "learning_curves.csv": _curve_rows(cell),
        "importance.csv": _importance_rows(cell),
    }
    return {name: csv_text(table) for name, table in rows.items() if table}


def _number_rows(row: Row | BenefitRow) -> list[dict[str, Any]]:
    """Every estimate with its interval, number of patients and method."""
    if isinstance(row, BenefitRow):
        found = dict(number_rows(row))
    else:
        found = dict(row.assessment.estimates)
    if isinstance(row, Row) and row.added is not None:
        found |= {
            f"{name} gained over {row.added.reference}": estimate
            for name, estimate in row.added.differences.items()
        }
    return [
        {
            "number": name,
            "estimate": _digits(estimate.value),
            "lower": _digits(estimate.low),
            "upper": _digits(estimate.high),
            "n": row.n,
            "method": estimate.method,
        }
        for name, estimate in found.items()
    ]


def _importance_rows(cell: StoredCell) -> list[dict[str, Any]]:
    """What shuffling each column costs, for folds that were explained."""
    records, protocol = alike(cell.explanations), cell.about["protocol"]["name"]
    return [
        {
            "column": item.column,
            "loss": NAMES.get(name, name),
            "cost": _digits(item.cost.value),
            "lower": _digits(item.cost.low),
            "upper": _digits(item.cost.high),
            "folds": item.folds,
            "method": item.cost.method,
        }
        for name in losses(records)
        for item in importances(records, name, protocol=protocol)
    ]


def _fold_rows(cell: StoredCell, row: AnyRow) -> list[dict[str, Any]]:
    by_fold = _every_by_fold(cell, row)
    labels = cell.about["test_labels"]
    hidden = scores_of(cell, row).hidden
    rows = []
    for position, fold in enumerate(cell.folds):
        n_test = len(fold.predictions.y)
        shown = n_test >= FEWEST and position not in hidden
        label = {"test part": labels[fold.fold] if shown else ""} if any(labels) else {}
        rows.append(
            {"fold": fold.fold, "repeat": fold.repeat}
            | label
            | {"n train": "" if position in hidden else fold.n_train}
            | {"n test": n_test if shown else ""}
            | {
                name: "" if position in hidden else _digits(values[position])
                for name, values in by_fold.items()
            }
            | {"threshold": _digits(fold.threshold)}
            | {"seconds": f"{sum(fold.timings.values()):.3f}"}
            | {name: as_word(value) for name, value in fold.params.items()}
        )
    return rows


def _every_by_fold(cell: StoredCell, row: AnyRow) -> dict[str, Any]:
    if is_benefit(cell):
        return charted(cell)
    by_fold = scores_of(cell, row).by_fold
    return {NAMES[name]: by_fold[name] for name in by_fold if name in NAMES}


def _trial_rows(cell: StoredCell) -> list[dict[str, Any]]:
    return [
        {"fold": fold.fold, "trial": trial.number, "inner loss": _digits(trial.score)}
        | {name: as_word(value) for name, value in trial.params.items()}
        | {"seconds": f"{trial.seconds:.3f}", "error": kind_of_error(trial.error)}
        for fold in cell.folds
        for trial in fold.trials
    ]


def _curve_rows(cell: StoredCell) -> list[dict[str, Any]]:
    return [
        {"fold": fold.fold, "epoch": epoch}
        | {name: _digits(values[epoch]) for name, values in fold.curves.items()}
        for fold in cell.folds
        for epoch in range(min(map(len, fold.curves.values()), default=0))
    ]


def _digits(value: float | None) -> str:
    return "" if value is None or value != value else f"{value:.4f}"


def csv_text(rows: Sequence[Mapping[str, Any]]) -> str:
    """Rows as CSV, the columns in the order in which they first occur; no cell is a formula."""
    columns = list(dict.fromkeys(name for row in rows for name in row))
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(map(_inert, columns))
    writer.writerows([_inert(row.get(name, "")) for name in columns] for row in rows)
    return stream.getvalue()


def _inert(cell: Any) -> Any:
    """A text that no spreadsheet computes: one that begins as a formula gets an apostrophe.

    Source: OWASP, "CSV Injection", https://owasp.org/www-community/attacks/CSV_Injection.
    """
    if not isinstance(cell, str):
        return cell
    text = printable(cell)
    try:
        float(text)
    except ValueError:
        return f"'{text}" if text.lstrip()[:1] in FORMULA else text
    return text  # -0.5 is a number
