"""Versions of what a run store holds: older ones are read as they were meant, newer ones refused.

Nothing is rewritten: what an older release has stored stays as it is, and is completed while it is
read with what was true of every run then.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cytobench.core.errors import StoreError
from cytobench.core.result import SCHEMA_VERSION

FIRST = 1
"""The version of files that state none."""
WITHOUT_BATCH: Mapping[str, Any] = {
    "max_below": None, "draws": 1, "censored_indicators": False, "features": [],
    "batch": "none", "batch_by": "plate", "batch_unseen": "error", "batch_except": [],
}  # fmt: skip
"""Preprocessing before version 3 had these options."""


def stamped(document: Mapping[str, Any]) -> dict[str, Any]:
    """A document that states its version."""
    return {"schema": SCHEMA_VERSION, **document}


def version_of(document: Any, where: str) -> int:
    """The version of a document.

    Raises
    ------
    StoreError
        ``E511`` for one that is not known here.
    """
    version = document.get("schema", FIRST) if isinstance(document, Mapping) else None
    if not isinstance(version, int) or isinstance(version, bool) or version < FIRST:
        raise StoreError("E511", f"states no version that there has been: {version!r}", where=where)
    if version > SCHEMA_VERSION:
        raise StoreError(
            "E511",
            f"has version {version}, known here is up to {SCHEMA_VERSION}: a newer cytobench "
            "has written it",
            where=where,
            hint="upgrade: pip install --upgrade cytobench",
        )
    return version


def completed(about: Mapping[str, Any], where: str) -> dict[str, Any]:
    """A ``cell.json`` of any known version, as the present one has it."""
    if version_of(about, where) >= 4:
        return dict(about)
    found = {"audit": None, "beside": {}, "shift": None, "permutation": 0, **about}
    found["dataset"] = {"access": "", "assignment": "", "excused": {}, **about["dataset"]}
    if about["protocol"]["name"] == "repeated_stratified":
        found["protocol"] = {"train_fraction": 1.0, **about["protocol"]}
    if about["task"]["kind"] == "classification":
        found["task"] = {"thresholds": [0.2, 0.8], "decide_at": 0.5, **about["task"]}
    config = about["config"]
    found["config"] = {
        **config,
        "preprocess": {**WITHOUT_BATCH, **config["preprocess"]},
        "tuning": {"batched": False, **config["tuning"]},
    }
    return found
