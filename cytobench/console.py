"""Every word that cytobench prints: messages, tables and the live progress display.

rich is imported only when something is drawn; it honours ``NO_COLOR`` and a redirected output.
"""

from __future__ import annotations

import json
import os
import sys
import textwrap
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, Protocol, TextIO

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table


GAP = 2
"""Blanks between columns."""
NAME, SHORTEST = 24, 12
"""What the first column's names are given before other columns are left out, and after that."""


@cache
def _console(stderr: bool = False) -> Console:
    return _new_console(stderr=stderr, soft_wrap=True)


def _new_console(**how: Any) -> Console:
    from rich.console import Console

    class Staying(Console):
        """Rich ends the whole program where nobody reads any more."""

        def on_broken_pipe(self) -> None:
            raise BrokenPipeError

    return Staying(highlight=False, **how)


def visible(text: str) -> str:
    r"""The text with an escape such as ``\u001b`` for each character that is none to be read.

    Control characters command a terminal; invisible ones, and those that turn the direction of
    writing, make a name look like another; a lone surrogate cannot be written at all.
    """
    if text.isprintable():
        return text
    return "".join(_visible(letter) for letter in text)


def _visible(letter: str) -> str:
    import unicodedata

    if letter in "\n\t" or unicodedata.category(letter) not in ("Cc", "Cf", "Cs", "Zl", "Zp"):
        return letter
    # As JSON writes it: what is printed as JSON stays JSON, and says the same.
    return json.dumps(letter)[1:-1] if letter != "\x7f" else "\\u007f"


def say(text: str = "", *, style: str | None = None) -> None:
    """Print a line of plain text to standard output; brackets in it are not markup."""
    with _kept_going(sys.stdout):
        if style is None:
            print(visible(text))
        else:
            _console().print(visible(text), style=style, markup=False)


def warn(text: str) -> None:
    """Print a warning to standard error."""
    with _kept_going(sys.stderr):
        _console(stderr=True).print(visible(f"warning: {text}"), style="yellow", markup=False)


def fail(text: str) -> None:
    """Print an error to standard error."""
    with _kept_going(sys.stderr):
        _console(stderr=True).print(visible(text), style="red", markup=False)


_full: list[str] = []
"""Why an output took no more words."""


@contextmanager
def _kept_going(stream: TextIO) -> Iterator[None]:
    """Let nothing depend on a log on a full disk, or on a reader who has left."""
    try:
        yield
    except OSError as error:
        if not isinstance(error, BrokenPipeError):
            _full.append(error.strerror or str(error))
        # What is left in the stream's buffer would raise again, at the latest when Python ends.
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno())
        os.close(nowhere)


def flushed() -> bool:
    """Write what is left in standard output's buffer; False where words were lost on the way."""
    with _kept_going(sys.stdout):
        sys.stdout.flush()
    if _full:
        fail(f"not all of the output could be written: {_full[0]}")
    return not _full


def paragraph(text: str, *, indent: str = "", style: str | None = None) -> None:
    """Print a sentence: broken at words in a terminal, on one line where it is redirected."""
    console, text = _console(), visible(text)
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
    console, title = _console(), visible(title)
    columns = [visible(name) for name in columns]
    rows = [[visible(cell) for cell in row] for row in rows]
    right, yielding = ([visible(name) for name in names] for names in (right, yielding))
    if not console.is_terminal:
        drawn = _drawn(columns, rows, title, right, (), plain=True)
        with _kept_going(sys.stdout):
            _new_console(width=4000, no_color=True).print(drawn, soft_wrap=True)
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
        title=Text(title, style="table.title") if title else None,  # no markup, as all else
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


class Advance(Protocol):
    """Tells a progress display what happened."""

    def __call__(self, what: str, steps: int = 1, *, failed: int = 0, cells: int = 0) -> None:
        """`steps` folds of `what` are done, `failed` of them without a result; so are `cells`."""


@contextmanager
def progress(total: int, title: str, *, cells: int = 0, of: str = "folds") -> Iterator[Advance]:
    """A live progress bar on standard error: folds, cells if there are any, failures, time left.

    What is done need not be folds: `of` names it.

    Without a terminal one line is written for every finished tenth, so that logs stay short.
    """
    console = _console(stderr=True)
    if not sys.stderr.isatty() or console.is_dumb_terminal:
        yield _plain_progress(_Count(total, of, cells), visible(title))
        return
    from rich.progress import (
        BarColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )
    from rich.table import Column

    def text(template: str, style: str = "none", **column: Any) -> TextColumn:
        column = {"no_wrap": True, **column}
        return TextColumn(template, style=style, markup=False, table_column=Column(**column))

    columns = (
        text("{task.fields[title]}"),
        BarColumn(bar_width=None),
        text("{task.fields[counts]}"),
        text("{task.fields[failures]}", style="red"),
        TimeElapsedColumn(),
        text("left"),
        TimeRemainingColumn(),
        text("{task.fields[what]}", style="dim", overflow="ellipsis"),
    )
    count = _Count(total, of, cells)
    bar = Progress(*columns, console=console, expand=True)
    task = bar.add_task(
        "", total=total, title=visible(title), what="", counts=count.counts, failures=""
    )

    def advance(what: str, steps: int = 1, *, failed: int = 0, cells: int = 0) -> None:
        count.add(steps, failed, cells)
        bar.update(
            task,
            advance=steps,
            what=visible(what),
            counts=count.counts,
            failures=count.failures,
        )

    # Not `with bar`: a terminal that is gone ends the bar, never what goes on below it.
    with _kept_going(sys.stderr):
        bar.start()
    try:
        yield advance
    finally:
        with _kept_going(sys.stderr):
            bar.stop()


@dataclass
class _Count:
    """How much is done of how much, in words."""

    total: int
    of: str
    all_cells: int
    done: int = 0
    failed: int = 0
    cells: int = 0

    def add(self, steps: int, failed: int, cells: int) -> None:
        self.done += steps
        self.failed += failed
        self.cells += cells

    @property
    def counts(self) -> str:
        done = f"{self.done}/{self.total} {self.of}"
        return f"{done}, {self.cells}/{self.all_cells} cells" if self.all_cells else done

    @property
    def failures(self) -> str:
        return f"{self.failed} failed" if self.failed else ""


def _plain_progress(count: _Count, title: str) -> Advance:
    total = count.total
    begun = time.monotonic()

    def advance(what: str, steps: int = 1, *, failed: int = 0, cells: int = 0) -> None:
        before = count.done
        count.add(steps, failed, cells)
        if total and (count.done * 10 // total) > (before * 10 // total):
            left = (time.monotonic() - begun) / count.done * (total - count.done)
            rest = f"about {_span(left)} left" if count.done < total else ""
            said = ", ".join(filter(None, [count.counts, count.failures, rest]))
            with _kept_going(sys.stderr):
                print(f"{title}: {said} ({visible(what)})", file=sys.stderr, flush=True)

    return advance


def _span(seconds: float) -> str:
    """A time in the two units that matter."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"
