"""What MLflow is told of a cell: names, numbers, words and tables; no patient, no MLflow."""

from __future__ import annotations

import csv
import io
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from cytobench.core.result import FoldFailure
from cytobench.data.target import BENEFIT
from cytobench.evaluate.cohort_facts import FEWEST
from cytobench.evaluate.epochs import epoch_curves
from cytobench.evaluate.importance import alike, importances, losses
from cytobench.evaluate.intervals import Estimate
from cytobench.evaluate.scores import HEADLINE, Scores
from cytobench.leaderboard.benefit import BenefitRow
from cytobench.leaderboard.benefit_sheet import assignment_line
from cytobench.leaderboard.collect import Entry
from cytobench.leaderboard.rank import Board, Row
from cytobench.leaderboard.render import escaped
from cytobench.leaderboard.words import summary
from cytobench.report.text import printable
from cytobench.run.store import StoredCell
from cytobench.tracking.benefit_record import number_rows, result_line, value_of_fold, values_of

CELL, STORE, ENTRY = "cytobench.cell", "cytobench.store", "cytobench.entry"
"""Tags by which runs (the cell's key, which store it came from) and experiments are ours."""
BUNDLE = "cytobench.bundle"
"""Tag of a run that carries its predictions: the sha256 of the file."""
NO_BUNDLE = "cytobench.no bundle"
"""Tag of a run that was to carry them: the code of why it does not."""
NAMES = {
    "auc": "AUC",
    "brier": "Brier",
    "log_loss": "log-loss",
    "balanced_accuracy": "balanced accuracy",
    "mae": "MAE",
    "r2": "R2",
}
POOLED = {"calibration_slope": "calibration slope", "net_benefit": "net benefit"}
"""Metrics that are mirrored; a reader should meet ten names, not forty: the rest is a table."""
CHARTED = ("auc", "brier", "mae", "r2")
"""Metrics that are also given for each fold, as the steps of a series."""
DIGITS = 4
SHORT = 12
"""Of a hash, as on the leaderboards."""
SHOWN_WARNINGS = 3
FORMULA = tuple("=+-@＝＋－＠")
"""First characters for which spreadsheets take a text to be a formula; the wide ones, too."""


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


def scores_of(cell: StoredCell) -> Scores:
    """The cell's fold values and estimates."""
    return Scores(cell.about["task"]["kind"], cell.about["protocol"]["name"], cell.folds)


