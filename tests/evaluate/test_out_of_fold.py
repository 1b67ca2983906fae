"""Stored folds as arrays: nothing depends on pseudonyms or on the order within a fold."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from support.folds import stored

from cytobench.evaluate.assessment import assess
from cytobench.evaluate.out_of_fold import out_of_fold


def example(label="p", seed=0):
    draw = np.random.default_rng(seed)
    y = (np.arange(60) % 2).astype(float)
    p = np.clip(0.5 + 0.2 * (y - 0.5) + 0.2 * draw.normal(size=(2, 60)), 0.01, 0.99)
    return stored(p, y, label=label)


def test_other_pseudonyms_give_the_same_numbers():
    """Two stores have two salts; their leaderboards must be the same."""
    first = assess("classification", "repeated_stratified", example("p"), {}, resamples=200)
    second = assess("classification", "repeated_stratified", example("zz"), {}, resamples=200)

    assert first.estimates == second.estimates


def test_the_order_within_a_fold_does_not_matter_to_metrics():
    folds = example()
    parts = folds[0].predictions
    turned = {
        name: list(reversed(getattr(parts, name)))
        for name in ("patient", "y", "prediction", "arm", "site", "truth")
    }
    other = [replace(folds[0], predictions=replace(parts, **turned)), *folds[1:]]

    first = out_of_fold(folds)
    second = out_of_fold(other)

    order = [list(second.patients).index(patient) for patient in first.patients]
    np.testing.assert_array_equal(first.prediction, second.prediction[:, order])
    np.testing.assert_array_equal(first.y, second.y[order])


def test_a_patient_who_was_not_tested_has_no_prediction():
    folds = example()[:5] + example()[6:]  # the first fold of the second repeat is missing

    found = out_of_fold(folds)

    assert np.isnan(found.prediction[1]).sum() == len(example()[5].predictions.y)
    assert not np.isnan(found.mean).any()


def test_instability_is_the_mean_difference_of_two_repeats():
    y = (np.arange(20) % 2).astype(float)
    p = np.stack([np.full(20, 0.4), np.full(20, 0.5), np.full(20, 0.7)])

    found = out_of_fold(stored(p, y, repeats=3, folds=2)).instability

    np.testing.assert_allclose(found, (0.1 + 0.3 + 0.2) / 3)
    assert np.isnan(out_of_fold(stored(p[0], y, repeats=1, folds=2)).instability).all()
