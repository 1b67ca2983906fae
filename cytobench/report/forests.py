"""Figures of many estimates: models of a board, subgroups of a cell, as points with intervals."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cytobench.evaluate.intervals import Estimate
from cytobench.report.figures import BLUE, DASHED, GREY, INK, QUIET, framed, say
from cytobench.report.text import lines_of, printable

LABEL = 34
"""Characters of a label on one line; what does not fit on two stands in the table."""
NOTE = 8.5
"""Font size of a note."""


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
    from cytobench.report.framing import GAP, wide

    notes = [printable(line.note) for line in lines]
    figure, axes = rows(
        title,
        [line.label for line in lines],
        headings=[k for k, line in enumerate(lines) if line.estimate is None and not line.note],
        right=GAP + max((wide(note, NOTE) for note in notes), default=0.0),
    )
    if zero is not None:
        axes.axvline(zero, color=GREY, linewidth=1, linestyle=DASHED)
    for quiet in (False, True):
        _draw(axes, {-k: line for k, line in enumerate(lines) if line.quiet is quiet}, quiet)
    for k, note in enumerate(notes):
        axes.annotate(note, (1, -k), (GAP, 0), ("axes fraction", "data"), "offset points",
                      va="center", fontsize=NOTE, color=INK, annotation_clip=False)  # fmt: skip
    axes.set_xlabel(xlabel)
    say(axes, said)
    return figure


def rows(
    title: str, labels: Sequence[str], *, headings: Collection[int] = (), right: float = 0.0
) -> tuple[Any, Any]:
    """An empty figure with a named row for each label, the first at 0 and each other 1 below.

    Parameters
    ----------
    headings : collection of int
        Rows whose label is bold.
    right : float
        Points that are kept for words at the right of the rows.
    """
    from matplotlib.ticker import FixedFormatter, FixedLocator

    from cytobench.report.framing import Framed

    heights = [-k for k in range(len(labels))]
    bold = {heights[k] for k in headings}
    frame = Framed(rows=True, bold=bold, right=right)
    figure, axes = framed(title, 7.6, 1.3 + 0.32 * len(labels), frame)
    axes.spines["left"].set_visible(False)
    axes.yaxis.set_major_locator(FixedLocator(heights))
    axes.yaxis.set_major_formatter(FixedFormatter([lines_of(x, LABEL, most=2) for x in labels]))
    axes.set_ylim(-len(labels) + 0.4, 0.6)
    return figure, axes


def _draw(axes: Any, lines: Mapping[int, Line], quiet: bool) -> None:
    """Points and intervals of lines that look alike, by their height."""
    colour = QUIET if quiet else BLUE
    known = {
        height: line.estimate
        for height, line in lines.items()
        if line.estimate is not None and line.estimate.value == line.estimate.value
    }
    ends = [
        (height, item.low, item.high)
        for height, item in known.items()
        if item.low is not None and item.high is not None
    ]
    if ends:
        axes.hlines(*zip(*ends, strict=True), color=colour, linewidth=2)
    if known:
        values = [item.value for item in known.values()]
        marker = "D" if quiet else "o"
        axes.plot(values, list(known), marker, color=colour, markersize=6)
