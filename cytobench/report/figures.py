"""Figures of one cell, drawn from its stored folds: ROC, calibration, predictions.

Only ``matplotlib.figure.Figure``: no pyplot, no window, nothing global.
"""

from __future__ import annotations

import io
import warnings
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from cytobench.core.result import FoldResult
from cytobench.evaluate.intervals import Estimate
from cytobench.report.text import lines_of

if TYPE_CHECKING:
    from cytobench.report.framing import Framed

Floats = NDArray[np.float64]

INK, QUIET, GREY, FAINT = "#1d2733", "#5b6773", "#8a94a0", "#e3e7ec"
"""Text, quieter text (contrast above 4.5 on white), lines that need no reading, the grid."""
BLUE, ORANGE = "#1b62a5", "#d9730d"
"""Never the only difference between two things: markers, dashes and fills differ too."""
DASHED = (0, (4, 3))
GRID = np.linspace(0, 1, 201)
"""False positive rates at which ROC curves are averaged."""
DPI = 110
"""Some 600 pixels wide: what MLflow's artifact view shows without scrolling."""
PER_GROUP = 12
"""Patients that a point of the calibration figure stands for, at least."""
WITH_QUARTILES = 20
"""Patients of whom five are beyond either quartile."""


@dataclass(frozen=True)
class PatientMeans:
    """Each patient once: outcome, and the mean of the out-of-fold predictions over repeats."""

    y: Floats
    prediction: Floats


def patient_means(folds: Sequence[FoldResult]) -> PatientMeans:
    """Average a cell's out-of-fold predictions by patient."""
    outcome: dict[str, float] = {}
    for fold in folds:
        outcome.update(zip(fold.predictions.patient, fold.predictions.y, strict=True))
    row = {patient: k for k, patient in enumerate(outcome)}
    which = [row[patient] for fold in folds for patient in fold.predictions.patient]
    said = [prediction for fold in folds for prediction in fold.predictions.prediction]
    total = np.bincount(which, weights=said, minlength=len(row))
    return PatientMeans(np.array(list(outcome.values())), total / np.bincount(which))


def svg(figure: Any) -> str:
    """A figure as SVG, the same bytes each time; text stays text, for search and screen readers."""
    from cytobench.report.pen import as_svg

    with _as_written(figure):
        return as_svg(figure)


def png(figure: Any) -> bytes:
    """A figure as PNG, without the version of the library that drew it."""
    buffer = io.BytesIO()
    with _as_written(figure):
        figure.savefig(buffer, format="png", dpi=DPI, metadata={"Software": None})
    return buffer.getvalue()


@contextmanager
def _as_written(figure: Any) -> Iterator[None]:
    """Draw names as they are written: a dollar sign in one starts no formula."""
    import matplotlib as mpl
    from matplotlib.text import Text

    settings = {"text.parse_math": False, "svg.hashsalt": "cytobench", "svg.fonttype": "none"}
    with mpl.rc_context(settings), warnings.catch_warnings():
        # In the SVG a name in another script is text, and the reader's fonts have it.
        warnings.filterwarnings("ignore", message="Glyph .* missing from", category=UserWarning)
        for artist in _shown(figure):
            if isinstance(artist, Text):
                artist.set_parse_math(False)
        engine = figure.get_layout_engine()
        if engine is not None:
            # Laid out once for both formats, without drawing: saving would do both for each.
            engine.execute(figure)
            figure.set_layout_engine(None)
        yield


def _shown(artist: Any) -> Iterator[Any]:
    """What is drawn, without the parts of what is not: a hidden axis would make its ticks."""
    if artist.get_visible():
        yield artist
        for child in artist.get_children():
            yield from _shown(child)


