"""The whole command line, word by word: what is typed, and folders that are none."""

from __future__ import annotations

import contextlib
import io
import re
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

from cytobench import console
from cytobench.cli.main import COMMANDS, main
from support.hostile.answers import LONGEST_ANSWER, Answer, family
from support.hostile.overrides import inside
from support.hostile.shown import tame
from support.hostile.texts import hostile

# No argument of a process holds a NUL.
WORD = hostile.filter(lambda text: "\x00" not in text)
PLACE = st.sampled_from(
    ["/proc/x", "/dev/null", "afile", "afile/x", "x" * 5000, "", "..", "t.csv", "/nonexistent/x",
     "~nobody/x", "../x"]
)  # fmt: skip
FORMS = (
    ("report", "--store", PLACE), ("report", WORD, "--output", PLACE), ("report", WORD, "--entry",
    WORD),
    ("leaderboard", "build", "--store", PLACE), ("leaderboard", "show", WORD),
    ("leaderboard", "verify", PLACE), ("leaderboard", "verify", WORD, "--against", PLACE),
    ("leaderboard", "verify", PLACE, "--refits", WORD), ("leaderboard", "site", "--output", PLACE),
    ("leaderboard", "submit", WORD, "--output", PLACE), ("list", WORD), ("info", WORD), ("info",
    WORD, WORD),
    ("new", "model", WORD), ("new", "dataset", WORD, "--folder", PLACE), ("new", "dataset", "mine",
    "--from", PLACE),
    ("new", "model", "mine", "--folder", PLACE), ("fetch", WORD), ("plan", WORD, "--no-curve"),
    ("track", "--champion", WORD), ("track", "--store", PLACE), ("check", WORD), ("audit", WORD),
    ("audit", "sim_null", WORD), ("completion", WORD), ("run", WORD), ("run", "--cfg", WORD),
    ("doctor", WORD), (WORD, WORD), ("info", "no_such", "--output", PLACE),
)  # fmt: skip


@family(
    "command line",
    "every command with hostile words, and with paths that are no file or no folder",
    "the code and what to do, or argparse's usage; exit code 1 or 2",
    share=0.2,
)
def command(data: Any, folder: Path) -> Answer:
    """A word of a user never shows a traceback, nor reaches the terminal as a command to it."""
    (folder / "afile").write_text("x", encoding="utf-8")
    (folder / "t.csv").write_text("id,IL-6,y\na,1,0\nb,2,1\n", encoding="utf-8")
    form = data.draw(st.sampled_from(FORMS))
    words = [part if isinstance(part, str) else data.draw(part) for part in form]
    out, err = io.StringIO(), io.StringIO()
    with inside(folder), contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        console._console.cache_clear()
        try:
            code = main(words)
        except SystemExit as end:  # argparse; it repeats what was typed
            code = end.code if end.code == 0 else "usage"
        finally:
            console._console.cache_clear()
    assert tame(out.getvalue() + err.getvalue())
    assert len(err.getvalue()) <= LONGEST_ANSWER
    assert "Traceback" not in err.getvalue()
    if code == 0:
        return Answer.READ
    said = err.getvalue()
    known = words[0] in COMMANDS and code != "usage"
    assert re.search(r"\[[EW]\d{3}\]", said) or not known or said.startswith("warning: "), said
    return Answer.REFUSED
