"""Search spaces: checked when declared, and the same after a trip through configuration."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cytobench import Choice, Float, Int, PluginError
from cytobench.core.space import from_config, to_config


@pytest.mark.parametrize(
    "declare",
    [
        lambda: Float(2, 1),
        lambda: Float(0, 1, log=True),
        lambda: Float(float("nan"), 1),
        lambda: Int(1.5, 3),
        lambda: Int(True, 3),
        lambda: Choice(),
    ],
)
def test_an_impossible_dimension_is_refused(declare):
    with pytest.raises(PluginError, match="E210"):
        declare()


dimensions = st.one_of(
    st.tuples(st.floats(1e-6, 1), st.floats(1, 1e6), st.booleans()).map(lambda a: Float(*a)),
    st.tuples(st.integers(1, 10), st.integers(10, 99), st.booleans()).map(lambda a: Int(*a)),
    st.lists(st.one_of(st.none(), st.integers(), st.text()), min_size=1).map(lambda a: Choice(*a)),
)


@given(st.dictionaries(st.text(min_size=1), dimensions))
def test_a_space_survives_configuration(space):
    assert from_config(to_config(space)) == space


@pytest.mark.parametrize(
    "entry", [3, {"type": "float"}, {"type": "normal", "low": 0}, {"low": 0, "high": 1}]
)
def test_a_malformed_entry_names_its_key(entry):
    with pytest.raises(PluginError, match=r"E211.*model\.space\.C"):
        from_config({"C": entry})
