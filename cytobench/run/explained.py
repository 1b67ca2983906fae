"""Explain what is finished: one refit for each fold that has no explanation yet."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from cytobench.core.errors import CytobenchError, UsageError
from cytobench.core.result import FoldFailure
from cytobench.run.cells import Cell, load_cell
from cytobench.run.engine import run_folds
from cytobench.run.explaining import ExplainSpec, Settings
from cytobench.run.store import RunStore


@dataclass
class Explained:
    """How explaining ended.

    Attributes
    ----------
    folds : int
        Explained now.
    kept : int
        Explained before.
    cells : mapping
        Key -> (suite, entry) of the cells that have new explanations.
    failures : sequence of (model, FoldFailure)
    """

    folds: int = 0
    kept: int = 0
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
        return Settings(**node)
    except (TypeError, ValueError) as error:
        raise UsageError(
            "E116",
            f"{node!r}: expected true, false or settings ({error})",
            where="explain",
            hint="explain=true, or explain={repeats:20,top:10}",
        ) from error


def explain_cells(
    cells: Sequence[Cell],
    settings: Settings,
    engine: Mapping[str, Any],
    store: RunStore,
    begun: Callable[[int], Callable[[str, int], None]],
) -> Explained:
    """Explain the finished folds of these cells, floors and permuted labels excepted.

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
        done.kept += len(explained & finished)
        specs += [
            ExplainSpec(cell, loaded.key, fold, store.read_fold(loaded.key, fold), settings)
            for fold in sorted(finished - explained)
        ]
    if not specs:
        return done
    advance = begun(len(specs))
    for spec, outcome in run_folds(specs, engine, store.salt()):
        if isinstance(outcome, FoldFailure):
            done.failures.append((spec.cell.model_name, outcome))
        else:
            record = {**asdict(outcome), "settings": asdict(settings)}
            store.write_explanation(spec.key, spec.fold, record)
            done.folds += 1
            done.cells[spec.key] = (spec.cell.suite, spec.cell.entry)
        advance(spec.cell.model_name, 1)
    return done
