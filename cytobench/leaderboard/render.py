"""Write a board as JSON, as Markdown, and as rows for the terminal."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from cytobench.evaluate.chance import ENOUGH
from cytobench.evaluate.intervals import Estimate
from cytobench.evaluate.metrics import tuning_metric
from cytobench.leaderboard.rank import ALPHA, Board, Row, public

SCHEMA_VERSION = 2
TITLES = {
    "auc": "AUC",
    "auprc": "AUPRC",
    "brier": "Brier score",
    "brier_skill": "scaled Brier score",
    "log_loss": "log-loss",
    "log_loss_skill": "scaled log-loss",
    "balanced_accuracy": "balanced accuracy",
    "sensitivity": "sensitivity",
    "specificity": "specificity",
    "calibration_intercept": "calibration in the large",
    "calibration_slope": "calibration slope",
    "ici": "ICI",
    "e50": "E50",
    "e90": "E90",
    "ici_if_perfect": "ICI if perfectly calibrated",
    "net_benefit": "net benefit",
    "mae": "MAE (points)",
    "rmse": "RMSE (points)",
    "r2": "R²",
    "spearman": "Spearman correlation",
}
SHOWN = {"classification": ("auc",), "regression": ("mae",)}
"""Metrics of the first table, the headline first; what is added to the clinical floor follows."""
ADDED_SHOWN = {"classification": ("auc", "log_loss", "net_benefit"), "regression": ("mae", "r2")}
MORE = {
    "Discrimination and decisions": ("auprc", "balanced_accuracy", "sensitivity", "specificity"),
    "Probabilities": ("brier", "brier_skill", "log_loss", "log_loss_skill"),
    "Calibration": ("calibration_intercept", "calibration_slope", "ici", "ici_if_perfect"),
}
MORE_NUMBERS = {"Errors": ("rmse", "r2", "spearman", "calibration_slope")}
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
        "added_to": board.reference,
        "unfinished": {name: list(counts) for name, counts in entry.unfinished.items()},
        "left_out": entry.left_out,
    }
    return json.dumps(_rounded(document), indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def _row_json(row: Row) -> dict[str, Any]:
    out: dict[str, Any] = {
        "label": row.label,
        "role": row.role,
        "estimates": {
            name: asdict(estimate) for name, estimate in row.assessment.estimates.items()
        },
        "added": {name: asdict(item) for name, item in row.added.differences.items()}
        if row.added
        else None,
        "p_added": row.added.p if row.added else None,
        "chance": asdict(row.chance) if row.chance else None,
        "selection": asdict(row.selection) if row.selection else None,
        "subgroups": [asdict(item) for item in row.assessment.subgroups[0]],
        "interactions": [asdict(item) for item in row.assessment.subgroups[1]],
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
    if board.reference:
        shown.append(f"{TITLES[board.headline]} added to clinical")
    if _tested_against_chance(board):
        shown.append("p, chance")
    return ["model", "", *shown, "with the best", "n", "folds", "s per fold"]


def table_rows(board: Board) -> list[list[str]]:
    """Cells of the table, best first, the ceiling above all."""
    return [_cells(row, board) for row in _all_rows(board)]


def _all_rows(board: Board) -> list[Row]:
    return [*([board.ceiling] if board.ceiling else []), *board.rows]


def _tested_against_chance(board: Board) -> bool:
    return any(row.chance for row in board.rows)


def added_value(board: Board) -> tuple[list[str], list[list[str]]] | None:
    """What each model adds to the clinical floor; None where that floor did not run."""
    if not board.reference:
        return None
    names = ADDED_SHOWN[board.kind]
    columns = ["model", *(f"{TITLES[name]} gained (95 % interval)" for name in names), "p"]
    rows = [
        [
            row.label,
            *(number(row.added.differences[name], signed=True) for name in names),
            p_value(row.added.p),
        ]
        for row in board.rows
        if row.added
    ]
    return columns, rows


def more_tables(board: Board) -> dict[str, tuple[list[str], list[list[str]]]]:
    """Title -> columns and rows of every other number with its interval."""
    groups = MORE_NUMBERS if board.kind == "regression" else MORE
    return {
        title: (
            ["model", *(TITLES[name] for name in names)],
            [
                [row.label, *(number(row.estimate(name)) for name in names)]
                for row in _all_rows(board)
            ],
        )
        for title, names in groups.items()
    }


def selection_table(board: Board) -> tuple[list[str], list[list[str]]] | None:
    """The nested estimate beside BBC-CV's; None where no search was looked at."""
    rows = [
        [
            row.label,
            number(row.estimate("auc")),
            number(row.selection.corrected),
            f"{row.selection.naive:.3f}",
        ]
        for row in board.rows
        if row.selection
    ]
    columns = ["model", "AUC, nested", "AUC, BBC-CV", "AUC of the winner, uncorrected"]
    return (columns, rows) if rows else None


