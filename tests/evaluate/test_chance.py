"""Permutation p-values."""

from __future__ import annotations

import pytest

from cytobench.evaluate.chance import against_chance, permutation_p


@pytest.mark.parametrize(
    ("observed", "larger", "p"),
    [(0.9, True, 1 / 5), (0.6, True, 3 / 5), (0.1, True, 5 / 5), (0.1, False, 1 / 5)],
)
def test_one_is_added_to_both(observed, larger, p):
    """(b + 1) / (m + 1), Phipson & Smyth 2010; ties count against the model."""
    found = permutation_p(observed, [0.4, 0.5, 0.6, 0.7], larger_is_better=larger)

    assert found == pytest.approx(p)


def test_an_undefined_score_counts_against_the_model():
    assert permutation_p(0.9, [0.4, float("nan")], larger_is_better=True) == pytest.approx(2 / 3)
    assert permutation_p(float("nan"), [0.4, 0.5], larger_is_better=True) == 1


def test_the_family_is_compared_with_the_best_of_each_permutation():
    null = {"a": {1: 0.5, 2: 0.6, 3: 0.4}, "b": {1: 0.7, 2: 0.5, 3: 0.5}}

    found = against_chance({"a": 0.65, "b": 0.55, "c": 0.9}, null, larger_is_better=True)

    assert set(found) == {"a", "b"}
    assert found["a"].p == pytest.approx(1 / 4)
    assert found["a"].family_p == pytest.approx(2 / 4)  # the best of permutation 1 is 0.7
    assert found["b"].p == pytest.approx(2 / 4)
    assert found["b"].family_p == pytest.approx(3 / 4)


def test_the_family_holds_common_permutations_only():
    null = {"a": {1: 0.5, 2: 0.6}, "b": {2: 0.5, 3: 0.9}}

    found = against_chance({"a": 0.7, "b": 0.7}, null, larger_is_better=True)

    assert found["a"].family_p == pytest.approx(1 / 2)
    assert found["b"].permutations == 2
