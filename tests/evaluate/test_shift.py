"""Covariate shift between studies."""

import numpy as np
import pytest

from cytobench.evaluate.shift import covariate_shift


def two_studies(shift, *, n=150, seed=0):
    draw = np.random.default_rng(seed)
    values = draw.normal(size=(2 * n, 3))
    values[n:, 0] += shift
    return values, ["IL-6", "CRP", "IL-8"], ["one"] * n + ["two"] * n


def test_without_a_shift_the_studies_cannot_be_told_apart():
    found = covariate_shift(*two_studies(0.0), seed=0)

    estimate = found.adversarial["one"]
    assert estimate.low < 0.5 < estimate.high
    for parts in found.analytes.values():
        assert parts["one"].low < 0 < parts["one"].high


def test_a_shift_shows_in_the_analyte_that_has_it_with_its_direction():
    found = covariate_shift(*two_studies(1.5), seed=0)

    assert found.adversarial["one"].low > 0.7
    assert found.analytes["IL-6"]["two"].low > 1
    assert found.analytes["IL-6"]["one"].high < -1
    assert found.analytes["CRP"]["two"].low < 0 < found.analytes["CRP"]["two"].high


def test_hedges_g_of_two_small_samples_by_hand():
    """g = J (1 - 1/ ... ): Hedges & Olkin 1985; means 5.5 and 6.5, variance 55/6, n = m = 10."""
    values = np.concatenate([np.arange(1.0, 11), np.arange(2.0, 12)])[:, None]

    found = covariate_shift(values, ["IL-6"], ["one"] * 10 + ["two"] * 10, seed=0)

    expected = (1 - 3 / (4 * 20 - 9)) * -1 / np.sqrt(55 / 6)
    assert found.analytes["IL-6"]["one"].value == pytest.approx(expected)


def test_missing_values_and_small_studies_say_so_instead_of_a_number():
    values, names, study = two_studies(0.0)
    values[:, 1] = np.nan
    values, study = values[:155], study[:155]

    found = covariate_shift(values, names, study, seed=0)

    assert np.isnan(found.analytes["CRP"]["one"].value)
    assert np.isnan(found.adversarial["two"].value)
    assert "fewer than" in found.adversarial["two"].method
