"""Build leaderboard files from the run store alone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from cytobench.core.errors import StoreError, UsageError, did_you_mean
from cytobench.core.files import write_whole
from cytobench.data.target import BENEFIT
from cytobench.leaderboard.benefit import (
    RULE,
    AnyBoard,
    BenefitBoard,
    BenefitRow,
    rank_benefit,
)
from cytobench.leaderboard.chance import null_scores
from cytobench.leaderboard.collect import Entry, collect, comparable, every_key
from cytobench.leaderboard.kept import (
    Pages,
    Question,
    fingerprint_of,
    keep_pages,
    kept_pages,
    questions,
)
from cytobench.leaderboard.many import over_boards
from cytobench.leaderboard.opinions import selections
from cytobench.leaderboard.outline import Outline, outlines
from cytobench.leaderboard.rank import REFERENCE, Board, Row, rank
from cytobench.leaderboard.readme import SCHEMA, readme
from cytobench.leaderboard.render import across_markdown, to_json, to_markdown
from cytobench.leaderboard.schema import schema_text
from cytobench.run.store import PLANNING, RunStore, StoredCell


def boards(
    store: RunStore,
    suite: str | None = None,
    entries: Sequence[str] = (),
    *,
    thorough: bool = False,
    submitted: Mapping[tuple[str, str], Sequence[StoredCell]] | None = None,
) -> list[AnyBoard]:
    """Ranked boards of a suite, or of all suites in the store.

    Parameters
    ----------
    thorough : bool
        Read every trial's inner predictions too, for the second opinion on each search.
    submitted : mapping, optional
        (suite, entry) -> cells of verified bundles, to stand beside those of the store.

    Raises
    ------
    UsageError
        ``E701`` where the store knows no such suite.
    """
    found: list[AnyBoard] = []
    looks = _looks(store)[1] if thorough else None
    for name, entry, keys, cells in _entries(store, suite, submitted or {}):
        if not entries or entry in entries:
            board = _board(store, name, entry, keys, cells, looks)
            found += [] if board is None else [board]
    return found


def pages(
    store: RunStore,
    suite: str | None = None,
    *,
    submitted: Mapping[tuple[str, str], Sequence[StoredCell]] | None = None,
    waited_for: bool = False,
) -> list[Pages]:
    """The pages of the boards of a suite, or of all suites in the store; thorough ones.

    Those of an entry whose cells have not changed are taken as they were kept.

    Parameters
    ----------
    waited_for : bool
        Somebody waits: many boards are made by all cores, and how far it is is shown.

    Raises
    ------
    UsageError
        ``E701`` where the store knows no such suite.
    """
    asked, looks = _looks(store)
    found: dict[tuple[str, str], Pages | None] = {}
    missing: list[_Wanted] = []
    for name, entry, keys, cells in _entries(store, suite, submitted or {}):
        if cells:  # of bundles, which may be anywhere: nothing is kept
            made_from = ""
        else:
            shared = {asked[key]: looks[asked[key]] for key in keys}
            made_from = fingerprint_of(store, keys, store.permuted(name, entry), shared)
        kept = kept_pages(store, name, entry, made_from) if made_from else None
        found[name, entry] = kept
        if kept is None:
            missing.append(_Wanted(name, entry, keys, cells, made_from))
    made = over_boards(partial(_made, store, looks), missing, waited_for=waited_for)
    for wanted, new in zip(missing, made, strict=True):
        found[wanted.suite, wanted.entry] = new
        if new is not None and wanted.made_from:
            keep_pages(store, new, wanted.made_from)
    return [item for item in found.values() if item is not None]


@dataclass(frozen=True)
class _Wanted:
    """A board whose pages have to be made, and what they would be kept as made from."""

    suite: str
    entry: str
    keys: Sequence[str]
    submitted: Sequence[StoredCell]
    made_from: str

    def __str__(self) -> str:
        return self.entry


def _made(store: RunStore, looks: Mapping[Question, int], wanted: _Wanted) -> Pages | None:
    board = _board(store, wanted.suite, wanted.entry, wanted.keys, wanted.submitted, looks)
    return None if board is None else _pages(board)


def _entries(
    store: RunStore,
    suite: str | None,
    submitted: Mapping[tuple[str, str], Sequence[StoredCell]],
) -> Iterator[tuple[str, str, Sequence[str], Sequence[StoredCell]]]:
    """Suite, entry, keys of its cells, and its cells of bundles."""
    known = store.entries()
    for of_suite, of_entry in submitted:
        known.setdefault(of_suite, {}).setdefault(of_entry, [])
    if suite is not None and suite not in known:
        raise UsageError(
            "E701",
            f"the store has no results of a suite {suite!r}",
            where=str(store.root),
            hint=did_you_mean(suite, list(known)) if known else "start one: cytobench run",
        )
    for name in [suite] if suite is not None else sorted(set(known) - {PLANNING}):
        for entry, keys in sorted(known[name].items()):
            yield name, entry, keys, submitted.get((name, entry), ())


def _board(
    store: RunStore,
    suite: str,
    entry: str,
    keys: Sequence[str],
    submitted: Sequence[StoredCell],
    looks: Mapping[Question, int] | None,
) -> AnyBoard | None:
    """An entry's board, thorough where `looks` is given; None where no cell is complete."""
    collected = collect(store, suite, entry, keys, submitted)
    if collected is None:
        return None
    if collected.about["task"]["kind"] == BENEFIT:
        return rank_benefit(collected)
    if looks is None:
        return rank(collected)
    counted = replace(collected, looks=looks.get(_question(collected.about), 0))
    return rank(counted, selections(store, collected))


