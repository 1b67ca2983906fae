"""Recruitment: screen candidates until enough of them meet the criteria; randomise them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cytobench.core.errors import DataError
from cytobench.simulate.biology import ACUTE, Biology, Screened, complete, pool, screen
from cytobench.simulate.design import Design

Floats = NDArray[np.float64]
MOST_FAILED = 10
"""Failed treatments at most; only an `effect` far above the published size reaches it."""
ROUND = 200_000
"""Candidates screened at a time, at most, where there are criteria."""
PATIENCE = 200
"""Candidates per patient before recruitment is given up."""


@dataclass(frozen=True)
class Patients:
    """Included patients, and what a clinician knows of them.

    Attributes
    ----------
    failed : array, shape (n,)
        Treatments that failed before.
    before : array, shape (n,)
        Score before treatment, whole numbers.
    """

    biology: Biology
    failed: Floats
    before: Floats


def recruit(
    n: int, inflamed: float, effect: float, design: Design, draw: np.random.Generator
) -> Patients:
    """Draw patients who meet the design's criteria.

    Parameters
    ----------
    inflamed : float
        Prevalence of the inflamed subtype among candidates.
    effect : float
        Size of the association of inflammation with failed treatments.

    Raises
    ------
    DataError
        ``E353`` where hardly any candidate meets the criteria.
    """
    groups, numbers, found, screened = [], [], 0, 0
    while found < n:
        size = min(max(3 * (n - found), 1000), ROUND) if _selective(design) else n
        candidates = screen(size, inflamed, draw)
        failed = _failed(candidates, effect, draw)
        rows = np.flatnonzero(_meets(candidates, failed, design))[: n - found]
        groups.append(candidates.take(rows) if len(rows) < size else candidates)
        numbers.append(failed[rows])
        found, screened = found + len(rows), screened + size
        if found < n and screened > PATIENCE * n:
            raise DataError(
                "E353",
                f"of {screened} candidates only {found} meet the criteria, {n} are needed",
                where="simulated trial",
                hint="ask for a lower CRP, or a higher prevalence of inflammation",
            )
    return Patients(
        complete(pool(groups), draw), np.concatenate(numbers), _severity(n, design, draw)
    )


def randomise(n: int, design: Design, draw: np.random.Generator) -> NDArray[np.intp]:
    """Arms in permuted blocks within the order of recruitment, shape (n,)."""
    block = np.repeat(np.arange(len(design.arms)), [arm.ratio for arm in design.arms])
    rows = -(-n // len(block))
    order = draw.random((rows, len(block))).argsort(axis=1)
    return np.asarray(block[order].ravel()[:n])


def _selective(design: Design) -> bool:
    return design.least_crp > 0 or design.least_failed > 0


def _meets(candidates: Screened, failed: Floats, design: Design) -> NDArray[np.bool_]:
    crp = design.markers[ACUTE.index("CRP")]
    least = -np.inf
    if design.least_crp > 0:
        least = np.log(design.least_crp / crp.median) / crp.true_sd
    met = (candidates.acute[:, ACUTE.index("CRP")] >= least) & (failed >= design.least_failed)
    return np.asarray(met)


def _failed(candidates: Screened, effect: float, draw: np.random.Generator) -> Floats:
    """Treatments that failed before, more with inflammation.

    Haroon 2018 (doi:10.1016/j.psyneuen.2018.05.026, abstract read): TNF-α, sTNFR2 and IL-6 rise
    with their number; the size of the association is set here.
    """
    usual = np.exp(np.minimum(0.1 + 0.25 * effect * candidates.inflammation, 5.0))
    return np.minimum(draw.poisson(usual), MOST_FAILED).astype(np.float64)


def _severity(n: int, design: Design, draw: np.random.Generator) -> Floats:
    """Scores before treatment: a rounded normal, cut off below the minimum for inclusion."""
    from scipy.special import ndtr, ndtri

    scale = design.usual
    low, high = ndtr((np.array([scale.minimum, scale.highest + 1]) - 0.5 - scale.mean) / scale.sd)
    score = np.round(scale.mean + scale.sd * ndtri(draw.uniform(low, high, n)))
    return np.asarray(np.clip(score, scale.minimum, scale.highest))
