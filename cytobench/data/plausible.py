"""Whether levels can be what their unit says: medians that blood does not hold, swapped columns."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import pandas as pd

from cytobench.data.cohort import ABOVE, BELOW, Analyte, Cohort
from cytobench.data.names import matrix_kind, standard_name
from cytobench.data.units import conversion_factor, equal_units, is_mass

MEDIANS = {
    "CRP": 1.6e6, "IL-6": 1.2, "TNF-α": 2.2, "IL-1β": 0.15, "IL-8": 5.0, "IL-10": 0.4,
    "IFN-γ": 4.5, "IL-2": 0.3, "IL-4": 0.05, "IL-5": 0.5, "IL-12p70": 0.25, "IL-13": 1.0,
    "IL-17A": 2.0, "IL-1RA": 250.0, "sTNFR2": 2300.0, "CCL2": 120.0, "CXCL10": 250.0,
    "CCL3": 15.0, "CCL4": 80.0, "CCL11": 120.0, "VEGF": 100.0, "GM-CSF": 0.3, "TGF-β1": 20e3,
    "MIF": 10e3,
}  # fmt: skip
"""Usual medians in depression, pg/mL: the project's literature notes, most quoted from memory."""
FOLD = 30.0
"""How far a cohort's median may be from the usual one, each way."""
BEADS = 300.0
"""pg/mL that a bead assay may report for any cytokine, however little there is: 18 samples read on
Luminex had medians of 141 (IL-4) and 166 (IFN-γ), where ultrasensitive assays find 0.05 and 4.5
(BMC Res Notes 2010;3:302, table 2, doi:10.1186/1756-0500-3-302)."""
RELEASED, RELEASE = ("VEGF", "TGF-β1", "MIF"), 10.0
"""What platelets and red cells set free on clotting, and how much less of it plasma may hold: VEGF
rose by 118 to 4,515 % in two hours (Dittadi et al., blood collection for VEGF, abstract),
platelet-free plasma has less than 1.7 ng/mL of TGF-β1 (PMC2721365, figure 2), red cells hold MIF
(Mizue 2000, doi:10.3892/ijmm.5.4.397). Medians of IL-6 and IL-8 differ by less than half between
serum and plasma (BMC Res Notes 2010;3:302), CCL2 was not found: these have one range."""
BOUNDS = {"CRP": (0.2e6, 200e6)}
"""Lowest and highest plausible median in pg/mL, narrow below: 0.2 mg/L tells mg/dL from mg/L. Low
medians are about 0.5 mg/L (Japanese men, tertiles at 0.34 and 0.84: Asian Pac J Cancer Prev,
article 32452); that those in sepsis exceed 100 is from memory."""
USUAL = ("fg/mL", "pg/mL", "ng/mL", "µg/mL", "mg/mL")
USUAL_CRP = ("mg/L", "mg/dL", "ng/mL", "g/L", "pg/mL")
FEWEST = 5
"""Measured values without which a median says nothing."""


@dataclass(frozen=True)
class Suspicion:
    """Something about the levels that a person should look at.

    Attributes
    ----------
    code : str
        ``W341`` a median that is implausible in its unit, ``W342`` two columns that look swapped,
        ``W343`` concentrations without a unit, ``W344`` serum and plasma mixed, ``W345`` a
        logarithmic unit on a linear scale.
    analyte : str
        The column or columns, separated by commas.
    sentence : str
        What is wrong, and what would explain it.
    """

    code: str
    analyte: str
    sentence: str

    def __str__(self) -> str:
        return f"[{self.code}] {self.sentence}"


