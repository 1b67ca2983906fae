"""T6: a nested permutation test through the command line. ``python benchmarks/permutation_time.py``

200 permutations of ridge logistic regression, about 300 patients, 5 x 2 outer folds, 3 inner, 20
trials, on 2 workers: 2010 folds tuned, stored and ranked. Wall time of the whole command; CPU time
of it and its workers.
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from cytobench.run.provenance import versions

SETTING = (
    "dataset=sim_inflamed_mdd dataset.n=370 model=ridge floors=[] protocol.repeats=2 "
    "protocol.inner_folds=3 tuning.trials=20 engine.workers=2 tracking=none"
)


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


def main() -> list[Row]:
    """Measure, print and return the rows."""
    permutations = int(sys.argv[1]) if len(sys.argv) > 1 else 200
    rows = [measure(sampler, permutations) for sampler in ("tpe", "random")]
    print("| sampler | permutations | wall, s | CPU, s |\n|---|---|---|---|")
    for row in rows:
        print(row)
    found = versions()
    print(f"\n{', '.join(f'{name} {found[name]}' for name in sorted(found))}")
    print(f"command: python {' '.join(sys.argv)}; cytobench run {SETTING}")
    return rows


if __name__ == "__main__":
    main()
