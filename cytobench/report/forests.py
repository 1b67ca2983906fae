"""Figures of many estimates: models of a board, subgroups of a cell, as points with intervals."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from cytobench.evaluate.intervals import Estimate
from cytobench.report.figures import BLUE, DASHED, FAINT, GREY, INK, QUIET, say, sheet
from cytobench.report.text import lines_of, printable

LABEL = 34
"""Characters of a label on one line; what does not fit on two stands in the table."""


@dataclass(frozen=True)
class Line:
    """One line of a forest plot; without an estimate it is a heading.

    Attributes
    ----------
    note : str
        Stands at the right: the number, or why there is none.
    quiet : bool
        Drawn in grey: floors and ceilings.
    """

    label: str
    estimate: Estimate | None = None
    note: str = ""
    quiet: bool = False


def forest(
    lines: Sequence[Line], title: str, xlabel: str, *, zero: float | None, said: str = ""
) -> Any:
    """Points with 95 % intervals, one line each, from the top.

    Parameters
    ----------
    zero : float, optional
        Where no effect stands: 0.5 for an AUC, 0 for a difference.
    """
    figure = sheet(title, 7.6, 1.3 + 0.32 * len(lines))
    axes = figure.add_subplot()
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.spines["bottom"].set_color(GREY)
    axes.tick_params(colors=INK, labelsize=9, left=False)
    axes.grid(axis="x", color=FAINT, linewidth=0.7)
    axes.set_axisbelow(True)
    if zero is not None:
        axes.axvline(zero, color=GREY, linewidth=1, linestyle=DASHED)
    for position, line in enumerate(lines):
        _draw(axes, line, -position)
    labels = [lines_of(line.label, LABEL, most=2) for line in lines]
    axes.set_yticks([-k for k in range(len(lines))], labels)
    for tick, label, line in zip(axes.get_yticklabels(), labels, lines, strict=True):
        tick.set_fontweight("bold" if line.estimate is None and not line.note else "normal")
        if "\n" in label:
            tick.set_fontsize(7.5)
    axes.set_ylim(-len(lines) + 0.4, 0.6)
    axes.set_xlabel(xlabel, fontsize=9.5)
    say(axes, said)
    return figure


def _draw(axes: Any, line: Line, height: float) -> None:
    colour = QUIET if line.quiet else BLUE
    estimate = line.estimate
    if estimate is not None and estimate.value == estimate.value:
        if estimate.low is not None and estimate.high is not None:
            axes.hlines(height, estimate.low, estimate.high, color=colour, linewidth=2)
        marker = "D" if line.quiet else "o"
        axes.plot(estimate.value, height, marker, color=colour, markersize=6)
    axes.annotate(
        printable(line.note),
        (1.01, height),
        xycoords=("axes fraction", "data"),
        va="center",
        fontsize=8.5,
        color=INK,
        annotation_clip=False,
    )
