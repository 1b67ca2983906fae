"""Fill a template, write a file of a report."""

from __future__ import annotations

from base64 import b64encode
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any

from cytobench.core.errors import StoreError
from cytobench.core.files import write_whole
from cytobench.report.text import printable

TEMPLATES = Path(__file__).parent / "templates"


def render(template: str, **context: Any) -> str:
    """Fill a template; everything that is put in is escaped, our own style and script excepted."""
    from markupsafe import Markup

    style = (TEMPLATES / "style.css").read_text(encoding="utf-8")
    page = environment().get_template(template)
    ours = {"style": Markup(style), **own_script(TEMPLATES / "links.js")}  # noqa: S704
    return str(page.render(**ours, **context))


def own_script(path: Path) -> dict[str, Any]:
    """A script for a page, and its hash for the page's security policy, by which no other runs.

    Whatever a plugin calls itself.
    """
    from markupsafe import Markup

    script = path.read_bytes()
    digest = b64encode(sha256(script).digest()).decode()
    return {"script": Markup(script.decode()), "script_hash": f"sha256-{digest}"}  # noqa: S704


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
