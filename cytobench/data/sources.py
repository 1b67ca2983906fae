"""A dataset's ``source``: files, stacked and joined, with every cell's place remembered."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import reduce
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cytobench.core.errors import DataError, did_you_mean
from cytobench.data.exports.options import EXPORT_KEYS
from cytobench.data.exports.rows import read_export
from cytobench.data.grammar import check_keys, listed, one_of, required
from cytobench.data.readers import FILE_KEYS, Files, read_file
from cytobench.data.shaping import PLACE, SHARED_KEYS, shape

NODE_KEYS = {"file": FILE_KEYS, "stack": ("stack",), "join": ("join", "by", "how")}


@dataclass(frozen=True)
class Source:
    """Text cells with the place that each column's cells come from.

    Attributes
    ----------
    frame : DataFrame of str
        With hidden columns of places.
    place_of : mapping
        Column -> hidden column.
    notes : sequence of str
        Rows that were left out, and why.
    absent : mapping
        Column -> the stacked files that do not have it.
    """

    frame: pd.DataFrame
    place_of: Mapping[str, str]
    notes: Sequence[str] = ()
    absent: Mapping[str, str] = field(default_factory=dict)

    @property
    def columns(self) -> list[str]:
        """Visible columns."""
        return [column for column in self.frame.columns if not column.startswith(PLACE)]

    @property
    def files(self) -> str:
        """The files that the rows come from, for messages."""
        spots = pd.unique(self.frame[f"{PLACE}0"])
        return ", ".join(dict.fromkeys(str(spot).partition(", line")[0] for spot in spots))

    def texts(self, column: str) -> list[str]:
        """Cells of a column.

        Raises
        ------
        DataError
            ``E312`` where there is no such column.
        """
        self.require(column)
        texts: list[str] = self.frame[column].tolist()
        return texts

    def require(self, column: str) -> None:
        """Refuse a column that is not there."""
        if column not in self.columns:
            raise DataError(
                "E312",
                f"there is no column {column!r}",
                where=self.files,
                hint=did_you_mean(column, self.columns),
            )

    def place(self, column: str, row: int) -> str:
        """``file, line 17, column 'IL-6'``."""
        # Where a left join found no partner, the row's own line has to do.
        spot = self.frame[self.place_of[column]].iloc[row] or self.frame[f"{PLACE}0"].iloc[row]
        return f"{spot}, column {column!r}"

    def only(self, keep: NDArray[np.bool_], note: str = "") -> Source:
        """The rows to keep, with a note on the others."""
        notes = [*self.notes, note] if note and not keep.all() else self.notes
        return replace(self, frame=self.frame[keep].reset_index(drop=True), notes=notes)


def read_source(node: Any, files: Files, where: str = "source") -> Source:
    """Read a source node and all below it.

    Raises
    ------
    DataError
        ``E310`` to ``E312``, ``E322`` (unknown key), ``E323`` (a join that is not one to one),
        ``E325`` (no rows left); ``E331`` to ``E339`` for an instrument's export.
    """
    kinds = [kind for kind in NODE_KEYS if isinstance(node, Mapping) and kind in node]
    if len(kinds) != 1:
        raise DataError("E322", "expected one of file, stack, join", where=where)
    kind = kinds[0]
    export = EXPORT_KEYS if kind == "file" and "format" in node else ()
    check_keys(node, (*NODE_KEYS[kind], *export, *SHARED_KEYS), where)
    if kind == "file":
        source = _read_export(node, files, where) if export else _read(node, files)
        return shape(source, node, where)
    parts = [
        read_source(part, files, f"{where}.{kind}[{position}]")
        for position, part in enumerate(listed(node[kind]))
    ]
    if len(parts) < 2:
        raise DataError("E322", f"expected two sources or more in `{kind}:`", where=where)
    return shape(_stack(parts) if kind == "stack" else _join(parts, node, where), node, where)


def _read(node: Mapping[str, Any], files: Files) -> Source:
    frame = read_file(node, files)
    hidden = f"{PLACE}0"
    columns = list(frame.columns)
    places = [f"{node['file']}, line {line}" for line in frame.index]
    frame = frame.reset_index(drop=True)
    frame[hidden] = places
    return Source(frame, dict.fromkeys(columns, hidden))


def _read_export(node: Mapping[str, Any], files: Files, where: str) -> Source:
    """One row per sample; an analyte's cells may stand on other lines than those of the next."""
    rows = read_export(node, files, where)
    hidden: dict[tuple[str, ...], str] = {}
    place_of = {
        column: hidden.setdefault(tuple(spots), f"{PLACE}{len(hidden)}")
        for column, spots in rows.spots.items()
    }
    places = {name: list(spots) for spots, name in hidden.items()}
    frame = pd.DataFrame({**rows.columns, **places}, dtype=object)
    return Source(frame, {**dict.fromkeys(rows.columns, f"{PLACE}0"), **place_of}, rows.notes)