def p_value(p: float | None) -> str:
    """Three decimals; nothing is zero."""
    if p is None or p != p:
        return ""
    return "< 0.001" if p < 0.001 else f"{p:.3f}"


def _cells(row: Row, board: Board) -> list[str]:
    folds = str(row.folds - row.undefined)
    if row.undefined:
        folds += f" of {row.folds}"
    return [
        row.label,
        ROLES[row.role],
        *(number(row.estimate(name)) for name in SHOWN[board.kind]),
        *([_added(row, board.headline)] if board.reference else []),
        *([p_value(row.chance.p if row.chance else None)] if _tested_against_chance(board) else []),
        _tie(row),
        str(row.n),
        folds,
        "" if row.seconds is None else f"{row.seconds:.2f}",
    ]


def _tie(row: Row) -> str:
    if row.tied_with_best is None:
        return ""
    return "tied" if row.tied_with_best else "worse"


def _added(row: Row, metric: str) -> str:
    return number(row.added.differences[metric], signed=True) if row.added else ""


def number(estimate: Estimate, *, signed: bool = False) -> str:
    """``0.712 (0.650 to 0.768)``; differences with their sign."""
    if math.isnan(estimate.value):
        return "undefined"
    form = "+.3f" if signed else ".3f"
    if estimate.low is None or estimate.high is None:
        return f"{estimate.value:{form}}"
    return f"{estimate.value:{form}} ({estimate.low:{form}} to {estimate.high:{form}})"


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
        methods = sorted({row.estimate(name).method for row in board.rows})
        notes.append(f"{TITLES[name]}: {'; '.join(methods)}.")
    if any(row.tied_with_best is not None for row in board.rows):
        notes.append(
            f"tied: the corrected resampled t-test against the first row, Holm-adjusted, has "
            f"p >= {ALPHA}; the order among tied rows means nothing."
        )
    else:
        notes.append("Rows are not tested against each other under this protocol.")
    notes += _added_notes(board) + _chance_notes(board)
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


def _added_notes(board: Board) -> list[str]:
    if not board.reference:
        return []
    some = next(row.added for row in board.rows if row.added)
    method = some.differences[board.headline].method
    return [
        f"added to clinical: difference to {board.reference} on the same folds, above 0 is better; "
        f"{method}."
    ]


def _chance_notes(board: Board) -> list[str]:
    tested = [row.chance for row in board.rows if row.chance]
    if not tested:
        return []
    fewest, most = min(t.permutations for t in tested), max(t.permutations for t in tested)
    count = str(fewest) if fewest == most else f"{fewest} to {most}"
    note = f"p, chance: the whole procedure repeated on {count} permutations of the labels"
    if fewest < ENOUGH:
        note += f"; a screening, {ENOUGH} are needed for a p-value to publish"
    best = min((t.family_p for t in tested if t.family_p is not None), default=None)
    if best is not None:
        note += f". Any model better than chance: p = {best:.3f}"
    return [note + "."]


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
    added = added_value(board)
    if added:
        parts += ["", f"## Gained over {_escaped(str(board.reference))}", ""]
        parts += _markdown_table(*added)
    for heading, table in more_tables(board).items():
        parts += ["", f"## {heading}", "", *_more_note(heading, board), *_markdown_table(*table)]
    selection = selection_table(board)
    if selection:
        parts += ["", "## The search, corrected for its own choice", ""]
        parts += _markdown_table(*selection)
    sites = per_site(board)
    if sites:
        parts += ["", f"## {TITLES[board.headline]} (95 % interval) at each site", ""]
        parts += _markdown_table(*sites)
    parts += ["", *(f"- {_escaped(note)}" for note in footnotes(board)), ""]
    fingerprint, plan = board.entry.about["dataset"]["fingerprint"], board.entry.about["plan"]
    parts.append(f"Cohort `{fingerprint[:12]}`, splits `{plan[:12]}`.")
    return "\n".join(parts) + "\n"


def _more_note(heading: str, board: Board) -> list[str]:
    """A sentence that a table needs."""
    if heading == "Discrimination and decisions":
        prevalence = board.rows[0].assessment.prevalence
        return [f"Noise has an AUPRC of {prevalence:.3f}, the prevalence.", ""]
    if heading == "Calibration":
        return ["An ICI below that of perfect calibration is no evidence against a model.", ""]
    return []


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
