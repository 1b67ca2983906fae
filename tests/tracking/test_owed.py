"""A cell that was handed over is owed until it is in MLflow, whoever writes it."""

import pytest

from cytobench.tracking import Live, Mirror

# MLflow 3.17 uses what SQLAlchemy 2.1 is about to remove.
pytestmark = pytest.mark.filterwarnings("ignore:The ``noload`` loader strategy")
NAME = ("quickstart", "toy-response")


def test_what_was_handed_over_in_vain_is_owed_until_somebody_writes_it(store, write_cell, config):
    key = write_cell("toy_ridge", "k1")
    with Live(store.root, {**config, "uri": "http://127.0.0.1:1"}) as away:
        away.cell(key, *NAME)
    assert away.owes(key)

    Mirror(store, config).write(key, *NAME)

    assert not away.owes(key)


def test_what_was_never_handed_over_is_not_owed(store, write_cell, config):
    assert not Live(store.root, config).owes(write_cell("toy_ridge", "k1"))


def test_a_store_in_which_nothing_can_be_noted_is_mirrored_all_the_same(store, write_cell, config):
    key = write_cell("toy_ridge", "k1")
    (store.root / "working").write_text("no folder")

    with Live(store.root, {**config, "uri": "http://127.0.0.1:1"}) as away:
        away.cell(key, *NAME)

    assert not away.owes(key)
    assert Mirror(store, config).write(key, *NAME)
