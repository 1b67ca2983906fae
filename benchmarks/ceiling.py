"""Does a well-specified model approach the Bayes-optimal AUC, and does nothing exceed it?

    python benchmarks/ceiling.py [--replicates 3] [--workers 2] [--output benchmarks/results]

No marker moderates the treatment in `sim_preddict`, and the assay is made exact, so that a linear
model is right in kind. A model is tuned and fitted by the framework's own fold on n simulated
patients and tested on 10,000 others of the same simulation, whose truth is known. Writes a table
(Markdown), the numbers (JSON) and a figure. Some five minutes on two cores.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from joblib import Parallel, delayed

from cytobench.config import compose_jobs
from cytobench.evaluate.intervals import delong
from cytobench.evaluate.metrics import auc
from cytobench.run.cells import Bench, Cell, LoadedCell, load_cell, load_cohort
from cytobench.run.fold import run_fold
from cytobench.splits.plan import Split, SplitPlan

SIZES = (100, 200, 400, 800, 1600, 3200)
MODELS = ("elastic_net", "random_forest", "clinical_only")
LABELS = {
    "elastic_net": "elastic net (well specified)",
    "random_forest": "random forest",
    "clinical_only": "clinical data only",
}
TEST = 10_000
EFFECT = 2.0
"""Marker effects twice their published size, so that there is something to learn."""


def one(model: str, n: int, replicate: int) -> dict[str, Any]:
    """AUC of one model trained on n patients, and of the truth on the same test patients."""
    overrides = [
        "dataset=sim_preddict", f"dataset.n={TEST + 2 * n}", f"dataset.effect={EFFECT}",
        "dataset.noise=0", "dataset.plate_shift=0", "dataset.missing=0",
        f"dataset.seed={1000 + replicate}", "dataset.dropout=0", f"model={model}",
        "protocol=holdout", "protocol.inner_folds=3", "tuning.trials=6", "tracking=none",
    ]  # fmt: skip
    (config,) = compose_jobs(overrides)
    cell = Cell("benchmark", "ceiling", config)
    asked = load_cell(cell)
    cohort = load_cohort(config["dataset"], None)
    rows = asked.bench.target.known
    drawn = np.random.default_rng([replicate, n]).permutation(rows)
    split = Split(0, 0, np.sort(drawn[:n]), np.sort(drawn[-TEST:]))
    plan = SplitPlan("holdout", "new patients", [split], 3)
    loaded: LoadedCell = replace(asked, bench=Bench(cohort, asked.bench.target, plan))
    result = run_fold(loaded, 0, b"benchmark").predictions
    return {
        "model": model, "n": n, "replicate": replicate,
        "auc": auc(result.y, result.prediction), "bayes": auc(result.y, result.truth),
        "se": float(np.sqrt(delong(result.y, result.prediction)[1])),
    }  # fmt: skip


def summarise(found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Mean, spread over replicates, and how often a model beat the truth."""
    rows = []
    for model in MODELS:
        for n in SIZES:
            part = [item for item in found if (item["model"], item["n"]) == (model, n)]
            if not part:
                continue
            values = np.array([item["auc"] for item in part])
            gap = np.array([item["bayes"] - item["auc"] for item in part])
            beyond = [item["auc"] - 1.96 * item["se"] > item["bayes"] for item in part]
            rows.append(
                {
                    "model": model, "n": n, "replicates": len(part), "auc": values.mean(),
                    "sd": values.std(ddof=1), "bayes": values.mean() + gap.mean(),
                    "gap": gap.mean(), "gap_se": gap.std(ddof=1) / np.sqrt(len(gap)),
                    "beyond_its_interval": int(np.sum(beyond)),
                }
            )  # fmt: skip
    return rows


def draw(rows: list[dict[str, Any]], path: Path) -> None:
    """AUC against n, with the truth above."""
    import matplotlib as mpl

    mpl.use("Agg")
    import matplotlib.pyplot as plt

    styles = ("o-", "s--", "d:")
    figure, axes = plt.subplots(figsize=(6.4, 4.2), layout="constrained")
    for model, style, colour in zip(MODELS, styles, ("#0072B2", "#D55E00", "#555555"),
                                    strict=True):  # fmt: skip
        part = [row for row in rows if row["model"] == model]
        axes.errorbar(
            [row["n"] for row in part], [row["auc"] for row in part],
            yerr=[1.96 * row["sd"] / np.sqrt(row["replicates"]) for row in part],
            fmt=style, color=colour, capsize=2, markersize=5, label=LABELS[model],
        )  # fmt: skip
    bayes = float(np.mean([row["bayes"] for row in rows]))
    axes.axhline(bayes, color="black", linewidth=1)
    axes.text(SIZES[0], bayes + 0.003, f"truth (Bayes-optimal), {bayes:.3f}", fontsize=9)
    axes.set(
        xscale="log", xticks=SIZES, xticklabels=[str(n) for n in SIZES],
        xlabel="patients to train on (logarithmic)", ylabel=f"AUC on {TEST:,} other patients",
    )  # fmt: skip
    axes.minorticks_off()
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False, loc="lower right", fontsize=9)
    figure.savefig(path, dpi=150)


def table(rows: list[dict[str, Any]], replicates: int) -> str:
    """The numbers as Markdown."""
    lines = [
        "# How close models come to what can be known",
        "",
        f"`sim_preddict` without assay error (a linear model is right in kind), marker effects x "
        f"{EFFECT:g}, {replicates} replicates; tuned with 6 "
        f"trials in 3 inner folds, tested on {TEST:,} other patients. Made by "
        "`python benchmarks/ceiling.py`.",
        "",
        "| model | n | AUC | truth | gap (SE) | above the truth by more than its interval |",
        "|---|---|---|---|---|---|",
    ]
    lines += [
        f"| {LABELS[row['model']]} | {row['n']} | {row['auc']:.3f} | {row['bayes']:.3f} | "
        f"{row['gap']:.3f} ({row['gap_se']:.3f}) | {row['beyond_its_interval']} of "
        f"{row['replicates']} |"
        for row in rows
    ]
    return "\n".join(lines) + "\n"


def main() -> None:
    """Run all, write all."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--replicates", type=int, default=3)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--output", type=Path, default=Path("benchmarks/results"))
    arguments = parser.parse_args()
    jobs = [
        (model, n, replicate)
        for n in SIZES
        for replicate in range(arguments.replicates)
        for model in MODELS
    ]
    found = Parallel(n_jobs=arguments.workers, verbose=1)(delayed(one)(*job) for job in jobs)
    rows = summarise(found)
    arguments.output.mkdir(parents=True, exist_ok=True)
    (arguments.output / "ceiling.json").write_text(json.dumps(found, indent=1) + "\n")
    (arguments.output / "ceiling.md").write_text(table(rows, arguments.replicates))
    draw(rows, arguments.output / "ceiling.png")
    print(table(rows, arguments.replicates))


if __name__ == "__main__":
    main()
