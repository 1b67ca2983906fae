"""Net benefit against R's dcurves, and what must hold of it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.folds import stored

from cytobench.evaluate.decision import (
    decision_curve,
    net_benefit,
    net_benefit_at,
    resampled_patients,
    treat_all,
)
from cytobench.evaluate.out_of_fold import out_of_fold

BESIDE = Path(__file__).parents[2].parent / "shared" / "reference"


def test_net_benefit_of_the_published_example():
    """dcurves 0.5.1 on its df_binary (Sjoberg; Vickers & Elkin 2006)."""
    if not (BESIDE / "dcurves_df_binary.csv").exists():
        pytest.skip(f"the example's table is not at {BESIDE}")
    data = pd.read_csv(BESIDE / "dcurves_df_binary.csv")
    expected = pd.read_csv(BESIDE / "dcurves_expected.csv")

    for variable, part in expected.groupby("variable"):
        thresholds = part["threshold"].to_numpy()
        if variable == "all":
            found = treat_all(data.cancer, thresholds)
        elif variable in data.columns:
            found = net_benefit(data.cancer, data[variable], thresholds)
        else:
            continue
        np.testing.assert_allclose(found, part["net_benefit"], atol=1e-9)


@given(st.integers(0, 10_000))
@settings(deadline=None)
def test_treating_everybody_is_worth_nothing_at_the_prevalence(seed):
    y = np.random.default_rng(seed).integers(0, 2, 40)
    y[:2] = 0, 1

    assert treat_all(y, [y.mean()])[0] == pytest.approx(0, abs=1e-12)


def test_by_hand():
    """2 of 4 true positives, 1 false positive, odds 1/3: 2/8 - 1/8 / 3."""
    y = [1, 1, 1, 1, 0, 0, 0, 0]
    p = [0.9, 0.3, 0.1, 0.2, 0.25, 0.1, 0.1, 0.1]

    assert net_benefit(y, p, [0.25])[0] == pytest.approx(2 / 8 - 1 / 8 / 3)


def cell(n=120, seed=0):
    draw = np.random.default_rng(seed)
    y = (draw.random(n) < 0.4).astype(float)
    p = np.clip(0.4 + 0.25 * (y - 0.4) + 0.15 * draw.normal(size=(2, n)), 0.01, 0.99)
    return out_of_fold(stored(p, y))


def test_a_curve_is_the_mean_of_its_repeats():
    found = cell()
    weights = resampled_patients(found.y, 200, 0)

    curve = decision_curve(found, (0.2, 0.6), weights)

    by_repeat = [net_benefit(y, p, curve.thresholds) for y, p in found.repeats()]
    np.testing.assert_allclose(curve.model, np.mean(by_repeat, axis=0))
    assert (curve.low <= curve.model).all()
    assert (curve.model <= curve.high).all()
    at = net_benefit_at(found, 0.2, weights)
    assert at.value == pytest.approx(curve.model[0])


def test_resamples_keep_the_number_of_each_class_and_are_the_same_for_the_same_seed():
    y = np.r_[np.ones(10), np.zeros(30)]

    weights = resampled_patients(y, 50, 7)

    assert (weights[:, :10].sum(axis=1) == 10).all()
    assert (weights[:, 10:].sum(axis=1) == 30).all()
    np.testing.assert_array_equal(weights, resampled_patients(y, 50, 7))
