"""T1, T2, T9: what ``cytobench run`` costs beside the floor, the hand loop and the peers.

    python benchmarks/overhead.py [--quick] [--rounds 3] [--workloads W0,W1-light] [--no-peers]

Ratios of CPU seconds within a round, contenders in turn; medians over the rounds.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from contenders import CONTENDERS
from environments import PINS, Uninstallable, python_of, versions_of
from race import (
    HERE,
    RESULTS,
    Runner,
    about_the_machine,
    compare,
    environment,
    in_words,
    keep,
    race,
)

SEARCHED = ("W1", "W1-light", "W1-mid")
EXPENSIVE = ("W1", "W1-mid")
SAME = ("floor", "hand loop", "cytobench", "cytobench, no MLflow", "cytobench, 2 workers")
"""Who fits the same: their AUCs are equal to the last digit."""
BATCHED = ("cytobench, batched", "cytobench, batched, no MLflow")
NEAR = 1e-3
"""How far the AUC of models with a solver may be from the floor's."""
USUAL = ("W0", "W1-light", "W1-mid", "W2")
NOT_COMPARED = {
    "W1-light": ("moabb",),
    "W2": tuple(PINS),
    "W1": tuple(PINS),
    "W1-mid": tuple(PINS),
}
HEAD = """# What the framework costs

`make benchmark` makes this page. CPU seconds, BLAS on one thread; starting Python, importing and a
first tiny run are before the clock, for everybody alike. Every ratio is taken within a round in
which the contenders ran in turn; shown is the median over the rounds, and the range.
"""
EQUAL = """## What is equal, and what is not

- **floor** and **hand loop** repeat what cytobench fitted: the same rows in the same outer and
  inner folds, the same settings, the same refit. Their mean AUC is equal to cytobench's in every
  digit, which the benchmark checks. The floor prepares each split once for all settings and models
  and ranks with numpy; the hand loop clones a scikit-learn pipeline for every fit.
- **cytobench** runs `cytobench run` in the process: configuration, audit of the cohort, tuning in
  Optuna (random sampler), the run store with every prediction, the MLflow mirror with figures and
  report, and the leaderboard. Its store is empty at the start; MLflow's database is there (making
  one is done once in a project).
- MLflow is written by a process beside the run, off its critical path: the CPU of that process is a
  column of its own, *MLflow beside*, and in no ratio. It pays for starting Python and importing
  MLflow anew with every `cytobench run` (W2 is ten of them), and for the numbers, figures and page
  of each cell. **Optuna + MLflow by hand** imports before the clock and writes in its own process.
- **cytobench, batched** is the same with models that declare a solver: all inner fits of all folds
  in one call. The logistic regression's is the bundled one of `ridge`, the support vector machine's
  shares distances between settings; the refits and the test predictions are scikit-learn's. A
  setting that ties within rounding may win in place of another, so the AUC agrees within 0.001,
  which the benchmark checks.
- **scikit-learn, Optuna, skore, julearn** draw their own folds and settings: as many of both, from
  the same spaces. Their AUC differs by that draw.
- Without a search (W0, W2) cytobench chooses each fold's decision threshold on inner out-of-fold
  predictions, three fits beside each outer one. The floor and the hand loop make them too, and
  scikit-learn and skore do the same job with `TunedThresholdClassifierCV`. *no threshold* and
  julearn leave it out and make a quarter of the fits.
- **benchopt** tunes nothing by itself; its solver is scikit-learn's search. **PHOTONAI** scores the
  training folds too, its AUC is that of predicted classes, and it chooses no threshold; nor does
  **MOABB**, whose search is a grid over one list, so that it is in W0 only. PyCaret needs an older
  scikit-learn and does not nest its search; automlbenchmark and drevalpy have protocols of their
  own: they are not compared.
- **Optuna + MLflow by hand** logs parameters and one metric for each fold; no figure, no table.
- Peers with an environment of their own are divided by the floor in that environment.
"""


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the races and write the page."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="W0 and W1-light, one round")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--workloads", default="")
    parser.add_argument("--no-peers", action="store_true", help="none that needs installing")
    parser.add_argument("--only", default="", help="contenders, with semicolons between them")
    options = parser.parse_args(arguments)
    workloads = options.workloads.split(",") if options.workloads else list(USUAL)
    if options.quick:
        workloads, options.rounds = ["W0", "W1-light"], 1
    with tempfile.TemporaryDirectory(prefix="cytobench-benchmark-") as folder:
        template = _prepare(Path(folder), workloads)
        for workload in workloads:
            print(f"{workload}:", file=sys.stderr, flush=True)
            rows = {workload: _race(workload, options, template)}
            if options.quick:
                print(tables(rows), flush=True)
            else:  # at once: the next workload may take an hour
                _keep(rows, options.rounds)


