"""Bring MLflow to what the run store says: one cell, or all of it.

Several people may write to one server, each from a store of his own. MLflow has no locks: a cell
that two of them write at once is there twice for a moment, and whoever finishes last sees both and
leaves one.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cache, cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cytobench.leaderboard.build import board_of, pages
from cytobench.leaderboard.collect import labels
from cytobench.leaderboard.rank import Row
from cytobench.run.claims import WORKING
from cytobench.run.jobs import AD_HOC
from cytobench.run.store import PLANNING, RunStore, StoredCell
from cytobench.tracking.artifacts import cohort_text, write_files
from cytobench.tracking.board_record import BOARD, board_files, board_record
from cytobench.tracking.notes import experiment_note
from cytobench.tracking.owed import settle
from cytobench.tracking.record import ENTRY, STORE, make_record
from cytobench.tracking.turns import Turn
from cytobench.tracking.view import TAG, state

if TYPE_CHECKING:
    from cytobench.tracking.client import Mirrored, Tracker

SUPERSEDED = "(superseded)"
TURN = "mlflow"
"""The file by which processes take turns."""
SAFE = "results are safe in the run store; once this is mended: cytobench track"


@dataclass
class _Experiment:
    """An entry's experiment, with the runs that are known to be in it."""

    id: str
    suite: str
    entry: str
    runs: list[Mirrored]
    settled: bool = True


