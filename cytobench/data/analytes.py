"""The panel: columns of concentrations with their units, limits and flags."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cytobench.core.errors import DataError
from cytobench.data.cells import MISSING, Numbers
from cytobench.data.cohort import ABOVE, BELOW, Analyte
from cytobench.data.columns import Reader, column_spec
from cytobench.data.grammar import check_keys, listed, number, one_of, pairs
from cytobench.data.limits import (
    Flags,
    Floats,
    limit_of,
    limits_by_row,
    mark_above,
    mark_below,
    missing_as_below,
    with_comments,
)
from cytobench.data.names import matrix_kind, named_columns
from cytobench.data.plausible import check_panel
from cytobench.data.units import Measured, UnitColumn, equal_units, in_words, unit_in_header

SHARED_KEYS = ("unit", "scale", "platform", "matrix", "llod", "uloq", "convert")
EACH_KEYS = (*SHARED_KEYS, "molar_mass", "comment")
CHOICES = {
    "scale": ("linear", "log2"),
    "nondetect": ("zero", "floor", "missing"),
    "saturated": ("ceiling",),
    "below_limit": ("limit", "keep"),
    "matrices": ("allow",),
}
NAME_KEYS = ("columns", "rename", "standard_names")
COLUMN_KEYS = ("unit_column", "matrix_column", "floor_by", "each")
ANALYTE_KEYS = (*NAME_KEYS, *COLUMN_KEYS, *CHOICES, *SHARED_KEYS)


@dataclass(frozen=True)
class _Panel:
    """What the YAML says of all analytes, checked."""

    spec: Mapping[str, Any]
    columns: Mapping[str, str]
    each: Mapping[str, Mapping[str, Any]]
    lower: Mapping[str, Floats]
    upper: Mapping[str, Floats]
    groups: list[str]
    stated: UnitColumn | None
    matrix: str

    def about(self, name: str) -> Analyte:
        """One analyte, as it was declared; its limits are not known to be constants yet."""
        said = {key: self.each.get(name, {}).get(key, self.spec.get(key)) for key in SHARED_KEYS}
        return Analyte(
            name,
            str(said["unit"] or ""),
            said["scale"] or "linear",
            str(said["platform"] or ""),
            _matrix(said["matrix"]) or self.matrix,
        )

    def target(self, name: str) -> str:
        """The unit that an analyte is converted to; empty where it stays as it is."""
        shared = self.spec.get("convert")
        own = shared.get(name) if isinstance(shared, Mapping) else shared
        return str(self.each.get(name, {}).get("convert", own) or "")


def read_analytes(reader: Reader, spec: Mapping[str, Any]) -> tuple[list[Analyte], pd.DataFrame]:
    """The panel, and its columns with their companion flags.

    Conversions, new names, and levels that cannot be what their unit says (``W341`` to ``W345``,
    see :mod:`cytobench.data.plausible`) go to the reader's notes.

    Raises
    ------
    DataError
        ``E314`` for a negative concentration, ``E316`` for mixed units, ``E317`` for a non-detect
        whose limit is unknown, ``E340`` and ``E341`` for a unit that cannot be converted, ``E342``
        for mixed matrices, ``E343`` for limits in an unknown unit.
    """
    declared = _declared(reader, spec)
    panel: list[Analyte] = []
    columns: dict[str, Any] = {}
    conversions: dict[str, list[str]] = {}
    for name, numbers in _numbers(reader, declared).items():
        analyte, numbers, lower, upper, words = _in_its_unit(reader, declared, name, numbers)
        if words:
            conversions.setdefault(words, []).append(name)
        values, below = mark_below(
            numbers,
            lower,
            nondetect=spec.get("nondetect"),
            keep=spec.get("below_limit") == "keep",
            groups=declared.groups,
        )
        values, above = mark_above(
            numbers, values, upper, saturated=spec.get("saturated"), groups=declared.groups
        )
        _check_values(
            reader,
            declared.columns[name],
            values,
            below | above,
            linear=analyte.scale == "linear",
        )
        columns[name] = values
        columns |= {name + BELOW: below} if below.any() else {}
        columns |= {name + ABOVE: above} if above.any() else {}
        panel.append(analyte)
    table = pd.DataFrame(columns)
    reader.notes += [f"{', '.join(names)}: {words}" for words, names in conversions.items()]
    reader.notes += [str(suspicion) for suspicion in check_panel(panel, table)]
    return panel, table


def _numbers(reader: Reader, declared: _Panel) -> dict[str, Numbers]:
    """Every column's numbers, flagged by comment codes and empty cells where these mean it."""
    found: dict[str, Numbers] = {}
    for name, column in declared.columns.items():
        numbers = reader.numbers(column, "analyte")
        comment = declared.each.get(name, {}).get("comment")
        if comment is not None:
            where = f"analytes.each.{name}.comment"
            numbers = with_comments(numbers, comment, reader.source, where)
        found[name] = numbers
    return missing_as_below(found) if declared.spec.get("nondetect") == "missing" else found


