"""How far Dask workers scale on this machine: 1, 2 and 4 of them.

    python benchmarks/dask_scaling.py [--rounds 1] [--workload W1-mid]

Whole commands, as in dask_time.py. Beside the wall clock stands the processor time: what it grows
by is what further workers cost, whatever else the machine does.
"""

from __future__ import annotations

import argparse
import ctypes
import os
import statistics
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from dask_time import SUBREAPER, predictions, run
from ours import overrides
from race import about_the_machine, in_words, keep

WORKERS = (1, 2, 4)
COST = ("wall", "cpu")


def main(arguments: Sequence[str] | None = None) -> None:
    """Run with so many workers in turn, and write the page."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--workload", default="W1-mid")
    options = parser.parse_args(arguments)
    ctypes.CDLL(None).prctl(SUBREAPER, 1, 0, 0, 0)  # what orphans used is counted
    loads = [os.getloadavg()[0]]
    rounds = [_round(options.workload) for _ in range(options.rounds)]
    loads.append(os.getloadavg()[0])
    rows = {
        str(workers): {
            what: statistics.median(one[workers][what] for one in rounds) for what in COST
        }
        for workers in WORKERS
    }
    about = about_the_machine()
    lines = [
        "# Scaling of Dask on one machine", "",
        "`python benchmarks/dask_scaling.py` makes this page: whole commands on "
        f"{options.workload}, from an empty process to the board, with the processes of "
        f"`engine=dask engine.workers=N`. The machine has {about['cores']} cores, so that four "
        "workers cannot be faster than two; predictions are equal in every bit.", "",
        "| workers | wall s | times one worker | of the possible | CPU s | CPU, to one worker |",
        "|---|---|---|---|---|---|",
    ]  # fmt: skip
    first = rows[str(WORKERS[0])]
    for workers in WORKERS:
        row = rows[str(workers)]
        faster = first["wall"] / row["wall"]
        possible = min(workers, int(about["cores"]))
        lines.append(
            f"| {workers} | {row['wall']:.1f} | {faster:.2f} | {faster / possible:.0%} | "
            f"{row['cpu']:.1f} | {row['cpu'] / first['cpu']:.2f} |"
        )
    lines += [
        "", f"{options.rounds} rounds, load {loads[0]:.1f} when they began: where it is more than "
        "the number of cores, others had a part of them, and wall clock says little.", "",
        in_words(about),
    ]  # fmt: skip
    content = {"about": about, "workload": options.workload, "loads": loads, "rows": rows}
    keep("dask_scaling", content, "\n".join(lines))


def _round(workload: str) -> dict[int, dict[str, float]]:
    """Every number of workers once, each in a folder of its own."""
    made = {}
    with tempfile.TemporaryDirectory(prefix="cytobench-scaling-") as folder:
        for workers in WORKERS:
            where = Path(folder) / str(workers)
            where.mkdir()
            engine = ("engine=dask", f"engine.workers={workers}", "tracking=none")
            made[workers] = run([*overrides(workload)[0], *engine], where)
            print(f"  {workers} workers: {made[workers]}", file=sys.stderr, flush=True)
            if predictions(where) != predictions(Path(folder) / str(WORKERS[0])):
                raise RuntimeError(f"{workers} workers predict something else than one")
    return made


if __name__ == "__main__":
    main()
