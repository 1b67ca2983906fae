"""What MLflow is told of a cell: names, numbers, parameters and tags; no patient, no MLflow."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from cytobench.core.result import FoldFailure
from cytobench.evaluate.epochs import epoch_curves
from cytobench.evaluate.scores import HEADLINE
from cytobench.leaderboard.rank import Row
from cytobench.run.store import StoredCell
from cytobench.tracking.benefit_record import values_of
from cytobench.tracking.notes import run_note
from cytobench.tracking.shown import (
    NAMES,
    AnyRow,
    as_word,
    charted,
    estimates_of,
    is_benefit,
    rule_row,
    scores_of,
)

CELL, STORE, ENTRY = "cytobench.cell", "cytobench.store", "cytobench.entry"
"""Tags by which runs (the cell's key, which store it came from) and experiments are ours."""
BUNDLE = "cytobench.bundle"
"""Tag of a run that carries its predictions: the sha256 of the file."""
NO_BUNDLE = "cytobench.no bundle"
"""Tag of a run that was to carry them: the code of why it does not."""
POOLED = {"calibration_slope": "calibration slope", "net_benefit": "net benefit"}
"""Metrics that are mirrored; a reader should meet ten names, not forty: the rest is a table."""
DIGITS = 4
SHORT = 12
"""Of a hash, as on the leaderboards."""


@dataclass(frozen=True)
class Measured:
    """One value of a metric; `step` is the fold of ``fold/``, the epoch of ``epoch/``, else 0."""

    name: str
    value: float
    step: int = 0


@dataclass(frozen=True)
class Record:
    """A run as MLflow shows it.

    Attributes
    ----------
    name : str
        The row label of the leaderboard.
    complete : bool
        A cell with missing folds has no estimates: they would not be comparable.
    metrics : sequence of Measured
    params, tags : mapping
    dataset : mapping
        ``name``, ``digest``, ``source_type``, ``source``, ``profile``.
    seconds : float
        Computing time of all folds.
    """

    name: str
    complete: bool
    metrics: Sequence[Measured]
    params: Mapping[str, str]
    tags: Mapping[str, str]
    dataset: Mapping[str, str]
    seconds: float


def make_record(
    cell: StoredCell,
    suite: str,
    entry: str,
    name: str,
    failures: Sequence[FoldFailure],
    row: AnyRow = None,
) -> Record:
    """Everything that is written for a cell, the files excepted.

    Parameters
    ----------
    row : Row, optional
        A complete cell on its board, for calibration and what it adds to the clinical floor.
    """
    note = run_note(cell, failures, row)
    return Record(
        name=name
        if cell.complete
        else f"{name} ({len(cell.folds)} of {cell.about['folds']} folds)",
        complete=cell.complete,
        metrics=_metrics(cell, row),
        params=_params(cell),
        tags={**_tags(cell, suite, entry), "mlflow.note.content": note},
        dataset=_dataset(cell.about),
        seconds=sum(sum(fold.timings.values()) for fold in cell.folds),
    )


def _metrics(cell: StoredCell, row: AnyRow) -> list[Measured]:
    if not cell.folds:
        return []
    if is_benefit(cell):
        values = values_of(cell, rule_row(row)) if cell.complete else {}
        found = [Measured(name, value) for name, value in values.items()]
    else:
        found = _estimates(cell, row) if cell.complete else []
        found += _of_row(row) if isinstance(row, Row) else []
    series = charted(cell, row)
    series["seconds"] = np.array([sum(fold.timings.values()) for fold in cell.folds])
    hidden = scores_of(cell, row).hidden
    for name, values in series.items():
        found += [
            Measured(f"fold/{name}", float(value), fold.fold)
            for position, (fold, value) in enumerate(zip(cell.folds, values, strict=True))
            if position not in hidden
        ]
    found += _by_epoch(cell)
    return [  # rounded, as the table shows every digit; undefined: nothing to chart
        Measured(item.name, round(item.value, DIGITS), item.step)
        for item in found
        if item.value == item.value
    ]


def _by_epoch(cell: StoredCell) -> list[Measured]:
    """Curves of training: means over folds, and how many of these still trained."""
    curves = epoch_curves([fold.curves for fold in cell.folds])
    series: dict[str, Any] = {f"epoch/{curve.name}": curve.mean for curve in curves}
    if curves:
        series["epoch/folds"] = max((curve.training for curve in curves), key=len)
    return [
        Measured(name, float(value), epoch)
        for name, values in series.items()
        for epoch, value in enumerate(values)
    ]


def _estimates(cell: StoredCell, row: AnyRow) -> list[Measured]:
    scores, estimate = scores_of(cell, row), estimates_of(cell, row)
    headline = HEADLINE[scores.kind]
    interval = estimate(headline)
    values = {NAMES[name]: estimate(name).value for name in scores.by_fold if name in NAMES}
    values["s per fold"] = scores.seconds
    if interval.low is not None and interval.high is not None:
        # The UI sorts columns by name: lower stands before upper.
        values[f"{NAMES[headline]} lower"] = interval.low
        values[f"{NAMES[headline]} upper"] = interval.high
    return [Measured(name, value) for name, value in values.items()]


def _of_row(row: Row) -> list[Measured]:
    """Calibration, net benefit, and what the model adds to clinical covariates."""
    estimates = row.assessment.estimates
    found = [
        Measured(shown, estimates[name].value)
        for name, shown in POOLED.items()
        if name in estimates
    ]
    if row.added is not None:
        headline = HEADLINE[row.assessment.kind]
        difference = row.added.differences[headline]
        found.append(Measured(f"{NAMES[headline]} added", difference.value))
    if row.share is not None:
        found.append(Measured("share of floor to ceiling", row.share.value))
    return found


def _params(cell: StoredCell) -> dict[str, str]:
    about = cell.about
    config, protocol = about["config"], about["protocol"]
    tuning = config["tuning"]
    space = config["model"].get("space") or {}
    fixed = {
        f"model.{name}": as_word(value)
        for name, value in config["model"].items()
        if name not in ("name", "space", *space)
    }
    chosen = {f"chosen.{name}": text for name, text in chosen_parameters(cell).items()}
    return {
        "model": about["model"]["name"],
        "protocol": protocol["name"].replace("_", " "),
        "folds": str(about["folds"]),
        "preprocess": config["preprocess"]["name"],
        "seed": str(config["seed"]),
        "tuning.sampler": str(tuning["sampler"]),
        "tuning.trials": str(tuning["trials"]),
        "tuning.metric": str(tuning["metric"]),
        **fixed,
        **chosen,
    }


def chosen_parameters(cell: StoredCell) -> dict[str, str]:
    """What tuning chose over the folds: median and range, or the most frequent option."""
    found = {}
    for name in cell.about["config"]["model"].get("space") or {}:
        values = [fold.params[name] for fold in cell.folds if name in fold.params]
        if values:
            found[name] = _typical(values)
    return found


def _typical(values: Sequence[Any]) -> str:
    numbers = all(
        isinstance(value, int | float) and not isinstance(value, bool) for value in values
    )
    if not numbers:
        option, count = Counter(map(as_word, values)).most_common(1)[0]
        return option if count == len(values) else f"{option} ({count} of {len(values)} folds)"
    low, high = min(values), max(values)
    if low == high:
        return as_word(low)
    return f"{float(np.median(values)):.3g} ({low:.3g} to {high:.3g})"


def _tags(cell: StoredCell, suite: str, entry: str) -> dict[str, str]:
    about = cell.about
    tags = {
        CELL: cell.key,
        "suite": suite,
        "entry": entry,
        "dataset": about["dataset"]["name"],
        "dataset kind": about["dataset"]["kind"],
        "fingerprint": about["dataset"]["fingerprint"][:SHORT],
        "task": about["task"]["name"],
        "protocol": about["protocol"]["name"],
        "splits": about["plan"][:SHORT],
        "model": about["model"]["name"],
        "role": about["model"]["role"],
        "plugin source": about["model"]["source"][:SHORT],
        "git commit": about["git_commit"],
        "n": str(about["n"]),
        "mlflow.source.name": about["command"],
        "mlflow.source.type": "LOCAL",
    }
    return {name: value for name, value in tags.items() if value}


def _dataset(about: Mapping[str, Any]) -> dict[str, str]:
    card = about["dataset"]
    source = {name: card[name] for name in ("summary", "version", "licence", "citation")}
    profile = {
        "patients": card["patients"],
        "with known outcome": about["n"],
        "events": about["events"],
        "analytes": card["analytes"],
        "outcome mean": round(about["outcome_mean"], 4),
    }
    return {
        "name": card["name"],
        "digest": card["fingerprint"][:SHORT],
        "source_type": "simulated" if card["kind"] == "simulated" else "local",
        "source": json.dumps({name: value for name, value in source.items() if value}),
        "profile": json.dumps(
            {name: value for name, value in profile.items() if value is not None}
        ),
    }
