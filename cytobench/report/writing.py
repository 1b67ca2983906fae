"""Fill a template, write a file of a report."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

from cytobench.core.errors import StoreError
from cytobench.core.files import write_whole
from cytobench.report.text import printable

TEMPLATES = Path(__file__).parent / "templates"


def render(template: str, **context: Any) -> str:
    """Fill a template; everything that is put in is escaped, our own style sheet excepted."""
    from markupsafe import Markup

    style = (TEMPLATES / "style.css").read_text(encoding="utf-8")
    page = environment().get_template(template).render(style=Markup(style), **context)  # noqa: S704
    return str(page)


@cache
def environment(*folders: Path) -> Any:
    """Templates of these folders, then of the report; everything that is put in is escaped.

    One for all pages of a process: a template is compiled once.
    """
    import jinja2

    return jinja2.Environment(
        loader=jinja2.FileSystemLoader([*folders, TEMPLATES]),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        finalize=_printable,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def _printable(value: Any) -> Any:
    """Names without the characters that no page may hold; what is markup already stays."""
    return printable(value) if type(value) is str else value


def write_page(path: Path, content: bytes) -> Path:
    """Write a file of a report, whole or not at all.

    Raises
    ------
    StoreError
        ``E702`` where it cannot be written.
    """
    try:
        write_whole(path, content, mode=0o644)
    except OSError as error:
        raise StoreError("E702", f"cannot be written: {error.strerror}", where=str(path)) from error
    return path
