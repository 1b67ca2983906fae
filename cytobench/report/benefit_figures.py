"""Figures of treatment rules: values, gains, calibration of benefit, targeting, interactions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from cytobench.evaluate.benefit.assessment import BenefitAssessment
from cytobench.evaluate.intervals import Estimate
from cytobench.leaderboard.benefit import SINGLE, BenefitBoard, BenefitRow
from cytobench.leaderboard.benefit_sheet import VERDICTS, all_rows
from cytobench.leaderboard.tables import number
from cytobench.report.figures import BLUE, DASHED, GREY, QUIET, canvas, say
from cytobench.report.forests import Line, forest
from cytobench.report.illustrations import Illustration, of_training


def of_benefit_board(board: BenefitBoard) -> Iterator[Illustration]:
    """Figures of an entry's page; none of values where the comparison is refused."""
    if board.refusal is None:
        rows = all_rows(board)
        lines = [
            Line(
                row.label, row.estimate("value"), number(row.estimate("value")), row.role != "model"
            )
            for row in rows
        ]
        yield Illustration(
            "value",
            forest(lines, "Value of each rule", "mean outcome under the rule", zero=None,
                   said="lines: 95 % intervals; grey: floors and the truth"),
            "Mean outcome if everybody were treated by the rule, with 95 % intervals.",
            f"Forest plot of {len(rows)} rules; the numbers are in the table.",
            wide=True,
        )  # fmt: skip
        gains = [
            Line(row.label, row.gain.difference, number(row.gain.difference, signed=True),
                 row.role != "model")
            for row in rows
            if row.gain and row.gain.changed
        ]  # fmt: skip
        if gains:
            yield Illustration(
                "gain",
                forest(gains, f"Gain over the {SINGLE}", "difference in mean outcome", zero=0.0,
                       said="lines: paired 95 % intervals"),
                f"What a rule gains over one treatment for all, the {SINGLE} of the training part.",
                f"Forest plot of the gains of {len(gains)} rules; the numbers are in the table.",
                wide=True,
            )  # fmt: skip
    yield from _moderation(board.entry.about)


def _moderation(about: Mapping[str, Any]) -> Iterator[Illustration]:
    arms = list(about["benefit"]["arms"])
    found = [
        item for item in about["benefit"]["moderation"] if item["interaction"]["low"] is not None
    ]
    if not found:
        return
    lines = []
    for item in found:
        estimate = Estimate(**item["interaction"])
        shown = item["verdict"] in ("moderator", "both")
        note = VERDICTS[item["verdict"]] if item["verdict"] != "neither shown" else ""
        lines.append(Line(item["marker"], estimate, note.partition(":")[0], quiet=not shown))
    yield Illustration(
        "moderation",
        forest(lines, "Which markers moderate treatment",
               f"effect of one SD under {arms[-1]} less that under {arms[0]}", zero=0.0,
               said="lines: 95 % intervals, not adjusted; blue: p < 0.05 after Holm"),
        "Interaction of each marker with treatment: how much more the outcome changes with one "
        "standard deviation of it under one arm than under the other.",
        f"Forest plot of {len(lines)} interactions; the numbers are in the table.",
        wide=True,
    )  # fmt: skip


def of_benefit_cell(row: BenefitRow) -> Iterator[Illustration]:
    """Figures of one rule's page."""
    yield from _of_effects(row)
    if row.cell is not None:
        yield from of_training(row.cell.folds, row.label)


def _of_effects(row: BenefitRow) -> Iterator[Illustration]:
    """Nothing where it predicts no effect."""
    cell = row.assessment
    if cell.refusal is not None or not cell.groups:
        return
    arms = cell.arms
    yield Illustration(
        "benefit-calibration",
        _calibration(cell, row.label),
        f"Effect of {arms[1]} over {arms[0]} in quarters of patients by predicted effect, with "
        "95 % intervals of one repeat; on the diagonal the predictions have the right size.",
        f"Observed against predicted effect in quarters; slope "
        f"{number(row.estimate('benefit_slope'))}.",
    )
    yield Illustration(
        "targeting",
        _targeting(cell, row.label),
        "Targeting: how much larger the effect is among the share of patients with the highest "
        "predicted effect than among all; its area is AUTOC, 0 is noise.",
        f"Targeting curve; AUTOC {number(row.estimate('autoc'))}, "
        f"Qini {number(row.estimate('qini'))}.",
    )


def _calibration(cell: BenefitAssessment, title: str) -> Any:
    figure, axes = canvas(title, square=True)
    repeats = [groups for groups in cell.groups if len(groups) == len(cell.groups[0])]
    x = np.mean([[group.predicted for group in groups] for groups in repeats], axis=0)
    y = np.mean([[group.effect.value for group in groups] for groups in repeats], axis=0)
    ends = np.array(
        [
            [
                (group.effect.low, group.effect.high) if group.effect.low is not None
                else (np.nan, np.nan)
                for group in groups
            ]
            for groups in repeats
        ],
        dtype=float,
    )  # fmt: skip
    low, high = ends.mean(axis=0).T
    reach = [np.nanmin([x.min(), np.nanmin(low)]), np.nanmax([x.max(), np.nanmax(high)])]
    axes.plot(reach, reach, color=GREY, linewidth=1, linestyle=DASHED)
    axes.axhline(0, color=GREY, linewidth=0.7)
    axes.vlines(x, low, high, color=BLUE, linewidth=2)
    axes.plot(x, y, "o", color=BLUE, markersize=6)
    axes.set(
        xlabel=f"predicted effect of {cell.arms[1]} over {cell.arms[0]}", ylabel="effect observed"
    )
    say(axes, f"{cell.n} patients, {len(repeats)} repeats; dashed: right size")
    return figure


def _targeting(cell: BenefitAssessment, title: str) -> Any:
    figure, axes = canvas(title)
    grid = np.linspace(0.05, 1, 96)
    curves = [np.interp(grid, np.arange(1, len(toc) + 1) / len(toc), toc) for toc in cell.toc]
    for curve in curves:
        axes.plot(grid, curve, color=BLUE, alpha=0.28, linewidth=0.9)
    axes.plot(grid, np.mean(curves, axis=0), color=BLUE, linewidth=2.4)
    axes.axhline(0, color=GREY, linewidth=1, linestyle=DASHED)
    axes.annotate("noise", (0.99, 0), xytext=(0, 3), textcoords="offset points",
                  color=QUIET, fontsize=9, ha="right")  # fmt: skip
    axes.set(
        xlabel="share treated, highest predicted effect first",
        ylabel="effect among them less effect among all",
        xlim=(0, 1),
    )
    say(axes, f"{cell.n} patients; thin: repeats, thick: their mean")
    return figure