def roc(
    folds: Sequence[FoldResult], auc: Estimate, title: str, hidden: Collection[int] = ()
) -> Any:
    """The mean of the folds' ROC curves, with each repeat behind it.

    Curves are averaged at fixed false positive rates (Fawcett 2006,
    doi:10.1016/j.patrec.2005.10.010), so that the area under the mean curve is the mean AUC of the
    folds, which is the number in the leaderboard. Folds with one class only have no curve.

    Parameters
    ----------
    hidden : collection of int
        Positions of folds that have no curve of their own, being of too small a site.
    """
    curves = {fold.fold: curve for fold in folds if (curve := _roc_curve(fold)) is not None}
    figure, axes = canvas(title, square=True)
    axes.plot([0, 1], [0, 1], color=GREY, linewidth=1, linestyle=DASHED)
    axes.annotate("chance", (0.99, 0.82), color=QUIET, fontsize=9, ha="right")
    repeats = sorted({fold.repeat for fold in folds})
    groups = [[fold.fold for fold in folds if fold.repeat == repeat] for repeat in repeats]
    if len(groups) == 1:  # one repeat: its folds (sites, say) say more than their mean again
        groups = [[fold.fold] for k, fold in enumerate(folds) if k not in hidden]
    for group in groups:
        drawn = [curves[fold] for fold in group if fold in curves]
        if drawn:
            axes.plot(*_mean_curve(drawn), color=BLUE, alpha=0.28, linewidth=0.9)
    if curves:
        axes.plot(*_mean_curve(list(curves.values())), color=BLUE, linewidth=2.4)
    behind = "repeat" if len(repeats) > 1 else "fold"
    drawn_of = f"bold: mean of {len(curves)} folds, thin: each {behind}"
    if not curves:
        drawn_of = "no curve: every fold holds one class only"
    elif len(folds) == 1:
        drawn_of = "one test set"
    say(axes, f"AUC {_text(auc)}; {drawn_of}")
    axes.set(xlabel="1 - specificity", ylabel="sensitivity", xlim=(-0.01, 1.01), ylim=(-0.01, 1.01))
    foot(figure, folds)
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
    from matplotlib.ticker import FixedLocator

    patients = patient_means(folds)
    figure, axes = canvas(title, square=True)
    axes.plot([0, 1], [0, 1], color=GREY, linewidth=1, linestyle=DASHED)
    # Predictions that differ by less than this say the same: a constant model is one point.
    groups = _groups(np.round(patients.prediction, 2))
    predicted = [patients.prediction[group].mean() for group in groups]
    events = [patients.y[group].sum() for group in groups]
    ends = [wilson(float(k), len(group)) for k, group in zip(events, groups, strict=True)]
    shares = [k / len(group) for k, group in zip(events, groups, strict=True)]
    axes.vlines(predicted, *zip(*ends, strict=True), color=BLUE, alpha=0.45, linewidth=1.6)
    axes.plot(predicted, shares, "o", color=BLUE, markersize=6.5, markeredgecolor="white")
    _risks(axes, patients)
    mean, share = patients.prediction.mean(), patients.y.mean()
    say(
        axes,
        f"mean prediction {mean:.2f}, observed {share:.2f}; bars: 95 % intervals\n"
        "below: patients with the outcome (upwards) and without it (downwards)",
    )
    axes.set(
        xlabel="predicted probability (mean out-of-fold)",
        ylabel="observed share",
        xlim=(-0.01, 1.01),
        ylim=(-0.2, 1.01),
    )
    axes.yaxis.set_major_locator(FixedLocator([0, 0.2, 0.4, 0.6, 0.8, 1]))
    foot(figure, folds)
    return figure


def _risks(axes: Any, patients: PatientMeans) -> None:
    """Histograms of the predictions below zero: with the outcome upwards, without downwards."""
    bins = np.linspace(0, 1, 26)
    counts = [np.histogram(patients.prediction[patients.y == y], bins)[0] for y in (1.0, 0.0)]
    largest = max(1, *(int(count.max()) for count in counts))
    for count, colour, sign in zip(counts, (ORANGE, GREY), (1, -1), strict=True):
        height = -0.12 + sign * 0.07 * count / largest
        axes.stairs(height, bins, baseline=-0.12, fill=True, color=colour, alpha=0.8)


