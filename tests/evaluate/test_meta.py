"""Random effects over sites against a published meta-analysis."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.optimize import brentq
from scipy.stats import norm, t

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
    """Paule-Mandel's equation solved apart; its Hartung-Knapp factor is 1 by definition."""
    y, v = (np.array(part) for part in log_risk_ratios())
    tau2 = brentq(lambda tau2: generalised_q(y, v, tau2) - 12, 0, 5, xtol=1e-12)
    weight = 1 / (v + tau2)
    mean, se = np.average(y, weights=weight), np.sqrt(1 / weight.sum())

    found = random_effects(y, v)

    assert found.tau2 == pytest.approx(tau2, abs=1e-6)
    assert found.mean.value == pytest.approx(mean, abs=1e-6)
    ends = (found.mean.low, found.mean.high)
    assert ends == pytest.approx((mean - t.ppf(0.975, 12) * se, mean + t.ppf(0.975, 12) * se))
    reach = t.ppf(0.975, 11) * np.sqrt(tau2 + se**2)
    ends = (found.next_site.low, found.next_site.high)
    assert ends == pytest.approx((mean - reach, mean + reach))


def test_the_bcg_trials_are_near_metafors_published_output():
    """README of metafor 4.3: REML, test = "knha": tau2 0.3132, -0.7145 (-1.1084 to -0.3206).

    Another estimator of tau2, so near and not equal. Its prediction interval of the risk ratio is
    0.14 to 1.76 with k - 1 degrees of freedom; k - 2 widen it.
    """
    found = random_effects(*log_risk_ratios())

    assert found.tau2 == pytest.approx(0.3132, abs=0.006)
    ends = (found.mean.value, found.mean.low, found.mean.high)
    assert ends == pytest.approx((-0.7145, -1.1084, -0.3206), abs=0.001)
    low, high = math.exp(found.next_site.low), math.exp(found.next_site.high)
    assert 0.12 < low < 0.14
    assert 1.76 < high < 1.85


def generalised_q(y, v, tau2):
    weight = 1 / (v + tau2)
    return float((weight * (y - np.average(y, weights=weight)) ** 2).sum())


@pytest.mark.parametrize("seed", range(20))
def test_heterogeneity_solves_paule_and_mandels_equation(seed):
    draw = np.random.default_rng(seed)
    v = np.exp(draw.normal(-3, 1.5, 7))
    y = draw.normal(0, np.exp(draw.normal(-1, 1))) + draw.normal(size=7) * (np.sqrt(v) + 0.3)

    tau2 = random_effects(y, v).tau2

    if tau2 == 0:
        assert generalised_q(y, v, 0) <= 6
    else:
        assert generalised_q(y, v, tau2) == pytest.approx(6, abs=1e-3)


def test_equal_sites_have_no_heterogeneity():
    found = random_effects([0.4] * 6, [0.05] * 6)

    assert found.tau2 == 0
    assert found.mean.value == pytest.approx(0.4)
    # The Hartung-Knapp factor alone would give an interval without width.
    assert found.mean.high - found.mean.low > 2 * 1.96 * math.sqrt(0.05 / 6)


def test_fewer_than_five_sites_have_no_summary():
    assert random_effects([0.1, 0.2, 0.3, 0.4], [0.1] * 4) is None


def site(patients: int, apart: float, draw: np.random.Generator):
    """Outcomes, three in ten of them 1, and scores that lie `apart` standard deviations."""
    y = (draw.random(patients) < 0.3).astype(float)
    return y, draw.normal(size=patients) + apart * y


def test_an_auc_of_1_at_a_site_counts():
    """A model that orders all pairs of a site is better for it, not summarised without it."""
    draw = np.random.default_rng(0)
    others = [site(40, 1.0, draw) for _ in range(5)]
    y = (np.arange(12) % 3 == 0).astype(float)

    without, perfect, chance = (
        auc_over_sites(others + more) for more in ([], [(y, y)], [(y, np.zeros(12))])
    )

    assert chance.mean.value < without.mean.value < perfect.mean.value
    assert "over 6 sites" in perfect.mean.method


def test_sites_of_one_class_are_left_out_and_told():
    draw = np.random.default_rng(1)
    there = [site(40, 2.0, draw) for _ in range(5)]
    nowhere = [(np.zeros(20), draw.normal(size=20)), (np.ones(20), draw.normal(size=20))]

    found = auc_over_sites([*there, *nowhere])

    assert 0.8 < found.mean.value < 1
    assert 0 < found.next_site.low < found.mean.low < found.mean.high < found.next_site.high < 1
    assert "over 5 of 7 sites" in found.mean.method
    assert found.mean.value == auc_over_sites(there).mean.value
    assert auc_over_sites([*there[:4], *nowhere]) is None


def test_the_summary_of_small_sites_is_not_drawn_to_a_half():
    """Weights by each site's own variance on the logit scale gave 0.880."""
    draw = np.random.default_rng(2)
    apart = math.sqrt(2) * norm.ppf(0.9)

    means = [
        auc_over_sites([site(n, apart, draw) for n in draw.integers(10, 21, 8)]).mean.value
        for _ in range(300)
    ]

    assert np.mean(means) == pytest.approx(0.9, abs=3 * np.std(means) / math.sqrt(300))


def test_nothing_to_weigh_by_is_no_summary():
    """A model that says one thing to everybody has an AUC of 0.5 wherever there are two classes."""
    y = np.arange(20) % 2.0

    assert auc_over_sites([(y, np.full(20, 0.3))] * 6) is None
