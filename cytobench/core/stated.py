"""Plain data of the kinds that annotations state: what a file says is checked before it is used."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import MISSING, fields, is_dataclass
from functools import cache
from types import UnionType
from typing import Any, Literal, NotRequired, get_args, get_origin, get_type_hints, is_typeddict

WORDS = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}
"""Numbers that :func:`cytobench.core.hashing.canonical_json` writes as words."""
LARGEST = 2**64
"""Whole numbers are below: those beyond fit neither a counter nor a float."""
Reader = Callable[[Any], Any]


class _Otherwise(Exception):
    """A value of another kind; its place is put together on the way out, where it is needed."""

    def __init__(self, expected: str, value: Any) -> None:
        shown = repr(value) if isinstance(value, (str, float, bool)) else type(value).__name__
        super().__init__(f"expected {expected}, found {shown[:80]}")
        self.place: list[str] = []


def stated(kind: Any, value: Any) -> Any:
    """Plain data as what an annotation states.

    Parameters
    ----------
    kind : type
        ``Any``, ``None``, ``bool``, ``int``, ``float``, ``str``, ``Literal``, a union with None,
        ``Mapping`` with names as keys, ``Sequence``, a ``TypedDict`` (which may hold more) or a
        dataclass (which may not).

    Returns
    -------
    value
        Equal to what was given, but that numbers in words are numbers and a mapping that stands for
        a dataclass is one.

    Raises
    ------
    ValueError
        For data of another kind, with their place.
    """
    try:
        return _reader(kind)(value)
    except _Otherwise as error:
        place = "".join(reversed(error.place)).lstrip(".")
        raise ValueError(f"{place[:200]}: {error}" if place else str(error)) from None


@cache
def _reader(kind: Any) -> Reader:
    """What reads a kind; made once, since a store holds many values of few kinds."""
    if kind is Any:
        return lambda value: value
    if is_typeddict(kind) or is_dataclass(kind):
        return _record(kind)
    origin, inner = get_origin(kind), get_args(kind)
    if origin is UnionType:
        (rest,) = (option for option in inner if option is not type(None))
        read = _reader(rest)
        return lambda value: None if value is None else read(value)
    if origin is Mapping:
        return _mapping(_reader(inner[1]))
    if origin is Sequence:
        return _sequence(_reader(inner[0]))
    if origin is Literal:
        words = ", ".join(map(repr, inner))
        return _plain(lambda value: isinstance(value, str) and value in inner, f"one of {words}")
    if kind is float:
        return _number
    if kind is int:
        return _plain(_whole, "a whole number")
    return _plain(lambda value: isinstance(value, kind), kind.__name__)


def _plain(right: Callable[[Any], bool], expected: str) -> Reader:
    def read(value: Any) -> Any:
        if not right(value):
            raise _Otherwise(expected, value)
        return value

    return read


def _whole(value: Any) -> bool:
    return type(value) is int and abs(value) < LARGEST


def _number(value: Any) -> Any:
    # JSON has no word for infinity, but 1e999 is read as it.
    if (type(value) is float and math.isfinite(value)) or _whole(value):
        return value
    if isinstance(value, str) and value in WORDS:
        return WORDS[value]
    raise _Otherwise("a finite number", value)


def _mapping(read: Reader) -> Reader:
    def each(value: Any) -> Any:
        if not isinstance(value, dict):
            raise _Otherwise("an object", value)
        name = ""
        try:
            found = {}
            for name, item in value.items():
                found[name] = read(item)
        except _Otherwise as error:
            error.place.append(f".{name}")
            raise
        return found

    return each


def _sequence(read: Reader) -> Reader:
    def each(value: Any) -> Any:
        if not isinstance(value, list):
            raise _Otherwise("a list", value)
        found: list[Any] = []
        try:
            for item in value:
                found.append(read(item))  # noqa: PERF401 - how many were read is the place
        except _Otherwise as error:
            error.place.append(f"[{len(found)}]")
            raise
        return found

    return each


def _record(kind: Any) -> Reader:
    hints, required = _fields(kind)
    readers = {name: _reader(hint) for name, hint in hints.items()}
    closed = is_dataclass(kind)

    def read(value: Any) -> Any:
        if closed and type(value) is kind:
            return value
        if not isinstance(value, dict):
            raise _Otherwise("an object", value)
        if missing := required - value.keys():
            raise _Otherwise(f"a field {min(missing)!r}", "none")
        name = ""
        found = {}
        try:
            for name, item in value.items():
                if name in readers:
                    found[name] = readers[name](item)
                elif closed:
                    raise _Otherwise("no such field", name)
                else:
                    found[name] = item
        except _Otherwise as error:
            error.place.append(f".{name}")
            raise
        return kind(**found) if closed else found

    return read


def _fields(kind: Any) -> tuple[dict[str, Any], frozenset[str]]:
    """The kinds of a record's fields, and which may not be missing."""
    hints = get_type_hints(kind)
    if is_typeddict(kind):
        # Its own __required_keys__ takes annotations that are text for required ones.
        marked = get_type_hints(kind, include_extras=True)
        return hints, frozenset(n for n, h in marked.items() if get_origin(h) is not NotRequired)
    missing = {f.name for f in fields(kind) if f.default is f.default_factory is MISSING}
    return hints, frozenset(missing)
