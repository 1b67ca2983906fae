"""A plan for a suite of 1,000 cells x 1,000 folds, by simulation with measured costs.

    python benchmarks/cluster_plan.py [--measure]

Each worker is followed from fold to fold; the process that keeps the store, the scheduler and the
mirror are queues with one server. With --measure the costs are measured on this machine first.
"""

from __future__ import annotations

import argparse
import heapq
import json
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from cluster_costs import fold_seconds, measure
from race import RESULTS, ROOT, about_the_machine, in_words, keep

from cytobench.run.dask_engine import AHEAD

CELLS, FOLDS = 1000, 1000
WORKERS = (10, 100, 1000)
PARENTS = ((1, False), (1, True), (10, False))
"""How many commands at once, and whether each stores folds from several threads."""
SPREAD = 0.3
"""Coefficient of variation of a fold's seconds within its model."""
BANDWIDTH = 100e6
"""Bytes a second to the parent: a network of 1 Gbit/s."""
LATENCY = 0.001
BETWEEN_DEATHS, RESTART = 24 * 3600.0, 120.0
"""Seconds that a worker lives on average, and until the next one is there."""
FAST = 0.5
"""Seconds of a fold below which a model is fast."""


@dataclass(frozen=True)
class Outcome:
    """How a simulated run ended; seconds.

    Attributes
    ----------
    total : float
        Until the last result is stored.
    parent, scheduler : float
        Time in which each of them was at work.
    waited : float
        Time of all workers between two folds.
    lost : float
        Time of workers that died with what they did.
    mirror : float
        From the last stored result to the last mirrored cell.
    """

    total: float
    parent: float
    scheduler: float
    waited: float
    lost: float
    mirror: float


