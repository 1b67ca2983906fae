"""Out-of-fold association: the permutation test keeps its level, Cramér's V its formula."""

from functools import partial

import numpy as np
import pytest

from cytobench.audit.association import cramers_v, indicators, link, permutations_of


def test_the_permutation_test_keeps_its_level():
    draw = np.random.default_rng(0)
    p = []
    for seed in range(300):
        y = draw.permutation(np.arange(60) % 2).astype(float)
        shuffled = partial(permutations_of, y, seed, 199)
        p.append(link(indicators(draw.integers(0, 4, 60)), y, shuffled, seed).p)

    # 300 tests at 5 % and 20 %: within four binomial standard errors.
    assert np.mean(np.array(p) <= 0.05) < 0.05 + 4 * np.sqrt(0.05 * 0.95 / 300)
    assert abs(np.mean(np.array(p) <= 0.2) - 0.2) < 4 * np.sqrt(0.2 * 0.8 / 300)


@pytest.mark.parametrize("binary", [True, False])
def test_a_real_association_is_found(binary):
    draw = np.random.default_rng(1)
    x = draw.normal(size=(100, 1))
    y = x[:, 0] + draw.normal(size=100)
    y = (y > 0).astype(float) if binary else y
    found = link(x, y, partial(permutations_of, y, 0), 0)

    assert found.binary is binary
    assert found.p == pytest.approx(1 / 2000)  # (b + 1) / (m + 1) with b = 0
    assert found.strength > (0.7 if binary else 0.5)


def test_constant_features_know_nothing():
    y = (np.arange(50) % 2).astype(float)
    found = link(np.ones((50, 2)), y, partial(permutations_of, y, 0, 99), 0)

    assert (found.strength, found.p) == (0.5, 1.0)


def test_outcomes_are_not_shuffled_before_somebody_asks_for_p():
    y = (np.arange(50) % 2).astype(float)
    asked = []
    found = link(y[:, None], y, lambda: asked.append(1) or permutations_of(y, 0, 99), 0)

    assert (found.strength, asked) == (1.0, [])
    assert (found.p, found.p, asked) == (0.01, 0.01, [1])


def test_cramers_v_by_hand():
    # 2 x 2 table 30, 10, 10, 30: phi2 = 0.25; Bergsma's correction subtracts 1/79 from it, and
    # rows and columns shrink to 2 - 1/79.
    rows = np.repeat([0, 0, 1, 1], [30, 10, 10, 30])
    columns = np.repeat([0, 1, 0, 1], [30, 10, 10, 30])

    assert cramers_v(rows, columns) == pytest.approx(
        np.sqrt((0.25 - 1 / 79) / (1 - 1 / 79)), abs=1e-12
    )


def test_cramers_v_of_independent_labels_is_near_zero():
    draw = np.random.default_rng(0)
    values = [cramers_v(draw.integers(0, 8, 80), draw.integers(0, 2, 80)) for _ in range(200)]

    assert np.mean(values) < 0.1  # uncorrected it would be about .29


def test_cramers_v_of_equal_labels_is_one():
    labels = np.arange(60) % 3

    assert cramers_v(labels, labels) == pytest.approx(1.0)
