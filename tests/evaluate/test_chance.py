"""Permutation p-values."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

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


def test_the_p_value_is_uniform_over_its_ranks():
    """Exchangeable scores under the null: P(p <= k/20) = k/20."""
    scores = np.random.default_rng(0).random(20)

    found = [
        permutation_p(scores[k], np.delete(scores, k), larger_is_better=True) for k in range(20)
    ]

    assert sorted(found) == pytest.approx([rank / 20 for rank in range(1, 21)])


@given(
    st.lists(st.floats(0, 1), min_size=1, max_size=30),
    st.floats(0, 1),
    st.booleans(),
)
def test_it_is_never_zero_and_turning_the_sign_turns_the_direction(null, observed, larger):
    found = permutation_p(observed, null, larger_is_better=larger)

    assert 1 / (len(null) + 1) <= found <= 1
    turned = permutation_p(-observed, [-x for x in null], larger_is_better=not larger)
    assert found == pytest.approx(turned)


@given(st.integers(0, 1000), st.booleans())
def test_the_family_is_never_surer_than_the_model_alone(seed, larger):
    draw = np.random.default_rng(seed)
    null = {name: dict(enumerate(draw.random(15))) for name in "abc"}

    found = against_chance(
        dict(zip("abc", draw.random(3), strict=True)), null, larger_is_better=larger
    )

    for test in found.values():
        assert test.family_p >= test.p
        assert test.permutations == 15


def test_the_null_is_described_and_lower_errors_are_better():
    null = {"a": {1: 12.0, 2: 14.0}, "b": {1: 10.0, 2: 16.0}}

    found = against_chance({"a": 11.0, "b": 9.0}, null, larger_is_better=False)

    assert (found["a"].p, found["a"].family_p) == pytest.approx((1 / 3, 2 / 3))
    assert (found["b"].p, found["b"].family_p) == pytest.approx((1 / 3, 1 / 3))
    assert found["a"].null_mean == 13
    assert found["a"].null_sd == pytest.approx(math.sqrt(2))


def test_one_model_is_no_family_and_one_permutation_has_no_spread():
    found = against_chance({"a": 0.7}, {"a": {1: 0.5}}, larger_is_better=True)["a"]

    assert found.p == 0.5
    assert found.family_p is None
    assert math.isnan(found.null_sd)