def _stack(parts: Sequence[Source]) -> Source:
    # Parts may keep a column's places under different hidden names: each combination gets its own.
    spots: dict[tuple[str, ...], str] = {(f"{PLACE}0",) * len(parts): f"{PLACE}0"}
    place_of: dict[str, str] = {}
    absent: dict[str, str] = {}
    for column in dict.fromkeys(column for part in parts for column in part.columns):
        at = tuple(part.place_of.get(column, f"{PLACE}0") for part in parts)
        place_of[column] = spots.setdefault(at, f"{PLACE}{len(spots)}")
        without = [part.absent.get(column) for part in parts]
        without = [
            part.files if column not in part.place_of else lacking
            for part, lacking in zip(parts, without, strict=True)
        ]
        if any(without):
            absent[column] = ", ".join(files for files in without if files)
    frames = []
    for position, part in enumerate(parts):
        places = {name: part.frame[at[position]] for at, name in spots.items()}
        frames.append(part.frame[part.columns].assign(**places))
    frame = pd.concat(frames, ignore_index=True).fillna("")
    return Source(frame, place_of, [note for part in parts for note in part.notes], absent)


def _join(parts: Sequence[Source], node: Mapping[str, Any], where: str) -> Source:
    keys = [str(key) for key in listed(required(node, "by", where))]
    how = one_of(node.get("how", "inner"), ("inner", "left"), f"{where}.how")
    return reduce(lambda left, right: _join_two(left, right, keys, how), parts)


def _join_two(left: Source, right: Source, keys: list[str], how: str) -> Source:
    for side in (left, right):
        _one_row_each(side, keys)
    shared = [name for name in right.columns if name in left.columns and name not in keys]
    if shared:
        raise DataError(
            "E323",
            f"both sides of a join have a column {shared[0]!r}",
            where=right.place(shared[0], 0),
            hint="rename it or `drop:` it on one side",
        )
    shift = sum(name.startswith(PLACE) for name in left.frame.columns)
    hidden = {
        name: f"{PLACE}{int(name.removeprefix(PLACE)) + shift}"
        for name in right.frame.columns
        if name.startswith(PLACE)
    }
    sides = [side.frame.assign(**dict(_stripped(side, keys))) for side in (left, right)]
    merged = sides[0].merge(
        sides[1].rename(columns=hidden), on=keys, how="inner" if how == "inner" else "left"
    )
    if merged.empty:
        raise DataError(
            "E325",
            f"no row is left: no {'-'.join(keys)} of {right.files} is also in {left.files}",
            where=right.place(keys[0], 0),
            hint="compare how the two files write it",
        )
    notes = [*left.notes, *right.notes]
    matched = set(map(tuple, merged.loc[merged[hidden[f"{PLACE}0"]].notna(), keys].to_numpy()))
    for side, frame in zip((left, right), sides, strict=True):
        lost = sum(key not in matched for key in map(tuple, frame[keys].to_numpy()))
        if lost:
            notes.append(f"{lost} of {len(frame)} rows of {side.files} have no partner in the join")
    places = {**{name: hidden[place] for name, place in right.place_of.items()}, **left.place_of}
    return Source(merged.fillna(""), places, notes, {**right.absent, **left.absent})


def _stripped(source: Source, keys: list[str]) -> list[tuple[str, list[str]]]:
    return [(key, [text.strip() for text in source.texts(key)]) for key in keys]


def _one_row_each(source: Source, keys: list[str]) -> None:
    rows = list(zip(*(texts for _, texts in _stripped(source, keys)), strict=True))
    seen: dict[tuple[str, ...], int] = {}
    for row, key in enumerate(rows):
        if key in seen:
            raise DataError(
                "E323",
                f"the patient is there twice, also at {source.place(keys[0], row)}",
                where=source.place(keys[0], seen[key]),
                hint="a join needs one row for each patient: filter with `rows:` or `first_of:`",
            )
        seen[key] = row