def _groups(prediction: Floats, fewest: int = PER_GROUP) -> list[NDArray[np.intp]]:
    """Positions of up to ten groups of equal size; equal predictions stay together."""
    wanted = int(np.clip(len(prediction) // fewest, 1, 10))
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
    figure, axes = canvas(title)
    bins = np.linspace(0, 1, 21)
    names = ((1.0, ORANGE, "with the outcome", ":"), (0.0, BLUE, "without the outcome", DASHED))
    for outcome, colour, name, dashes in names:
        values = patients.prediction[patients.y == outcome]
        if len(values):
            shares = 100 * np.histogram(values, bins)[0] / len(values)
            median = float(np.median(values))
            label = f"{name}: n = {len(values)}, median {median:.2f}"
            filled = (
                outcome == 1
            )  # the other is a line: they differ in grey, and where they overlap
            axes.stairs(
                shares, bins, fill=filled, color=colour, alpha=0.45 if filled else 1,
                linewidth=2, label=label,
            )  # fmt: skip
            axes.axvline(median, color=colour, linewidth=1.6, linestyle=dashes)
    key(axes)
    axes.set(
        xlabel="predicted probability (mean out-of-fold)",
        ylabel="% of the patients in each group",
        xlim=(0, 1),
    )
    foot(figure, folds)
    return figure


def observed_predicted(folds: Sequence[FoldResult], mae: Estimate, title: str) -> Any:
    """Observed outcome in equal groups by predicted outcome: means and quartiles, no patient."""
    patients = patient_means(folds)
    figure, axes = canvas(title, square=True)
    groups = _groups(patients.prediction, WITH_QUARTILES)
    predicted = np.array([patients.prediction[group].mean() for group in groups])
    observed = np.array([patients.y[group].mean() for group in groups])
    low, high = np.array(
        [
            # Of fewer patients a quartile is the value of one of them.
            np.quantile(patients.y[group], [0.25, 0.75]) if len(group) >= WITH_QUARTILES else (m, m)
            for group, m in zip(groups, observed, strict=True)
        ]
    ).T
    every = np.r_[predicted, low, high, observed]
    margin = 0.04 * max(float(np.ptp(every)), 1e-9)
    ends = (every.min() - margin, every.max() + margin)
    axes.plot(ends, ends, color=GREY, linewidth=1, linestyle=DASHED, label="perfect")
    axes.vlines(
        predicted, low, high, color=BLUE, alpha=0.45, linewidth=5, label="middle half of a group"
    )
    axes.plot(predicted, observed, "o-", color=ORANGE, linewidth=1.6, label="mean of a group")
    axes.legend(fontsize=9, loc="lower right", edgecolor="none", framealpha=0.85)
    say(axes, f"MAE {_text(mae, 1)}; groups of equal size by prediction")
    axes.set(xlabel="predicted (mean out-of-fold)", ylabel="observed", xlim=ends, ylim=ends)
    foot(figure, folds)
    return figure


def canvas(title: str, *, square: bool = False) -> tuple[Any, Any]:
    """An empty figure with axes in the house style."""
    from cytobench.report.framing import Framed

    return framed(title, 5.4 if square else 6.4, 5.2 if square else 4.4, Framed())


def framed(title: str, width: float, height: float, frame: Framed) -> tuple[Any, Any]:
    """An empty figure, sizes in inches, and its only axes, around which the frame is drawn."""
    figure = sheet(title, width, height, frame, frame.top(height))
    axes = figure.add_axes((0.15, 0.15, 0.8, 0.7))
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["left", "bottom"]].set_color(GREY)
    axes.xaxis.set_visible(False)
    axes.yaxis.set_visible(False)
    return figure, axes


def sheet(
    title: str,
    width: float,
    height: float,
    layout: Framed | Literal["constrained"] = "constrained",
    top: float | None = None,
) -> Any:
    """An empty figure with its title, sizes in inches; `top` is the title's, as a share of 1."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout=layout)
    figure.set_facecolor("white")
    text = lines_of(title, int(8.5 * width), most=2)
    figure.suptitle(text, x=0.02, y=top, ha="left", fontsize=12, fontweight="bold", color=INK)
    return figure


def key(axes: Any, columns: int = 1) -> None:
    """Which line is what, above the axes."""
    made = axes.legend(
        frameon=False, fontsize=9, ncols=columns, loc="lower left", bbox_to_anchor=(0, 1),
        borderpad=0,
    )  # fmt: skip
    axes.figure.get_layout_engine().keep_above(-(-len(made.get_texts()) // columns))


def say(axes: Any, text: str) -> None:
    """The line between title and axes; where it is too long for the figure, two."""
    axes.set_title(text, loc="left", fontsize=9.5, color=INK, wrap=True)


def foot(figure: Any, folds: Sequence[FoldResult], said: str = "") -> None:
    """Under the figure: how many patients and folds it rests on."""
    patients = {patient for fold in folds for patient in fold.predictions.patient}
    count = f"{len(folds)} folds" if len(folds) > 1 else "one test set"
    text = f"n = {len(patients)} patients, {count}" + (f"; {said}" if said else "")
    figure.supxlabel(text, fontsize=9, color=QUIET)


def _text(estimate: Estimate, digits: int = 2) -> str:
    if estimate.value != estimate.value:
        return "undefined"
    if estimate.low is None or estimate.high is None:
        return f"{estimate.value:.{digits}f}"
    return f"{estimate.value:.{digits}f} ({estimate.low:.{digits}f} to {estimate.high:.{digits}f})"
