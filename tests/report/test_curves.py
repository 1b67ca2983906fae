"""Figures of chance, utility, calibration and many estimates: whole, readable, right."""

from __future__ import annotations

import io
from xml.etree import ElementTree

import numpy as np
import pytest

from cytobench.core.result import FoldResult, Predictions
from cytobench.evaluate.assessment import assess
from cytobench.evaluate.chance import AgainstChance
from cytobench.evaluate.intervals import Estimate
from cytobench.report import curves
from cytobench.report.figures import (
    QUIET,
    _as_written,
    canvas,
    foot,
    png,
    risk_by_outcome,
    roc,
    say,
    svg,
)
from cytobench.report.forests import Line, forest
from cytobench.report.text import lines_of, printable

LONG = "gradient_boosting_with_a_name_that_goes_on (learning_rate=0.03125, depth=7, loss=log_loss)"


def make_assessment(predict, *, n=90, parts=3, repeats=2, y=None, seed=0):
    draw = np.random.default_rng(seed)
    y = (np.arange(n) % 2).astype(float) if y is None else y
    folds = []
    for repeat in range(repeats):
        for part in np.array_split(draw.permutation(n), parts):
            empty = [""] * len(part)
            predictions = Predictions(
                [f"p{i}" for i in part], y[part].tolist(), predict(draw, y[part]).tolist(),
                empty, empty, [float("nan")] * len(part),
            )  # fmt: skip
            folds.append(
                FoldResult(len(folds), repeat, n - len(part), predictions, {}, [], 0.5,
                           float(y.mean()), {"fit": 0.1})
            )  # fmt: skip
    return assess("classification", "repeated_stratified", folds, {}, resamples=200)


def good(draw, y):
    return 1 / (1 + np.exp(-(2 * y - 1 + draw.normal(size=len(y)))))


def constant(draw, y):
    return np.full(len(y), 0.5 + 0.004 * draw.normal())  # a fold's prevalence, say


def cut_off(draw, y):
    return np.where(draw.random(len(y)) < 0.5, 0.3, 0.6) + 0.01 * draw.normal()


def reversed_(draw, y):
    return np.where(y == 1, 0.05, 0.95)


ALL = [good, constant, cut_off, reversed_]


def assert_whole(figure):
    """Every word of a drawn figure lies inside it."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.text import Text

    canvas = FigureCanvasAgg(figure)
    with _as_written(figure):
        canvas.draw()
    renderer = canvas.get_renderer()
    width, height = figure.bbox.width, figure.bbox.height
    beyond = {label for axes in figure.axes for label in _beyond_limits(axes)}
    for text in figure.findobj(Text):
        if text.get_visible() and text.get_text().strip() and text not in beyond:
            box = text.get_window_extent(renderer)
            inside = box.x0 > -1 and box.y0 > -1 and box.x1 < width + 1 and box.y1 < height + 1
            assert inside, text.get_text()


def _beyond_limits(axes):
    """Labels of ticks outside the axes' limits, which are never drawn."""
    for axis in (axes.xaxis, axes.yaxis):
        low, high = sorted(axis.get_view_interval())
        for tick in axis.get_major_ticks():
            if not low <= tick.get_loc() <= high:
                yield from (tick.label1, tick.label2)


def null(p=0.2, permutations=4):
    return AgainstChance(p, permutations, 0.5, 0.02)


@pytest.mark.parametrize("predict", ALL)
def test_no_word_of_a_figure_is_clipped(predict):
    cell = make_assessment(predict)
    folds = cell.scores.folds
    for figure in (
        roc(folds, cell.estimate("auc"), LONG),
        risk_by_outcome(folds, LONG),
        curves.decision(cell.decision, cell, LONG),
        curves.smoothed_calibration(cell, LONG),
    ):
        assert_whole(figure)


@pytest.mark.parametrize("count", [1, 15])
@pytest.mark.parametrize("label", ["a", LONG, "ünïcode_模型"])
def test_a_forest_holds_one_or_many_lines_with_long_labels(count, label):
    estimate = Estimate(0.7, 0.6, 0.8, "method")
    lines = [Line(label, estimate, "0.700 (0.600 to 0.800)") for _ in range(count)]
    figure = forest(lines, LONG, "AUC, 95 % interval", zero=0.5, said="a sentence; " * 12)
    assert_whole(figure)
    (axes,) = figure.axes
    assert len(axes.get_yticks()) == count


def test_a_forest_shows_no_point_for_what_is_undefined_or_suppressed():
    undefined = Estimate(float("nan"), None, None, "no interval: one class")
    bare = Estimate(0.6, None, None, "no interval: one test set")
    lines = [
        Line("sex"),
        Line("few", note="too few to show"),
        Line("undefined", undefined, "undefined"),
        Line("bare", bare, "0.600"),
    ]
    figure = forest(lines, "title", "AUC", zero=None)
    (axes,) = figure.axes
    points = [line for line in axes.lines if line.get_marker() == "o"]
    assert [tuple(point.get_xydata()[0]) for point in points] == [(0.6, -3.0)]
    assert not axes.collections  # no interval, no bar
    assert "too few to show" in svg(figure)


def test_floors_differ_from_models_in_grey_too():
    estimate = Estimate(0.7, 0.6, 0.8, "method")
    lines = [Line("model", estimate), Line("floor", estimate, quiet=True)]
    figure = forest(lines, "title", "AUC", zero=None)
    (axes,) = figure.axes
    assert len({line.get_marker() for line in axes.lines}) == 2


