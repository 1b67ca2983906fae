"""A board as rows and columns of text."""

from __future__ import annotations

import math

from cytobench.evaluate.adequacy import ANTICIPATED_AUC, ANTICIPATED_R2
from cytobench.evaluate.comparisons import ROPE
from cytobench.evaluate.intervals import Estimate
from cytobench.evaluate.subgroup import worst
from cytobench.leaderboard.rank import Board, Row

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
    "instability": "instability of a patient's prediction between repeats",
    "mae": "MAE (points)",
    "rmse": "RMSE (points)",
    "r2": "R²",
    "spearman": "Spearman correlation",
    "value": "value of the rule",
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
MARKS = {"local": "", "verified": " ✓", "recomputed": " ○"}
"""After the name of a row: how far a submission was verified."""


def headers(board: Board) -> list[str]:
    """Column titles of the table."""
    shown = [f"{TITLES[name]} (95 % interval)" for name in SHOWN[board.kind]]
    if board.reference:
        shown.append(f"{TITLES[board.headline]} added to clinical")
    if _has_share(board):
        shown.append("share of floor to ceiling")
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


def _has_share(board: Board) -> bool:
    return any(row.share and not math.isnan(row.share.value) for row in board.rows)


def _share(row: Row) -> str:
    """A share in per cent; the truth has all of it."""
    if row.role == "ceiling":
        return "100 %"
    share = row.share
    if share is None:
        return ""
    if math.isnan(share.value):
        return "undefined"
    if share.low is None or share.high is None:
        return f"{100 * share.value:.0f} %"
    return f"{100 * share.value:.0f} % ({100 * share.low:.0f} to {100 * share.high:.0f})"


def added_value(board: Board) -> tuple[list[str], list[list[str]]] | None:
    """What each model adds to the clinical floor; None where that floor did not run."""
    if not board.reference:
        return None
    names = ADDED_SHOWN[board.kind]
    columns = ["model", *(f"{TITLES[name]} gained (95 % interval)" for name in names), "p"]
    believed = any(row.added and row.added.posterior for row in board.rows)
    if believed:
        columns.append(f"P(better by > {ROPE[board.headline]:g})")
    rows = [
        [
            row.label,
            *(number(row.added.differences[name], signed=True) for name in names),
            p_value(row.added.p),
            *([_belief(row)] if believed else []),
        ]
        for row in board.rows
        if row.added
    ]
    return columns, rows


def _belief(row: Row) -> str:
    posterior = row.added.posterior if row.added else None
    return "" if posterior is None else f"{posterior.p_better:.3f}"


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


def adequacy_table(board: Board) -> tuple[list[str], list[list[str]]] | None:
    """Candidate parameters and n against the criteria; None where no row says what it saw."""
    rows = []
    for row in board.rows:
        size = row.assessment.adequacy
        if size is None or row.role == "floor":
            continue
        rows.append(
            [
                row.label,
                str(size.parameters),
                "" if size.events_per_parameter is None else f"{size.events_per_parameter:.1f}",
                str(size.required),
                f"{size.n / size.required:.2f}",
                "" if size.shrinkage != size.shrinkage else f"{size.shrinkage:.2f}",
            ]
        )
    columns = ["model", "parameters", "events per parameter", "n required", "n / required",
               "expected shrinkage"]  # fmt: skip
    return (columns, rows) if rows else None


def adequacy_note(board: Board) -> str:
    """What the table of sample size assumes."""
    hoped = (
        f"R² of {ANTICIPATED_R2:g}" if board.kind == "regression" else f"AUC of {ANTICIPATED_AUC:g}"
    )
    return (
        f"Riley's criteria at a hoped-for {hoped}, for candidate parameters before any selection "
        "and an unpenalised model; penalties and trees need other, seldom smaller, numbers."
    )


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


def worst_table(board: Board) -> tuple[list[str], list[list[str]]] | None:
    """The subgroup in which each model does worst, among those large enough to be shown."""
    if board.kind == "regression":
        return None
    rows = []
    for row in board.rows:
        least = worst(row.assessment.subgroups[0])
        if least is not None and least.discrimination is not None:
            name = f"{least.variable}: {least.level}"
            rows.append([row.label, name, str(least.n), number(least.discrimination)])
    columns = ["model", "subgroup with the lowest AUC", "n", "AUC"]
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
        row.label + MARKS[row.verification],
        ROLES[row.role],
        *(number(row.estimate(name)) for name in SHOWN[board.kind]),
        *([_added(row, board.headline)] if board.reference else []),
        *([_share(row)] if _has_share(board) else []),
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
