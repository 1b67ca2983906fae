"""What may stand in a dataset's YAML: known keys, lists, numbers, choices; else ``E322``."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from cytobench.core.errors import DataError, did_you_mean


def check_keys(node: Any, known: Sequence[str], where: str) -> None:
    """Refuse a key that nobody reads: most likely a typo.

    Raises
    ------
    DataError
        ``E322``, also where there is no mapping at all.
    """
    if not isinstance(node, Mapping):
        raise DataError(
            "E322", f"expected `key: value` pairs ({', '.join(known)}), found {node!r}", where=where
        )
    for key in node:
        if key not in known:
            raise DataError(
                "E322", f"unknown key {key!r}", where=where, hint=did_you_mean(str(key), [*known])
            )


def check_texts(config: Mapping[str, Any], where: str) -> None:
    r"""Refuse halves of characters, which YAML lets one write as ``"\ud800"``: no file holds them.

    Raises
    ------
    DataError
        ``E322``, with the place.
    """
    left: list[tuple[str, Any]] = [(where, config)]
    while left:
        place, value = left.pop()
        if isinstance(value, Mapping):
            left += [(f"{place}.{key}", item) for key, item in value.items()]
            left += [(place, key) for key in value]
        elif isinstance(value, (list, tuple)):
            left += [(f"{place}[{number}]", item) for number, item in enumerate(value)]
        elif isinstance(value, str) and any("\ud800" <= letter <= "\udfff" for letter in value):
            raise DataError(
                "E322", f"{value[:60]!a} holds half a character", where=ascii(place)[1:-1]
            )


def required(node: Mapping[str, Any], key: str, where: str) -> Any:
    """A value that has to be given.

    Raises
    ------
    DataError
        ``E322``.
    """
    if node.get(key) is None:
        raise DataError("E322", f"expected `{key}:`", where=where)
    return node[key]


def pairs(value: Any, where: str) -> dict[str, Any]:
    """A mapping with its keys as text; nothing is an empty one.

    Raises
    ------
    DataError
        ``E322``.
    """
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise DataError("E322", f"expected `key: value` pairs, found {value!r}", where=where)
    return {str(key): item for key, item in value.items()}


def listed(value: Any) -> list[Any]:
    """One value or several, as a list; nothing is an empty list."""
    if value is None:
        return []
    return list(value) if isinstance(value, (list, tuple)) else [value]


def number(value: Any, where: str) -> float:
    """A finite number.

    Raises
    ------
    DataError
        ``E322``.
    """
    right = isinstance(value, (int, float)) and not isinstance(value, bool)
    # A whole number may be too long for a float.
    if not (right and abs(value) < 10**300 and math.isfinite(value)):
        raise DataError("E322", f"expected a number, found {value!r}", where=where)
    return float(value)


def one_of(value: Any, options: Sequence[str], where: str) -> str:
    """One of a few words.

    Raises
    ------
    DataError
        ``E322``.
    """
    if value not in options:
        raise DataError(
            "E322",
            f"unknown value {value!r}",
            where=where,
            hint=did_you_mean(str(value), [*options]),
        )
    return str(value)
