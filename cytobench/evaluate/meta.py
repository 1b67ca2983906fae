"""Over sites: a random-effects mean, its interval, and what to expect at the next site."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from cytobench.evaluate.intervals import Estimate

FEWEST = 5
"""Sites below which heterogeneity cannot be estimated: each site is shown, no summary interval."""


@dataclass(frozen=True)
class OverSites:
    """A random-effects summary.

    Attributes
    ----------
    mean : Estimate
        Of the sites' true values.
    next_site : Estimate
        The same value with the prediction interval of a new site.
    tau2 : float
        Variance between sites, on the scale of the analysis.
    """

    mean: Estimate
    next_site: Estimate
    tau2: float


def random_effects(
    values: Sequence[float], variances: Sequence[float], *, there_are: int | None = None
) -> OverSites | None:
    """Paule-Mandel heterogeneity, Hartung-Knapp-Sidik-Jonkman interval, prediction interval.

    IntHout et al. 2014 (doi:10.1186/1471-2288-14-25) for the interval with k - 1 degrees of
    freedom; never shorter than with a factor of 1 (Röver et al. 2015,
    doi:10.1186/s12874-015-0091-1). Higgins et al. 2009 (doi:10.1111/j.1467-985X.2008.00552.x) for
    the prediction interval with k - 2; R's metafor takes k - 1 there.

    Parameters
    ----------
    values, variances : sequence of float
        One estimate for each site with its variance, above 0.
    there_are : int, optional
        Sites in all, where some have no value.

    Returns
    -------
    OverSites or None
        None with fewer than `FEWEST` sites.
    """
    from scipy.special import stdtrit
    from statsmodels.stats.meta_analysis import combine_effects

    effect, variance = np.asarray(values, dtype=float), np.asarray(variances, dtype=float)
    k = len(effect)
    if k < FEWEST:
        return None
    fit = combine_effects(effect, variance, method_re="iterated", use_t=True)
    mean, tau2 = float(fit.mean_effect_re), max(0.0, float(fit.tau2))
    se = math.sqrt(float(fit.var_eff_w_re) * max(1.0, float(fit.scale_hksj_re)))
    half = float(stdtrit(k - 1, 0.975)) * se
    counted = f"{k} sites" if there_are in (None, k) else f"{k} of {there_are} sites"
    method = f"random effects over {counted}, Paule-Mandel, Hartung-Knapp"
    reach = float(stdtrit(k - 2, 0.975)) * math.sqrt(tau2 + se**2)
    return OverSites(
        Estimate(mean, mean - half, mean + half, method),
        Estimate(mean, mean - reach, mean + reach, f"prediction interval, {method}"),
        tau2,
    )


def auc_over_sites(aucs: Sequence[float], variances: Sequence[float]) -> OverSites | None:
    """Summary of AUCs on the logit scale, back on the scale of the AUC.

    Parameters
    ----------
    aucs, variances : sequence of float
        One AUC with DeLong's variance for each site. Sites without both classes, with an AUC of 0
        or 1 or without variance are left out; the method says of how many sites the rest are.

    Returns
    -------
    OverSites or None
        None with fewer than `FEWEST` sites that are left.
    """
    usable = [
        (auc, variance)
        for auc, variance in zip(aucs, variances, strict=True)
        if 0 < auc < 1 and variance > 0
    ]
    found = random_effects(
        [math.log(auc / (1 - auc)) for auc, _ in usable],
        [variance / (auc * (1 - auc)) ** 2 for auc, variance in usable],
        there_are=len(aucs),
    )
    if found is None:
        return None
    return OverSites(_share(found.mean), _share(found.next_site), found.tau2)


def _share(estimate: Estimate) -> Estimate:
    assert estimate.low is not None
    assert estimate.high is not None
    value, low, high = (
        1 / (1 + math.exp(-x)) for x in (estimate.value, estimate.low, estimate.high)
    )
    return Estimate(value, low, high, f"{estimate.method}, logit scale")
