"""T13, and what a second worker brings: ``engine=dask`` beside ``engine=joblib``.

    python benchmarks/dask_time.py [--rounds 3] [--workloads W1-light,W1-mid,W1]

Whole commands, from an empty process and an empty store to the printed board: what an engine needs
to start and to end is part of what it costs. Engines run in turn within a round; shown is the
median of the rounds' ratios. Every engine's predictions are compared with the serial engine's.
"""

from __future__ import annotations

import argparse
import contextlib
import ctypes
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ours import overrides
from race import RESULTS, about_the_machine, environment, in_words, keep

from cytobench.run.store import RunStore

ENGINES = {
    "serial": ("engine=serial",),
    "joblib, 2 workers": ("engine=joblib", "engine.workers=2"),
    "dask, 1 worker": ("engine=dask", "engine.workers=1"),
    "dask, 2 workers": ("engine=dask", "engine.workers=2"),
}
JOBLIB, DASK = "joblib, 2 workers", "dask, 2 workers"
MOST = 1.10
STANDARD = "W1"
SUBREAPER = 36
"""PR_SET_CHILD_SUBREAPER of Linux."""
HEAD = """# Dask beside joblib

`python benchmarks/dask_time.py` makes this page: whole `cytobench run` commands without MLflow,
each from an empty process and an empty store, in turn within a round. Wall clock and CPU are
medians over the rounds; ratios are taken within a round first. Predictions of every engine are
equal to the serial engine's in every bit, which the benchmark checks.
"""


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the engines in turn, and write the page."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--workloads", default="W1-light,W1-mid")
    options = parser.parse_args(arguments)
    # Processes that outlive their parent become ours, and what they used is counted.
    ctypes.CDLL(None).prctl(SUBREAPER, 1, 0, 0, 0)
    path = RESULTS / "dask_time.json"
    kept = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {"rows": {}}
    rows: dict[str, Any] = kept["rows"]
    for workload in options.workloads.split(","):
        rounds = [_round(workload, number) for number in range(options.rounds)]
        about = about_the_machine()
        rows[workload] = {"about": about, "rounds": options.rounds, "engines": _compare(rounds)}
    ratios = {name: made["engines"][DASK]["to joblib"] for name, made in rows.items()}
    said = ", ".join(f"{name} {ratio:.2f}" for name, ratio in ratios.items())
    # In runs of seconds it is the start of scheduler and workers that is measured.
    met = ratios[STANDARD] <= MOST if STANDARD in ratios else None
    keep(
        "dask_time", {"targets": {"T13": {"measured": said, "met": met}}, "rows": rows}, page(rows)
    )


def _round(workload: str, number: int) -> dict[str, dict[str, float]]:
    """Every engine once, each in a folder of its own."""
    made = {}
    with tempfile.TemporaryDirectory(prefix="cytobench-dask-") as folder:
        for place, (name, words) in enumerate(ENGINES.items()):
            where = Path(folder) / str(place)
            where.mkdir()
            made[name] = run([*overrides(workload)[0], *words, "tracking=none"], where)
            cost = f"{made[name]['wall']:.1f} s, {made[name]['cpu']:.1f} s CPU"
            print(f"  {workload}, round {number + 1}, {name}: {cost}", file=sys.stderr, flush=True)
            if predictions(where) != predictions(Path(folder) / "0"):
                raise RuntimeError(f"{name} predicts something else than the serial engine")
    return made


def run(words: Sequence[str], where: Path) -> dict[str, float]:
    """Seconds of wall clock and of CPU, those of workers included that outlive their parent."""
    before, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run(
        [sys.executable, "-m", "cytobench", "run", *words],
        cwd=where, env=environment(), check=True, capture_output=True,
    )  # fmt: skip
    wall = time.perf_counter() - started
    with contextlib.suppress(ChildProcessError):
        while True:
            os.waitpid(-1, 0)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return {"wall": wall, "cpu": used}


def predictions(where: Path) -> dict[tuple[str, int], list[float]]:
    """Cell and fold -> what was predicted."""
    store = RunStore(where / "runs")
    return {
        (key, fold.fold): list(fold.predictions.prediction)
        for entries in store.entries().values()
        for keys in entries.values()
        for key in keys
        for fold in store.read_cell(key).folds
    }


def _compare(rounds: Sequence[dict[str, dict[str, float]]]) -> dict[str, dict[str, float]]:
    """Medians over the rounds, and ratios of wall clock within them."""

    def ratio(name: str, base: str, what: str = "wall") -> float:
        return statistics.median(one[name][what] / one[base][what] for one in rounds)

    return {
        name: {
            "wall": statistics.median(one[name]["wall"] for one in rounds),
            "cpu": statistics.median(one[name]["cpu"] for one in rounds),
            "to joblib": ratio(name, JOBLIB),
            "cpu to joblib": statistics.median(
                one[name]["cpu"] / one[JOBLIB]["cpu"] for one in rounds
            ),
            "times faster than serial": ratio("serial", name),
        }
        for name in ENGINES
    }


def page(rows: dict[str, Any]) -> str:
    """The results as Markdown."""
    parts = [HEAD]
    for workload, made in rows.items():
        parts.append(f"## {workload}\n")
        parts.append(
            "| engine | wall s | CPU s | wall, to joblib's | CPU, to joblib's | times serial |"
        )
        parts.append("|---|---|---|---|---|---|")
        for name, row in made["engines"].items():
            parts.append(
                f"| {name} | {row['wall']:.1f} | {row['cpu']:.1f} | **{row['to joblib']:.2f}** | "
                f"{row['cpu to joblib']:.2f} | "
                f"{row['times faster than serial']:.2f} |"
            )
        one, two = (made["engines"][f"dask, {what}"]["wall"] for what in ("1 worker", "2 workers"))
        parts.append(f"\nTwo Dask workers are {one / two:.2f} times as fast as one.\n")
        parts.append(f"{made['rounds']} rounds; {in_words(made['about'])}\n")
    return "\n".join(parts)


if __name__ == "__main__":
    main()
