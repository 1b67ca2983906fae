"""A board of treatment rules as words, columns and rows."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cytobench.evaluate.benefit.value import Gain, number_needed_to_treat
from cytobench.leaderboard.benefit import ALPHA, SINGLE, BenefitBoard, BenefitRow
from cytobench.leaderboard.tables import ROLES, number, p_value
from cytobench.leaderboard.words import (
    audit_notes,
    left_out_notes,
    revision_notes,
    summary,
    title,
)

TITLES = {
    "value": "value",
    "value_hajek": "value, Hájek",
    "value_ipw": "value, IPW",
    "autoc": "AUTOC",
    "qini": "Qini",
    "c_for_benefit": "C-for-benefit",
    "benefit_slope": "slope of benefit",
    "benefit_in_the_large": "benefit in the large",
    "factual_contrast": "got the chosen arm against did not",
    "true_value": "true value",
    "regret": "regret",
    "agreement": "agreement with the optimal rule",
}
GROUPS: Mapping[str, tuple[tuple[str, ...], str]] = {
    "Who gains most": (
        ("autoc", "qini", "c_for_benefit"),
        "AUTOC and Qini: does the predicted effect put first whom the second arm helps most; 0 is "
        "noise. C-for-benefit depends on how patients are matched, and a model that is right need "
        "not score best: a supplement.",
    ),
    "Calibration of benefit": (
        ("benefit_slope", "benefit_in_the_large"),
        "Slope 1: predicted effects differ as much as true ones; below 1 they exaggerate. In the "
        "large: mean effect less mean prediction, 0 is right.",
    ),
    "Against the truth": (
        ("true_value", "regret", "agreement"),
        "Simulated patients: the outcome under each arm is known.",
    ),
    "Other estimators": (
        ("value_hajek", "value_ipw", "factual_contrast"),
        "The last compares different patients and credits a rule with an arm that is better for "
        "all; it is how personalised advantage is often reported, and overstates it.",
    ),
}
ASSIGNED = {
    True: "randomised",
    False: "not randomised: propensities were fitted in each fold, and what follows is "
    "association, no claim about a policy",
}
VERDICTS = {
    "prognostic": "prognosis: who gets well",
    "moderator": "moderation: who gets well on which treatment",
    "both": "prognosis and moderation",
    "neither shown": "neither shown",
}


@dataclass(frozen=True)
class Table:
    """A titled table with the sentence that it needs."""

    title: str
    note: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]


@dataclass(frozen=True)
class Sheet:
    """All that a page says of a board.

    Attributes
    ----------
    columns, rows : sequence
        The table of rules; empty where the comparison is refused.
    """

    title: str
    summary: Sequence[str]
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    tables: Sequence[Table]
    footnotes: Sequence[str]


def sheet(board: BenefitBoard) -> Sheet:
    """Title, summary, tables and footnotes."""
    refused = board.refusal is not None
    tables = [*([] if refused else _numbers(board)), overlap_table(board)]
    moderation = moderation_table(board.entry.about)
    tables += [moderation] if moderation else []
    return Sheet(
        title(board),
        _summary(board),
        [] if refused else _columns(board),
        [] if refused else [_cells(row, board) for row in all_rows(board)],
        tables,
        _footnotes(board),
    )


def all_rows(board: BenefitBoard) -> list[BenefitRow]:
    """The ceiling above all others."""
    return [*([board.ceiling] if board.ceiling else []), *board.rows]


def _summary(board: BenefitBoard) -> list[str]:
    about = board.entry.about
    lines = [*summary(board), assignment_line(about)]
    if board.refusal:
        lines.append(f"Refused: {board.refusal}.")
    return lines


def assignment_line(about: Mapping[str, Any]) -> str:
    """The arms, their sizes, and how patients came to them."""
    said = about["benefit"]
    arms = ", ".join(f"{arm} ({n})" for arm, n in said["arms"].items())
    return f"Arms: {arms}; {ASSIGNED[not said['fitted']]}."


def _columns(board: BenefitBoard) -> list[str]:
    rule = [f"gain over {board.rule}"] if board.rule else []
    return [
        "model",
        "",
        "value (95 % interval)",
        f"gain over {SINGLE}",
        "p",
        *rule,
        "changed",
        "with the best",
        "n",
        "folds",
        "s per fold",
    ]


def _binary(board: BenefitBoard) -> bool:
    return board.entry.about["events"] is not None


def _cells(row: BenefitRow, board: BenefitBoard) -> list[str]:
    rule = [_gain(row.over_rule)] if board.rule else []
    return [
        row.label,
        ROLES[row.role],
        number(row.estimate("value")),
        _gain(row.gain),
        p_value(row.p_gain),
        *rule,
        f"{row.gain.changed:.0%}" if row.gain else "",
        {True: "tied", False: "worse", None: ""}[row.tied_with_best],
        str(row.n),
        str(row.folds),
        "" if row.seconds is None else f"{row.seconds:.2f}",
    ]


def _gain(found: Gain | None) -> str:
    if found is None:
        return ""
    return "0, the same rule" if found.changed == 0 else number(found.difference, signed=True)


def _gains(board: BenefitBoard) -> Table:
    """What a gain means for patients, and what would have been seen."""
    rows = [
        [
            row.label,
            _gain(row.gain),
            f"{row.gain.changed:.0%}",
            *([number_needed_to_treat(row.gain.difference)] if _binary(board) else []),
            f"{row.gain.detectable:.3f}",
        ]
        for row in all_rows(board)
        if row.gain and row.gain.changed
    ]
    return Table(
        f"Gain over the {SINGLE}",
        "Share of patients whose treatment changes"
        + (
            ", how many the rule has to choose for so that one more responds"
            if _binary(board)
            else ""
        )
        + ", and the gain that so many patients would show with 80 % power.",
        [
            "model",
            "gain (95 % interval)",
            "changed",
            *(["number needed to treat (95 % interval)"] if _binary(board) else []),
            "detectable",
        ],
        rows,
    )


def _numbers(board: BenefitBoard) -> list[Table]:
    found = [_gains(board)]
    for heading, (names, note) in GROUPS.items():
        rows = [
            [row.label, *(number(row.estimate(name)) for name in names)]
            for row in all_rows(board)
            if any(not math.isnan(row.estimate(name).value) for name in names)
        ]
        if rows:
            columns = ["model", *(f"{TITLES[name]} (95 % interval)" for name in names)]
            found.append(Table(heading, note, columns, rows))
    return found


def overlap_table(board: BenefitBoard) -> Table:
    """Could every patient have received every arm."""
    rows = [
        [
            arm.arm,
            str(arm.n),
            f"{arm.lowest:.3f} to {arm.highest:.3f}",
            f"{arm.effective:.0f}",
        ]
        for arm in board.rows[0].assessment.overlap
    ]
    return Table(
        "Overlap",
        "Propensity: how probable an arm was for each patient. Weighted to resemble all patients, "
        "an arm's count as many as its effective sample size.",
        ["arm", "n", "propensity", "effective n"],
        rows,
    )


def moderation_table(about: Mapping[str, Any]) -> Table | None:
    """Which markers are prognostic, and which moderate treatment."""
    found = about["benefit"]["moderation"]
    if not found:
        return None
    arms = list(about["benefit"]["arms"])
    rows = [
        [
            item["marker"],
            str(item["n"]),
            _with_interval(item["prognosis"]),
            p_value(item["p_prognosis"]),
            _with_interval(item["interaction"]),
            p_value(item["p_interaction"]),
            VERDICTS[item["verdict"]],
        ]
        for item in found
    ]
    against = f"{arms[-1]} less {arms[0]}"
    return Table(
        "Prognosis or moderation",
        "Change of the outcome with one standard deviation of the marker: mean over arms "
        f"(prognosis), and {against} (moderation); adjusted for clinical covariates, p after Holm "
        "in each family. What is not shown is not absent: interactions need about four times the "
        "patients of a main effect of the same size.",
        ["marker", "n", "prognosis (95 % interval)", "p", f"{against} (95 % interval)", "p",
         "the marker tells"],
        rows,
    )  # fmt: skip


def marker_lines(about: Mapping[str, Any]) -> list[str]:
    """The markers by what they tell, a line for each kind; the table has the numbers."""
    found = about["benefit"]["moderation"]
    lines = []
    for verdict, said in VERDICTS.items():
        names = [item["marker"] for item in found if item["verdict"] == verdict]
        if names and verdict != "neither shown":
            lines.append(f"{said[0].upper()}{said[1:]}: {', '.join(names)}.")
        elif names:
            lines.append(f"Neither shown for {len(names)} of {len(found)} markers.")
    return lines


def _with_interval(item: Mapping[str, Any]) -> str:
    if item["low"] is None:
        return f"{item['value']:+.3f}"
    return f"{item['value']:+.3f} ({item['low']:+.3f} to {item['high']:+.3f})"


def _footnotes(board: BenefitBoard) -> list[str]:
    about = board.entry.about
    notes: list[str] = []
    if board.refusal is None:
        notes += [
            "value: mean outcome if everybody were treated by the rule; doubly robust (AIPW), "
            "rules learnt without the patient, interval over patients, rules as given.",
            f"{SINGLE}: everybody on the arm that was best in the training part. p: of this gain, "
            "two-sided, Holm over models.",
        ]
        seen = [row.gain.detectable for row in board.rows if row.gain and row.role == "model"]
        known = [value for value in seen if not math.isnan(value)]
        if known:
            low, high = f"{min(known):.3f}", f"{max(known):.3f}"
            notes.append(
                "a gain that this cohort would show with 80 % power has to be about "
                + (f"{low}." if low == high else f"{low} to {high}, depending on the rule.")
            )
        notes.append(
            f"tied: the value does not differ from the first row's, Holm p >= {ALPHA}; the order "
            "among tied rows means nothing."
        )
    if board.ceiling and board.ceiling.assessment.optimal:
        best, single = board.ceiling.assessment.optimal
        notes.append(
            f"truth: the best arm of each patient, known because the data are simulated; its true "
            f"value is {best:.3f}, that of one arm for all at most {single:.3f}."
        )
    if board.rule is None:
        notes.append(
            "no CRP rule: no CRP in mg/L, or the arms are not those of its trials; "
            "model=crp_rule model.below=... model.above=... names them."
        )
    notes.append(
        "patients without a known outcome are left out: where drop-out depends on arm and "
        "prognosis together, values are of those who stay."
    )
    notes += left_out_notes(board) + audit_notes(board) + [str(note) for note in about["notes"]]
    for name, (done, folds) in sorted(board.entry.unfinished.items()):
        notes.append(f"{name} is not shown: {done} of {folds} folds are done.")
    return notes + revision_notes(board)
