"""T8, T10, T11: how long a person waits: for a command, a finished cell, a store, the mirror.

python benchmarks/latency.py [--quick] [--cells 10000]
"""

from __future__ import annotations

import argparse
import contextlib
import io
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from race import about_the_machine, environment, in_words, keep

FOLDS, PATIENTS, MODELS_OF_AN_ENTRY = 5, 20, 20
Row = dict[str, Any]
FIRST = "T10, from nothing"
"""A store as a run leaves it has the pages of its suite: the mirror keeps them as it ends. Where
nothing was kept, every fold is read and every interval computed."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, print, and keep the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="a store of 500 cells")
    parser.add_argument("--cells", type=int, default=10_000)
    options = parser.parse_args(arguments)
    cells = 500 if options.quick else options.cells
    os.environ.update(environment())
    with tempfile.TemporaryDirectory(prefix="cytobench-latency-") as folder:
        os.chdir(folder)
        rows = [*commands(), *reruns(), *mirrored(), *big_store(cells)]
    lines = ["| target | what | CPU s | wall s | limit s | met |", "|---|---|---|---|---|---|"]
    for row in rows:
        met = "yes" if row["cpu"] <= row["limit"] else "no"
        lines.append(
            f"| {row['target']} | {row['what']} | {row['cpu']:.3f} | {row['wall']:.3f} | "
            f"{row['limit']:g} | {met} |"
        )
    about = about_the_machine()
    note = (
        "The smallest of several tries; *met* goes by CPU seconds, which neighbours disturb less."
    )
    text = "\n".join(["# How long a person waits\n", *lines, "", note, "", in_words(about)])
    print(text)
    if not options.quick:
        keep("latency", {"about": about, "rows": rows}, text)


def commands() -> list[Row]:
    """Whole commands, each in a process of its own."""
    first_run = ["run", *SMALL, "seed=1"]
    _cytobench(first_run)
    opened = min(_opened(Path(f"opened{number}")) for number in range(5))
    return [
        _row("T8", "`cytobench --help`", 0.3, lambda: _cytobench(["--help"])),
        _row("T8", "`cytobench list models`", 0.5, lambda: _cytobench(["list", "models"])),
        _row("T8", "the same run again, all folds there", 2, lambda: _cytobench(first_run), 3),
        {
            "target": "issue 7",
            "what": "start of the process to the first fold (wall)",
            "cpu": opened,
            "wall": opened,
            "limit": 3,
        },
    ]


def _opened(store: Path) -> float:
    """Seconds of wall clock until a process that starts on an empty store is ready for a fold."""
    started = time.time()
    _cytobench(["run", *SMALL, "seed=1", f"store={store}"])
    return min(path.stat().st_mtime for path in store.glob("*/cell.json")) - started


SMALL = [
    "dataset=workload_cohort",
    "model=workload_lr,workload_svm",
    "protocol.repeats=1",
    "tuning=off",
    "tracking=none",
    "engine=serial",
]


def reruns() -> list[Row]:
    """What one more finished cell adds to a run that finds everything finished."""
    from cytobench.cli.main import main as cytobench

    def again(strengths: int) -> Callable[[], None]:
        values = ",".join(str(0.1 * (number + 1)) for number in range(strengths))
        others = [word for word in SMALL if not word.startswith("model=")]
        words = ["run", *others, "model=workload_lr", f"model.C={values}", "floors=[]"]

        def run() -> None:
            silent = io.StringIO()
            with contextlib.redirect_stdout(silent), contextlib.redirect_stderr(silent):
                cytobench(words)

        return run

    again(11)()
    few, many = _row("", "", 0, again(1)), _row("", "", 0, again(11))
    return [
        {
            "target": "issue 7",
            "what": "one more finished cell, its configuration and row included",
            "cpu": (many["cpu"] - few["cpu"]) / 10,
            "wall": (many["wall"] - few["wall"]) / 10,
            "limit": 0.01,
        }
    ]


def mirrored() -> list[Row]:
    """One cell in MLflow, figures and report included, and what of it the run waits for."""
    from cytobench.run.store import RunStore
    from cytobench.tracking import Live, Mirror
    from cytobench.tracking.artifacts import import_what_draws

    store = RunStore(Path("runs"))
    mirror = Mirror(store, {"uri": "sqlite:///latency.db", "artifacts": "latency"})
    entry, keys = next(iter(store.entries()["adhoc"].items()))

    def write() -> None:
        mirror.write(keys[0], "adhoc", entry, renew=True)

    write()
    import_what_draws()  # as the process does that writes beside a run
    with Live(store.root, {"uri": "sqlite:///latency.db", "artifacts": "latency"}) as live:
        live.start()
        beside = _row(
            "T11", "handing a cell to the process that writes MLflow", 0.005,
            lambda: live.cell(keys[0], "adhoc", entry),
        )  # fmt: skip
    return [_row("T11", "one cell in MLflow (SQLite), figures and report", 0.15, write, 4), beside]


def big_store(cells: int) -> list[Row]:
    """A store of many finished cells, made with the store's own writer from one real cell."""
    from cytobench.cli.main import main as cytobench
    from cytobench.run.store import RunStore

    real = RunStore(Path("runs"))
    entry, keys = next(iter(real.entries()["adhoc"].items()))
    about, fold = real.about(keys[0]), real.read_fold(keys[0], 0)
    made, draw = RunStore(Path("big")), np.random.default_rng(0)
    for number in range(cells):
        name = f"model{number % MODELS_OF_AN_ENTRY:02d}"
        entry = f"entry{number // MODELS_OF_AN_ENTRY:04d}"
        key = f"{number:064x}"
        said = {**about, "folds": FOLDS, "model": {**about["model"], "name": name}}
        made.open_cell(key, said, "big", entry, key[-16:])
        for position in range(FOLDS):
            y = (draw.random(PATIENTS) < 0.5).astype(float)
            y[:2] = 0, 1
            part = replace(
                fold.predictions,
                patient=[f"{position}-{row}" for row in range(PATIENTS)],
                y=y.tolist(),
                prediction=draw.random(PATIENTS).tolist(),
                arm=[""] * PATIENTS,
                site=[""] * PATIENTS,
                truth=[float("nan")] * PATIENTS,
                groups={},
            )
            made.write_fold(key, replace(fold, fold=position, predictions=part))

    def build() -> None:
        with contextlib.redirect_stdout(io.StringIO()):
            cytobench(["leaderboard", "build", "big", "--store", "big", "--output", "boards"])

    what, limit = f"{cells} finished cells of {FOLDS} folds", 5 * cells / 10_000
    never = f"{what}, no board of which was ever made: list, rank, render (wall, all cores)"
    # The processes that make many boards outlive the command: their CPU seconds are not counted.
    first = _row(FIRST, never, limit, build, 1)
    return [
        {**first, "cpu": first["wall"]},
        _row("T10", f"{what}: list, rank, render", limit, build, 2),
    ]


def _row(target: str, what: str, limit: float, do: Callable[[], Any], tries: int = 5) -> Row:
    """The least CPU and wall time of some tries."""
    cpu, wall = [], []
    for _ in range(tries):
        started, used = time.perf_counter(), _cpu()
        do()
        wall.append(time.perf_counter() - started)
        cpu.append(_cpu() - used)
    if what:
        print(f"  {what}: {min(cpu):.3f} s CPU", file=sys.stderr, flush=True)
    return {"target": target, "what": what, "cpu": min(cpu), "wall": min(wall), "limit": limit}


def _cpu() -> float:
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + children.ru_utime + children.ru_stime


def _cytobench(words: Sequence[str]) -> None:
    command = [sys.executable, "-m", "cytobench", *words]
    subprocess.run(command, env=environment(), check=True, capture_output=True)


if __name__ == "__main__":
    main()
