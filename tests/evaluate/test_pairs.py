"""Pairs under weights: three ways of counting, one answer."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cytobench.evaluate import pairs
from cytobench.evaluate.metrics import auc
from cytobench.evaluate.pairs import won_by_row, won_pairs

SEEDS = st.integers(0, 2**32 - 1)


def cohort(seed, levels):
    """Scores with ties, outcomes of both classes, and how often each patient is drawn."""
    draw = np.random.default_rng(seed)
    n = int(draw.integers(2, 60))
    positive = draw.permutation(np.arange(n) < draw.integers(1, n))
    score = draw.integers(0, levels, n) / levels
    return score, positive, draw.multinomial(n, np.full(n, 1 / n), size=7).astype(float)


def repeated(score, positive, weights):
    """AUC of a resample whose patients are written down one by one."""
    rows = np.repeat(np.arange(len(score)), weights.astype(int))
    return auc(positive[rows], score[rows])


@given(SEEDS, st.sampled_from([2, 7, 1000]))
def test_the_share_of_won_pairs_is_the_auc_of_the_resample(seed, levels):
    score, positive, weights = cohort(seed, levels)

    won, all_pairs = won_pairs(score, positive, weights.T)

    expected = [repeated(score, positive, row) for row in weights]
    with np.errstate(invalid="ignore"):
        np.testing.assert_allclose(won / all_pairs, expected, rtol=1e-12)


@given(SEEDS, st.sampled_from([2, 7, 1000]))
def test_sorting_counts_what_the_matrix_of_pairs_counts(seed, levels):
    score, positive, weights = cohort(seed, levels)
    by_matrix = won_pairs(score, positive, weights.T)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pairs, "FEW_PAIRS", 0)
        patch.setattr(pairs, "AT_ONCE", 3 * len(score))
        by_sorting = won_pairs(score, positive, weights.T)

    np.testing.assert_array_equal(by_sorting, by_matrix)


@given(SEEDS, st.sampled_from([2, 7, 1000]))
def test_each_resample_may_have_scores_of_its_own(seed, levels):
    score, positive, weights = cohort(seed, levels)
    scores = np.stack([score, score[::-1], -score])
    which = np.arange(len(weights)) % len(scores)

    won, all_pairs = won_by_row(scores, which, positive, weights)

    for row, setting in enumerate(which):
        alone = won_pairs(scores[setting], positive, weights[row][:, None])
        assert (won[row], all_pairs[row]) == (alone[0][0], alone[1][0])
