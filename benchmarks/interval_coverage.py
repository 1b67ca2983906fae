"""How often the printed interval covers, and how often equals are called different.

    python benchmarks/interval_coverage.py [--replicates 2000] [--output benchmarks/results]

Simulated cohorts with known truth (``interval_simulation.py``); what is checked is the code that
leaderboards use, ``cytobench.evaluate.intervals``, beside the usual alternatives. Writes a table
(Markdown), the numbers (JSON) and a figure. Some forty minutes on one core.
"""

from __future__ import annotations

import argparse
import json
import math
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path

import numpy as np
from interval_simulation import (
    NOTHING,
    RARE,
    STRONG,
    WEAK,
    World,
    cross_validate,
    fold_aucs,
    fold_briers,
    refit_bootstrap,
)
from scipy.special import stdtr, stdtrit

from cytobench.evaluate.intervals import (
    INFLATION,
    Estimate,
    corrected_t,
    delong,
    delong_logit,
    holm,
    nadeau_bengio,
    nadeau_bengio_logit,
    out_of_bag,
    repeated,
    repeated_auc,
)
from cytobench.leaderboard.rank import ALPHA

SIZES = (60, 120, 300)
WORLDS = (WEAK, STRONG, RARE, NOTHING)
PRINTED = f"printed by default: larger variance x {INFLATION:g}"


def naive(values: np.ndarray) -> Estimate:
    """The fold t that treats overlapping folds as independent."""
    mean, se = float(values.mean()), float(values.std(ddof=1)) / math.sqrt(len(values))
    half = float(stdtrit(len(values) - 1, 0.975)) * se
    return Estimate(mean, mean - half, mean + half, "")


def coverage(
    world: World, n: int, replicates: int, *, folds: int, repeats: int, tuned: bool, seed: int
) -> dict[str, dict[str, float]]:
    """Share of replicates in which each interval holds the expected AUC at n patients."""
    rng = np.random.default_rng([seed, n])
    found: dict[str, list[Estimate]] = defaultdict(list)
    truths = []
    for _ in range(replicates):
        replicate = cross_validate(world, n, rng, folds=folds, repeats=repeats, tuned=tuned)
        values = fold_aucs(replicate).ravel()
        sizes = (n * (1 - 1 / folds), n / folds)
        pooled = [delong(replicate.y, score) for score in replicate.score[0]]
        found["naive t over folds"].append(naive(values))
        found["Nadeau-Bengio t"].append(nadeau_bengio(values, *sizes))
        found["Nadeau-Bengio t, logit"].append(nadeau_bengio_logit(values, *sizes))
        found["DeLong, one repeat, logit"].append(delong_logit(replicate.y, replicate.score[0, 0]))
        found[PRINTED].append(repeated_auc(values, [v for _, v in pooled], *sizes))
        truths.append(replicate.auc_at_n[0])
    return _summary(found, float(np.mean(truths)))


def refitted(world: World, n: int, replicates: int, seed: int) -> dict[str, dict[str, float]]:
    """The same for the refit bootstrap (``protocol=bootstrap``)."""
    rng = np.random.default_rng([seed, n])
    pairs = [refit_bootstrap(world, n, rng) for _ in range(replicates)]
    estimates = [out_of_bag(values) for values, _ in pairs]
    truth = float(np.mean([truth for _, truth in pairs]))
    return _summary({"refit bootstrap, out-of-bag percentiles": estimates}, truth)


def _summary(found: dict[str, list[Estimate]], truth: float) -> dict[str, dict[str, float]]:
    summary = {}
    for method, estimates in found.items():
        ends = np.array([(e.low, e.high) for e in estimates if e.low is not None])
        covered = (ends[:, 0] <= truth) & (truth <= ends[:, 1])
        summary[method] = {
            "coverage": float(covered.mean()),
            "width": float(np.diff(ends).mean()),
            "bias": float(np.mean([e.value for e in estimates]) - truth),
            "without": len(estimates) - len(ends),
        }
    return summary


def differences(world: World, n: int, replicates: int, seed: int) -> dict[str, dict[str, float]]:
    """Coverage of the interval of added value: all analytes against the first ten."""
    rng = np.random.default_rng([seed, n, 1])
    blocks = [range(len(world.effects)), range(3, 13)]
    found: dict[str, list[Estimate]] = defaultdict(list)
    truths = []
    for _ in range(replicates):
        replicate = cross_validate(world, n, rng, blocks=blocks)
        gap = (fold_aucs(replicate, 0) - fold_aucs(replicate, 1)).ravel()
        found["naive t over folds"].append(naive(gap))
        found["printed by default: Nadeau-Bengio t"].append(nadeau_bengio(gap, 0.8 * n, 0.2 * n))
        truths.append(replicate.auc_at_n[0] - replicate.auc_at_n[1])
    return _summary(found, float(np.mean(truths)))


