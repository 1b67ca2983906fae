"""A cohort in aggregates: what may be shown of it to anybody, computed once and kept with a run.

No number speaks of fewer than five patients, nor follows by subtraction: smaller groups are counted
together without their names, the bins of a histogram are merged until they hold five, and no number
is one patient's value.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cytobench.core.errors import SplitError
from cytobench.data.cohort import ABOVE, BELOW, Analyte, Cohort
from cytobench.data.target import Target, build_target, task_from_config
from cytobench.evaluate.intervals import Estimate
from cytobench.evaluate.metrics import midranks
from cytobench.evaluate.rank_correlation import pairwise_spearman

Floats = NDArray[np.float64]
Facts = dict[str, Any]
FEWEST = 5
"""Patients that a shown number speaks of at least."""
OTHERS = "others"
"""The levels that are too small to be named, together."""
MOST_RANKED = 10_000
"""Patients whose values are ranked anew for each pair; of more, that moves no digit shown."""
BINS = 24
QUANTILES = {"q05": 0.05, "q25": 0.25, "q50": 0.5, "q75": 0.75, "q95": 0.95}
ROLES: tuple[Literal["arm", "study", "site", "plate"], ...] = ("arm", "study", "site", "plate")
TASKS = {
    "response": {"name": "response", "kind": "classification"},
    "remission": {"name": "remission", "kind": "classification"},
    "percent_change": {"name": "percent_change", "kind": "regression"},
}


def cohort_facts(cohort: Cohort) -> Facts:
    """Everything that is shown of a cohort, as JSON would hold it.

    Returns
    -------
    dict
        ``card``, ``n``, ``analytes``, ``correlation``, ``covariates``, ``outcomes``, ``groups``,
        ``plates``, ``followup``, ``truth`` and ``notes``; empty where the cohort has none.
    """
    from dataclasses import asdict

    return {
        "card": {key: value for key, value in asdict(cohort.card).items() if key != "origin"},
        "fingerprint": cohort.fingerprint,
        "n": len(cohort),
        "analytes": [_analyte(cohort, analyte) for analyte in cohort.panel],
        "correlation": _correlation(cohort),
        "covariates": [_covariate(name, cohort.column(name)) for name in _clinical(cohort)],
        "outcomes": _outcomes(cohort),
        "groups": {
            role: _counts(cohort.labels(role))
            for role in ROLES
            if getattr(cohort, role) is not None
        },
        "plates": _plates(cohort),
        "followup": _followup(cohort),
        "truth": _truth(cohort),
        "notes": list(cohort.notes),
    }


def _analyte(cohort: Cohort, analyte: Analyte) -> Facts:
    values = cohort.column(analyte.name).to_numpy(dtype=np.float64)
    known = ~np.isnan(values)
    n = _shown(int(known.sum()))
    known &= n is not None
    out: Facts = {
        "name": analyte.name, "unit": analyte.unit, "scale": analyte.scale,
        "matrix": analyte.matrix, "platform": analyte.platform, "llod": analyte.llod,
        "n": n, "missing": float(1 - known.mean()),
    }  # fmt: skip
    for side, suffix in (("below", BELOW), ("above", ABOVE)):
        flag = analyte.name + suffix
        beyond = cohort.column(flag).to_numpy(dtype=bool) if flag in cohort.flags else ~known
        out[side] = float(beyond[known].mean()) if known.any() and flag in cohort.flags else 0.0
    out |= _quantiles(values[known])
    if known.sum() >= 4 * FEWEST:
        out["histogram"] = _histogram(values[known], logarithmic=analyte.scale == "linear")
    return out


def _shown(n: int) -> int | None:
    """A number of patients; None where it is small, none at all excepted."""
    return n if n == 0 or n >= FEWEST else None


def _quantiles(values: Floats) -> Facts:
    """Quartiles and beyond, each with at least five patients on either side."""
    shown = {
        name: q for name, q in QUANTILES.items() if round(min(q, 1 - q) * len(values), 6) >= FEWEST
    }
    if not shown:
        return {}
    found = np.quantile(values, list(shown.values()))
    return {name: float(value) for name, value in zip(shown, found, strict=True)}


def _histogram(values: Floats, *, logarithmic: bool) -> Facts | None:
    """Counts in bins of at least five patients, from about the 1st to the 99th percentile.

    Bins end at round numbers: at the percentiles themselves a patient's value would stand.
    """
    positive = values[values > 0] if logarithmic else values
    if len(positive) < 4 * FEWEST:
        return None
    x = np.log10(positive) if logarithmic else positive
    low, high = np.quantile(x, [0.01, 0.99])
    if low == high:
        return None
    step = _round_step((high - low) / BINS)
    edges = np.arange(np.floor(low / step), np.ceil(high / step) + 1) * step
    counts = np.histogram(np.clip(x, edges[0], edges[-1]), edges)[0]
    merged_edges, merged = [float(edges[0])], []
    held = 0
    for count, edge in zip(counts, edges[1:], strict=True):
        held += int(count)
        if held >= FEWEST:
            merged.append(held)
            merged_edges.append(float(edge))
            held = 0
    if held:  # what is left joins the last bin
        merged[-1] += held
        merged_edges[-1] = float(edges[-1])
    return {"edges": merged_edges, "counts": merged, "logarithmic": logarithmic}


def _round_step(width: float) -> float:
    """The next of 1, 2 and 5 times a power of ten."""
    power = 10.0 ** math.floor(math.log10(width))
    return next(factor * power for factor in (1, 2, 5, 10) if factor * power >= width)


def _correlation(cohort: Cohort) -> Facts | None:
    """Spearman correlations of analytes that at least four times five patients have."""
    table = cohort.baseline(("analytes",))[list(cohort.analytes)].to_numpy(dtype=np.float64)
    names = [
        number
        for number, column in enumerate(table.T)
        if len(known := column[~np.isnan(column)]) >= 4 * FEWEST and known.min() < known.max()
    ]
    if len(names) < 2:
        return None
    table = table[:, names]
    complete = table[~np.isnan(table).any(axis=1)]
    if len(complete) >= 0.8 * len(table):
        matrix = np.corrcoef(np.column_stack([midranks(column) for column in complete.T]).T)
    else:
        matrix = _pairwise(table)
    rows = [
        [None if math.isnan(r) else round(float(r), 3) for r in row]
        for row in np.atleast_2d(matrix)
    ]
    return {"names": [cohort.analytes[number] for number in names], "matrix": rows}


def _pairwise(table: Floats) -> Floats:
    """Correlations of the patients who have both; ranked anew for each pair, unless very many."""
    if len(table) > MOST_RANKED:
        ranks = pd.DataFrame(table).rank()
        return np.asarray(ranks.corr(min_periods=4 * FEWEST), dtype=np.float64)
    return pairwise_spearman(table, 4 * FEWEST)


def _clinical(cohort: Cohort) -> list[str]:
    extra = [] if cohort.severity is None else [cohort.severity]
    return [*cohort.covariates, *extra]


def _covariate(name: str, column: pd.Series) -> Facts:
    known = column.dropna()
    n = _shown(len(known))
    known = known if n else known[:0]
    out: Facts = {"name": name, "n": n, "missing": 1 - len(known) / len(column)}
    if pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_bool_dtype(column):
        return out | {"kind": "number", **_quantiles(known.to_numpy(dtype=np.float64))}
    return out | {"kind": "category", "levels": _counts([str(value) for value in known])}


def too_small(sizes: Sequence[int]) -> frozenset[int]:
    """Positions of the groups of patients that nothing is said of alone: fewer than five.

    Where these together are fewer than five, their number would follow from the others and that of
    all: the smallest that could be shown joins them, of equals the first.
    """
    ascending = sorted(range(len(sizes)), key=sizes.__getitem__)
    count = sum(size < FEWEST for size in sizes)
    while 0 < count < len(sizes) and sum(sizes[k] for k in ascending[:count]) < FEWEST:
        count += 1
    return frozenset(ascending[:count])


def _counts(labels: Sequence[str]) -> dict[str, int | None]:
    """Label -> patients, most frequent first; labels that are too small are counted together."""
    ascending = Counter(label for label in labels if label).most_common()[::-1]
    hidden = too_small([n for _, n in ascending])
    shown = [count for k, count in enumerate(ascending) if k not in hidden][::-1]
    rest = sum(ascending[k][1] for k in hidden)
    return dict(shown) | ({OTHERS: _shown(rest)} if rest else {})


def _outcomes(cohort: Cohort) -> list[Facts]:
    """Per outcome and arm: patients, patients with the outcome known, and its mean."""
    arms = cohort.labels("arm")
    found = []
    for name, config in TASKS.items():
        try:
            target = build_target(cohort, task_from_config(config))
        except SplitError:  # the cohort does not have this outcome, or it is constant
            continue
        groups = [("all", np.ones(len(cohort), dtype=bool))]
        names = sorted(_counts(arms).keys() - {OTHERS})
        if len(set(arms) - {""}) > 1:
            groups += [(arm, np.array(arms) == arm) for arm in names]
            groups += [(OTHERS, ~np.isin(arms, [*names, ""]))] if OTHERS in _counts(arms) else []
        rows = _not_by_subtraction([_in_group(arm, target, inside) for arm, inside in groups])
        found.append(
            {"task": name, "meaning": target.meaning, "kind": target.task.kind, "arms": rows}
        )
    return found


def _not_by_subtraction(rows: list[Facts]) -> list[Facts]:
    """A single hidden arm follows from all and the others: the smallest of these is hidden too."""
    for field, also in (("value", ("low", "high")), ("known", ())):
        hidden = [row for row in rows[1:] if row[field] is None]
        shown = [row for row in rows[1:] if row[field] is not None]
        if len(hidden) == 1 and shown:
            smallest = min(shown, key=lambda row: row["known"] or 0)
            smallest |= dict.fromkeys((field, *also))
    return rows


def _in_group(label: str, target: Target, inside: NDArray[np.bool_]) -> Facts:
    y = target.y[inside]
    known = y[~np.isnan(y)]
    row: Facts = {"arm": label, "n": _shown(int(inside.sum())), "known": _shown(len(known))}
    if len(known) < FEWEST or label == OTHERS:
        return row | {"value": None, "low": None, "high": None}
    if target.task.kind == "classification":
        events = int(known.sum())
        if min(events, len(known) - events) < FEWEST and label != "all":
            return row | {"value": None, "low": None, "high": None}
        low, high = _wilson(events, len(known))
        return row | {"value": events / len(known), "low": low, "high": high}
    half = 1.959964 * float(known.std(ddof=1)) / math.sqrt(len(known))
    mean = float(known.mean())
    return row | {"value": mean, "low": mean - half, "high": mean + half}


def _wilson(events: int, n: int) -> tuple[float, float]:
    from statsmodels.stats.proportion import proportion_confint

    low, high = proportion_confint(events, n, method="wilson")
    return float(low), float(high)


def _logs(analyte: Analyte, values: Floats) -> Floats:
    """Values on a scale where differences mean something; a zero counts as half the smallest."""
    if analyte.scale != "linear":
        return values
    positive = values[values > 0]
    if not len(positive):
        return np.full(len(values), np.nan)
    return np.asarray(np.log(np.where(values == 0, positive.min() / 2, values)))


def _plates(cohort: Cohort) -> Facts | None:
    """How far each plate's mean is from the others', in standard deviations of the analyte."""
    if cohort.plate is None:
        return None
    labels = np.array(cohort.labels("plate"))
    names = sorted(name for name, n in Counter(labels.tolist()).items() if name and n >= FEWEST)
    if len(names) < 2:
        return None
    rows = []
    for analyte in cohort.panel:
        logs = _logs(analyte, cohort.column(analyte.name).to_numpy(dtype=np.float64))
        means = [logs[labels == name] for name in names]
        spread = np.nanstd(logs) if np.isfinite(logs).any() else 0.0
        center = np.nanmean(logs) if np.isfinite(logs).any() else 0.0
        rows.append(
            [
                round(float((np.nanmean(part) - center) / spread), 3)
                if spread > 0 and np.isfinite(part).sum() >= FEWEST
                else None
                for part in means
            ]
        )
    return {"plates": names, "analytes": list(cohort.analytes), "shift": rows}


def _followup(cohort: Cohort) -> list[Facts]:
    """Change of each analyte to the end point, in SDs of its baseline, by arm."""
    if cohort.followup is None:
        return []
    arms = np.array(cohort.labels("arm"))
    found = []
    for analyte in cohort.panel:
        if analyte.name not in cohort.followup.columns:
            continue
        before = _logs(analyte, cohort.column(analyte.name).to_numpy(dtype=np.float64))
        after = _logs(analyte, cohort.followup[analyte.name].to_numpy(dtype=np.float64))
        for arm in sorted(set(arms.tolist())):
            rows = (arms == arm) & np.isfinite(before + after)
            estimate = _standardised(before[rows], after[rows])
            n = _shown(int(rows.sum()))
            found.append({"analyte": analyte.name, "arm": arm, "n": n, **estimate})
    return found


def _standardised(before: Floats, after: Floats) -> Facts:
    """Mean change over the SD at baseline (Becker 1988, doi:10.1111/j.2044-8317.1988.tb00901.x)."""
    n = len(before)
    if n < 2 * FEWEST or before.std(ddof=1) == 0:
        return {"value": None, "low": None, "high": None}
    d = float((after - before).mean() / before.std(ddof=1))
    r = float(np.corrcoef(before, after)[0, 1]) if after.std() > 0 else 0.0
    half = 1.959964 * math.sqrt(2 * (1 - r) / n + d**2 / (2 * n))
    return {"value": d, "low": d - half, "high": d + half}


def _truth(cohort: Cohort) -> Facts | None:
    """What knowing everything would achieve: the expected AUC, and the best arm for each."""
    if cohort.truth is None:
        return None
    from cytobench.simulate.truth import bayes_auc, optimal_value

    known = [name for name in ("response", "remission") if name in cohort.truth.columns]
    out: Facts = {
        "auc": {name: bayes_auc(cohort.truth[name].to_numpy(dtype=np.float64)) for name in known},
        "best_arm": {},
    }
    if sum(str(column).startswith("response@") for column in cohort.truth.columns) > 1:
        best = optimal_value(cohort.truth, "response")
        out["best_arm"] = {
            "share": dict(best.share), "response": dict(best.arms), "response_of_best": best.value
        }  # fmt: skip
    return out


def estimate_of(row: Facts, method: str) -> Estimate:
    """A shown number with its interval; NaN where it is suppressed."""
    value = row["value"]
    return Estimate(float("nan") if value is None else value, row["low"], row["high"], method)
