"""Metrics agree with scikit-learn, and with R where reference values were published."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn import metrics as reference

from cytobench.core.errors import UsageError
from cytobench.evaluate import metrics

REFERENCE = Path(__file__).parents[1] / "reference"
FIXTURE = pd.read_csv(REFERENCE / "binary_fixture.csv")
EXPECTED = json.loads((REFERENCE / "binary_fixture_expected.json").read_text())

samples = st.lists(st.tuples(st.booleans(), st.floats(0.01, 0.99)), min_size=2, max_size=60).filter(
    lambda rows: 0 < sum(y for y, _ in rows) < len(rows)
)


@pytest.mark.parametrize("column", ["p1", "p2"])
def test_auc_brier_and_log_loss_match_r(column):
    """Made with pROC 1.18.0 and rms 6.5-0 (R 4.2.2)."""
    y, p = FIXTURE["y"], FIXTURE[column]

    assert metrics.auc(y, p) == pytest.approx(EXPECTED[column]["auc"], abs=1e-12)
    assert metrics.brier(y, p) == pytest.approx(EXPECTED[column]["brier"], abs=1e-9)
    assert metrics.log_loss(y, p) == pytest.approx(EXPECTED[column]["logloss"], abs=1e-9)


@given(samples)
def test_metrics_match_scikit_learn(rows):
    y, p = (np.array(values, dtype=float) for values in zip(*rows, strict=True))

    assert metrics.auc(y, p) == pytest.approx(reference.roc_auc_score(y, p))
    assert metrics.log_loss(y, p) == pytest.approx(reference.log_loss(y, p))
    assert metrics.balanced_accuracy(y, p >= 0.5) == pytest.approx(
        reference.balanced_accuracy_score(y, p >= 0.5)
    )


@given(samples, st.sampled_from([1, 3, 8]), st.floats(0.05, 0.95))
def test_average_precision_matches_scikit_learn_with_ties_and_weights(rows, digits, prevalence):
    y, p = (np.array(values, dtype=float) for values in zip(*rows, strict=True))
    p = p.round(digits)
    weight = np.where(y == 1, prevalence / y.mean(), (1 - prevalence) / (1 - y.mean()))

    assert metrics.average_precision(y, p) == pytest.approx(reference.average_precision_score(y, p))
    assert metrics.average_precision(y, p, prevalence=prevalence) == pytest.approx(
        reference.average_precision_score(y, p, sample_weight=weight)
    )


@given(samples)
def test_the_auc_of_the_opposite_score_is_the_complement(rows):
    y, p = (np.array(values, dtype=float) for values in zip(*rows, strict=True))

    assert metrics.auc(y, p) + metrics.auc(y, -p) == pytest.approx(1)


def test_the_auc_of_one_class_is_undefined():
    assert np.isnan(metrics.auc([1, 1], [0.2, 0.3]))


@given(samples)
def test_no_threshold_is_better_than_the_best(rows):
    y, p = (np.array(values, dtype=float) for values in zip(*rows, strict=True))
    best = metrics.balanced_accuracy(y, p >= metrics.best_threshold(y, p))

    for threshold in np.unique(p)[1:]:
        assert metrics.balanced_accuracy(y, p >= threshold) <= best + 1e-12


def test_r2_is_measured_against_the_training_mean():
    assert metrics.r2_against([1, 2, 3], [1, 2, 3], null=2) == 1
    assert metrics.r2_against([1, 2, 3], [2, 2, 2], null=2) == 0
    assert metrics.r2_against([1, 2, 3], [2, 2, 2], null=5) > 0


def test_a_metric_of_the_other_kind_of_task_is_refused():
    with pytest.raises(UsageError, match=r"E113.*'auc' cannot tune a regression task"):
        metrics.tuning_loss("auc", "regression")


def test_lower_is_better_for_every_tuning_loss():
    y, good, bad = [0, 0, 1, 1], [0.1, 0.2, 0.8, 0.9], [0.9, 0.8, 0.2, 0.1]

    for name, (kind, _, _) in metrics.TUNING_METRICS.items():
        loss = metrics.tuning_loss(name, kind)
        assert loss(y, good) < loss(y, bad)
