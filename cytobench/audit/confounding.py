"""What tells the outcome without any biology: missing values, site, plate, row order, drop-out."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from cytobench.audit.association import Link, cramers_v, indicators, link, permutations_of, some_of
from cytobench.audit.findings import Evidence, check
from cytobench.audit.view import LEVEL, View
from cytobench.core.seeds import derive_seed
from cytobench.evaluate.metrics import midranks

Floats = NDArray[np.float64]
STRONG = 0.5
"""Cramér's V from which no correction of the plates can separate assay from outcome."""
TRIFLE = 0.1
"""Share of the way from chance to perfection: an AUC of .55, a rank correlation of .1."""
FEWEST = 5
"""Patients that must lack a value, or an outcome, before its absence is tested."""
WAVES = 8
"""Cosines of the row number: up to four blocks of each class in turn are seen."""


@check(
    "A207",
    "missing values tell the outcome",
    "warning",
    "Which values are missing predicts the outcome, so that models may learn from the way the data "
    "were collected.",
)
def missingness(view: View) -> Iterator[Evidence]:
    """Ridge score of the missing-value indicators."""
    gaps = {name: np.isnan(values) for name, values in view.numbers.items()}
    gaps |= {name: labels == "" for name, labels in view.categories.items()}
    flags = {
        name: gap[view.rows]
        for name, gap in gaps.items()
        if FEWEST <= gap[view.rows].sum() <= len(view.rows) - FEWEST
    }
    if not flags:
        return
    found = _tested(view, np.column_stack(list(flags.values())), "missingness")
    if _matters(found):
        yield Evidence(
            f"which of {len(flags)} columns are missing tells the outcome: {found}",
            where=", ".join(list(flags)[:5]),
            values=_numbers(found),
        )


@check(
    "A208",
    "the site tells the outcome",
    "warning",
    "Sites differ in outcome: a model may recognise the site instead of the patient.",
)
def site(view: View) -> Iterator[Evidence]:
    """Ridge score of the sites."""
    yield from _told_by(view, "site")


@check(
    "A209",
    "the plate tells the outcome",
    "warning",
    "Plates differ in outcome: differences between plates then look like differences in biology.",
)
def plate(view: View) -> Iterator[Evidence]:
    """Ridge score of the plates, where the association is not strong."""
    if not _pooled(view) and _plate_v(view) < STRONG:
        yield from _told_by(view, "plate")


@check(
    "A210",
    "the plate is confounded with the outcome",
    "block",
    f"Cramér's V of plate and outcome is {STRONG} or more: no correction can part them.",
)
def confounded_plate(view: View) -> Iterator[Evidence]:
    """Ridge score of the plates, where the association is strong."""
    if not _pooled(view) and _plate_v(view) >= STRONG:
        yield from _told_by(view, "plate")


@check(
    "A211",
    "the order of the rows tells the outcome",
    "warning",
    "The table is sorted by outcome or in blocks of it; if samples were assayed in this order, "
    "drift of the assay looks like biology.",
)
def row_order(view: View) -> Iterator[Evidence]:
    """Ridge score of cosines of the row number."""
    if _pooled(view):
        return
    place = (np.arange(len(view.cohort)) + 0.5) / len(view.cohort)
    waves = np.cos(np.pi * np.outer(place[view.rows], np.arange(1, WAVES + 1)))
    found = _tested(view, waves, "order")
    if _matters(found):
        yield Evidence(
            f"the order of the rows tells the outcome: {found}",
            where="row order",
            values=_numbers(found),
        )


def _pooled(view: View) -> bool:
    """Whether rows and plates follow the studies, which may well differ in outcome.

    Each study's own audit asks the question; the pool's is answered by the site.
    """
    return view.cohort.study is not None


@check(
    "A212",
    "drop-out depends on severity",
    "warning",
    "Patients without an outcome differ in baseline severity from those who have one.",
)
def dropout_by_severity(view: View) -> Iterator[Evidence]:
    """Ridge score of the baseline score for the absence of an outcome."""
    if view.cohort.severity is None:
        return
    before, _ = view.scores
    known = np.isfinite(before)
    spread = before[known].std()
    if spread > 0:
        scaled = (before[known] - before[known].mean()) / spread
        lost = np.isnan(view.target.y[known])
        means = [f"{before[known][part].mean():.1f}" for part in (lost, ~lost) if part.any()]
        yield from _dropout(
            view,
            np.column_stack([scaled, scaled**2]),
            known,
            " against ".join(means) + " at baseline",
        )


