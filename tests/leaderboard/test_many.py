"""Many boards: made by all cores and in sight for who waits, quietly here for who does not."""

import os

import pytest
from support.boards import add

from cytobench.core.errors import UsageError
from cytobench.leaderboard import many
from cytobench.leaderboard.build import pages
from cytobench.leaderboard.many import MANY, over_boards
from cytobench.run.store import RunStore


@pytest.fixture(autouse=True)
def two_cores(monkeypatch):
    monkeypatch.setattr(many, "available_cores", lambda: 2)


def where(name):
    return name, os.getpid()


def fault(name):
    raise UsageError("E701", f"no {name}")


def test_who_waits_gets_many_boards_in_order_from_other_processes_and_sees_how_far_it_is(capsys):
    names = [f"entry{number}" for number in range(MANY)]

    made = list(over_boards(where, names, waited_for=True))

    assert [name for name, _ in made] == names
    assert os.getpid() not in {process for _, process in made}
    assert f"leaderboards: {MANY}/{MANY} boards (entry{MANY - 1})" in capsys.readouterr().err


@pytest.mark.parametrize(("boards", "waited_for"), [(MANY - 1, True), (MANY, False)])
def test_few_boards_and_those_that_nobody_waits_for_are_made_here_without_a_word(
    capsys, boards, waited_for
):
    names = [f"entry{number}" for number in range(boards)]

    made = list(over_boards(where, names, waited_for=waited_for))

    assert made == [(name, os.getpid()) for name in names]
    assert capsys.readouterr().err == ""


def test_what_is_wrong_with_a_board_is_said_as_it_would_be_here():
    with pytest.raises(UsageError, match=r"^\[E701\] no entry$"):
        list(over_boards(fault, ["entry"] * MANY, waited_for=True))


def test_pages_made_by_all_cores_are_those_made_here_to_the_last_byte(working_directory, ranked):
    stores = [RunStore(working_directory / name) for name in ("here", "there")]
    for store in stores:
        for number in range(MANY):
            add(store, "good", 1.0 + number, entry=f"{number}-response", dataset=f"trial{number}")

    here, there = pages(stores[0]), pages(stores[1], waited_for=True)

    assert there == here
    assert len(ranked) == MANY, "those made there were ranked there"
    assert pages(stores[1]) == here
    assert len(ranked) == MANY, "and they are kept"
