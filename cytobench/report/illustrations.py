"""Which figures a page has, with the words that go with each: caption and alternative text."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from cytobench.evaluate.assessment import Assessment
from cytobench.leaderboard.rank import Board, Row
from cytobench.leaderboard.tables import TITLES, number
from cytobench.report import curves, figures
from cytobench.report.figures import png, svg
from cytobench.report.forests import Line, forest

NULL_VALUE = {"auc": 0.5, "mae": None}


@dataclass(frozen=True)
class Illustration:
    """A figure with its words.

    Attributes
    ----------
    name : str
        File name without suffix.
    """

    name: str
    figure: Any
    caption: str
    alt: str

    @property
    def address(self) -> str:
        """The figure itself as an address: the page needs no other file."""
        return "data:image/svg+xml;base64," + b64encode(svg(self.figure).encode()).decode()

    def files(self) -> dict[str, bytes]:
        """File name -> content, as SVG and PNG."""
        return {
            f"{self.name}.svg": svg(self.figure).encode(),
            f"{self.name}.png": png(self.figure),
        }


def of_cell(row: Row, board: Board) -> Iterator[Illustration]:
    """Every figure of one model's page."""
    cell = row.assessment
    headline = row.estimate(board.headline)
    folds = cell.scores.folds
    said = f"{TITLES[board.headline]} {number(headline)}"
    if board.kind == "regression":
        yield Illustration(
            "predictions",
            figures.observed_predicted(folds, headline, row.label),
            "Observed against predicted outcome, each patient once (mean over repeats).",
            f"Scatter of observed against predicted outcome. {said}.",
        )
    else:
        yield from _of_probabilities(row, board, said)
    yield from _subgroups(cell, board.kind, row.label)
    if row.chance is not None and row.cell is not None:
        null = list(board.entry.null[row.cell.key].values())
        yield Illustration(
            "chance",
            curves.chance(null, headline.value, row.chance, row.label),
            "The observed score among those of the whole procedure on permuted labels.",
            f"Histogram of {row.chance.permutations} permuted scores; p = {row.chance.p:.3f}.",
        )


def _of_probabilities(row: Row, board: Board, said: str) -> Iterator[Illustration]:
    cell, title = row.assessment, row.label
    folds = cell.scores.folds
    yield Illustration(
        "roc",
        figures.roc(folds, row.estimate("auc"), title),
        "ROC curve: mean over folds, each repeat behind it. Its area is the AUC of the table.",
        f"ROC curve. {said}.",
    )
    yield Illustration(
        "calibration",
        curves.smoothed_calibration(cell, title),
        "Calibration: observed share (loess, span 0.75) against predicted probability.",
        f"Calibration curve. Slope {number(row.estimate('calibration_slope'))}, "
        f"ICI {number(row.estimate('ici'))}.",
    )
    reference = next(
        (other.assessment.decision for other in board.rows if other.label == board.reference), None
    )
    if cell.decision is not None:
        yield Illustration(
            "decision",
            curves.decision(cell.decision, cell, title, reference),
            "Decision curve over the thresholds that the task declares.",
            f"Net benefit against threshold. At {cell.decide_at:g}: "
            f"{number(row.estimate('net_benefit'))}.",
        )
    yield Illustration(
        "risks",
        figures.risk_by_outcome(folds, title),
        "Predicted probabilities of the patients with and without the outcome.",
        "Two histograms of predicted probabilities, by outcome.",
    )


def _subgroups(cell: Assessment, kind: str, title: str) -> Iterator[Illustration]:
    lines: list[Line] = []
    variable = ""
    for item in cell.subgroups[0]:
        if item.variable != variable:
            variable = item.variable
            lines.append(Line(variable))
        if item.discrimination is None:
            lines.append(Line(item.level, note="too few to show"))
        else:
            lines.append(Line(item.level, item.discrimination, f"n = {item.n}"))
    if not lines:
        return
    metric = "MAE" if kind == "regression" else "AUC"
    yield Illustration(
        "subgroups",
        forest(
            lines,
            title,
            f"{metric} in the subgroup",
            zero=None if kind == "regression" else 0.5,
            said="points: mean over repeats; bars: 95 % intervals, one repeat's patients",
        ),
        f"{metric} in each subgroup with its 95 % interval; cells with fewer than ten patients "
        "of either outcome are not shown.",
        f"Forest plot of {metric} by subgroup; the numbers are in the table of subgroups.",
    )


def of_board(board: Board) -> Iterator[Illustration]:
    """The figures of an entry's page."""
    rows = [*([board.ceiling] if board.ceiling else []), *board.rows]
    name = TITLES[board.headline]
    yield Illustration(
        "models",
        forest(
            [
                Line(
                    row.label,
                    row.estimate(board.headline),
                    number(row.estimate(board.headline)),
                    quiet=row.role != "model",
                )
                for row in rows
            ],
            f"{name} of every model",
            f"{name}, 95 % interval",
            zero=NULL_VALUE.get(board.headline),
            said="grey: floors and ceiling; models whose intervals overlap may still differ",
        ),
        f"{name} with its 95 % interval. Which rows are tied is said in the table.",
        f"Forest plot of {name} for {len(rows)} rows; the numbers are in the table.",
    )
    added = [row for row in board.rows if row.added is not None]
    if added:
        yield Illustration(
            "added",
            forest(
                [
                    Line(
                        row.label,
                        row.added.differences[board.headline],
                        number(row.added.differences[board.headline], signed=True),
                        quiet=row.role != "model",
                    )
                    for row in added
                    if row.added
                ],
                f"What each model adds to {board.reference}",
                f"difference in {name}; above 0 is better",
                zero=0,
            ),
            "Paired difference to the clinical floor on the same folds, with its 95 % interval.",
            f"Forest plot of differences in {name} to {board.reference}.",
        )
