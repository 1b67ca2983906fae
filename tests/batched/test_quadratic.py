"""Quadratic functions with an L1 penalty: both ways to the minimum end at the same place."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cytobench.batched.quadratic import active_set, coordinate_descent, quadratic


def functions(seed, *, k=12, d=7, strength=1.0, collinear=False):
    """Hessians, gradients at a starting point, and penalties, of which the last is 0."""
    draw = np.random.default_rng(seed)
    X = draw.normal(size=(k, 30, d))
    if collinear:
        X[:, :, -3] = X[:, :, -1] - X[:, :, -2]
    l1 = strength * draw.uniform(1, 5, (k, d))
    l1[:, -1] = 0
    start = draw.normal(size=(k, d)) * draw.integers(0, 2, (k, d))
    gradient = (draw.normal(size=(k, 1, 30)) @ X)[:, 0]
    return X.transpose(0, 2, 1) @ X, 5 * gradient, start, l1


def values(v, H, gradient, start, l1):
    step = v - start
    bend = (H @ step[..., None])[..., 0]
    return (step * (gradient + 0.5 * bend) + l1 * np.abs(v)).sum(axis=1)


@settings(max_examples=30)
@given(st.integers(0, 2**32 - 1), st.sampled_from([0.1, 1.0, 10.0]))
def test_where_guesses_settle_nothing_nearby_is_lower(seed, strength):
    asked = functions(seed, strength=strength)

    found, settled = active_set(*asked)

    H, gradient, start, l1 = asked
    slope = gradient + (H @ (found - start)[..., None])[..., 0]
    zero = found == 0
    assert settled.mean() > 0.5
    assert np.all(np.abs(slope[settled])[zero[settled]] <= l1[settled][zero[settled]] + 1e-6)
    other = ~zero & settled[:, None]
    np.testing.assert_allclose(slope[other], -(l1 * np.sign(found))[other], atol=1e-6)


@pytest.mark.parametrize("collinear", [False, True])
def test_coordinate_descent_ends_at_the_same_values(collinear):
    asked = functions(3, k=40, collinear=collinear)
    tight = np.full(40, 1e-12)

    found = quadratic(*asked, tight)

    swept = coordinate_descent(*asked, tight)
    np.testing.assert_allclose(values(found, *asked), values(swept, *asked), atol=1e-6)
