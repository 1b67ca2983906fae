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
        p = 1 / (1 + np.exp(-0.3 * draw.normal(size=(28, 60))))
        picked, drawn = bbc(y, p, resamples=200, seed=seed)
        naive.append(picked)
        corrected.append(np.nanmean(drawn))

    assert np.mean(naive) > 0.56
    assert abs(np.mean(corrected) - 0.5) < 0.04


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
