"""A board in words: its title, what to know before reading it, and how its numbers came about."""

from __future__ import annotations

import math
from collections import Counter
from typing import Any

from cytobench.data.target import BENEFIT
from cytobench.evaluate.chance import ENOUGH
from cytobench.evaluate.metrics import tuning_metric
from cytobench.leaderboard.benefit import AnyBoard
from cytobench.leaderboard.rank import ALPHA, Board
from cytobench.leaderboard.tables import MARKS, SHOWN, TITLES, number

WORST_NOTE = (
    "The lowest of many is low by chance alone: read it with its interval and its n, and the tests "
    "of interaction in the report."
)


def title(board: AnyBoard) -> str:
    """One line that names the board."""
    about = board.entry.about
    if about["task"]["kind"] == BENEFIT:
        outcome = about["task"]["outcome"].replace("_", " ")
        return f"treatment for {outcome} on {about['dataset']['name']}"
    return f"{about['task']['name']} on {about['dataset']['name']}"


def summary(board: AnyBoard) -> list[str]:
    """Sentences that a reader needs to read the table right."""
    about = board.entry.about
    dataset, protocol, tuning = about["dataset"], about["protocol"], about["config"]["tuning"]
    lines = [f"{dataset['summary']}." if dataset["summary"] else f"{dataset['name']}."]
    if dataset["kind"] == "simulated":
        lines.append("Simulated patients: a check of methods, no evidence about people.")
    if dataset["caveat"]:
        lines.append(f"Caveat: {dataset['caveat']}.".replace("..", "."))
    share = (
        f", {about['events']} of them with the outcome ({about['outcome_mean']:.0%})"
        if about["events"] is not None
        else f", mean {about['outcome_mean']:.1f}"
    )
    lines.append(f"{about['n']} patients{share}. Outcome: {about['task']['meaning']}.")
    lines.append(
        f"Protocol: {protocol['name'].replace('_', ' ')}, {about['folds']} folds; speaks about "
        f"{protocol['claim']}."
    )
    lines.append(f"Tuning inside each fold: {_tuning(tuning, board.kind)}.")
    return lines


def _tuning(tuning: dict[str, Any], kind: str) -> str:
    if tuning["sampler"] == "none":
        return "none, the plugins' defaults"
    metric = tuning_metric(tuning["metric"], kind)
    if kind == BENEFIT:
        metric = "distance to the doubly robust effect, of a rule its value"
    seconds = f" within {tuning['seconds']} s" if tuning["seconds"] else ""
    return f"{tuning['sampler']}, {tuning['trials']} trials{seconds}, by {metric}"


def footnotes(board: Board) -> list[str]:
    """How the numbers came about, and what is missing."""
    notes = []
    for name in SHOWN[board.kind]:
        methods = sorted({row.estimate(name).method for row in board.rows})
        notes.append(f"{TITLES[name]}: {'; '.join(methods)}.")
    if any(row.tied_with_best is not None for row in board.rows):
        notes.append(
            f"tied: the corrected resampled t-test against the first row, Holm-adjusted, has "
            f"p >= {ALPHA}; the order among tied rows means nothing."
        )
    else:
        notes.append("Rows are not tested against each other under this protocol.")
    notes += _added_notes(board) + _chance_notes(board) + _selection_notes(board)
    notes += _next_site_notes(board)
    if board.ceiling:
        notes.append(_ceiling_note(board))
    shares = sorted({row.share.method for row in board.rows if row.share})
    if shares:
        notes.append(
            f"share of floor to ceiling: how much of the way from {board.reference} to the truth a "
            f"model goes; {'; '.join(shares)}."
        )
    notes.append("floor: what knowing nothing, a CRP cut-off or clinical data alone achieve.")
    notes += submission_notes(board) + left_out_notes(board)
    notes += audit_notes(board) + [str(note) for note in board.entry.about["notes"]]
    for name, (done, folds) in sorted(board.entry.unfinished.items()):
        notes.append(f"{name} is not shown: {done} of {folds} folds are done.")
    if board.entry.looks > len(board.entry.cells):
        notes.append(
            f"{board.entry.looks} cells were run on this cohort and task in this store; "
            f"{len(board.entry.cells)} are in this table."
        )
    return notes + revision_notes(board)


def _ceiling_note(board: Board) -> str:
    if board.kind == "regression":
        return (
            "ceiling: the expected outcome, known because the data are simulated; nothing has a "
            "smaller mean square error, but the median of the outcome an MAE up to 0.1 smaller."
        )
    return "ceiling: the Bayes-optimal prediction, known because the data are simulated."


def _added_notes(board: Board) -> list[str]:
    if not board.reference:
        return []
    some = next(row.added for row in board.rows if row.added)
    method = some.differences[board.headline].method
    return [
        f"added to clinical: difference to {board.reference} on the same folds, above 0 is better; "
        f"{method}."
    ]


