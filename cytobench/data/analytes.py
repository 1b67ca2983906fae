"""The panel: columns of concentrations with their units, limits and flags."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cytobench.core.errors import DataError
from cytobench.data.cells import KNOWN_UNIT, Numbers, same_unit
from cytobench.data.cohort import ABOVE, BELOW, Analyte
from cytobench.data.columns import Reader
from cytobench.data.grammar import check_keys, listed, number, one_of, required
from cytobench.data.limits import Flags, Floats, limits_by_row, mark_above, mark_below

EACH_KEYS = ("unit", "scale", "platform", "matrix", "llod", "uloq")
CHOICES = {
    "scale": ("linear", "log2"),
    "nondetect": ("zero", "floor"),
    "saturated": ("ceiling",),
    "below_limit": ("limit", "keep"),
}
ANALYTE_KEYS = ("columns", "rename", "unit_column", *CHOICES, "floor_by", "each", *EACH_KEYS)


@dataclass(frozen=True)
class _Panel:
    """What the YAML says of all analytes, checked."""

    spec: Mapping[str, Any]
    columns: Mapping[str, str]
    each: Mapping[str, Mapping[str, Any]]
    lower: Mapping[str, Floats]
    upper: Mapping[str, Floats]
    groups: list[str]
    unit: str

    def about(self, name: str) -> Analyte:
        """One analyte, as it was declared."""
        said = {key: self.each.get(name, {}).get(key, self.spec.get(key)) for key in EACH_KEYS}
        return Analyte(
            name,
            str(said["unit"] or self.unit),
            said["scale"] or "linear",
            str(said["platform"] or ""),
            str(said["matrix"] or ""),
            _constant(self.lower[name]),
            _constant(self.upper[name]),
        )


def read_analytes(reader: Reader, spec: Mapping[str, Any]) -> tuple[list[Analyte], pd.DataFrame]:
    """The panel, and its columns with their companion flags.

    Raises
    ------
    DataError
        ``E314`` for a negative concentration, ``E316`` for mixed units, ``E317`` for a non-detect
        whose limit is unknown.
    """
    declared = _declared(reader, spec)
    panel: list[Analyte] = []
    columns: dict[str, Any] = {}
    for name, column in declared.columns.items():
        analyte = declared.about(name)
        numbers = reader.numbers(column, "analyte")
        unit = _unit(reader, column, numbers, analyte.unit)
        values, below = mark_below(
            numbers,
            declared.lower[name],
            nondetect=spec.get("nondetect"),
            keep=spec.get("below_limit") == "keep",
            groups=declared.groups,
        )
        values, above = mark_above(
            numbers,
            values,
            declared.upper[name],
            saturated=spec.get("saturated"),
            groups=declared.groups,
        )
        _check_values(reader, column, values, below | above, linear=analyte.scale == "linear")
        columns[name] = values
        columns |= {name + BELOW: below} if below.any() else {}
        columns |= {name + ABOVE: above} if above.any() else {}
        panel.append(Analyte(**{**analyte.__dict__, "unit": unit}))
    return panel, pd.DataFrame(columns)


def _declared(reader: Reader, spec: Mapping[str, Any]) -> _Panel:
    check_keys(spec, ANALYTE_KEYS, "analytes")
    each = {str(name): item for name, item in (spec.get("each") or {}).items()}
    for name, item in each.items():
        check_keys(item, EACH_KEYS, f"analytes.each.{name}")
    for where, node in [("analytes", spec), *((f"analytes.each.{n}", each[n]) for n in each)]:
        for key, options in CHOICES.items():
            if node.get(key) is not None:
                one_of(node[key], options, f"{where}.{key}")
    columns = _names(_choose(required(spec, "columns", "analytes"), reader), spec.get("rename"))
    check_keys(each, list(columns), "analytes.each")
    return _Panel(
        spec,
        columns,
        each,
        _limits("llod", spec, each, columns, reader),
        _limits("uloq", spec, each, columns, reader),
        _groups(reader, spec.get("floor_by")),
        _unit_of_column(reader, spec),
    )


def _choose(spec: Any, reader: Reader) -> list[str]:
    """Names of columns from ``{all_except: [...]}``, or from names and ``{from:, to:}``."""
    source = reader.source
    if isinstance(spec, Mapping) and "all_except" in spec:
        check_keys(spec, ("all_except",), "analytes.columns")
        others = [str(column) for column in listed(spec["all_except"])]
        for column in others:
            source.require(column)
        return [column for column in source.columns if column not in others]
    chosen: list[str] = []
    for item in listed(spec):
        if isinstance(item, Mapping):
            chosen += _range(item, reader)
        else:
            source.require(str(item))
            chosen.append(str(item))
    return chosen


def _range(spec: Mapping[str, Any], reader: Reader) -> list[str]:
    """All columns from one to another, both included, in the order of the file."""
    check_keys(spec, ("from", "to"), "analytes.columns")
    ends = [str(required(spec, end, "analytes.columns")) for end in ("from", "to")]
    for column in ends:
        reader.source.require(column)
    columns = reader.source.columns
    first, last = (columns.index(column) for column in ends)
    if last < first:
        raise DataError("E322", f"{ends[1]!r} is before {ends[0]!r}", where="analytes.columns")
    return columns[first : last + 1]


def _names(columns: list[str], rename: Any) -> dict[str, str]:
    """Standard name -> column."""
    new = {str(column): str(name) for column, name in (rename or {}).items()}
    check_keys(new, columns, "analytes.rename")
    names: dict[str, str] = {}
    for column in columns:
        name = new.get(column, column)
        if name in names:
            raise DataError(
                "E326",
                f"columns {names[name]!r} and {column!r} would both be {name!r}",
                where="analytes",
            )
        names[name] = column
    return names


def _limits(
    key: str,
    spec: Mapping[str, Any],
    each: Mapping[str, Mapping[str, Any]],
    columns: Mapping[str, str],
    reader: Reader,
) -> dict[str, Floats]:
    found = limits_by_row(spec.get(key), columns, reader.source, reader.files, f"analytes.{key}")
    for name, item in each.items():
        if key in item:
            found[name] = np.full(len(reader), number(item[key], f"analytes.each.{name}.{key}"))
    return found


def _groups(reader: Reader, spec: Any) -> list[str]:
    texts = [reader.source.texts(str(column)) for column in listed(spec)]
    return ["\x1f".join(parts) for parts in zip(*texts, strict=True)] or [""] * len(reader)


def _unit_of_column(reader: Reader, spec: Mapping[str, Any]) -> str:
    """The unit that a column of the table states, the same in every row."""
    if "unit_column" not in spec:
        return ""
    column = str(spec["unit_column"])
    units = [unit.strip() for unit in reader.use(column, "unit")]
    expected = str(spec.get("unit") or units[0])
    for row, unit in enumerate(units):
        if not same_unit(unit, expected):
            before = "declared is" if spec.get("unit") else "further up it is"
            raise _wrong_unit(reader, column, row, f"the unit is {unit!r}, {before} {expected!r}")
    return expected


def _unit(reader: Reader, column: str, numbers: Numbers, declared: str) -> str:
    """The unit, declared or written in the cells; all have to agree."""
    expected = declared
    for unit, row in numbers.units.items():
        if not expected and not KNOWN_UNIT.match(unit):
            raise _wrong_unit(reader, column, row, f"{unit!r} is no unit that is known")
        expected = expected or unit
        if not same_unit(unit, expected):
            before = "declared is" if declared else "further up it is"
            raise _wrong_unit(reader, column, row, f"the unit is {unit!r}, {before} {expected!r}")
    return expected


def _wrong_unit(reader: Reader, column: str, row: int, message: str) -> DataError:
    return DataError(
        "E316",
        message,
        where=reader.source.place(column, row),
        hint="convert the column to one unit, and declare it under `unit:`",
    )


def _check_values(
    reader: Reader, column: str, values: NDArray[np.float64], flags: Flags, *, linear: bool
) -> None:
    unknown = np.flatnonzero(flags & np.isnan(values))
    if len(unknown):
        raise DataError(
            "E317",
            "says that the value is out of range, but not out of which",
            where=reader.source.place(column, int(unknown[0])),
            hint="give the limit under `llod:` or `uloq:`",
        )
    negative = np.flatnonzero(values < 0)
    if linear and len(negative):
        row = int(negative[0])
        raise DataError(
            "E314",
            f"a concentration cannot be {values[row]:g}",
            where=reader.source.place(column, row),
            hint="correct the cell, or declare `scale: log2` (NPX and other logarithms)",
        )


def _constant(limit: Floats) -> float | None:
    first = float(limit[0])
    return first if np.all(limit == first) else None