def _in_its_unit(
    reader: Reader, declared: _Panel, name: str, numbers: Numbers
) -> tuple[Analyte, Numbers, Floats, Floats, str]:
    """An analyte with its values and limits in one unit, and how they were converted."""
    analyte, column = declared.about(name), declared.columns[name]
    own = declared.each.get(name, {})
    unit = _with_header(reader, column, analyte.unit)
    measured = Measured(reader, column, numbers, unit, None if own.get("unit") else declared.stated)
    target = declared.target(name)
    lower, upper, words = declared.lower[name], declared.upper[name], ""
    if not target:
        unit = measured.one_unit()
    elif analyte.scale != "linear":
        raise DataError(
            "E340",
            f"values on a {analyte.scale} scale are not converted",
            where=f"analytes, {name!r}: convert",
            hint="convert concentrations only: `each: {analyte: {convert: ...}}`",
        )
    else:
        mass = own.get("molar_mass")
        mass = None if mass is None else number(mass, f"analytes.each.{name}.molar_mass")
        numbers, counts = measured.converted(target, mass)
        unit, words = target, in_words(counts, target)
        if not (np.isnan(lower).all() and np.isnan(upper).all()):
            factor = measured.limit_factor(counts, target, mass)
            lower, upper = lower * factor, upper * factor
    about = replace(analyte, unit=unit, llod=_constant(lower), uloq=_constant(upper))
    return about, numbers, lower, upper, words


def _with_header(reader: Reader, column: str, declared: str) -> str:
    """The unit that was declared, or that the column's header states: they have to agree."""
    header = unit_in_header(column)
    if declared and header and not equal_units(declared, header):
        raise DataError(
            "E316",
            f"the header says {header!r}, declared is {declared!r}",
            where=f"{reader.source.files}, column {column!r}",
            hint="correct `unit:`, or give the column its own under `each:`",
        )
    return declared or header


def _declared(reader: Reader, spec: Mapping[str, Any]) -> _Panel:
    check_keys(spec, ANALYTE_KEYS, "analytes")
    each = pairs(spec.get("each"), "analytes.each")
    for name, item in each.items():
        check_keys(item, EACH_KEYS, f"analytes.each.{name}")
    for where, node in [("analytes", spec), *((f"analytes.each.{n}", each[n]) for n in each)]:
        for key, options in CHOICES.items():
            if node.get(key) is not None:
                one_of(node[key], options, f"{where}.{key}")
    columns = named_columns(reader, {key: spec[key] for key in NAME_KEYS if key in spec})
    check_keys(each, list(columns), "analytes.each")
    if isinstance(spec.get("convert"), Mapping):
        check_keys(spec["convert"], list(columns), "analytes.convert")
    return _Panel(
        spec,
        columns,
        each,
        _limits("llod", spec, each, columns, reader),
        _limits("uloq", spec, each, columns, reader),
        _groups(reader, spec.get("floor_by")),
        _unit_column(reader, spec),
        _matrix_of_samples(reader, spec),
    )


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
            found[name] = limit_of(item[key], reader.source, f"analytes.each.{name}.{key}")
    return found


def _groups(reader: Reader, spec: Any) -> list[str]:
    texts = [reader.source.texts(str(column)) for column in listed(spec)]
    return ["\x1f".join(parts) for parts in zip(*texts, strict=True)] or [""] * len(reader)


def _unit_column(reader: Reader, spec: Mapping[str, Any]) -> UnitColumn | None:
    if spec.get("unit_column") is None:
        return None
    column = str(spec["unit_column"])
    units = [unit.strip() for unit in reader.use(column, "unit")]
    return UnitColumn(column, ["" if unit in MISSING else unit for unit in units])


def _matrix(text: Any) -> str:
    """Serum or plasma, whatever its spelling and anticoagulant; another matrix as written."""
    said = str(text or "").strip()
    return matrix_kind(said) or said


def _matrix_of_samples(reader: Reader, spec: Mapping[str, Any]) -> str:
    """What the samples are, by a column of the table.

    Raises
    ------
    DataError
        ``E342`` where it states several, unless they are allowed, or another than declared.
    """
    if spec.get("matrix_column") is None:
        return ""
    # As a covariate: the column may be listed as one, and never be an outcome.
    asked = column_spec(spec["matrix_column"], "analytes.matrix_column")
    kinds = [_matrix(text) for text in reader.labels(spec["matrix_column"], "covariate")]
    counts = Counter(kind or "not stated" for kind in kinds)
    said = ", ".join(f"{kind}: {count}" for kind, count in counts.items())
    declared = _matrix(spec.get("matrix"))
    odd = [row for row, kind in enumerate(kinds) if kind != (declared or kinds[0])]
    if odd and (declared or spec.get("matrices") != "allow"):
        expected = f"declared is {declared!r}" if declared else f"the first is {kinds[0]!r}"
        raise DataError(
            "E342",
            f"the sample is {kinds[odd[0]] or 'not stated'!r}, {expected} ({said})",
            where=reader.source.place(asked.column, odd[0]),
            hint="levels differ between matrices: keep one by `rows:`, or set `matrices: allow` "
            "and take the column as a covariate",
        )
    reader.notes.append(f"samples by {asked.column!r}: {said}")
    return " / ".join(sorted({kind for kind in kinds if kind}))


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
