"""Random effects over sites against a published meta-analysis."""

from __future__ import annotations

import math

import numpy as np
import pytest

from cytobench.evaluate.meta import auc_over_sites, random_effects

# Colditz et al. 1994 (doi:10.1001/jama.1994.03510380076038), BCG vaccine against tuberculosis, as
# in metafor's dat.bcg: cases and others with the vaccine, cases and others without.
BCG = [
    (4, 119, 11, 128), (6, 300, 29, 274), (3, 228, 11, 209), (62, 13536, 248, 12619),
    (33, 5036, 47, 5761), (180, 1361, 372, 1079), (8, 2537, 10, 619), (505, 87886, 499, 87892),
    (29, 7470, 45, 7232), (17, 1699, 65, 1600), (186, 50448, 141, 27197), (5, 2493, 3, 2338),
    (27, 16886, 29, 17825),
]  # fmt: skip


def log_risk_ratios():
    values = [math.log(a / (a + b) / (c / (c + d))) for a, b, c, d in BCG]
    variances = [1 / a - 1 / (a + b) + 1 / c - 1 / (c + d) for a, b, c, d in BCG]
    return values, variances


def test_the_bcg_trials():
    """metafor 4: rma(yi, vi, method = "PM", test = "knha"): tau2 0.3181, estimate -0.7150."""
    found = random_effects(*log_risk_ratios())

    assert found.tau2 == pytest.approx(0.3181, abs=5e-4)
    assert found.mean.value == pytest.approx(-0.7150, abs=5e-4)
    assert found.mean.low < -1.07
    assert found.mean.high > -0.36
    assert found.next_site.low < found.mean.low < found.mean.high < found.next_site.high


def test_equal_sites_have_no_heterogeneity():
    found = random_effects([0.4] * 6, [0.05] * 6)

    assert found.tau2 == 0
    assert found.mean.value == pytest.approx(0.4)
    # The Hartung-Knapp factor alone would give an interval without width.
    assert found.mean.high - found.mean.low > 2 * 1.96 * math.sqrt(0.05 / 6)


def test_fewer_than_five_sites_have_no_summary():
    assert random_effects([0.1, 0.2, 0.3, 0.4], [0.1] * 4) is None


def test_aucs_stay_between_0_and_1_and_one_class_sites_are_left_out():
    aucs = [0.95, 0.9, 0.97, 0.99, 0.93, float("nan"), 1.0]
    variances = [0.002] * 5 + [float("nan"), 0.0]

    found = auc_over_sites(aucs, variances)

    assert 0.9 < found.mean.value < 1
    assert 0 < found.next_site.low < found.mean.low < found.mean.high < found.next_site.high < 1
    assert "5 sites" in found.mean.method
    assert np.isfinite(found.tau2)
