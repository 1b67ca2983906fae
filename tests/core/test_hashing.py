"""Hashes depend on content alone; pseudonyms need the salt."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cytobench.core.hashing import canonical_json, digest, pseudonyms
from cytobench.core.seeds import derive_seed

plain = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(st.dictionaries(st.text(), plain))
def test_the_order_of_keys_does_not_matter(content):
    reverse = dict(reversed(content.items()))

    assert digest(content) == digest(reverse)


def test_values_that_python_calls_equal_stay_apart():
    assert len({digest(value) for value in (1, "1", True, [1], None)}) == 5


def test_numbers_that_json_cannot_write_have_a_name():
    assert canonical_json([math.nan, math.inf, -math.inf]) == '["NaN","Infinity","-Infinity"]'


def test_what_is_not_plain_data_is_refused():
    with pytest.raises(TypeError):
        canonical_json({"model": object()})


def test_pseudonyms_are_stable_and_need_the_salt():
    first = pseudonyms(["patient-1", "patient-2"], b"salt")

    assert first == pseudonyms(["patient-1", "patient-2"], b"salt")
    assert len(set(first)) == 2
    assert set(first).isdisjoint(pseudonyms(["patient-1", "patient-2"], b"another"))


@given(st.integers(0, 2**31), st.text())
def test_seeds_fit_every_library(root, label):
    assert 0 <= derive_seed(root, label) < 2**31
