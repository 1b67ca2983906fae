"""Every word that cytobench prints: messages, tables and the live progress display.

rich is imported only when something is drawn; it honours ``NO_COLOR`` and a redirected output.
"""

from __future__ import annotations

import sys
import textwrap
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table


GAP = 2
"""Blanks between columns."""
NAME, SHORTEST = 24, 12
"""What the first column's names are given before other columns are left out, and after that."""


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


def paragraph(text: str, *, indent: str = "", style: str | None = None) -> None:
    """Print a sentence: broken at words in a terminal, on one line where it is redirected."""
    console = _console()
    if not console.is_terminal:
        say(indent + text, style=style)
        return
    lines = textwrap.wrap(
        text, console.width, initial_indent=indent, subsequent_indent=indent,
        break_long_words=False, break_on_hyphens=False,
    )  # fmt: skip
    for line in lines or [""]:
        say(line, style=style)


def table(
    columns: Sequence[str],
    rows: Sequence[Sequence[str]],
    *,
    title: str = "",
    right: Sequence[str] = (),
    yielding: Sequence[str] = (),
    styles: Sequence[str] = (),
) -> None:
    """Print a table; redirected, it is plain columns as wide as they need.

    Where a terminal is too narrow, intervals go below their numbers; where that is not enough, the
    columns named in `yielding` are left out, and said to be.

    Parameters
    ----------
    right : sequence of str
        Columns that are aligned to the right.
    styles : sequence of str
        One for each row.
    """
    from rich.console import Console

    console = _console()
    if not console.is_terminal:
        drawn = _drawn(columns, rows, title, right, (), plain=True)
        Console(highlight=False, width=4000, no_color=True).print(drawn, soft_wrap=True)
        return
    names, shown, left_out = list(columns), [list(row) for row in rows], list[str]()
    if not _fits(names, shown, console.width):
        shown = [[_below(cell) for cell in row] for row in shown]
    for name in yielding:
        if _fits(names, shown, console.width):
            break
        if name in names:
            position = names.index(name)
            left_out.append(names.pop(position))
            shown = [row[:position] + row[position + 1 :] for row in shown]
    # What fits nowhere is left to rich, which breaks cells.
    room = console.width if _fits(names, shown, console.width, SHORTEST) else None
    console.print(_drawn(names, shown, title, right, styles, room=room), soft_wrap=False)
    if left_out:
        paragraph(f"Not shown for want of width: {', '.join(left_out)}.", indent="  ", style="dim")


def _below(cell: str) -> str:
    """A number with its interval in the next line."""
    return cell.replace(" (", "\n(", 1) if cell.endswith(")") else cell


def _drawn(
    columns: Sequence[str],
    rows: Sequence[Sequence[str]],
    title: str,
    right: Sequence[str],
    styles: Sequence[str],
    *,
    plain: bool = False,
    room: int | None = None,
) -> Table:
    from rich import box
    from rich.table import Table
    from rich.text import Text

    drawn = Table(
        title=title or None,
        title_justify="left",
        header_style="" if plain else "bold",
        box=None if plain else box.SIMPLE_HEAD,
        show_edge=False,
        pad_edge=False,
        padding=(0, 2, 0, 0) if plain else (0, 1, 0, 0),
    )
    widths = [None] * len(columns) if room is None else _spread(columns, rows, room)
    for name, width in zip(columns, widths, strict=True):
        drawn.add_column(
            Text(name),
            justify="right" if name in right else "left",
            overflow="fold",
            width=width,
            no_wrap=plain,
        )
    for position, row in enumerate(rows):
        drawn.add_row(*map(Text, row), style=styles[position] if styles else None)
    return drawn


def _widths(columns: Sequence[str], rows: Sequence[Sequence[str]], name: int) -> list[int]:
    """What each column needs at least: its longest line, a word of its title, a part of a name."""
    found = [max(_longest(rows, k), *map(len, title.split()), 1) for k, title in enumerate(columns)]
    return [min(found[0], name), *found[1:]]


def _longest(rows: Sequence[Sequence[str]], position: int) -> int:
    from rich.cells import cell_len

    lines = [line for row in rows for line in row[position].split("\n")]
    return max(map(cell_len, lines), default=0)


def _spread(columns: Sequence[str], rows: Sequence[Sequence[str]], room: int) -> list[int]:
    """The least widths, and what room there is for whole names and titles."""
    found = _widths(columns, rows, NAME if _fits(columns, rows, room) else SHORTEST)
    left = room - sum(found) - GAP * (len(found) - 1)
    for position, name in enumerate(columns):
        wanted = max(len(name), _longest(rows, position)) - found[position]
        more = min(max(wanted, 0), left)
        found[position] += more
        left -= more
    return found


def _fits(
    columns: Sequence[str], rows: Sequence[Sequence[str]], width: int, name: int = NAME
) -> bool:
    needed = _widths(columns, rows, name)
    return sum(needed) + GAP * (len(needed) - 1) <= width


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
