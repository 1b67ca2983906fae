"""A run: prepare every cell, compute what is missing, store each fold, report as it goes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass, field
from typing import Any, Protocol

import numpy as np

from cytobench import console
from cytobench.core.errors import (
    CytobenchError,
    NotApplicable,
    PredictionWarning,
    StoreError,
    UsageError,
)
from cytobench.core.result import FoldFailure, FoldResult
from cytobench.data.target import BENEFIT
from cytobench.run.cells import Cell, LoadedCell, load_cell
from cytobench.run.claims import let_go
from cytobench.run.engine import check_engine
from cytobench.run.fold import FoldSpec
from cytobench.run.lockstep import FoldsSpec, at_once
from cytobench.run.pooled import shift_record
from cytobench.run.provenance import framework_revision, git_commit, versions
from cytobench.run.share import shared_folds
from cytobench.run.store import RunStore
from cytobench.run.vetting import Vetting, open_findings

PIECES = 4
"""Cells for each worker from which on none has to be shared between workers."""
SHOWN_DAMAGE = 5
"""Damaged files that are named; the rest is counted."""


@dataclass(frozen=True)
class Planned:
    """A cell that can be run: what is done and what is still to do.

    Attributes
    ----------
    together : int
        Folds that may be done at once.
    """

    cell: Cell
    key: str
    folds: int
    missing: Sequence[int]
    notes: Sequence[str]
    together: int = 1


@dataclass(frozen=True)
class Refused:
    """A cell that cannot be run; `applicable` is False where that is nobody's mistake."""

    cell: Cell
    error: CytobenchError

    @property
    def applicable(self) -> bool:
        """Whether the cell should have worked."""
        return not isinstance(self.error, NotApplicable)


@dataclass
class Summary:
    """How a run ended."""

    cells: int = 0
    folds_run: int = 0
    folds_kept: int = 0
    folds_of_others: int = 0
    refused: list[Refused] = field(default_factory=list)
    failures: list[tuple[Planned, FoldFailure]] = field(default_factory=list)
    warnings: dict[str, str] = field(default_factory=dict)
    suspicious: Counter[str] = field(default_factory=Counter)
    damaged: list[StoreError] = field(default_factory=list)

    def note(self, model: str, said: Sequence[str]) -> None:
        """Count what a fold warned of its own predictions."""
        prefix = f"{PredictionWarning.__name__}: "
        found = [text.removeprefix(prefix) for text in said if text.startswith(prefix)]
        self.suspicious.update(f"{model} {text}" for text in found)

    @property
    def failed_cells(self) -> int:
        """Cells that should have finished and did not."""
        return len({planned.key for planned, _ in self.failures}) + sum(
            item.applicable for item in self.refused
        )


class Listener(Protocol):
    """Told what happens, in the parent process."""

    def planned(self, cells: Sequence[Planned], refused: Sequence[Refused]) -> None:
        """Before the first fold."""

    def fold_done(self, planned: Planned, failure: FoldFailure | None) -> None:
        """After each fold, once it is stored."""

    def cell_done(self, planned: Planned) -> None:
        """After the last fold of a cell that has run in this session."""


def run_cells(
    cells: Sequence[Cell],
    engine: Mapping[str, Any],
    store: RunStore,
    command: str,
    listener: Listener,
) -> Summary:
    """Run what is missing of these cells.

    A cell that cannot be prepared, or a fold that fails, costs itself only. Folds that another run
    of the same store is doing are waited for, not done again.
    """
    workers = check_engine(engine)
    summary = Summary(cells=len(cells))
    plans: dict[str, Planned] = {}
    store.check_version()
    vetting = Vetting(store)
    described: set[str] = set()
    for cell in cells:
        try:
            loaded = load_cell(cell)
            summary.damaged += store.mend(loaded.key)
            done = store.finished(loaded.key)
            let_go(store.root / loaded.key, done)
            finished = len(done) == len(loaded.bench.plan.splits)
            if not finished:
                loaded.model.factory  # noqa: B018 - a broken plugin is refused before its folds
            findings = vetting.records(loaded, finished=finished)
        except (UsageError, StoreError):
            raise
        except CytobenchError as error:
            summary.refused.append(Refused(cell, error))
            continue
        about = {**describe(loaded, command), "audit": findings}
        store.open_cell(
            loaded.key,
            about,
            cell.suite,
            cell.entry,
            cell.slot,
            permuted=bool(cell.permutation),
        )
        if loaded.bench.cohort.fingerprint not in described:
            _keep_cohort(loaded, store)
            described.add(loaded.bench.cohort.fingerprint)
        folds = about["folds"]
        missing = [fold for fold in range(folds) if fold not in done]
        plans[loaded.key] = Planned(
            cell, loaded.key, folds, missing, about["notes"], at_once(loaded)
        )
        for record in open_findings(findings or []):
            summary.warnings[record["code"] + loaded.bench.cohort.name] = (
                f"[{record['code']}] {loaded.bench.cohort.name}: {record['sentence']}"
            )
        summary.folds_kept += folds - len(missing)
    _say_damaged(summary.damaged)
    listener.planned(list(plans.values()), summary.refused)
    specs = _work(list(plans.values()), workers)
    if specs:
        _run(specs, plans, engine, store, listener, summary)
    return summary


