"""What one fold, one cell and one table cost the process that keeps the store, measured here."""

from __future__ import annotations

import pickle
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from cytobench.core.result import FoldResult
from cytobench.leaderboard.build import boards
from cytobench.run.cells import load_cell
from cytobench.run.clusters import connected
from cytobench.run.fold import FoldSpec
from cytobench.run.jobs import plan_jobs
from cytobench.run.session import describe
from cytobench.run.store import RunStore

CELL = (
    "dataset=sim_inflamed_mdd", "model=ridge", "floors=[]", "tuning.trials=50",
    "protocol.repeats=2", "tracking=none",
)  # fmt: skip
SUITE = "scale"
WRITES, TASKS, MIRRORED = 300, 500, 3


def measure() -> dict[str, float]:
    """Seconds and bytes, medians; a cohort of 326 patients, 50 settings, 10 folds."""
    (cell,) = plan_jobs(CELL).cells
    began = time.perf_counter()
    loaded = load_cell(cell)
    prepared = time.perf_counter() - began
    spec = FoldSpec(cell, loaded.key, 0)
    fold = spec.attempt(b"s" * 32)
    assert isinstance(fold, FoldResult)
    message = pickle.dumps(fold)
    with tempfile.TemporaryDirectory(prefix="cytobench-plan-") as folder:
        store = RunStore(Path(folder) / "runs")
        about = {**describe(loaded, "cytobench run"), "audit": []}
        folds = _folds(cell, loaded.key, about["folds"])
        store.open_cell(loaded.key, about, SUITE, SUITE, cell.slot)
        wrote = [
            _seconds(partial(store.write_fold, loaded.key, folds[number % len(folds)]))
            for number in range(WRITES)
        ]
        read = [_seconds(partial(store.read_fold, loaded.key, fold.fold)) for fold in folds]
        files = [path.stat().st_size for path in (store.root / loaded.key).iterdir()]
        mirrored, ranked = _mirrored(store, loaded.key), _seconds(lambda: _ranked(store))
    return {
        "prepare a cell": prepared,
        "store a fold": statistics.median(wrote),
        "read a fold": statistics.median(read),
        "unpickle a fold": statistics.median(
            _seconds(partial(pickle.loads, message)) for _ in wrote
        ),
        "task of Dask": _task(),
        "mirror a cell": mirrored,
        "rank a cell": ranked / len(folds),
        "bytes of a task": float(len(pickle.dumps(spec))),
        "bytes of a result": float(len(message)),
        "bytes on disk of a fold": sum(files) / len(folds),
        "files of a fold": (len(files) - 1) / len(folds),
    }


def _folds(cell: Any, key: str, folds: int) -> list[FoldResult]:
    found = [FoldSpec(cell, key, fold).attempt(b"s" * 32) for fold in range(folds)]
    return [fold for fold in found if isinstance(fold, FoldResult)]


def _mirrored(store: RunStore, key: str) -> float:
    """Seconds of mirroring a cell to a database that is there."""
    from cytobench.tracking import Mirror

    where = store.root.parent
    config = {"uri": f"sqlite:///{where / 'mlflow.db'}", "artifacts": str(where / "artifacts")}
    mirror = Mirror(store, config)
    mirror.write(key, SUITE, SUITE)  # makes the database
    return statistics.median(
        _seconds(lambda: mirror.write(key, SUITE, SUITE, renew=True)) for _ in range(MIRRORED)
    )


def _ranked(store: RunStore) -> None:
    assert boards(store, SUITE, thorough=True)


def _task() -> float:
    """Seconds of a task that does nothing, from here to a worker and back, many under way."""
    engine = {"cluster": "local", "address": None, "patience": None, "env": None}
    with connected(engine, 1) as connection:
        client = connection.client
        client.gather(client.map(abs, range(-20, 0), pure=False))
        began = time.perf_counter()
        client.gather(client.map(abs, range(TASKS), pure=False))
        return (time.perf_counter() - began) / TASKS


def _seconds(work: Callable[[], Any]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def fold_seconds(boards_of: Sequence[dict[str, Any]]) -> dict[str, float]:
    """Model -> seconds of a fold, the median over published boards."""
    found: dict[str, list[float]] = {}
    for board in boards_of:
        for row in board["rows"]:
            found.setdefault(row["label"], []).append(row["seconds_per_fold"])
    return {name: statistics.median(values) for name, values in sorted(found.items())}
