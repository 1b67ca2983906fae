"""What `submit` refuses to send."""

from dataclasses import replace

import pytest

from cytobench.core.errors import UsageError
from cytobench.submission.bundle import read_bundle
from cytobench.submission.exchange import without_paths
from cytobench.submission.make import make_bundle


@pytest.fixture
def cell(workshop):
    """The cell of our model on the cohort that says it is real."""
    cells = map(workshop.store.read_cell, workshop.store.entries()["ours"]["clinic-response"])
    return next(cell for cell in cells if cell.about["model"]["name"] == "our_ridge")


def about(cell, **changes):
    """The cell with other words in one node of what is said of it."""
    return replace(
        cell,
        about={
            **cell.about,
            **{
                name: {**cell.about[name], **change} if isinstance(change, dict) else change
                for name, change in changes.items()
            },
        },
    )


def test_outcomes_under_an_agreement_stay_until_somebody_allowed_it(cell):
    restricted = about(cell, dataset={"access": "on request"})

    with pytest.raises(UsageError, match=r"E707(.|\n)*--permitted"):
        make_bundle("ours", "clinic-response", restricted)
    content = make_bundle(
        "ours", "clinic-response", restricted, permitted="the steering committee, 2026-11-02"
    )

    assert read_bundle(content, "x").cell["permitted"] == "the steering committee, 2026-11-02"


@pytest.mark.parametrize(
    "change",
    [
        {"permutation": 3},
        {"task": {"kind": "benefit"}},
        {"model": {"summary": "The <b>best</b> model"}},
        {"model": {"licence": "@MIT"}},
    ],
    ids=str,
)
def test_what_is_no_row_is_not_sent(change, cell):
    with pytest.raises(UsageError, match="E708"):
        make_bundle("ours", "clinic-response", about(cell, **change))


def test_a_cell_whose_key_says_something_else_is_not_sent(cell):
    with pytest.raises(UsageError, match=r"E706(.|\n)*run it again"):
        make_bundle("ours", "clinic-response", about(cell, plan="0" * 64))


def test_paths_become_file_names():
    params = {"weights": "/home/somebody/w.pt", "other": ["C:\\data\\x.csv", "l1/l2"], "C": 1.0}

    assert without_paths(params) == {"weights": "w.pt", "other": ["x.csv", "l1/l2"], "C": 1.0}
