"""benchopt: the benchmark in ``benchopt_nested``; its results file, no plot, no cache."""

from __future__ import annotations

import contextlib
import io
import os
import shutil
from pathlib import Path
from tempfile import TemporaryDirectory

import pandas as pd
from benchopt.cli.main import run as benchopt_run
from workload import MODELS, shape_of

HERE = Path(__file__).parent


def run(workload: str, folder: Path) -> dict[str, float]:
    """One process."""
    os.environ["PYTHONPATH"] = os.pathsep.join([str(HERE), os.environ.get("PYTHONPATH", "")])
    with TemporaryDirectory(dir=folder) as scratch:
        bench = Path(scratch) / "bench"
        shutil.copytree(HERE / "benchopt_nested", bench)
        asked = [str(bench), "--no-display", "--no-timeout", "--no-plot", "--no-cache"]
        asked += ["--output", "found", "-o", f"Nested CV[workload={workload}]"]
        for number in range(len(shape_of(workload).cohorts)):
            asked += ["-d", f"Cohort[workload={workload},number={number}]"]
        for name in MODELS[workload]:
            for strength in shape_of(workload).strengths:
                trials = shape_of(workload).trials
                asked += ["-s", f"tuned[model={name},trials={trials},strength={strength}]"]
        with contextlib.redirect_stdout(io.StringIO()):
            benchopt_run(asked, standalone_mode=False)
        found = pd.read_parquet(next((bench / "outputs").glob("*.parquet")))
    model = found["solver_name"].str.extract(r"model=(\w+)", expand=False)
    return {
        str(name): float(value)
        for name, value in found.groupby(model)["objective_auc"].mean().items()
    }
