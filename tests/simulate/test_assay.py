"""The assay: plates differ, repeats scatter, limits and lost samples are marked."""

import numpy as np
import pytest

from cytobench.simulate.assay import measure
from cytobench.simulate.panel import MARKERS

N_MARKERS = len(MARKERS)
UNCENSORED = [m.name for m in MARKERS if np.log(m.median / m.llod) > 4 * m.log_sd]
"""Markers that are hardly ever below their limit: the limit would hide the noise of the others."""


def logs_of_identical_samples(plates, per_plate, seed=1):
    """One true sample, measured many times: shape (plates, per_plate, markers)."""
    z = np.zeros((plates * per_plate, N_MARKERS))
    plate = np.repeat(np.arange(plates), per_plate)
    table = measure(z, plate, missing=0.0, draw=np.random.default_rng(seed))
    return np.log(table[UNCENSORED].to_numpy()).reshape(plates, per_plate, -1)


def test_repeats_within_a_plate_scatter_by_five_to_ten_per_cent():
    logs = logs_of_identical_samples(plates=20, per_plate=200)

    within = logs.std(axis=1, ddof=1).mean(axis=0)

    assert ((within > 0.05) & (within < 0.10)).all()


def test_plates_differ_by_a_tenth_to_three_tenths():
    """Log units; a plate's mean of 50 repeats adds 0.01 to the scatter of 400 plates."""
    logs = logs_of_identical_samples(plates=400, per_plate=50)

    between = logs.mean(axis=1).std(axis=0, ddof=1)

    assert ((between > 0.10) & (between < 0.30)).all()


def test_a_plate_shifts_each_marker_on_its_own():
    """Else one common factor could be subtracted. 0.2 is four SE of a correlation of 400 plates."""
    plate_means = logs_of_identical_samples(plates=400, per_plate=10).mean(axis=1)

    between_markers = np.corrcoef(plate_means, rowvar=False)

    assert np.abs(between_markers - np.eye(len(UNCENSORED))).max() < 0.2


def test_a_value_is_reported_at_the_limit_or_lost_never_both():
    z = np.random.default_rng(2).normal(size=(4000, N_MARKERS))

    table = measure(z, np.zeros(4000, dtype=int), missing=0.3, draw=np.random.default_rng(3))

    for marker in (m for m in MARKERS if f"{m.name}__below" in table):
        below, lost = table[f"{marker.name}__below"], table[marker.name].isna()
        assert not (below & lost).any()
        assert (table.loc[below, marker.name] == marker.llod).all()
        assert (table.loc[~below & ~lost, marker.name] >= marker.llod).all()


@pytest.mark.parametrize("marker", ["CRP", "IL-4", "MIF"])
def test_values_are_lost_regardless_of_their_level(marker):
    """Completely at random: a lost and a kept sample are equally high. Within 4 SE."""
    position = [m.name for m in MARKERS].index(marker)
    z = np.random.default_rng(4).normal(size=(20_000, N_MARKERS))

    table = measure(z, np.zeros(len(z), dtype=int), missing=0.2, draw=np.random.default_rng(5))

    lost = table[marker].isna().to_numpy()
    difference = z[lost, position].mean() - z[~lost, position].mean()
    assert abs(difference) < 4 * np.sqrt(1 / lost.sum() + 1 / (~lost).sum())