class Mirror:
    """Writes a store's cells to MLflow, each once.

    Nothing is imported, created or contacted before the first cell. Processes that mirror the same
    store take turns (:mod:`cytobench.tracking.turns`).

    Parameters
    ----------
    store : RunStore
    config : mapping
        The ``tracking`` node: ``uri`` and ``artifacts``; ``rows`` and ``permitted`` where
        predictions are to be written too.
    """

    def __init__(self, store: RunStore, config: Mapping[str, Any]) -> None:
        self.store = store
        self.uri = str(config["uri"])
        self.artifacts = str(config["artifacts"])
        self.rows = bool(config.get("rows", False))
        self.permitted = str(config.get("permitted", ""))
        # What a cell is does not change while its entry is mirrored.
        self._about = cache(store.about)
        self._cohort = cache(partial(cohort_text, store))
        self._floors: dict[str, Row] = {}
        self._experiments: dict[tuple[str, str], _Experiment] = {}
        self._turn = Turn(store.root / WORKING / TURN, self._look_again)

    def open(self) -> None:
        """Import MLflow and make a missing database now, not with the first cell.

        A server that does not answer costs seconds here, where MLflow would try for minutes.

        Raises
        ------
        CytobenchError
            ``E601`` where there is no reaching it.
        """
        with self._guard():
            self.tracker  # noqa: B018 - the first use is what costs

    def write(self, key: str, suite: str, entry: str, *, renew: bool = False) -> bool:
        """Mirror a cell; False where it was there already and `renew` did not ask for it anew.

        Its run is named after its model until :meth:`settle`.

        Raises
        ------
        CytobenchError
            ``E601`` where MLflow cannot be read or written.
        """
        with self._guard():
            experiment = self._experiment(suite, entry, key)
            written = renew or not self._is_there(experiment, key)
            if written:
                for run in [run for run in experiment.runs if run.cell == key]:
                    # What another store has not finished may be under way at this moment.
                    if run.finished or run.store == self.identity:
                        self._delete(experiment, run)
                self._write(experiment, key)
                self._leave_one(experiment, key)
            experiment.settled = False
        settle(self.store.root, key)
        return written

    def _is_there(self, experiment: _Experiment, key: str) -> bool:
        """Whether a cell has a finished run; the server is asked again where none is known."""
        if not any(run.finished for run in experiment.runs if run.cell == key):
            self._see(experiment, key)
        return any(run.finished for run in experiment.runs if run.cell == key)

    def _see(self, experiment: _Experiment, key: str) -> list[Mirrored]:
        """The runs of a cell as they are now."""
        now = self.tracker.runs_of(experiment.id, key)
        experiment.runs[:] = [*(run for run in experiment.runs if run.cell != key), *now]
        return now

    def _leave_one(self, experiment: _Experiment, key: str) -> None:
        """Of a cell's finished runs the first, by a rule that does not depend on who applies it."""
        finished = [run for run in self._see(experiment, key) if run.finished]
        for run in finished[1:]:
            self._delete(experiment, run)

    def settle(self) -> None:
        """Name the runs of what was written since, as the leaderboard labels them.

        A label depends on every other cell of the entry: named after each cell, a sweep of a
        thousand would read a million.

        Raises
        ------
        CytobenchError
            ``E601`` where MLflow cannot be written.
        """
        with self._guard():
            for experiment in self._experiments.values():
                if not experiment.settled:
                    experiment.runs = self.tracker.runs(experiment.id)  # others may have deleted
                    self._rename(experiment)
                    experiment.settled = True

    def board(self, suite: str) -> bool:
        """Mirror a suite's leaderboard as a run of its own; False where it is there as it is.

        Not of what was run outside any suite: entries there are as many as there were ideas.

        Raises
        ------
        CytobenchError
            ``E601`` where MLflow cannot be read or written.
        """
        if suite == AD_HOC or not (found := pages(self.store, suite)):
            return False
        files = board_files(suite, found)
        record = board_record(suite, found, files)
        record = replace(record, tags={**record.tags, STORE: self.identity})
        with self._guard(), tempfile.TemporaryDirectory(prefix="cytobench-") as folder:
            note = f"The leaderboard of the suite {suite}, a run for each store that it came from."
            tags = {ENTRY: suite, "mlflow.note.content": note}
            experiment = self.tracker.experiment(suite, self._location(suite), tags)
            present = self.tracker.boards(experiment, self.identity)
            if any(said == record.tags[BOARD] and finished for _, said, finished in present):
                return False
            for run, *_ in present:
                self.tracker.delete(run)
            for name, text in files.items():
                (Path(folder) / name).write_text(text, encoding="utf-8", newline="\n")
            self.tracker.write(experiment, record, Path(folder), round(time.time() * 1000))
        return True

    def finish(self) -> None:
        """What is left when the last cell is written: names, and the leaderboards of suites."""
        self.settle()
        for suite in sorted({suite for suite, _ in self._experiments}):
            self.board(suite)

    def everything(self, *, rebuild: bool = False) -> tuple[int, int]:
        """Mirror every cell of the store; with `rebuild`, after deleting what it wrote before.

        Returns
        -------
        written, present : int
            Cells that were written, and those that were there already.
        """
        written = present = 0
        for suite, entries in self.store.entries().items():
            if suite == PLANNING:
                continue
            for entry, keys in entries.items():
                if rebuild and keys:
                    self._clear(suite, entry, keys)
                for key in keys:
                    if self.write(key, suite, entry):
                        written += 1
                    else:
                        present += 1
                self.settle()
            self.board(suite)
        return written, present

    def register(
        self, name: str, cell: tuple[str, str, str], model: Path, said: Mapping[str, Any]
    ) -> str:
        """Make a stored model the champion of a registered model; its version.

        Parameters
        ----------
        cell : (suite, entry, key)
            Where the model comes from; mirrored first where it is not there.
        """
        suite, entry, key = cell
        self.write(key, suite, entry)
        self.settle()
        with self._guard():
            from cytobench.tracking.registry import register

            experiment = self._experiment(suite, entry, key)
            run = next(run.run for run in experiment.runs if run.cell == key and run.finished)
            return register(self.tracker.client, name, run, model, said)

    @property
    def leaves_the_machine(self) -> bool:
        """Whether what is written may be read elsewhere."""
        from cytobench.tracking.client import database_file

        return database_file(self.uri) is None or "://" in self.artifacts

    @cached_property
    def tracker(self) -> Tracker:
        """The connection; the first use imports MLflow and creates a missing database."""
        from cytobench.tracking.client import Tracker

        return Tracker(self.uri)

    @cached_property
    def identity(self) -> str:
        """Names this store among others that write to the same server."""
        return self.store.identity

    @contextmanager
    def _guard(self) -> Iterator[None]:
        from cytobench.tracking.client import explained

        with explained(self.uri, "was not written", SAFE), self._turn:
            yield

    def _look_again(self) -> None:
        """Another process has written since: what is known of the experiments is old."""
        for experiment in self._experiments.values():
            experiment.runs = self.tracker.runs(experiment.id)

    def _experiment(self, suite: str, entry: str, key: str) -> _Experiment:
        """The entry's experiment, looked up once; `key` is a cell that describes it."""
        if (suite, entry) not in self._experiments:
            about = self._about(key)
            name = f"{suite}/{entry}"
            note = experiment_note(StoredCell(key, about, ()), suite, entry)
            tags = {ENTRY: name, "mlflow.note.content": note, TAG: state(about["task"]["kind"])}
            found = self.tracker.experiment(name, self._location(name), tags)
            self._experiments[suite, entry] = _Experiment(
                found, suite, entry, self.tracker.runs(found)
            )
        return self._experiments[suite, entry]

    def _location(self, name: str) -> str | None:
        """Where an experiment's artifacts go; a server decides that for itself."""
        from cytobench.tracking.client import is_server

        if is_server(self.uri):
            return None
        if "://" in self.artifacts:
            return f"{self.artifacts.rstrip('/')}/{name}"
        return (Path(self.artifacts).resolve() / name).as_uri()

    def _write(self, experiment: _Experiment, key: str) -> None:
        from cytobench.tracking.client import Mirrored

        cell = self.store.read_cell(key)
        name = cell.about["model"]["name"]
        shown = None
        if cell.complete:
            shown = board_of(
                self.store, experiment.suite, experiment.entry, cell, self._about, self._floors
            )
        record = make_record(
            cell,
            experiment.suite,
            experiment.entry,
            name,
            self.store.failures(key),
            shown[1] if shown else None,
        )
        with tempfile.TemporaryDirectory(prefix="cytobench-") as folder:
            fingerprint = str(cell.about["dataset"]["fingerprint"])
            write_files(cell, shown, Path(folder), self._cohort(fingerprint))
            said = self._bundle(experiment, cell, Path(folder)) if self.rows else {}
            record = replace(record, tags={**record.tags, STORE: self.identity, **said})
            run = self.tracker.write(experiment.id, record, Path(folder), self._ended(key))
        experiment.runs.append(Mirrored(run, record.name, key, self.identity, record.complete))

    def _bundle(self, experiment: _Experiment, cell: StoredCell, folder: Path) -> dict[str, str]:
        """Put a complete cell's predictions beside its files, as a bundle; the tags that say so."""
        if not cell.complete:
            return {}
        from cytobench.tracking.bundles import write_bundle

        return write_bundle(experiment.suite, experiment.entry, cell, folder, self.permitted)

    def _ended(self, key: str) -> int:
        """When the last fold was stored, in milliseconds since the epoch."""
        files = (self.store.root / key).iterdir()
        # Nothing but this date depends on it; a clock that was wrong may have left one before 1970.
        return max(round(max(path.stat().st_mtime for path in files) * 1000), 0)

    def _rename(self, experiment: _Experiment) -> None:
        """Name an entry's runs.

        A cell that the store no longer asks for (its data, plugin or packages have changed) stays,
        and says so.
        """
        keys = self.store.keys(experiment.suite, experiment.entry)
        wanted = labels([StoredCell(key, self._about(key), ()) for key in keys])
        for position, run in enumerate(experiment.runs):
            if run.store != self.identity or not run.finished:
                continue
            bare = run.name.removesuffix(f" {SUPERSEDED}")
            name = wanted.get(run.cell, f"{bare} {SUPERSEDED}")
            if name != run.name:
                self.tracker.rename(run.run, name)
                experiment.runs[position] = replace(run, name=name)

    def _clear(self, suite: str, entry: str, keys: list[str]) -> None:
        """Delete what this store wrote, and its cells whoever wrote them; nobody else's runs."""
        with self._guard():
            experiment = self._experiment(suite, entry, keys[0])
            for run in list(experiment.runs):
                if run.store == self.identity or run.cell in keys:
                    self._delete(experiment, run)

    def _delete(self, experiment: _Experiment, run: Mirrored) -> None:
        self.tracker.delete(run.run)
        experiment.runs.remove(run)
