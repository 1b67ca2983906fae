"""The frame of a figure: margins from the words that stand in them; grid and labels drawn once.

matplotlib's own layout measures every label several times to see how much room it takes, and keeps
five objects for each tick: together three quarters of what a figure cost.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.layout_engine import LayoutEngine

from cytobench.report.figures import FAINT, INK
from cytobench.report.pen import POINTS, measured
from cytobench.report.text import lines_of

EDGE, GAP = 7.0, 4.5
"""What stays white around a figure, and between two things in it; lengths are in points."""
LINE, FURTHER = 1.17, 1.4
"""Height of a text of one line, and of each further one, in font sizes."""
TITLE, LABEL, SAID, SMALL = 12.0, 10.0, 9.5, 9.0
"""Font sizes: title; names of the axes; the line under the title; ticks, key and foot."""
TWO_LINES = 7.5
"""Font size of a row's name that takes two lines."""
ROW = 14.0
"""Height of a row of a key."""
BELOW = 0.5
"""Where matplotlib draws an axis: after the ground, before everything else."""


class Framed(LayoutEngine):
    """Places the axes of a figure with one pair of them, and draws their grid and all labels.

    Labels, ticks and limits are read from the axes as they were set by matplotlib's usual names.

    Parameters
    ----------
    rows : bool
        Upright stand names of rows: no grid goes with them.
    bold : collection of float
        Heights of the rows whose names are bold.
    right : float
        Room in points for words that the figure itself writes beside its axes.
    """

    _adjust_compatible = True
    _colorbar_gridspec = True

    def __init__(
        self, *, rows: bool = False, bold: Collection[float] = (), right: float = 0.0
    ) -> None:
        super().__init__()
        self._rows, self._bold, self._right = rows, bold, right
        self._key = 0

    def keep_above(self, rows: int) -> None:
        """Keep room for a key of so many rows above the axes."""
        self._key = rows

    def top(self, height: float) -> float:
        """Where the title of a figure of so many inches begins, as a share of its height."""
        return 1 - EDGE / (POINTS * height)

    def execute(self, fig: Figure) -> None:
        """Place the axes, and write what stands around them, once however often it is drawn."""
        fig.set_layout_engine("none")
        (axes,) = fig.axes
        x, y = _ticks(axes.xaxis), _ticks(axes.yaxis)
        half = max((wide(text, SMALL) for text in x.values()), default=0.0) / 2
        beside = max((wide(text, *self._font(text, at)) for at, text in y.items()), default=0.0)

        width, height = POINTS * fig.get_size_inches()
        foot = EDGE + (_tall(fig.get_supxlabel(), SMALL) + GAP if fig.get_supxlabel() else 0)
        xlabel = wrapped(axes.get_xlabel(), LABEL, 0.8 * width)
        bottom = foot + _tall(xlabel, LABEL) + _tall("0", SMALL) + GAP
        head = height - EDGE - _tall(fig.get_suptitle(), TITLE) - GAP
        ylabel = wrapped(axes.get_ylabel(), LABEL, head - bottom)
        left = EDGE + max(_tall(ylabel, LABEL) + GAP + beside + GAP, half)
        right = width - EDGE - max(self._right, half)
        said = wrapped(axes.get_title(loc="left"), SAID, width - EDGE - left)
        top = head - _tall(said, SAID) - GAP - ROW * self._key

        axes.set_position(
            (left / width, bottom / height, (right - left) / width, (top - bottom) / height)
        )
        axes.set(xlabel="", ylabel="")
        axes.set_title("", loc="left")
        self._draw_ticks(axes, x, y, (right - left, top - bottom))
        middle, centre = (left + right) / 2, (bottom + top) / 2
        words: tuple[tuple[str, float, float, dict[str, Any]], ...] = (
            (said, left, top + GAP, {"fontsize": SAID, "va": "bottom"}),
            (xlabel, middle, foot, {"fontsize": LABEL, "ha": "center", "va": "bottom"}),
            (ylabel, EDGE, centre, {"fontsize": LABEL, "va": "center", "rotation": 90}),
        )
        for text, across, up, how in words:
            if text:
                fig.text(across / width, up / height, text, color=INK, **how)

    def _draw_ticks(
        self, axes: Any, x: dict[float, str], y: dict[float, str], size: tuple[float, float]
    ) -> None:
        """A line of the grid and a label for each tick; `size` is that of the axes, in points."""
        (left, right), (bottom, top) = axes.get_xlim(), axes.get_ylim()
        lines = [((at, bottom), (at, top)) for at in x]
        if not self._rows:
            lines += [((left, at), (right, at)) for at in y]
        axes.add_artist(LineCollection(lines, colors=FAINT, linewidths=0.7, zorder=BELOW))
        under, beside = axes.get_xaxis_transform(), axes.get_yaxis_transform()
        for at, text in x.items():
            axes.text(at, -GAP / size[1], text, transform=under, fontsize=SMALL, color=INK,
                      ha="center", va="top", zorder=BELOW)  # fmt: skip
        for at, text in y.items():
            points, weight = self._font(text, at)
            axes.text(-GAP / size[0], at, text, transform=beside, fontsize=points, color=INK,
                      fontweight=weight, ha="right", va="center", zorder=BELOW)  # fmt: skip

    def _font(self, text: str, at: float) -> tuple[float, str]:
        """Size and weight of the label of an upright tick."""
        return TWO_LINES if "\n" in text else SMALL, "bold" if at in self._bold else "normal"


def wide(text: str, size: float, weight: str = "normal") -> float:
    """Width in points of the longest line of a text."""
    font = FontProperties(size=size, weight=weight)
    return max(measured(line, font)[0] for line in text.split("\n"))


def wrapped(text: str, size: float, room: float) -> str:
    """The text with a line that is too long for its room as several."""
    return "\n".join(_broken(line, wide(line, size) / room) for line in text.split("\n"))


def _broken(line: str, excess: float) -> str:
    """A line that is so many times as wide as its room, as lines that fit."""
    if excess <= 1:
        return line
    # Words differ in width: a little less than fits on average fits nearly always.
    return lines_of(line, int(0.93 * len(line) / excess), most=3)


def _tall(text: str, size: float) -> float:
    """Height in points of a text; of none, none."""
    return size * (LINE + FURTHER * text.count("\n")) if text else 0.0


def _ticks(axis: Any) -> dict[float, str]:
    """Where an axis has ticks within its limits, and what stands there."""
    low, high = sorted(axis.get_view_interval())
    slack = 1e-6 * (high - low)
    places = axis.get_majorticklocs()
    formatter = axis.get_major_formatter()
    words = formatter.format_ticks(places)
    power = formatter.get_offset()
    if power:
        axis.set_label_text(f"{axis.get_label_text()} ({power})")
    return {
        float(at): word
        for at, word in zip(places, words, strict=True)
        if word and low - slack <= at <= high + slack
    }