def _prepare(folder: Path, workloads: Sequence[str]) -> Path:
    """A folder with a plan of what is fitted and with MLflow's database, to start each run from."""
    template, scratch = folder / "template", folder / "recorded"
    template.mkdir()
    scratch.mkdir()
    for names, where in ((["tiny"], template), (["tiny", *workloads], scratch)):
        print(f"  recording {' '.join(names)}", file=sys.stderr, flush=True)
        command = [sys.executable, str(HERE / "ours.py"), str(where), *names]
        subprocess.run(command, env=environment(), check=True, capture_output=True)
    shutil.copy(scratch / "plan.json", template)
    for made in ("runs", "mlartifacts"):
        shutil.rmtree(template / made, ignore_errors=True)
    return template


def _race(workload: str, options: argparse.Namespace, template: Path) -> list[dict[str, Any]]:
    runners, missing = _runners(workload, options)
    count = 0

    def fresh() -> Path:
        nonlocal count
        count += 1
        folder = template.parent / f"{workload}-{count}"
        shutil.copytree(template, folder)
        return folder

    rounds = 1 if workload == "W1" else options.rounds
    rows = compare(runners, race(runners, rounds, fresh)) + missing
    answers = {row["name"]: row["auc"] for row in rows if row["name"] in SAME and "auc" in row}
    if any(answer != answers["floor"] for answer in answers.values()):
        print(f"  the AUCs differ: {answers}", file=sys.stderr, flush=True)
    for row in rows:
        if row["name"] in BATCHED and "auc" in row:
            apart = max(abs(auc - answers["floor"][model]) for model, auc in row["auc"].items())
            if apart > NEAR:
                print(f"  {row['name']}: an AUC is {apart:.4f} apart", file=sys.stderr, flush=True)
    return rows


def _runners(
    workload: str, options: argparse.Namespace
) -> tuple[list[Runner], list[dict[str, Any]]]:
    """Who runs a workload, and who cannot, with the reason."""
    chosen = [name for name in CONTENDERS if name not in PINS]
    if workload in SEARCHED:
        chosen.remove("scikit-learn, no threshold")
    if workload in EXPENSIVE:
        few = ("floor", "hand loop", "cytobench", *BATCHED, "cytobench, 2 workers", "scikit-learn")
        chosen = [name for name in chosen if name in few]
    if workload == "W0":
        chosen = [name for name in chosen if "2" not in name]
    if options.only:
        chosen = [name for name in chosen if name in ("floor", *options.only.split(";"))]
    runners = [_runner(name, workload, sys.executable, "floor") for name in chosen]
    missing: list[dict[str, Any]] = []
    for peer in [] if options.no_peers or options.quick or options.only else PINS:
        if peer in NOT_COMPARED.get(workload, ()):
            continue
        try:
            python = str(python_of(peer))
        except Uninstallable as error:
            missing.append({"name": peer, "base": "floor", "failed": str(error)})
            continue
        base = f"floor ({peer})"
        runners += [
            _runner("floor", workload, python, base, base),
            _runner(peer, workload, python, base),
        ]
    return runners, missing


def _runner(name: str, workload: str, python: str, base: str, shown: str = "") -> Runner:
    command = [python, str(HERE / "contenders.py"), name, workload, "."]
    return Runner(shown or name, command, base, environment(own=python == sys.executable))


