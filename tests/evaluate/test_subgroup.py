"""Subgroups: numbers with n, tests of interaction, small cells hidden."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.stats import chi2
from support.folds import stored

from cytobench.evaluate.intervals import delong
from cytobench.evaluate.out_of_fold import out_of_fold
from cytobench.evaluate.subgroup import mean_delong, subgroup_table, worst


def cell(levels, *, n=200, seed=0, signal=0.2, repeats=2):
    draw = np.random.default_rng(seed)
    y = np.tile([0.0, 1.0], n // 2)
    p = np.clip(0.5 + signal * (y - 0.5) + 0.2 * draw.normal(size=(repeats, n)), 0.02, 0.98)
    return out_of_fold(stored(p, y, repeats=repeats, groups={"sex": levels}))


def test_each_level_has_its_auc_n_and_events():
    levels = ["female"] * 120 + ["male"] * 80
    found = cell(levels, repeats=1)

    rows, tests = subgroup_table(found, "classification")

    assert [(row.level, row.n, row.events) for row in rows] == [
        ("female", 120, 60),
        ("male", 80, 40),
    ]
    women = found.groups["sex"] == "female"
    expected, _ = delong(found.y[women], found.prediction[0, women])
    assert rows[0].discrimination.value == pytest.approx(expected)
    assert rows[0].discrimination.low < expected < rows[0].discrimination.high
    assert tests[0].levels == 2
    assert 0 <= tests[0].discrimination_p <= 1


@pytest.mark.parametrize(("events", "hidden"), [(9, True), (10, False)])
def test_fewer_than_ten_of_either_outcome_are_hidden(events, hidden):
    levels = np.array(["many"] * 200, dtype=object)
    levels[1 : 2 * events : 2] = "few"  # with the outcome
    levels[0:40:2] = "few"  # without

    rows, _ = subgroup_table(cell(levels.tolist()), "classification")

    few = next(row for row in rows if row.level == "few")
    assert few.suppressed == hidden
    assert (few.n is None) == hidden
    assert (few.discrimination is None) == hidden


def test_levels_of_fewer_than_five_are_not_even_named():
    levels = ["north"] * 120 + ["south"] * 73 + ["Ward 3"] * 4 + ["Ward 4"] * 3

    rows, _ = subgroup_table(cell(levels), "classification")

    assert [row.level for row in rows] == ["north", "south", "others"]
    assert [row.n for row in rows] == [120, None, None], "7 would follow from 120, 73 and 200"


def test_unknown_levels_are_no_group():
    rows, _ = subgroup_table(cell(["female"] * 100 + [""] * 60 + ["male"] * 40), "classification")

    assert [row.level for row in rows] == ["female", "male"]


def test_the_interaction_is_cochrans_q():
    rows, tests = subgroup_table(cell(["a"] * 100 + ["b"] * 100), "classification")
    values = [row.calibration.value for row in rows]
    errors = [(row.calibration.high - row.calibration.low) / 2 / 1.959964 for row in rows]

    q = (values[0] - values[1]) ** 2 / (errors[0] ** 2 + errors[1] ** 2)

    assert tests[0].calibration_p == pytest.approx(chi2.sf(q, 1), rel=1e-6)


def test_a_planted_difference_is_found():
    """Half the patients are predicted by the outcome, half by a coin."""
    draw = np.random.default_rng(1)
    y = np.tile([0.0, 1.0], 200)
    p = np.clip(0.5 + 0.2 * draw.normal(size=400), 0.02, 0.98)
    p[:200] = np.clip(p[:200] + 0.4 * (y[:200] - 0.5), 0.02, 0.98)
    groups = {"site": ["north"] * 200 + ["south"] * 200}

    rows, tests = subgroup_table(out_of_fold(stored(p, y, groups=groups)), "classification")

    assert tests[0].discrimination_p < 0.001
    assert worst(rows).level == "south"


def test_levels_stand_in_their_own_order():
    levels = (["30 and over"] * 60) + (["under 25"] * 70) + (["25 to 30"] * 70)

    rows, _ = subgroup_table(cell(levels), "classification")

    assert [row.level for row in rows] == ["under 25", "25 to 30", "30 and over"]


def test_fewer_than_ten_without_the_outcome_are_hidden_as_well():
    levels = np.array(["many"] * 200, dtype=object)
    levels[1:100:2] = "few"  # 50 with the outcome
    levels[0:18:2] = "few"  # 9 without

    rows, tests = subgroup_table(cell(levels.tolist()), "classification")

    few = next(row for row in rows if row.level == "few")
    assert few.suppressed
    assert (few.n, few.events, few.discrimination, few.calibration) == (None,) * 4
    assert tests[0].levels == 0  # the other one would give its n away
    assert tests[0].discrimination_p is None


def test_a_small_level_takes_the_smallest_other_with_it():
    levels = ["a"] * 120 + ["b"] * 74 + ["c"] * 6

    rows, _ = subgroup_table(cell(levels), "classification")
    unknown, _ = subgroup_table(
        cell(["a"] * 110 + ["b"] * 74 + ["c"] * 6 + [""] * 10), "classification"
    )

    assert [row.suppressed for row in rows] == [False, True, True]
    assert [row.suppressed for row in unknown] == [False, False, True]  # nothing to subtract from


def test_the_auc_is_the_mean_over_repeats_with_the_mean_variance():
    """DeLong's variance of one repeat: repeats add no patients; delta method to the logit."""
    found = cell(["a"] * 200, repeats=3)
    pairs = [delong(y, p) for y, p in found.repeats()]
    value, variance = np.mean(pairs, axis=0)
    reach = 1.959964 * math.sqrt(variance) / (value * (1 - value))
    centre = math.log(value / (1 - value))

    estimate = mean_delong(list(found.repeats()))

    assert estimate.value == pytest.approx(value)
    assert estimate.low == pytest.approx(1 / (1 + math.exp(reach - centre)))
    assert estimate.high == pytest.approx(1 / (1 + math.exp(-reach - centre)))


