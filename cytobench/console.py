"""Every word that cytobench prints: messages, tables and the live progress display.

rich is imported only when something is drawn; it honours ``NO_COLOR`` and a redirected output.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console


@cache
def _console(stderr: bool = False) -> Console:
    from rich.console import Console

    return Console(stderr=stderr, highlight=False, soft_wrap=True)


def say(text: str = "", *, style: str | None = None) -> None:
    """Print a line of plain text to standard output; brackets in it are not markup."""
    if style is None:
        print(text)
    else:
        _console().print(text, style=style, markup=False)


def warn(text: str) -> None:
    """Print a warning to standard error."""
    _console(stderr=True).print(f"warning: {text}", style="yellow", markup=False)


def fail(text: str) -> None:
    """Print an error to standard error."""
    _console(stderr=True).print(text, style="red", markup=False)


def table(
    columns: Sequence[str],
    rows: Sequence[Sequence[str]],
    *,
    title: str = "",
    right: Sequence[str] = (),
) -> None:
    """Print a table; the columns named in `right` are aligned to the right.

    Redirected output is as wide as the table needs, so that nothing is cut in a log.
    """
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    drawn = Table(title=title or None, title_justify="left", header_style="bold")
    for column in columns:
        drawn.add_column(column, justify="right" if column in right else "left", no_wrap=True)
    for row in rows:
        drawn.add_row(*(Text(cell) for cell in row))
    console = _console()
    if not console.is_terminal:
        console = Console(highlight=False, width=400)
    console.print(drawn)


@contextmanager
def progress(total: int, title: str) -> Iterator[Callable[[str, int], None]]:
    """A live progress bar on standard error; yields ``advance(what, steps)``.

    Without a terminal one line is written for every finished tenth, so that logs stay short.
    """
    if not sys.stderr.isatty():
        yield _plain_progress(total, title)
        return
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    columns = (
        TextColumn("{task.fields[title]}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("folds"),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
        TextColumn("{task.fields[what]}", style="dim"),
    )
    with Progress(*columns, console=_console(stderr=True)) as bar:
        task = bar.add_task("", total=total, title=title, what="")

        def advance(what: str, steps: int = 1) -> None:
            bar.update(task, advance=steps, what=what)

        yield advance


def _plain_progress(total: int, title: str) -> Callable[[str, int], None]:
    done = 0

    def advance(what: str, steps: int = 1) -> None:
        nonlocal done
        before, done = done, done + steps
        if total and (done * 10 // total) > (before * 10 // total):
            print(f"{title}: {done} of {total} folds ({what})", file=sys.stderr, flush=True)

    return advance
