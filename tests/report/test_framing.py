"""The frame of a figure: its words fit, do not touch, and are those that matplotlib would write."""

from __future__ import annotations

from itertools import combinations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from cytobench.evaluate.intervals import Estimate
from cytobench.report.figures import _as_written, canvas, key, say, svg
from cytobench.report.forests import Line, forest
from cytobench.report.framing import SAID, wide, wrapped

NAME = "gradient_boosting_with_a_name_that_goes_on (learning_rate=0.03125, depth=7, loss=log_loss)"
WIDE = "WWWWW " * 40


def words_of(figure):
    """Each word that is drawn, with the box that it takes."""
    shown = FigureCanvasAgg(figure)
    with _as_written(figure):
        shown.draw()
    pen = shown.get_renderer()
    texts = [text for text in (*figure.texts, *figure.axes[0].texts) if text.get_text()]
    return [(text.get_text(), text.get_window_extent(pen)) for text in texts]


def busy():
    """A figure with something in each of its places."""
    figure, axes = canvas(NAME)
    axes.plot([0, 1], [0, 123_456_789], label="what")
    axes.set(xlabel=WIDE, ylabel=WIDE)
    figure.supxlabel("the foot", fontsize=9)
    return figure, axes


def test_words_fit_and_do_not_touch():
    figure, axes = busy()
    say(axes, WIDE)
    found = words_of(figure)
    assert len(found) > 12
    for text, box in found:
        assert 0 <= box.x0 < box.x1 <= figure.bbox.width, text
        assert 0 <= box.y0 < box.y1 <= figure.bbox.height, text
    for (one, box), (other, beside) in combinations(found, 2):
        # A box holds the room above small letters and below great ones too.
        assert not box.padded(-2).overlaps(beside.padded(-2)), (one, other)


def test_the_axes_are_below_the_key_and_its_title():
    figure, axes = busy()
    key(axes)
    words_of(figure)
    legend = axes.get_legend().get_window_extent()
    assert axes.bbox.y1 <= legend.y0 + 1
    assert legend.y1 <= figure.bbox.height


def test_notes_of_any_length_leave_room_for_their_rows():
    line = Line("a", Estimate(0.7, 0.6, 0.8, ""), "0.700 (0.600 to 0.800), which is a long note")
    figure = forest([line], "title", "AUC", zero=0.5)
    words_of(figure)
    assert figure.axes[0].bbox.width > 0.4 * figure.bbox.width


@pytest.mark.parametrize("limits", [(0, 1), (-3, 40_000), (0.001, 0.0017), (-1e9, 1e9)])
def test_ticks_are_those_of_matplotlib(limits):
    ours, axes = canvas("title")
    axes.set(xlim=limits, xlabel="value")
    theirs = Figure(figsize=(6.4, 4.4))
    beside = theirs.add_axes((0.15, 0.15, 0.8, 0.7))
    beside.set_xlim(limits)
    FigureCanvasAgg(theirs).draw()

    said = {text for text, _ in words_of(ours)}

    low, high = limits
    wanted = {
        label.get_text()
        for label in beside.get_xticklabels()
        if low <= label.get_position()[0] <= high
    }
    assert wanted <= said
    power = beside.xaxis.get_major_formatter().get_offset()
    assert (f"value ({power})" if power else "value") in said


def test_the_axis_of_a_figure_makes_no_ticks():
    figure, axes = canvas("title")
    made = []
    axes.xaxis._get_tick = lambda *args, **kwargs: made.append(args)
    svg(figure)
    assert not made


def test_a_figure_that_is_drawn_twice_has_its_words_once():
    figure, _ = canvas("title")
    shown = FigureCanvasAgg(figure)
    shown.draw()
    once = len(figure.axes[0].texts)
    shown.draw()
    assert len(figure.axes[0].texts) == once > 0


@settings(max_examples=60, deadline=None)
@given(st.lists(st.text("abcdefgh imnopqWM.;", min_size=1, max_size=14), min_size=1, max_size=30))
def test_a_long_line_is_broken_into_lines_that_fit(pieces):
    text, room = " ".join(" ".join(pieces).split()), 200.0
    broken = wrapped(text, SAID, room)
    if wide(text, SAID) <= room:
        assert broken == text
    else:
        assert "\n" in broken or broken.endswith("…")
        assert wide(broken, SAID) <= 1.35 * room  # a line of the widest letters alone
