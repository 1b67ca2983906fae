"""Scores on permuted labels: which permuted cells belong to which row."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from cytobench.core.hashing import canonical_json
from cytobench.core.stated import stated
from cytobench.evaluate.scores import HEADLINE, Scores
from cytobench.run.store import RunStore, StoredCell

Null = Mapping[str, Mapping[int, float]]


def null_scores(
    store: RunStore, suite: str, entry: str, cells: Sequence[StoredCell]
) -> dict[str, dict[int, float]]:
    """Headline metric of every complete permuted cell.

    Returns
    -------
    dict
        Cell key of the row -> permutation -> score. A score is kept beside its cell once computed.
    """
    rows = {_procedure(cell.about): cell.key for cell in cells}
    found: dict[str, dict[int, float]] = {}
    for key in store.permuted(suite, entry):
        about = store.about(key)
        row = rows.get(_procedure(about))
        if row is None:
            continue
        score = _score(store, key, about)
        if score is not None:
            found.setdefault(row, {})[int(about["permutation"])] = score
    return found


def _procedure(about: Mapping[str, Any]) -> str:
    """The text that a cell and its permutations share: everything but the labels and splits."""
    return canonical_json(about["protocol"]) + without_protocol(about)


def without_protocol(about: Mapping[str, Any]) -> str:
    """The text that a cell shares with the same procedure under another protocol."""
    return canonical_json(
        {
            "fingerprint": about["dataset"]["fingerprint"],
            "task": {**about["task"], "meaning": ""},
            "config": about["config"],
            "plugin": about["model"]["source"],
            "versions": about["versions"],
        }
    )


def _number(text: str, name: str) -> float | None:
    """A finite number in a JSON document; None where it holds none, and it is computed again."""
    try:
        found = float(stated(Mapping[str, float], json.loads(text))[name])
        return found if math.isfinite(found) else None
    except (KeyError, RecursionError, ValueError):
        return None


def _score(store: RunStore, key: str, about: Mapping[str, Any]) -> float | None:
    headline = HEADLINE[about["task"]["kind"]]
    kept = store.derived(key, "headline")
    if kept is not None and (score := _number(kept, headline)) is not None:
        return score
    if len(store.finished(key)) < int(about["folds"]):
        return None
    folds = store.read_cell(key).folds
    values = Scores(about["task"]["kind"], about["protocol"]["name"], folds).by_fold[headline]
    if np.isnan(values).all():
        return None
    score = float(np.nanmean(values))
    store.keep_derived(key, "headline", json.dumps({headline: score}))
    return score
