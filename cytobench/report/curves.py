"""Figures of utility and chance: decision curve, smoothed calibration, permutation null."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cytobench.evaluate.assessment import Assessment
from cytobench.evaluate.calibration import FEWEST_LEVELS, local_quadratic, smooth
from cytobench.evaluate.chance import AgainstChance
from cytobench.evaluate.decision import DecisionCurve
from cytobench.report.figures import (
    BLUE,
    DASHED,
    GREY,
    INK,
    ORANGE,
    QUIET,
    calibration,
    canvas,
    foot,
    key,
    say,
)

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
    axes.plot(t, curve.treat_all, color=QUIET, linewidth=1.6, linestyle=":", label="treat all")
    axes.axhline(0, color=GREY, linewidth=1.4, label="treat none")
    top = max(float(curve.high.max()), float(curve.treat_all.max()), 0.02)
    # Treating all falls without bound; the model is always seen whole.
    bottom = min(-0.25 * top, 1.08 * float(curve.model.min()))
    axes.set(
        xlabel="threshold probability",
        ylabel="net benefit (share of all patients)",
        xlim=(t[0], t[-1]),
        ylim=(bottom, 1.08 * top),
    )
    key(axes, columns=4)
    foot(figure, assessment.scores.folds, "band: 95 % interval over patients")
    return figure


def smoothed_calibration(assessment: Assessment, title: str) -> Any:
    """The smoothed calibration curve of every repeat, their mean, and its pointwise band.

    The band is that of one repeat (linear smoother, binomial variance): repeats add no patients.
    Where a model makes a few different predictions only, there is nothing to smooth: groups of
    patients are shown as points.
    """
    repeats = list(assessment.scores.out_of_fold.repeats())
    if not can_be_smoothed(assessment):
        return calibration(assessment.scores.folds, title)
    figure, axes = canvas(title, square=True)
    axes.plot([0, 1], [0, 1], color=GREY, linewidth=1, linestyle=DASHED)
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
    drawn = "bold: mean of repeats, thin: each" if len(repeats) > 1 else "one repeat"
    say(axes, f"slope {said}, ICI {ici.value:.3f}; {drawn}")
    foot(figure, assessment.scores.folds, "band: pointwise 95 % interval")
    return figure


def can_be_smoothed(assessment: Assessment) -> bool:
    """Whether predictions differ enough, patient by patient, for a smooth curve.

    The levels of a step function (a cut-off, a constant) differ between folds, so that pooled
    predictions seem to have many: those of a single fold count.
    """
    levels = [len(set(fold.predictions.prediction)) for fold in assessment.scores.folds]
    repeats = assessment.scores.out_of_fold.repeats()
    pooled = min(_spread(p) for _, p in repeats)
    return pooled > 0 and float(np.median(levels)) >= FEWEST_LEVELS


def _spread(prediction: Floats) -> float:
    return float(np.quantile(prediction, 0.99) - np.quantile(prediction, 0.01))


def _common_range(repeats: Sequence[tuple[Floats, Floats]]) -> tuple[float, float]:
    """Where every repeat has predictions; a curve is not drawn beyond its data."""
    low = max(float(np.quantile(p, 0.01)) for _, p in repeats)
    high = min(float(np.quantile(p, 0.99)) for _, p in repeats)
    return (low, high) if high > low else (low - 1e-3, low + 1e-3)


def chance(
    null: Sequence[float], observed: float, test: AgainstChance, title: str, metric: str
) -> Any:
    """The observed score among those of permuted labels.

    Parameters
    ----------
    null : sequence of float
        Scores on permuted labels; undefined ones (NaN) are left out.
    metric : str
        The score's name, with its unit.
    """
    from matplotlib.ticker import MaxNLocator

    figure, axes = canvas(title)
    values = np.asarray(null, dtype=float)
    values = values[~np.isnan(values)]
    known = [score for score in (*values, observed) if score == score]
    low, high = (min(known), max(known)) if known else (0.0, 1.0)
    margin = max(0.06 * (high - low), 0.01 * max(abs(high), 1.0))
    edges = np.linspace(low - margin, high + margin, 41)
    label = f"{len(values)} permutations"
    counts, _, _ = axes.hist(
        values, bins=edges, color=GREY, edgecolor="white", linewidth=0.5, label=label
    )
    if len(values):
        axes.axvline(
            float(values.mean()), color=INK, linewidth=1.4, linestyle=DASHED,
            label=f"their mean {values.mean():.3f}",
        )  # fmt: skip
    if observed == observed:
        axes.axvline(observed, color=BLUE, linewidth=2.6, label=f"observed {observed:.3f}")
    axes.set(
        xlabel=f"{metric} of the whole procedure on permuted labels",
        ylabel="permutations",
        xlim=(edges[0], edges[-1]),
        ylim=(0, 1.05 * max(1, *counts)),
    )
    axes.yaxis.set_major_locator(MaxNLocator(integer=True))
    key(axes, columns=3)
    figure.supxlabel(
        f"p = {test.p:.3f}; with {test.permutations} permutations it cannot be below "
        f"{1 / (test.permutations + 1):.3f}",
        fontsize=9,
        color=QUIET,
    )
    return figure
