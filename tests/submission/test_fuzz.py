"""Whatever a bundle's bytes become, the answer is a coded refusal: never a traceback."""

import json

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.tampering import members_of

from cytobench.submission.codes import CODES
from cytobench.submission.make import seal, written
from cytobench.submission.verify import verify

relaxed = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
anything = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=5,
)


def has_an_answer(content):
    verdict = verify(content, "fuzzed.zip")
    assert all(item.code in CODES and item.message for item in verdict.findings)
    assert (verdict.state in ("recomputed", "verified")) == (not verdict.findings)
    return verdict


@relaxed
@given(data=st.data())
def test_flipped_bytes(data, workshop):
    content = bytearray(workshop.toy)
    places = st.integers(0, len(content) - 1)
    for place in data.draw(st.lists(places, min_size=1, max_size=8)):
        content[place] ^= data.draw(st.integers(1, 255))

    verdict = has_an_answer(bytes(content))

    assert bytes(content) == workshop.toy or verdict.state == "refused"


@relaxed
@given(data=st.data())
def test_truncated_and_lengthened_files(data, workshop):
    kept = data.draw(st.integers(0, len(workshop.toy)))
    content = workshop.toy[:kept] + data.draw(st.binary(max_size=50))

    verdict = has_an_answer(content)

    assert content == workshop.toy or verdict.state == "refused"


@relaxed
@given(data=st.data())
def test_flipped_bytes_under_a_manifest_that_fits(data, workshop):
    """A forger who knows the format: the readers of JSON and parquet see the fault themselves."""
    members = members_of(workshop.toy)
    name = data.draw(st.sampled_from(sorted(members)))
    content = bytearray(members[name])
    for place in data.draw(st.lists(st.integers(0, len(content) - 1), min_size=1, max_size=4)):
        content[place] ^= data.draw(st.integers(1, 255))

    has_an_answer(seal({**members, name: bytes(content)}))


@relaxed
@given(data=st.data())
def test_any_value_in_any_place_of_a_document(data, workshop):
    members = members_of(workshop.toy)
    name = data.draw(st.sampled_from([name for name in sorted(members) if name.endswith("json")]))
    document = json.loads(members[name])
    place = document
    while True:
        keys = list(place) if isinstance(place, dict) else list(range(len(place)))
        key = data.draw(st.sampled_from(keys))
        inner = place[key]
        if not isinstance(inner, (dict, list)) or not inner or data.draw(st.booleans()):
            break
        place = inner
    place[key] = data.draw(anything)

    has_an_answer(seal({**members, name: written(document)}))


@settings(relaxed, max_examples=200)
@given(content=st.binary(max_size=400))
def test_bytes_of_no_kind(content):
    assert has_an_answer(content).state == "refused"
