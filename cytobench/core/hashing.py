"""Content hashes: the keys of the run store and the pseudonyms of patients."""

from __future__ import annotations

import hashlib
import hmac
import json
import math
from collections.abc import Iterable
from pathlib import Path
from typing import Any


def canonical_json(value: Any) -> str:
    """JSON with sorted keys and no spaces; equal content gives equal text.

    Non-finite numbers are written as the strings ``"NaN"``, ``"Infinity"`` and ``"-Infinity"``.

    Raises
    ------
    TypeError
        For a value that is not plain data.
    """
    return json.dumps(_plain(value), sort_keys=True, separators=(",", ":"), allow_nan=False)


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else ("Infinity" if value > 0 else "-Infinity")
    return value


def digest(value: Any) -> str:
    """The sha256 of plain data, as 64 hexadecimal digits."""
    return hashlib.sha256(canonical_json(value).encode()).hexdigest()


def file_digest(path: Path) -> str:
    """The sha256 of a file's bytes."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def pseudonyms(identifiers: Iterable[str], salt: bytes) -> list[str]:
    """Patients' identifiers as keyed hashes (HMAC-SHA256, 16 hexadecimal digits).

    Short identifiers are easily guessed from a plain hash; the salt stays in the run store.
    """
    return [
        hmac.new(salt, str(identifier).encode(), hashlib.sha256).hexdigest()[:16]
        for identifier in identifiers
    ]
