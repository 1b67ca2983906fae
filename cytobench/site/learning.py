"""Learning curves that `cytobench plan` left in the store, for the entry of their cohort."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from cytobench.core.hashing import canonical_json
from cytobench.leaderboard.benefit import AnyBoard
from cytobench.leaderboard.chance import without_protocol
from cytobench.leaderboard.collect import labels
from cytobench.leaderboard.tables import TITLES, number
from cytobench.report.illustrations import Illustration
from cytobench.report.learning_figure import learning_figure
from cytobench.report.tables import Table
from cytobench.run.planning import ModelCurve, curve_of
from cytobench.run.store import PLANNING, RunStore, StoredCell

Question = tuple[str, str]
"""Fingerprint of a cohort, and a task."""


@dataclass(frozen=True)
class Curves:
    """The learning curves of an entry's cohort and task, by the label of their model."""

    by_label: Mapping[str, ModelCurve]

    def figures(self) -> list[Illustration]:
        """One figure for each model."""
        return [
            Illustration(
                f"learning-{position}",
                learning_figure(item.curve, label, TITLES[item.metric]),
                _said(item),
                f"{TITLES[item.metric]} of {label} at {len(item.curve.sizes)} training sizes; the "
                "numbers are in the table.",
            )
            for position, (label, item) in enumerate(self.by_label.items())
        ]

    def table(self) -> Table:
        """The score at each size that was studied."""
        metric = next(iter(self.by_label.values())).metric
        rows = [
            [label, f"{size:.0f}", f"{estimate:.3f}", f"{error:.3f}"]
            for label, item in self.by_label.items()
            for size, estimate, error in zip(
                item.curve.sizes, item.curve.estimates, item.curve.standard_errors, strict=True
            )
        ]
        columns = ("model", "training patients", TITLES[metric], "standard error")
        return Table("Learning curves", f"{TITLES[metric]} by training patients", columns, rows)


def _said(item: ModelCurve) -> str:
    """Why there is no law; or the plateau, and how many patients reach it."""
    curve = item.curve
    if curve.refusal:
        return f"{curve.refusal[:1].upper()}{curve.refusal[1:]}."
    needed = curve.needed
    patients = "not determined"
    if needed.value == needed.value:
        ends = "" if needed.high is None else f" ({needed.low:.0f} to {needed.high:.0f})"
        patients = f"{needed.value:.0f}{ends}"
    return (
        f"Plateau of the {TITLES[item.metric]}: {number(curve.plateau)}. Training patients that "
        f"come within {curve.within:g} of it: {patients}; {needed.method}. {curve.method}."
    )


def learning_curves(store: RunStore) -> dict[Question, Curves]:
    """Every learning curve of a store, by what it is a curve of."""
    found: dict[Question, list[StoredCell]] = {}
    for keys in store.entries().get(PLANNING, {}).values():
        for cell in map(store.read_cell, keys):
            found.setdefault(question(cell), []).append(cell)
    drawn = {asked: _curves(cells) for asked, cells in found.items()}
    return {asked: curves for asked, curves in drawn.items() if curves.by_label}


def question(source: StoredCell | AnyBoard) -> Question:
    """What a cell or a board asks of which cohort."""
    about = source.about if isinstance(source, StoredCell) else source.entry.about
    return str(about["dataset"]["fingerprint"]), str(about["task"]["name"])


def _curves(cells: Sequence[StoredCell]) -> Curves:
    together: dict[str, list[StoredCell]] = {}
    for cell in cells:
        protocol = {**cell.about["protocol"], "train_fraction": None}
        procedure = canonical_json(protocol) + without_protocol(cell.about)
        together.setdefault(procedure, []).append(cell)
    finished = [group for group in together.values() if any(cell.complete for cell in group)]
    names = labels([group[0] for group in finished])
    return Curves({names[group[0].key]: curve_of(group) for group in finished})
