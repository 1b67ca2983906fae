"""The leaderboard in a terminal: whole at 80 columns, plain where it is redirected."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest
from rich.cells import cell_len
from support.terminal import in_terminal

SHOW = [sys.executable, "-m", "cytobench", "leaderboard", "show", "suite", "--store"]
ESCAPE = re.compile(r"\x1b\[[0-9;]*m")


@pytest.fixture
def terminal(store):
    """``terminal(80)``: what the command writes to a terminal of so many columns."""

    def show(columns, **environment):
        shown, code = in_terminal([*SHOW, str(store.root)], columns, **environment)
        assert code == 0
        return shown.replace("\r\n", "\n")

    return show


@pytest.mark.parametrize("columns", [80, 100, 200])
def test_no_line_is_too_wide_and_no_number_is_cut(terminal, board, columns):
    lines = ESCAPE.sub("", terminal(columns)).splitlines()
    assert max(map(cell_len, lines)) <= columns
    text = " ".join(" ".join(lines).split())
    for row in board.rows:
        found = row.estimate("auc")
        assert f"{found.value:.3f}" in text
        assert f"({found.low:.3f} to {found.high:.3f})" in text
        assert "…" not in text


def test_a_wide_terminal_has_every_column_and_a_narrow_one_says_what_it_lacks(terminal):
    assert "Not shown" not in terminal(250)
    narrow = ESCAPE.sub("", terminal(80))
    assert "Not shown for want of width: s per fold" in narrow


def test_no_colour_means_none(terminal):
    coloured = re.compile(r"\x1b\[(?:\d+;)*(?:3[0-8]|4[0-8]|9[0-7])(?:;\d+)*m")
    assert not coloured.search(terminal(120, NO_COLOR="1"))


def test_redirected_output_is_plain_and_whole(store, board):
    done = subprocess.run(
        [*SHOW, str(store.root)], capture_output=True, text=True, check=True, timeout=300
    )
    assert "\x1b" not in done.stdout
    assert not set(done.stdout) & set("│┃━─┏")
    lines = done.stdout.splitlines()
    for row in board.rows:
        found = row.estimate("auc")
        (line,) = [line for line in lines if line.startswith(f"{row.label} ") and " to " in line]
        assert f"{found.value:.3f} ({found.low:.3f} to {found.high:.3f})" in line
