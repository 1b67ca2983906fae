"""Ranks over datasets against Demšar's example and tables."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import friedmanchisquare, norm, rankdata

from cytobench.evaluate.ranks import (
    friedman,
    iman_davenport,
    nemenyi_critical_difference,
    nemenyi_q,
    rank_models,
    spread_of,
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
    assert "too short" in found.said


def test_simulated_cohorts_and_second_outcomes_do_not_count():
    values = clear_winner(8)
    cluster = ["a", "a", "b", "b", "c", "c", "sim", "sim"]

    found = rank_models(values, ["x", "y", "z"], cluster, [False] * 6 + [True] * 2)

    assert (found.datasets, found.clusters) == (6, 3)
    assert rank_models(values, ["x", "y", "z"], ["sim"] * 8, [True] * 8) is None


@given(st.integers(0, 10_000))  # five cohorts: no tests, which ties make slow
def test_mean_ranks_sum_to_what_they_must(seed):
    values = np.random.default_rng(seed).integers(0, 3, (5, 4)).astype(float)

    found = rank_models(values, list("abcd"), list("12345"), [False] * 5, resamples=20, seed=seed)

    assert found.mean_ranks.sum() == pytest.approx(10)
    assert (found.low <= found.mean_ranks).all()
    assert (found.mean_ranks <= found.high).all()


# AUC of C4.5 and C4.5+m on 14 datasets: Demšar 2006, table 2.
C45 = [
    (0.763, 0.768), (0.599, 0.591), (0.954, 0.971), (0.628, 0.661), (0.882, 0.888),
    (0.936, 0.931), (0.661, 0.668), (0.583, 0.583), (0.775, 0.838), (1.000, 1.000),
    (0.940, 0.962), (0.619, 0.666), (0.972, 0.981), (0.957, 0.978),
]  # fmt: skip


def test_wilcoxon_of_demsars_two_classifiers():
    """Rank sums 93 and 12, zeros split between them; z = -2.54 by Demšar's formula."""
    names = [f"dataset {k}" for k in range(14)]

    found = rank_models(np.array(C45), ["C4.5", "C4.5+m"], names, [False] * 14)

    z = (12 - 14 * 15 / 4) / np.sqrt(14 * 15 * 29 / 24)
    two_sided = 2 * norm.cdf(z)
    assert found.p_pairs["C4.5+m", "C4.5"] == pytest.approx(two_sided, abs=0.001)
    assert found.models[0] == "C4.5+m"


@pytest.mark.parametrize("seed", range(4))
def test_friedman_with_ties_is_scipys(seed):
    values = np.random.default_rng(seed).integers(0, 4, (8, 5)).astype(float)
    ranks = np.array([rankdata(-row) for row in values])

    found = friedman(ranks.mean(axis=0), 8, spread=spread_of(ranks))

    expected = friedmanchisquare(*values.T)
    assert found == pytest.approx((expected.statistic, expected.pvalue), abs=1e-9)


def test_models_that_tie_everywhere_do_not_differ():
    found = rank_models(np.full((6, 3), 0.5), list("abc"), list("uvwxyz"), [False] * 6)

    assert found.friedman == (0, 1)
    assert found.iman_davenport == (0, 1)
    assert set(found.p_pairs.values()) == {1.0}


def test_many_pairs_on_few_cohorts_can_tell_none_apart_and_that_is_said():
    few = rank_models(clear_winner(7, models=8), list("abcdefgh"), list("1234567"), [False] * 7)
    more = rank_models(clear_winner(7), list("abc"), list("1234567"), [False] * 7)

    # 28 pairs, and 2 ** -6 is the smallest p of 7 cohorts.
    assert "28 pairs no pair" in few.said
    assert min(few.p_pairs.values()) > 0.05
    assert "no pair" not in more.said
    assert min(more.p_pairs.values()) < 0.05


def test_intervals_of_mean_ranks_cover():
    """Plain percentiles would cover 0.85 at 6 cohorts, expanded ones 0.92."""
    draw = np.random.default_rng(0)
    centre = np.linspace(1, 0, 4)
    truth = rankdata(-(draw.normal(size=(40_000, 4)) + centre), axis=1).mean(axis=0)
    covered = []
    for _ in range(150):
        values = draw.normal(size=(6, 4)) + centre
        found = rank_models(values, [0, 1, 2, 3], list("123456"), [False] * 6, resamples=1000)
        true = truth[list(found.models)]
        covered.append(np.mean((found.low <= true) & (true <= found.high)))

    assert 0.89 < np.mean(covered) < 0.98


def test_a_missing_value_is_refused():
    with pytest.raises(ValueError, match="no value"):
        rank_models(np.array([[0.5, np.nan], [0.6, 0.7]]), ["a", "b"], ["x", "y"], [False] * 2)
