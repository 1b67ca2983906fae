"""Plain data of the kinds that annotations state: what a file says is checked before it is used."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import MISSING, fields, is_dataclass
from functools import cache
from types import UnionType
from typing import Any, Literal, NotRequired, get_args, get_origin, get_type_hints, is_typeddict

WORDS = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}
"""Numbers that :func:`cytobench.core.hashing.canonical_json` writes as words."""
LARGEST = 2**64
"""Whole numbers are below: those beyond fit neither a counter nor a float."""


def stated(kind: Any, value: Any, at: str = "") -> Any:
    """Plain data as what an annotation states.

    Parameters
    ----------
    kind : type
        ``Any``, ``None``, ``bool``, ``int``, ``float``, ``str``, ``Literal``, a union, ``Mapping``
        with names as keys, ``Sequence``, a ``TypedDict`` (which may hold more) or a dataclass
        (which may not).
    at : str
        Where the data stand, for the message.

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
    if kind is Any:
        return value
    if is_typeddict(kind) or is_dataclass(kind):
        return _record(kind, value, at)
    origin, inner = get_origin(kind), get_args(kind)
    if origin is UnionType:
        (rest,) = (option for option in inner if option is not type(None))
        return None if value is None else stated(rest, value, at)
    if origin is Mapping:
        found = _must(isinstance(value, dict), "an object", value, at)
        return {name: stated(inner[1], item, f"{at}.{name}") for name, item in found.items()}
    if origin is Sequence:
        found = _must(isinstance(value, list), "a list", value, at)
        return [stated(inner[0], item, f"{at}[{place}]") for place, item in enumerate(found)]
    if origin is Literal:
        words = ", ".join(map(repr, inner))
        return _must(isinstance(value, str) and value in inner, f"one of {words}", value, at)
    return _single(kind, value, at)


def _single(kind: type, value: Any, at: str) -> Any:
    """A text, a number, true or false."""
    if kind is float and isinstance(value, str) and value in WORDS:
        return WORDS[value]
    if kind in (int, float):
        whole = isinstance(value, int) and not isinstance(value, bool) and abs(value) < LARGEST
        # JSON has no word for infinity, but 1e999 is read as it.
        number = kind is float and isinstance(value, float) and math.isfinite(value)
        expected = "a whole number" if kind is int else "a finite number"
        return _must(whole or number, expected, value, at)
    return _must(isinstance(value, kind), f"{kind.__name__}", value, at)


def _record(kind: Any, value: Any, at: str) -> Any:
    if is_dataclass(kind) and type(value) is kind:
        return value
    hints, required = _fields(kind)
    found = _must(isinstance(value, dict), "an object", value, at)
    for name in required:
        _must(name in found, f"a field {name!r}", "none", at)
    known = {
        name: stated(hint, found[name], f"{at}.{name}" if at else name)
        for name, hint in hints.items()
        if name in found
    }
    if is_typeddict(kind):
        return {**found, **known}
    for name in found:
        _must(name in hints, "no such field", name, at)
    return kind(**known)


@cache
def _fields(kind: Any) -> tuple[dict[str, Any], frozenset[str]]:
    """The kinds of a record's fields, and which may not be missing."""
    hints = get_type_hints(kind)
    if is_typeddict(kind):
        # Its own __required_keys__ takes annotations that are text for required ones.
        marked = get_type_hints(kind, include_extras=True)
        return hints, frozenset(n for n, h in marked.items() if get_origin(h) is not NotRequired)
    missing = {f.name for f in fields(kind) if f.default is f.default_factory is MISSING}
    return hints, frozenset(missing)


def _must(right: bool, expected: str, value: Any, at: str) -> Any:
    if not right:
        said = f"{at}: " if at else ""
        shown = repr(value) if isinstance(value, (str, float, bool)) else type(value).__name__
        raise ValueError(f"{said}expected {expected}, found {shown[:80]}")
    return value
