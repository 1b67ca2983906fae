"""Figures of a cohort, drawn from its aggregates: no patient is a point in any of them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from cytobench.evaluate.cohort_facts import estimate_of
from cytobench.report.figures import BLUE, FAINT, GREY, INK, ORANGE, QUIET, say, sheet
from cytobench.report.forests import Line, forest
from cytobench.report.text import lines_of

Facts = Mapping[str, Any]
COLUMNS = 6
MOST_NAMED = 48
"""Rows of a heat map that are named; with more the names would overlap."""


def distributions(facts: Facts) -> Any:
    """A small histogram for each analyte, with median and limit of detection."""
    analytes = [item for item in facts["analytes"] if item.get("histogram")]
    rows = max(1, math.ceil(len(analytes) / COLUMNS))
    height = 0.6 + 1.25 * rows
    figure = sheet("Analytes at baseline", 10.4, height)
    figure.set_layout_engine("none")  # many panels of one size: nothing needs solving
    panels = figure.subplots(
        rows, COLUMNS, squeeze=False,
        gridspec_kw={
            "left": 0.02, "right": 0.99, "top": 1 - 0.6 / height, "bottom": 0.25 / height,
            "hspace": 0.6, "wspace": 0.14,
        },
    )  # fmt: skip
    for axes in panels.ravel():
        axes.set_axis_off()
    for axes, item in zip(panels.ravel(), analytes, strict=False):
        axes.set_axis_on()
        _histogram(axes, item)
    return figure


def _histogram(axes: Any, item: Facts) -> None:
    shape = item["histogram"]
    edges = np.array(shape["edges"])
    density = np.array(shape["counts"]) / np.diff(edges)
    axes.stairs(density, edges, fill=True, color=BLUE, alpha=0.45)
    axes.stairs(density, edges, color=BLUE, linewidth=0.8)
    place = math.log10 if shape["logarithmic"] else float
    if not shape["logarithmic"] or item["q50"] > 0:
        axes.axvline(place(item["q50"]), color=INK, linewidth=1.2)
    limit = item["llod"]
    known = limit is not None and (limit > 0 or not shape["logarithmic"])
    # One far below the values would squeeze them; the table has it.
    if known and place(limit) > edges[0] - 0.15 * (edges[-1] - edges[0]):
        axes.axvline(place(limit), color=ORANGE, linewidth=1.4, linestyle=(0, (2, 1.5)))
    axes.set_yticks([])
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.spines["bottom"].set_color(GREY)
    axes.tick_params(labelsize=6.5, colors=QUIET, length=2, pad=1)
    low, high = axes.get_xlim()
    ticks = np.linspace(low, high, 5)[1:4:2]
    if shape["logarithmic"]:
        axes.set_xticks(ticks, [f"{10**tick:.2g}" for tick in ticks])
    else:
        axes.set_xticks(ticks, [f"{tick:.2g}" for tick in ticks])
    unit = f" {item['unit']}" if item["unit"] else ""
    axes.set_title(lines_of(f"{item['name']}{unit}", 22, most=1), fontsize=7.5, color=INK, pad=2)


def detection(facts: Facts) -> Any:
    """Stacked bars: detected, below and above a limit, missing; the least detected first."""
    analytes = sorted(
        facts["analytes"], key=lambda a: -(a["missing"] + (1 - a["missing"]) * a["below"])
    )
    height = 0.19 if len(analytes) > MOST_NAMED else 0.24
    figure = sheet("What was measured", 7.6, 1.4 + height * len(analytes))
    axes = figure.add_subplot()
    place = -np.arange(len(analytes))
    missing = np.array([item["missing"] for item in analytes])
    parts = {
        "detected": [(1 - item["missing"]) * (1 - item["below"] - item["above"])
                     for item in analytes],
        "below a limit": [(1 - item["missing"]) * item["below"] for item in analytes],
        "above a limit": [(1 - item["missing"]) * item["above"] for item in analytes],
        "missing": missing,
    }  # fmt: skip
    styles = {"detected": (BLUE, ""), "below a limit": ("#f3c48f", "////"),
              "above a limit": ("#7a4a9e", "...."), "missing": ("white", "")}  # fmt: skip
    start = np.zeros(len(analytes))
    for name, shares in parts.items():
        width = 100 * np.array(shares)
        if name in ("detected", "below a limit", "missing") or width.any():
            colour, hatch = styles[name]
            axes.barh(place, width, left=start, color=colour, hatch=hatch, edgecolor=INK,
                      linewidth=0.4, height=0.78, label=name)  # fmt: skip
        start = start + width
    size = 6 if len(analytes) > MOST_NAMED else 8
    axes.set_yticks(place, [item["name"] for item in analytes], fontsize=size)
    axes.set(xlim=(0, 100), ylim=(place[-1] - 0.7, 0.7), xlabel="patients, per cent")
    axes.spines[["top", "right"]].set_visible(False)
    axes.tick_params(axis="x", labelsize=9, colors=INK)
    axes.tick_params(axis="y", length=0)
    figure.legend(*axes.get_legend_handles_labels(), loc="outside lower center", ncols=4,
                  frameon=False, fontsize=9)  # fmt: skip
    return figure


def correlation(facts: Facts) -> Any:
    """Spearman correlations, analytes that go together side by side."""
    names = facts["correlation"]["names"]
    matrix = np.array(
        [[math.nan if v is None else v for v in row] for row in facts["correlation"]["matrix"]]
    )
    order = _clustered(np.nan_to_num(matrix))
    side = float(np.clip(2.4 + 0.17 * len(names), 4.8, 10.4))
    figure = sheet("Rank correlations between analytes", side, side)
    axes = figure.add_subplot()
    image = axes.imshow(matrix[np.ix_(order, order)], vmin=-1, vmax=1, cmap="RdBu_r")
    size = 8 if len(names) <= 30 else 6 if len(names) <= 60 else 4.2
    labels = [names[k] for k in order]
    axes.set_xticks(range(len(names)), labels, fontsize=size, rotation=90)
    axes.set_yticks(range(len(names)), labels, fontsize=size)
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    bar = figure.colorbar(image, ax=axes, shrink=0.6, pad=0.02)
    bar.ax.tick_params(labelsize=8)
    if len(names) <= 12:
        _values(axes, matrix[np.ix_(order, order)])
    return figure


def _values(axes: Any, matrix: Any) -> None:
    """The numbers in the cells: where there is room, nobody has to read a colour."""
    for row, column in np.ndindex(*matrix.shape):
        value = matrix[row, column]
        colour = "white" if abs(value) > 0.6 else INK
        axes.text(column, row, f"{value:.2f}", ha="center", va="center", fontsize=7, color=colour)


def _clustered(matrix: Any) -> list[int]:
    from scipy.cluster.hierarchy import leaves_list, linkage
    from scipy.spatial.distance import squareform

    distance = 1 - np.clip((matrix + matrix.T) / 2, -1, 1)
    np.fill_diagonal(distance, 0)
    tree = linkage(squareform(distance, checks=False), "average", optimal_ordering=True)
    return [int(leaf) for leaf in leaves_list(tree)]


def outcome(facts: Facts, part: Facts) -> Any:
    """The outcome in all patients and by arm, with intervals."""
    percent = part["kind"] == "classification"
    lines = []
    for row in part["arms"]:
        estimate = estimate_of(row, "")
        said = f"{row['known']} of {row['n']} known"
        scaled = estimate_of(_times(row, 100), "") if percent else estimate
        lines.append(Line(row["arm"], scaled, said if row["value"] is not None else "too few",
                          quiet=row["arm"] == "all"))  # fmt: skip
    axis = "patients with the outcome, per cent" if percent else "mean, per cent of baseline"
    name = part["task"].replace("_", " ")
    del facts
    return forest(lines, f"Outcome: {name}", f"{axis}, 95 % interval", zero=None,
                  said=part["meaning"])  # fmt: skip


def _times(row: Facts, factor: float) -> dict[str, Any]:
    ends = ("value", "low", "high")
    return {end: None if row[end] is None else factor * row[end] for end in ends}


def plates(facts: Facts) -> Any:
    """Each plate's mean in SDs of the analyte from the mean of all."""
    part = facts["plates"]
    matrix = np.array(
        [[math.nan if value is None else value for value in row] for row in part["shift"]]
    ).T
    width = float(np.clip(2.2 + 0.17 * matrix.shape[1], 6.4, 10.4))
    figure = sheet("Plates", width, 2.2 + 0.22 * len(part["plates"]))
    axes = figure.add_subplot()
    image = axes.imshow(matrix, vmin=-1, vmax=1, cmap="PuOr_r", aspect="auto")
    size = 8 if matrix.shape[1] <= 40 else 5
    axes.set_xticks(range(matrix.shape[1]), part["analytes"], rotation=90, fontsize=size)
    axes.set_yticks(range(len(part["plates"])), part["plates"], fontsize=8)
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    say(axes, "plate mean in SDs from the mean of all plates, logarithms")
    figure.colorbar(image, ax=axes, shrink=0.9, pad=0.02).ax.tick_params(labelsize=8)
    return figure


