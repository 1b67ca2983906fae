"""Location and spread of a lognormal variable, some of it only known to be beyond a limit."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
FEWEST = 3
"""Different detected values from which a spread is estimated."""
NEGLIGIBLE = 1e-9
"""Logarithms within this range are rounding of a constant."""
STEPS, TOLERANCE = 50, 1e-10
HALVINGS = [0.5**k for k in range(40)]


class Normal(NamedTuple):
    """A normal distribution of logarithms."""

    mu: float
    sigma: float


def by_order_statistics(values: Floats, below: Flags, above: Flags | None = None) -> Normal | None:
    """Regression of log detected values on normal scores of their plotting positions.

    Plotting positions are those for several limits of Helsel & Cohn (1988,
    doi:10.1029/WR024i012p01997), as in R's NADA. A value above a limit counts in the ranks of those
    under it, but is no point of the line: where it lies is not known.

    Parameters
    ----------
    values : array, shape (n,)
        Positive; the limit where `below` or `above`.
    below, above : boolean array, shape (n,)

    Returns
    -------
    Normal or None
        None with fewer than three different values between the limits.
    """
    from scipy.special import ndtri

    detected = values[~below]
    order = np.argsort(detected, kind="stable")
    points = np.ones(len(detected), dtype=bool) if above is None else ~above[~below][order]
    logs = np.log(detected[order][points])
    if not _varies(logs):
        return None
    scores = ndtri(plotting_positions(detected[order], values[below])[points])
    spread = scores - scores.mean()
    slope = float(spread @ (logs - logs.mean()) / (spread @ spread))
    return Normal(float(logs.mean() - slope * scores.mean()), slope)


def plotting_positions(detected: Floats, limits: Floats) -> Floats:
    """Plotting positions of sorted detected values among values below several limits.

    Parameters
    ----------
    detected : array, shape (n_detected,)
        Ascending.
    limits : array, shape (n_below,)
        The limit of every value that is below one.

    Returns
    -------
    array, shape (n_detected,)
    """
    edges = np.unique(limits)
    if not len(edges) or detected[0] < edges[0]:
        edges = np.concatenate([[0.0], edges])
    start = np.searchsorted(detected, edges, side="left")
    inside = np.diff(start, append=len(detected))
    at_most = start + np.searchsorted(np.sort(limits), edges, side="right")
    # The chance to exceed an edge, from the highest down: above the next, or between the two.
    under = np.cumprod((at_most / (inside + at_most))[::-1])[::-1]
    exceeding = np.append(1 - under, 0.0)
    level = np.searchsorted(edges, detected, side="right") - 1
    rank = (np.arange(len(detected)) - start[level] + 1) / (inside[level] + 1)
    return np.asarray(under[level] + (exceeding[level] - exceeding[level + 1]) * rank)


def by_maximum_likelihood(values: Floats, below: Flags, above: Flags) -> Normal | None:
    """Censored maximum likelihood of the logarithms (Tobin 1958, doi:10.2307/1907382).

    Newton's method in 1/sigma and mu/sigma, in which the likelihood is concave (Olsen 1978,
    doi:10.2307/1913082).

    Parameters
    ----------
    values : array, shape (n,)
        Positive; the limit where `below` or `above`.
    below, above : boolean array, shape (n,)

    Returns
    -------
    Normal or None
        None with fewer than three different values between the limits, or without convergence.
    """
    logs = np.log(values)
    seen = logs[~(below | above)]
    if not _varies(seen):
        return None
    # Standardised, so that one tolerance fits every unit and spread; by the limits too, which may
    # lie many spreads of the detected values away from these.
    center, scale = float(seen.mean()), float(logs.std())
    sample = _standardised((logs - center) / scale, below, above)
    theta, delta = 1.0, 0.0
    here = _expansion(theta, delta, sample)
    for _ in range(STEPS):
        step = here.newton()
        for length in HALVINGS:
            at = theta - length * step[0], delta - length * step[1]
            if at[0] > 0:
                there = _expansion(*at, sample)
                if there.level >= here.level - TOLERANCE:
                    break
        else:
            return None
        gain = there.level - here.level
        (theta, delta), here = at, there
        if abs(gain) < TOLERANCE:
            return Normal(center + scale * delta / theta, scale / theta)
    return None


class _Sample(NamedTuple):
    """What the likelihood needs: detected values about their mean, and each limit once."""

    detected: int
    squares: float
    limits: Floats
    signs: Floats
    """1 where values lie below the limit, -1 where above."""
    counts: Floats


def _standardised(logs: Floats, below: Flags, above: Flags) -> _Sample:
    seen = logs[~(below | above)]
    low, times_low = np.unique(logs[below], return_counts=True)
    high, times_high = np.unique(logs[above], return_counts=True)
    return _Sample(
        len(seen),
        float(seen @ seen),
        np.concatenate([low, high]),
        np.repeat([1.0, -1.0], [len(low), len(high)]),
        np.concatenate([times_low, times_high]).astype(np.float64),
    )


class _Expansion(NamedTuple):
    """Log-likelihood at a point, its gradient, and its Hessian."""

    level: float
    gradient: tuple[float, float]
    hessian: tuple[float, float, float]

    def newton(self) -> tuple[float, float]:
        """Hessian's inverse times gradient."""
        (g, h), (a, b, c) = self.gradient, self.hessian
        determinant = a * c - b * b
        return (c * g - b * h) / determinant, (a * h - b * g) / determinant


def _expansion(theta: float, delta: float, sample: _Sample) -> _Expansion:
    from scipy.special import log_ndtr

    n, squares, limits, signs, counts = sample
    z = signs * (theta * limits - delta)
    ratio = mills(z)
    slope, bend = counts * signs * ratio, counts * ratio * (z + ratio)
    return _Expansion(
        n * math.log(theta)
        - 0.5 * (theta**2 * squares + n * delta**2)
        + float(counts @ log_ndtr(z)),
        (n / theta - theta * squares + float(slope @ limits), -n * delta - float(slope.sum())),
        (
            -n / theta**2 - squares - float(bend @ limits**2),
            float(bend @ limits),
            -n - float(bend.sum()),
        ),
    )


def mills(z: Floats) -> Floats:
    """Normal density over distribution function, without cancellation far below 0."""
    from scipy.special import erfcx

    return np.asarray(math.sqrt(2 / math.pi) / erfcx(-z / math.sqrt(2)))


def _varies(logs: Floats) -> bool:
    """Whether a spread can be estimated."""
    return len(np.unique(logs)) >= FEWEST and float(np.ptp(logs)) > NEGLIGIBLE
