"""Wire a run together: jobs, engine, store, progress, tracking, leaderboard."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cytobench import console
from cytobench.core.errors import DataError, SplitError, StoreError
from cytobench.core.result import FoldFailure
from cytobench.core.stopping import exit_code
from cytobench.leaderboard.build import boards
from cytobench.leaderboard.show import show
from cytobench.run.cells import Cell
from cytobench.run.engine import shares_cohorts
from cytobench.run.explained import Explained, explain_cells, settings_from_config
from cytobench.run.jobs import Jobs, plan_jobs
from cytobench.run.lending import lending
from cytobench.run.provenance import command_line
from cytobench.run.session import Planned, Refused, Summary, run_cells
from cytobench.run.store import RunStore

if TYPE_CHECKING:
    from cytobench.tracking import Live

SHOWN_FAILURES = 5
"""Of the folds that are not explained."""


def run(overrides: Sequence[str]) -> int:
    """Run what the overrides ask for and print the leaderboards of its entries."""
    jobs = plan_jobs(overrides)
    command = command_line(overrides)
    console.say(f"repeat with: {command}", style="dim")
    for note in jobs.notes:
        console.warn(note)
    store = RunStore(Path(jobs.settings["store"]))
    listener = _Progress(jobs)
    try:
        with ExitStack() as stack:
            listener.mirror = _mirror(jobs.settings, stack)
            if shares_cohorts(jobs.settings["engine"]):
                stack.enter_context(lending())
            return _run(jobs, store, command, listener)
    except KeyboardInterrupt as stop:
        _say_left("interrupted", listener, store, command)
        return exit_code(stop)
    except StoreError:
        _say_left("stopped", listener, store, command)
        raise


def _mirror(settings: Mapping[str, Any], stack: ExitStack) -> Live | None:
    """The mirror beside the run, which is waited for at its end; None under ``tracking=none``."""
    if settings["tracking"]["name"] == "none":
        return None
    from cytobench.tracking import Live

    return stack.enter_context(Live(Path(settings["store"]), settings["tracking"]))


def _run(jobs: Jobs, store: RunStore, command: str, listener: _Progress) -> int:
    with listener:
        summary = run_cells(jobs.cells, jobs.settings["engine"], store, command, listener)
    explained = _explain(jobs, store, listener)
    wanted = {(cell.suite, cell.entry) for cell in jobs.cells}
    for suite in sorted({suite for suite, _ in wanted}):
        if suite in store.entries():
            for board in boards(store, suite, sorted({e for s, e in wanted if s == suite})):
                show(board)
    _report(summary, jobs)
    _report_explained(explained)
    return 1 if summary.failed_cells or not _folds(summary) or explained.failures else 0


def _folds(summary: Summary) -> int:
    """How many there are now, whoever has computed them."""
    return summary.folds_run + summary.folds_kept + summary.folds_of_others


class _Progress:
    """Shows a bar while folds run, and hands finished cells to the MLflow mirror."""

    def __init__(self, jobs: Jobs) -> None:
        self.stack = ExitStack()
        self.jobs = jobs
        self.mirror: Live | None = None
        self.cells: Sequence[Planned] = ()
        self.advance: console.Advance = _nothing
        self.explaining = settings_from_config(jobs.settings["explain"])
        self.waiting: list[Planned] = []
        self.left: dict[str, int] = {}

    def __enter__(self) -> _Progress:
        return self

    def __exit__(self, *why: Any) -> None:
        self.stack.__exit__(*why)

    def planned(self, cells: Sequence[Planned], refused: Sequence[Refused]) -> None:
        """Open the bar, and start the mirror where there is or will be something to write."""
        self.cells = cells
        for item in refused:
            if not item.applicable and not item.cell.permutation:
                console.say(f"left out: {_left_out(item)}", style="dim")
        self.left = {cell.key: len(cell.missing) for cell in cells if cell.missing}
        missing = sum(self.left.values())
        if self.mirror is not None:
            for planned in cells:
                if not planned.missing and self.mirror.owes(planned.key):
                    self.mirror.cell(planned.key, planned.cell.suite, planned.cell.entry)
        if not missing:
            return
        for line in _cannot_run(refused, self.jobs.cells):  # and at the end once more
            console.fail(line)
        observed = any(item.missing and not item.cell.permutation for item in cells)
        if self.mirror is not None and observed:
            self.mirror.start()
        suite = self.jobs.cells[0].suite
        bar = console.progress(missing, suite, cells=len(self.left))
        self.advance = self.stack.enter_context(bar)

    def fold_done(self, planned: Planned, failure: FoldFailure | None) -> None:
        """One step on."""
        self.left[planned.key] -= 1
        done = not self.left[planned.key]
        self.advance(planned.cell.model_name, failed=failure is not None, cells=done)

    def cell_done(self, planned: Planned) -> None:
        """Mirror a finished cell; after its explanation, where one is asked for."""
        if planned.cell.permutation:
            return
        if self.explaining is not None:
            self.waiting.append(planned)
        elif self.mirror is not None:
            self.mirror.cell(planned.key, planned.cell.suite, planned.cell.entry)


def _say_left(how: str, listener: _Progress, store: RunStore, command: str) -> None:
    """What a run that ends early has stored, what it has not, and how it goes on."""
    folds = sum(planned.folds for planned in listener.cells)
    done = sum(len(store.finished(planned.key)) for planned in listener.cells)
    if folds:
        console.warn(f"{how}: {done} of {folds} folds are stored, {folds - done} are left")
    else:
        console.warn(f"{how} before the first fold")
    console.warn(f"to go on: {command}")


def _nothing(what: str, steps: int = 1, *, failed: int = 0, cells: int = 0) -> None:
    """Without missing folds there is no bar to move."""
    del what, steps, failed, cells


def _explain(jobs: Jobs, store: RunStore, listener: _Progress) -> Explained:
    """Explain finished folds where that is asked for, and mirror what waited for it."""
    if listener.explaining is None:
        return Explained()
    with ExitStack() as stack:

        def begun(folds: int) -> Callable[[str, int], None]:
            return stack.enter_context(console.progress(folds, "explain"))

        engine = jobs.settings["engine"]
        done = explain_cells(jobs.cells, listener.explaining, engine, store, begun)
    ready = {item.key: (item.cell.suite, item.cell.entry) for item in listener.waiting}
    if listener.mirror is not None:
        for key, (suite, entry) in {**ready, **done.cells}.items():
            listener.mirror.cell(key, suite, entry, renew=key in done.cells)
    return done


def _report(summary: Summary, jobs: Jobs) -> None:
    console.say()
    for warning in summary.warnings.values():
        console.warn(warning)
    for text, folds in summary.suspicious.items():
        console.warn(f"{text} in {folds} {'fold' if folds == 1 else 'folds'}")
    for line in _cannot_run(summary.refused, jobs.cells):
        console.fail(line)
    said: set[tuple[str, str]] = set()
    for planned, failure in summary.failures:
        # Once for each model and kind of fault: numbers differ from fold to fold.
        fault = (planned.cell.model_name, re.sub(r"\d+", "", failure.error))
        if fault not in said:
            said.add(fault)
            hint = f"\n  -> {failure.hint}" if failure.hint else ""
            place = f" ({failure.where})" if failure.where else ""
            console.fail(
                f"{planned.cell.model_name}, fold {failure.fold}: {failure.error}{place}{hint}"
            )
    done = f"{summary.folds_run} folds computed, {summary.folds_kept} were already there"
    if summary.folds_of_others:
        done += f", {summary.folds_of_others} came from another run"
    failed = len(summary.failures)
    console.say(done + (f", {failed} failed; the same command tries them again" if failed else ""))
    if not _folds(summary):
        if summary.refused and not any(item.applicable for item in summary.refused):
            console.warn("every model was left out, so that there is nothing to compare")
        return
    suite = jobs.cells[0].suite
    console.say(f"browse:  cytobench ui          write:  cytobench leaderboard build {suite}")


def _cannot_run(refused: Sequence[Refused], cells: Sequence[Cell]) -> Iterator[str]:
    """Who cannot run, and why: each reason once."""
    able = Counter(cell.dataset_name for cell in cells)
    able.subtract(item.cell.dataset_name for item in refused if not item.applicable)
    reasons: dict[str, list[Refused]] = {}
    for item in refused:
        if item.applicable:
            reasons.setdefault(str(item.error), []).append(item)
    for reason, items in reasons.items():
        models: dict[str, list[str]] = {}
        for item in items:
            models.setdefault(item.cell.dataset_name, []).append(item.cell.model_name)
        if isinstance(items[0].error, (DataError, SplitError)):
            who = [_on(dataset, names, able[dataset]) for dataset, names in models.items()]
        else:
            who = list(dict.fromkeys(name for names in models.values() for name in names))
        yield f"{', '.join(who)} cannot run: {reason}"


def _on(dataset: str, models: Sequence[str], able: int) -> str:
    """The cohort alone where it is at fault: where none of several models can run on it."""
    names = list(dict.fromkeys(models))
    whole = len(names) > 1 and len(models) == able
    return dataset if whole else f"{', '.join(names)} on {dataset}"


def _left_out(item: Refused) -> str:
    """Which model, why, and what would let it in."""
    name, why = item.cell.model_name, item.error.message
    hint = f"\n  -> {item.error.hint}" if item.error.hint else ""
    return (why if why.startswith(name) else f"{name}: {why}") + hint


def _report_explained(done: Explained) -> None:
    for model, failure in done.failures[:SHOWN_FAILURES]:
        hint = f"\n  -> {failure.hint}" if failure.hint else ""
        console.fail(f"{model}, fold {failure.fold} is not explained: {failure.error}{hint}")
    if done.folds or done.kept or done.of_others:
        said = f"{done.folds} folds explained, {done.kept} were already"
        others = f", {done.of_others} were by another run" if done.of_others else ""
        console.say(said + others)
