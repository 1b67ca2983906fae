"""Writes a figure as SVG; a word that was measured in one figure is not measured in the next."""

from __future__ import annotations

import io
from functools import lru_cache
from typing import Any

from matplotlib.backends.backend_svg import RendererSVG
from matplotlib.font_manager import FontProperties
from matplotlib.textpath import text_to_path

POINTS = 72
"""Points in an inch: the unit of an SVG."""


class Pen(RendererSVG):  # type: ignore[misc]
    """matplotlib's own, with a memory."""

    def get_text_width_height_descent(
        self, s: str, prop: FontProperties, ismath: Any
    ) -> tuple[float, float, float]:
        """Size of a line of text in points; names are no formulas."""
        del ismath
        return measured(s, prop)


@lru_cache(maxsize=10_000)
def measured(text: str, font: FontProperties) -> tuple[float, float, float]:
    """Width, height and descent of a line in points."""
    width, height, descent = text_to_path.get_text_width_height_descent(text, font, ismath=False)
    return float(width), float(height), float(descent)


def as_svg(figure: Any) -> str:
    """The figure as SVG, without a date and without the version of the library."""
    buffer = io.StringIO()
    width, height = POINTS * figure.get_size_inches()
    figure.set_dpi(POINTS)
    pen = Pen(width, height, buffer, metadata={"Date": None, "Creator": None})
    figure.draw(pen)
    pen.finalize()
    return buffer.getvalue()
