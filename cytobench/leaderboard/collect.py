"""Find the cells of a leaderboard entry in the run store: comparable ones only."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from cytobench.core.hashing import canonical_json
from cytobench.core.result import FoldResult, Predictions
from cytobench.data.target import BENEFIT
from cytobench.leaderboard.chance import Null, null_scores
from cytobench.run.store import RunStore, StoredCell


@dataclass(frozen=True)
class Entry:
    """The cells that share cohort, task, split plan and tuning protocol.

    Attributes
    ----------
    suite, name : str
    cells : sequence of StoredCell
        Complete ones.
    unfinished : mapping
        Model -> (folds done, folds in all), for cells that are not complete.
    left_out : int
        Cells of the entry that belong to another revision of cohort, splits or settings.
    null : mapping
        Cell key -> permutation -> headline metric on permuted labels.
    looks : int
        Cells of the store on this cohort and task, under any setting; 0 where nobody counted.
    """

    suite: str
    name: str
    cells: Sequence[StoredCell]
    unfinished: Mapping[str, tuple[int, int]]
    left_out: int
    null: Null = field(default_factory=dict)
    looks: int = 0

    @property
    def about(self) -> Mapping[str, Any]:
        """What all cells have in common."""
        return self.cells[0].about


def every_key(store: RunStore) -> list[str]:
    """The keys of the cells of all entries; one that several entries have is there as often."""
    return [key for found in store.entries().values() for keys in found.values() for key in keys]


def collect(
    store: RunStore,
    suite: str,
    name: str,
    keys: Sequence[str],
    submitted: Sequence[StoredCell] = (),
) -> Entry | None:
    """The largest comparable group of an entry's cells; None where none is complete.

    Rows with different fingerprints or split plans never share a table. Of several revisions the
    one with most complete cells counts; among equals the later one by hash, so that the answer
    does not depend on the clock.

    Parameters
    ----------
    submitted : sequence of StoredCell
        Cells of verified bundles. However many, they do not outvote those that were run here.
    """
    groups: dict[str, list[StoredCell]] = defaultdict(list)
    for key in keys:
        cell = store.read_cell(key)
        groups[comparable(cell.about)].append(cell)
    for cell in submitted:
        groups[comparable(cell.about)].append(cell)
    ranked = sorted(groups.items(), key=lambda item: (*_size(item[1]), item[0]))
    if not ranked:
        return None
    chosen = ranked[-1][1]
    complete = [cell for cell in chosen if cell.complete]
    if not complete:
        return None
    unfinished = {
        cell.about["model"]["name"]: (cell.done, cell.about["folds"])
        for cell in chosen
        if not cell.complete
    }
    # Cells that were run here first: they speak for the entry.
    complete.sort(key=lambda c: (c.submission is not None, c.about["model"]["name"], c.key))
    left_out = sum(len(cells) for _, cells in ranked[:-1])
    null = (
        {}
        if complete[0].about["task"]["kind"] == BENEFIT
        else null_scores(store, suite, name, complete)
    )
    return Entry(suite, name, complete, unfinished, left_out, null)


def _size(cells: Sequence[StoredCell]) -> tuple[int, int]:
    """Complete cells that were run here, then all: no number of submissions outvotes the former."""
    complete = [cell for cell in cells if cell.complete]
    return sum(cell.submission is None for cell in complete), len(complete)


def comparable(about: Mapping[str, Any]) -> str:
    """The text that two cells must share to stand in one table."""
    return canonical_json(
        {
            "fingerprint": about["dataset"]["fingerprint"],
            "plan": about["plan"],
            "task": about["task"],
            "preprocess": about["config"]["preprocess"],
            "tuning": about["config"]["tuning"],
            "seed": about["config"]["seed"],
        }
    )


def labels(cells: Sequence[StoredCell]) -> dict[str, str]:
    """Cell key -> row label: the model's name, with what differs where a name occurs twice."""
    named: dict[str, list[StoredCell]] = defaultdict(list)
    for cell in cells:
        named[cell.about["model"]["name"]].append(cell)
    found: dict[str, str] = {}
    for name, same in named.items():
        configs = [_flat(cell.about["config"]["model"]) for cell in same]
        differing = sorted(
            key
            for key in {key for config in configs for key in config}
            if len({canonical_json(config.get(key)) for config in configs}) > 1
        )
        for cell, config in zip(same, configs, strict=True):
            said = ", ".join(f"{key}={config[key]}" for key in differing if key in config)
            if len(same) > 1:
                said = said or f"plugin {cell.about['model']['source'][:8]}, key {cell.key[:8]}"
            found[cell.key] = f"{name} ({said})" if said else name
    return found


def _flat(node: Any, prefix: str = "") -> dict[str, Any]:
    if not isinstance(node, Mapping):
        return {prefix: node}
    flat: dict[str, Any] = {}
    for key, value in node.items():
        flat |= _flat(value, f"{prefix}.{key}" if prefix else str(key))
    return flat


def with_truth(cell: StoredCell) -> list[FoldResult] | None:
    """The folds of a cell with the Bayes-optimal predictions in place of the model's; or None.

    The threshold becomes the prevalence, at which true probabilities have their best balanced
    accuracy.
    """
    if any(value != value for fold in cell.folds for value in fold.predictions.truth):
        return None
    return [
        replace(
            fold,
            predictions=_true(fold.predictions),
            threshold=None if fold.threshold is None else fold.train_mean,
        )
        for fold in cell.folds
    ]


def _true(predictions: Predictions) -> Predictions:
    return replace(predictions, prediction=predictions.truth)
