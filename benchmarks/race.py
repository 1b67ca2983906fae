"""Run commands in turn, round after round, and compare what they cost within each round."""

from __future__ import annotations

import json
import os
import platform
import statistics
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
RESULTS = HERE / "results"
ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
PACKAGES = ("numpy", "scikit-learn", "pandas", "optuna", "mlflow", "hydra-core", "joblib", "torch")


@dataclass(frozen=True)
class Runner:
    """A command, and the one of the same round that its cost is divided by."""

    name: str
    command: Sequence[str]
    base: str
    environment: Mapping[str, str]


def environment(own: bool = True) -> dict[str, str]:
    """The environment of a child: one thread each, the benchmark's plugins, this checkout."""
    paths = [str(ROOT), str(HERE)] if own else [str(HERE)]
    return {
        **os.environ,
        **ONE_THREAD,
        "PYTHONPATH": os.pathsep.join(paths),
        "PYTHONWARNINGS": "ignore",
        "CYTOBENCH_PLUGINS": str(HERE / "plugins"),
        "MLFLOW_DISABLE_TELEMETRY": "true",
        "DO_NOT_TRACK": "true",
    }


def last_json(runner: Runner, folder: Path, seconds: float) -> dict[str, Any]:
    """Run a command in a folder and read its last line; the reason, where there is none."""
    try:
        ended = subprocess.run(
            list(runner.command),
            cwd=folder,
            env=dict(runner.environment),
            capture_output=True,
            text=True,
            timeout=seconds,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return {"failed": f"took longer than {seconds:g} s"}
    lines = ended.stdout.strip().splitlines()
    if ended.returncode or not lines:
        said = ended.stderr.strip().splitlines() or ["nothing was said"]
        return {"failed": said[-1][:300]}
    return json.loads(lines[-1])  # type: ignore[no-any-return]


def race(
    runners: Sequence[Runner], rounds: int, fresh: Callable[[], Path], seconds: float = 3600
) -> dict[str, list[dict[str, Any]]]:
    """Each runner once in every round; what failed once is not tried again.

    Parameters
    ----------
    fresh : callable
        Makes the folder that a command runs in.
    """
    runs: dict[str, list[dict[str, Any]]] = {runner.name: [] for runner in runners}
    for number in range(rounds):
        for runner in runners:
            if any("failed" in done for done in runs[runner.name]):
                continue
            done = last_json(runner, fresh(), seconds)
            runs[runner.name].append(done)
            said = done.get("failed") or f"{done['cpu']:.2f} s CPU, {done['wall']:.2f} s"
            print(f"  round {number + 1}, {runner.name}: {said}", file=sys.stderr, flush=True)
    return runs


def compare(
    runners: Sequence[Runner], runs: Mapping[str, Sequence[Mapping[str, Any]]]
) -> list[dict[str, Any]]:
    """Medians over the rounds, and the ratio to the base of the same round."""
    rows = []
    for runner in runners:
        done = runs[runner.name]
        if not done or "failed" in done[-1]:
            reason = done[-1]["failed"] if done else "was not run"
            rows.append({"name": runner.name, "base": runner.base, "failed": reason})
            continue
        ratios = {
            what: [
                one[what] / base[what]
                for one, base in zip(done, runs[runner.base], strict=False)
                if "failed" not in base
            ]
            for what in ("cpu", "wall")
        }
        rows.append(
            {
                "name": runner.name,
                "base": runner.base,
                "rounds": len(done),
                "cpu": statistics.median(one["cpu"] for one in done),
                "wall": statistics.median(one["wall"] for one in done),
                "beside": statistics.median(one.get("beside", 0.0) for one in done),
                "rss_mb": statistics.median(one["rss_mb"] for one in done),
                "cpu_ratio": statistics.median(ratios["cpu"]),
                "cpu_ratio_low": min(ratios["cpu"]),
                "cpu_ratio_high": max(ratios["cpu"]),
                "wall_ratio": statistics.median(ratios["wall"]),
                "auc": done[-1].get("auc", {}),
            }
        )
    return rows


def about_the_machine() -> dict[str, Any]:
    """What a reader of a timing wants to know."""
    commit = subprocess.run(
        ["git", "rev-parse", "--short=12", "HEAD"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    ).stdout.strip()
    return {
        "commit": commit,
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.machine()}",
        "cores": os.cpu_count(),
        "load": round(os.getloadavg()[0], 1),
        "versions": {name: _version(name) for name in PACKAGES},
    }


def _version(name: str) -> str:
    try:
        return version(name)
    except ImportError:
        return "absent"


def in_words(about: Mapping[str, Any]) -> str:
    """The same as a sentence."""
    versions = ", ".join(f"{name} {number}" for name, number in about["versions"].items())
    return (
        f"commit {about['commit']}, Python {about['python']} on {about['system']}, "
        f"{about['cores']} cores (load {about['load']} when it ended); {versions}"
    )


def keep(name: str, content: Mapping[str, Any], text: str) -> None:
    """Write ``results/NAME.json`` and ``.md``."""
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / f"{name}.json").write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    (RESULTS / f"{name}.md").write_text(text.rstrip() + "\n", encoding="utf-8")
