"""Curves of training over folds: no jump where a fold stops, whatever the folds tell."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from cytobench.evaluate.epochs import epoch_curves

LOSSES = st.lists(st.floats(-10, 10), min_size=1, max_size=12)
FOLDS = st.lists(LOSSES, min_size=1, max_size=6)


def curve_of(losses):
    (curve,) = epoch_curves([{"valid_loss": values} for values in losses])
    return curve


def test_a_fold_that_has_stopped_keeps_its_last_value():
    curve = curve_of([[1.0, 0.8, 0.6], [0.5, 0.4]])

    np.testing.assert_allclose(curve.mean, [0.75, 0.6, 0.5])
    np.testing.assert_allclose(curve.low, [0.5, 0.4, 0.4])
    np.testing.assert_allclose(curve.high, [1.0, 0.8, 0.6])
    assert curve.training.tolist() == [2, 2, 1]


@given(FOLDS)
def test_the_mean_lies_between_the_folds_and_fewer_train_with_every_epoch(losses):
    curve = curve_of(losses)

    assert len(curve.mean) == max(map(len, losses))
    assert (curve.low <= curve.mean + 1e-9).all()
    assert (curve.mean <= curve.high + 1e-9).all()
    assert curve.training[0] == len(losses)
    assert (np.diff(curve.training) <= 0).all()


@given(st.integers(1, 6), st.integers(1, 12), st.floats(0.01, 1))
def test_losses_that_fall_have_a_mean_that_falls_whoever_stops(folds, epochs, step):
    curve = curve_of([[k - step * t for t in range(epochs + k)] for k in range(folds)])

    assert (np.diff(curve.mean) <= 0).all()


def test_models_that_tell_nothing_have_no_curve():
    assert epoch_curves([]) == []
    assert epoch_curves([{}, {"valid_loss": []}]) == []


def test_curves_of_different_names_are_apart():
    found = epoch_curves([{"train_loss": [1.0]}, {"valid_loss": [2.0], "train_loss": [3.0]}])

    assert {curve.name: curve.mean.tolist() for curve in found} == {
        "train_loss": [2.0],
        "valid_loss": [2.0],
    }