def make_record(
    cell: StoredCell,
    suite: str,
    entry: str,
    name: str,
    failures: Sequence[FoldFailure],
    row: Row | BenefitRow | None = None,
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


def is_benefit(cell: StoredCell) -> bool:
    """Whether the cell chooses treatments."""
    return bool(cell.about["task"]["kind"] == BENEFIT)


def _metrics(cell: StoredCell, row: Row | BenefitRow | None) -> list[Measured]:
    if not cell.folds:
        return []
    if is_benefit(cell):
        values = values_of(cell, _rule_row(row)) if cell.complete else {}
        found = [Measured(name, value) for name, value in values.items()]
    else:
        found = _estimates(cell) if cell.complete else []
        found += _of_row(row) if isinstance(row, Row) else []
    series = _by_fold(cell)
    series["seconds"] = np.array([sum(fold.timings.values()) for fold in cell.folds])
    for name, values in series.items():
        found += [
            Measured(f"fold/{name}", float(value), fold.fold)
            for fold, value in zip(cell.folds, values, strict=True)
        ]
    found += _by_epoch(cell)
    return [  # rounded, as the table shows every digit; undefined: nothing to chart
        Measured(item.name, round(item.value, DIGITS), item.step)
        for item in found
        if item.value == item.value
    ]


def _rule_row(row: Row | BenefitRow | None) -> BenefitRow | None:
    return row if isinstance(row, BenefitRow) else None


def _by_fold(cell: StoredCell) -> dict[str, Any]:
    """Metric as MLflow calls it -> one value for each fold."""
    if is_benefit(cell):
        return {"value": np.array([value_of_fold(fold) for fold in cell.folds])}
    by_fold = scores_of(cell).by_fold
    return {NAMES[name]: by_fold[name] for name in CHARTED if name in by_fold}


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


def _estimates(cell: StoredCell) -> list[Measured]:
    scores = scores_of(cell)
    headline = HEADLINE[scores.kind]
    interval = scores.estimate(headline)
    values = {NAMES[name]: scores.estimate(name).value for name in scores.by_fold if name in NAMES}
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
        f"model.{name}": _word(value)
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
        option, count = Counter(map(_word, values)).most_common(1)[0]
        return option if count == len(values) else f"{option} ({count} of {len(values)} folds)"
    low, high = min(values), max(values)
    if low == high:
        return _word(low)
    return f"{float(np.median(values)):.3g} ({low:.3g} to {high:.3g})"


def _word(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.4g}"
    return value if isinstance(value, str) else json.dumps(value)


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


def run_note(
    cell: StoredCell, failures: Sequence[FoldFailure], row: Row | BenefitRow | None = None
) -> str:
    """What a run says of itself, in Markdown."""
    about, model = cell.about, cell.about["model"]
    kind = "A floor: what every model should beat. " if model["role"] == "floor" else ""
    lines = [f"**{model['name']}**: {escaped(_sentence(model['summary']))} {kind}".rstrip()]
    if cell.complete:
        if is_benefit(cell):
            lines += [result_line(cell, _rule_row(row)), assignment_line(about)]
        else:
            lines += [_result(cell), *_sites(cell)]
    else:
        lines += [f"**Unfinished: {len(cell.folds)} of {about['folds']} folds.** No estimate yet."]
    lines += [f"Fold {item.fold} failed: {_kind(item.error)}" for item in failures[:SHOWN_WARNINGS]]
    card = [f"version {model['version']}", f"sees {' and '.join(model['inputs'])}"]
    if model["citation"]:
        card.append(_citation(model["citation"]))
    if model["licence"]:
        card.append(f"licence {escaped(model['licence'])}")
    lines.append("Model: " + ", ".join(card) + ".")
    said = Counter(warning for fold in cell.folds for warning in fold.warnings)
    lines += [
        f"Warned in {count} of {len(cell.folds)} folds: {escaped(_one_line(text))}"
        for text, count in said.most_common(SHOWN_WARNINGS)
    ]
    command = printable(about["command"]).replace("`", "'")  # it stays one piece of code
    lines += [f"Repeat with `{command}`"]
    return "\n\n".join(lines)


def _result(cell: StoredCell) -> str:
    scores = scores_of(cell)
    shown = [name for name in CHARTED if name in scores.by_fold]
    estimates = {NAMES[name]: scores.estimate(name) for name in shown}
    said = [f"{name} **{item.value:.3f}**{_interval(item)}" for name, item in estimates.items()]
    method = scores.estimate(HEADLINE[scores.kind]).method
    tested = len({patient for fold in cell.folds for patient in fold.predictions.patient})
    return f"{'; '.join(said)}. {len(cell.folds)} folds, {tested} patients; {method}."


def _sites(cell: StoredCell) -> list[str]:
    """A Markdown table of the headline metric at each site, under leave-one-site-out."""
    scores = scores_of(cell)
    headline = HEADLINE[scores.kind]
    sites = scores.by_site(headline, cell.about["test_labels"])
    if not sites:
        return []
    rows = [
        f"| {escaped(site)} | {n} | {estimate.value:.3f}{_interval(estimate)} |"
        for site, (estimate, n) in sites.items()
    ]
    return ["\n".join([f"| site | n | {NAMES[headline]} |", "|---|---|---|", *rows])]


def _interval(estimate: Estimate) -> str:
    if estimate.low is None or estimate.high is None:
        return ""
    return f" (95 % interval {estimate.low:.3f} to {estimate.high:.3f})"


def _citation(text: str) -> str:
    return f"[doi:{text}](https://doi.org/{text})" if text.startswith("10.") else text


def _sentence(text: str) -> str:
    return f"{text.rstrip('.')}." if text else ""


def _kind(error: str) -> str:
    """The kind of an error; its message may quote data, and stays in the run store."""
    return error.partition(":")[0].strip()


def _one_line(text: str) -> str:
    return " ".join(text.split())[:300]


def experiment_note(cell: StoredCell, suite: str, entry: str) -> str:
    """What an experiment says of itself: the sentences above the leaderboard's table."""
    kind = cell.about["task"]["kind"]
    headline = HEADLINE.get(kind, "value")
    board = Board(Entry(suite, entry, [cell], {}, 0), kind, headline, [], None)
    better = "highest AUC first (0.5 is chance)"
    if kind == "regression":
        better = "smallest mean absolute error (MAE) first"
    elif kind == BENEFIT:
        better = "highest value (mean outcome if everybody were treated by the rule) first"
    reading = (
        f"Each run is one model, {better}; *lower* and *upper* end the 95 % interval. "
        "The role *floor* marks what knowing next to nothing achieves."
    )
    more = (
        "Metrics named *fold/...* chart the outer folds; figures are among a run's artifacts. "
        f"Which models are tied with the best: `cytobench leaderboard show {suite}`."
    )
    about = [escaped(line) for line in (*summary(board), *map(str, cell.about["notes"]))]
    if kind == BENEFIT:
        about.append(assignment_line(cell.about))
    return "\n\n".join([reading, *about, more])


def tables(cell: StoredCell, row: Row | BenefitRow | None = None) -> dict[str, str]:
    """File name -> CSV: every number, the folds, every trial; what has no rows is left out."""
    rows = {
        "numbers.csv": _number_rows(row) if row else [],
        "folds.csv": _fold_rows(cell),
        "trials.csv": _trial_rows(cell),
        "learning_curves.csv": _curve_rows(cell),
        "importance.csv": _importance_rows(cell),
    }
    return {name: _csv(table) for name, table in rows.items() if table}


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


def _fold_rows(cell: StoredCell) -> list[dict[str, Any]]:
    by_fold = _every_by_fold(cell)
    labels = cell.about["test_labels"]
    rows = []
    for position, fold in enumerate(cell.folds):
        n_test = len(fold.predictions.y)
        shown = n_test >= FEWEST
        label = {"test part": labels[fold.fold] if shown else ""} if any(labels) else {}
        rows.append(
            {"fold": fold.fold, "repeat": fold.repeat}
            | label
            | {"n train": fold.n_train, "n test": n_test if shown else ""}
            | {name: _digits(values[position]) for name, values in by_fold.items()}
            | {"threshold": _digits(fold.threshold)}
            | {"seconds": f"{sum(fold.timings.values()):.3f}"}
            | {name: _word(value) for name, value in fold.params.items()}
        )
    return rows


def _every_by_fold(cell: StoredCell) -> dict[str, Any]:
    if is_benefit(cell):
        return _by_fold(cell)
    by_fold = scores_of(cell).by_fold
    return {NAMES[name]: by_fold[name] for name in by_fold if name in NAMES}


def _trial_rows(cell: StoredCell) -> list[dict[str, Any]]:
    return [
        {"fold": fold.fold, "trial": trial.number, "inner loss": _digits(trial.score)}
        | {name: _word(value) for name, value in trial.params.items()}
        | {"seconds": f"{trial.seconds:.3f}", "error": _kind(trial.error)}
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


def _csv(rows: Sequence[Mapping[str, Any]]) -> str:
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
