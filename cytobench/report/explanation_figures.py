"""Figures of what a model goes by: cost of shuffling, columns that folds agree on, dependence."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from cytobench.evaluate.importance import Dependence, Importance
from cytobench.evaluate.stability import Stability
from cytobench.leaderboard.tables import number
from cytobench.report.figures import BLUE, FAINT, GREY, INK, say, sheet
from cytobench.report.forests import LABEL, Line, forest, rows
from cytobench.report.text import lines_of, printable

SHOWN = 15
"""Columns in a figure; the table holds all."""
COST = {"auc": "fall of the AUC", "log_loss": "rise of the log-loss", "mae": "rise of the MAE"}
ACROSS = 3
"""Panels of dependence in a row."""
LOGARITHMIC = 10.0
"""A grid of which the ends are further apart than this factor has a logarithmic axis."""


def shown_of(found: Sequence[Importance]) -> list[Importance]:
    """Those that are drawn: the most important of the columns that cost anything in any fold."""
    costing = [item for item in found if any((item.cost.value, item.cost.low, item.cost.high))]
    return list(costing or found)[:SHOWN]


def importance_figure(found: Sequence[Importance], loss: str, title: str) -> Any:
    """What shuffling each of the most important columns costs, with its 95 % interval.

    Parameters
    ----------
    found : sequence of Importance
        The most important first.
    loss : str
        A key of `COST`.
    """
    shown = shown_of(found)
    lines = [
        Line(
            item.column,
            item.cost,
            number(item.cost, signed=True),
            quiet=item.cost.low is not None and not item.clear,
        )
        for item in shown
    ]
    said = "grey diamonds: not distinguishable from zero"
    if all(item.cost.low is None for item in shown):
        said = shown[0].cost.method
    xlabel = f"{COST[loss]} when the column is shuffled"
    return forest(lines, title, xlabel, zero=0, said=said)


def selection_figure(found: Stability, what: str, title: str) -> Any:
    """In which share of the folds each column was taken, the most frequent first.

    Parameters
    ----------
    what : str
        What "taken" means.
    """
    shown = [item for item in found.share.items() if item[1]][:SHOWN]
    figure, axes = rows(title, [column for column, _ in shown])
    heights = [-k for k in range(len(shown))]
    shares = [100 * share for _, share in shown]
    axes.barh(heights, shares, color=BLUE, height=0.6)
    for height, share in zip(heights, shares, strict=True):
        axes.annotate(
            f"{share:.0f} %", (share, height), (4, 0), textcoords="offset points", va="center",
            fontsize=8.5, color=INK,
        )  # fmt: skip
    axes.set(xlim=(0, 108), xticks=range(0, 101, 20))
    axes.set_xlabel(f"% of {found.folds} folds in which the column is {what}")
    say(axes, f"stability {number(found.index)}: 1 for the same columns in every fold, 0 by lot")
    return figure


def dependence_figure(found: Sequence[Dependence], outcome: str, title: str) -> Any:
    """Small multiples on one vertical scale: the mean prediction against a column's value.

    Parameters
    ----------
    outcome : str
        What is predicted, with its unit.
    """
    down = math.ceil(len(found) / ACROSS)
    across = min(ACROSS, len(found))
    height = 1.2 + 2.2 * down
    figure = sheet(title, 7.6, height)
    figure.set_layout_engine("none")  # panels of one size: nothing needs solving
    places = {
        "left": 0.1, "right": 0.98, "top": 1 - 0.5 / height, "bottom": 0.6 / height,
        "hspace": 0.38, "wspace": 0.08,
    }  # fmt: skip
    grid = figure.subplots(down, across, sharey=True, squeeze=False, gridspec_kw=places)
    panels = list(grid.flat)
    for axes, item in zip(panels, found, strict=False):
        _draw_dependence(axes, item)
    for axes in panels[len(found) :]:
        axes.set_axis_off()
    figure.supylabel(outcome, x=0.012, fontsize=9.5, color=INK)
    return figure


def _draw_dependence(axes: Any, item: Dependence) -> None:
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["left", "bottom"]].set_color(GREY)
    axes.grid(color=FAINT, linewidth=0.7)
    axes.set_axisbelow(True)
    axes.fill_between(item.grid, item.low, item.high, color=BLUE, alpha=0.15, linewidth=0)
    axes.plot(item.grid, item.mean, "o-", color=BLUE, linewidth=1.8, markersize=3.5)
    unit = f" ({printable(item.unit)})" if item.unit else ""
    axes.set_xlabel(lines_of(item.column, LABEL - 8, most=2) + unit, fontsize=9, color=INK)
    if item.grid[0] > 0 and item.grid[-1] > LOGARITHMIC * item.grid[0]:
        _logarithmic(axes)
    axes.tick_params(which="both", colors=INK, labelsize=8)


def _logarithmic(axes: Any) -> None:
    """A logarithmic axis with plain numbers: powers as formulas are not drawn in our SVG."""
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

    axes.set_xscale("log")
    axes.xaxis.set_major_locator(LogLocator(subs=(1.0, 3.0)))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.xaxis.set_minor_formatter(NullFormatter())