@check(
    "A213",
    "drop-out depends on the arm",
    "warning",
    "The arms differ in how many patients have no outcome.",
)
def dropout_by_arm(view: View) -> Iterator[Evidence]:
    """Ridge score of the arms for the absence of an outcome."""
    arms = np.array(view.cohort.labels("arm"))
    known = arms != ""
    lost = np.isnan(view.target.y)
    shares = [f"{arm} {lost[arms == arm].mean():.0%}" for arm in np.unique(arms[known])]
    if len(shares) > 1:
        yield from _dropout(view, indicators(arms[known]), known, ", ".join(shares) + " lost")


@check(
    "A220",
    "sites differ in their patients",
    "note",
    "Baseline columns tell the site: what is learnt at one site may not hold at another.",
    thorough=True,
)
def site_shift(view: View) -> Iterator[Evidence]:
    """Adversarial validation: each site against the others from all numeric columns."""
    labels = np.array(view.cohort.labels("site"))
    sites = [name for name in np.unique(labels) if name and (labels == name).sum() >= 2 * FEWEST]
    names = [name for name, values in view.numbers.items() if np.isfinite(values).sum() > FEWEST]
    if len(sites) < 2 or not names:
        return
    X = np.column_stack([_standard_ranks(view.numbers[name]) for name in names])
    for name in sites if len(sites) > 2 else sites[:1]:
        here = (labels == name).astype(np.float64)
        found = _linked(X, here, derive_seed(view.seed, "shift", str(name)))
        if _matters(found):
            gap = X[here == 1].mean(axis=0) - X[here == 0].mean(axis=0)
            top = np.argsort(-np.abs(gap))[:3]
            features = ", ".join(f"{names[k]} ({gap[k]:+.1f} SD)" for k in top)
            yield Evidence(
                f"patients of site {name} are told from the others: {found}; most by {features}",
                where=str(name),
                values={**_numbers(found), "features": [names[k] for k in top]},
            )


def _told_by(view: View, role: str) -> Iterator[Evidence]:
    labels = _labels(view, role)
    if len(np.unique(labels)) < 2:
        return
    found = _tested(view, indicators(labels), role)
    if _matters(found):
        v = cramers_v(labels, _classes(view))
        yield Evidence(
            f"the {role} tells the outcome: {found}, Cramér's V {v:.2f}",
            where=role,
            values={**_numbers(found), "cramers_v": v},
        )


def _labels(view: View, role: str) -> NDArray[np.str_]:
    labels = view.cohort.labels("site" if role == "site" else "plate")
    return np.array(labels)[view.rows]


def _classes(view: View) -> Floats:
    """The classes, or the thirds of a continuous outcome."""
    if view.binary:
        return view.y
    cuts = np.quantile(view.y, [1 / 3, 2 / 3])
    return np.searchsorted(cuts, view.y, side="right").astype(np.float64)


def _plate_v(view: View) -> float:
    return cramers_v(_labels(view, "plate"), _classes(view))


def _tested(view: View, X: Floats, what: str) -> Link:
    return link(X, view.y, lambda: view.shuffled, derive_seed(view.seed, "folds", what))


def _linked(X: Floats, y: Floats, seed: int) -> Link:
    rows = some_of(len(y), seed)
    return link(X[rows], y[rows], lambda: permutations_of(y[rows], seed), seed)


def _dropout(view: View, X: Floats, known: NDArray[np.bool_], detail: str) -> Iterator[Evidence]:
    lost = np.isnan(view.target.y[known]).astype(np.float64)
    count = int(lost.sum())
    if not FEWEST <= count <= len(lost) - FEWEST:
        return
    found = _linked(X, lost, derive_seed(view.seed, "dropout"))
    if _matters(found):
        yield Evidence(
            f"{count} of {len(lost)} patients have no outcome, and they differ: {detail} ({found})",
            where="missing outcome",
            values={**_numbers(found), "patients": count},
        )


def _matters(found: Link) -> bool:
    """More than a trifle that only a large cohort shows, and significant at the corrected level."""
    chance, span = (0.5, 0.5) if found.binary else (0.0, 1.0)
    return found.strength - chance > TRIFLE * span and found.p < LEVEL


def _standard_ranks(values: Floats) -> Floats:
    """Ranks scaled to mean 0 and standard deviation 1, missing values in the middle."""
    known = np.isfinite(values)
    ranks = np.zeros(len(values))
    ranked = midranks(values[known])
    spread = ranked.std()
    ranks[known] = (ranked - ranked.mean()) / (spread if spread > 0 else 1.0)
    return ranks


def _numbers(found: Link) -> dict[str, float]:
    return {"auc" if found.binary else "rank_correlation": found.strength, "p": found.p}
