"""Comparisons of two models against published values."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from cytobench.evaluate.comparisons import (
    bayesian_correlated_t,
    cv_auc_influence,
    paired_delong,
    resampled_auc,
)
from cytobench.evaluate.decision import resampled_patients
from cytobench.evaluate.metrics import auc

REFERENCE = Path(__file__).parents[1] / "reference"
BESIDE = Path(__file__).parents[2].parent / "shared" / "reference"


def fixture():
    return pd.read_csv(REFERENCE / "binary_fixture.csv")


def test_bayesian_correlated_t_against_scikit_learns_example():
    """scikit-learn's plot_grid_search_stats (rbf against linear), recomputed; baycomp agrees."""
    scores = pd.read_csv(REFERENCE / "nadeau_bengio_scores.csv")
    difference = scores["rbf"] - scores["linear"]

    without = bayesian_correlated_t(difference, 90, 10, rope=0)
    posterior = bayesian_correlated_t(difference, 90, 10, rope=0.01)

    assert without.p_better == pytest.approx(0.772577029, abs=1e-9)
    assert posterior.p_equivalent == pytest.approx(0.4316824582, abs=1e-9)
    assert posterior.p_better == pytest.approx(0.5, abs=1e-6)
    assert (posterior.low, posterior.high) == pytest.approx((-0.0164452, 0.0364452), abs=1e-7)


def test_equal_values_in_every_fold_are_equivalent():
    posterior = bayesian_correlated_t(np.zeros(10), 80, 20, rope=0.01)

    assert (posterior.p_better, posterior.p_equivalent, posterior.p_worse) == (0, 1, 0)


def test_paired_delong_on_the_fixture():
    """pROC 1.18.0, roc.test(method = "delong", paired = TRUE)."""
    data = fixture()

    found = paired_delong(data.y, data.p1, data.p2)

    assert found.z == pytest.approx(1.495795503326, abs=1e-9)
    assert found.p == pytest.approx(0.1347069535232, abs=1e-9)
    ends = (found.difference.low, found.difference.high)
    assert ends == pytest.approx((-0.01729282624867, 0.1287460282191), abs=1e-9)


@pytest.mark.parametrize(
    ("first", "second", "z", "p"),
    [
        ("s100b", "wfns", -2.208983591441, 0.02717578222919),
        ("s100b", "ndka", 1.390770025736, 0.1642951752231),
        ("wfns", "ndka", 2.797775918689, 0.005145579706911),
    ],
)
def test_paired_delong_on_asah(first, second, z, p):
    """The aSAH data of pROC (Turck et al. 2010, doi:10.1007/s00134-009-1641-y)."""
    path = BESIDE / "asah.csv"
    if not path.exists():
        pytest.skip(f"the GPL fixture is not at {path}")
    data = pd.read_csv(path)

    found = paired_delong(data.poor, data[first], data[second])

    assert found.p == pytest.approx(p, abs=1e-9)
    assert found.z == pytest.approx(z, abs=1e-9)


def test_a_score_does_not_differ_from_its_monotone_transform():
    data = fixture()

    found = paired_delong(data.y, data.p1, data.p1**3)

    assert (found.difference.value, found.p) == (0, 1)
    assert (found.difference.low, found.difference.high) == (0, 0)


def test_the_same_difference_for_every_patient_has_no_interval():
    """Perfect against reversed: the variance is 0, and an interval without width would lie."""
    found = paired_delong([1, 1, 1, 0, 0, 0], [4, 5, 6, 1, 2, 3], [1, 2, 3, 4, 5, 6])

    assert found.difference.value == 1
    assert found.difference.low is None
    assert "no interval" in found.difference.method
    assert np.isnan(found.p)


def test_influence_curve_interval_against_cvauc():
    """cvAUC 1.1.4, ci.cvAUC on the fixture's folds; its standard error depends on tie order."""
    expected = json.loads((REFERENCE / "cvauc_expected.json").read_text())["fixture_p1"]
    folds = [(part.y, part.p1) for _, part in fixture().groupby("fold")]

    found = cv_auc_influence(folds)

    assert found.value == pytest.approx(expected["cvAUC"], abs=1e-9)
    assert (found.high - found.low) / 2 / 1.959963984540054 == pytest.approx(
        expected["se"], abs=2e-6
    )
    assert (found.low, found.high) == pytest.approx(expected["ci"], abs=4e-6)


@pytest.mark.parametrize(
    ("folds", "reason"),
    [
        ([], "one class"),
        ([([1, 1], [0.1, 0.2]), ([1, 0], [0.8, 0.3])], "one class"),
        ([([1, 0], [0.9, 0.2]), ([0, 1], [0.3, 0.8])], "every fold's AUC is 1"),
    ],
)
def test_the_influence_curve_refuses_in_words(folds, reason):
    found = cv_auc_influence(folds)

    assert found.low is None
    assert reason in found.method


def test_the_weighted_bootstrap_is_the_bootstrap():
    """Against drawing rows one resample after the other."""
    data = fixture()
    y, p = data.y.to_numpy(float), data.p1.to_numpy(float)
    rows = [np.flatnonzero(data.fold == fold) for fold in range(5)]
    weights = resampled_patients(len(y), 20, seed=3)

    found = resampled_auc([(row, p[row]) for row in rows], y, weights)

    for weight, value in zip(weights, found, strict=True):
        by_fold = [
            auc(
                np.repeat(y[row], weight[row].astype(int)),
                np.repeat(p[row], weight[row].astype(int)),
            )
            for row in rows
        ]
        assert value == pytest.approx(np.mean(by_fold), abs=1e-12)


def test_one_class_has_no_comparison():
    found = paired_delong([1, 1, 1], [0.1, 0.2, 0.3], [0.3, 0.2, 0.1])

    assert np.isnan(found.difference.value)
    assert found.difference.low is None