def _work(plans: Sequence[Planned], workers: int) -> list[FoldSpec | FoldsSpec]:
    """What is to be done, in pieces: as many folds together as leave something for every worker."""
    batched = sum(bool(planned.missing) and planned.together > 1 for planned in plans)
    enough = batched >= PIECES * workers
    work: list[FoldSpec | FoldsSpec] = []
    for planned in plans:
        each = planned.together if enough else -(-len(planned.missing) // workers)
        for folds in _batches(planned.missing, max(min(each, planned.together), 1)):
            if planned.together > 1:
                work.append(FoldsSpec(planned.cell, planned.key, folds))
            else:
                work += [FoldSpec(planned.cell, planned.key, fold) for fold in folds]
    return work


def _batches(folds: Sequence[int], size: int) -> list[tuple[int, ...]]:
    return [tuple(folds[start : start + size]) for start in range(0, len(folds), size)]


def _keep_cohort(loaded: LoadedCell, store: RunStore) -> None:
    """A cohort's aggregates, once: what reports show of it long after."""
    cohort = loaded.bench.cohort
    if not store.has_cohort_facts(cohort.fingerprint):
        from cytobench.evaluate.cohort_facts import cohort_facts

        store.keep_cohort_facts(cohort.fingerprint, cohort_facts(cohort))


def _run(
    specs: Sequence[FoldSpec | FoldsSpec],
    plans: Mapping[str, Planned],
    engine: Mapping[str, Any],
    store: RunStore,
    listener: Listener,
    summary: Summary,
) -> None:
    left = {key: len(planned.missing) for key, planned in plans.items()}

    def ended(key: str, outcome: FoldResult | FoldFailure) -> None:
        planned = plans[key]
        failure = outcome if isinstance(outcome, FoldFailure) else None
        if isinstance(outcome, FoldFailure):
            summary.failures.append((planned, outcome))
        else:
            summary.note(planned.cell.model_name, outcome.warnings)
        listener.fold_done(planned, failure)
        left[key] -= 1
        if left[key] == 0:
            store.settle(key)
            listener.cell_done(planned)

    with closing(shared_folds(specs, engine, store, store.has_fold)) as outcomes:
        for spec, outcome in outcomes:
            if outcome is None:
                summary.folds_of_others += 1
                ended(spec.key, store.read_fold(spec.key, spec.fold))
                continue
            if isinstance(outcome, FoldFailure):
                store.write_failure(spec.key, outcome)
            else:
                store.write_fold(spec.key, outcome)
                summary.folds_run += 1
            ended(spec.key, outcome)


def _say_damaged(damaged: Sequence[StoreError]) -> None:
    for error in damaged[:SHOWN_DAMAGE]:
        console.warn(f"[{error.code}] {error.where}: {error.message}; it is made again")
    if len(damaged) > SHOWN_DAMAGE:
        console.warn(f"{len(damaged) - SHOWN_DAMAGE} more files are damaged and made again")


def describe(loaded: LoadedCell, command: str) -> dict[str, Any]:
    """What ``cell.json`` says: enough to rank, render and track a cell without its dataset."""
    bench, config = loaded.bench, loaded.cell.config
    target, cohort = bench.target, bench.cohort
    y = target.y[target.known]
    card = loaded.model.card
    model = {
        name: getattr(card, name)
        for name in ("name", "summary", "role", "version", "licence", "citation")
    }
    return {
        "folds": len(bench.plan.splits),
        "model": {**model, "inputs": list(card.inputs), "source": loaded.model.source},
        "dataset": {
            **asdict(cohort.card),
            "fingerprint": cohort.fingerprint,
            "patients": len(cohort),
            "analytes": len(cohort.panel),
            "notes": list(cohort.notes),
        },
        "task": {**config["task"], "meaning": target.meaning},
        "n": len(y),
        "events": int(y.sum()) if target.task.outcome_kind == "classification" else None,
        "outcome_mean": float(np.mean(y)),
        "protocol": {**config["protocol"], "claim": bench.plan.claim},
        "plan": bench.plan.hash,
        "permutation": loaded.cell.permutation,
        "shift": shift_record(cohort),
        "test_labels": [split.label for split in bench.plan.splits],
        "beside": {
            str(fold): split.trained_on
            for fold, split in enumerate(bench.plan.splits)
            if split.beside
        },
        "notes": [*cohort.notes, *_without_outcome(len(cohort), len(y)), *bench.plan.notes],
        "config": {
            name: config[name] for name in ("model", "preprocess", "tuning", "seed", "device")
        },
        "versions": versions(*loaded.model.extras),
        "framework": framework_revision(),
        "asked": dict(config),
        **_of_benefit(loaded),
        "git_commit": git_commit(),
        "command": command,
    }


def _of_benefit(loaded: LoadedCell) -> dict[str, Any]:
    """What a board says of arms and markers, whatever the rule; nothing for other tasks."""
    if loaded.bench.target.task.kind != BENEFIT:
        return {}
    from cytobench.run.moderators import benefit_facts

    return {"benefit": benefit_facts(loaded)}


def _without_outcome(patients: int, known: int) -> list[str]:
    if known == patients:
        return []
    return [f"{patients - known} of {patients} patients have no outcome and are left out"]
