"""Plain data from strangers: JSON within limits, texts without markup."""

from __future__ import annotations

import json
import math
import unicodedata
from typing import Any

from cytobench.submission.codes import refusal

LONGEST_TEXT = 4000
DEEPEST = 12
MARKUP = "<>`|[]{}\\"
"""What Markdown and HTML give a meaning; no name, licence or citation needs one of them."""
FORMULA = ("=", "+", "-", "@")
"""First characters for which spreadsheets take a text to be a formula."""
LOOKALIKE = str.maketrans(
    {"<": "‹", ">": "›", "`": "'", "|": "¦", "[": "(", "]": ")", "{": "(", "}": ")", "\\": "/"}
)


def read_json(content: bytes, where: str) -> Any:
    """A JSON document: UTF-8, no key twice, finite numbers, not deep, no endless text.

    Raises
    ------
    BundleError
        ``E720``, or ``E725`` for a number that is not finite.
    """
    try:
        document = json.loads(
            content.decode("utf-8"),
            object_pairs_hook=_no_key_twice,
            parse_constant=_no_constant,
            parse_float=_finite,
        )
        _check_depth(document, 0)
    except _NotFinite as error:
        raise refusal("E725", f"holds {error}, which is not finite", where) from error
    except (ValueError, RecursionError) as error:
        raise refusal("E720", f"cannot be read as JSON: {error}", where) from error
    return document


class _NotFinite(ArithmeticError):
    """A number that JSON has no word for, or that overflows."""


def _no_key_twice(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a key is there twice")
    return found


def _no_constant(word: str) -> Any:
    raise _NotFinite(word)


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise _NotFinite(text[:20])
    return number


def _check_depth(value: Any, depth: int) -> None:
    if depth > DEEPEST:
        raise ValueError(f"is nested more than {DEEPEST} deep")
    if isinstance(value, str) and len(value) > LONGEST_TEXT:
        raise ValueError(f"a text has {len(value)} characters, at most {LONGEST_TEXT}")
    if isinstance(value, str):
        value.encode()  # half a surrogate pair is no text, and cannot be written again
    if isinstance(value, dict):
        for key, item in value.items():
            _check_depth(key, depth)
            _check_depth(item, depth + 1)
    if isinstance(value, list):
        for item in value:
            _check_depth(item, depth + 1)


def fault_of(text: str) -> str:
    """Why a text cannot stand in a card; empty where it can."""
    for character in text:
        # Cc: control, Cf: invisible and bidirectional, Co, Cs, Cn: no characters at all.
        if unicodedata.category(character) in ("Cc", "Cf", "Co", "Cs", "Cn", "Zl", "Zp"):
            return f"the character U+{ord(character):04X}"
        if character in MARKUP:
            return f"the character {character!r}"
    if text.lstrip().startswith(FORMULA):
        return f"{text.lstrip()[0]!r} at its beginning, as a formula has"
    return ""


def neutral(value: Any) -> Any:
    """The same data with texts that cannot become markup, for what a cohort says of itself."""
    if isinstance(value, str):
        kept = "".join(
            " " if unicodedata.category(c) in ("Cc", "Cf", "Co", "Cs", "Cn", "Zl", "Zp") else c
            for c in value
        )
        return kept.translate(LOOKALIKE)
    if isinstance(value, dict):
        return {neutral(key): neutral(item) for key, item in value.items()}
    if isinstance(value, list):
        return [neutral(item) for item in value]
    return value
