"""Pages of boards that are kept in the run store, and when they may be used again.

::

    runs/boards/<suite>/<entry>.json   the pages of an entry, and what they were made from
    runs/boards/questions.json         of each cell, its cohort and its task
    runs/boards/pages-of-cohorts/      the same for pages of cohorts (cytobench.tracking.artifacts)

A page is used again only where nothing differs of what it was made from: the names, sizes and times
of last change (in nanoseconds) of every file in the folders of the entry's cells, permuted ones
included; how many cells of the store asked the same question; the sources of the framework; the
versions of the packages that compute. Files of predictions are not read for that. A kept file that
was cut off or edited does not fit its own sha256. The folder may be deleted at any time.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from cytobench.core.hashing import canonical_json, digest, file_digest
from cytobench.core.stated import stated
from cytobench.leaderboard.outline import Outline, from_plain, to_plain
from cytobench.run.provenance import PACKAGE, versions
from cytobench.run.store import RunStore
from cytobench.run.stored import is_derived

Question = tuple[str, str]
"""A cohort's fingerprint and a task."""
QUESTIONS = "questions"
SOURCES = (".py", ".html", ".css", ".js")


@dataclass(frozen=True)
class Pages:
    """The pages of one board, and what pages over several need of it."""

    outline: Outline
    markdown: str
    json: str


def kept_pages(store: RunStore, suite: str, entry: str, made_from: str) -> Pages | None:
    """The pages of an entry as they were kept; None where they were made from anything else."""
    found = kept(store, f"{suite}/{entry}", made_from)
    try:
        return Pages(from_plain(found["outline"]), str(found["markdown"]), str(found["json"]))
    except (KeyError, TypeError, ValueError):
        return None  # nothing, or nothing that has been kept


def keep_pages(store: RunStore, pages: Pages, made_from: str) -> None:
    """Keep the pages of an entry."""
    outline = pages.outline
    content = {"outline": to_plain(outline), "markdown": pages.markdown, "json": pages.json}
    keep(store, f"{outline.suite}/{outline.name}", made_from, content)


def kept(store: RunStore, name: str, made_from: str) -> Any:
    """What was kept under a name; None where it was made from anything else, or is damaged."""
    try:
        found = json.loads(store.kept_board(name) or "null")
        if found["made_from"] == made_from and found["sha256"] == digest(found["content"]):
            return found["content"]
    except (KeyError, RecursionError, TypeError, ValueError):
        return None  # nothing kept, cut off, or of another version: it is made anew
    return None


def keep(store: RunStore, name: str, made_from: str, content: Any) -> None:
    """Keep plain data under a name, with what it was made from."""
    document = {"made_from": made_from, "sha256": digest(content), "content": content}
    store.keep_board(name, canonical_json(document))


def fingerprint_of(
    store: RunStore, cells: Sequence[str], permuted: Sequence[str], looks: Mapping[Question, int]
) -> str:
    """What the pages of an entry are made from, as a sha256."""
    return digest(
        {
            "framework": framework(),
            "cells": {key: _files(store, key) for key in cells},
            "permuted": {key: _files(store, key) for key in permuted},
            "looks": sorted([*question, count] for question, count in looks.items()),
        }
    )


def _files(store: RunStore, key: str) -> list[tuple[str, int, int]]:
    """Name, size and time of last change of every file of a cell, but what follows from them."""
    with os.scandir(store.root / key) as entries:
        found = [(entry.name, entry.stat()) for entry in entries if not is_derived(entry.name)]
    return sorted((name, state.st_size, state.st_mtime_ns) for name, state in found)


@cache
def framework() -> dict[str, Any]:
    """Everything of cytobench, and the packages that numbers depend on."""
    files = sorted(path for path in PACKAGE.rglob("*.*") if path.suffix in SOURCES)
    sources = {str(path.relative_to(PACKAGE)): file_digest(path) for path in files}
    return {"sources": digest(sources), "versions": versions("statsmodels", "matplotlib")}


def questions(store: RunStore, keys: Sequence[str]) -> dict[str, Question]:
    """Cell key -> what it asks; a key is a hash of it, so that an answer holds for ever."""
    try:
        known = stated(Mapping[str, Sequence[str]], json.loads(store.kept_board(QUESTIONS) or "{}"))
    except (RecursionError, ValueError):
        known = {}
    missing = [key for key in keys if len(known.get(key, ())) != 2]
    for key in missing:
        about = store.about(key)
        known[key] = (about["dataset"]["fingerprint"], about["task"]["name"])
    if missing:
        store.keep_board(QUESTIONS, json.dumps(known))
    return {key: (known[key][0], known[key][1]) for key in keys}
