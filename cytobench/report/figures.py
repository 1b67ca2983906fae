"""Figures of one cell, drawn from its stored folds: ROC, calibration, predictions.

Only ``matplotlib.figure.Figure``: no pyplot, no window, nothing global.
"""

from __future__ import annotations

import io
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cytobench.core.result import FoldResult
from cytobench.evaluate.intervals import Estimate

Floats = NDArray[np.float64]

INK, GREY, FAINT = "#1d2733", "#8a94a0", "#e3e7ec"
BLUE, ORANGE = "#1b62a5", "#d9730d"
GRID = np.linspace(0, 1, 201)
"""False positive rates at which ROC curves are averaged."""
PER_GROUP = 12
"""Patients that a point of the calibration figure stands for, at least."""


@dataclass(frozen=True)
class PatientMeans:
    """Each patient once: outcome, and the mean of the out-of-fold predictions over repeats."""

    y: Floats
    prediction: Floats


def patient_means(folds: Sequence[FoldResult]) -> PatientMeans:
    """Average a cell's out-of-fold predictions by patient."""
    outcome: dict[str, float] = {}
    said: dict[str, list[float]] = defaultdict(list)
    for fold in folds:
        parts = fold.predictions
        for patient, y, prediction in zip(parts.patient, parts.y, parts.prediction, strict=True):
            outcome[patient] = y
            said[patient].append(prediction)
    return PatientMeans(
        np.array(list(outcome.values())), np.array([np.mean(said[patient]) for patient in outcome])
    )


def figures(
    kind: str, folds: Sequence[FoldResult], headline: Estimate, title: str
) -> dict[str, bytes]:
    """All figures of a cell.

    Parameters
    ----------
    kind : {"classification", "regression"}
    folds : sequence of FoldResult
    headline : Estimate
        AUC or MAE with its interval, as the leaderboard gives it.
    title : str
        The model's name; stands above each figure.

    Returns
    -------
    dict
        File name -> PNG.
    """
    if kind == "regression":
        return {"predictions.png": png(observed_predicted(folds, headline, title))}
    return {
        "roc.png": png(roc(folds, headline, title)),
        "calibration.png": png(calibration(folds, title)),
        "predictions.png": png(risk_by_outcome(folds, title)),
    }