def test_three_levels_are_compared_on_the_logit_scale():
    """Cochran 1954: Q over k levels has k - 1 degrees of freedom."""
    rows, tests = subgroup_table(
        cell(["a"] * 60 + ["b"] * 60 + ["c"] * 80, seed=3), "classification"
    )

    def to_logit(x):
        return math.log(x / (1 - x))

    values = np.array([to_logit(row.discrimination.value) for row in rows])
    ends = [(row.discrimination.low, row.discrimination.high) for row in rows]
    weight = np.array([(2 * 1.959964 / (to_logit(b) - to_logit(a))) ** 2 for a, b in ends])
    q = (weight * (values - (weight * values).sum() / weight.sum()) ** 2).sum()
    assert tests[0].discrimination_p == pytest.approx(chi2.sf(q, 2), rel=1e-6)


def test_equal_levels_are_rarely_called_different():
    """Under no interaction p is uniform: 5 % of 60, and chance (P(more than 9) < 0.002)."""
    found = []
    for seed in range(60):
        draw = np.random.default_rng(seed)
        y = (np.arange(160) % 2).astype(float)
        p = 1 / (1 + np.exp(-(y - 0.5) - draw.normal(size=160)))
        groups = {"sex": draw.permutation(["f", "m"] * 80).tolist()}
        part = out_of_fold(stored(p, y, repeats=1, groups=groups))
        found.append(subgroup_table(part, "classification")[1][0].discrimination_p)

    assert np.mean(np.array(found) < 0.05) <= 9 / 60
    assert 0.3 < np.mean(found) < 0.7


def test_a_perfectly_ranked_level_has_no_interval_and_takes_no_part_in_the_test():
    y = np.tile([0.0, 1.0], 60)
    p = np.random.default_rng(0).uniform(0.2, 0.8, 120)
    p[:60] = 0.2 + 0.6 * y[:60] + 0.001 * np.arange(60) / 60
    groups = {"site": ["easy"] * 60 + ["hard"] * 60}

    rows, tests = subgroup_table(out_of_fold(stored(p, y, groups=groups)), "classification")

    assert rows[0].discrimination.value == 1
    assert rows[0].discrimination.low is None
    assert tests[0].discrimination_p is None


@pytest.mark.parametrize(("n", "hidden"), [(19, True), (20, False)])
def test_a_number_as_outcome_has_its_error_and_mean_residual(n, hidden):
    draw = np.random.default_rng(2)
    y = draw.normal(-40, 20, 100)
    p = y + draw.normal(5, 4, 100)
    groups = {"sex": ["f"] * n + ["m"] * (100 - n)}
    found = out_of_fold(stored(p, y, groups=groups, threshold=None))

    women = subgroup_table(found, "regression")[0][0]

    assert women.suppressed == hidden
    if not hidden:
        assert women.discrimination.value == pytest.approx(np.abs(p - y)[:n].mean())
        assert women.calibration.value == pytest.approx((y - p)[:n].mean())
        assert women.calibration.low < women.calibration.value < women.calibration.high


def test_the_worst_is_looked_for_among_what_is_shown():
    rows, _ = subgroup_table(cell(["a"] * 150 + ["b"] * 46 + ["c"] * 4), "classification")

    assert worst(rows).level == "a"
    assert worst(rows, "site") is None
    assert worst([]) is None
