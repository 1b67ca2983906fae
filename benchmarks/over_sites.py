"""How often the intervals over left-out sites cover, and what small sites do to the mean AUC.

    python benchmarks/over_sites.py [--replicates 400] [--output benchmarks/results]

Every site is left out in turn; a logistic ridge learns from the others. What is checked is the code
that leaderboards use, ``cytobench.evaluate.meta``, beside the plain t over sites and beside weights
by each site's own variance on the logit scale. Writes a table (Markdown) and the numbers (JSON).
Some two minutes on one core.
"""

from __future__ import annotations

import argparse
import json
import math
from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np
from scipy.special import ndtri, stdtrit
from sklearn.linear_model import LogisticRegression

from cytobench.evaluate.intervals import Estimate, delong
from cytobench.evaluate.meta import auc_over_sites, mean_of_sites, random_effects
from cytobench.evaluate.metrics import auc, brier

SETTINGS = ((6, 20, 0.0), (6, 50, 0.0), (10, 20, 0.0), (6, 50, 0.3))
"""Sites, patients of each, and the SD between sites of each effect of 0.35."""
FEATURES, INFORMATIVE, EFFECT = 20, 5, 0.35
FEWER = [0, 1, *range(INFORMATIVE, 12)]
"""Columns of the other model, of which two tell something."""
SMALL = ((10, 20, 0.8), (10, 20, 0.9), (30, 100, 0.7))
"""Fewest and most patients of a site, and the AUC that each has."""
Floats = np.ndarray


def plain(values: Floats) -> Estimate:
    """The t interval of sites as if their models had nothing in common."""
    mean, se = float(values.mean()), float(values.std(ddof=1)) / math.sqrt(len(values))
    half = float(stdtrit(len(values) - 1, 0.975)) * se
    return Estimate(mean, mean - half, mean + half, "")


def left_out(sites: int, patients: int, spread: float, draw: Any) -> dict[str, Any]:
    """Values of each left-out site, and the intervals over them."""
    effects = np.where(np.arange(FEATURES) < INFORMATIVE, EFFECT, 0.0)
    own = effects + spread * draw.normal(size=(sites, FEATURES)) * (effects > 0)
    X = draw.normal(size=(sites * patients, FEATURES))
    site = np.repeat(np.arange(sites), patients)
    y = (draw.random(len(X)) < 1 / (1 + np.exp(-(X * own[site]).sum(axis=1)))).astype(float)
    tested, aucs, briers, gains = [], [], [], []
    for number in range(sites):
        inside = site == number
        said = [
            LogisticRegression(C=0.1).fit(X[~inside][:, columns], y[~inside])
            .predict_proba(X[inside][:, columns])[:, 1]
            for columns in (list(range(FEATURES)), FEWER)
        ]  # fmt: skip
        tested.append((y[inside], said[0]))
        aucs.append(auc(y[inside], said[0]))
        briers.append(brier(y[inside], said[0]))
        gains.append(aucs[-1] - auc(y[inside], said[1]))
    values = {
        "AUC": np.array(aucs),
        "Brier score": np.array(briers),
        "gain in AUC": np.array(gains),
    }
    values = {name: each[~np.isnan(each)] for name, each in values.items()}
    sizes = (sites - 1, 1)
    summary = auc_over_sites(tested)
    found = {(name, "plain t"): plain(each) for name, each in values.items()}
    found |= {(name, "printed"): mean_of_sites(each, *sizes) for name, each in values.items()}
    if summary is not None:
        found["AUC", "printed"] = summary.mean
    return {"means": {name: float(each.mean()) for name, each in values.items()}, "found": found}


def coverage(replicates: int) -> list[dict[str, Any]]:
    """Share of cohorts whose interval holds the mean over all cohorts of a setting."""
    rows = []
    for sites, patients, spread in SETTINGS:
        draw = np.random.default_rng([sites, patients, round(10 * spread)])
        runs = [left_out(sites, patients, spread, draw) for _ in range(replicates)]
        for name in ("AUC", "Brier score", "gain in AUC"):
            truth = float(np.mean([run["means"][name] for run in runs]))
            covered: dict[str, float] = {}
            for method in ("plain t", "printed"):
                ends = [run["found"][name, method] for run in runs]
                inside = [e.low <= truth <= e.high for e in ends if e.low is not None]
                covered[method] = float(np.mean(inside))
            rows.append({"sites": sites, "patients": patients, "spread": spread, "number": name,
                         "truth": truth, **covered})  # fmt: skip
    return rows


