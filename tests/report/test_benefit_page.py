"""Pages of treatment rules: valid, escaped, with the numbers of the board and figures that show."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from xml.etree import ElementTree

import numpy as np
import pytest
from support.rules import BEST, about, add, moderation, usual

from cytobench.leaderboard.benefit import SINGLE
from cytobench.leaderboard.benefit_sheet import TITLES, sheet
from cytobench.leaderboard.build import boards
from cytobench.report.benefit_figures import of_benefit_board, of_benefit_cell
from cytobench.report.benefit_page import benefit_cell_page, numbers, write_benefit_reports
from cytobench.run.store import RunStore

HOSTILE = "<script>alert('x')</script> & \"q\" $\\frac{1}$"
VOID = {"meta", "img", "br", "hr", "link", "input"}


class Page(HTMLParser):
    """The tables and words of a page; complains of wrong nesting."""

    def __init__(self, text):
        super().__init__()
        self.stack, self.tables, self.words, self.tags = [], [], [], []
        self.feed(text)
        self.close()
        assert self.stack == [], f"not closed: {self.stack}"

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag == "table":
            self.tables.append([])
        if tag == "tr":
            self.tables[-1].append([])
        if tag in ("td", "th"):
            self.tables[-1][-1].append("")
        if tag not in VOID:
            self.stack.append(tag)

    def handle_endtag(self, tag):
        assert self.stack.pop() == tag, f"</{tag}> closes another"

    def handle_data(self, data):
        if {"style", "script"} & set(self.stack):
            return
        self.words.append(data)
        if {"td", "th"} & set(self.stack):
            self.tables[-1][-1][-1] += data

    @property
    def said(self):
        return " ".join(" ".join(self.words).split())


def tidy(cells):
    return [" ".join(cell.split()) for cell in cells]


@pytest.fixture(scope="module")
def board(tmp_path_factory):
    store = RunStore(tmp_path_factory.mktemp("runs"))
    usual(store)
    changed = {**about("x")["benefit"], "moderation": [moderation(HOSTILE), moderation("CRP")]}
    add(store, HOSTILE, BEST, effect=True, benefit=changed)
    (found,) = boards(store)
    return found


@pytest.fixture(scope="module")
def written(board, tmp_path_factory):
    folder = tmp_path_factory.mktemp("reports")
    return folder, write_benefit_reports(board, folder)


@pytest.fixture(scope="module")
def pages(written):
    return [Page(path.read_text(encoding="utf-8")) for path in written[1]]


def row(board, label):
    (found,) = [item for item in board.rows if item.label == label]
    return found


def test_every_rule_that_was_run_has_a_page_and_the_entry_one(written, board):
    run = [item for item in board.rows if item.cell]

    names = [path.name for path in written[1]]
    assert names[0] == "index.html"
    assert len(names) == 1 + len(run)
    assert not [name for name in names if name.startswith("all")]


def test_links_lead_to_pages_that_are_there(written, pages):
    for path, page in zip(written[1], pages, strict=True):
        for _, found in page.tags:
            address = found.get("href", "")
            if address and not address.startswith(("#", "http", "../")):
                assert (path.parent / address).is_file(), address


def test_the_entrys_table_is_the_boards(pages, board):
    page, said = pages[0], sheet(board)

    header = [column or "role" for column in said.columns]
    (table,) = [found for found in page.tables if tidy(found[0]) == header]
    assert [tidy(cells) for cells in table[1:]] == [tidy(cells) for cells in said.rows]


def test_the_entrys_page_has_every_table_and_footnote(pages, board):
    said = pages[0].said

    for table in sheet(board).tables:
        assert table.title in said
    for note in sheet(board).footnotes:
        assert " ".join(note.split()) in said


def test_a_rules_numbers_are_those_of_the_board(board):
    good = row(board, "good")
    page = Page(benefit_cell_page(good, board, []))

    lines = {tidy(cells)[0]: tidy(cells) for table in page.tables for cells in table}
    assert f"{good.estimate('value').value:.3f}" in lines[TITLES["value"]][1]
    assert f"{good.gain.difference.value:+.3f}" in lines[f"gain over {SINGLE}"][1]
    assert f"{good.over_rule.difference.value:+.3f}" in lines["gain over crp_rule"][1]
    assert set(TITLES.values()) <= set(lines)


def test_no_number_without_its_n_and_method(board):
    for item in board.rows:
        for name, value, _, n, *_, method in numbers(item, board):
            assert name
            assert value
            assert int(n) == 240
            assert method


def test_the_cards_of_a_page_lead_with_value_and_gain(board):
    said = Page(benefit_cell_page(row(board, "good"), board, [])).said

    assert "Gain over best single arm" in said
    assert "Gain over crp_rule" in said
    assert "Treatment changed" in said
    assert "randomised" in said
    assert "A treatment for each patient: A, B." in said


def test_names_are_escaped_but_said_in_full(written, pages):
    hostile = 0
    for path, page in zip(written[1], pages, strict=True):
        assert path.read_text(encoding="utf-8").casefold().count("<script") == 1  # its own
        hostile += "alert('x')" in page.said
    assert hostile >= 2


def test_figures_of_a_board_and_of_an_effect_show_something(board):
    board_figures = list(of_benefit_board(board))
    cell_figures = list(of_benefit_cell(row(board, "good")))

    assert [item.name for item in board_figures] == ["value", "gain", "moderation"]
    assert [item.name for item in cell_figures] == ["benefit-calibration", "targeting"]
    for item in [*board_figures, *cell_figures]:
        files = item.files()
        (drawing,) = [content for name, content in files.items() if name.endswith(".svg")]
        root = ElementTree.fromstring(drawing.decode())
        tags = [element.tag.rpartition("}")[2] for element in root.iter()]
        assert tags.count("path") > 10
        assert not {"script", "a", "image"} & set(tags)
        assert len(item.alt) > 30


def test_a_rule_without_effects_and_a_flat_one_have_no_figures(board):
    assert list(of_benefit_cell(row(board, "flat"))) == []


def test_the_drawn_values_are_those_of_the_table(board):
    """The forest writes every value beside its line."""
    value = next(iter(of_benefit_board(board)))
    (drawing,) = [text for name, text in value.files().items() if name.endswith(".svg")]

    said = "".join(ElementTree.fromstring(drawing.decode()).itertext())
    for item in board.rows:
        assert f"{item.estimate('value').value:.3f}" in said


def test_a_refused_board_has_pages_that_say_so(tmp_path):
    store = RunStore(tmp_path / "runs")
    add(store, "good", BEST, effect=True, task={**about("good")["task"], "smallest_arm": 200})
    (board,) = boards(store)

    paths = write_benefit_reports(board, tmp_path / "reports")
    texts = [Page(path.read_text(encoding="utf-8")).said for path in paths]

    assert all("fewer than 200" in said for said in texts)
    assert list(of_benefit_cell(board.rows[0])) == []
    assert [item.name for item in of_benefit_board(board)] == ["moderation"]
    assert not re.search(r"Value \d", " ".join(texts))


def test_pages_are_the_same_bytes_when_written_twice(board, written):
    good = row(board, "good")
    text = benefit_cell_page(good, board, list(of_benefit_cell(good)), home="index.html")

    assert (written[0] / "good.html").read_bytes() == text.encode()
    assert np.isfinite(good.estimate("value").value)
