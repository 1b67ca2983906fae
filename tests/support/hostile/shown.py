"""What plugins, tables and people say, shown again: in a terminal, in Markdown, in csv files."""

from __future__ import annotations

import contextlib
import csv
import io
import re
import unicodedata
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

from cytobench import console
from cytobench.leaderboard.render import markdown_table
from cytobench.report.text import slug
from cytobench.report.writing import environment
from cytobench.submission.names import exchange_name
from cytobench.tracking.tables import csv_text
from support.hostile.answers import Answer, family
from support.hostile.texts import hostile, unicode_text

INVISIBLE = ("Cc", "Cf", "Cs", "Zl", "Zp")


def tame(text: str) -> bool:
    """No character that commands a terminal, turns the direction of writing, or cannot be seen."""
    return all(c in "\n\t" or unicodedata.category(c) not in INVISIBLE for c in text)


@family(
    "terminal",
    "names and messages with terminal escapes, rich markup and invisible letters",
    "each such character as \\u001b; brackets as they are",
)
def terminal(data: Any, folder: Path) -> Answer:
    """Everything that prints, in a terminal of some width and redirected."""
    from rich.console import Console

    said = [data.draw(hostile) for _ in range(4)]
    is_terminal = data.draw(st.booleans())
    stream = io.StringIO()
    before = console._console
    made = Console(file=stream, force_terminal=is_terminal, highlight=False, soft_wrap=True,
    width=60,
                   color_system=None, legacy_windows=False)  # fmt: skip
    console._console = lambda stderr=False: made  # type: ignore[assignment]
    try:
        with contextlib.redirect_stdout(stream), contextlib.redirect_stderr(stream):
            console.say(said[0])
            console.say(said[1], style="bold")
            console.warn(said[2])
            console.fail(said[3])
            console.paragraph(said[0], indent="  ")
            console.table([said[0], "n"], [[said[1], "1"], [said[2], "2"]], title=said[3])
            with console.progress(3, said[0]) as advance:
                advance(said[1], 3)
    finally:
        console._console = before
    text = stream.getvalue()
    assert tame(text), [c for c in text if not tame(c)][:5]
    for one in said:
        if (
            one
            and tame(one)
            and "\n" not in one
            and "\t" not in one
            and len(one) < 30
            and one.strip() == one
        ):
            assert one in text  # brackets, too
    text.encode("utf-8")
    return Answer.RIGHT


SAFE_LINE = re.compile(r"[^\n]*\n?\Z")


@family(
    "Markdown",
    "names in tables and headings of boards: links, HTML, code fences, pipes",
    "each as text, in its own cell",
)
def markdown(data: Any, folder: Path) -> Answer:
    """A cell stays a cell, and text stays text."""
    cells = [data.draw(hostile) for _ in range(4)]
    lines = markdown_table(cells[:2], [cells[2:]])
    assert len(lines) == 3
    for line in lines:
        assert len(line.splitlines()) == 1, line
        bare = re.sub(r"\\.", "", line)
        assert bare.count("|") == 3
        assert not set("<>`[]*_#~&") & set(bare), bare
        assert tame(line)
    return Answer.RIGHT


@family(
    "csv that is exported",
    "names that begin as formulas do, in every csv file that is written",
    "the text with an apostrophe in front, as spreadsheets show it",
)
def exported(data: Any, folder: Path) -> Answer:
    """No cell that a spreadsheet would compute; numbers stay numbers."""
    number = data.draw(st.floats() | st.integers())
    names = data.draw(st.lists(hostile, min_size=2, max_size=2, unique=True))
    text = csv_text([{names[0]: names[1], names[1] + "x": number}])
    rows = list(csv.reader(io.StringIO(text, newline="")))
    assert len(rows) == 2
    for row in rows:
        for cell in row:
            if cell[:1] in tuple("=+-@\t\r＝＋－＠"):
                float(cell)  # a number, or it would be computed
    assert rows[1][1] == str(number)
    return Answer.RIGHT


@family(
    "names of files",
    "names of plugins, suites and entries that want to leave their folder",
    "a file inside it",
)
def files(data: Any, folder: Path) -> Answer:
    """What becomes a file's name is one short name."""
    name = slug(data.draw(hostile))
    assert re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9_-]{0,79}", name)
    assert re.fullmatch(r"[0-9a-f]{16}", exchange_name(data.draw(unicode_text), 3))
    (folder / name).write_text("x", encoding="utf-8")
    return Answer.RIGHT


@family("HTML", "names in pages: scripts, attributes, entities, templates", "each as text")
def html(data: Any, folder: Path) -> Answer:
    """The environment of every page escapes what is put in."""
    said = data.draw(hostile)
    page = environment().from_string('<p title="{{ x }}">{{ x }}</p>').render(x=said)
    assert page.count("<") == 2
    assert page.count(">") == 2
    assert page.count('"') == 2
    assert not re.search(r"&(?!(lt|gt|amp|#34|#39);)", page)
    assert tame(page)
    return Answer.RIGHT
