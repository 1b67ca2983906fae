"""Who mirrors the same store takes turns, and knows when somebody else has had one."""

import threading

from cytobench.tracking.turns import Turn


def test_a_turn_says_whether_somebody_else_has_written_since(tmp_path):
    said = []
    first = Turn(tmp_path / "mlflow", lambda: said.append("first"))
    second = Turn(tmp_path / "mlflow", lambda: said.append("second"))

    for turn in (first, first, second, second, first):
        with turn:
            pass

    assert said == ["first", "second", "first"]


def test_the_others_wait_until_a_turn_is_over_and_it_may_be_taken_within_itself(tmp_path):
    first, second = (Turn(tmp_path / "mlflow", lambda: None) for _ in range(2))
    done = []

    def write():
        with second:
            done.append("second")

    other = threading.Thread(target=write)
    with first, first:
        other.start()
        other.join(0.2)
        assert done == []
    other.join(20)

    assert done == ["second"]


def test_a_store_that_may_not_be_written_makes_nobody_wait(tmp_path):
    (tmp_path / "occupied").write_text("a file where a folder should be")
    turn = Turn(tmp_path / "occupied" / "mlflow", lambda: None)

    with turn, turn:
        pass