def test_lines_of_a_decision_curve_differ_in_grey_too():
    cell, other = make_assessment(good), make_assessment(cut_off)
    figure = curves.decision(cell.decision, cell, "title", other.decision)
    (axes,) = figure.axes
    styles = {(line.get_linestyle(), line.get_linewidth()) for line in axes.lines}
    assert len(styles) == len(axes.lines) == 4
    labels = [text.get_text() for text in axes.get_legend().get_texts()]
    assert labels == ["model", "clinical", "treat all", "treat none"]


@pytest.mark.parametrize("predict", ALL)
def test_a_decision_curve_shows_the_whole_model(predict):
    cell = make_assessment(predict)
    (axes,) = curves.decision(cell.decision, cell, "title").axes
    low, high = axes.get_ylim()
    assert low < cell.decision.model.min()
    assert cell.decision.high.max() < high


@pytest.mark.parametrize(
    ("predict", "smoothed"), [(good, True), (constant, False), (cut_off, False), (reversed_, False)]
)
def test_a_curve_only_where_there_is_something_to_smooth(predict, smoothed):
    cell = make_assessment(predict)
    assert curves.can_be_smoothed(cell) is smoothed
    (axes,) = curves.smoothed_calibration(cell, "title").axes
    points = [line for line in axes.lines if line.get_marker() == "o"]
    assert bool(points) is not smoothed


def test_a_constant_prediction_is_one_point_at_the_prevalence():
    cell = make_assessment(constant, y=(np.arange(90) % 3 == 0).astype(float))
    (axes,) = curves.smoothed_calibration(cell, "title").axes
    (points,) = [line for line in axes.lines if line.get_marker() == "o"]
    assert points.get_xydata() == pytest.approx(np.array([[0.5, 1 / 3]]), abs=0.02)


def test_a_calibration_curve_ends_with_its_data():
    cell = make_assessment(lambda draw, y: 0.4 + 0.2 * draw.random(len(y)))
    (axes,) = curves.smoothed_calibration(cell, "title").axes
    mean = max(axes.lines, key=lambda line: line.get_linewidth())
    assert mean.get_xdata().min() >= 0.4
    assert mean.get_xdata().max() <= 0.6


def test_fold_values_that_no_curve_can_be_drawn_from():
    cell = make_assessment(good, y=np.zeros(90))
    figure = roc(cell.scores.folds, cell.estimate("auc"), "title")
    assert "AUC undefined; no curve: every fold holds one class only" in "".join(
        ElementTree.fromstring(svg(figure)).itertext()
    )


@pytest.mark.parametrize(
    ("values", "observed"),
    [
        ([0.5] * 4, 0.5),  # a constant model
        ([0.48, 0.52, float("nan")], 0.7),
        (np.linspace(0.4, 0.6, 200), 0.71),
        ([17.2, 18.1], 15.0),
        ([float("nan")] * 3, float("nan")),
    ],
)
def test_chance_with_few_equal_and_undefined_scores(values, observed):
    figure = curves.chance(values, observed, null(), LONG, "AUC")
    assert_whole(figure)
    (axes,) = figure.axes
    counted = sum(bar.get_height() for bar in axes.patches)
    assert counted == np.sum(~np.isnan(values))
    low, high = axes.get_xlim()
    if observed == observed:
        assert low < observed < high
    assert all(float(tick).is_integer() for tick in axes.get_yticks())
    widths = {round(bar.get_width(), 9) for bar in axes.patches}
    assert max(widths) < 0.05 * (high - low)  # no bar stands for more than it holds


def test_chance_says_how_small_its_p_value_can_be():
    said = svg(curves.chance([0.4, 0.5], 0.6, null(1 / 3, 2), "title", "AUC"))
    assert "with 2 permutations it cannot be below 0.333" in said


def test_patients_with_and_without_the_outcome_differ_in_grey_too():
    (axes,) = risk_by_outcome(make_assessment(good).scores.folds, "title").axes
    steps = [patch for patch in axes.patches if patch.get_label().startswith("with")]
    assert [patch.get_fill() for patch in steps] == [True, False]


def test_names_are_no_formulas():
    figure, axes = canvas(r"a$\frac{1}$b")
    say(axes, "costs $5 and $6")
    axes.set_xticks([0, 1], ["$x^2$", r"$\nothing$"])
    said = "".join(ElementTree.fromstring(svg(figure)).itertext())
    for name in (r"a$\frac{1}$b", "costs $5 and $6", "$x^2$", r"$\nothing$"):
        assert name in said


def test_the_same_bytes_each_time():
    def draw():
        cell = make_assessment(good)
        return curves.smoothed_calibration(cell, "title")

    assert svg(draw()) == svg(draw())
    assert png(draw()) == png(draw())


def test_small_print_can_be_read_on_white():
    from matplotlib.colors import to_rgb

    figure, _ = canvas("title")
    foot(figure, make_assessment(good).scores.folds)
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in to_rgb(QUIET)]
    assert 1.05 / (np.dot([0.2126, 0.7152, 0.0722], linear) + 0.05) >= 4.5  # WCAG 2.2, 1.4.3
    assert QUIET in svg(figure)


def test_control_characters_are_spaces():
    assert printable("a\x00b\u202ec\n") == "a b c "
    assert printable("TNF-α 模型 é") == "TNF-α 模型 é"


@pytest.mark.parametrize("text", [LONG, "x" * 300, "short", ""])
def test_labels_keep_to_their_lines(text):
    lines = lines_of(text, 34, most=2).split("\n")
    assert len(lines) <= 2
    assert all(len(line) <= 34 for line in lines)
    if len(text) <= 34:
        assert lines == [text]


def test_a_drawing_is_a_picture():
    from PIL import Image

    figure, _ = canvas("title")
    with Image.open(io.BytesIO(png(figure))) as picture:
        assert picture.size == (704, 484)  # 6.4 by 4.4 inches at 110 dots
