"""Subgroups: numbers with n, tests of interaction, small cells hidden."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import chi2
from support.folds import stored

from cytobench.evaluate.intervals import delong
from cytobench.evaluate.out_of_fold import out_of_fold
from cytobench.evaluate.subgroup import subgroup_table, worst


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