def tables(rows: dict[str, list[dict[str, Any]]]) -> str:
    """A table for each workload."""
    parts = []
    for workload, found in rows.items():
        parts.append(f"## {workload}\n")
        parts.append(
            "| contender | CPU s | ratio to the floor | MLflow beside | wall s | peak MB | AUC |"
        )
        parts.append("|---|---|---|---|---|---|---|")
        for row in found:
            if "failed" in row:
                parts.append(f"| {row['name']} | – | {row['failed']} | | | | |")
                continue
            aucs = ", ".join(f"{name} {value:.4f}" for name, value in row["auc"].items())
            parts.append(
                f"| {row['name']} | {row['cpu']:.2f} | **{row['cpu_ratio']:.2f}** "
                f"({row['cpu_ratio_low']:.2f} to {row['cpu_ratio_high']:.2f}) | {_beside(row)} | "
                f"{row['wall']:.2f} | {row['rss_mb']:.0f} | {aucs} |"
            )
        parts.append("")
    return "\n".join(parts)


def _beside(row: dict[str, Any]) -> str:
    return f"{row['beside']:.1f} s" if row.get("beside") else ""


def _keep(rows: dict[str, list[dict[str, Any]]], rounds: int) -> None:
    """Write the page; workloads that were not run this time keep what they had."""
    path = RESULTS / "overhead.json"
    before = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {"rows": {}}
    about = about_the_machine()
    raced = {row["name"] for found in rows.values() for row in found if "failed" not in row}
    peers = before.get("peers", {}) | {peer: versions_of(peer) for peer in PINS if peer in raced}
    known = {**before["rows"], **rows}
    stamps = {**before.get("about", {}), **{name: {**about, "rounds": rounds} for name in rows}}
    order = [name for name in ("W0", "W1-light", "W1-mid", "W1", "W2") if name in known]
    ordered = {name: known[name] for name in order}
    when = "\n".join(
        f"- {name}: {stamps[name]['rounds']} rounds; {in_words(stamps[name])}" for name in order
    )
    parts = [HEAD, "![Ratios to the floor](overhead.png)\n", tables(ordered), EQUAL]
    parts += ["## Versions\n", when, *(f"- {versions}" for versions in peers.values())]
    keep("overhead", {"about": stamps, "peers": peers, "rows": ordered}, "\n".join(parts))
    draw(ordered, RESULTS / "overhead.png")


def draw(rows: dict[str, list[dict[str, Any]]], path: Path) -> None:
    """A bar for each contender, on a logarithmic scale; ours in another colour."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    shown = {
        name: [row for row in found if "failed" not in row and not row["name"].startswith("floor")]
        for name, found in rows.items()
    }
    heights = [len(found) + 1 for found in shown.values()]
    figure, axes = pyplot.subplots(
        len(shown),
        1,
        figsize=(8, 0.28 * sum(heights) + 1),
        gridspec_kw={"height_ratios": heights},
        layout="constrained",
        squeeze=False,
    )
    for axis, (workload, found) in zip(axes[:, 0], shown.items(), strict=True):
        found = sorted(found, key=lambda row: row["cpu_ratio"], reverse=True)
        colours = ["C1" if row["name"].startswith("cytobench") else "C0" for row in found]
        bars = axis.barh(
            [row["name"] for row in found], [row["cpu_ratio"] for row in found], color=colours
        )
        axis.bar_label(bars, [f"{row['cpu_ratio']:.2f}" for row in found], padding=3, fontsize=8)
        axis.set_xscale("log")
        axis.axvline(1, color="black", linewidth=0.8)
        axis.set_title(workload, loc="left", fontsize=10)
        axis.margins(x=0.12)
        axis.tick_params(labelsize=8)
    axes[-1, 0].set_xlabel("CPU seconds, relative to the floor")
    figure.savefig(path, dpi=110)
    pyplot.close(figure)


if __name__ == "__main__":
    main()
