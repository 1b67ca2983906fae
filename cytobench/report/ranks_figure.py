"""Mean ranks of models over datasets, with their intervals and the critical difference.

The diagram follows Demšar (2006, JMLR 7:1-30), turned upright: long names need room.
"""

from __future__ import annotations

from typing import Any

from cytobench.evaluate.ranks import Ranking
from cytobench.report.figures import BLUE, FAINT, GREY, INK, say


def ranks_figure(ranking: Ranking, title: str) -> Any:
    """Mean ranks as points with their 95 % intervals; bars join models that cannot be told apart.

    Bars stand only where there are cohorts enough for Nemenyi's test.
    """
    from matplotlib.figure import Figure

    models = list(ranking.models)
    figure = Figure(figsize=(7.6, 1.6 + 0.34 * len(models)), layout="constrained")
    figure.set_facecolor("white")
    figure.suptitle(title, x=0.02, ha="left", fontsize=12, fontweight="bold", color=INK)
    axes = figure.add_subplot()
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.spines["bottom"].set_color(GREY)
    axes.tick_params(colors=INK, labelsize=9, left=False)
    axes.grid(axis="x", color=FAINT, linewidth=0.7)
    axes.set_axisbelow(True)
    heights = [-k for k in range(len(models))]
    axes.hlines(heights, ranking.low, ranking.high, color=BLUE, linewidth=2, alpha=0.6)
    axes.plot(ranking.mean_ranks, heights, "o", color=BLUE, markersize=6.5)
    for height, mean in zip(heights, ranking.mean_ranks, strict=True):
        axes.annotate(
            f"{mean:.2f}",
            (1.01, height),
            xycoords=("axes fraction", "data"),
            va="center",
            fontsize=8.5,
            color=INK,
            annotation_clip=False,
        )
    right = len(models) + 0.3
    for position, (first, last) in enumerate(ranking.groups):
        x = right + 0.18 * (position + 1)
        axes.vlines(x, -last - 0.25, -first + 0.25, color=INK, linewidth=3)
    axes.set_xlim(0.7, right + 0.18 * (len(ranking.groups) + 1))
    axes.set_ylim(-len(models) + 0.4, 0.6)
    axes.set_yticks(heights, models)
    axes.set_xticks(range(1, len(models) + 1))
    axes.set_xlabel("mean rank over cohorts; 1 is best", fontsize=9.5)
    said = f"{ranking.clusters} real cohorts; bars: 95 % intervals over resampled cohorts"
    if ranking.critical_difference is not None:
        said += f"\nupright bars: less than {ranking.critical_difference:.2f} apart (Nemenyi)"
    say(axes, said)
    return figure
