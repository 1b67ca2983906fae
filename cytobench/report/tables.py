"""Tables of a page: every estimate with its interval, its n, and how it was made."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

from cytobench.evaluate.intervals import Estimate
from cytobench.evaluate.subgroup import FEWEST, Interaction, Subgroup
from cytobench.leaderboard.rank import Board, Row
from cytobench.leaderboard.sites import (
    MATRIX_NOTE,
    SHIFT_NOTE,
    at_each,
    matrices,
    per_site,
    shift_table,
)
from cytobench.leaderboard.tables import (
    ADDED_SHOWN,
    MORE,
    MORE_NUMBERS,
    TITLES,
    added_value,
    adequacy_note,
    adequacy_table,
    more_tables,
    number,
    p_value,
    selection_table,
    worst_table,
)
from cytobench.leaderboard.words import WORST_NOTE, more_note
from cytobench.report.figures import wilson


@dataclass(frozen=True)
class Table:
    """A table of a page.

    Attributes
    ----------
    notes : sequence of str
        Stand above it: how its numbers were made.
    """

    title: str
    caption: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    notes: Sequence[str] = field(default_factory=tuple)


NUMBER_COLUMNS = ("number", "estimate", "95 % interval", "n", "MC error", "method")


def numbers(row: Row, second: Estimate | None) -> list[list[str]]:
    """Every number of a model, one line each, under `NUMBER_COLUMNS`."""
    found = [
        estimate_line(TITLES.get(name, name), estimate, row.n)
        for name, estimate in row.assessment.estimates.items()
    ]
    if row.assessment.kind == "classification":
        found.insert(2, estimate_line("prevalence", _prevalence(row), row.n))
    if row.selection is not None:
        folds = row.assessment.scores.folds
        n = folds[0].n_train if len(folds) == 1 else row.n  # a search sees training parts alone
        found.insert(1, estimate_line("AUC, second opinion", row.selection.corrected, n))
    if second is not None:
        name = f"{TITLES[_headline(row)]}, second opinion"
        found.insert(1, estimate_line(name, second, row.n))
    curve = row.assessment.scores.by_influence
    if curve is not None:
        found.insert(1, estimate_line("AUC, second opinion", curve, row.n))
    if row.added is not None:
        found += [
            estimate_line(
                f"{TITLES[name]} gained over {row.added.reference}", estimate, row.n, signed=True
            )
            for name, estimate in row.added.differences.items()
        ]
        if row.added.by_bootstrap is not None:
            name = f"AUC gained over {row.added.reference}, second opinion"
            found.append(estimate_line(name, row.added.by_bootstrap, row.n, signed=True))
    if row.share is not None:
        found.append(
            estimate_line("share of the way from clinical floor to ceiling", row.share, row.n)
        )
    return found


def _prevalence(row: Row) -> Estimate:
    share = row.assessment.prevalence
    return Estimate(share, *wilson(share * row.n, row.n), "share of patients, Wilson's interval")


def _headline(row: Row) -> str:
    return "mae" if row.assessment.kind == "regression" else "auc"


def estimate_line(name: str, estimate: Estimate, n: int, *, signed: bool = False) -> list[str]:
    """A line under `NUMBER_COLUMNS`."""
    form = "+.3f" if signed else ".3f"
    value = "undefined" if estimate.value != estimate.value else f"{estimate.value:{form}}"
    error = "" if estimate.mc_se is None else f"{estimate.mc_se:.4f}"
    return [name, value, interval(estimate, form), str(n), error, estimate.method]


def interval(estimate: Estimate, form: str = ".3f") -> str:
    """``0.553 to 0.777``; nothing where there is none."""
    if estimate.low is None or estimate.high is None:
        return ""
    return f"{estimate.low:{form}} to {estimate.high:{form}}"


def entry_tables(board: Board) -> list[Table]:
    """The tables of an entry's page below the leaderboard."""
    n = board.rows[0].n
    found = []
    sites = per_site(board)
    if sites:
        each = [item for row in board.rows for item, _ in row.sites.values()]
        caption = f"{TITLES[board.headline]} {at_each(board)}, with 95 % intervals"
        found.append(
            Table(at_each(board).capitalize(), caption, *sites, (_methods(board.headline, each),))
        )
    for label, table in matrices(board).items():
        caption = f"{TITLES[board.headline]} of {label}, with 95 % intervals"
        found.append(Table(f"Study against study: {label}", caption, *table, (MATRIX_NOTE,)))
    shift = shift_table(board)
    if shift:
        caption = "Differences before treatment, with 95 % intervals"
        found.append(Table("Shift between studies", caption, *shift, (SHIFT_NOTE,)))
    added = added_value(board)
    if added:
        caption = f"Paired differences with 95 % intervals, above 0 is better; n = {n}"
        heading = f"Gained over {board.reference}"
        found.append(Table(heading, caption, *added, _added_notes(board)))
    named = MORE_NUMBERS if board.kind == "regression" else MORE
    shown = [*([board.ceiling] if board.ceiling else []), *board.rows]
    for heading, table in more_tables(board).items():
        notes = [note for note in more_note(heading, board) if note]
        notes += [_methods(name, [row.estimate(name) for row in shown]) for name in named[heading]]
        caption = f"{heading}, with 95 % intervals; n = {n}"
        found.append(Table(heading, caption, *table, notes))
    return found + _closing_tables(board, n)


