"""BBC-CV takes away what picking the winner added (Tsamardinos et al. 2018)."""

from __future__ import annotations

import numpy as np
import pytest

from cytobench.core.result import InnerPredictions
from cytobench.evaluate.metrics import auc
from cytobench.evaluate.selection import bbc, selected


def test_nothing_to_find_and_28_settings():
    """EVALUATION fact 4: the best of 28 looks like 0.58, BBC-CV brings it below 0.54."""
    naive, corrected = [], []
    for seed in range(60):
        draw = np.random.default_rng(seed)
        y = draw.permutation(np.arange(60) % 2).astype(float)
        # Settings of one model resemble each other: what is common to them correlates by 0.6.
        score = np.sqrt(0.6) * draw.normal(size=60) + np.sqrt(0.4) * draw.normal(size=(28, 60))
        p = 1 / (1 + np.exp(-0.3 * score))
        picked, drawn = bbc(y, p, resamples=200, seed=seed)
        naive.append(picked)
        corrected.append(np.nanmean(drawn))

    assert np.mean(naive) == pytest.approx(0.58, abs=0.02)
    assert 0.46 < np.mean(corrected) < 0.54


def test_one_setting_has_nothing_to_correct():
    draw = np.random.default_rng(1)
    y = (draw.random(200) < 0.5).astype(float)
    p = np.clip(0.5 + 0.2 * (y - 0.5) + 0.2 * draw.normal(size=200), 0.01, 0.99)

    naive, drawn = bbc(y, p, resamples=500, seed=0)

    assert naive == pytest.approx(auc(y, p))
    assert np.nanmean(drawn) == pytest.approx(naive, abs=0.01)


def test_every_outer_fold_takes_part():
    draw = np.random.default_rng(2)
    inner = [
        InnerPredictions(
            (np.arange(40) % 2).astype(float).tolist(),
            {trial: draw.random(40).tolist() for trial in range(5)},
        )
        for _ in range(4)
    ]

    found = selected(inner, resamples=400, seed=0)

    assert "400 resamples" in found.corrected.method
    assert found.corrected.low < found.corrected.value < found.corrected.high
    assert found.naive > found.corrected.value


def test_no_fold_is_said():
    with pytest.raises(ValueError, match="no inner predictions"):
        selected([], resamples=10, seed=0)


def test_one_setting_is_the_plain_auc_over_many_cohorts():
    """The other end of fact 4: with nothing to select BBC-CV agrees within 0.01."""
    gaps = []
    for seed in range(40):
        draw = np.random.default_rng(seed)
        y = (np.arange(60) % 2).astype(float)
        p = 1 / (1 + np.exp(-(y - 0.5) - draw.normal(size=60)))
        naive, drawn = bbc(y, p, resamples=200, seed=seed)
        gaps.append(np.nanmean(drawn) - naive)

    assert abs(np.mean(gaps)) < 0.005
    assert np.abs(gaps).max() < 0.03


def test_a_real_winner_keeps_its_lead():
    draw = np.random.default_rng(3)
    y = (np.arange(200) % 2).astype(float)
    noise = 1 / (1 + np.exp(-0.3 * draw.normal(size=(9, 200))))
    good = 1 / (1 + np.exp(-1.5 * (y - 0.5) - draw.normal(size=200)))

    naive, drawn = bbc(y, np.vstack([noise, good]), resamples=300, seed=0)

    assert naive == pytest.approx(auc(y, good))
    assert np.nanmean(drawn) == pytest.approx(naive, abs=0.01)


def test_the_order_of_settings_does_not_matter():
    draw = np.random.default_rng(4)
    y, p = (np.arange(50) % 2).astype(float), draw.uniform(0.2, 0.8, size=(6, 50))

    first, second = (bbc(y, rows, resamples=100, seed=1) for rows in (p, p[::-1]))

    assert first[0] == second[0]
    np.testing.assert_array_equal(first[1], second[1])


def test_constant_and_certain_predictions():
    y = (np.arange(40) % 2).astype(float)

    constant, drawn = bbc(y, np.full(40, 0.5), resamples=50, seed=0)
    certain, perfect = bbc(y, np.vstack([y, 1 - y]), resamples=50, seed=0)

    assert constant == 0.5
    assert (drawn[~np.isnan(drawn)] == 0.5).all()
    assert certain == 1
    assert (perfect[~np.isnan(perfect)] == 1).all()


def test_resamples_that_leave_out_one_class_only_are_undefined():
    y = np.array([1.0, 0, 0, 0, 0, 0])

    _, drawn = bbc(y, np.linspace(0.9, 0.1, 6), resamples=200, seed=0)

    assert 0.5 < np.isnan(drawn).mean() < 0.8  # the one patient is in the resample: 0.67
    assert (drawn[~np.isnan(drawn)] == 1).all()
