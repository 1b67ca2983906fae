"""All that knows MLflow: a thin writer over ``MlflowClient``, without fluent state."""

from __future__ import annotations

import contextlib
import http.client
import itertools
import os
import socket
import ssl
import tempfile
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cytobench.core.errors import CytobenchError
from cytobench.tracking.board_record import BOARD
from cytobench.tracking.record import BUNDLE, CELL, ENTRY, STORE, Record

QUIET = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "DO_NOT_TRACK": "true",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
    # It would print the server's address for each run, with the password that may be in it.
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
    # A server that is away should cost seconds, not the four minutes of MLflow's own retries.
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "20",
}
"""Environment of every use of MLflow; what the user has set stays."""
REACHED_WITHIN = 10.0
"""Seconds in which a server has to answer at all."""
PORTS = {"postgresql": 5432, "mysql": 3306, "mssql": 1433}
"""Where databases listen if their address does not say."""
METRICS_PER_CALL, OTHERS_PER_CALL = 1000, 100
SQLITE = "sqlite:///"


@dataclass(frozen=True)
class Mirrored:
    """A run that cytobench wrote; `bundle` where it carries the predictions too."""

    run: str
    name: str
    cell: str
    store: str
    finished: bool
    bundle: bool = False


class Tracker:
    """Writes records as runs.

    Parameters
    ----------
    uri : str
        Tracking server or database. A SQLite file that is missing is created, whole or not at all.
    """

    def __init__(self, uri: str) -> None:
        reach(uri)  # before MLflow is imported, which takes seconds
        for name, value in QUIET.items():
            os.environ.setdefault(name, value)
        import logging

        from mlflow.tracking import MlflowClient

        # Dozens of lines about migrations, in the middle of a progress bar.
        for name in ("mlflow", "alembic"):
            logging.getLogger(name).setLevel(logging.ERROR)
        create_database(uri)
        path = database_file(uri)
        # MLflow remembers a database by its address: a relative one outlives the directory.
        self.client = MlflowClient(f"{SQLITE}{path.resolve()}" if path else uri)

    def experiment(self, name: str, location: str | None, tags: Mapping[str, str]) -> str:
        """Id of the experiment of that name: found, restored from the bin, or created."""
        found = self.client.get_experiment_by_name(name)
        if found is None:
            try:
                return str(self.client.create_experiment(name, location, dict(tags)))
            except Exception:
                # Somebody else was faster: MLflow holds names apart, in whichever words.
                found = self.client.get_experiment_by_name(name)
                if found is None:
                    raise
        if found.lifecycle_stage == "deleted":
            self.client.restore_experiment(found.experiment_id)
        for key, value in tags.items():
            if found.tags.get(key) != value:
                self.client.set_experiment_tag(found.experiment_id, key, value)
        return str(found.experiment_id)

    def experiments(self) -> dict[str, str]:
        """Id -> name of every experiment that holds a suite's entry."""
        return {
            str(item.experiment_id): str(item.name)
            for item in self._pages(self.client.search_experiments)
            if ENTRY in item.tags
        }

    def runs(self, experiment: str) -> list[Mirrored]:
        """The runs of an experiment that cytobench wrote."""
        return self._mirrored(experiment, "")

    def runs_of(self, experiment: str, cell: str) -> list[Mirrored]:
        """The runs of a cell, whoever wrote them, in an order that all see alike."""
        found = self._mirrored(experiment, f"tags.`{CELL}` = '{cell}'")
        return sorted(found, key=lambda run: run.run)

    def _mirrored(self, experiment: str, wanted: str) -> list[Mirrored]:
        found = self._pages(
            self.client.search_runs, experiment_ids=[experiment], filter_string=wanted
        )
        return [
            Mirrored(
                run=run.info.run_id,
                name=run.info.run_name,
                cell=run.data.tags[CELL],
                store=run.data.tags.get(STORE, ""),
                finished=run.info.status == "FINISHED",
                bundle=BUNDLE in run.data.tags,
            )
            for run in found
            if CELL in run.data.tags
        ]

    def boards(self, experiment: str, store: str) -> list[tuple[str, str, bool]]:
        """The runs of a store's leaderboard: id, sha256 of what they say, whether finished."""
        found = self._pages(self.client.search_runs, experiment_ids=[experiment])
        return [
            (run.info.run_id, run.data.tags[BOARD], run.info.status == "FINISHED")
            for run in found
            if BOARD in run.data.tags and run.data.tags.get(STORE) == store
        ]

    def _pages(self, search: Any, **query: Any) -> Iterator[Any]:
        token = None
        while True:
            page = search(page_token=token, **query)
            yield from page
            token = page.token
            if not token:
                return

    def write(self, experiment: str, record: Record, files: Path, ended: int) -> str:
        """Write a run with its artifacts; it counts as finished only when all of it is there.

        Parameters
        ----------
        files : Path
            Folder whose content becomes the run's artifacts.
        ended : int
            Milliseconds since the epoch.
        """
        from mlflow.entities import Metric, Param, RunTag

        started = max(ended - round(record.seconds * 1000), 0)
        own = {name: value for name, value in record.tags.items() if name in (CELL, STORE, BOARD)}
        run = self.client.create_run(experiment, started, tags=own, run_name=record.name)
        run_id = str(run.info.run_id)
        metrics = [Metric(item.name, item.value, ended, item.step) for item in record.metrics]
        params = [Param(name, value) for name, value in record.params.items()]
        tags = [RunTag(name, value) for name, value in record.tags.items()]
        for batch in _batches(metrics, params, tags):
            self.client.log_batch(run_id, *batch)
        if record.dataset:
            self._log_dataset(run_id, record.dataset)
        self.client.log_artifacts(run_id, str(files))
        status = "FINISHED" if record.complete else "FAILED"
        self.client.set_terminated(run_id, status, ended)
        return run_id

    def download(self, run: str, name: str, target: Path) -> None:
        """Download one artifact of a run to a file."""
        with tempfile.TemporaryDirectory(prefix="cytobench-") as folder:
            Path(self.client.download_artifacts(run, name, folder)).replace(target)

    def _log_dataset(self, run: str, dataset: Mapping[str, str]) -> None:
        from mlflow.entities import Dataset, DatasetInput, InputTag

        context = InputTag("mlflow.data.context", "evaluation")
        self.client.log_inputs(run, [DatasetInput(Dataset(**dataset), [context])])

    def rename(self, run: str, name: str) -> None:
        """Give a run another name."""
        self.client.update_run(run, name=name)

    def delete(self, run: str) -> None:
        """Move a run to MLflow's bin; ``mlflow gc`` empties it."""
        self.client.delete_run(run)


