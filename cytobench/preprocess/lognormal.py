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
STEPS, TOLERANCE = 50, 1e-10


class Normal(NamedTuple):
    """A normal distribution of logarithms."""

    mu: float
    sigma: float


def by_order_statistics(values: Floats, below: Flags) -> Normal | None:
    """Regression of log detected values on normal scores of their plotting positions.

    Plotting positions are those for several limits of Helsel & Cohn (1988,
    doi:10.1029/WR024i012p01997), as in R's NADA.

    Parameters
    ----------
    values : array, shape (n,)
        Positive; the limit where `below`.
    below : boolean array, shape (n,)

    Returns
    -------
    Normal or None
        None with fewer than three different detected values.
    """
    from scipy.special import ndtri

    detected = np.sort(values[~below])
    if len(np.unique(detected)) < FEWEST:
        return None
    scores = ndtri(plotting_positions(detected, values[below]))
    logs = np.log(detected)
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
    edges, exceeding = _exceedance(detected, limits)
    counts = np.diff([*np.searchsorted(detected, edges, side="left"), len(detected)])
    held = np.flatnonzero(counts)
    positions: list[Floats] = []
    for place, level in enumerate(held):
        above = exceeding[held[place + 1]] if place + 1 < len(held) else 0.0
        rank = np.arange(1, counts[level] + 1) / (counts[level] + 1)
        positions.append((1 - exceeding[level]) + (exceeding[level] - above) * rank)
    return np.concatenate(positions)


def _exceedance(detected: Floats, limits: Floats) -> tuple[Floats, Floats]:
    """Limits in order, 0 in front where values lie below all, and the chance to exceed each."""
    edges = np.unique(limits)
    if not len(edges) or detected[0] < edges[0]:
        edges = np.concatenate([[0.0], edges])
    everything = np.sort(np.concatenate([detected, limits]))
    upper = [*edges[1:], np.inf]
    exceeding = np.empty(len(edges))
    beyond = 0.0
    for level in reversed(range(len(edges))):
        inside = int(((detected >= edges[level]) & (detected < upper[level])).sum())
        at_most = int(np.searchsorted(everything, edges[level], side="right"))
        at_most -= int((detected == edges[level]).sum())
        share = inside / (inside + at_most) if inside + at_most else 0.0
        beyond = beyond + share * (1 - beyond)
        exceeding[level] = beyond
    return edges, exceeding


def by_maximum_likelihood(values: Floats, below: Flags, above: Flags) -> Normal | None:
    """Censored maximum likelihood of the logarithms (Tobin 1958, doi:10.2307/1907382).

    Newton's method in 1/sigma and mu/sigma, in which the likelihood is concave (Olsen 1978,
    doi:10.2307/1913082).

    Parameters
    ----------
    values : array, shape (n,)
        Positive; the limit where `below` or `above`.

    Returns
    -------
    Normal or None
        None with fewer than three different detected values.
    """
    logs = np.log(values)
    seen = logs[~(below | above)]
    if len(np.unique(seen)) < FEWEST:
        return None
    # Standardised, so that one tolerance fits every unit and spread.
    center, scale = float(seen.mean()), float(seen.std())
    seen = (seen - center) / scale
    left, right = (logs[below] - center) / scale, (logs[above] - center) / scale
    theta, delta = 1.0, 0.0
    level = _log_likelihood(theta, delta, seen, left, right)
    for _ in range(STEPS):
        gradient, curvature = _derivatives(theta, delta, seen, left, right)
        step = np.linalg.solve(curvature, gradient)
        length = 1.0
        while True:
            there = theta - length * step[0], delta - length * step[1]
            better = _log_likelihood(*there, seen, left, right) if there[0] > 0 else -math.inf
            if better >= level - TOLERANCE:
                break
            length /= 2
        theta, delta = float(there[0]), float(there[1])
        if abs(better - level) < TOLERANCE:
            break
        level = better
    return Normal(center + scale * delta / theta, scale / theta)


def _log_likelihood(theta: float, delta: float, seen: Floats, left: Floats, right: Floats) -> float:
    from scipy.special import log_ndtr

    return float(
        len(seen) * math.log(theta)
        - 0.5 * np.sum((theta * seen - delta) ** 2)
        + np.sum(log_ndtr(theta * left - delta))
        + np.sum(log_ndtr(delta - theta * right))
    )


def _derivatives(
    theta: float, delta: float, seen: Floats, left: Floats, right: Floats
) -> tuple[Floats, Floats]:
    """Gradient and Hessian in (theta, delta)."""
    rest = theta * seen - delta
    gradient = np.array([len(seen) / theta - rest @ seen, rest.sum()])
    cross = seen.sum()
    hessian = np.array([[-len(seen) / theta**2 - seen @ seen, cross], [cross, -len(seen)]])
    for limits, sign in ((left, 1.0), (right, -1.0)):
        z = sign * (theta * limits - delta)
        ratio = mills(z)
        slope = -ratio * (z + ratio)
        gradient += sign * np.array([ratio @ limits, -ratio.sum()])
        cross = slope @ limits
        hessian += np.array([[slope @ limits**2, -cross], [-cross, slope.sum()]])
    return gradient, hessian


def mills(z: Floats) -> Floats:
    """Normal density over distribution function, exact far below 0."""
    from scipy.special import log_ndtr

    return np.asarray(np.exp(-0.5 * z**2 - 0.5 * math.log(2 * math.pi) - log_ndtr(z)))
