"""Fill a template of the site: one page, with its style and its script inside."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

from cytobench import __version__
from cytobench.report.writing import TEMPLATES as REPORT
from cytobench.report.writing import environment, own_script

TEMPLATES = Path(__file__).parent / "templates"
Trail = Sequence[tuple[str, str]]
"""The pages above a page: name and address."""


def page(template: str, *, title: str, here: str, trail: Trail, **context: Any) -> str:
    """Fill a template; everything that is put in is escaped, our style and script excepted.

    The page's security policy names the hash of the script: no other can run, whatever a plugin
    calls itself, and nothing is loaded from anywhere.
    """
    from markupsafe import Markup

    style = "\n".join(
        path.read_text(encoding="utf-8") for path in (REPORT / "style.css", TEMPLATES / "site.css")
    )
    return str(
        _environment()
        .get_template(template)
        .render(
            title=title,
            here=here,
            trail=trail,
            version=__version__,
            style=Markup(style),  # noqa: S704
            **own_script(TEMPLATES / "site.js"),
            **context,
        )
    )


@cache
def _environment() -> Any:
    return environment(TEMPLATES)
