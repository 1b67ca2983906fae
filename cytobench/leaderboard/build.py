"""Build leaderboard files from the run store alone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from cytobench.core.errors import StoreError, UsageError, did_you_mean
from cytobench.core.files import write_whole
from cytobench.data.target import BENEFIT
from cytobench.evaluate.intervals import Estimate
from cytobench.evaluate.scores import HEADLINE, Scores
from cytobench.evaluate.selection import Selected, selected
from cytobench.leaderboard.benefit import (
    RULE,
    AnyBoard,
    BenefitBoard,
    BenefitRow,
    rank_benefit,
)
from cytobench.leaderboard.chance import null_scores, without_protocol
from cytobench.leaderboard.collect import Entry, collect, comparable
from cytobench.leaderboard.rank import REFERENCE, Board, Row, rank
from cytobench.leaderboard.readme import SCHEMA, readme
from cytobench.leaderboard.render import across_markdown, to_json, to_markdown
from cytobench.leaderboard.schema import schema_text
from cytobench.run.store import PLANNING, RunStore, StoredCell

SELECTION_RESAMPLES = 2000


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
    known = store.entries()
    for of_suite, of_entry in submitted or {}:
        known.setdefault(of_suite, {}).setdefault(of_entry, [])
    if suite is not None and suite not in known:
        raise UsageError(
            "E701",
            f"the store has no results of a suite {suite!r}",
            where=str(store.root),
            hint=did_you_mean(suite, list(known)) if known else "start one: cytobench run",
        )
    found: list[AnyBoard] = []
    looks = _looks(store) if thorough else Counter()
    for name in [suite] if suite is not None else sorted(set(known) - {PLANNING}):
        for entry, keys in sorted(known[name].items()):
            if entries and entry not in entries:
                continue
            collected = collect(store, name, entry, keys, (submitted or {}).get((name, entry), ()))
            if collected is not None:
                if collected.about["task"]["kind"] == BENEFIT:
                    found.append(rank_benefit(collected))
                elif thorough:
                    counted = replace(collected, looks=looks[_question(collected.about)])
                    found.append(rank(counted, _selections(store, collected)))
                else:
                    found.append(rank(collected))
    return found


def _looks(store: RunStore) -> Counter[tuple[str, str]]:
    """How many cells were asked for on each cohort and task: paths that could have been taken."""
    return Counter(
        _question(store.about(key))
        for entries in store.entries().values()
        for keys in entries.values()
        for key in keys
    )


def _question(about: Mapping[str, Any]) -> tuple[str, str]:
    return about["dataset"]["fingerprint"], about["task"]["name"]


def board_of(
    store: RunStore, suite: str, entry: str, cell: StoredCell
) -> tuple[Board, Row] | tuple[BenefitBoard, BenefitRow]:
    """A board of one cell and the floor that it is measured against, and its row.

    Cheaper than the entry's whole board, for what is said of a cell while others still run.
    """
    cells = [cell]
    for key in store.entries().get(suite, {}).get(entry, []):
        about = store.about(key)
        is_reference = about["model"]["name"] in (REFERENCE, RULE) and key != cell.key
        if is_reference and comparable(about) == comparable(cell.about):
            floor = store.read_cell(key)
            cells += [floor] if floor.complete else []
    if cell.about["task"]["kind"] == BENEFIT:
        rules = rank_benefit(Entry(suite, entry, cells, {}, 0))
        return rules, next(r for r in rules.rows if r.cell and r.cell.key == cell.key)
    null = null_scores(store, suite, entry, cells)
    board = rank(Entry(suite, entry, cells, {}, 0, null))
    return board, next(row for row in board.rows if row.cell and row.cell.key == cell.key)


def _selections(store: RunStore, entry: Entry) -> dict[str, Selected]:
    """Cell key -> BBC-CV of its searches, where settings were searched for a classification."""
    found: dict[str, Selected] = {}
    if entry.about["protocol"]["name"] == "bootstrap":
        return found  # copies of a patient would be in a resample and left out of it
    for cell in entry.cells:
        if cell.about["task"]["kind"] != "classification" or not cell.folds[0].trials:
            continue
        inner = [store.read_inner(cell.key, fold.fold) for fold in cell.folds]
        searched = [part for part in inner if part is not None]
        if searched:
            found[cell.key] = selected(searched, resamples=SELECTION_RESAMPLES, seed=0)
    return found


def second_opinions(store: RunStore, entry: Entry) -> dict[str, Estimate]:
    """Cell key -> AUC of the same model by the refit bootstrap, where the store has it."""
    if entry.about["protocol"]["name"] == "bootstrap" or entry.about["task"]["kind"] == BENEFIT:
        return {}
    wanted = {without_protocol(cell.about): cell.key for cell in entry.cells}
    found: dict[str, Estimate] = {}
    for entries in store.entries().values():
        for keys in entries.values():
            for key in keys:
                about = store.about(key)
                row = wanted.get(without_protocol(about))
                if row is None or about["protocol"]["name"] != "bootstrap":
                    continue
                cell = store.read_cell(key)
                if cell.complete:
                    found[row] = Scores(about["task"]["kind"], "bootstrap", cell.folds).estimate(
                        HEADLINE[about["task"]["kind"]]
                    )
    return found


def write(board: AnyBoard, root: Path) -> list[Path]:
    """Write ``<suite>/<entry>.md`` and ``.json`` under `root`."""
    folder = root / board.entry.suite
    written = []
    for suffix, text in ((".md", to_markdown(board)), (".json", to_json(board))):
        path = folder / (board.entry.name + suffix)
        _replace(path, text)
        written.append(path)
    return written


def write_across(boards: Sequence[AnyBoard], root: Path) -> list[Path]:
    """Write ``<suite>/over-datasets.md`` for suites with several entries of one metric."""
    written = []
    for suite in sorted({board.entry.suite for board in boards}):
        text = across_markdown(suite, [b for b in boards if b.entry.suite == suite])
        if text:
            path = root / suite / "over-datasets.md"
            _replace(path, text)
            written.append(path)
    return written


def write_readmes(boards: Sequence[AnyBoard], root: Path) -> list[Path]:
    """Write ``<suite>/README.md`` and the schema of the JSON files, for every suite."""
    written = []
    for suite in sorted({board.entry.suite for board in boards}):
        texts = {
            "README.md": readme(suite, [b for b in boards if b.entry.suite == suite]),
            SCHEMA: schema_text(),
        }
        for name, text in texts.items():
            _replace(root / suite / name, text)
            written.append(root / suite / name)
    return written


def _replace(path: Path, text: str) -> None:
    try:
        write_whole(path, text.encode(), mode=0o644)
    except OSError as error:
        raise StoreError("E702", f"cannot be written: {error.strerror}", where=str(path)) from error
