"""Curves of training by epoch: the mean over folds between the lowest and the highest."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from cytobench.evaluate.epochs import EpochCurve
from cytobench.report.figures import BLUE, DASHED, INK, ORANGE, QUIET, canvas, key

STYLES = ((BLUE, "-"), (ORANGE, DASHED), (QUIET, ":"), (INK, "-."))
"""Colour and line of each curve; of more than these the rest is left to the tables."""


def training_figure(curves: Sequence[EpochCurve], title: str, folds: int) -> Any:
    """Each curve against the epoch, counted from 1."""
    figure, axes = canvas(title)
    for (colour, line), curve in zip(STYLES, curves, strict=False):
        epochs = np.arange(1, len(curve.mean) + 1)
        axes.fill_between(epochs, curve.low, curve.high, color=colour, alpha=0.13, linewidth=0)
        axes.plot(epochs, curve.mean, color=colour, linestyle=line, linewidth=2, label=curve.name)
    key(axes, columns=4)
    figure.supxlabel(
        f"lines: mean of {folds} folds; bands: lowest and highest fold", fontsize=9, color=QUIET
    )
    losses = all("loss" in curve.name for curve in curves)
    axes.set(xlabel="epoch", ylabel="loss" if losses else "value")
    return figure
