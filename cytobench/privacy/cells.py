"""Small cells: counts of patients that are so small that they point at somebody."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from cytobench.evaluate.cohort_facts import FEWEST
from cytobench.privacy.codes import Leak
from cytobench.privacy.knowledge import Knowledge
from cytobench.privacy.material import Item

COUNTS = re.compile(
    r"(?i)^(n|n test|n_test|n train|n_train|events|known|patients|count|with the outcome"
    r"|outcome known)$"
)
"""Titles under which patients are counted."""
LEVELS = ("levels", "groups", "arms", "counts", "confusion")
"""Fields of aggregates whose values are counts by level."""
AGGREGATES = re.compile(r"(?:^|/)cohorts/[0-9a-f]+\.json$")
NOTE = re.compile(rf"(?i)\b(?:has|have|of|with|are) ([1-{FEWEST - 1}]) patients?\b")
"""A sentence that says how few there are."""


def small_cells(item: Item, known: Knowledge) -> Iterator[Leak]:
    """Counts from one to four in documents, tables and sentences."""
    del known
    found: dict[str, int] = {}
    if item.document is not None:
        for place in _counted(item.document, "", aggregates=bool(AGGREGATES.search(item.where))):
            found[place] = found.get(place, 0) + 1
    for table in item.tables if item.document is None and item.kind != "database" else []:
        for name, values in table.columns.items():
            small = [value for value in values if COUNTS.match(name) and _small(value)]
            if small:
                found[f"column {name}"] = len(small)
    for place, count in found.items():
        where = f"{item.where}, {place}" if place else item.where
        yield Leak("P120", f"{count} {'count' if count == 1 else 'counts'} below {FEWEST}", where)
    sentences = len({match[0] for match in NOTE.finditer(item.text)})
    if sentences:
        yield Leak("P120", f"{sentences} sentences that count fewer than {FEWEST}", item.where)


def _counted(value: Any, place: str, *, aggregates: bool) -> Iterator[str]:
    """The places of small counts in a document."""
    if isinstance(value, Mapping):
        for key, inner in value.items():
            here = f"{place}.{key}".lstrip(".")
            if isinstance(inner, Mapping) and aggregates and key in LEVELS:
                yield from (here for count in _leaves(inner) if _small(count))
            elif COUNTS.match(str(key)) and _small(inner):
                yield here
            elif isinstance(inner, (Mapping, list)):
                yield from _counted(inner, here, aggregates=aggregates)
    elif isinstance(value, list):
        for inner in value:
            yield from _counted(inner, place, aggregates=aggregates)


def _leaves(value: Any) -> Iterator[Any]:
    if isinstance(value, Mapping):
        for inner in value.values():
            yield from _leaves(inner)
    else:
        yield value


def _small(value: Any) -> bool:
    """A whole number from one to four; text as it stands in CSV and HTML too."""
    if isinstance(value, str):
        value = int(value) if re.fullmatch(r"\s*\d+\s*", value) else None
    return isinstance(value, int) and not isinstance(value, bool) and 0 < value < FEWEST