def png(figure: Any) -> bytes:
    """A figure as PNG, without the version of the library that drew it."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=150, metadata={"Software": None})
    return buffer.getvalue()


def roc(folds: Sequence[FoldResult], auc: Estimate, title: str) -> Any:
    """The mean of the folds' ROC curves, with each repeat behind it.

    Curves are averaged at fixed false positive rates (Fawcett 2006,
    doi:10.1016/j.patrec.2005.10.010), so that the area under the mean curve is the mean AUC of the
    folds, which is the number in the leaderboard. Folds with one class only have no curve.
    """
    curves = {fold.fold: curve for fold in folds if (curve := _roc_curve(fold)) is not None}
    figure, axes = _canvas(title, square=True)
    axes.plot([0, 1], [0, 1], color=GREY, linewidth=1, linestyle=(0, (4, 3)))
    axes.annotate("chance", (0.86, 0.83), color=GREY, fontsize=9, rotation=45, ha="center")
    repeats = sorted({fold.repeat for fold in folds})
    groups = [[fold.fold for fold in folds if fold.repeat == repeat] for repeat in repeats]
    if len(groups) == 1:  # one repeat: its folds (sites, say) say more than their mean again
        groups = [[fold.fold] for fold in folds]
    for group in groups:
        drawn = [curves[fold] for fold in group if fold in curves]
        if drawn:
            axes.plot(*_mean_curve(drawn), color=BLUE, alpha=0.28, linewidth=0.9)
    if curves:
        axes.plot(*_mean_curve(list(curves.values())), color=BLUE, linewidth=2.4)
    behind = "repeat" if len(repeats) > 1 else "fold"
    _say(axes, [f"AUC {_text(auc)}", f"bold: mean of {len(curves)} folds; thin: each {behind}"])
    axes.set(xlabel="1 - specificity", ylabel="sensitivity", xlim=(-0.01, 1.01), ylim=(-0.01, 1.01))
    _foot(figure, folds)
    return figure


def _roc_curve(fold: FoldResult) -> Floats | None:
    """Sensitivity at the points of `GRID`, ties as straight lines."""
    outcome = np.asarray(fold.predictions.y) == 1
    score = np.asarray(fold.predictions.prediction, dtype=float)
    if outcome.all() or not outcome.any():
        return None
    cuts = np.unique(score)[::-1]
    at_least = score[None, :] >= cuts[:, None]
    sensitivity = np.r_[0, at_least[:, outcome].mean(axis=1)]
    false_alarms = np.r_[0, at_least[:, ~outcome].mean(axis=1)]
    # At a vertical step take its upper end: np.interp keeps the last of equal abscissae.
    found: Floats = np.interp(GRID, false_alarms, sensitivity)
    return found


def _mean_curve(curves: Sequence[Floats]) -> tuple[Floats, Floats]:
    mean = np.mean(curves, axis=0)
    return np.r_[0, GRID], np.r_[0, mean]


def calibration(folds: Sequence[FoldResult], title: str) -> Any:
    """Observed share against mean prediction in groups of patients, over a histogram of risks.

    Groups hold equally many patients; bars are Wilson's 95 % intervals (Wilson 1927,
    doi:10.1080/01621459.1927.10502953).
    """
    patients = patient_means(folds)
    figure, axes = _canvas(title, square=True)
    axes.plot([0, 1], [0, 1], color=GREY, linewidth=1, linestyle=(0, (4, 3)))
    axes.annotate("perfect", (0.9, 0.87), color=GREY, fontsize=9, rotation=45, ha="center")
    for group in _groups(patients.prediction):
        x, k, n = patients.prediction[group].mean(), patients.y[group].sum(), len(group)
        low, high = wilson(float(k), n)
        axes.plot([x, x], [low, high], color=BLUE, alpha=0.45, linewidth=1.6)
        axes.plot(x, k / n, "o", color=BLUE, markersize=6.5, markeredgecolor="white")
    bins = np.linspace(0, 1, 26)
    for outcome, colour, sign in ((1.0, ORANGE, 1), (0.0, GREY, -1)):
        counts, _ = np.histogram(patients.prediction[patients.y == outcome], bins)
        height = 0.07 * sign * counts / max(1, _largest_bin(patients, bins))
        axes.bar(bins[:-1], height, np.diff(bins), -0.12, align="edge", color=colour, alpha=0.8)
    axes.annotate("with", (1.0, -0.105), color=ORANGE, fontsize=8, ha="right")
    axes.annotate("without the outcome", (1.0, -0.185), color=INK, fontsize=8, ha="right")
    mean, share = patients.prediction.mean(), patients.y.mean()
    _say(axes, [f"mean prediction {mean:.2f}, observed {share:.2f}", "bars: 95 % intervals"], top=1)
    axes.set(
        xlabel="predicted probability (mean out-of-fold)",
        ylabel="observed share",
        xlim=(-0.01, 1.01),
        ylim=(-0.2, 1.01),
        yticks=np.linspace(0, 1, 6),
    )
    _foot(figure, folds)
    return figure


def _largest_bin(patients: PatientMeans, bins: Floats) -> int:
    counts = [np.histogram(patients.prediction[patients.y == y], bins)[0].max() for y in (0.0, 1.0)]
    return int(max(counts))


def _groups(prediction: Floats) -> list[NDArray[np.intp]]:
    """Positions of up to ten groups of equal size; equal predictions stay together."""
    wanted = int(np.clip(len(prediction) // PER_GROUP, 1, 10))
    edges = np.unique(np.quantile(prediction, np.linspace(0, 1, wanted + 1)[1:-1]))
    which = np.searchsorted(edges, prediction, side="right")
    return [np.flatnonzero(which == group) for group in np.unique(which)]


def wilson(events: float, n: int) -> tuple[float, float]:
    """Wilson's 95 % score interval of a share."""
    z = 1.959964
    centre = (events + z**2 / 2) / (n + z**2)
    half = z / (n + z**2) * np.sqrt(events * (n - events) / n + z**2 / 4)
    return float(centre - half), float(centre + half)