def _closing_tables(board: Board, n: int) -> list[Table]:
    found = []
    table = adequacy_table(board)
    if table:
        developed = next(size.n for row in board.rows if (size := row.assessment.adequacy))
        caption = f"What Riley's criteria ask for; n = {developed}"
        found.append(Table("Sample size", caption, *table, (adequacy_note(board),)))
    worst = worst_table(board)
    if worst:
        caption = "The subgroup with the lowest AUC, with 95 % intervals"
        found.append(Table("Worst subgroup", caption, *worst, (WORST_NOTE,)))
    selection = selection_table(board)
    if selection:
        corrected = [row.selection.corrected for row in board.rows if row.selection]
        notes = (
            f"{_said(corrected)}. Uncorrected: the best setting on the predictions that "
            "chose it, without an interval, since it is too good.",
        )
        caption = f"The nested estimate and BBC-CV, with 95 % intervals; n = {n}"
        found.append(Table("The search, corrected for its own choice", caption, *selection, notes))
    return found


def _added_notes(board: Board) -> list[str]:
    differences = [row.added.differences for row in board.rows if row.added]
    notes = [
        _methods(name, [each[name] for each in differences]) for name in ADDED_SHOWN[board.kind]
    ]
    if any(row.added is not None and row.added.p == row.added.p for row in board.rows):
        notes.append(f"p: {_test_of(board)}, two-sided, not adjusted.")
    if any(row.added and row.added.posterior for row in board.rows):
        notes.append(
            "P: Bayesian correlated t-test (Corani & Benavoli 2015), the probability of a "
            "difference that is large enough to matter."
        )
    return notes


def _test_of(board: Board) -> str:
    title = TITLES[board.headline]
    if board.entry.about["protocol"]["name"] == "repeated_stratified":
        return f"corrected resampled t-test on the {title}"
    return f"of the difference in {title}, as its interval"


def _methods(name: str, estimates: Iterable[Estimate]) -> str:
    return f"{TITLES[name]}: {_said(estimates)}."


def _said(estimates: Iterable[Estimate]) -> str:
    return "; ".join(sorted({estimate.method for estimate in estimates}))


def cell_tables(row: Row, board: Board) -> list[Table]:
    """The tables of a model's page below its numbers."""
    found = []
    if row.sites:
        rows = [[site, number(item), str(n)] for site, (item, n) in row.sites.items()]
        note = _methods(board.headline, [item for item, _ in row.sites.values()])
        role = at_each(board).removeprefix("at each ")
        columns = [role, f"{TITLES[board.headline]} (95 % interval)", "n"]
        caption = f"Each {role} as the test part"
        found.append(Table(at_each(board).capitalize(), caption, columns, rows, (note,)))
    matrix = matrices(replace(board, rows=[row]))
    for table in matrix.values():
        caption = f"{TITLES[board.headline]}, with 95 % intervals"
        found.append(Table("Study against study", caption, *table, (MATRIX_NOTE,)))
    levels, tests = row.assessment.subgroups
    if levels:
        metric, second = SUBGROUP_TITLES[board.kind]
        found.append(_subgroups(levels, board.kind, pooled=len(row.assessment.scores.folds) > 1))
        columns = ["variable", "levels shown", f"p, {metric} differs", f"p, {second} differs"]
        caption = "Cochran's Q over the levels shown, not adjusted for their number"
        found.append(Table("Tests of interaction", caption, columns, [_test(t) for t in tests]))
    return found


SUBGROUP_TITLES = {
    "regression": ("MAE", "mean residual"),
    "classification": ("AUC", "calibration in the large"),
}


def _subgroups(levels: Sequence[Subgroup], kind: str, *, pooled: bool) -> Table:
    metric, second = SUBGROUP_TITLES[kind]
    events = kind != "regression"
    rows = [
        [
            f"{item.variable}: {item.level}",
            "too few" if item.suppressed else str(item.n),
            *([_optional(item.events)] if events else []),
            "" if item.discrimination is None else number(item.discrimination),
            "" if item.calibration is None else number(item.calibration),
        ]
        for item in levels
    ]
    columns = ["subgroup", "n", *(["with the outcome"] if events else []), metric, second]
    least = (
        f"fewer than {FEWEST} patients of either outcome"
        if events
        else f"fewer than {2 * FEWEST} patients"
    )
    notes = [
        f"Cells with {least} are suppressed. Differences between subgroups of this size are mostly "
        "noise: read the tests of interaction.",
        f"{metric}: {_said(item.discrimination for item in levels if item.discrimination)}. "
        f"{second}: {_said(item.calibration for item in levels if item.calibration)}.",
    ]
    if events and pooled:
        notes.append(
            "The predictions of one repeat's folds are pooled here: a model that predicts nearly "
            "the same within a fold can fall below an AUC of 0.5 by that alone."
        )
    shown = [notes[0], *(notes[1:] if any(not item.suppressed for item in levels) else [])]
    return Table("Subgroups", "With 95 % intervals", columns, rows, shown)


def _test(test: Interaction) -> list[str]:
    return [
        test.variable,
        str(test.levels),
        p_value(test.discrimination_p),
        p_value(test.calibration_p),
    ]


def _optional(value: int | None) -> str:
    return "" if value is None else str(value)
