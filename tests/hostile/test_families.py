"""Whatever is thrown at it, cytobench reads it right or refuses it with a code; it never hangs.

``CYTOBENCH_EXAMPLES=5000`` tries more of each family; ``benchmarks/hostile_input.py`` counts them.
"""

import os

import pytest
from support.hostile import everything
from support.hostile.answers import FAMILIES, Answer
from support.hostile.raw import READERS
from support.hostile.trying import many

EXAMPLES = int(os.environ.get("CYTOBENCH_EXAMPLES", "60"))

assert everything.__all__


@pytest.mark.parametrize("name", sorted(FAMILIES))
@pytest.mark.filterwarnings("error")
def test_nothing_gets_through(name):
    family = FAMILIES[name]

    tally = many(family, max(10, int(EXAMPLES * family.share)))

    assert tally.tried >= 10
    assert not tally.uncaught, "\n".join(tally.first.values())


@pytest.mark.parametrize("name", sorted(READERS))
def test_what_a_fuzzer_begins_with_is_honest(name, tmp_path):
    reader = READERS[name]

    for number, seed in enumerate(reader.seeds()):
        folder = tmp_path / str(number)
        folder.mkdir()
        assert reader.attempt(seed, folder) is not Answer.REFUSED


@pytest.mark.parametrize("name", sorted(READERS))
def test_bytes_of_nothing_have_an_answer(name, tmp_path):
    for number, content in enumerate([b"", b"\xff" * 100, b"{" * 1000]):
        folder = tmp_path / str(number)
        folder.mkdir()
        assert READERS[name].attempt(content, folder) in Answer
