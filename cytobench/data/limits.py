"""Limits of detection: from constants or tables to flagged values; nothing here is fitted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cytobench.core.errors import DataError
from cytobench.data.cells import Numbers, read_numbers
from cytobench.data.grammar import check_keys, listed, number, pairs, required
from cytobench.data.readers import FILE_KEYS, Files
from cytobench.data.rows import holds, matches
from cytobench.data.sources import Source, read_source

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
OWN_KEYS = ("analyte", "value", "match", "when")
REPEATED_SHARE, REPEATED_COUNT = 0.05, 3
"""How often an extreme value has to repeat in a group to be a constant put in for a limit."""


def limits_by_row(
    spec: Any, analytes: Mapping[str, str], source: Source, files: Files, where: str
) -> dict[str, Floats]:
    """Limit of every analyte for every row, NaN where unknown.

    Parameters
    ----------
    spec : None, number, mapping or list
        One number for all; ``{analyte: number}``, or ``{analyte: {column: name}}`` for a column of
        the table that states the limit row by row; a table ``{file, analyte, value}`` with
        ``match: {its column: our column}`` where limits differ by plate or run, and ``when:
        {column: value}`` where it speaks of some rows only; or a list of such tables.
    analytes : mapping
        Standard name -> column in the source.
    """
    n = len(source.frame)
    if spec is None or isinstance(spec, (int, float)):
        constant = np.nan if spec is None else number(spec, where)
        return {name: np.full(n, constant) for name in analytes}
    found = {name: np.full(n, np.nan) for name in analytes}
    if isinstance(spec, Mapping) and "file" not in spec:
        check_keys(spec, list(analytes), where)
        for name, value in spec.items():
            found[str(name)] = limit_of(value, source, f"{where}.{name}")
        return found
    for part in listed(spec):
        _add_table(found, part, analytes, source, files, where)
    return found


def limit_of(spec: Any, source: Source, where: str) -> Floats:
    """One analyte's limit for every row: a number, or ``{column: name}``; NaN where missing.

    Raises
    ------
    DataError
        ``E313`` for text in a limit, ``E322``.
    """
    if not isinstance(spec, Mapping):
        return np.full(len(source.frame), number(spec, where))
    check_keys(spec, ("column",), where)
    return _numbers(source, str(required(spec, "column", where)))


def _numbers(table: Source, column: str) -> Floats:
    read = read_numbers(table.texts(column))
    if read.wrong:
        raise DataError(
            "E313",
            "a limit of detection must be a number",
            where=table.place(column, read.wrong[0]),
        )
    return read.values


def _add_table(
    found: dict[str, Floats],
    part: Any,
    analytes: Mapping[str, str],
    source: Source,
    files: Files,
    where: str,
) -> None:
    check_keys(part, (*FILE_KEYS, "rows", *OWN_KEYS), where)
    table = read_source({key: part[key] for key in part if key not in OWN_KEYS}, files, where)
    column = str(required(part, "value", where))
    names = [name.strip() for name in table.texts(str(required(part, "analyte", where)))]
    values = _numbers(table, column)
    concerned = np.ones(len(source.frame), dtype=bool)
    for ours, wanted in pairs(part.get("when"), f"{where}.when").items():
        concerned &= matches(source.texts(ours), {"equals": wanted})
    matched = [
        (np.array(table.texts(theirs)), np.array(source.texts(str(ours))))
        for theirs, ours in pairs(part.get("match"), f"{where}.match").items()
    ]
    name_of = {column: name for name, column in analytes.items()}
    known = [name_of.get(raw, raw) for raw in names]
    if not any(name in found for name in known):
        raise DataError(
            "E322",
            f"no row of {table.files} speaks of one of the analytes",
            where=where,
            hint=f"its first is {names[0]!r}, the table's first is {next(iter(found), 'none')!r}",
        )
    for line, name in enumerate(known):
        if name in found:
            rows = concerned.copy()
            for here, there in matched:
                rows &= there == here[line]
            found[name][rows] = values[line]


def mark_below(
    numbers: Numbers, limit: Floats, *, nondetect: str | None, keep: bool, groups: Sequence[str]
) -> tuple[Floats, Flags]:
    """Values with those below the limit of detection found and flagged.

    Parameters
    ----------
    limit : array, shape (n,)
        NaN where unknown.
    nondetect : {None, "zero", "floor", "missing"}
        How the table wrote non-detects: as an exact 0; as a constant of each group, which is a
        smallest value that repeats, or the limit itself; as an empty cell (flagged beforehand, see
        :func:`missing_as_below`).
    keep : bool
        Keep measured values below the limit (Olink's NPX), flagged; else they become the limit.

    Returns
    -------
    values, below : arrays, shape (n,)
        A cell that says ``<0.5`` carries 0.5. A zero without a known limit stays 0: what stands
        in for it is found inside the training part.
    """
    values, below = numbers.values.copy(), numbers.below.copy()
    unstated = below & np.isnan(values)
    values[unstated] = limit[unstated]
    if nondetect == "zero":
        zero = values == 0
        below |= zero
        values[zero & ~np.isnan(limit)] = limit[zero & ~np.isnan(limit)]
    if nondetect == "floor":
        below |= _repeated(values, np.asarray(groups, dtype=str), smallest=True) | (values == limit)
    with np.errstate(invalid="ignore"):
        under = values < limit
    if not keep:
        values[under] = limit[under]
    return values, below | under


def mark_above(
    numbers: Numbers,
    values: Floats,
    limit: Floats,
    *,
    saturated: str | None,
    groups: Sequence[str],
) -> tuple[Floats, Flags]:
    """Values with those at or above the upper limit found and flagged.

    Parameters
    ----------
    saturated : {None, "ceiling"}
        How the table wrote saturated values: as a constant of each group, which is a largest value
        that repeats.
    """
    values, above = values.copy(), numbers.above.copy()
    unstated = above & np.isnan(values)
    values[unstated] = limit[unstated]
    if saturated == "ceiling":
        above |= _repeated(values, np.asarray(groups, dtype=str), smallest=False)
    with np.errstate(invalid="ignore"):
        over = values >= limit
    values[over] = limit[over]
    return values, above | over


def with_comments(numbers: Numbers, spec: Any, source: Source, where: str) -> Numbers:
    """Numbers with the flags that a column of comment codes gives.

    Surveys fill a non-detect in (with the limit / √2, say) and mark it in a second column. A filled
    value becomes the limit where that is declared, else it stays as it is.

    Parameters
    ----------
    spec : mapping
        ``{column: name, below: [codes], above: [codes]}``.

    Raises
    ------
    DataError
        ``E322``; ``E312`` for a column that is not there.
    """
    check_keys(spec, ("column", "below", "above"), where)
    texts = source.texts(str(required(spec, "column", where)))
    if not any(key in spec for key in ("below", "above")):
        raise DataError("E322", "expected `below:` or `above:`, the codes", where=where)
    return replace(
        numbers,
        below=numbers.below | holds(texts, spec.get("below")),
        above=numbers.above | holds(texts, spec.get("above")),
    )


def missing_as_below(columns: Mapping[str, Numbers]) -> dict[str, Numbers]:
    """Columns whose empty cells are non-detects; a row without any value was not measured."""
    absent = {name: ~_said(numbers) for name, numbers in columns.items()}
    unmeasured = np.logical_and.reduce(list(absent.values()))
    return {
        name: replace(numbers, below=numbers.below | (absent[name] & ~unmeasured))
        for name, numbers in columns.items()
    }


def _said(numbers: Numbers) -> Flags:
    """Rows whose cell says anything."""
    return ~np.isnan(numbers.values) | numbers.below | numbers.above


def _repeated(values: Floats, groups: NDArray[np.str_], *, smallest: bool) -> Flags:
    """Values at an extreme of their group that repeats; a constant group has a floor only."""
    flags = np.zeros(len(values), dtype=bool)
    for group in np.unique(groups):
        rows = np.flatnonzero((groups == group) & ~np.isnan(values))
        if not len(rows):
            continue
        low, high = values[rows].min(), values[rows].max()
        extreme = rows[values[rows] == (low if smallest else high)]
        enough = len(extreme) >= max(REPEATED_COUNT, REPEATED_SHARE * len(rows))
        if enough and (smallest or low < high):
            flags[extreme] = True
    return flags
