"""Figures of the report as SVG inside a page: in the page's colours, small, without ids that clash.

A figure in an ``<img>`` keeps the colours that it was drawn in; inside the page it follows the
reader's light or dark setting, and its text can be searched.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from xml.etree import ElementTree

from cytobench.report.figures import BLUE, FAINT, GREY, INK, ORANGE, QUIET

if TYPE_CHECKING:
    from markupsafe import Markup

TOKENS = {
    INK: "var(--ink)",
    QUIET: "var(--soft)",
    GREY: "var(--axis)",
    FAINT: "var(--faint)",
    BLUE: "var(--model)",
    ORANGE: "var(--other)",
    "#ffffff": "var(--ground)",
}
"""Colours of the figures -> properties of the style sheet, which know light and dark."""
GEOMETRY = ("d", "x", "y", "transform", "points", "width", "height", "x1", "x2", "y1", "y2")
SCALE = 1.25
"""CSS pixels that a point of a figure takes at most: text of the figures is 9 points high."""
LEAST = 1.2
"""... and at least: on a phone a figure scrolls rather than become unreadable."""
_LONG_NUMBER = re.compile(r"-?\d+\.\d{3,}")
_FONT_FAMILY = re.compile(r"font-family:[^;]*;?\s*")
_REFERENCE = re.compile(r'(?:url\(#|href="#)([^)"]+)')


def inline(svg: bytes, *, name: str, alt: str) -> Markup:
    """An SVG file as markup for a page.

    Parameters
    ----------
    name : str
        Unique in the page: what the ids inside the figure begin with.
    alt : str
        What the figure shows, for those who cannot see it.
    """
    from markupsafe import Markup

    root = ElementTree.fromstring(svg)  # noqa: S314 (drawn by ourselves, a moment ago)
    used = set(_REFERENCE.findall(svg.decode()))
    for parent in list(root.iter()):
        parent.tag = _plain(parent.tag)
        for child in [child for child in parent if _plain(child.tag) in ("metadata", "style")]:
            parent.remove(child)
        parent.attrib = {
            _plain(key): _shown(_plain(key), value, name, used)
            for key, value in parent.attrib.items()
            if _plain(key) != "id" or value in used
        }
        if parent.tag != "text":
            parent.text = None
        parent.tail = None
    width = float(root.attrib["viewBox"].split()[2])
    root.attrib = {
        "viewBox": root.attrib["viewBox"],
        "class": "figure",
        "role": "img",
        "aria-label": alt,
        "style": f"max-width: {SCALE * width:.0f}px; --least: {LEAST * width:.0f}px",
    }
    return Markup(ElementTree.tostring(root, encoding="unicode"))  # noqa: S704 (escaped by it)


def _plain(name: str) -> str:
    """A tag or attribute without its namespace: in a page there is one."""
    return name.rpartition("}")[2]


def _shown(key: str, value: str, name: str, used: set[str]) -> str:
    if key == "id":
        return f"{name}-{value}"
    if key == "style":
        value = _FONT_FAMILY.sub("", value)
        for colour, token in TOKENS.items():
            value = value.replace(colour, token)
    if key in GEOMETRY:
        value = _LONG_NUMBER.sub(lambda found: f"{float(found[0]):.2f}", value)
        value = " ".join(value.split())
    for other in used:
        value = value.replace(f"url(#{other})", f"url(#{name}-{other})")
        if key == "href" and value == f"#{other}":
            value = f"#{name}-{other}"
    return value