def brier(world: World, n: int, replicates: int, seed: int) -> dict[str, dict[str, float]]:
    """Coverage of the interval of the Brier score."""
    rng = np.random.default_rng([seed, n, 2])
    found: dict[str, list[Estimate]] = defaultdict(list)
    truths = []
    for _ in range(replicates):
        replicate = cross_validate(world, n, rng)
        values = fold_briers(replicate).ravel()
        found["naive t over folds"].append(naive(values))
        found["Nadeau-Bengio t"].append(nadeau_bengio(values, 0.8 * n, 0.2 * n))
        said = 1 / (1 + np.exp(-replicate.score[0]))
        each = ((said - replicate.y) ** 2).mean(axis=0)
        found[f"printed by default: larger of two variances x {INFLATION:g}"].append(
            repeated(values, float(each.var(ddof=1)) / n, 0.8 * n, 0.2 * n)
        )
        truths.append(replicate.brier_at_n[0])
    return _summary(found, float(np.mean(truths)))


def equals(models: int, n: int, replicates: int, repeats: int, seed: int) -> dict[str, float]:
    """How often a rule calls any of several equally good models worse than the best one."""
    world = World("equal blocks", ([0.3] * 2 + [0.0] * 3) * models, correlation=0.2)
    blocks = [range(5 * k, 5 * k + 5) for k in range(models)]
    rng = np.random.default_rng([seed, n, models, repeats])
    declared: dict[str, list[bool]] = defaultdict(list)
    sizes = (0.8 * n, 0.2 * n)
    rules: dict[str, Callable[[list[np.ndarray], np.ndarray], bool]] = {
        "naive paired t, p < 0.05": lambda others, best: (
            min(_naive_p(best - other) for other in others) < 0.05
        ),
        "Nadeau-Bengio, Holm, p < 0.05": lambda others, best: (
            min(holm([corrected_t(best, other, *sizes)[1] for other in others])) < 0.05
        ),
        f"the leaderboard's rule: Nadeau-Bengio, Holm, p < {ALPHA}": lambda others, best: (
            min(holm([corrected_t(best, other, *sizes)[1] for other in others])) < ALPHA
        ),
    }
    for _ in range(replicates):
        replicate = cross_validate(world, n, rng, blocks=blocks, repeats=repeats)
        values = [fold_aucs(replicate, k).ravel() for k in range(models)]
        values.sort(key=lambda one: -one.mean())
        for name, rule in rules.items():
            declared[name].append(rule(values[1:], values[0]))
    return {name: float(np.mean(said)) for name, said in declared.items()}


def _naive_p(difference: np.ndarray) -> float:
    se = difference.std(ddof=1) / math.sqrt(len(difference))
    return float(2 * stdtr(len(difference) - 1, -abs(difference.mean()) / se))


def study(replicates: int) -> dict[str, object]:
    """Everything that the table and the figure show."""
    found: dict[str, object] = {"replicates": replicates}
    found["coverage"] = {
        world.name: {
            str(n): coverage(world, n, replicates, folds=5, repeats=10, tuned=False, seed=1)
            | refitted(world, n, min(replicates, 400), seed=2)
            for n in SIZES
        }
        for world in WORLDS
    }
    found["tuned inside each fold"] = {
        str(n): coverage(WEAK, n, min(replicates, 400), folds=5, repeats=10, tuned=True, seed=3)
        for n in SIZES
    }
    found["ten folds, five repeats"] = {
        str(n): coverage(WEAK, n, replicates, folds=10, repeats=5, tuned=False, seed=4)
        for n in SIZES
    }
    found["five folds, two repeats"] = {
        str(n): coverage(WEAK, n, replicates, folds=5, repeats=2, tuned=False, seed=5)
        for n in SIZES
    }
    found["difference of two models"] = {
        world.name: {str(n): differences(world, n, replicates, seed=6) for n in SIZES}
        for world in (WEAK, STRONG)
    }
    found["Brier score"] = {
        world.name: {str(n): brier(world, n, replicates, seed=8) for n in SIZES}
        for world in (WEAK, STRONG, RARE)
    }
    found["equally good models"] = {
        f"{models} models, {repeats} repeats of 5 folds": {
            str(n): equals(models, n, replicates, repeats, seed=7) for n in SIZES
        }
        for models, repeats in ((2, 10), (2, 2), (8, 10))
    }
    return found