@dataclass(frozen=True)
class Level:
    """A column's median in its unit, and what would be plausible.

    Attributes
    ----------
    factor : float
        From its unit to pg/mL.
    usual, low, high : float
        Median in depression, and bounds of what is plausible; pg/mL.
    candidates : sequence of str
        Units in which the analyte is reported.
    """

    column: str
    unit: str
    median: float
    factor: float
    usual: float
    low: float
    high: float
    candidates: Sequence[str]

    def fits(self, number: float, factor: float) -> bool:
        """Whether a number in a unit that is `factor` pg/mL would be plausible."""
        return self.low <= number * factor <= self.high

    @property
    def fine(self) -> bool:
        """Whether it is plausible as it stands."""
        return self.fits(self.median, self.factor)

    @property
    def too_high(self) -> bool:
        """Whether it is above the range."""
        return self.median * self.factor > self.high

    def distance(self, number: float) -> float:
        """How far a number in this column's unit is from what is usual, in log units."""
        return abs(math.log(number * self.factor / self.usual))

    def explanations(self) -> dict[str, float]:
        """Usual units in which the number would be plausible, with the distance from usual."""
        factors = {unit: conversion_factor(unit, "pg/mL") for unit in self.candidates}
        return {
            unit: abs(math.log(self.median * factor / self.usual))
            for unit, factor in factors.items()
            if self.fits(self.median, factor) and not equal_units(unit, self.unit)
        }


def check_levels(cohort: Cohort) -> list[Suspicion]:
    """What looks wrong about a cohort's units, columns and matrices; nothing is changed."""
    return check_panel(cohort.panel, cohort.table)


def check_panel(panel: Sequence[Analyte], table: pd.DataFrame) -> list[Suspicion]:
    """The same for a panel that is not yet a cohort's.

    Medians are compared with broad ranges for blood (see the constants of this module), so a fault
    of less than about an order of magnitude goes unseen, as does one in an analyte that has no
    standard name, is on a logarithmic scale, in another matrix, or below detection in most rows.

    Parameters
    ----------
    panel : sequence of Analyte
    table : DataFrame, shape (n_patients, n_columns)
        Analytes in their unit, with their companion flags.
    """
    linear = [analyte for analyte in panel if analyte.scale == "linear"]
    levels = [level for analyte in linear if (level := _level(analyte, table)) is not None]
    swapped = _swapped(levels)
    odd = [level for level in levels if not level.fine]
    left = [level for level in odd if not any(level in pair for pair in swapped)]
    return [
        *_units(linear),
        *(_swap(*pair) for pair in swapped),
        *_implausible(left),
        *_mixed(panel),
    ]


def plausible_range(name: str, matrix: str = "") -> tuple[float, float] | None:
    """Bounds of a cohort's median in blood, pg/mL; None for an analyte without a standard name.

    Parameters
    ----------
    name : str
        Of the analyte, in any spelling.
    matrix : str
        ``serum`` and ``plasma`` in any spelling; unknown is taken as either.
    """
    standard = standard_name(name)
    if standard not in MEDIANS:
        return None
    if standard in BOUNDS:
        return BOUNDS[standard]
    usual = MEDIANS[standard]
    less = RELEASE if standard in RELEASED and matrix_kind(matrix) != "serum" else 1.0
    return usual / FOLD / less, max(usual * FOLD, BEADS)


def _level(analyte: Analyte, table: pd.DataFrame) -> Level | None:
    """What can be judged of a column; None if nothing can."""
    bounds = plausible_range(analyte.name, analyte.matrix)
    kinds = _kinds(analyte.matrix)
    if bounds is None or not is_mass(analyte.unit) or kinds - {"serum", "plasma"}:
        return None
    values = table[analyte.name].dropna()
    flags = [analyte.name + suffix for suffix in (BELOW, ABOVE)]
    flagged = sum(int(table[flag].sum()) for flag in flags if flag in table.columns)
    median = float(values.median()) if len(values) >= FEWEST else 0.0
    if median <= 0 or flagged > len(values) / 2:
        return None
    standard = str(standard_name(analyte.name))
    return Level(
        analyte.name,
        analyte.unit,
        median,
        conversion_factor(analyte.unit, "pg/mL"),
        MEDIANS[standard],
        *bounds,
        USUAL_CRP if standard == "CRP" else USUAL,
    )


