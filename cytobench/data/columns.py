"""Columns by role: analytes with limits, covariates, labels, scores; each from text to values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cytobench.core.errors import DataError, did_you_mean
from cytobench.data.cells import MISSING, Numbers, read_numbers
from cytobench.data.cohort import ABOVE, BELOW, Analyte
from cytobench.data.limits import limits_by_row, mark
from cytobench.data.sources import Source, check_keys, same

ANALYTE_KEYS = (
    "columns",
    "rename",
    "unit",
    "unit_column",
    "scale",
    "platform",
    "matrix",
    "llod",
    "uloq",
    "nondetect",
    "floor_by",
    "below_limit",
    "each",
)
EACH_KEYS = ("unit", "scale", "platform", "matrix", "llod", "uloq")


@dataclass
class Reader:
    """Reads columns of a source, and remembers which role each was used for."""

    source: Source
    folders: Sequence[Path]
    decimal: str = "."
    missing: Sequence[str] = ()
    used: dict[str, str] = field(default_factory=dict)

    def use(self, column: str, role: str) -> list[str]:
        """Cells of a column, once.

        Raises
        ------
        DataError
            ``E326`` where another role has read it: a leak in most cases.
        """
        texts = self.source.texts(column)
        if self.used.setdefault(column, role) != role:
            raise DataError(
                "E326",
                f"is used as {self.used[column]} and as {role}",
                where=self.source.place(column, 0),
                hint="give each column one role; an outcome must never be a feature",
            )
        return texts

    def numbers(self, column: str, role: str) -> Numbers:
        """A column of numbers.

        Raises
        ------
        DataError
            ``E313`` for text in a number, ``E316`` for more than one unit.
        """
        texts = self.use(column, role)
        numbers = read_numbers(texts, decimal=self.decimal, missing=self.missing)
        if numbers.wrong:
            row = numbers.wrong[0]
            more = f" ({len(numbers.wrong)} such cells)" if len(numbers.wrong) > 1 else ""
            raise DataError(
                "E313",
                f"{texts[row]!r} is no number{more}",
                where=self.source.place(column, row),
                hint="correct the cell, or list the text under `missing:` if it means missing; "
                "a decimal comma needs `decimal: ','`",
            )
        if len(numbers.units) > 1:
            (first, _), (second, row) = list(numbers.units.items())[:2]
            raise DataError(
                "E316",
                f"the unit is {second!r}, and {first!r} further up",
                where=self.source.place(column, row),
                hint="convert the table to one unit for each column",
            )
        return numbers

    def score(self, column: str, role: str) -> NDArray[np.float64]:
        """A symptom score or another plain number; limits of detection make no sense in it."""
        numbers = self.numbers(column, role)
        odd = np.flatnonzero(numbers.below | numbers.above)
        if len(odd):
            raise DataError(
                "E313",
                "a limit of detection where a plain number was expected",
                where=self.source.place(column, int(odd[0])),
            )
        return numbers.values

    def labels(self, spec: Any, role: str) -> list[str | None]:
        """Arm, site or plate as text, by way of a ``map:`` if there is one; None if missing."""
        column, mapping = column_and_map(spec, role)
        texts = self.use(column, role)
        return [self._mapped(text, mapping, column, row) for row, text in enumerate(texts)]

    def covariate(self, spec: Any, role: str) -> pd.Series:
        """A covariate: numbers where every cell is one, else text."""
        column, mapping = column_and_map(spec, role)
        texts = self.use(column, role)
        if mapping is not None:
            cells = [self._mapped(text, mapping, column, row) for row, text in enumerate(texts)]
            texts = ["" if cell is None else cell for cell in cells]
        numbers = read_numbers(texts, decimal=self.decimal, missing=self.missing)
        if not numbers.wrong and not numbers.units and not (numbers.below | numbers.above).any():
            return pd.Series(numbers.values)
        none = (*MISSING, *self.missing)
        return pd.Series([None if text.strip() in none else text.strip() for text in texts])

    def _mapped(
        self, text: str, mapping: Mapping[Any, Any] | None, column: str, row: int
    ) -> str | None:
        if text.strip() in (*MISSING, *self.missing):
            return None
        if mapping is None:
            return text.strip()
        for raw, name in mapping.items():
            if same(text, raw):
                return str(name)
        raise DataError(
            "E318",
            f"{text!r} is not in the map",
            where=self.source.place(column, row),
            hint=f"the map knows: {', '.join(map(str, mapping))}",
        )


def column_and_map(spec: Any, where: str) -> tuple[str, Mapping[Any, Any] | None]:
    """``name`` or ``{column: name, map: {...}}``."""
    if isinstance(spec, Mapping):
        check_keys(spec, ("column", "map"), where)
        if "column" not in spec:
            raise DataError("E322", "expected `column:`", where=where)
        return str(spec["column"]), spec.get("map")
    return str(spec), None


def read_analytes(reader: Reader, spec: Mapping[str, Any]) -> tuple[list[Analyte], pd.DataFrame]:
    """The panel, and its columns with their companion flags.

    Raises
    ------
    DataError
        ``E314`` for a negative concentration, ``E316`` for mixed units, ``E317`` for a non-detect
        whose limit is unknown.
    """
    check_keys(spec, ANALYTE_KEYS, "analytes")
    chosen = _choose(spec["columns"], reader)
    names = {str(raw): str(name) for raw, name in (spec.get("rename") or {}).items()}
    check_keys(names, chosen, "analytes.rename")
    analytes = {names.get(column, column): column for column in chosen}
    each = {str(name): dict(item) for name, item in (spec.get("each") or {}).items()}
    check_keys(each, list(analytes), "analytes.each")
    for name, item in each.items():
        check_keys(item, EACH_KEYS, f"analytes.each.{name}")
    limit = _limits("llod", spec, each, analytes, reader)
    upper = _limits("uloq", spec, each, analytes, reader)
    groups = _groups(reader, spec.get("floor_by") or [])
    _one_unit(reader, spec)
    panel: list[Analyte] = []
    columns: dict[str, Any] = {}
    for name, column in analytes.items():
        about = {key: each.get(name, {}).get(key, spec.get(key)) for key in EACH_KEYS}
        numbers = reader.numbers(column, "analyte")
        _declared_unit(reader, column, numbers, about["unit"])
        values, below = mark(
            numbers,
            limit[name],
            nondetect=spec.get("nondetect"),
            keep=spec.get("below_limit") == "keep",
            groups=groups,
        )
        values, above = _mark_above(numbers, values, upper[name])
        _check_values(reader, column, values, below, above, linear=about["scale"] != "log2")
        columns[name] = values
        columns |= {name + BELOW: below} if below.any() else {}
        columns |= {name + ABOVE: above} if above.any() else {}
        unit = about["unit"] or next(iter(numbers.units), "")
        panel.append(
            Analyte(
                name,
                str(unit),
                about["scale"] or "linear",
                about["platform"] or "",
                about["matrix"] or "",
                _constant(limit[name]),
                _constant(upper[name]),
            )
        )
    return panel, pd.DataFrame(columns)


def _choose(spec: Any, reader: Reader) -> list[str]:
    """Column names from a list, ``{from:, to:}`` or ``{all_except: [...]}``."""
    source = reader.source
    if isinstance(spec, Mapping):
        if "all_except" in spec:
            for column in spec["all_except"]:
                source.require(str(column))
            return [c for c in source.columns if c not in map(str, spec["all_except"])]
        check_keys(spec, ("from", "to"), "analytes.columns")
        ends = [str(spec["from"]), str(spec["to"])]
        for column in ends:
            source.require(column)
        first, last = (source.columns.index(column) for column in ends)
        return source.columns[first : last + 1]
    for column in spec:
        source.require(str(column))
    return [str(column) for column in spec]


def _limits(
    key: str,
    spec: Mapping[str, Any],
    each: Mapping[str, Mapping[str, Any]],
    analytes: Mapping[str, str],
    reader: Reader,
) -> dict[str, NDArray[np.float64]]:
    found = limits_by_row(spec.get(key), analytes, reader.source, reader.folders, f"analytes.{key}")
    for name, item in each.items():
        if key in item:
            found[name] = np.full(len(reader.source.frame), float(item[key]))
    return found


def _groups(reader: Reader, columns: Sequence[str]) -> list[str]:
    texts = [reader.source.texts(str(column)) for column in columns]
    n = len(reader.source.frame)
    return ["\x1f".join(parts) for parts in zip(*texts, strict=True)] if texts else [""] * n


def _one_unit(reader: Reader, spec: Mapping[str, Any]) -> None:
    if "unit_column" not in spec:
        return
    column = str(spec["unit_column"])
    units = reader.use(column, "unit")
    for row, unit in enumerate(units):
        if unit.strip() != units[0].strip():
            raise DataError(
                "E316",
                f"the unit is {unit!r}, and {units[0]!r} further up",
                where=reader.source.place(column, row),
                hint="convert the table to one unit",
            )


def _declared_unit(reader: Reader, column: str, numbers: Numbers, declared: Any) -> None:
    """A unit written in a cell has to be the declared one."""
    for unit, row in numbers.units.items():
        if declared and unit != str(declared):
            raise DataError(
                "E316",
                f"the unit is {unit!r}, declared is {declared!r}",
                where=reader.source.place(column, row),
                hint="convert the cell, or correct `unit:`",
            )


def _mark_above(
    numbers: Numbers, values: NDArray[np.float64], limit: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    unstated = numbers.above & np.isnan(values)
    values[unstated] = limit[unstated]
    with np.errstate(invalid="ignore"):
        over = values >= limit
    values[over] = limit[over]
    return values, numbers.above | over


def _check_values(
    reader: Reader,
    column: str,
    values: NDArray[np.float64],
    below: NDArray[np.bool_],
    above: NDArray[np.bool_],
    *,
    linear: bool,
) -> None:
    unknown = np.flatnonzero((below | above) & np.isnan(values))
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


def _constant(limit: NDArray[np.float64]) -> float | None:
    first = float(limit[0])
    return first if np.all(limit == first) else None


def outcome_label(reader: Reader, spec: Mapping[str, Any]) -> NDArray[np.float64]:
    """A ready label as 1, 0 and NaN.

    Raises
    ------
    DataError
        ``E318`` for a value that is neither positive nor negative, ``E319`` for a constant label.
    """
    column = str(spec["label"])
    texts = reader.use(column, "outcome")
    positive, negative = spec["positive"], spec.get("negative")
    positive = positive if isinstance(positive, list) else [positive]
    none = (*MISSING, *reader.missing)
    y = np.full(len(texts), np.nan)
    for row, text in enumerate(texts):
        if text.strip() in none:
            continue
        if any(same(text, value) for value in positive):
            y[row] = 1
        elif negative is None or any(same(text, value) for value in negative):
            y[row] = 0
        else:
            options = [str(value) for value in (*positive, *negative)]
            raise DataError(
                "E318",
                f"{text!r} is neither positive nor negative",
                where=reader.source.place(column, row),
                hint=did_you_mean(text, options) + "; or leave such rows out with `rows:`",
            )
    known = y[~np.isnan(y)]
    if len(np.unique(known)) < 2:
        value = "missing" if not len(known) else ("negative", "positive")[int(known[0])]
        raise DataError(
            "E319",
            f"the outcome is {value} for all {len(y)} patients",
            where=reader.source.place(column, 0),
            hint="check `positive:` and `negative:`, and the rows that are kept",
        )
    return y
