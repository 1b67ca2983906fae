"""Over sites: a random-effects mean, its interval, and what to expect at the next site."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cytobench.evaluate.intervals import (
    NO_SPREAD,
    Estimate,
    nadeau_bengio,
    nadeau_bengio_logit,
    on_logit,
    structural_components,
)

Floats = NDArray[np.float64]
FEWEST_SITES = 5
"""Sites below which their spread is not known: each is shown, without a summary's interval."""


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
        None with fewer than `FEWEST_SITES` sites.
    """
    from scipy.special import stdtrit
    from statsmodels.stats.meta_analysis import combine_effects

    effect, variance = np.asarray(values, dtype=float), np.asarray(variances, dtype=float)
    k = len(effect)
    if k < FEWEST_SITES:
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


def auc_over_sites(sites: Sequence[tuple[ArrayLike, ArrayLike]]) -> OverSites | None:
    """Summary of the AUCs of sites, each with the variance that its numbers of patients give it.

    DeLong's variance (1988, doi:10.2307/2531595) of a site, with the variances of its structural
    components taken over all sites. A site's own moves with its AUC: on the logit scale it is large
    where that is high by luck and undefined at 1, so that weights by it leave out sites at which a
    model orders all pairs, for each model others, and draw the mean to 0.5 (0.880 where 0.900 was
    true, with 10 to 20 patients a site: ``benchmarks/results/over_sites.md``). Interval and
    prediction interval are symmetric on the logit scale.

    Parameters
    ----------
    sites : sequence of (y, score)
        Those with one class are left out, whatever the model says of them; the method says of how
        many the rest are.

    Returns
    -------
    OverSites or None
        None with fewer than `FEWEST_SITES` sites that are left, or if nothing varies within any.
    """
    parts = [
        structural_components(outcome, np.asarray(score, dtype=float))
        for outcome, score in ((np.asarray(y, dtype=float) == 1, score) for y, score in sites)
        if outcome.any() and not outcome.all()
    ]
    if not parts:
        return None
    of_positives, of_negatives = (_within(side) for side in zip(*parts, strict=True))
    variances = [of_positives / len(one) + of_negatives / len(other) for one, other in parts]
    if max(variances) < NO_SPREAD:
        return None
    found = random_effects([float(one.mean()) for one, _ in parts], variances, there_are=len(sites))
    return found and OverSites(_on_logit(found.mean), _on_logit(found.next_site), found.tau2)


def _within(values: Sequence[Floats]) -> float:
    """Variance around each site's own mean, pooled over sites."""
    squares = sum(float(((part - part.mean()) ** 2).sum()) for part in values)
    return squares / max(1, sum(len(part) - 1 for part in values))


def _on_logit(estimate: Estimate) -> Estimate:
    assert estimate.low is not None
    assert estimate.high is not None
    half = (estimate.high - estimate.low) / 2
    return on_logit(estimate.value, half, f"{estimate.method}, logit scale")


def mean_of_sites(
    values: ArrayLike, n_train: float, n_test: float, *, share: bool = False
) -> Estimate:
    """Mean over sites left out in turn; the interval takes sites as the unit and needs five.

    It is Nadeau and Bengio's: the models share most of their training patients, so that a plain t
    over sites covers 88 to 93 % for a Brier score and 86 to 88 % for a difference of two models;
    this one 97 to 98 and 94 to 98 % (``benchmarks/results/over_sites.md``).

    Parameters
    ----------
    values : array, shape (sites,)
        NaN where undefined.
    n_train, n_test : float
        Mean sizes of the two parts.
    share : bool
        Symmetric on the logit scale.
    """
    sites = np.asarray(values, dtype=float)
    sites = sites[~np.isnan(sites)]
    mean = float(sites.mean()) if len(sites) else float("nan")
    if len(sites) < FEWEST_SITES:
        return Estimate(mean, None, None, "no interval: fewer than five sites; see each site")
    interval = nadeau_bengio_logit if share else nadeau_bengio
    found = interval(sites, n_train, n_test)
    return replace(found, method=f"{found.method}, over sites")
