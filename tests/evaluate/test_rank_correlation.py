"""Rank correlations of columns with gaps."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import spearmanr

from cytobench.evaluate.rank_correlation import pairwise_spearman

FEWEST = 5


@given(
    seed=st.integers(0, 10_000),
    n=st.integers(1, 40),
    decimals=st.integers(0, 3),
    gaps=st.floats(0, 0.6),
)
def test_every_pair_is_what_scipy_finds_among_the_rows_that_have_both(seed, n, decimals, gaps):
    draw = np.random.default_rng(seed)
    table = np.round(draw.normal(size=(n, 4)) + draw.normal(size=(n, 1)), decimals)
    table[draw.random(table.shape) < gaps] = np.nan

    found = pairwise_spearman(table, FEWEST)

    for one in range(4):
        for other in range(4):
            both = table[~np.isnan(table[:, [one, other]]).any(axis=1)]
            x, y = both[:, one], both[:, other]
            if len(both) < FEWEST or np.ptp(x) == 0 or np.ptp(y) == 0:
                assert np.isnan(found[one, other])
            else:
                assert found[one, other] == pytest.approx(spearmanr(x, y).statistic, abs=1e-12)


def test_what_is_larger_everywhere_in_one_is_larger_in_the_other():
    x = np.array([3.0, 1.0, np.nan, 2.0, 5.0, 5.0])

    found = pairwise_spearman(np.column_stack([x, np.exp(x), -x]), 5)

    assert found.tolist() == [[1, 1, -1], [1, 1, -1], [-1, -1, 1]]
