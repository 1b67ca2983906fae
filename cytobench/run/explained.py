"""Explain what is finished: one refit for each fold that has no explanation yet."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass, field
from typing import Any

from cytobench.core.errors import CytobenchError, UsageError
from cytobench.core.result import FoldFailure
from cytobench.run.cells import Cell, load_cell
from cytobench.run.claims import let_go
from cytobench.run.explaining import ExplainSpec, Settings
from cytobench.run.share import shared_folds
from cytobench.run.store import RunStore

EXPLAINING = "explaining"
"""What claims of folds that are explained are called."""


@dataclass
class Explained:
    """How explaining ended.

    Attributes
    ----------
    folds : int
        Explained now.
    kept : int
        Explained before.
    of_others : int
        Explained meanwhile by another run of the store.
    cells : mapping
        Key -> (suite, entry) of the cells that have new explanations.
    failures : sequence of (model, FoldFailure)
    """

    folds: int = 0
    kept: int = 0
    of_others: int = 0
    cells: dict[str, tuple[str, str]] = field(default_factory=dict)
    failures: list[tuple[str, FoldFailure]] = field(default_factory=list)


def settings_from_config(node: Any) -> Settings | None:
    """Read ``explain``: False for none, True for the defaults, or a mapping of settings.

    Raises
    ------
    UsageError
        ``E116`` for anything else.
    """
    if node is None or node is False:
        return None
    if node is True:
        return Settings()
    try:
        if not isinstance(node, Mapping):
            raise ValueError(f"it is {node!r}")
        return Settings(**node)
    except (TypeError, ValueError) as error:
        said = str(error).removeprefix("Settings.__init__() ")
        raise UsageError(
            "E116",
            f"expected true, false or settings: {said}",
            where="explain",
            hint="explain=true, or explain={repeats:20,points:5}",
        ) from error


def explain_cells(
    cells: Sequence[Cell],
    settings: Settings,
    engine: Mapping[str, Any],
    store: RunStore,
    begun: Callable[[int], Callable[[str, int], None]],
) -> Explained:
    """Explain the finished folds of these cells, floors and permuted labels excepted.

    Folds that another run of the same store is explaining are waited for, not done again.

    Parameters
    ----------
    begun : callable
        Told the number of folds to explain; its answer is called after each.
    """
    done = Explained()
    specs: list[ExplainSpec] = []
    for cell in cells:
        if cell.permutation:
            continue
        try:
            loaded = load_cell(cell)
        except CytobenchError:
            continue  # the run has said why
        if loaded.model.card.role == "floor":
            continue
        explained = store.explained(loaded.key, asdict(settings))
        finished = store.finished(loaded.key)
        let_go(store.root / loaded.key, explained, EXPLAINING)
        done.kept += len(explained & finished)
        specs += [
            ExplainSpec(cell, loaded.key, fold, store.read_fold(loaded.key, fold), settings)
            for fold in sorted(finished - explained)
        ]
    if specs:
        _explain(specs, settings, engine, store, begun(len(specs)), done)
    return done


def _explain(
    specs: Sequence[ExplainSpec],
    settings: Settings,
    engine: Mapping[str, Any],
    store: RunStore,
    advance: Callable[[str, int], None],
    done: Explained,
) -> None:
    asked = asdict(settings)

    def is_done(key: str, fold: int) -> bool:
        return store.has_explanation(key, fold, asked)

    with closing(shared_folds(specs, engine, store, is_done, EXPLAINING)) as outcomes:
        for spec, outcome in outcomes:
            if outcome is None:
                done.of_others += 1
            elif isinstance(outcome, FoldFailure):
                done.failures.append((spec.cell.model_name, outcome))
            else:
                record = {**asdict(outcome), "settings": asked}
                store.write_explanation(spec.key, spec.fold, record)
                done.folds += 1
                done.cells[spec.key] = (spec.cell.suite, spec.cell.entry)
            advance(spec.cell.model_name, 1)
