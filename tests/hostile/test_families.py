"""Whatever is thrown at it, cytobench reads it right or refuses it with a code; it never hangs.

``CYTOBENCH_EXAMPLES=5000`` tries more of each family; ``benchmarks/hostile_input.py`` counts them.
"""

import os

import pytest
from support.hostile import everything
from support.hostile.answers import FAMILIES
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
