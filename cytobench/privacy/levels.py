"""Names of features: a covariate of text is one column for each value that a patient has."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from cytobench.privacy.codes import Leak
from cytobench.privacy.identifiers import STORED
from cytobench.privacy.knowledge import Knowledge
from cytobench.privacy.material import Item
from cytobench.privacy.rows import DATE, MANY, SENTENCE

DATED = re.compile(rf"(?:^|[\s_=]){DATE.pattern.replace('([T ].*)?', '')}(?!\d)")


def named_after_patients(item: Item, known: Knowledge) -> Iterator[Leak]:
    """Features of stored folds that are named after an identifier, a date or somebody's words."""
    names = _features(item) if STORED.search(item.where) else []
    place = f"{item.where}, names of features"
    # As a word of its own P101 finds it; after the covariate's name it may begin at any underscore.
    tails = {tail for name in names for tail in _tails(name)}
    if count := len(tails & known.named):
        yield Leak("P101", f"{count} features are named after identifiers", place)
    if count := sum(bool(DATED.search(name)) for name in names):
        yield Leak("P112", f"{count} features are named after dates", place)
    if count := sum(len(name.split()) >= SENTENCE for name in names):
        yield Leak("P113", f"{count} features are named after sentences", place)
    for column in sorted(known.features):
        count = sum(name.startswith(f"{column}_") for name in names)
        if count >= MANY:
            yield Leak("P111", f"{count} values of {column} are features", place)


def _features(item: Item) -> list[str]:
    """The columns that a fold's model saw, from its metadata."""
    for line in item.said.splitlines():
        try:
            about: Any = json.loads(line)
        except ValueError:
            continue
        if isinstance(about, dict) and isinstance(about.get("features"), list):
            return [str(name) for name in about["features"]]
    return []


def _tails(name: str) -> Iterator[str]:
    """What stands after each underscore."""
    while "_" in name:
        name = name.partition("_")[2]
        yield name
