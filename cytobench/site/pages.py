"""Fill a template of the site: one page, with its style and its script inside."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Sequence
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any

from cytobench import __version__
from cytobench.report.writing import TEMPLATES as REPORT
from cytobench.report.writing import environment

TEMPLATES = Path(__file__).parent / "templates"
Trail = Sequence[tuple[str, str]]
"""The pages above a page: name and address."""


def page(template: str, *, title: str, here: str, trail: Trail, **context: Any) -> str:
    """Fill a template; everything that is put in is escaped, our style and script excepted.

    The page's security policy names the hash of the script: no other can run, whatever a plugin
    calls itself, and nothing is loaded from anywhere.
    """
    from markupsafe import Markup

    script = (TEMPLATES / "site.js").read_text(encoding="utf-8")
    digest = b64encode(sha256(script.encode()).digest()).decode()
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
            script=Markup(script),  # noqa: S704
            script_hash=f"sha256-{digest}",
            **context,
        )
    )


@cache
def _environment() -> Any:
    return environment(TEMPLATES)
