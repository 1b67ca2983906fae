"""Figures of utility and chance: decision curve, smoothed calibration, permutation null."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cytobench.evaluate.assessment import Assessment
from cytobench.evaluate.calibration import local_quadratic, smooth
from cytobench.evaluate.chance import AgainstChance
from cytobench.evaluate.decision import DecisionCurve
from cytobench.report.figures import BLUE, GREY, ORANGE, canvas, foot, say

Floats = NDArray[np.float64]


def decision(
    curve: DecisionCurve, assessment: Assessment, title: str, reference: DecisionCurve | None = None
) -> Any:
    """Net benefit against the threshold: the model, treating everybody, nobody, the clinical floor.

    The band is the 95 % interval over resampled patients.
    """
    figure, axes = canvas(title)
    t = curve.thresholds
    axes.fill_between(t, curve.low, curve.high, color=BLUE, alpha=0.15, linewidth=0)
    axes.plot(t, curve.model, color=BLUE, linewidth=2.4, label="model")
    if reference is not None:
        axes.plot(t, reference.model, color=ORANGE, linewidth=1.6, linestyle="--", label="clinical")
    axes.plot(t, curve.treat_all, color=GREY, linewidth=1.4, linestyle=":", label="treat all")
    axes.axhline(0, color=GREY, linewidth=1.4, label="treat none")
    top = max(float(curve.high.max()), float(curve.treat_all.max()), 0.02)
    axes.set(
        xlabel="threshold probability",
        ylabel="net benefit (share of all patients)",
        xlim=(t[0], t[-1]),
        ylim=(-0.25 * top, 1.08 * top),
    )
    axes.legend(frameon=False, fontsize=9, loc="upper right")
    say(axes, "band: 95 % interval over patients; the range was declared before the run")
    foot(figure, assessment.scores.folds)
    return figure


def smoothed_calibration(assessment: Assessment, title: str) -> Any:
    """The smoothed calibration curve of every repeat, their mean, and its pointwise band.

    The band is that of one repeat (linear smoother, binomial variance): repeats add no patients.
    """
    repeats = list(assessment.scores.out_of_fold.repeats())
    figure, axes = canvas(title, square=True)
    axes.plot([0, 1], [0, 1], color=GREY, linewidth=1, linestyle=(0, (4, 3)))
    low, high = _common_range(repeats)
    grid = np.linspace(low, high, 101)
    curves = []
    for y, p in repeats:
        fitted = smooth(y, p)
        order = np.argsort(fitted.predicted, kind="stable")
        x, first = np.unique(fitted.predicted[order], return_index=True)
        curves.append(np.interp(grid, x, fitted.observed[order][first]))
        axes.plot(grid, curves[-1], color=BLUE, alpha=0.25, linewidth=0.9)
    mean = np.mean(curves, axis=0)
    y, p = repeats[0]
    if len(np.unique(p)) > 10:
        matrix = local_quadratic(p, grid)
        fitted_risk = np.clip(np.interp(p, grid, mean), 0.01, 0.99)
        se = np.sqrt((matrix**2) @ (fitted_risk * (1 - fitted_risk)))
        ends = (np.clip(mean - 1.96 * se, 0, 1), np.clip(mean + 1.96 * se, 0, 1))
        axes.fill_between(grid, *ends, color=BLUE, alpha=0.15, linewidth=0)
    axes.plot(grid, mean, color=BLUE, linewidth=2.4)
    axes.set(
        xlabel="predicted probability",
        ylabel="observed share (loess)",
        xlim=(-0.01, 1.01),
        ylim=(-0.01, 1.01),
    )
    slope = assessment.estimate("calibration_slope")
    ici = assessment.estimate("ici")
    said = "undefined" if slope.value != slope.value else f"{slope.value:.2f}"
    say(axes, f"slope {said}, ICI {ici.value:.3f}; bold: mean of repeats, band: 95 %, pointwise")
    foot(figure, assessment.scores.folds)
    return figure


def _common_range(repeats: Sequence[tuple[Floats, Floats]]) -> tuple[float, float]:
    """Where every repeat has predictions; a curve is not drawn beyond its data."""
    low = max(float(np.quantile(p, 0.01)) for _, p in repeats)
    high = min(float(np.quantile(p, 0.99)) for _, p in repeats)
    return (low, high) if high > low else (low - 1e-3, low + 1e-3)


def chance(null: Sequence[float], observed: float, test: AgainstChance, title: str) -> Any:
    """The observed score among those of permuted labels."""
    figure, axes = canvas(title)
    values = np.asarray(null, dtype=float)
    axes.hist(values, bins=min(30, max(5, len(values) // 4)), color=GREY, alpha=0.6)
    axes.axvline(observed, color=BLUE, linewidth=2.4)
    axes.axvline(float(values.mean()), color=GREY, linewidth=1.4, linestyle=(0, (4, 3)))
    axes.set(xlabel="score of the whole procedure on permuted labels", ylabel="permutations")
    say(
        axes,
        f"observed {observed:.3f} (blue), chance {values.mean():.3f} (dashed); "
        f"p = {test.p:.3f}, {test.permutations} permutations",
    )
    return figure
