"""Names that others chose, made safe to show: in a line of text, in a figure, as a file name."""

from __future__ import annotations

import re
import textwrap

LONGEST = 80
"""Characters of a file name before its suffix; file systems end at some 255 bytes."""


def printable(text: str) -> str:
    """The text with a space for each character that no page or SVG may hold.

    Control characters end an XML document, and invisible ones that turn the direction of writing
    make a name look like another.
    """
    if text.isprintable():
        return text
    return "".join(letter if letter.isprintable() else " " for letter in text)


def lines_of(text: str, width: int, *, most: int) -> str:
    """The text broken into at most so many lines, with an ellipsis where it goes on."""
    lines = textwrap.wrap(printable(text), width, max_lines=most, placeholder=" …")
    return "\n".join(lines)


def slug(label: str) -> str:
    """A file name for a row: letters, digits, dashes; a plugin's name cannot leave the folder."""
    return re.sub(r"[^A-Za-z0-9_]+", "-", label).strip("-")[:LONGEST].rstrip("-") or "model"
