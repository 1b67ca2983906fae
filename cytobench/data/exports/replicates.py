"""Several wells of one sample and analyte as one value, and how well they agree."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from cytobench.core.errors import DataError
from cytobench.data.cells import same_unit
from cytobench.data.exports.measure import Value
from cytobench.data.exports.wells import Well


@dataclass(frozen=True)
class Measurement:
    """One analyte of one sample on one plate.

    Attributes
    ----------
    wells : sequence of Well
        The replicates, in the order of the file.
    values : sequence of Value
        One for each well.
    value : Value
        What they say together.
    cv : float
        Coefficient of variation (standard deviation with n - 1, over the mean) of the detected
        wells; NaN for fewer than two.
    """

    wells: Sequence[Well]
    values: Sequence[Value]
    value: Value
    cv: float

    @property
    def sample(self) -> str:
        """The sample's name."""
        return self.wells[0].sample

    @property
    def plate(self) -> str:
        """The plate's name."""
        return self.wells[0].plate

    @property
    def analyte(self) -> str:
        """The analyte's name."""
        return self.wells[0].analyte

    @property
    def spot(self) -> str:
        """``plate1.csv, lines 3 and 4, wells A1 and A2``."""
        lines, wells = (
            list(dict.fromkeys(text for text in texts if text))
            for texts in ((w.line for w in self.wells), (w.well for w in self.wells))
        )
        named = f", {_several('well', wells)}" if wells else ""
        return f"{self.wells[0].file}, {_several('line', lines)}{named}"


def _several(word: str, texts: Sequence[str]) -> str:
    return f"{word}{'s' if len(texts) > 1 else ''} {' and '.join(texts)}"


def combine(wells: Sequence[Well], values: Sequence[Value]) -> Measurement:
    """One value from replicate wells.

    Raises
    ------
    DataError
        ``E337`` for replicates in different units.
    """
    measured = [(well, value) for well, value in zip(wells, values, strict=True) if value.unit]
    for well, value in measured[1:]:
        if not same_unit(value.unit, measured[0][1].unit):
            raise DataError(
                "E337",
                f"{well.analyte!r} of sample {well.sample!r} is in {value.unit!r}, and in "
                f"{measured[0][1].unit!r} at {measured[0][0].place()}",
                where=well.place(),
                hint="replicates need one unit: convert one of the two before the export",
            )
    numbers = [value.number for value in values if value.detected]
    return Measurement(tuple(wells), tuple(values), agreed(values), variation(numbers))


def agreed(values: Sequence[Value]) -> Value:
    """The mean of the detected, unless half or more are beyond one limit.

    Where the wells differ in their dilution, those within the limits speak alone: the others were
    diluted too much or too little. Half below and half above say nothing. A limit that replicates
    state differently becomes the one that says less: the higher lower, the lower upper one.
    """
    there = [value for value in values if not value.missing]
    if not there:
        return values[0]
    detected = [value for value in there if value.detected]
    below, above = ([v for v in there if v.below], [v for v in there if v.above])
    unit = next((value.unit for value in there if value.unit), "")
    limits = replace(
        there[0],
        unit=unit,
        llod=max((v.llod for v in there if v.llod is not None), default=None),
        uloq=min((v.uloq for v in there if v.uloq is not None), default=None),
    )
    titrated = len({value.dilution for value in there}) > 1 and bool(detected)
    is_below, is_above = (
        2 * len(beyond) >= len(there) and not titrated for beyond in (below, above)
    )
    if is_below and is_above:
        return replace(limits, number=math.nan, below=False, above=False)
    if is_below:
        known = [value.number for value in below if not math.isnan(value.number)]
        return replace(limits, number=max(known, default=math.nan), below=True, above=False)
    if is_above:
        known = [value.number for value in above if not math.isnan(value.number)]
        return replace(limits, number=min(known, default=math.nan), below=False, above=True)
    numbers = [value.number for value in detected]
    mean = numbers[0] if len(set(numbers)) == 1 else math.fsum(numbers) / len(numbers)
    return replace(limits, number=mean, below=False, above=False)


def variation(numbers: Sequence[float]) -> float:
    """Coefficient of variation: standard deviation with n - 1 over the mean."""
    if len(numbers) < 2:
        return math.nan
    mean = math.fsum(numbers) / len(numbers)
    if mean <= 0:
        return math.nan
    return math.sqrt(math.fsum((x - mean) ** 2 for x in numbers) / (len(numbers) - 1)) / mean