def to_markdown(found: dict) -> str:
    """The tables, with what they mean."""
    lines = [
        "# Coverage of intervals, and equals called different",
        "",
        f"{found['replicates']} simulated cohorts a cell (400 for the refit bootstrap and the "
        "tuned model); Monte-Carlo standard error of a coverage of 0.93: "
        f"{math.sqrt(0.93 * 0.07 / found['replicates']):.3f} (400: 0.013). 95 % intervals of the "
        "AUC that a logistic ridge reaches on average when trained on n patients. Coverage / mean "
        "width.",
        "",
        "Made by `python benchmarks/interval_coverage.py`.",
    ]

    def block(title: str, by_size: dict) -> None:
        lines.extend(
            [
                "",
                f"## {title}",
                "",
                "| interval | " + " | ".join(f"n = {n}" for n in by_size) + " |",
            ]
        )
        lines.append("|---" * (1 + len(by_size)) + "|")
        for method in next(iter(by_size.values())):
            shown = [
                f"{cell[method]['coverage']:.3f} / {cell[method]['width']:.2f}"
                for cell in by_size.values()
            ]
            lines.append(f"| {method} | " + " | ".join(shown) + " |")

    for world, by_size in found["coverage"].items():
        block(f"{world}; 10 repeats of 5 folds", by_size)
    for title in ("tuned inside each fold", "ten folds, five repeats", "five folds, two repeats"):
        block(f"{WEAK.name}; {title}", found[title])
    for world, by_size in found["difference of two models"].items():
        block(f"Difference of AUC between two models; {world}", by_size)
    for world, by_size in found["Brier score"].items():
        block(f"Brier score; {world}", by_size)
    lines += ["", "## Equally good models called different", ""]
    for design, by_size in found["equally good models"].items():
        lines += [f"{design}:", "", "| rule | " + " | ".join(f"n = {n}" for n in by_size) + " |"]
        lines.append("|---" * (1 + len(by_size)) + "|")
        for rule in next(iter(by_size.values())):
            lines.append(
                f"| {rule} | " + " | ".join(f"{cell[rule]:.3f}" for cell in by_size.values()) + " |"
            )
        lines.append("")
    lines += [
        "## What the printed interval misses",
        "",
        "- It is calibrated on logistic ridges and normal analytes; the factor is no theorem. "
        "Of the larger, the mean and either of the two variances, the larger was the narrowest "
        "that reached 0.92 everywhere: at a factor of 1.25 on the margin (one cell fell to 0.919 "
        "with 1,000 cohorts), at 1.35 with room for error.",
        "- Where the model is strong, or repeats are few, it is wider than it need be.",
        "- Cross-validation trains on fewer than n patients: the estimate is biased downwards, by "
        f"{abs(found['coverage'][WEAK.name]['60'][PRINTED]['bias']):.3f} at n = 60.",
        "- It speaks about the same population. Another hospital, another assay: nothing.",
    ]
    return "\n".join(lines) + "\n"


def draw(found: dict, path: Path) -> None:
    """Coverage against n, one panel for each world."""
    from matplotlib.figure import Figure

    methods = {
        "naive t over folds": ("#8a94a0", "X", ":"),
        "Nadeau-Bengio t": ("#56b4e9", "s", "--"),
        "DeLong, one repeat, logit": ("#e69f00", "^", "-."),
        "refit bootstrap, out-of-bag percentiles": ("#009e73", "D", (0, (5, 1))),
        PRINTED: ("#1d2733", "o", "-"),
    }
    figure = Figure(figsize=(11, 3.6), layout="constrained")
    panels = figure.subplots(1, len(found["coverage"]), sharey=True)
    for axes, (world, by_size) in zip(panels, found["coverage"].items(), strict=True):
        axes.axhspan(0.92, 1, color="#eef3f8")
        axes.axhline(0.95, color="#8a94a0", linewidth=0.8)
        for method, (colour, marker, line) in methods.items():
            axes.plot(
                range(len(by_size)),
                [cell[method]["coverage"] for cell in by_size.values()],
                color=colour,
                marker=marker,
                linestyle=line,
                label=method,
            )
        axes.set_title(world, fontsize=9, loc="left")
        axes.set_xticks(range(len(by_size)), [f"n = {n}" for n in by_size])
        axes.set_ylim(0.25, 1.01)
        axes.spines[["top", "right"]].set_visible(False)
    panels[0].set_ylabel("coverage of the 95 % interval")
    figure.legend(
        *panels[0].get_legend_handles_labels(),
        loc="outside lower center",
        ncols=3,
        fontsize=9,
        frameon=False,
    )
    figure.savefig(path, dpi=150, metadata={"Software": None})


def main() -> None:
    """Run the study and write its results."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--replicates", type=int, default=2000)
    parser.add_argument("--output", type=Path, default=Path(__file__).parent / "results")
    options = parser.parse_args()
    options.output.mkdir(parents=True, exist_ok=True)
    found = study(options.replicates)
    text = json.dumps(found, indent=1)
    (options.output / "interval_coverage.json").write_text(text + "\n", encoding="utf-8")
    (options.output / "interval_coverage.md").write_text(to_markdown(found), encoding="utf-8")
    draw(found, options.output / "interval_coverage.png")
    print(to_markdown(found))


if __name__ == "__main__":
    main()
