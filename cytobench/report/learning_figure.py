"""A learning curve: scores at the training sizes studied, and what the law through them expects."""

from __future__ import annotations

from typing import Any

from cytobench.evaluate.learning_curve import LearningCurve
from cytobench.report.figures import BLUE, DASHED, GREY, canvas, say

Z = 1.959964


def learning_figure(curve: LearningCurve, title: str, metric: str) -> Any:
    """Points with 95 % intervals; dashed, with its band, the law beyond the largest size studied.

    Parameters
    ----------
    metric : str
        The score's name, with its unit.
    """
    figure, axes = canvas(title)
    reach = Z * curve.standard_errors
    axes.vlines(
        curve.sizes, curve.estimates - reach, curve.estimates + reach, color=BLUE, linewidth=2
    )
    axes.plot(curve.sizes, curve.estimates, "o-", color=BLUE, markersize=6, linewidth=1.4)
    said = "no law fitted: the points do not determine one"
    if len(curve.grid):
        axes.fill_between(curve.grid, curve.low, curve.high, color=BLUE, alpha=0.15, linewidth=0)
        axes.plot(curve.grid, curve.median, color=BLUE, linewidth=1.6, linestyle=DASHED)
        axes.axvline(curve.sizes[-1], color=GREY, linewidth=1)
        said = "dashed: expected beyond the largest size studied, with its 95 % interval"
    axes.set(xlabel="patients in the training part", ylabel=metric)
    say(axes, said)
    return figure
