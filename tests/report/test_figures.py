from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from cytobench.core.result import FoldResult, Predictions
from cytobench.evaluate.scores import Scores
from cytobench.report.figures import (
    _groups,
    _mean_curve,
    _roc_curve,
    calibration,
    observed_predicted,
    patient_means,
    png,
    risk_by_outcome,
    roc,
    wilson,
)

PNG = b"\x89PNG"


def make_folds(predict, *, n=60, repeats=2, parts=3, outcome=None, seed=0):
    draw = np.random.default_rng(seed)
    y = (draw.random(n) < 0.4).astype(float) if outcome is None else outcome(draw, n)
    folds = []
    for repeat in range(repeats):
        for part in np.array_split(draw.permutation(n), parts):
            empty = [""] * len(part)
            predictions = Predictions(
                [f"p{i}" for i in part], y[part].tolist(), predict(draw, y[part]).tolist(),
                empty, empty, [float("nan")] * len(part),
            )  # fmt: skip
            folds.append(
                FoldResult(
                    len(folds),
                    repeat,
                    n - len(part),
                    predictions,
                    {},
                    [],
                    0.5,
                    0.4,
                    {"tune": 0.1, "fit": 0.1, "predict": 0.1},
                )
            )
    return folds


def good(draw, y):
    return 1 / (1 + np.exp(-(2 * y - 1 + draw.normal(size=len(y)))))


def rounded(draw, y):
    return np.round(good(draw, y), 1)


def constant(draw, y):
    return np.full(len(y), 0.4)


def drawn(folds, kind="classification"):
    scores = Scores(kind, "repeated_stratified", folds)
    headline = scores.estimate("auc" if kind == "classification" else "mae")
    title = "model: task on data"
    if kind == "regression":
        return {"predictions.png": png(observed_predicted(folds, headline, title))}
    return {
        "roc.png": png(roc(folds, headline, title)),
        "calibration.png": png(calibration(folds, title)),
        "predictions.png": png(risk_by_outcome(folds, title)),
    }


@pytest.mark.parametrize("predict", [good, rounded, constant])
def test_three_figures_of_a_classifier(predict):
    found = drawn(make_folds(predict))
    assert set(found) == {"roc.png", "calibration.png", "predictions.png"}
    assert all(content.startswith(PNG) and len(content) < 150_000 for content in found.values())


def test_one_figure_of_a_regression():
    def outcome(draw, n):
        return -50 + 20 * draw.normal(size=n)

    folds = make_folds(lambda draw, y: y + draw.normal(size=len(y)), outcome=outcome)
    found = drawn(folds, "regression")
    assert set(found) == {"predictions.png"}
    assert found["predictions.png"].startswith(PNG)


@pytest.mark.parametrize("n", [7, 60, 90])
def test_no_figure_of_a_regression_has_a_point_for_a_patient(n):
    folds = make_folds(
        lambda draw, y: y + draw.normal(size=len(y)),
        n=n,
        outcome=lambda draw, n: draw.normal(size=n),
    )
    scores = Scores("regression", "repeated_stratified", folds)

    figure = observed_predicted(folds, scores.estimate("mae"), "model")

    values = {value for fold in folds for value in fold.predictions.y}
    axes = figure.axes[0]
    points = [float(y) for line in axes.lines for y in line.get_ydata()]
    points += [float(y) for bars in axes.collections for end in bars.get_segments() for _, y in end]
    assert values.isdisjoint(points)
    assert max(len(line.get_ydata()) for line in axes.lines) <= 10


def test_a_constant_regression_can_be_drawn():
    folds = make_folds(lambda draw, y: np.zeros(len(y)), outcome=lambda draw, n: np.zeros(n))
    assert drawn(folds, "regression")["predictions.png"].startswith(PNG)


@pytest.mark.parametrize("n", [6, 7])
def test_very_few_patients_and_folds_of_one_class(n):
    folds = make_folds(good, n=n, repeats=1, parts=3, outcome=lambda draw, n: np.arange(n) == 0.0)
    assert len(drawn(folds)) == 3


@pytest.mark.parametrize("predict", [good, rounded, constant])
def test_the_area_under_the_mean_curve_is_the_mean_auc(predict):
    folds = make_folds(predict)
    x, y = _mean_curve([_roc_curve(fold) for fold in folds])
    auc = np.mean(Scores("classification", "repeated_stratified", folds).by_fold["auc"])
    assert np.trapezoid(y, x) == pytest.approx(auc, abs=0.006)


def test_every_patient_counts_once():
    folds = make_folds(good, n=60, repeats=3)
    patients = patient_means(folds)
    assert len(patients.y) == len(patients.prediction) == 60
    first = folds[0].predictions.patient[0]
    said = [
        fold.predictions.prediction[fold.predictions.patient.index(first)]
        for fold in folds
        if first in fold.predictions.patient
    ]
    assert len(said) == 3
    assert patients.prediction[0] == pytest.approx(np.mean(said))


def test_groups_hold_everybody_and_keep_equal_predictions_together():
    values = np.random.default_rng(1).choice([0.1, 0.2, 0.3, 0.9], 100)
    groups = _groups(values)
    assert sorted(np.concatenate(groups)) == list(range(100))
    for value in np.unique(values):
        assert sum(value in values[group] for group in groups) == 1


def test_wilson_against_statsmodels():
    # statsmodels 0.15: proportion_confint(7, 20, method="wilson"), and for none of ten
    assert wilson(7, 20) == pytest.approx((0.181192, 0.567146), abs=1e-5)
    assert wilson(0, 10) == pytest.approx((0.0, 0.277533), abs=1e-5)


def test_drawing_uses_no_global_state():
    code = (
        "import sys\n"
        "from cytobench.report.figures import canvas, png\n"
        "assert png(canvas('title')[0]).startswith(b'\\x89PNG')\n"
        "assert 'matplotlib.pyplot' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
