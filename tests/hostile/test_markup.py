"""What a cohort's author writes of it stays text on boards and in MLflow's notes."""

import re

import pytest
from support.boards import HOSTILE, add

from cytobench.leaderboard.build import boards
from cytobench.leaderboard.render import to_markdown
from cytobench.run.store import RunStore
from cytobench.tracking.notes import experiment_note, run_note

IMAGE = "![x](http://example.org/x.png) " + HOSTILE


@pytest.fixture(scope="module")
def board(tmp_path_factory):
    store = RunStore(tmp_path_factory.mktemp("store") / "runs")
    add(store, "ridge", 1.0, notes=[IMAGE], command="cytobench run `x`\n```\n<b>")
    (board,) = boards(store)
    return board


def bare(text):
    """The text without pieces of code and without what is escaped."""
    return re.sub(r"\\.", "", re.sub(r"`[^`\n]*`", "", text))


def test_the_board_holds_no_markup_of_others(board):
    text = bare(to_markdown(board))

    assert "<" not in text
    assert "](" not in text
    assert "script" in text  # it is said, as text


def test_the_notes_hold_no_markup_of_others(board):
    cell = board.entry.cells[0]
    for note in (run_note(cell, []), experiment_note(cell, "suite", "entry")):
        text = bare(note)
        assert "<" not in text
        assert "](" not in text
        assert "```" not in note