def _selection_notes(board: Board) -> list[str]:
    """Where two ways of correcting a search disagree by more than two standard errors."""
    notes = []
    for row in board.rows:
        nested = row.estimate(board.headline)
        if row.selection is None or nested.low is None or nested.high is None:
            continue
        gap = row.selection.corrected.value - nested.value
        if abs(gap) > (nested.high - nested.low) / 2:  # half a 95 % interval: two standard errors
            notes.append(
                f"{row.label}: BBC-CV says {row.selection.corrected.value:.3f}, the nested "
                f"estimate {nested.value:.3f}: they differ by more than two standard errors."
            )
    return notes


def _next_site_notes(board: Board) -> list[str]:
    """The prediction interval of a new site for the first row."""
    best = board.rows[0]
    summary = best.assessment.scores.over_sites
    if summary is None:
        return []
    return [
        f"{best.label} at a new site: {number(summary.next_site)} (95 % prediction interval); "
        f"standard deviation between sites {math.sqrt(summary.tau2):.3f}."
    ]


def submission_notes(board: AnyBoard) -> list[str]:
    """What the marks of submitted rows mean, and what a person has answered for."""
    notes = []
    states = {row.verification for row in board.rows}
    if "verified" in states:
        notes.append(
            f"{MARKS['verified'].strip()} submitted and verified: every number recomputed, and a "
            "fold that the submitter could not choose was refitted here with the same predictions."
        )
    if "recomputed" in states:
        notes.append(
            f"{MARKS['recomputed'].strip()} submitted, not verified: every number recomputed from "
            "the submitted predictions; no fold was refitted here."
        )
    for row in board.rows:
        reviewed = row.cell.submission["reviewed"] if row.cell and row.cell.submission else {}
        notes += [f"{row.label} was flagged, {code}: {why}." for code, why in reviewed.items()]
    return notes


def left_out_notes(board: AnyBoard) -> list[str]:
    """Analytes that the folds left out as hardly detected; the same for every model of a board."""
    counts: Counter[str] = Counter()
    folds = 0
    for row in board.rows:
        parts = row.cell.folds if row.cell else []
        seen = Counter(name for fold in parts for name in fold.left_out)
        if seen.total() > counts.total():
            counts, folds = seen, len(parts)
    if not counts:
        return []
    most = board.entry.about["config"]["preprocess"]["max_below"]
    said = ", ".join(f"{name} ({count} of {folds} folds)" for name, count in counts.most_common())
    return [
        f"left out, below detection in more than {most:.0%} of the training part: {said}; models "
        "that take raw values see them."
    ]


def revision_notes(board: AnyBoard) -> list[str]:
    """How many cells cannot stand in one table with the rows, and what they do not share."""
    entry = board.entry
    if not entry.left_out:
        return []
    cells = len(entry.cells) + len(entry.unfinished) + entry.left_out
    return [
        f"not shown: {entry.left_out} of the entry's {cells} cells, which differ from the rows in "
        f"{' and '.join(entry.differing)}; {entry.left_out_done} of them complete."
    ]


def audit_notes(board: AnyBoard) -> list[str]:
    """Findings of the probes that run with every cell; those answered for carry the reason."""
    records = board.entry.about.get("audit")
    if records is None:
        return []
    if not records:
        return ["audit: the probes of data and splits found nothing."]
    return [
        f"audit {item['code']}, {item['severity']}: {item['sentence']}"
        + (f" Acknowledged: {item['acknowledged']}." if item["acknowledged"] else "")
        for item in records
        if item["severity"] != "note" or item["acknowledged"]
    ]


def _chance_notes(board: Board) -> list[str]:
    tested = [row.chance for row in board.rows if row.chance]
    if not tested:
        return []
    fewest, most = min(t.permutations for t in tested), max(t.permutations for t in tested)
    count = str(fewest) if fewest == most else f"{fewest} to {most}"
    note = f"p, chance: the whole procedure repeated on {count} permutations of the labels "
    note += "within site and arm (what these differ in is part of chance)"
    if fewest < ENOUGH:
        note += f"; a screening, {ENOUGH} are needed for a p-value to publish"
    models = [row.chance for row in board.rows if row.chance and row.role == "model"]
    best = min((t.family_p for t in models if t.family_p is not None), default=None)
    if best is not None:
        note += f". Any model better than chance: p = {best:.3f}"
    return [note + "."]


def more_note(heading: str, board: Board) -> list[str]:
    """A sentence that a table needs."""
    if heading == "Discrimination and decisions":
        prevalence = board.rows[0].assessment.prevalence
        return [f"Noise has an AUPRC of {prevalence:.3f}, the prevalence.", ""]
    if heading == "Calibration":
        return [
            "An ICI below that of perfect calibration is no evidence against a model. Folds "
            "stratified by outcome keep calibration in the large near 0 whatever the model: it "
            "means something at new sites and on locked test sets.",
            "",
        ]
    return []
