"""Mean ranks of models over datasets, with their intervals and the critical difference.

The diagram follows Demšar (2006, JMLR 7:1-30), turned upright: long names need room.
"""

from __future__ import annotations

from typing import Any

from cytobench.evaluate.ranks import Ranking
from cytobench.report.figures import BLUE, FAINT, GREY, INK, say, sheet
from cytobench.report.forests import LABEL
from cytobench.report.text import lines_of

INSET = 0.15
"""How far a bar reaches beyond the middle of its first and last row: neighbours do not touch."""


def ranks_figure(ranking: Ranking, title: str) -> Any:
    """Mean ranks as points with their 95 % intervals; bars join models that cannot be told apart.

    Bars and the length of the critical difference stand only where there are cohorts enough for
    Nemenyi's test.
    """
    rows = len(ranking.models)
    figure = sheet(title, 7.6, 1.8 + 0.34 * rows)
    # Bars have a column of their own: beside the ranks they would take the place of a rank.
    ranks, bars = figure.subplots(
        1, 2, sharey=True, width_ratios=[40, 3 + 1.2 * len(ranking.groups)]
    )
    _draw_ranks(ranks, ranking)
    _draw_numbers_and_bars(bars, ranking)
    said = f"{ranking.clusters} real cohorts; lines: 95 % intervals over resampled cohorts"
    if ranking.critical_difference is not None:
        _draw_critical_difference(ranks, ranking.critical_difference)
        said += "\nupright bars join models less than the critical difference apart (Nemenyi)"
    say(ranks, said)
    ranks.set_ylim(-rows + 0.4, 0.6 if ranking.critical_difference is None else 1.6)
    return figure


def _draw_ranks(axes: Any, ranking: Ranking) -> None:
    rows = len(ranking.models)
    heights = [-k for k in range(rows)]
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.spines["bottom"].set_color(GREY)
    axes.tick_params(colors=INK, labelsize=9, left=False)
    axes.grid(axis="x", color=FAINT, linewidth=0.7)
    axes.set_axisbelow(True)
    axes.hlines(heights, ranking.low, ranking.high, color=BLUE, linewidth=2)
    axes.plot(ranking.mean_ranks, heights, "o", color=BLUE, markersize=6.5)
    labels = [lines_of(model, LABEL, most=2) for model in ranking.models]
    axes.set_yticks(heights, labels)
    for tick, label in zip(axes.get_yticklabels(), labels, strict=True):
        if "\n" in label:
            tick.set_fontsize(7.5)
    axes.set_xlim(0.8, rows + 0.2)
    axes.set_xticks(range(1, rows + 1, 1 + rows // 20))
    axes.set_xlabel("mean rank over cohorts; 1 is best", fontsize=9.5)


def _draw_numbers_and_bars(axes: Any, ranking: Ranking) -> None:
    axes.set_axis_off()
    axes.set_xlim(0, 3 + 1.2 * len(ranking.groups))
    for row, mean in enumerate(ranking.mean_ranks):
        axes.text(0, -row, f"{mean:.2f}", va="center", fontsize=8.5, color=INK)
    for position, (first, last) in enumerate(ranking.groups):
        axes.vlines(3.4 + 1.2 * position, -last - INSET, -first + INSET, color=INK, linewidth=3)


def _draw_critical_difference(axes: Any, length: float) -> None:
    axes.plot([1, 1 + length], [1, 1], "|-", color=INK, linewidth=1.4, markersize=8)
    axes.annotate(
        f"critical difference {length:.2f}", (1 + length, 1), (6, 0),
        textcoords="offset points", va="center", fontsize=8.5, color=INK,
    )  # fmt: skip
