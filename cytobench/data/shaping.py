"""What is done to a source once it is read: columns chosen and named, rows filtered."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from cytobench.core.errors import DataError
from cytobench.data.cells import read_numbers
from cytobench.data.grammar import check_keys, listed, pairs, required
from cytobench.data.patterns import Pattern
from cytobench.data.rows import check_rule, in_words, matches

if TYPE_CHECKING:
    from cytobench.data.sources import Source

PLACE = "\x00place"
"""Prefix of hidden columns that hold ``file, line N``; no table's column can be called so."""
SHARED_KEYS = ("positions", "rename", "extract", "constant", "rows", "first_of", "keep", "drop")


def shape(source: Source, node: Mapping[str, Any], where: str) -> Source:
    """Carry the steps of a node out, in the order of `SHARED_KEYS`.

    Raises
    ------
    DataError
        ``E312`` for a column that is not there, ``E313``, ``E322``, ``E325``, ``E328``.
    """
    source = _positions(source, node.get("positions"), where)
    source = _rename(source, _new_names(node.get("rename"), where), where)
    source = _extract(source, node.get("extract") or {}, where)
    for name, value in pairs(node.get("constant"), f"{where}.constant").items():
        places = {**source.place_of, name: f"{PLACE}0"}
        frame = source.frame.assign(**{name: str(value)})
        source = replace(source, frame=frame, place_of=places)
    for position, rule in enumerate(listed(node.get("rows"))):
        source = _filter(source, rule, f"{where}.rows[{position}]")
    if node.get("first_of"):
        source = _first_of(source, [str(key) for key in listed(node["first_of"])])
    keep, drop = ([str(name) for name in listed(node.get(key))] for key in ("keep", "drop"))
    for name in (*keep, *drop):
        source.require(name)
    kept = set(keep or source.columns) - set(drop)
    gone = [name for name in source.columns if name not in kept]
    return replace(source, frame=source.frame.drop(columns=gone))


def _rename(source: Source, names: Mapping[Any, Any], where: str) -> Source:
    """New names at once, so that two columns may swap theirs."""
    new = {str(old): str(name) for old, name in names.items()}
    for old in new:
        source.require(old)
    columns = [new.get(column, column) for column in source.columns]
    twice = [name for name, times in Counter(columns).items() if times > 1]
    if twice:
        raise DataError(
            "E322", f"two columns would be called {twice[0]!r}", where=f"{where}.rename"
        )
    return replace(
        source,
        frame=source.frame.rename(columns=new),
        place_of={new.get(column, column): place for column, place in source.place_of.items()},
        absent={new.get(column, column): files for column, files in source.absent.items()},
    )


def _filter(source: Source, rule: Any, where: str) -> Source:
    check_rule(rule, where)
    column = str(rule["column"])
    texts = source.texts(column)
    if "min" in rule or "max" in rule:
        wrong = read_numbers(texts).wrong
        if wrong:
            raise DataError(
                "E313",
                f"{texts[wrong[0]]!r} is no number, and {where} compares it with one",
                where=source.place(column, wrong[0]),
                hint="correct the cell, or list the text under `missing:` if it means missing",
            )
    keep = matches(texts, rule)
    words = f"{column!r} {in_words(rule)}"
    if not keep.any():
        raise DataError("E325", f"no row is left: {words}", where=f"{source.files}: {where}")
    return source.only(keep, f"{int((~keep).sum())} of {len(keep)} rows left out: {words}")


def _first_of(source: Source, keys: list[str]) -> Source:
    for key in keys:
        source.require(key)
    keep = ~source.frame.duplicated(keys, keep="first").to_numpy()
    note = f"{int((~keep).sum())} further rows of the same {'-'.join(keys)} left out"
    return source.only(keep, note)


def _positions(source: Source, spec: Any, where: str) -> Source:
    """Only the columns from one position to another, counted from 1: for columns without names."""
    if spec is None:
        return source
    check_keys(spec, ("from", "to"), f"{where}.positions")
    first, last = (required(spec, end, f"{where}.positions") for end in ("from", "to"))
    columns = source.columns
    numbers = isinstance(first, int) and isinstance(last, int)
    if not numbers or not 1 <= first <= last <= len(columns):
        raise DataError(
            "E322",
            f"expected positions between 1 and {len(columns)}, found {first} to {last}",
            where=f"{source.files}: {where}.positions",
        )
    return replace(
        source, frame=source.frame.drop(columns=[*columns[: first - 1], *columns[last:]])
    )


def _new_names(spec: Any, where: str) -> dict[str, str]:
    """``{old: new}``, or a list of ``{from: old, to: new}`` where the old name is itself a key."""
    if isinstance(spec, Mapping):
        return {str(old): str(new) for old, new in spec.items()}
    names = {}
    for item in listed(spec):
        check_keys(item, ("from", "to"), f"{where}.rename")
        old, new = (str(required(item, end, f"{where}.rename")) for end in ("from", "to"))
        names[old] = new
    return names


def _extract(source: Source, spec: Any, where: str) -> Source:
    """New columns from a part of another one's text: the first group of a regular expression."""
    check_keys(spec, list(spec) if isinstance(spec, Mapping) else [], f"{where}.extract")
    for name, item in spec.items():
        at = f"{where}.extract.{name}"
        check_keys(item, ("column", "pattern"), at)
        column, text = (str(required(item, key, at)) for key in ("column", "pattern"))
        pattern = Pattern(text, f"{at}.pattern")
        if pattern.groups < 1:
            raise DataError("E322", "expected a group in brackets in the pattern", where=at)
        if str(name) in source.columns:
            raise DataError("E322", f"there is a column {str(name)!r} already", where=at)
        found = [pattern.search(cell) for cell in source.texts(column)]
        without = [row for row, match in enumerate(found) if not (match and match[1])]
        if len(without) == len(found):
            raise DataError(
                "E322",
                f"{text!r} is found in no cell, such as {source.texts(column)[0]!r}",
                where=source.place(column, 0),
                hint=f"correct {at}.pattern",
            )
        if without:
            note = f"{str(name)!r} is missing in {len(without)} of {len(found)} rows: no {text!r}"
            source = replace(source, notes=[*source.notes, note])
        places = {**source.place_of, str(name): source.place_of[column]}
        cells = [(match[1] or "") if match else "" for match in found]
        source = replace(source, frame=source.frame.assign(**{str(name): cells}), place_of=places)
    return source
