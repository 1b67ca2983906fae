"""Stratified folds: scikit-learn's to the last index, without scikit-learn."""

import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.model_selection import StratifiedKFold

from cytobench.splits.strata import dealt, stratified_folds


@settings(deadline=None, max_examples=150)
@given(
    strata=st.lists(st.integers(0, 5), min_size=12, max_size=80),
    folds=st.integers(2, 6),
    seed=st.integers(0, 2**31 - 1),
)
def test_the_folds_are_those_of_scikit_learn(strata, folds, seed):
    strata = np.array(strata)
    splitter = StratifiedKFold(folds, shuffle=True, random_state=seed)

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of a stratum that is smaller than the number of folds
        try:
            expected = list(splitter.split(np.zeros(len(strata)), strata))
        except ValueError:
            with pytest.raises(ValueError, match="no stratum has a member"):
                dealt(strata, folds, seed)
            return
        found = dealt(strata, folds, seed)

    for (train, test), (other_train, other_test) in zip(found, expected, strict=True):
        np.testing.assert_array_equal(train, other_train)
        np.testing.assert_array_equal(test, other_test)


def test_a_stratum_smaller_than_the_number_of_folds_is_warned_of():
    with pytest.warns(UserWarning, match="the smallest stratum has 2 members, fewer than 3 folds"):
        dealt(np.array([0] * 10 + [1] * 2), 3, seed=0)


@pytest.mark.parametrize("n", range(5, 20))
def test_few_patients_with_a_number_as_outcome_are_dealt_without_strata(n):
    """Twelve patients, the training part of fifteen, have thirds of four: too few for five."""
    y = np.random.default_rng(n).normal(size=n)

    folds, notes = stratified_folds(y, (["a", "b", "c", "d"] * 5)[:n], 5, 0, classification=False)

    assert sorted(np.concatenate([test for _, test in folds])) == list(range(n))
    assert max(len(test) for _, test in folds) - min(len(test) for _, test in folds) <= 1
    assert any("not stratified" in note for note in notes) == (n < 15)
