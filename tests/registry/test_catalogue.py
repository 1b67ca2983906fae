"""The catalogue in the documentation is what the plugins say now."""

from pathlib import Path

from cytobench.registry.catalogue import _text, catalogue
from cytobench.registry.discover import discover

COMMITTED = Path(__file__).parents[2] / "docs" / "catalogue.md"


def test_the_committed_page_is_current():
    said = "make it anew: python -m cytobench.registry.catalogue > docs/catalogue.md"

    assert COMMITTED.read_text(encoding="utf-8") == catalogue(), said


def test_every_bundled_plugin_is_in_it():
    page = catalogue()

    for name in (*discover("model"), *discover("dataset"), "canbind1"):
        assert f"`{name}`" in page


def test_plugins_of_the_working_folder_are_not(toy_plugins):
    assert "toy_ridge" not in catalogue()


def test_what_a_card_says_is_no_markup():
    assert _text("a <b> | *c* [d](e)") == r"a \<b\> \| \*c\* \[d\](e)"


def test_a_part_that_is_named_by_a_word_is_not_spelt_out():
    assert "made of: `ridge`" in catalogue()
