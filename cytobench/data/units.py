"""Units of concentration: which are one, the factor between two, and which a table states where."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from cytobench.core.errors import DataError
from cytobench.data.cells import KNOWN_UNIT, Numbers, same_unit
from cytobench.data.columns import Reader

PREFIXES = {"a": -18, "f": -15, "p": -12, "n": -9, "u": -6, "m": -3, "c": -2, "d": -1, "": 0,
            "k": 3}  # fmt: skip
"""Powers of ten (SI brochure, 9th edition, table 7)."""
UNIT = re.compile(r"([afpnumk]?)(g|mol|M)(?:/([munpcd]?)l)?\Z")
BY_POWER = re.compile(
    r"(\w*?(?:g|mol))(?:per([munpcd]?l)|[·*.]?([munpcd]?l)\^?-1)\Z", re.IGNORECASE
)
"""``pg per mL``, ``pg·mL^-1``."""
NO_RATIO = "IU, NPX, MFI and other arbitrary units have no ratio to a mass"


def conversion_factor(unit: str, target: str, molar_mass: float | None = None) -> float:
    """What a concentration in one unit is multiplied by to be in another.

    Parameters
    ----------
    unit, target : str
        Mass or amount of substance in a volume, with any prefix: ``pg/mL``, ``ng/L``, ``mg/dL``,
        ``pmol/L``, ``nM``, ``ng mL⁻¹``; either Greek mu, ``u`` or ``mc``.
    molar_mass : float, optional
        g/mol, needed between mass and amount: mass concentration = molar mass × amount
        concentration.

    Raises
    ------
    DataError
        ``E340`` for a unit that is no concentration, ``E341`` where the molar mass is missing.

    Examples
    --------
    >>> conversion_factor("ng/mL", "pg/mL")
    1000.0
    >>> conversion_factor("mg/dL", "mg/L")
    10.0
    """
    power, kind = _read(unit)
    target_power, target_kind = _read(target)
    factor = float(10.0 ** (power - target_power))
    if kind == target_kind:
        return factor
    if molar_mass is None or not molar_mass > 0:
        raise DataError(
            "E341",
            f"{unit!r} and {target!r} are related by the molar mass, which is not known",
            where="unit",
            hint="give `molar_mass:` in g/mol",
        )
    return factor / molar_mass if kind == "g" else factor * molar_mass


def is_concentration(unit: str) -> bool:
    """Whether a unit is a mass or an amount in a volume."""
    match = UNIT.match(_spelled(unit))
    return match is not None and (match[2] == "M") == (match[3] is None)


def is_mass(unit: str) -> bool:
    """Whether a unit is a mass in a volume."""
    return is_concentration(unit) and _read(unit)[1] == "g"


def equal_units(one: str, other: str) -> bool:
    """Whether two units are one: by spelling, or because ``pg/mL`` is ``ng/L``."""
    if same_unit(one, other):
        return True
    return is_concentration(one) and is_concentration(other) and _read(one) == _read(other)


def _read(unit: str) -> tuple[int, str]:
    """Power of ten relative to g/L or mol/L, and which of the two."""
    match = UNIT.match(_spelled(unit))
    if match is None or not is_concentration(unit):
        raise DataError(
            "E340",
            f"{unit!r} is no concentration that can be converted",
            where="unit",
            hint=NO_RATIO,
        )
    amount, kind, volume = match.groups()
    power = PREFIXES[amount] - (PREFIXES[volume] if volume is not None else 0)
    return power, "g" if kind == "g" else "mol"


def _spelled(unit: str) -> str:
    """One spelling: ``u`` for micro, a slash, no spaces, grams and moles in lower case."""
    text = unicodedata.normalize("NFKC", unit).replace("μ", "u").replace("−", "-")
    text = text.replace(" ", "")
    by_power = BY_POWER.match(text)
    if by_power:
        text = f"{by_power[1]}/{by_power[2] or by_power[3]}"
    amount, slash, volume = text.partition("/")
    if not slash:
        return text
    return f"{re.sub('^mc(?=g|mol)', 'u', amount.lower())}/{volume.lower()}"


@dataclass(frozen=True)
class UnitColumn:
    """A column of the table that states the unit of each row."""

    column: str
    units: Sequence[str]

    @cached_property
    def first_rows(self) -> dict[str, int]:
        """Each unit, with the first row that states it."""
        return {unit: self.units.index(unit) for unit in dict.fromkeys(self.units)}


@dataclass(frozen=True)
class Measured:
    """An analyte's cells, and all that the table and the YAML say of their unit.

    Attributes
    ----------
    name : str
        Of the column.
    declared : str
        Unit in the YAML or in the column's header; empty where there is none.
    stated : UnitColumn or None
        Units row by row; a unit in the cell itself goes before them.
    """

    reader: Reader
    name: str
    numbers: Numbers
    declared: str = ""
    stated: UnitColumn | None = None

    def one_unit(self) -> str:
        """The unit, which every row has to share.

        Raises
        ------
        DataError
            ``E316`` for a unit that nobody knows, or more than one.
        """
        expected = self.declared
        for unit, column, row in self._units():
            if not expected and column == self.name and not KNOWN_UNIT.match(unit):
                raise self._wrong(column, row, f"{unit!r} is no unit that is known")
            expected = expected or unit
            if not equal_units(unit, expected):
                before = "declared is" if self.declared else "further up it is"
                raise self._wrong(column, row, f"the unit is {unit!r}, {before} {expected!r}")
        return expected

    def converted(self, target: str, molar_mass: float | None) -> tuple[Numbers, dict[str, int]]:
        """The numbers in another unit, and how many rows were in which one.

        Raises
        ------
        DataError
            ``E316`` where a row states no unit, ``E340``, ``E341``.
        """
        units = np.array(self.stated.units if self.stated else [""] * len(self.reader), object)
        units[units == ""] = self.declared
        for row, unit in self.numbers.row_units.items():
            units[row] = unit
        numbers = self.numbers
        measured = ~np.isnan(numbers.values) | numbers.below | numbers.above
        lacking = np.flatnonzero(measured & (units == ""))
        if len(lacking):
            message = f"no unit is stated, so that nothing can be converted to {target!r}"
            raise self._wrong(self.name, int(lacking[0]), message)
        factors = np.ones(len(units))
        counts: dict[str, int] = {}
        for unit in dict.fromkeys(units[measured]):
            rows = measured & (units == unit)
            factors[rows] = self._factor(unit, target, molar_mass, int(np.flatnonzero(rows)[0]))
            counts[unit] = int(rows.sum())
        return replace(numbers, values=numbers.values * factors), counts

    def limit_factor(self, counts: dict[str, int], target: str, molar_mass: float | None) -> float:
        """What limits are multiplied by: they are in the declared unit, or in that of all rows.

        Raises
        ------
        DataError
            ``E343`` where rows differ in unit and none is declared.
        """
        unit = self.declared or next(iter(counts), target)
        if not self.declared and any(not equal_units(unit, other) for other in counts):
            raise DataError(
                "E343",
                f"rows are in {', '.join(counts)}: in which of them is the limit of detection?",
                where=self.reader.source.place(self.name, 0),
                hint="declare the unit of the limits under `unit:`",
            )
        return self._factor(unit, target, molar_mass, 0)

    def _units(self) -> Iterator[tuple[str, str, int]]:
        """Each unit that the table states: its column and first row."""
        if self.stated is not None:
            for unit, row in self.stated.first_rows.items():
                if unit or not self.declared:
                    yield unit, self.stated.column, row
        for unit, row in self.numbers.units.items():
            yield unit, self.name, row

    def _factor(self, unit: str, target: str, molar_mass: float | None, row: int) -> float:
        if same_unit(unit, target):
            return 1.0
        try:
            return conversion_factor(unit, target, molar_mass)
        except DataError as error:
            place = self.reader.source.place(self.name, row)
            raise DataError(error.code, error.message, where=place, hint=error.hint) from error

    def _wrong(self, column: str, row: int, message: str) -> DataError:
        return DataError(
            "E316",
            message,
            where=self.reader.source.place(column, row),
            hint="declare the unit under `unit:`; rows of several units become one by `convert:`",
        )


def in_words(counts: dict[str, int], target: str) -> str:
    """From what a column was converted to what; empty where every row was in that unit.

    Examples
    --------
    >>> in_words({"ng/mL": 40}, "pg/mL")
    'converted from ng/mL to pg/mL'
    """
    others = [unit for unit in counts if not equal_units(unit, target)]
    if not others:
        return ""
    if len(counts) == 1:
        return f"converted from {others[0]} to {target}"
    said = ", ".join(f"{count} in {unit}" for unit, count in counts.items())
    return f"converted to {target} (rows: {said})"


def unit_in_header(name: str) -> str:
    """The concentration unit that a column's header states in brackets; empty without one.

    Examples
    --------
    >>> unit_in_header("IL-6 (pg/mL)"), unit_in_header("CRP (Baseline)")
    ('pg/mL', '')
    """
    match = re.search(r"[\[(]\s*([^\[\]()]+?)\s*[\])]\s*\Z", name)
    unit = match[1] if match else ""
    return unit if "/" in unit and is_concentration(unit) else ""
