"""Which figures a page has, with the words that go with each: caption and alternative text."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from cytobench.core.result import FoldResult
from cytobench.evaluate.assessment import Assessment
from cytobench.evaluate.epochs import epoch_curves
from cytobench.leaderboard.rank import Board, Row
from cytobench.leaderboard.tables import TITLES, number
from cytobench.report import curves, figures
from cytobench.report.figures import png, svg
from cytobench.report.forests import Line, forest
from cytobench.report.training_figure import STYLES, training_figure

NULL_VALUE = {"auc": 0.5, "mae": None}


@dataclass(frozen=True)
class Illustration:
    """A figure with its words.

    Attributes
    ----------
    name : str
        File name without suffix.
    alt : str
        What the figure shows, for those who cannot see it.
    wide : bool
        Needs the whole width of a page.
    """

    name: str
    figure: Any
    caption: str
    alt: str
    wide: bool = False

    @cached_property
    def vector(self) -> bytes:
        """The figure as an SVG file."""
        return svg(self.figure).encode()

    @property
    def address(self) -> str:
        """The figure itself as an address: the page needs no other file."""
        return "data:image/svg+xml;base64," + b64encode(self.vector).decode()

    def files(self) -> dict[str, bytes]:
        """File name -> content, as SVG and PNG."""
        return {f"{self.name}.svg": self.vector, f"{self.name}.png": png(self.figure)}


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
            "Observed against predicted outcome in groups of equal size by prediction: mean, and "
            "quartiles of 20 patients or more. Each patient counts once (mean over repeats).",
            f"Observed against predicted outcome of groups, with the diagonal. {said}; "
            f"calibration slope {number(row.estimate('calibration_slope'))}.",
        )
    else:
        yield from _of_probabilities(row, board, said)
    yield from of_training(folds, row.label)
    yield from _subgroups(cell, board.kind, row.label)
    if row.chance is not None and row.cell is not None:
        null = list(board.entry.null[row.cell.key].values())
        test, name = row.chance, TITLES[board.headline]
        yield Illustration(
            "chance",
            curves.chance(null, headline.value, test, row.label, name),
            f"The observed {name} among those of the whole procedure on permuted labels: "
            f"p = {test.p:.3f}, {test.permutations} permutations.",
            f"Histogram of {name} on {test.permutations} permutations of the labels; the observed "
            f"{number(headline)} is marked; p = {test.p:.3f}.",
        )


def _of_probabilities(row: Row, board: Board, said: str) -> Iterator[Illustration]:
    cell, title = row.assessment, row.label
    folds = cell.scores.folds
    yield Illustration(
        "roc",
        figures.roc(folds, row.estimate("auc"), title, cell.scores.hidden),
        "ROC curve: mean over the folds that hold both classes. Its area is the AUC of the table.",
        f"ROC curve: sensitivity against 1 - specificity. {said}.",
    )
    yield _calibration(row)
    floor = next((other for other in board.rows if other.label == board.reference), None)
    reference = floor.assessment.decision if floor is not None and floor is not row else None
    if cell.decision is not None:
        low, high = cell.thresholds
        yield Illustration(
            "decision",
            curves.decision(cell.decision, cell, title, reference),
            f"Decision curve over the thresholds that the task declares before the run, {low:g} to "
            f"{high:g}: acting on the model is worth it where it is above treating all and none.",
            f"Net benefit against threshold probability, for the model and for treating all or "
            f"none. At {cell.decide_at:g}: {number(row.estimate('net_benefit'))}.",
        )
    yield Illustration(
        "risks",
        figures.risk_by_outcome(folds, title),
        "Predicted probabilities of the patients with the outcome (filled) and without it (line); "
        "dotted and dashed: their medians.",
        f"Two overlaid histograms of predicted probabilities, by outcome. {_medians(row)}",
    )


def _medians(row: Row) -> str:
    patients = figures.patient_means(row.assessment.scores.folds)
    said = [
        f"Median {name}: {float(np.median(values)):.2f}."
        for outcome, name in ((1, "with the outcome"), (0, "without it"))
        if len(values := patients.prediction[patients.y == outcome])
    ]
    return " ".join(said)


def _calibration(row: Row) -> Illustration:
    smoothed = curves.can_be_smoothed(row.assessment)
    how = (
        "observed share (loess, span 0.75, degree 2) against predicted probability"
        if smoothed
        else "observed share in groups of patients against their mean prediction, with Wilson's "
        "95 % intervals; the model makes too few different predictions for a smooth curve"
    )
    return Illustration(
        "calibration",
        curves.smoothed_calibration(row.assessment, row.label),
        f"Calibration: {how}. On the diagonal, predictions mean what they say.",
        f"Calibration {'curve' if smoothed else 'by groups'}. Slope "
        f"{number(row.estimate('calibration_slope'))}, ICI {number(row.estimate('ici'))}.",
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
    shown = sum(line.estimate is not None for line in lines)
    if not shown:
        return
    metric = "MAE" if kind == "regression" else "AUC"
    least = (
        "fewer than 20 patients"
        if kind == "regression"
        else "fewer than ten patients of either outcome"
    )
    yield Illustration(
        "subgroups",
        forest(
            lines,
            title,
            f"{metric} in the subgroup",
            zero=None if kind == "regression" else 0.5,
            said="points: mean over repeats; bars: 95 % intervals, one repeat's patients",
        ),
        f"{metric} in each subgroup with its 95 % interval; cells with {least} are not shown.",
        f"Forest plot of {metric} in {shown} subgroups; the numbers are in the table of subgroups.",
        wide=True,
    )


def of_training(folds: Sequence[FoldResult], label: str) -> Iterator[Illustration]:
    """What a network's losses did while it was trained; nothing where no fold tells."""
    told = epoch_curves([fold.curves for fold in folds])
    if not told:
        return
    longest = max(told, key=lambda curve: len(curve.mean))
    count = int(longest.training[0])
    first = int((longest.training == count).sum())
    ends = "; ".join(f"{c.name} {c.mean[0]:.3g} to {c.mean[-1]:.3g}" for c in told[: len(STYLES)])
    yield Illustration(
        "training",
        training_figure(told, f"Training of {label}", count),
        "What the model tells of its training, by epoch. Patients whom it holds out to know when "
        "to stop are of the training part; no test patient is among them. The first fold stopped "
        f"after {first} epochs, the last after {len(longest.mean)}; one that has stopped keeps its "
        "last value.",
        f"Line chart of the mean over {count} folds by epoch, first and last: {ends}.",
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
            said="diamonds: floors and ceiling; models whose intervals overlap may still differ",
        ),
        f"{name} with its 95 % interval. Which rows are tied is said in the table.",
        f"Forest plot of {name} for {len(rows)} rows; the numbers are in the table.",
        wide=True,
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
            f"Forest plot of differences in {name} to {board.reference} for {len(added)} rows; "
            "the numbers are in the table.",
            wide=True,
        )
