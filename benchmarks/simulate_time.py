"""Seconds to draw a simulated cohort of 1,000 to 1,000,000 patients, the Cohort included.

    python benchmarks/simulate_time.py [--dataset sim_inflamed_mdd] [--largest 1000000]

Against a named alternative in the same run: 1,000 patients of sim_inflamed_mdd's model, one after
the other in plain Python (``random`` and ``math``, no arrays). It does less: no plates, no sites, a
binomial in place of the Poisson count, no Cohort.
"""

from __future__ import annotations

import argparse
import math
import random
import time
from statistics import NormalDist

from cytobench.run.cells import load_cohort
from cytobench.simulate import INFLAMED_MDD, INFLAMMATION
from cytobench.simulate.biology import FACTORS, PREVALENCE, SMOKERS, SUBTYPE_SHIFT, WOMEN
from cytobench.simulate.modulation import STABILITY, shifts
from cytobench.simulate.outcome import NOISE as UNEXPLAINED
from cytobench.simulate.panel import MARKERS, NOISE

LOOP = 1000
STANDARD = NormalDist()


def one_patient(draw: random.Random, shift: list[float]) -> dict[str, float]:
    """Levels before and after as measured, scores, and the truth under both arms."""
    gauss = draw.gauss
    smoker, female = draw.random() < SMOKERS, draw.random() < WOMEN
    within = math.sqrt(1 - SUBTYPE_SHIFT**2 * PREVALENCE * (1 - PREVALENCE))
    known = {factor: gauss(0, 1) for factor in (*FACTORS, "bmi", "age")}
    known["inflammation"] = SUBTYPE_SHIFT * ((draw.random() < 0.27) - PREVALENCE) + within * gauss(
        0, 1
    )
    known["smoking"] = (smoker - SMOKERS) / math.sqrt(SMOKERS * (1 - SMOKERS))
    known["female"] = (female - WOMEN) / math.sqrt(WOMEN * (1 - WOMEN))
    patient, z = dict(known), {}
    for position, marker in enumerate(MARKERS):
        own = math.sqrt(1 - sum(load**2 for load in marker.loads.values()))
        z[marker.name] = own * gauss(0, 1) + sum(
            load * known[factor] for factor, load in marker.loads.items()
        )
        later = STABILITY * z[marker.name] + math.sqrt(1 - STABILITY**2) * gauss(0, 1)
        for when, level in (("", z[marker.name]), ("_after", later + shift[position])):
            value = marker.median * math.exp(marker.true_sd * level + NOISE * gauss(0, 1))
            lost = draw.random() < 0.03
            patient[marker.name + when] = math.nan if lost else max(value, marker.llod)
    inflammation = (z["CRP"] + z["IL-6"] + z["TNF-α"]) / 2.4
    failed = sum(draw.random() < 0.11 for _ in range(10))
    before = max(14, round(gauss(22, 4)))
    change = INFLAMED_MDD.mean_change + 0.05 * failed + 0.035 * known["bmi"] + 0.04 * known["age"]
    change += sum(
        weight * (inflammation if name == INFLAMMATION else z[name])
        for name, weight in INFLAMED_MDD.prognosis.items()
    )
    for name, expected in (("SSRI", change), ("add-on", change - 0.1 * inflammation)):
        mean, sd = before * (1 + expected), before * UNEXPLAINED
        patient[f"response@{name}"] = STANDARD.cdf((before // 2 + 0.5 - mean) / sd)
        patient[f"remission@{name}"] = STANDARD.cdf((7.5 - mean) / sd)
        patient[f"after@{name}"] = sum(
            1 - STANDARD.cdf((score + 0.5 - mean) / sd) for score in range(52)
        )
    patient["before"], patient["after"] = before, round(before * (1 + change + gauss(0, 0.2)))
    return patient


def seconds(name: str, n: int) -> float:
    start = time.perf_counter()
    load_cohort({"name": name, "n": n}, None)
    return time.perf_counter() - start


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--dataset", default="sim_inflamed_mdd")
    parser.add_argument("--largest", type=int, default=1_000_000)
    arguments = parser.parse_args()
    seconds(arguments.dataset, LOOP)  # imports, once
    print(f"{'patients':>10}  {'seconds':>8}  {'per 1,000 patients':>18}")
    n = LOOP
    while n <= arguments.largest:
        taken = seconds(arguments.dataset, n)
        print(f"{n:>10,}  {taken:>8.2f}  {1000 * taken / n:>18.4f}")
        n *= 10
    draw, shift = random.Random(1), shifts(("SSRI",), "review")[0].tolist()
    start = time.perf_counter()
    for _ in range(LOOP):
        one_patient(draw, shift)
    taken = time.perf_counter() - start
    print(f"{LOOP:>10,}  {taken:>8.2f}  {taken:>18.4f}  one by one in plain Python, no Cohort")


if __name__ == "__main__":
    main()