def _looks(store: RunStore) -> tuple[dict[str, Question], Counter[Question]]:
    """What each cell asks, and how many ask the same: paths that could have been taken."""
    every = every_key(store)
    asked = questions(store, every)
    return asked, Counter(asked[key] for key in every)


def _question(about: Mapping[str, Any]) -> Question:
    return about["dataset"]["fingerprint"], about["task"]["name"]


def board_of(
    store: RunStore,
    suite: str,
    entry: str,
    cell: StoredCell,
    about_of: Callable[[str], Mapping[str, Any]] | None = None,
    floors: dict[str, Row] | None = None,
) -> tuple[Board, Row] | tuple[BenefitBoard, BenefitRow]:
    """A board of one cell and the floor that it is measured against, and its row.

    Cheaper than the entry's whole board, for what is said of a cell while others still run.

    Parameters
    ----------
    about_of : callable, optional
        Key -> what ``cell.json`` says, for a caller that remembers it: every cell of the entry is
        asked about each time.
    floors : dict, optional
        Cell key -> row of the floor that the last such board had, with all that was computed of
        it; kept up to date, for a caller that asks for one cell after the other.
    """
    cells, known = [cell], {} if floors is None else floors
    for key in store.keys(suite, entry):
        about = (about_of or store.about)(key)
        is_reference = about["model"]["name"] in (REFERENCE, RULE) and key != cell.key
        if is_reference and comparable(about) == comparable(cell.about):
            floor = known[key].cell if key in known else store.read_cell(key)
            cells += [floor] if floor is not None and floor.complete else []
    if cell.about["task"]["kind"] == BENEFIT:
        rules = rank_benefit(Entry(suite, entry, cells, {}, 0))
        return rules, next(r for r in rules.rows if r.cell and r.cell.key == cell.key)
    null = null_scores(store, suite, entry, cells)
    assessed = {key: row.assessment for key, row in known.items() if key != cell.key}
    board = rank(Entry(suite, entry, cells, {}, 0, null), assessed=assessed)
    rows = {row.cell.key: row for row in board.rows if row.cell}
    if len(rows) > 1:  # of one entry at a time: a row may hold thousands of resamples
        known.clear()
        known.update({key: row for key, row in rows.items() if key != cell.key})
    return board, rows[cell.key]


def write(board: AnyBoard | Pages, root: Path) -> list[Path]:
    """Write ``<suite>/<entry>.md`` and ``.json`` under `root`."""
    if not isinstance(board, Pages):
        board = _pages(board)
    folder = root / board.outline.suite
    written = []
    for suffix, text in ((".md", board.markdown), (".json", board.json)):
        path = folder / (board.outline.name + suffix)
        _replace(path, text)
        written.append(path)
    return written


def write_across(boards: Sequence[AnyBoard | Outline], root: Path) -> list[Path]:
    """Write ``<suite>/over-datasets.md`` for suites with several entries of one metric."""
    written = []
    for suite, found in _by_suite(boards).items():
        text = across_markdown(suite, found)
        if text:
            path = root / suite / "over-datasets.md"
            _replace(path, text)
            written.append(path)
    return written


def write_readmes(boards: Sequence[AnyBoard | Outline], root: Path) -> list[Path]:
    """Write ``<suite>/README.md`` and the schema of the JSON files, for every suite."""
    written = []
    for suite, found in _by_suite(boards).items():
        texts = {"README.md": readme(suite, found), SCHEMA: schema_text()}
        for name, text in texts.items():
            _replace(root / suite / name, text)
            written.append(root / suite / name)
    return written


def _pages(board: AnyBoard) -> Pages:
    (outline,) = outlines([board])
    return Pages(outline, to_markdown(board), to_json(board))


def _by_suite(boards: Sequence[AnyBoard | Outline]) -> dict[str, list[Outline]]:
    found: dict[str, list[Outline]] = {}
    for outline in sorted(outlines(boards), key=lambda item: item.suite):
        found.setdefault(outline.suite, []).append(outline)
    return found


def _replace(path: Path, text: str) -> None:
    try:
        if not path.is_file() or path.read_bytes() != text.encode():
            write_whole(path, text.encode(), mode=0o644)
    except OSError as error:
        raise StoreError("E702", f"cannot be written: {error.strerror}", where=str(path)) from error
