"""Several models over several datasets: ranks, their uncertainty, and whether they differ at all.

After Demšar (2006, JMLR 7:1-30) and Benavoli, Corani & Mangili (2016, JMLR 17:1-10), who show why
the pairwise tests below are Wilcoxon's with Holm's adjustment and not Nemenyi's.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cytobench.evaluate.intervals import holm
from cytobench.evaluate.metrics import midranks

Floats = NDArray[np.float64]

FEWEST_TO_TEST = 6
"""Below, Wilcoxon's smallest two-sided p is 0.0625 or more: no test can find anything."""
FEWEST_TO_DRAW = 10
"""Datasets from which on a critical-difference diagram means something."""
ALPHA = 0.05


@dataclass(frozen=True)
class Ranking:
    """Mean ranks of models over datasets; 1 is best.

    Attributes
    ----------
    models : sequence of str
        Best mean rank first.
    mean_ranks, low, high : array, shape (models,)
        With 95 % intervals from resampled clusters of datasets.
    datasets, clusters : int
        Real datasets that count, and the cohorts that they come from.
    friedman, iman_davenport : (statistic, p) or None
        None with fewer than `FEWEST_TO_TEST` clusters.
    critical_difference : float or None
        Nemenyi's, for the diagram; None with fewer than `FEWEST_TO_DRAW` clusters.
    groups : sequence of (first, last)
        Positions of neighbouring models that cannot be told apart: Nemenyi's bars, for the diagram.
    p_pairs : mapping
        Pair of models -> Wilcoxon's p, Holm-adjusted over all pairs.
    said : str
        What was done, or why not.
    """

    models: Sequence[str]
    mean_ranks: Floats
    low: Floats
    high: Floats
    datasets: int
    clusters: int
    friedman: tuple[float, float] | None
    iman_davenport: tuple[float, float] | None
    critical_difference: float | None
    groups: Sequence[tuple[int, int]]
    p_pairs: dict[tuple[str, str], float]
    said: str


def rank_models(
    values: Floats,
    models: Sequence[str],
    cluster: Sequence[str],
    simulated: Sequence[bool],
    *,
    resamples: int = 2000,
    seed: int = 0,
) -> Ranking | None:
    """Rank models over real datasets.

    Parameters
    ----------
    values : array, shape (datasets, models)
        Higher is better.
    cluster : sequence of str
        The cohort that each dataset comes from: its outcomes count as one.
    simulated : sequence of bool
        Simulated datasets are no independent cohorts and are left out.

    Returns
    -------
    Ranking or None
        None with fewer than two real cohorts or two models.
    """
    real = ~np.asarray(simulated, dtype=bool)
    found = np.asarray(values, dtype=float)[real]
    names = np.asarray(cluster)[real]
    cohorts = np.unique(names)
    if len(cohorts) < 2 or len(models) < 2:
        return None
    ranks = np.array([midranks(-row) for row in found])
    by_cohort = np.array([ranks[names == name].mean(axis=0) for name in cohorts])
    values_by_cohort = np.array([found[names == name].mean(axis=0) for name in cohorts])
    mean = by_cohort.mean(axis=0)
    order = np.argsort(mean, kind="stable")
    draw = np.random.default_rng(seed)
    drawn = by_cohort[draw.integers(0, len(cohorts), (resamples, len(cohorts)))].mean(axis=1)
    low, high = np.quantile(drawn, [0.025, 0.975], axis=0)
    tested = len(cohorts) >= FEWEST_TO_TEST
    statistic = friedman(mean, len(cohorts)) if tested else None
    critical = None
    if len(cohorts) >= FEWEST_TO_DRAW:
        critical = nemenyi_critical_difference(len(models), len(cohorts))
    sorted_names = [models[k] for k in order]
    return Ranking(
        models=sorted_names,
        mean_ranks=mean[order],
        low=low[order],
        high=high[order],
        datasets=len(found),
        clusters=len(cohorts),
        friedman=statistic,
        iman_davenport=iman_davenport(statistic[0], len(models), len(cohorts))
        if statistic
        else None,
        critical_difference=critical,
        groups=_groups(mean[order], critical) if critical is not None else (),
        p_pairs=_pairs(values_by_cohort[:, order], sorted_names) if tested else {},
        said=_said(len(cohorts)),
    )


def friedman(mean_ranks: Floats, datasets: int) -> tuple[float, float]:
    """Friedman's chi-squared of mean ranks, and its p.

    ``12 N / (k (k + 1)) (sum R² - k (k + 1)² / 4)``; conservative with ties.
    """
    from scipy.special import chdtrc

    k = len(mean_ranks)
    statistic = (
        12
        * datasets
        / (k * (k + 1))
        * (float((np.asarray(mean_ranks) ** 2).sum()) - k * (k + 1) ** 2 / 4)
    )
    return statistic, float(chdtrc(k - 1, max(0.0, statistic)))


def iman_davenport(chi2: float, models: int, datasets: int) -> tuple[float, float]:
    """The F statistic of Iman & Davenport (1980, doi:10.1080/03610928008827904), and its p."""
    from scipy.special import fdtrc

    rest = datasets * (models - 1) - chi2
    if rest <= 0:
        return math.inf, 0.0
    statistic = (datasets - 1) * chi2 / rest
    df = models - 1
    return statistic, float(fdtrc(df, df * (datasets - 1), max(0.0, statistic)))


def nemenyi_critical_difference(models: int, datasets: int, alpha: float = ALPHA) -> float:
    """Difference of mean ranks that Nemenyi's test asks for."""
    return nemenyi_q(models, alpha) * math.sqrt(models * (models + 1) / (6 * datasets))


def nemenyi_q(models: int, alpha: float = ALPHA) -> float:
    """The studentised range with infinite degrees of freedom, over the root of 2."""
    from scipy.stats import studentized_range

    return float(studentized_range.ppf(1 - alpha, models, np.inf)) / math.sqrt(2)


def _pairs(values: Floats, models: Sequence[str]) -> dict[tuple[str, str], float]:
    from scipy.stats import wilcoxon

    pairs = [(i, j) for i in range(len(models)) for j in range(i + 1, len(models))]
    p = []
    for i, j in pairs:
        difference = values[:, i] - values[:, j]
        same = bool((difference == 0).all())
        p.append(1.0 if same else float(wilcoxon(difference, zero_method="zsplit").pvalue))
    return {
        (models[i], models[j]): adjusted for (i, j), adjusted in zip(pairs, holm(p), strict=True)
    }


def _groups(ranks: Floats, critical: float) -> list[tuple[int, int]]:
    """Longest runs of neighbours whose ends differ by less than the critical difference."""
    found: list[tuple[int, int]] = []
    for first in range(len(ranks)):
        last = int(np.flatnonzero(ranks - ranks[first] < critical).max())
        if last > first and (not found or last > found[-1][1]):
            found.append((first, last))
    return found


def _said(cohorts: int) -> str:
    if cohorts < FEWEST_TO_TEST:
        smallest = 2.0 ** (1 - cohorts)
        return (
            f"{cohorts} real cohorts: no test. The smallest p that Wilcoxon's test could give is "
            f"{smallest:g}."
        )
    text = f"{cohorts} real cohorts: Friedman's test, then Wilcoxon's with Holm's adjustment."
    if cohorts < FEWEST_TO_DRAW:
        text += f" A critical-difference diagram would need {FEWEST_TO_DRAW}."
    return text
