"""From a well's text to a value on the sample's scale: dilution, limits, out of range."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from cytobench.core.errors import DataError
from cytobench.data.cells import read_cell, same_unit
from cytobench.data.exports.options import Options
from cytobench.data.exports.wells import NOT_MEASURED, Well

FARTHEST = 1e100
"""Farther than any concentration in any unit; squares of it are still numbers."""
Limits = Mapping[tuple[str, str], tuple[float | None, float | None]]


@dataclass(frozen=True, slots=True)
class Value:
    """A result on the sample's scale.

    Attributes
    ----------
    number : float
        NaN where missing, or beyond a limit that nobody states.
    below, above : bool
        Beyond a limit, which is then ``number``.
    llod, uloq : float or None
        The well's limits, whether or not the value is beyond them.
    """

    number: float = math.nan
    below: bool = False
    above: bool = False
    unit: str = ""
    dilution: float = 1.0
    llod: float | None = None
    uloq: float | None = None

    @property
    def missing(self) -> bool:
        """Whether the well says nothing."""
        return math.isnan(self.number) and not self.below and not self.above

    @property
    def detected(self) -> bool:
        """Whether there is a number within the limits."""
        return not (self.missing or self.below or self.above)

    def cell(self) -> str:
        """As text that the analyte reader understands, numbers to the last bit."""
        if self.missing:
            return ""
        sign = "<" if self.below else ">" if self.above else ""
        if math.isnan(self.number):
            return f"OOR {sign}"
        return f"{sign}{self.number!r} {self.unit}".rstrip()


def measure(well: Well, options: Options, standards: Limits) -> Value:
    """Read a well.

    Parameters
    ----------
    standards : mapping
        (plate, analyte) -> limits from the plate's standards, before dilution.

    Raises
    ------
    DataError
        ``E333`` for text in a number, ``E334`` where nobody says whether the dilution is in it.
    """
    factor = well.number("dilution") or 1.0
    if factor != 1:
        _check_scaling(well, factor, options)
    of_result = factor if options.dilution == "multiply" else 1.0
    of_limit = factor if (options.limit_dilution or options.dilution) == "multiply" else 1.0
    llod, uloq = (_times(well.number(what), of_limit) for what in ("llod", "uloq"))
    # Standards are not diluted as samples are: their concentrations never have the factor in them.
    low, high = (
        _times(limit, factor) for limit in standards.get((well.plate, well.analyte), (None, None))
    )
    llod, uloq = (low if llod is None else llod), (high if uloq is None else uloq)
    if not well.measured:
        return Value(dilution=factor, llod=llod, uloq=uloq)
    cell = read_cell(well.text)
    if cell.wrong:
        raise DataError(
            "E333",
            f"{well.text!r} is no result for sample {well.sample!r}",
            where=well.place(),
            hint="list the text under `missing:` if it means missing; a decimal comma needs "
            "`decimal: ','`; a column that is no analyte has to be named under `columns:`",
        )
    unit = _unit(well, cell.unit)
    number = cell.value * of_result
    if abs(number) > FARTHEST:
        raise DataError(
            "E333",
            f"{well.text!r} is beyond every concentration of sample {well.sample!r}",
            where=well.place(),
            hint="correct the cell; are its decimal signs what `decimal:` says?",
        )
    below = cell.below or (not cell.above and llod is not None and number < llod)
    above = cell.above or (not below and uloq is not None and number > uloq)
    if below and (math.isnan(number) or not cell.below):
        number = math.nan if llod is None else llod
    if above and (math.isnan(number) or not cell.above):
        number = math.nan if uloq is None else uloq
    return Value(number, below, above, unit, factor, llod, uloq)


def standard_limits(wells: Sequence[Well], recovery: tuple[float, float]) -> Limits:
    """Lowest and highest valid standard of each plate and analyte, as observed.

    A standard is valid where 100 x observed / expected is within ``recovery`` (percent). Source:
    LabKey Server, "Luminex: Import of Flagged Values",
    https://www.labkey.org/Documentation/wiki-page.view?name=luminexImportFlags.
    """
    found: dict[tuple[str, str], list[float]] = {}
    for well in wells:
        expected = well.number("expected")
        cell = read_cell(well.text)
        if not (expected and well.measured) or cell.wrong or cell.below or cell.above:
            continue
        if recovery[0] <= 100 * cell.value / expected <= recovery[1]:
            found.setdefault((well.plate, well.analyte), []).append(cell.value)
    return {key: (min(values), max(values)) for key, values in found.items()}


def _check_scaling(well: Well, factor: float, options: Options) -> None:
    if options.dilution is None:
        raise DataError(
            "E334",
            f"sample {well.sample!r} is diluted by {factor:g}, and nobody says whether the result "
            "is corrected for it",
            where=well.place(),
            hint="`dilution: already` where the software has multiplied (xPONENT, Bio-Plex and MSD "
            "usually do), `dilution: multiply` where it has not",
        )
    stated = well.llod not in NOT_MEASURED or well.uloq not in NOT_MEASURED
    if options.dilution == "already" and options.limit_dilution is None and stated:
        raise DataError(
            "E334",
            f"sample {well.sample!r} is diluted by {factor:g}, and nobody says whether its limits "
            "of detection are corrected for it",
            where=well.place(),
            hint="`limit_dilution: multiply` for limits of the well (one for the plate), "
            "`limit_dilution: already` for limits of the sample",
        )


def _unit(well: Well, written: str) -> str:
    if written and well.unit and not same_unit(written, well.unit):
        raise DataError(
            "E337",
            f"the cell says {written!r}, the export says {well.unit!r}",
            where=well.place(),
            hint="correct the file; one result has one unit",
        )
    return written or well.unit


def _times(limit: float | None, factor: float) -> float | None:
    return None if limit is None else limit * factor
