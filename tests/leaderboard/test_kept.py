"""Pages that are kept in the run store, and when they are made anew."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from support.boards import add

from cytobench.leaderboard import kept
from cytobench.leaderboard.build import boards, pages, write, write_across, write_readmes
from cytobench.run.store import RunStore

KEPT = Path("runs/boards/suite/trial-response.json")


@pytest.fixture
def store(working_directory):
    store = RunStore(working_directory / "runs")
    for model, strength in (("good", 2.0), ("poor", 0.2)):
        add(store, model, strength)
    return store


def written(found, folder):
    """File -> content of everything that a build writes."""
    for item in found:
        write(item, folder)
    outlines = [getattr(item, "outline", item) for item in found]
    write_across(outlines, folder)
    write_readmes(outlines, folder)
    return {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*.*")}


def test_an_unchanged_entry_is_not_ranked_again(store, ranked):
    first, second = pages(store), pages(store)
    assert second == first
    assert len(ranked) == 1


def test_kept_pages_are_those_of_the_board_to_the_last_byte(store, tmp_path):
    add(store, "good", 1.0, entry="other-response", dataset="other", fingerprint="e" * 64)
    pages(store)
    kept = written(pages(store), tmp_path / "kept")
    assert kept == written(boards(store, thorough=True), tmp_path / "ranked")
    assert len(kept) == 7  # two entries in two forms, over both, README, schema


def test_another_model_is_ranked_with_the_others(store, ranked):
    pages(store)
    add(store, "other", 1.0)
    (found,) = pages(store)
    assert len(ranked) == 2
    assert "other" in {row.label for row in found.outline.rows}


def test_only_the_entry_that_has_changed_is_ranked_again(store, ranked):
    add(store, "good", 1.0, entry="other-response", dataset="other", fingerprint="e" * 64)
    pages(store)
    add(store, "poor", 1.0, entry="other-response", dataset="other", fingerprint="e" * 64)
    pages(store)
    assert len(ranked) == 3


@pytest.mark.parametrize("change", ["bytes", "time"])
def test_a_fold_that_was_touched_is_read_again(store, ranked, change):
    before = pages(store)
    path = sorted((store.root).glob("*/fold-003.parquet"))[0]
    if change == "bytes":
        key, fold = path.parent.name, store.read_fold(path.parent.name, 3)
        store.write_fold(key, type(fold)(**{**vars(fold), "threshold": 0.1}))
    else:
        os.utime(path, ns=(1, 1))
    after = pages(store)
    assert len(ranked) == 2
    assert (after == before) is (change == "time")


def test_what_follows_from_a_cell_is_no_change_of_it(store, ranked):
    """A score on permuted labels is kept beside its cell by the ranking itself."""
    pages(store)
    for key in store.entries()["suite"]["trial-response"]:
        store.keep_derived(key, "headline", "{}")
    pages(store)
    assert len(ranked) == 1


def test_a_kept_file_that_was_edited_is_not_believed(store, ranked):
    (before,) = pages(store)
    document = json.loads(KEPT.read_text(encoding="utf-8"))
    document["content"]["markdown"] = document["content"]["markdown"].replace("good", "best")
    KEPT.write_text(json.dumps(document), encoding="utf-8")
    assert pages(store) == [before]
    assert len(ranked) == 2


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"made_from": 1}', b"\xff"])
def test_a_kept_file_that_is_broken_is_made_anew(store, content):
    (before,) = pages(store)
    KEPT.write_bytes(content)
    assert pages(store) == [before]


@pytest.mark.parametrize(
    "change",
    [
        lambda content: {**content, "outline": {**content["outline"], "rows": [{"label": "x"}]}},
        lambda content: {**content, "outline": {**content["outline"], "simulated": "x"}},
        lambda content: {"outline": content["outline"]},
        lambda content: [],
    ],
)
def test_other_content_under_a_checksum_that_fits_is_made_anew(store, ranked, change):
    before = pages(store)
    found = json.loads(KEPT.read_text())
    kept.keep(store, "suite/trial-response", found["made_from"], change(found["content"]))

    assert pages(store) == before
    assert len(ranked) == 2


@pytest.mark.parametrize("content", ["[]", "[" * 100_000, '{"KEY": [["a"], ["b"]]}', '{"KEY": 3}'])
def test_what_cells_ask_is_read_anew_where_it_is_not_what_was_kept(store, content):
    before = pages(store)
    (key, _) = store.entries()["suite"]["trial-response"]
    Path("runs/boards/questions.json").write_text(content.replace("KEY", key))

    assert pages(store) == before


def test_another_framework_ranks_again(store, ranked, monkeypatch):
    pages(store)
    monkeypatch.setattr("cytobench.leaderboard.kept.framework", lambda: {"sources": "edited"})
    pages(store)
    assert len(ranked) == 2


def test_more_cells_on_the_same_question_are_counted_anew(store, ranked):
    """A board says how many cells of the store asked its question, whichever suite they are of."""
    pages(store, "suite")
    add(store, "good", 2.0, suite="another")
    pages(store, "suite")
    assert len(ranked) == 2


def test_no_patient_is_in_a_kept_page(store):
    pages(store)
    assert '"p1"' not in KEPT.read_text(encoding="utf-8")
