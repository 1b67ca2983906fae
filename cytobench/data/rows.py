"""Which rows satisfy a filter: what a cell of the table and a value of the YAML have in common."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cytobench.core.errors import DataError
from cytobench.data.cells import MISSING, plain, read_numbers
from cytobench.data.grammar import check_keys, listed, number, required

CONDITIONS = ("equals", "in", "not_in", "min", "max", "present")
FILTER_KEYS = ("column", *CONDITIONS)
YES, NO = ("true", "yes", "on"), ("false", "no", "off")
"""What YAML reads as true and false, so that ``positive: [yes]`` finds the text "yes"."""


def same(text: str, value: Any) -> bool:
    """Whether a cell holds a value of the YAML file: ``"1.0"`` is 1, ``"Yes"`` is true."""
    text, wanted = text.strip(), str(value)
    if isinstance(value, bool):
        return text.lower() in (YES if value else NO)
    if text == wanted:
        return True
    there = plain(text)
    return not math.isnan(there) and there == plain(wanted)


def holds(texts: Sequence[str], values: Any) -> NDArray[np.bool_]:
    """Which cells hold one of the values; each distinct text is compared once."""
    found = {text: any(same(text, value) for value in listed(values)) for text in set(texts)}
    return np.array([found[text] for text in texts], dtype=bool)


def present(texts: Sequence[str]) -> NDArray[np.bool_]:
    """Which cells say something."""
    return np.array([text.strip() not in MISSING for text in texts], dtype=bool)


def check_rule(rule: Any, where: str) -> None:
    """Refuse a filter that cannot be meant.

    Raises
    ------
    DataError
        ``E322``.
    """
    check_keys(rule, FILTER_KEYS, where)
    required(rule, "column", where)
    if not any(key in rule for key in CONDITIONS):
        raise DataError("E322", f"expected one of {', '.join(CONDITIONS)}", where=where)
    for key in ("min", "max"):
        if key in rule:
            number(rule[key], f"{where}.{key}")


def matches(texts: Sequence[str], rule: Mapping[str, Any]) -> NDArray[np.bool_]:
    """Which cells satisfy every condition of a filter; a missing cell is beyond every bound."""
    keep = np.ones(len(texts), dtype=bool)
    if "present" in rule:
        keep &= present(texts) == bool(rule["present"])
    for key in ("equals", "in"):
        if key in rule:
            keep &= holds(texts, rule[key])
    if "not_in" in rule:
        keep &= ~holds(texts, rule["not_in"])
    if "min" in rule or "max" in rule:
        values = read_numbers(texts).values
        with np.errstate(invalid="ignore"):
            keep &= values >= rule.get("min", -np.inf)
            keep &= values <= rule.get("max", np.inf)
    return keep


def in_words(rule: Mapping[str, Any]) -> str:
    """Why a row did not pass a filter."""
    words: dict[str, Callable[[Any], str]] = {
        "present": lambda wanted: "is missing" if wanted else "is not missing",
        "equals": lambda value: f"is not {value}",
        "in": lambda values: f"is none of {', '.join(map(str, listed(values)))}",
        "not_in": lambda values: f"is one of {', '.join(map(str, listed(values)))}",
        "min": lambda value: f"is missing or below {value}",
        "max": lambda value: f"is missing or above {value}",
    }
    return " or ".join(words[key](value) for key, value in rule.items() if key in words)
