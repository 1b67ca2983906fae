"""Audit a folder before it is shared: every check on every file."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from cytobench.core.errors import UsageError
from cytobench.privacy.cells import small_cells
from cytobench.privacy.codes import SEVERITIES, Leak
from cytobench.privacy.files import holds_database, holds_rows, of_file, of_folder
from cytobench.privacy.identifiers import guessable, named, unnamed
from cytobench.privacy.knowledge import Knowledge
from cytobench.privacy.levels import named_after_patients
from cytobench.privacy.material import Item, items
from cytobench.privacy.rows import (
    anonymity,
    births,
    raw_features,
    stand_beside,
    telling_columns,
)
from cytobench.privacy.traces import credentials, paths, people

CHECKS: Sequence[Callable[[Item, Knowledge], Iterator[Leak]]] = (
    named,
    guessable,
    unnamed,
    of_file,
    raw_features,
    telling_columns,
    births,
    named_after_patients,
    small_cells,
    paths,
    people,
    credentials,
)


def audit_folder(known: Knowledge) -> list[Leak]:
    """Everything found in a folder or a single file, what blocks first.

    Raises
    ------
    UsageError
        ``E132`` where there is no such folder.
    """
    if not known.root.exists():
        raise UsageError("E132", "there is no such folder or file", where=str(known.root))
    leaks: list[Leak] = []
    rows: set[Path] = set()
    databases: set[Path] = set()
    cells: dict[str, dict[str, tuple[Any, ...]]] = {}
    for item in items(known.root):  # one at a time: artifacts may be larger than memory
        leaks += [leak for check in CHECKS for leak in check(item, known)]
        if holds_database(item):
            databases.add(item.path)
        if holds_rows(item):
            rows.add(item.path)
            cells.setdefault(item.where.rpartition("/")[0], {}).update(stand_beside(item))
    leaks += [*anonymity(cells.values()), *of_folder(known.root, rows, databases)]
    return sorted(leaks, key=lambda leak: (SEVERITIES.index(leak.severity), leak.code, leak.where))