def by_own_variance(tested: list[tuple[Floats, Floats]]) -> float:
    """Random effects on the logit scale; sites with an AUC of 0 or 1 have no variance there."""
    pairs = [delong(y, score) for y, score in tested]
    kept = [(a, v) for a, v in pairs if 0 < a < 1 and v > 0]
    found = random_effects(
        [math.log(a / (1 - a)) for a, _ in kept], [v / (a * (1 - a)) ** 2 for a, v in kept]
    )
    return float("nan") if found is None else 1 / (1 + math.exp(-found.mean.value))


def small_sites(replicates: int) -> list[dict[str, Any]]:
    """Mean summary of eight sites whose AUC is known, three patients in ten with the outcome."""
    rows = []
    for fewest, most, true in SMALL:
        draw = np.random.default_rng([fewest, most, round(10 * true)])
        means = defaultdict(list)
        for _ in range(replicates):
            tested = []
            for patients in draw.integers(fewest, most + 1, 8):
                y = (draw.random(patients) < 0.3).astype(float)
                tested.append((y, draw.normal(size=patients) + math.sqrt(2) * ndtri(true) * y))
            summary = auc_over_sites(tested)
            means["printed"].append(float("nan") if summary is None else summary.mean.value)
            means["own"].append(by_own_variance(tested))
        rows.append({"fewest": fewest, "most": most, "truth": true,
                     **{name: float(np.nanmean(each)) for name, each in means.items()},
                     "none": float(np.isnan(means["own"]).mean())})  # fmt: skip
    return rows


def page(covered: list[dict[str, Any]], small: list[dict[str, Any]], replicates: int) -> str:
    """The results in words and tables."""
    lines = [
        "# Intervals over left-out sites",
        "",
        f"{replicates} simulated cohorts a row; Monte-Carlo standard error of a coverage of 0.93: "
        f"{math.sqrt(0.93 * 0.07 / replicates):.3f}. Logistic ridge, {FEATURES} analytes, five of "
        "them weak; the models of two sites share most of their training patients.",
        "",
        "Made by `python benchmarks/over_sites.py`.",
        "",
        "| sites x patients | SD of effects | number | its mean | plain t over sites | printed |",
        "|---|---|---|---|---|---|",
        *(
            f"| {r['sites']} x {r['patients']} | {r['spread']:g} | {r['number']} | "
            f"{r['truth']:.3f} | {r['plain t']:.3f} | {r['printed']:.3f} |"
            for r in covered
        ),
        "",
        "## The mean AUC of eight small sites",
        "",
        "Weights by each site's own variance, on the logit scale, leave out the sites whose AUC is "
        "0 or 1; with fewer than five left there is no summary.",
        "",
        "| patients of a site | AUC | printed | by own variances | of these without a summary |",
        "|---|---|---|---|---|",
        *(
            f"| {r['fewest']} to {r['most']} | {r['truth']:.3f} | {r['printed']:.3f} | "
            f"{r['own']:.3f} | {r['none']:.0%} |"
            for r in small
        ),
    ]
    return "\n".join(lines) + "\n"


def main() -> None:
    """Simulate and write."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--replicates", type=int, default=400)
    parser.add_argument("--output", type=Path, default=Path(__file__).parent / "results")
    asked = parser.parse_args()
    covered, small = coverage(asked.replicates), small_sites(asked.replicates)
    numbers = {"replicates": asked.replicates, "coverage": covered, "small_sites": small}
    (asked.output / "over_sites.json").write_text(json.dumps(numbers, indent=1) + "\n")
    (asked.output / "over_sites.md").write_text(page(covered, small, asked.replicates))


if __name__ == "__main__":
    main()
