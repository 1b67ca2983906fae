"""Names that look the same and are not: composed letters or not, invisible ones, other blanks."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable


def lookalikes(names: Iterable[str]) -> tuple[str, str] | None:
    r"""The first two different names that nobody can tell apart by eye; None where there are none.

    Canonical composition (Unicode Standard Annex 15, NFC) makes ``o`` with a diaeresis behind it
    the letter ``ö``; format characters (category Cf) are left out, every blank (Zs) is a space.

    Examples
    --------
    >>> lookalikes(["K\u00f6ln", "Bonn", "Ko\u0308ln"]) is not None
    True
    """
    seen: dict[str, str] = {}
    for name in names:
        if seen.setdefault(_as_seen(name), name) != name:
            return seen[_as_seen(name)], name
    return None


def _as_seen(name: str) -> str:
    if name.isascii():
        return name
    kinds = [(letter, unicodedata.category(letter)) for letter in name]
    kept = "".join(" " if kind == "Zs" else letter for letter, kind in kinds if kind != "Cf")
    return unicodedata.normalize("NFC", kept).strip()