def followup(facts: Facts) -> Any:
    """Change to the end point, in SDs of the baseline, an interval for each arm."""
    rows = [row for row in facts["followup"] if row["value"] is not None]
    names = list(dict.fromkeys(row["analyte"] for row in rows))
    arms = list(dict.fromkeys(row["arm"] for row in rows))
    figure = sheet("Change to the end point", 7.6, 1.6 + (0.16 * len(arms) + 0.14) * len(names))
    axes = figure.add_subplot()
    marks, colours = "osD^vPX<>*", _shades(len(arms))
    for k, arm in enumerate(arms):
        shown = {row["analyte"]: row for row in rows if row["arm"] == arm}
        height = [-names.index(name) - 0.8 * (k + 0.5) / len(arms) + 0.4 for name in shown]
        values = np.array([shown[name]["value"] for name in shown])
        ends = np.array([[shown[name]["low"], shown[name]["high"]] for name in shown])
        axes.hlines(height, ends[:, 0], ends[:, 1], color=colours[k], linewidth=1.2)
        axes.plot(values, height, marks[k % len(marks)], color=colours[k], markersize=4.5,
                  label=arm or "all", markeredgecolor=INK, markeredgewidth=0.4)  # fmt: skip
    axes.axvline(0, color=GREY, linewidth=1)
    axes.set_yticks(-np.arange(len(names)), names, fontsize=8)
    axes.set(ylim=(-len(names) + 0.4, 0.6), xlabel="mean change in SDs of the baseline, 95 %")
    axes.grid(axis="x", color=FAINT)
    axes.set_axisbelow(True)
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.tick_params(axis="y", length=0)
    figure.legend(*axes.get_legend_handles_labels(), loc="outside lower center", frameon=False,
                  fontsize=8.5, ncols=min(3, len(arms)))  # fmt: skip
    return figure


def _shades(count: int) -> Sequence[str]:
    """Colours that stay apart for the colour-blind and, by their lightness, in grey."""
    known = ("#1b62a5", "#d9730d", "#111111", "#5aa9a3", "#b05a98", "#c9a400", "#7f7f7f")
    return [known[k % len(known)] for k in range(count)]
