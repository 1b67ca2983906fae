"""What one fold, one cell and one table cost the process that keeps the store, measured here."""

from __future__ import annotations

import pickle
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from cytobench.core.result import FoldResult
from cytobench.leaderboard.build import boards
from cytobench.run.cells import load_cell
from cytobench.run.clusters import connected
from cytobench.run.fold import FoldSpec
from cytobench.run.jobs import plan_jobs
from cytobench.run.session import describe
from cytobench.run.store import RunStore

COMMON = (
    "dataset=sim_inflamed_mdd", "floors=[]", "tuning.trials=50", "tracking=none",
    "model=lasso,ridge",
)  # fmt: skip
SHORT, LONG = 2, 8
"""Repeats of five folds, from which it is told apart what a board costs for each cell and fold."""
SUITE = "scale"
WRITES, TASKS, MIRRORED = 300, 500, 3
THREADS = 8
QUICK = 0.1
"""Quantile of repeated steps that use the disk: what they take where nobody else uses it."""


def measure() -> dict[str, float]:
    """Seconds and bytes: a cohort of 326 patients, 50 settings a fold.

    Processor time of this process, where a step waits for nothing else.
    """
    short, long = (_Sample(repeats) for repeats in (SHORT, LONG))
    fold = long.folds[0]
    message = pickle.dumps(fold)
    with short.stored() as store, long.stored() as longer:
        wrote = [
            _wall(partial(longer.write_fold, long.key, long.folds[number % len(long.folds)]))
            for number in range(WRITES)
        ]
        at_once = _wall(partial(_store_at_once, longer, long.key, long.folds))
        read = [_wall(partial(longer.read_fold, long.key, one.fold)) for one in long.folds]
        files = [path.stat().st_size for path in (longer.root / long.key).iterdir()]
        mirrored = _mirrored(store, short.key)
        boards_of = [_cpu(partial(boards, one, SUITE, thorough=True)) for one in (store, longer)]
    per_fold = (boards_of[1] - boards_of[0]) / (len(long.folds) - len(short.folds))
    return {
        "prepare a cell": long.prepared,
        "store a fold": float(np.quantile(wrote, QUICK)),
        "store a fold, of eight at once": at_once / WRITES,
        "read a fold": float(np.quantile(read, QUICK)),
        "unpickle a fold": statistics.median(_cpu(partial(pickle.loads, message)) for _ in wrote),
        "task of Dask": _task(),
        "mirror a cell": mirrored,
        "rank, for each cell": boards_of[0] - per_fold * len(short.folds),
        "rank, for each fold": per_fold,
        "bytes of a task": float(len(pickle.dumps(FoldSpec(long.cell, long.key, 0)))),
        "bytes of a result": float(len(message)),
        "bytes on disk of a fold": sum(files) / len(long.folds),
        "files of a fold": (len(files) - 1) / len(long.folds),
    }


class _Sample:
    """A cell that was run in this process."""

    def __init__(self, repeats: int) -> None:
        first, self.cell = plan_jobs([*COMMON, f"protocol.repeats={repeats}"]).cells
        load_cell(first)  # what cells of one cohort share, and imports
        began = time.process_time()
        self.loaded = load_cell(self.cell)
        self.prepared = time.process_time() - began
        self.key = self.loaded.key
        made = [
            FoldSpec(self.cell, self.key, fold).attempt(b"s" * 32)
            for fold in range(len(self.loaded.bench.plan.splits))
        ]
        self.folds = [fold for fold in made if isinstance(fold, FoldResult)]

    @contextmanager
    def stored(self) -> Iterator[RunStore]:
        """A store with the cell."""
        with tempfile.TemporaryDirectory(prefix="cytobench-plan-") as folder:
            store = RunStore(Path(folder) / "runs")
            about = {**describe(self.loaded, "cytobench run"), "audit": []}
            store.open_cell(self.key, about, SUITE, SUITE, self.cell.slot)
            for fold in self.folds:
                store.write_fold(self.key, fold)
            yield store


def _store_at_once(store: RunStore, key: str, folds: Sequence[FoldResult]) -> None:
    """Store folds from several threads, as the parent does not: the disk is waited for together."""
    with ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(lambda k: store.write_fold(key, folds[k % len(folds)]), range(WRITES)))


def _mirrored(store: RunStore, key: str) -> float:
    """Seconds of mirroring a cell to a database that is there."""
    from cytobench.tracking import Mirror

    where = store.root.parent
    config = {"uri": f"sqlite:///{where / 'mlflow.db'}", "artifacts": str(where / "artifacts")}
    mirror = Mirror(store, config)
    mirror.write(key, SUITE, SUITE)  # makes the database
    renewed = partial(mirror.write, key, SUITE, SUITE, renew=True)
    return statistics.median(_cpu(renewed) for _ in range(MIRRORED))


def _task() -> float:
    """Seconds of this process, which has the scheduler, for a task that does nothing."""
    engine = {"cluster": "local", "address": None, "patience": None, "env": None}
    with connected(engine, 1) as connection:
        client = connection.client
        client.gather(client.map(abs, range(-20, 0), pure=False))
        began = time.process_time()
        client.gather(client.map(abs, range(TASKS), pure=False))
        return (time.process_time() - began) / TASKS


def _wall(work: Callable[[], Any]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def _cpu(work: Callable[[], Any]) -> float:
    began = time.process_time()
    work()
    return time.process_time() - began


def fold_seconds(boards_of: Sequence[dict[str, Any]]) -> dict[str, float]:
    """Model -> seconds of a fold, the median over published boards."""
    found: dict[str, list[float]] = {}
    for board in boards_of:
        for row in board["rows"]:
            found.setdefault(row["label"], []).append(row["seconds_per_fold"])
    return {name: statistics.median(values) for name, values in sorted(found.items())}
