"""The signalling network against the notes that it comes from, and at its edges."""

import re

import numpy as np
import pytest

from cytobench import signalling_network


def test_the_edges_are_those_of_the_literature_notes(shared_reference):
    notes = shared_reference.parent / "LITERATURE.md"
    if not notes.exists():
        pytest.skip("the literature notes are not beside the checkout")
    text = notes.read_text(encoding="utf-8").split("## Signalling prior")[1].split("\n##")[0]
    noted = re.findall(r"(\S+) → (\S+) ([+−])", text)

    edges = {(edge.source, edge.target, edge.sign) for edge in signalling_network().edges}

    assert edges == {(one, other, {"+": 1, "−": -1}[sign]) for one, other, sign in noted}


def test_two_columns_that_mean_one_analyte_have_no_edge_in_any_order():
    for columns in (["IL6", "IL-6", "CRP"], ["IL-6", "IL6", "CRP"]):
        assert not signalling_network(columns).adjacency().any()


def test_features_made_of_analytes_are_no_nodes_of_the_network():
    made = ["log(IL-6/IL-10)", "inflammation score", "IL-6 not detected", "CRP above 3 mg/L"]

    network = signalling_network([*made, "CRP", "IL-6"])

    assert [edge[:2] for edge in network.edges] == [("IL-6", "CRP")]


def test_renaming_and_reordering_columns_reorders_the_matrix():
    columns = ["CRP", "IL-6", "TNF-α", "IL-10"]
    other = ["il_10", "TNFa", "IL6", "hsCRP"]

    one, two = (signalling_network(names).adjacency() for names in (columns, other))

    np.testing.assert_array_equal(one, two[::-1, ::-1])


def test_without_columns_there_is_an_empty_matrix():
    assert signalling_network([]).laplacian().shape == (0, 0)
