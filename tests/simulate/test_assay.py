"""The assay: sites and plates differ, repeats scatter, limits and lost values are marked."""

import numpy as np
import pytest

from cytobench.simulate.assay import PER_PLATE, handle, measure
from cytobench.simulate.panel import MARKERS, NAMES

N_MARKERS = len(MARKERS)
UNCENSORED = [m.name for m in MARKERS if np.log(m.median / m.llod) > 4 * m.log_sd]
"""Markers that are hardly ever below their limit: the limit would hide the noise of the others."""
SEEN = [NAMES.index(name) for name in UNCENSORED]
NOTHING = np.zeros(1)


def logs_of_identical_samples(plates, seed=1, sites=1, **options):
    """One true sample, measured many times: shape (plates, samples per plate, markers)."""
    n = plates * PER_PLATE
    draw = np.random.default_rng(seed)
    handling = handle(np.arange(n) * sites // n, MARKERS, draw, **options)
    values, _ = measure(np.zeros((n, N_MARKERS)), MARKERS, handling, NOTHING, draw)
    return np.log(values[:, SEEN]).reshape(plates, PER_PLATE, -1)


def measured(n, lost, seed=2):
    draw = np.random.default_rng(seed)
    z = draw.normal(size=(n, N_MARKERS))
    handling = handle(np.zeros(n, dtype=int), MARKERS, draw)
    return z, *measure(z, MARKERS, handling, np.full(1, lost), draw)


def test_repeats_within_a_plate_scatter_by_five_to_ten_per_cent():
    within = logs_of_identical_samples(plates=50).std(axis=1, ddof=1).mean(axis=0)

    assert ((within > 0.05) & (within < 0.10)).all()


def test_plates_differ_by_a_tenth_to_three_tenths():
    """Log units; a plate's mean of 80 repeats adds 0.01 to the scatter of 400 plates."""
    between = logs_of_identical_samples(plates=400).mean(axis=1).std(axis=0, ddof=1)

    assert ((between > 0.10) & (between < 0.30)).all()


def test_a_plate_shifts_each_marker_on_its_own():
    """Else one common factor could be subtracted. 0.2 is four SE of a correlation of 400 plates."""
    plate_means = logs_of_identical_samples(plates=400).mean(axis=1)

    between_markers = np.corrcoef(plate_means, rowvar=False)

    assert np.abs(between_markers - np.eye(len(UNCENSORED))).max() < 0.2


@pytest.mark.parametrize("noise", [0.0, 0.3])
def test_noise_is_as_asked(noise):
    """4,000 samples, so within 4 SE of an SD."""
    logs = logs_of_identical_samples(plates=50, noise=noise, plate_shift=0.0)

    found = logs.reshape(-1, len(SEEN)).std(axis=0)

    assert found == pytest.approx(noise, abs=4 * noise / np.sqrt(2 * 4000) + 1e-12)


def test_sites_shift_levels_in_units_of_their_spread():
    """400 sites of one plate each; within 5 SE of an SD."""
    logs = logs_of_identical_samples(
        plates=400, sites=400, noise=0.0, plate_shift=0.0, site_effect=0.5
    )

    between = logs.mean(axis=1).std(axis=0, ddof=1)

    spread = np.array([MARKERS[k].log_sd for k in SEEN])
    assert between / spread == pytest.approx(0.5, abs=5 * 0.5 / np.sqrt(800))


def test_a_value_is_reported_at_the_limit_or_lost_never_both():
    _, values, below = measured(4000, lost=0.3)
    lost = np.isnan(values)
    limit = np.broadcast_to([marker.llod for marker in MARKERS], values.shape)

    assert not (below & lost).any()
    assert (values[below] == limit[below]).all()
    assert (values[~below & ~lost] >= limit[~below & ~lost]).all()
    assert lost.mean() == pytest.approx(0.3, abs=0.01)


@pytest.mark.parametrize("marker", ["CRP", "IL-4", "MIF"])
def test_values_are_lost_regardless_of_their_level(marker):
    """Completely at random: a lost and a kept sample are equally high. Within 4 SE."""
    z, values, _ = measured(20_000, lost=0.2, seed=4)
    lost = np.isnan(values[:, NAMES.index(marker)])
    level = z[:, NAMES.index(marker)]

    difference = level[lost].mean() - level[~lost].mean()

    assert abs(difference) < 4 * np.sqrt(1 / lost.sum() + 1 / (~lost).sum())
