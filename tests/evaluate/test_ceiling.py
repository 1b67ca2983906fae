"""The share of the distance from floor to ceiling."""

import numpy as np
import pytest
from support.folds import stored

from cytobench.evaluate.ceiling import ratio_of_means, share_of_distance
from cytobench.evaluate.scores import Scores


def folds_with(signal, *, n=300, seed=0):
    draw = np.random.default_rng(seed)
    y = draw.integers(0, 2, n).astype(float)
    noise = draw.normal(size=n)
    return Scores("classification", "repeated_stratified", stored(1 / (1 + np.exp(
        -(signal * (y - 0.5) + noise))), y))  # fmt: skip


def test_the_truth_has_all_of_it_and_the_floor_none():
    floor, ceiling = folds_with(0.3), folds_with(2.0)

    assert share_of_distance(ceiling, floor, ceiling).value == pytest.approx(1)
    assert share_of_distance(floor, floor, ceiling).value == pytest.approx(0)


def test_a_model_in_between_has_an_interval_around_its_share():
    share = share_of_distance(folds_with(1.2), folds_with(0.3), folds_with(2.0))

    assert share.low < share.value < share.high
    assert 0.3 < share.value < 0.95


def test_where_floor_and_ceiling_cannot_be_told_apart_there_is_no_share():
    share = share_of_distance(folds_with(1.0), folds_with(1.0), folds_with(1.001))

    assert np.isnan(share.value)
    assert share.low is None
    assert "cannot be told apart" in share.method


def test_fieller_agrees_with_its_definition_at_both_ends():
    """At an end the t statistic of numerator - ratio * denominator is critical."""
    from scipy.stats import t

    draw = np.random.default_rng(1)
    denominator = 1 + 0.2 * draw.normal(size=20)
    numerator = 0.5 * denominator + 0.1 * draw.normal(size=20)

    found = ratio_of_means(numerator, denominator, overlap=0.0)

    for end in (found.low, found.high):
        rest = numerator - end * denominator
        statistic = rest.mean() / (rest.std(ddof=1) / np.sqrt(len(rest)))
        assert abs(statistic) == pytest.approx(t.ppf(0.975, 19), rel=1e-6)


def test_fieller_covers_the_true_ratio():
    draw = np.random.default_rng(2)
    hits = 0
    for _ in range(400):
        denominator = 1 + 0.5 * draw.normal(size=12)
        numerator = 0.6 + 0.4 * (denominator - 1) + 0.3 * draw.normal(size=12)
        found = ratio_of_means(numerator, denominator, overlap=0.0)
        hits += found.low is None or found.low <= 0.6 <= found.high

    assert 0.92 < hits / 400 <= 0.98


def test_with_one_fold_there_is_a_value_and_no_interval():
    found = ratio_of_means(np.array([0.1]), np.array([0.2]), overlap=0.25)

    assert found.value == pytest.approx(0.5)
    assert found.low is None
