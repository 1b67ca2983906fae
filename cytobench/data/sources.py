"""A dataset's ``source``: files, stacked and joined, with every cell's place remembered."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import reduce
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cytobench.core.errors import DataError, did_you_mean
from cytobench.data.cells import MISSING, read_numbers
from cytobench.data.readers import locate, read_file

PLACE = "\x00place"
"""Prefix of hidden columns that hold ``file, line N``; no table's column can be called so."""

NODE_KEYS = {
    "file": ("file", "sheet", "separator", "encoding"),
    "stack": ("stack",),
    "join": ("join", "by", "how"),
}
SHARED_KEYS = ("rename", "constant", "rows", "drop", "first_of")
FILTER_KEYS = ("column", "equals", "in", "not_in", "min", "max", "present")


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
    """

    frame: pd.DataFrame
    place_of: Mapping[str, str]
    notes: Sequence[str] = field(default=())

    @property
    def columns(self) -> list[str]:
        """Visible columns."""
        return [column for column in self.frame.columns if not column.startswith(PLACE)]

    def texts(self, column: str) -> list[str]:
        """Cells of a column.

        Raises
        ------
        DataError
            ``E312`` where there is no such column.
        """
        self.require(column)
        return [str(value) for value in self.frame[column]]

    def require(self, column: str) -> None:
        """Refuse a column that is not there."""
        if column not in self.columns:
            file = str(self.frame[f"{PLACE}0"].iloc[0]).partition(", line")[0]
            raise DataError(
                "E312",
                f"there is no column {column!r}",
                where=file,
                hint=did_you_mean(column, self.columns),
            )

    def place(self, column: str, row: int) -> str:
        """``file, line 17, column 'IL-6'``."""
        return f"{self.frame[self.place_of[column]].iloc[row]}, column {column!r}"

    def only(self, keep: NDArray[np.bool_]) -> Source:
        """The rows to keep."""
        return replace(self, frame=self.frame[keep].reset_index(drop=True))


def read_source(node: Mapping[str, Any], folders: Sequence[Path], where: str = "source") -> Source:
    """Read a source node and all below it.

    Raises
    ------
    DataError
        ``E310`` to ``E312``, ``E322`` (unknown key), ``E323`` (a join that is not one to one),
        ``E325`` (no rows left).
    """
    kinds = [kind for kind in NODE_KEYS if kind in node]
    if len(kinds) != 1:
        raise DataError("E322", "expected one of file, stack, join", where=where)
    kind = kinds[0]
    check_keys(node, (*NODE_KEYS[kind], *SHARED_KEYS), where)
    if kind == "file":
        source = _read(node, folders)
    else:
        parts = [
            read_source(part, folders, f"{where}.{kind}[{i}]") for i, part in enumerate(node[kind])
        ]
        source = _stack(parts) if kind == "stack" else _join(parts, node, where)
    return _shape(source, node, where)


def check_keys(node: Mapping[str, Any], known: Sequence[str], where: str) -> None:
    """Refuse a key that nobody reads: most likely a typo.

    Raises
    ------
    DataError
        ``E322``.
    """
    for key in node:
        if key not in known:
            raise DataError(
                "E322", f"unknown key {key!r}", where=where, hint=did_you_mean(str(key), [*known])
            )


def _read(node: Mapping[str, Any], folders: Sequence[Path]) -> Source:
    path = locate(str(node["file"]), folders)
    frame = read_file(path, node)
    hidden = f"{PLACE}0"
    columns = list(frame.columns)
    places = [f"{node['file']}, line {line}" for line in frame.index]
    frame = frame.reset_index(drop=True)
    frame[hidden] = places
    return Source(frame, dict.fromkeys(columns, hidden))


def _stack(parts: Sequence[Source]) -> Source:
    frame = pd.concat([part.frame for part in parts], ignore_index=True)
    place_of: dict[str, str] = {}
    for part in parts:
        place_of = {**part.place_of, **place_of}
    return Source(frame.fillna(""), place_of, [note for part in parts for note in part.notes])


def _join(parts: Sequence[Source], node: Mapping[str, Any], where: str) -> Source:
    if "by" not in node:
        raise DataError("E322", "a join needs `by:` with the shared column", where=where)
    keys = [node["by"]] if isinstance(node["by"], str) else list(node["by"])
    how = node.get("how", "inner")
    if how not in ("inner", "left"):
        raise DataError("E322", f"how: {how!r}; expected inner or left", where=where)
    return reduce(lambda left, right: _join_two(left, right, keys, how), parts)


def _join_two(
    left: Source, right: Source, keys: list[str], how: Literal["inner", "left"]
) -> Source:
    for side in (left, right):
        for key in keys:
            side.require(key)
        _no_duplicates(side, keys)
    shift = len([name for name in left.frame.columns if name.startswith(PLACE)])
    hidden = {
        name: f"{PLACE}{int(name.removeprefix(PLACE)) + shift}"
        for name in right.frame.columns
        if name.startswith(PLACE)
    }
    shared = [name for name in right.columns if name in left.columns and name not in keys]
    if shared:
        raise DataError(
            "E323",
            f"both sides of a join have a column {shared[0]!r}",
            where=right.place(shared[0], 0),
            hint="rename or drop it on one side",
        )
    merged = left.frame.merge(right.frame.rename(columns=hidden), on=keys, how=how)
    notes = [*left.notes, *right.notes]
    matched = pd.MultiIndex.from_frame(merged[keys])
    for side in (left, right):
        lost = int((~pd.MultiIndex.from_frame(side.frame[keys]).isin(matched)).sum())
        if lost:
            file = str(side.frame[f"{PLACE}0"].iloc[0]).partition(", line")[0]
            notes.append(f"{lost} of {len(side.frame)} rows of {file} have no partner in the join")
    places = {
        **{name: hidden[place] for name, place in right.place_of.items()},
        **left.place_of,
    }
    return Source(merged.fillna(""), places, notes)


def _no_duplicates(source: Source, keys: list[str]) -> None:
    doubled = source.frame.duplicated(keys, keep=False).to_numpy()
    if doubled.any():
        row = int(np.flatnonzero(doubled)[0])
        same = np.flatnonzero(
            (source.frame[keys] == source.frame[keys].iloc[row]).all(axis=1).to_numpy()
        )
        value = "-".join(str(source.frame[key].iloc[row]) for key in keys)
        raise DataError(
            "E323",
            f"{value!r} is there twice, also at {source.place(keys[0], int(same[1]))}",
            where=source.place(keys[0], row),
            hint="a join needs one row for each patient: filter with `rows:` or `first_of:`",
        )


def _shape(source: Source, node: Mapping[str, Any], where: str) -> Source:
    """Rename, add constants, filter rows, drop columns: in this order."""
    frame, place_of = source.frame, dict(source.place_of)
    for old, new in (node.get("rename") or {}).items():
        source.require(str(old))
        frame = frame.rename(columns={str(old): str(new)})
        place_of[str(new)] = place_of.pop(str(old))
    for name, value in (node.get("constant") or {}).items():
        frame = frame.assign(**{str(name): str(value)})
        place_of[str(name)] = f"{PLACE}0"
    source = replace(source, frame=frame, place_of=place_of)
    for position, rule in enumerate(node.get("rows") or []):
        source = _filter(source, rule, f"{where}.rows[{position}]")
    if node.get("first_of"):
        source = _first_of(source, list(node["first_of"]))
    for name in node.get("drop") or []:
        source.require(str(name))
    return replace(
        source, frame=source.frame.drop(columns=[str(n) for n in node.get("drop") or []])
    )


def _filter(source: Source, rule: Mapping[str, Any], where: str) -> Source:
    check_keys(rule, FILTER_KEYS, where)
    column = str(rule.get("column", ""))
    texts = source.texts(column)
    keep = matches(texts, rule)
    left_out = int((~keep).sum())
    if not keep.any():
        raise DataError("E325", f"no row is left: {column!r} {_in_words(rule)}", where=where)
    notes = list(source.notes)
    if left_out:
        notes.append(f"{left_out} of {len(texts)} rows left out: {column!r} {_in_words(rule)}")
    return replace(source.only(keep), notes=notes)


def _in_words(rule: Mapping[str, Any]) -> str:
    """Why a row did not pass a filter."""
    words: dict[str, Callable[[Any], str]] = {
        "present": lambda _: "is missing",
        "equals": lambda value: f"is not {value}",
        "in": lambda values: f"is none of {', '.join(map(str, values))}",
        "not_in": lambda values: f"is one of {', '.join(map(str, values))}",
        "min": lambda value: f"is below {value}",
        "max": lambda value: f"is above {value}",
    }
    return " or ".join(words[key](value) for key, value in rule.items() if key in words)


def matches(texts: Sequence[str], rule: Mapping[str, Any]) -> NDArray[np.bool_]:
    """Which cells satisfy every condition of a filter."""
    keep = np.ones(len(texts), dtype=bool)
    if rule.get("present"):
        keep &= np.array([text.strip() not in MISSING for text in texts])
    if "equals" in rule:
        keep &= np.array([same(text, rule["equals"]) for text in texts])
    if "in" in rule:
        keep &= np.array([any(same(text, option) for option in rule["in"]) for text in texts])
    if "not_in" in rule:
        keep &= np.array([not any(same(text, no) for no in rule["not_in"]) for text in texts])
    if "min" in rule or "max" in rule:
        values = read_numbers(texts).values
        with np.errstate(invalid="ignore"):
            keep &= values >= rule.get("min", -np.inf)
            keep &= values <= rule.get("max", np.inf)
    return keep


def same(text: str, value: Any) -> bool:
    """Whether a cell holds a value of the YAML file: ``"1.0"`` is 1, ``"True"`` is true."""
    text, wanted = text.strip(), str(value)
    if text == wanted or (isinstance(value, bool) and text.lower() == wanted.lower()):
        return True
    if isinstance(value, bool):
        return False
    numbers = read_numbers([text, wanted])
    return not numbers.wrong and bool(numbers.values[0] == numbers.values[1])


def _first_of(source: Source, keys: list[str]) -> Source:
    for key in keys:
        source.require(key)
    keep = ~source.frame.duplicated(keys, keep="first").to_numpy()
    notes = list(source.notes)
    if not keep.all():
        notes.append(f"{int((~keep).sum())} further rows of the same {'-'.join(keys)} left out")
    return replace(source.only(keep), notes=notes)
