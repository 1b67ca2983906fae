"""T6: a nested permutation test through the command line. ``python benchmarks/permutation_time.py``

200 permutations of ridge logistic regression, about 300 patients, 5 x 2 outer folds, 3 inner, 20
trials, on 2 workers: 2010 folds tuned, stored and ranked. Wall time of the whole command; CPU time
of it and its workers.
"""

from __future__ import annotations

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from race import about_the_machine, in_words, keep

SETTING = (
    "dataset=sim_inflamed_mdd dataset.n=370 model=ridge floors=[] protocol.repeats=2 "
    "protocol.inner_folds=3 tuning.trials=20 engine.workers=2 tracking=none"
)
PERMUTATIONS = 200
LIMIT = 60
"""Seconds, on two cores."""


@dataclass(frozen=True)
class Row:
    """Seconds of one permutation test."""

    sampler: str
    permutations: int
    wall: float
    cpu: float

    def __str__(self) -> str:
        return f"| {self.sampler} | {self.permutations} | {self.wall:.1f} | {self.cpu:.1f} |"


def measure(sampler: str, permutations: int) -> Row:
    """Run the command in an empty folder."""
    words = [*SETTING.split(), f"tuning={sampler}", f"permutations={permutations}"]
    root = str(Path(__file__).resolve().parents[1])
    environment = {**os.environ, "PYTHONPATH": root, "NO_COLOR": "1"}
    with tempfile.TemporaryDirectory() as folder:
        before, begun = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
        subprocess.run(
            [sys.executable, "-m", "cytobench", "run", *words],
            cwd=folder,
            env=environment,
            check=True,
            stdout=subprocess.DEVNULL,
        )
        wall = time.perf_counter() - begun
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Row(sampler, permutations, wall, cpu)


def main() -> None:
    """Measure, print and keep the rows."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--permutations", type=int, default=PERMUTATIONS)
    options = parser.parse_args()
    rows = [measure(sampler, options.permutations) for sampler in ("tpe", "random")]
    about = about_the_machine()
    lines = [
        "# A nested permutation test\n",
        "| sampler | permutations | wall, s | CPU, s |\n|---|---|---|---|",
        *map(str, rows),
        f"\nThe whole command, its start and two workers included: `cytobench run {SETTING}`.\n",
        f"Made by `python benchmarks/permutation_time.py`; {in_words(about)}",
    ]
    print("\n".join(lines))
    if options.permutations < PERMUTATIONS:
        return
    measured = ", ".join(f"{row.wall:.0f} s ({row.sampler})" for row in rows)
    met = all(row.wall < LIMIT for row in rows)
    content = {
        "about": about,
        "targets": {"T6": {"measured": measured, "met": met}},
        "rows": [asdict(row) for row in rows],
    }
    keep("permutation_time", content, "\n".join(lines))


if __name__ == "__main__":
    main()