def risk_by_outcome(folds: Sequence[FoldResult], title: str) -> Any:
    """How predicted probabilities are distributed with and without the outcome."""
    patients = patient_means(folds)
    figure, axes = _canvas(title)
    bins = np.linspace(0, 1, 31)
    names = ((1.0, ORANGE, "with the outcome"), (0.0, BLUE, "without the outcome"))
    for outcome, colour, name in names:
        values = patients.prediction[patients.y == outcome]
        if len(values):
            weights = np.full(len(values), 100 / len(values))
            label = f"{name} (n = {len(values)})"
            axes.hist(values, bins, weights=weights, color=colour, alpha=0.35)
            axes.hist(values, bins, weights=weights, color=colour, histtype="step", linewidth=1.6)
            axes.plot([], [], color=colour, linewidth=6, alpha=0.6, label=label)
            axes.axvline(np.median(values), color=colour, linewidth=1.2, linestyle=(0, (4, 3)))
    axes.plot([], [], color=GREY, linewidth=1.2, linestyle=(0, (4, 3)), label="medians")
    axes.legend(frameon=False, fontsize=9, loc="upper right")
    axes.set(
        xlabel="predicted probability (mean out-of-fold)",
        ylabel="% of the patients in each group",
        xlim=(0, 1),
    )
    _foot(figure, folds)
    return figure


def observed_predicted(folds: Sequence[FoldResult], mae: Estimate, title: str) -> Any:
    """Observed against predicted outcome, each patient once, with the mean of equal groups."""
    patients = patient_means(folds)
    figure, axes = _canvas(title, square=True)
    both = np.r_[patients.y, patients.prediction]
    margin = 0.04 * max(float(np.ptp(both)), 1e-9)
    ends = (both.min() - margin, both.max() + margin)
    axes.plot(ends, ends, color=GREY, linewidth=1, linestyle=(0, (4, 3)), label="perfect")
    axes.plot(
        patients.prediction, patients.y, "o", color=BLUE, alpha=0.35, markersize=4.5,
        markeredgewidth=0, label="patient",
    )  # fmt: skip
    groups = _groups(patients.prediction)
    if len(groups) > 1:
        means = [(patients.prediction[g].mean(), patients.y[g].mean()) for g in groups]
        axes.plot(*zip(*means, strict=True), "o-", color=ORANGE, linewidth=1.6, label="group mean")
    axes.legend(frameon=False, fontsize=9, loc="lower right")
    _say(axes, [f"MAE {_text(mae, 1)}"], top=1)
    axes.set(xlabel="predicted (mean out-of-fold)", ylabel="observed", xlim=ends, ylim=ends)
    _foot(figure, folds)
    return figure


def _canvas(title: str, *, square: bool = False) -> tuple[Any, Any]:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(5.4, 5.2) if square else (6.4, 4.4), layout="constrained")
    figure.set_facecolor("white")
    axes = figure.add_subplot()
    axes.set_title(title, loc="left", fontsize=12, fontweight="bold", color=INK)
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["left", "bottom"]].set_color(GREY)
    axes.tick_params(colors=INK, labelsize=9)
    axes.grid(color=FAINT, linewidth=0.7)
    axes.set_axisbelow(True)
    return figure, axes


def _say(axes: Any, lines: Sequence[str], *, top: int = 0) -> None:
    """Words inside the axes: lower right, or upper left where `top`."""
    place = {"x": 0.03, "y": 0.97, "va": "top", "ha": "left"}
    if not top:
        place = {"x": 0.97, "y": 0.04, "va": "bottom", "ha": "right"}
    axes.text(
        s="\n".join(lines), transform=axes.transAxes, fontsize=10, color=INK, linespacing=1.5,
        bbox={"facecolor": "white", "edgecolor": "none", "alpha": 0.85}, **place,
    )  # fmt: skip


def _foot(figure: Any, folds: Sequence[FoldResult]) -> None:
    """Under the figure: how many patients and folds it rests on."""
    patients = {
        patient: y
        for f in folds
        for patient, y in zip(f.predictions.patient, f.predictions.y, strict=True)
    }
    figure.supxlabel(f"n = {len(patients)} patients, {len(folds)} folds", fontsize=8.5, color=GREY)


def _text(estimate: Estimate, digits: int = 2) -> str:
    if estimate.low is None or estimate.high is None:
        return f"{estimate.value:.{digits}f}"
    return f"{estimate.value:.{digits}f} ({estimate.low:.{digits}f} to {estimate.high:.{digits}f})"
