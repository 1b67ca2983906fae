"""Limits of detection: from constants or tables to flagged values; nothing here is fitted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cytobench.core.errors import DataError
from cytobench.data.cells import Numbers, read_numbers
from cytobench.data.sources import Source, check_keys, matches, read_source

Floats = NDArray[np.float64]
TABLE_KEYS = ("file", "sheet", "separator", "encoding", "analyte", "value", "match", "when", "rows")
FLOOR_SHARE, FLOOR_COUNT = 0.05, 3
"""How often a smallest value has to repeat in a group to be a constant put in for non-detects."""


def limits_by_row(
    spec: Any, analytes: Mapping[str, str], source: Source, folders: Sequence[Path], where: str
) -> dict[str, Floats]:
    """Limit of every analyte for every row, NaN where unknown.

    Parameters
    ----------
    spec : None, number, mapping or list
        One number for all; ``{analyte: number}``; a table ``{file, analyte, value}`` with ``match:
        {its column: our column}`` where limits differ by plate or run, and ``when: {column:
        value}`` where it speaks of some rows only; or a list of such tables.
    analytes : mapping
        Standard name -> column in the source.
    """
    n = len(source.frame)
    found = {name: np.full(n, np.nan) for name in analytes}
    if spec is None:
        return found
    if isinstance(spec, (int, float)) and not isinstance(spec, bool):
        return {name: np.full(n, float(spec)) for name in analytes}
    if isinstance(spec, Mapping) and "file" not in spec:
        check_keys(spec, list(analytes), where)
        for name, value in spec.items():
            found[str(name)] = np.full(n, float(value))
        return found
    for part in spec if isinstance(spec, list) else [spec]:
        _add_table(found, part, analytes, source, folders, where)
    return found


def _add_table(
    found: dict[str, Floats],
    part: Mapping[str, Any],
    analytes: Mapping[str, str],
    source: Source,
    folders: Sequence[Path],
    where: str,
) -> None:
    check_keys(part, TABLE_KEYS, where)
    own = ("analyte", "value", "match", "when")
    table = read_source({key: part[key] for key in part if key not in own}, folders, where)
    names, values = table.texts(str(part["analyte"])), read_numbers(table.texts(str(part["value"])))
    if values.wrong:
        place = table.place(str(part["value"]), values.wrong[0])
        raise DataError("E313", "a limit of detection must be a number", where=place)
    concerned = np.ones(len(source.frame), dtype=bool)
    for column, wanted in (part.get("when") or {}).items():
        concerned &= matches(source.texts(str(column)), {"equals": wanted})
    ours = {column: name for name, column in analytes.items()}
    pairs = [
        (np.array(table.texts(str(theirs))), np.array(source.texts(str(mine))))
        for theirs, mine in (part.get("match") or {}).items()
    ]
    for line, raw in enumerate(names):
        name = ours.get(raw, raw)
        if name not in found:
            continue
        rows = concerned.copy()
        for theirs, mine in pairs:
            rows &= mine == theirs[line]
        found[name][rows] = values.values[line]


def mark(
    numbers: Numbers,
    limit: Floats,
    *,
    nondetect: str | None,
    keep: bool,
    groups: Sequence[str],
) -> tuple[Floats, NDArray[np.bool_]]:
    """Values with those below the limit of detection found and flagged.

    Parameters
    ----------
    limit : array, shape (n,)
        NaN where unknown.
    nondetect : {None, "zero", "floor"}
        How the table wrote non-detects: as an exact 0; or as a constant of each group, which is a
        smallest value that repeats.
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
        below |= _at_floor(values, np.asarray(groups, dtype=str))
    with np.errstate(invalid="ignore"):
        under = values < limit
    below |= under
    if not keep:
        values[under] = limit[under]
    return values, below


def _at_floor(values: Floats, groups: NDArray[np.str_]) -> NDArray[np.bool_]:
    at_floor = np.zeros(len(values), dtype=bool)
    for group in np.unique(groups):
        rows = np.flatnonzero((groups == group) & ~np.isnan(values))
        if not len(rows):
            continue
        floor = values[rows] == values[rows].min()
        if floor.sum() >= max(FLOOR_COUNT, FLOOR_SHARE * len(rows)):
            at_floor[rows[floor]] = True
    return at_floor
