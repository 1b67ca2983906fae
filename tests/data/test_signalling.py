"""The signalling network as a prior."""

import numpy as np

from cytobench import signalling_network
from cytobench.data.names import SYNONYMS


def test_the_network_follows_the_columns_of_a_model_in_their_order():
    network = signalling_network(["age", "IL6", "tnf_alpha", "IL-10"])

    signs = network.adjacency()

    assert signs.shape == (4, 4)
    assert signs[2, 1] == 1, "TNF-α induces IL-6"
    assert signs[3, 2] == -1, "IL-10 suppresses TNF-α"
    assert not signs[0].any()
    assert not signs[:, 0].any()


def test_the_whole_network_holds_every_analyte_of_the_panel_but_nobody_alone():
    network = signalling_network()

    assert set(network.nodes) <= set(SYNONYMS)
    assert len(network.edges) == 39
    touched = network.adjacency(signed=False)
    assert (touched.sum(axis=0) + touched.sum(axis=1) > 0).all()


def test_the_laplacian_is_symmetric_and_its_rows_sum_to_zero():
    laplacian = signalling_network().laplacian()

    assert np.array_equal(laplacian, laplacian.T)
    assert not laplacian.sum(axis=1).any()
    assert np.linalg.eigvalsh(laplacian).min() > -1e-9


def test_a_condition_stays_with_its_edge():
    (edge,) = [edge for edge in signalling_network().edges if edge.condition]

    assert (edge.source, edge.target, edge.condition) == ("TGF-β1", "IL-17A", "with IL-6")
