"""Second opinions on a row: what its search alone would have found, and the refit bootstrap."""

from __future__ import annotations

from collections.abc import Sequence

from cytobench.data.target import BENEFIT
from cytobench.evaluate.intervals import Estimate
from cytobench.evaluate.scores import HEADLINE, Scores
from cytobench.evaluate.selection import Selected, selected
from cytobench.leaderboard.benefit import AnyBoard
from cytobench.leaderboard.chance import without_protocol
from cytobench.leaderboard.collect import Entry, every_key
from cytobench.run.store import RunStore

RESAMPLES = 2000


def selections(store: RunStore, entry: Entry) -> dict[str, Selected]:
    """Cell key -> BBC-CV of its searches, where settings were searched for a classification."""
    found: dict[str, Selected] = {}
    if entry.about["protocol"]["name"] == "bootstrap":
        return found  # copies of a patient would be in a resample and left out of it
    for cell in entry.cells:
        if cell.about["task"]["kind"] != "classification" or not cell.folds[0].trials:
            continue
        inner = [store.read_inner(cell.key, fold.fold, fold.n_train) for fold in cell.folds]
        searched = [part for part in inner if part is not None]
        if searched:
            found[cell.key] = selected(searched, resamples=RESAMPLES, seed=0)
    return found


def second_opinions(store: RunStore, boards: Sequence[AnyBoard]) -> dict[str, Estimate]:
    """Cell key -> AUC of the same model by the refit bootstrap, where the store has it."""
    wanted: dict[str, list[str]] = {}
    for board in boards:
        about = board.entry.about
        if about["protocol"]["name"] != "bootstrap" and about["task"]["kind"] != BENEFIT:
            for row in board.entry.cells:
                wanted.setdefault(without_protocol(row.about), []).append(row.key)
    found: dict[str, Estimate] = {}
    for key in every_key(store) if wanted else ():
        about = store.about(key)
        if about["protocol"]["name"] != "bootstrap":
            continue
        rows = wanted.get(without_protocol(about), [])
        cell = store.read_cell(key) if rows else None
        if cell is not None and cell.complete:
            kind = about["task"]["kind"]
            estimate = Scores(kind, "bootstrap", cell.folds).estimate(HEADLINE[kind])
            found.update(dict.fromkeys(rows, estimate))
    return found