def simulate(
    seconds: Sequence[float],
    per_cell: int,
    workers: int,
    costs: Mapping[str, float],
    seed: int = 0,
) -> Outcome:
    """Follow the folds of one run.

    Parameters
    ----------
    seconds : sequence of float
        Of every fold, in the order in which they are sent.
    per_cell : int
        Folds of a cell; a cell is mirrored when its last one is stored.
    costs : mapping
        Seconds: ``parent`` and ``scheduler`` for each fold, ``mirror`` for each cell; ``deaths``
        for each second of a worker.
    """
    draw = np.random.default_rng(seed)
    to_come = deque(enumerate(seconds))
    ready: list[deque[tuple[float, int, float]]] = [deque() for _ in range(workers)]
    scheduler = 0.0
    for _ in range(AHEAD):
        for queue in ready:
            if to_come:
                scheduler += costs["scheduler"]
                queue.append((scheduler, *to_come.popleft()))
    events: list[tuple[float, int, int]] = []
    waited = lost = 0.0

    def begin(worker: int, now: float) -> None:
        nonlocal waited, lost
        if not ready[worker]:
            return
        there, number, takes = ready[worker].popleft()
        start = max(now, there)
        waited += start - now
        while costs["deaths"] and draw.random() < -np.expm1(-takes * costs["deaths"]):
            gone = takes * draw.random() + RESTART
            lost, start = lost + gone, start + gone
        heapq.heappush(events, (start + takes + LATENCY, worker, number))

    for worker in range(workers):
        begin(worker, 0.0)
    left = [per_cell] * -(-len(seconds) // per_cell)
    parent = mirror = at_work = 0.0
    while events:
        now, worker, number = heapq.heappop(events)
        parent = max(parent, now) + costs["parent"]
        at_work += costs["parent"]
        left[number // per_cell] -= 1
        if not left[number // per_cell]:
            mirror = max(mirror, parent) + costs["mirror"]
        if to_come:
            scheduler = max(scheduler, parent) + costs["scheduler"]
            ready[worker].append((scheduler + LATENCY, *to_come.popleft()))
        begin(worker, now)
    return Outcome(
        parent, at_work, len(seconds) * costs["scheduler"], waited, lost, max(mirror - parent, 0.0)
    )


def suite(models: Mapping[str, float], cells: int, seed: int = 0) -> list[float]:
    """Seconds of every fold of a suite that has the models in turn."""
    draw = np.random.default_rng(seed)
    means = np.resize(list(models.values()), cells)
    shape = np.sqrt(np.log1p(SPREAD**2))
    noise = draw.lognormal(-(shape**2) / 2, shape, (cells, FOLDS))
    return (means[:, None] * noise).ravel().tolist()


def costs_of(measured: Mapping[str, float], threads: bool = False) -> dict[str, float]:
    """What the simulation needs, from what was measured."""
    return {
        "parent": measured["store a fold, of eight at once" if threads else "store a fold"]
        + measured["unpickle a fold"]
        + measured["bytes of a result"] / BANDWIDTH,
        "scheduler": measured["task of Dask"],
        "mirror": measured["mirror a cell"],
        "deaths": 1 / BETWEEN_DEATHS,
    }  # fmt: skip


def scenarios(models: Mapping[str, float], measured: Mapping[str, float]) -> list[dict[str, Any]]:
    """Every mix of models with every number of workers, under one parent and under ten."""
    fast = {name: value for name, value in models.items() if value < FAST}
    rows = []
    for mix, chosen in (("all models", models), ("fast models", fast)):
        for workers in WORKERS:
            for parents, threads in PARENTS:
                if workers < 10 * parents and parents > 1:
                    continue
                # Parents are alike and share nothing: one of them is simulated.
                folds = suite(chosen, CELLS // parents)
                done = simulate(folds, FOLDS, workers // parents, costs_of(measured, threads))
                each = measured["rank, for each cell"] + measured["rank, for each fold"] * FOLDS
                rows.append(
                    {
                        "mix": mix, "workers": workers, "parents": parents, "threads": threads,
                        "cpu hours": sum(folds) * parents / 3600,
                        "hours": done.total / 3600,
                        "busy": done.parent / done.total,
                        "scheduler busy": done.scheduler / done.total,
                        "used": sum(folds) / (workers // parents * done.total),
                        "lost": done.lost * parents / 3600,
                        "mirror": done.mirror / 60,
                        "before": measured["prepare a cell"] * CELLS / parents / 60,
                        "ranking": each * CELLS / parents / 3600,
                    }
                )  # fmt: skip
    return rows


HEAD = """# A suite of 1,000 cells of 1,000 folds

`python benchmarks/cluster_plan.py` makes this page: a simulation of a million folds with costs
that were measured on one machine (`--measure`), no cluster. Fold seconds are the medians of the
published boards for each model; folds of one model vary by 30 %. A worker dies once in 24 hours and
is replaced after two minutes, 1 Gbit/s leads to the parent, the process that keeps the store. With
10 parents, ten commands run at once, each with a tenth of the cells, a scheduler and a store;
*eight threads* is a parent that stores folds from eight threads, which ours does not do yet.
"""


def page(content: Mapping[str, Any]) -> str:
    """The results as Markdown."""
    measured = content["measured"]
    lines = [HEAD, "## Measured", "", "| | |", "|---|---|"]
    for name, value in measured.items():
        if name.startswith("bytes"):
            shown = f"{value / 1000:.1f} kB"
        elif name.startswith("files"):
            shown = f"{value:.1f}"
        else:
            shown = f"{1000 * value:.2g} ms" if value < 0.1 else f"{value:.2f} s"
        lines.append(f"| {name} | {shown} |")
    lines += [
        "", "## Simulated", "",
        "| models | workers | parents | CPU hours | hours | workers at work | parent busy "
        "| scheduler busy | lost by deaths, h | mirror after the end, min "
        "| before the first fold, min | ranking once, h |",
        "|" + "---|" * 12,
    ]  # fmt: skip
    for row in content["rows"]:
        lines.append(
            f"| {row['mix']} | {row['workers']:,} | {row['parents']}"
            f"{', eight threads' if row['threads'] else ''} | {row['cpu hours']:,.0f} | "
            f"**{row['hours']:.1f}** | {row['used']:.0%} | {row['busy']:.0%} | "
            f"{row['scheduler busy']:.0%} | {row['lost']:.1f} | {row['mirror']:.0f} | "
            f"{row['before']:.1f} | {row['ranking']:.1f} |"
        )
    files = measured["files of a fold"] * CELLS * FOLDS
    size = measured["bytes on disk of a fold"] * CELLS * FOLDS
    per_fold = costs_of(measured)["parent"]
    lines += [
        "",
        f"The store has {files / 1e6:.1f} million files, {size / 1e9:.0f} GB. One parent stores at "
        f"most {1 / per_fold:,.0f} folds a second: workers wait for it as soon as there are more "
        f"of them than {1 / per_fold:,.0f} times the seconds of a fold.",
        "",
        f"{in_words(content['about'])}",
    ]
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> None:
    """Simulate, and write the page."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--measure", action="store_true")
    options = parser.parse_args(arguments)
    path = RESULTS / "cluster_plan.json"
    if options.measure or not path.exists():
        measured, about = measure(), about_the_machine()
    else:
        kept = json.loads(path.read_text(encoding="utf-8"))
        measured, about = kept["measured"], kept["about"]
    published = sorted((ROOT / "leaderboards" / "zoo").glob("*-response.json"))
    models = fold_seconds([json.loads(one.read_text(encoding="utf-8")) for one in published])
    rows = scenarios(models, measured)
    content = {"about": about, "measured": measured, "fold seconds": models, "rows": rows}
    keep("cluster_plan", content, page(content))


if __name__ == "__main__":
    main()