def _batches(
    metrics: Sequence[Any], params: Sequence[Any], tags: Sequence[Any]
) -> Iterator[tuple[Sequence[Any], Sequence[Any], Sequence[Any]]]:
    """Calls of a size that the server accepts; nearly always one."""
    yield from itertools.zip_longest(
        _chunks(metrics, METRICS_PER_CALL),
        _chunks(params, OTHERS_PER_CALL),
        _chunks(tags, OTHERS_PER_CALL),
        fillvalue=(),
    )


def _chunks(items: Sequence[Any], size: int) -> Iterator[Sequence[Any]]:
    return (items[start : start + size] for start in range(0, len(items), size))


@contextlib.contextmanager
def explained(uri: str, what: str, hint: str = "") -> Iterator[None]:
    """Turn whatever a database, a server or a drawing library raises into ``E601``."""
    try:
        yield
    except CytobenchError:
        raise
    except Exception as error:
        lines = str(error).strip().splitlines() or [""]
        text = f"MLflow {what}: {type(error).__name__}: {lines[0]}"
        raise CytobenchError("E601", text, where=uri, hint=hint) from error


def is_server(uri: str) -> bool:
    """Whether an address is that of a tracking server, which keeps database and artifacts."""
    return uri.startswith(("http://", "https://"))


def reach(uri: str) -> None:
    """See whether a tracking server answers, whatever it says, or a database server listens.

    Raises
    ------
    OSError
        Where there is none, or it does not answer in time.
    """
    if not is_server(uri):
        _knock(uri)
        return
    place = urllib.parse.urlsplit(uri)
    bare = place._replace(netloc=place.netloc.rpartition("@")[2]).geturl()  # no login in it
    try:
        urllib.request.urlopen(bare, timeout=REACHED_WITHIN).close()  # noqa: S310 - http(s) only
    except (urllib.error.HTTPError, http.client.HTTPException):
        return  # whoever refuses, or speaks in another way, is there
    except urllib.error.URLError as error:
        if isinstance(error.reason, ssl.SSLError):
            return  # MLflow may have been told of another certificate
        raise error.reason if isinstance(error.reason, OSError) else error from None


def _knock(uri: str) -> None:
    """See whether somebody listens where a database's address says; MLflow tries for minutes."""
    try:
        place = urllib.parse.urlsplit(uri)
        port = place.port or PORTS.get(place.scheme.partition("+")[0])
    except ValueError:
        return  # MLflow says what is wrong with it
    if place.hostname and port:
        socket.create_connection((place.hostname, port), REACHED_WITHIN).close()


def database_file(uri: str) -> Path | None:
    """The file behind a SQLite address, relative to the working directory; else None."""
    return Path(uri.removeprefix(SQLITE)) if uri.startswith(SQLITE) else None


def create_database(uri: str) -> None:
    """Make a missing SQLite file beside its place and move it in when its tables are complete.

    Several processes that run MLflow's migrations on one new file leave it unusable; this way the
    first one wins and the others find a finished database.
    """
    path = database_file(uri)
    if path is None or path.exists():
        return
    from mlflow.tracking import MlflowClient

    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        draft.touch(mode=0o600)  # MLflow would try for a minute to open what cannot be written
        MlflowClient(tracking_uri=f"{SQLITE}{draft}").search_experiments(max_results=1)
        with contextlib.suppress(FileExistsError):
            os.link(draft, path)
    finally:
        draft.unlink(missing_ok=True)
