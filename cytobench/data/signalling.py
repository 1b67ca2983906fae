"""The cytokine signalling network as a prior: who induces and who suppresses whom."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from cytobench.data.names import resolve


class Edge(NamedTuple):
    """`source` induces (+1) or suppresses (-1) `target`; a condition that must hold, in words."""

    source: str
    target: str
    sign: int
    condition: str = ""


EDGES = tuple(
    Edge(source, target, sign, condition)
    for source, sign, targets, condition in (
        ("TNF-α", 1, ("IL-6", "IL-8", "CCL2", "IL-1β", "sTNFR2"), ""),
        ("IL-1β", 1, ("IL-6", "IL-8", "TNF-α", "IL-1RA"), ""),
        ("IL-6", 1, ("CRP", "IL-1RA", "IL-17A", "VEGF"), ""),
        ("IFN-γ", 1, ("CXCL10", "IL-12p70"), ""),
        ("IFN-γ", -1, ("IL-4",), ""),
        ("IL-12p70", 1, ("IFN-γ",), ""),
        ("IL-2", 1, ("IFN-γ",), ""),
        ("IL-4", -1, ("IFN-γ",), ""),
        ("IL-4", 1, ("IL-13", "IL-5", "CCL11"), ""),
        ("IL-13", 1, ("CCL11",), ""),
        ("IL-10", -1, ("TNF-α", "IL-1β", "IL-6", "IFN-γ", "IL-12p70"), ""),
        ("TGF-β1", -1, ("IFN-γ", "IL-2"), ""),
        ("TGF-β1", 1, ("IL-17A",), "with IL-6"),
        ("IL-1RA", -1, ("IL-1β",), ""),
        ("IL-17A", 1, ("IL-6", "IL-8", "GM-CSF"), ""),
        ("GM-CSF", 1, ("CCL2",), ""),
        ("CCL2", 1, ("IL-4",), ""),
        ("MIF", 1, ("TNF-α", "IL-6"), ""),
    )
    for target in targets
)
"""Textbook immunology, as collected in the project's literature notes; a prior, not a finding."""


@dataclass(frozen=True)
class SignallingNetwork:
    """Directed, signed edges between the columns of a panel.

    Attributes
    ----------
    nodes : sequence of str
        The columns as they were given; one that the prior does not know has no edge.
    edges : sequence of Edge
        Between nodes, by the columns' own names.
    """

    nodes: Sequence[str]
    edges: Sequence[Edge]

    def adjacency(self, *, signed: bool = True) -> NDArray[np.float64]:
        """Shape (n_nodes, n_nodes): row acts on column, +1, -1 or 0; without signs 0 or 1."""
        place = {name: k for k, name in enumerate(self.nodes)}
        matrix = np.zeros((len(self.nodes), len(self.nodes)))
        for edge in self.edges:
            matrix[place[edge.source], place[edge.target]] = edge.sign if signed else 1
        return matrix

    def laplacian(self) -> NDArray[np.float64]:
        """Graph Laplacian of the undirected network without signs, degree minus adjacency."""
        either = np.maximum(self.adjacency(signed=False), self.adjacency(signed=False).T)
        laplacian: NDArray[np.float64] = np.diag(either.sum(axis=1)) - either
        return laplacian


def signalling_network(columns: Sequence[str] | None = None) -> SignallingNetwork:
    """The network over the columns that a model was given, in their order.

    Parameters
    ----------
    columns : sequence of str, optional
        Any names, analytes among them under any spelling; None for the whole network. Two columns
        that mean one analyte have no edge, as nobody can tell which of them is meant.

    Examples
    --------
    >>> signalling_network(["IL6", "age", "hsCRP"]).adjacency()
    array([[0., 0., 1.],
           [0., 0., 0.],
           [0., 0., 0.]])
    """
    names = sorted({name for edge in EDGES for name in edge[:2]}) if columns is None else columns
    column_of = {standard: column for column, standard in resolve(names).items()}
    edges = [
        edge._replace(source=column_of[edge.source], target=column_of[edge.target])
        for edge in EDGES
        if edge.source in column_of and edge.target in column_of
    ]
    return SignallingNetwork(tuple(names), tuple(edges))
