"""Write a board as JSON, as Markdown, and as rows for the terminal."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from cytobench.evaluate.intervals import Estimate
from cytobench.evaluate.metrics import tuning_metric
from cytobench.leaderboard.rank import ALPHA, Board, Row, public

SCHEMA_VERSION = 1
TITLES = {
    "auc": "AUC",
    "brier": "Brier score",
    "log_loss": "log-loss",
    "balanced_accuracy": "balanced accuracy",
    "mae": "MAE (points)",
    "r2": "R²",
}
SHOWN = {"classification": ("auc", "brier"), "regression": ("mae", "r2")}
ROLES = {"model": "", "floor": "floor", "ceiling": "ceiling"}


def to_json(board: Board) -> str:
    """The whole board; every number rounded to 6 decimals."""
    entry = board.entry
    document = {
        "schema_version": SCHEMA_VERSION,
        "suite": entry.suite,
        "entry": entry.name,
        **public(entry.about),
        "headline": board.headline,
        "rows": [_row_json(row) for row in board.rows],
        "ceiling": _row_json(board.ceiling) if board.ceiling else None,
        "unfinished": {name: list(counts) for name, counts in entry.unfinished.items()},
        "left_out": entry.left_out,
    }
    return json.dumps(_rounded(document), indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def _row_json(row: Row) -> dict[str, Any]:
    out: dict[str, Any] = {
        "label": row.label,
        "role": row.role,
        "estimates": {name: asdict(estimate) for name, estimate in row.estimates.items()},
        "n": row.n,
        "sites": {site: {**asdict(estimate), "n": n} for site, (estimate, n) in row.sites.items()},
        "folds": row.folds,
        "undefined_folds": row.undefined,
        "tied_with_best": row.tied_with_best,
        "p_against_best": row.p_against_best,
        "by_fold": row.by_fold,
        "seconds_per_fold": row.seconds,
    }
    if row.cell is not None:
        about = row.cell.about
        out |= {
            "cell": row.cell.key,
            "model": about["model"],
            "config": about["config"]["model"],
            "versions": about["versions"],
        }
    return out


def _rounded(value: Any) -> Any:
    if isinstance(value, float):
        return round(value, 6) if math.isfinite(value) else None
    if isinstance(value, dict):
        return {key: _rounded(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_rounded(item) for item in value]
    return value


def headers(board: Board) -> list[str]:
    """Column titles of the table."""
    shown = [f"{TITLES[name]} (95 % interval)" for name in SHOWN[board.kind]]
    return ["model", "", *shown, "with the best", "n", "folds", "s per fold"]


def table_rows(board: Board) -> list[list[str]]:
    """Cells of the table, best first, the ceiling above all."""
    rows = [*([board.ceiling] if board.ceiling else []), *board.rows]
    return [_cells(row, board) for row in rows]


def _cells(row: Row, board: Board) -> list[str]:
    folds = str(row.folds - row.undefined)
    if row.undefined:
        folds += f" of {row.folds}"
    return [
        row.label,
        ROLES[row.role],
        *(number(row.estimates[name]) for name in SHOWN[board.kind]),
        _tie(row),
        str(row.n),
        folds,
        "" if row.seconds is None else f"{row.seconds:.2f}",
    ]


def _tie(row: Row) -> str:
    if row.tied_with_best is None:
        return ""
    return "tied" if row.tied_with_best else "worse"


def number(estimate: Estimate) -> str:
    """``0.712 (0.650 to 0.768)``."""
    if math.isnan(estimate.value):
        return "undefined"
    if estimate.low is None or estimate.high is None:
        return f"{estimate.value:.3f}"
    return f"{estimate.value:.3f} ({estimate.low:.3f} to {estimate.high:.3f})"


def title(board: Board) -> str:
    """One line that names the board."""
    about = board.entry.about
    return f"{about['task']['name']} on {about['dataset']['name']}"


def summary(board: Board) -> list[str]:
    """Sentences that a reader needs to read the table right."""
    about = board.entry.about
    dataset, protocol, tuning = about["dataset"], about["protocol"], about["config"]["tuning"]
    lines = [f"{dataset['summary']}." if dataset["summary"] else f"{dataset['name']}."]
    if dataset["kind"] == "simulated":
        lines.append("Simulated patients: a check of methods, no evidence about people.")
    if dataset["caveat"]:
        lines.append(f"Caveat: {dataset['caveat']}.".replace("..", "."))
    share = (
        f", {about['events']} of them with the outcome ({about['outcome_mean']:.0%})"
        if about["events"] is not None
        else f", mean {about['outcome_mean']:.1f}"
    )
    lines.append(f"{about['n']} patients{share}. Outcome: {about['task']['meaning']}.")
    lines.append(
        f"Protocol: {protocol['name'].replace('_', ' ')}, {about['folds']} folds; speaks about "
        f"{protocol['claim']}."
    )
    lines.append(f"Tuning inside each fold: {_tuning(tuning, board.kind)}.")
    return lines


def _tuning(tuning: dict[str, Any], kind: str) -> str:
    if tuning["sampler"] == "none":
        return "none, the plugins' defaults"
    metric = tuning_metric(tuning["metric"], kind)
    seconds = f" within {tuning['seconds']} s" if tuning["seconds"] else ""
    return f"{tuning['sampler']}, {tuning['trials']} trials{seconds}, by {metric}"


def footnotes(board: Board) -> list[str]:
    """How the numbers came about, and what is missing."""
    notes = []
    for name in SHOWN[board.kind]:
        methods = sorted({row.estimates[name].method for row in board.rows})
        notes.append(f"{TITLES[name]}: {'; '.join(methods)}.")
    if any(row.tied_with_best is not None for row in board.rows):
        notes.append(
            f"tied: the corrected resampled t-test against the first row, Holm-adjusted, has "
            f"p >= {ALPHA}; the order among tied rows means nothing."
        )
    else:
        notes.append("Rows are not tested against each other under this protocol.")
    if board.ceiling:
        notes.append("ceiling: the Bayes-optimal prediction, known because the data are simulated.")
    notes.append("floor: what knowing nothing, a CRP cut-off or clinical data alone achieve.")
    notes += [str(note) for note in board.entry.about["notes"]]
    for name, (done, folds) in sorted(board.entry.unfinished.items()):
        notes.append(f"{name} is not shown: {done} of {folds} folds are done.")
    if board.entry.left_out:
        notes.append(
            f"{board.entry.left_out} older cells are not shown: another revision of data or splits."
        )
    return notes


def per_site(board: Board) -> tuple[list[str], list[list[str]]] | None:
    """For leave-one-site-out: titles and rows of the headline metric at each site."""
    if not any(row.sites for row in board.rows):
        return None
    counts = {site: n for row in board.rows for site, (_, n) in row.sites.items()}
    titles = ["model", *(f"{site} (n = {n})" for site, n in counts.items())]
    rows = [
        [row.label, *(number(row.sites[site][0]) if site in row.sites else "" for site in counts)]
        for row in board.rows
    ]
    return titles, rows


def to_markdown(board: Board) -> str:
    """The board as a page that a code host renders."""
    parts = [f"# {title(board)}", "", f"Suite `{board.entry.suite}`.", "", *summary(board), ""]
    parts += _markdown_table(headers(board), table_rows(board))
    sites = per_site(board)
    if sites:
        parts += ["", f"## {TITLES[board.headline]} (95 % interval) at each site", ""]
        parts += _markdown_table(*sites)
    parts += ["", *(f"- {_escaped(note)}" for note in footnotes(board)), ""]
    fingerprint, plan = board.entry.about["dataset"]["fingerprint"], board.entry.about["plan"]
    parts.append(f"Cohort `{fingerprint[:12]}`, splits `{plan[:12]}`.")
    return "\n".join(parts) + "\n"


def _markdown_table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    return [
        "| " + " | ".join(map(_escaped, columns)) + " |",
        "|" + "---|" * len(columns),
        *("| " + " | ".join(map(_escaped, row)) + " |" for row in rows),
    ]


def _escaped(text: str) -> str:
    """Plugins name themselves: keep what they say from becoming markup."""
    for character in "\\`*_[]<>|#":
        text = text.replace(character, "\\" + character)
    return text.replace("\n", " ").replace("\r", " ")
