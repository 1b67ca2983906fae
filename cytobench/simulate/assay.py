"""What an assay makes of true levels: sites, plates, noise, limits of detection, lost values."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cytobench.simulate.panel import NOISE, PLATE_SHIFT, Marker, in_parts

PER_PLATE = 80
Floats = NDArray[np.float64]
Positions = NDArray[np.intp]


@dataclass(frozen=True)
class Handling:
    """Where samples were taken and measured, and how far that shifts each marker.

    Attributes
    ----------
    plate : array of int, shape (n,)
        Ascending from 0.
    group : array of int, shape (n,)
        Number of the sample's site and plate together, ascending from 0.
    shift : array, shape (n_groups, n_markers)
        In log units.
    noise : float
        Coefficient of variation within a plate.
    """

    plate: Positions
    group: Positions
    shift: Floats
    noise: float


def handle(
    site: Positions,
    markers: tuple[Marker, ...],
    draw: np.random.Generator,
    *,
    noise: float = NOISE,
    plate_shift: float = PLATE_SHIFT,
    site_effect: float = 0.0,
) -> Handling:
    """Put samples on plates in the order of recruitment, and draw the shifts.

    Parameters
    ----------
    site : array of int, shape (n,)
        Ascending from 0.
    plate_shift : float
        SD of plates, log units, for each marker on its own.
    site_effect : float
        SD of sites, in SDs of a marker's logarithm.
    """
    plate = np.arange(len(site)) // PER_PLATE
    new = (np.diff(plate, prepend=-1) > 0) | (np.diff(site, prepend=-1) > 0)
    start = np.flatnonzero(new)
    spread = site_effect * np.array([marker.log_sd for marker in markers])
    sites = spread * draw.normal(size=(int(site[-1]) + 1, len(markers)))
    plates = plate_shift * draw.normal(size=(int(plate[-1]) + 1, len(markers)))
    return Handling(
        plate=plate,
        group=np.cumsum(new) - 1,
        shift=sites[site[start]] + plates[plate[start]],
        noise=noise,
    )


def measure(
    z: Floats,
    markers: tuple[Marker, ...],
    handling: Handling,
    lost: Floats,
    draw: np.random.Generator,
) -> tuple[Floats, NDArray[np.bool_]]:
    """Concentrations as reported; a usual assay brings the true spread to the published one.

    Parameters
    ----------
    z : array, shape (n, n_markers)
        Standardised true log levels.
    lost : array, shape (n,) or (1,)
        Probability of each patient to lose a value.

    Returns
    -------
    values : array, shape (n, n_markers)
        In each marker's unit; NaN where lost, the limit where below it.
    below : boolean array, shape (n, n_markers)
    """
    values = np.empty(z.shape, order="F")
    below = np.empty(z.shape, dtype=bool, order="F")
    certain = bool((lost == 0).all())
    each = np.broadcast_to(lost, len(z))
    for rows in in_parts(len(z)):
        group = handling.group[rows]
        for position, marker in enumerate(markers):
            level = handling.noise * draw.standard_normal(len(group))
            level += marker.true_sd * z[rows, position]
            level += (np.log(marker.median) + handling.shift[:, position])[group]
            np.exp(level, out=level)
            under = level < marker.llod
            np.maximum(level, marker.llod, out=level)
            if not certain:
                gone = draw.random(len(group)) < each[rows]
                level[gone] = np.nan
                under &= ~gone
            values[rows, position] = level
            below[rows, position] = under
    return values, below
