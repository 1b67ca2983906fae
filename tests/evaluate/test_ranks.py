"""Ranks over datasets against Demšar's example and tables."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cytobench.evaluate.ranks import (
    friedman,
    iman_davenport,
    nemenyi_critical_difference,
    nemenyi_q,
    rank_models,
)

SCALARS = json.loads((Path(__file__).parents[1] / "reference" / "scalars.json").read_text())


def test_demsars_example():
    """Demšar 2006, section 3.2.2: N = 14, k = 4; chi2 9.28, F 3.69."""
    ranks = np.array(SCALARS["demsar_example"]["avg_ranks_paper"])

    chi2, p = friedman(ranks, 14)
    f, f_p = iman_davenport(chi2, 4, 14)

    assert chi2 == pytest.approx(9.28, abs=0.02)
    assert f == pytest.approx(3.69, abs=0.02)
    assert p < 0.05
    assert f_p < 0.05


@pytest.mark.parametrize("models", range(2, 11))
def test_nemenyis_q(models):
    """Demšar 2006, table 5 (recomputed from the studentised range)."""
    expected = SCALARS["nemenyi_q"]["alpha"]["0.05"][str(models)]

    assert nemenyi_q(models) == pytest.approx(expected, abs=6e-4)


def test_critical_difference():
    assert nemenyi_critical_difference(4, 14) == pytest.approx(1.2535512603, abs=1e-4)
    assert nemenyi_critical_difference(10, 5) == pytest.approx(6.0586, abs=1e-3)


def clear_winner(datasets, models=3, seed=0):
    draw = np.random.default_rng(seed)
    values = draw.normal(size=(datasets, models)) * 0.01
    values[:, 0] += 1
    return values


def test_the_better_model_ranks_first_and_the_others_are_one_group():
    names = [f"cohort {k}" for k in range(12)]

    found = rank_models(clear_winner(12), ["a", "b", "c"], names, [False] * 12)

    assert found.models[0] == "a"
    assert found.mean_ranks[0] == 1
    assert (found.low <= found.mean_ranks).all()
    assert (found.mean_ranks <= found.high).all()
    assert found.groups == [(1, 2)]
    assert found.p_pairs["a", found.models[1]] < 0.01
    assert found.friedman[1] < 0.01


def test_five_cohorts_are_not_tested():
    found = rank_models(clear_winner(5), ["a", "b", "c"], list("vwxyz"), [False] * 5)

    assert found.friedman is None
    assert found.p_pairs == {}
    assert found.critical_difference is None
    assert "no test" in found.said
    assert "0.0625" in found.said


def test_simulated_cohorts_and_second_outcomes_do_not_count():
    values = clear_winner(8)
    cluster = ["a", "a", "b", "b", "c", "c", "sim", "sim"]

    found = rank_models(values, ["x", "y", "z"], cluster, [False] * 6 + [True] * 2)

    assert (found.datasets, found.clusters) == (6, 3)
    assert rank_models(values, ["x", "y", "z"], ["sim"] * 8, [True] * 8) is None


@settings(deadline=None)  # the first call imports scipy.stats
@given(st.integers(0, 10_000))
def test_mean_ranks_sum_to_what_they_must(seed):
    values = np.random.default_rng(seed).integers(0, 3, (7, 4)).astype(float)

    found = rank_models(values, list("abcd"), list("1234567"), [False] * 7, resamples=20, seed=seed)

    assert found.mean_ranks.sum() == pytest.approx(10)
