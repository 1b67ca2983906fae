"""Progress: folds, cells, failures and the time left, as a bar or as lines."""

import re
import subprocess
import sys

import pytest
from support.terminal import in_terminal

from cytobench import console

ESCAPE = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
COLOUR = re.compile(r"\x1b\[[0-9;]*3[0-9](;[0-9]+)*m")
FAILING = '''
    """Fails on every other fold."""
    from cytobench import model


    @model()
    def failing():
        """Fails where the training part has an odd number of patients."""
        from sklearn.linear_model import LogisticRegression

        class Failing(LogisticRegression):
            def fit(self, X, y):
                if len(X) % 2:
                    raise ValueError("an odd number of patients")
                return super().fit(X, y)

        return Failing()
'''
RUN = (
    "run", "dataset=toy", "dataset.n=91", "model=toy_ridge,failing", "floors=[]", "tuning=off",
    "protocol.folds=2", "protocol.repeats=2", "engine=serial", "tracking=none",
)  # fmt: skip


@pytest.fixture
def terminal(toy_plugins, write_plugin):
    """``terminal(80)``: what a run with failures writes to a terminal of so many columns."""
    write_plugin("models", "failing", FAILING)
    words = [sys.executable, "-m", "cytobench", *RUN]

    def run(columns, **environment):
        shown, _ = in_terminal(
            words, columns, stdout=subprocess.DEVNULL, cwd=toy_plugins, **environment
        )
        return shown

    return run


@pytest.mark.parametrize("columns", [80, 120])
def test_a_bar_counts_folds_cells_and_failures_on_one_line(terminal, columns):
    shown = terminal(columns)

    bars = [line for line in re.split(r"[\r\n]+", ESCAPE.sub("", shown)) if " folds" in line]
    assert "8/8 folds, 2/2 cells" in bars[-1]
    assert "4 failed" in bars[-1]
    assert re.search(r"left +(\d+:\d\d|-:--)", bars[-1])
    assert max(map(len, bars)) <= columns
    assert COLOUR.search(shown)


def test_no_color_means_none(terminal):
    assert not COLOUR.search(terminal(100, NO_COLOR="1"))


def test_a_terminal_that_cannot_move_its_cursor_gets_lines(terminal):
    shown = terminal(100, TERM="dumb")

    assert not ESCAPE.search(shown)
    assert "8/8 folds, 2/2 cells, 4 failed (failing)" in shown


def test_redirected_it_is_one_line_for_a_tenth(capsys, monkeypatch):
    clock = iter(range(0, 1000, 2))
    monkeypatch.setattr(console.time, "monotonic", lambda: float(next(clock)))

    with console.progress(40, "suite", cells=2) as advance:
        for fold in range(40):
            advance("ridge", failed=fold == 9, cells=fold in (19, 39))

    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 10
    assert lines[0].startswith("suite: 4/40 folds, 0/2 cells, about ")
    assert lines[4] == "suite: 20/40 folds, 1/2 cells, 1 failed, about 10 s left (ridge)"
    assert lines[9] == "suite: 40/40 folds, 2/2 cells, 1 failed (ridge)"


def test_the_time_left_is_said_in_two_units(monkeypatch):
    assert [console._span(s) for s in (4.6, 75, 4000)] == ["5 s", "1 min 15 s", "1 h 6 min"]
