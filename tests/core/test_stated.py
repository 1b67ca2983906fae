"""Plain data of stated kinds: what fits is given back, what does not is named with its place."""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Literal, NotRequired, TypedDict

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cytobench.core.hashing import canonical_json
from cytobench.core.stated import stated


@dataclass(frozen=True)
class Part:
    name: str
    weights: Sequence[float]
    score: float | None = None
    extra: Mapping[str, Any] = field(default_factory=dict)


class Document(TypedDict):
    parts: Sequence[Part]
    kind: Literal["one", "two"]
    note: NotRequired[str]


parts = st.builds(
    Part,
    st.text(st.characters(exclude_categories=["Cs"])),
    st.lists(st.floats()),
    st.none() | st.floats(),
    st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), st.integers() | st.none()),
)


@given(parts)
def test_what_was_written_as_json_is_read_as_it_was(part):
    text = canonical_json(asdict(part))

    assert repr(stated(Part, json.loads(text))) == repr(
        Part(part.name, part.weights, part.score, dict(sorted(part.extra.items())))
    )


def test_a_record_within_a_document_becomes_one():
    found = stated(Document, {"parts": [{"name": "a", "weights": ["NaN", 1]}], "kind": "one"})

    (part,) = found["parts"]
    assert isinstance(part, Part)
    assert math.isnan(part.weights[0])
    assert "note" not in found


def test_a_document_may_hold_more_and_a_record_may_not():
    assert stated(Document, {"parts": [], "kind": "two", "more": 1})["more"] == 1
    with pytest.raises(ValueError, match="no such field, found 'more'"):
        stated(Part, {"name": "a", "weights": [], "more": 1})


@pytest.mark.parametrize(
    ("document", "said"),
    [
        ({"kind": "one"}, "field 'parts'"),
        ({"parts": [], "kind": "three"}, "kind: expected one of 'one', 'two', found 'three'"),
        ({"parts": [], "kind": ["one"]}, "kind: expected one of"),
        ({"parts": {}, "kind": "one"}, "parts: expected a list, found dict"),
        ({"parts": [3], "kind": "one"}, r"parts\[0\]: expected an object, found int"),
        ({"parts": [], "kind": "one", "note": None}, "note: expected str, found NoneType"),
        ([], "expected an object, found list"),
    ],
)
def test_what_does_not_fit_is_named_with_its_place(document, said):
    with pytest.raises(ValueError, match=said):
        stated(Document, document)


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (int, True), (int, 1.0), (int, 10**400), (int, "1"), (float, True), (float, 10**400),
        (float, math.nan), (float, math.inf), (float, "1.5"), (bool, 1), (str, None),
        (Mapping[str, float], []), (Sequence[str], "text"), (float | None, "x"),
    ],
)  # fmt: skip
def test_a_value_of_another_kind_is_refused(kind, value):
    with pytest.raises(ValueError, match="expected"):
        stated(kind, value)


def test_a_long_value_is_not_given_back_whole():
    with pytest.raises(ValueError, match="expected") as caught:
        stated(int, "x" * 100_000)

    assert len(str(caught.value)) < 200
