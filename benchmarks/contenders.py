"""Everybody who carries a workload out, each in a process of its own.

    python benchmarks/contenders.py CONTENDER WORKLOAD FOLDER

Starting Python, importing and a first tiny run come before the clock, for everybody alike. The
last line printed is JSON: seconds of CPU (of this process and its workers) and of wall clock, the
peak of resident memory in MB, the mean AUC of each model over the outer folds, and for cytobench
the seconds of CPU of the process beside it that writes MLflow, which are not among the first.

``floor`` and ``hand loop`` repeat exactly what cytobench fitted (FOLDER/plan.json): same rows, same
settings. The others draw their own folds and settings, as many of them from the same space.
"""

from __future__ import annotations

import importlib
import json
import os
import resource
import sys
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

Aucs = dict[str, float]
TINY = "tiny"
"""The workload that warms a process up: one cohort of its own, two folds, two settings."""

CONTENDERS = {
    "floor": "by_hand:floor",
    "hand loop": "by_hand:hand_loop",
    "cytobench": "ours:serial",
    "cytobench, no MLflow": "ours:unmirrored",
    "cytobench, batched": "ours:batched",
    "cytobench, batched, no MLflow": "ours:batched_unmirrored",
    "cytobench, 2 workers": "ours:two_workers",
    "scikit-learn": "peer_sklearn:one_job",
    "scikit-learn, no threshold": "peer_sklearn:no_threshold",
    "scikit-learn, 2 outer jobs": "peer_sklearn:two_outer_jobs",
    "scikit-learn, 2 inner jobs": "peer_sklearn:two_inner_jobs",
    "Optuna by hand": "peer_optuna:bare",
    "Optuna + MLflow by hand": "peer_optuna:mirrored",
    "benchopt": "peer_benchopt:run",
    "julearn": "peer_julearn:run",
    "moabb": "peer_moabb:run",
    "photonai": "peer_photonai:run",
    "skore": "peer_skore:run",
}

MIRRORED = ("cytobench", "cytobench, batched")
"""Whose only other process is the one that writes MLflow."""


def contender(name: str) -> Callable[[str, Path], Aucs | Callable[[], Aucs]]:
    """The function that carries a workload out in a folder."""
    module, _, function = CONTENDERS[name].partition(":")
    return getattr(importlib.import_module(module), function)  # type: ignore[no-any-return]


def cpu() -> float:
    """Seconds of CPU so far: of this process, of its ended children and of its living ones."""
    ended = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + ended.ru_utime + ended.ru_stime + sum(map(_cpu_of, _living()))


def _living() -> list[int]:
    """Descendants that are alive; none where the system has no /proc."""
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
        except (OSError, IndexError):
            continue  # ended meanwhile
        children.setdefault(parent, []).append(int(entry.name))
    found, queue = [], [os.getpid()]
    while queue:
        queue += (next_ones := children.get(queue.pop(), []))
        found += next_ones
    return found


def _cpu_of(process: int) -> float:
    try:
        fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return sum(map(int, fields[11:15])) / os.sysconf("SC_CLK_TCK")


def main() -> None:
    """Warm up, run, and say what it cost."""
    name, workload, folder = sys.argv[1], sys.argv[2], Path(sys.argv[3]).resolve()
    warnings.filterwarnings("ignore")
    run = contender(name)
    run(TINY, folder)
    wall, used, own = time.perf_counter(), cpu(), time.process_time()
    answer = run(workload, folder)
    spent, beside = cpu() - used, 0.0
    if name in MIRRORED:
        own = time.process_time() - own
        spent, beside = own, spent - own
    cost: dict[str, Any] = {"cpu": spent, "wall": time.perf_counter() - wall, "beside": beside}
    # Reading our store again for the parity check is no part of the work.
    aucs = answer() if callable(answer) else answer
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({**cost, "rss_mb": peak, "auc": aucs}), flush=True)


if __name__ == "__main__":
    main()