def _swapped(levels: Sequence[Level]) -> list[tuple[Level, Level]]:
    """Pairs of columns that look swapped.

    Both are plausible with each other's numbers, and these are nearer to what is usual, by a factor
    of 30 on (geometric) average. An implausible level is not asked for: the allowance for bead
    assays would hide most swaps.
    """
    pairs = []
    for one, other in combinations(levels, 2):
        now = one.distance(one.median) + other.distance(other.median)
        then = one.distance(other.median) + other.distance(one.median)
        plausible = one.fits(other.median, one.factor) and other.fits(one.median, other.factor)
        if plausible and now - then >= 2 * math.log(FOLD):
            pairs.append((then - now, one, other))
    chosen: list[tuple[Level, Level]] = []
    for _, one, other in sorted(pairs, key=lambda pair: pair[0]):
        if not any(one in pair or other in pair for pair in chosen):
            chosen.append((one, other))
    return chosen


def _swap(one: Level, other: Level) -> Suspicion:
    return Suspicion(
        "W342",
        f"{one.column}, {other.column}",
        f"columns {one.column!r} and {other.column!r} look swapped: medians of {_said(one)} and "
        f"{_said(other)} are odd in blood, the other way round both would be usual",
    )


def _implausible(levels: Sequence[Level]) -> list[Suspicion]:
    """One suspicion for all columns that one wrong unit would explain."""
    found: list[Suspicion] = []
    rest = list(levels)
    while rest:
        unit, high = rest[0].unit, rest[0].too_high
        alike = [level for level in rest if level.unit == unit and level.too_high == high]
        better = _explanation(alike)
        members = [level for level in alike if not better or better in level.explanations()]
        rest = [level for level in rest if level not in members]
        found.append(_wrong_unit(members, better))
    return found


def _explanation(levels: Sequence[Level]) -> str:
    """The unit that explains most of the columns, then the likeliest; empty without one."""
    distances: dict[str, list[float]] = {}
    for level in levels:
        for unit, distance in level.explanations().items():
            distances.setdefault(unit, []).append(distance)
    return min(
        distances, key=lambda unit: (-len(distances[unit]), sum(distances[unit])), default=""
    )


def _wrong_unit(levels: Sequence[Level], better: str) -> Suspicion:
    names = ", ".join(level.column for level in levels)
    medians = [f"{median:.3g}" for median in sorted(level.median for level in levels)]
    said = (
        f"a median of {medians[0]}"
        if len(levels) == 1
        else (f"medians of {medians[0]} to {medians[-1]}")
    )
    sentence = (
        f"{names}: {said} {levels[0].unit}, too {'high' if levels[0].too_high else 'low'} for "
        f"blood; {better or 'no usual unit'} would be plausible: check the declared unit"
    )
    return Suspicion("W341", names, sentence)


def _units(linear: Sequence[Analyte]) -> list[Suspicion]:
    without = ", ".join(analyte.name for analyte in linear if not analyte.unit)
    logarithms = ", ".join(
        analyte.name for analyte in linear if analyte.unit.casefold().startswith(("npx", "log"))
    )
    found = []
    if without:
        sentence = f"no unit is declared for {without}: levels cannot be checked or compared"
        found.append(Suspicion("W343", without, sentence))
    if logarithms:
        sentence = f"{logarithms}: the unit is a logarithm, the scale linear; `scale: log2`?"
        found.append(Suspicion("W345", logarithms, sentence))
    return found


def _mixed(panel: Sequence[Analyte]) -> list[Suspicion]:
    """Analytes whose matrix names several, as ``plasma / serum``."""
    mixed = [analyte for analyte in panel if len(_kinds(analyte.matrix)) > 1]
    if not mixed:
        return []
    names = ", ".join(analyte.name for analyte in mixed)
    kinds = " and ".join(sorted(set().union(*(_kinds(analyte.matrix) for analyte in mixed))))
    sentence = (
        f"{kinds} are mixed, and their levels differ ({', '.join(RELEASED)} by a factor of 10 and "
        f"more): take the matrix as a covariate, or keep one by `rows:`; concerns {names}"
    )
    return [Suspicion("W344", names, sentence)]


def _kinds(matrix: str) -> set[str]:
    parts = [part.strip() for part in matrix.split("/") if part.strip()]
    return {matrix_kind(part) or part for part in parts}


def _said(level: Level) -> str:
    return f"{level.median:.3g} {level.unit}"
