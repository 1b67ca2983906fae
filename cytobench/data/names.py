"""Standard names of analytes, and what else they are called in exports and papers."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache

SYNONYMS: dict[str, tuple[str, ...]] = {
    "CRP": ("hsCRP", "C-reactive protein", "high-sensitivity C-reactive protein"),
    "IL-6": ("interleukin 6", "IFNB2"),
    "TNF-α": ("TNF", "TNFa", "TNF-alpha", "tumor necrosis factor", "tumour necrosis factor alpha"),
    "IL-1β": ("IL1b", "IL-1beta", "interleukin 1 beta", "IL1F2"),
    "IL-8": ("CXCL8", "interleukin 8"),
    "IL-10": ("interleukin 10",),
    "IFN-γ": ("IFNg", "IFN-gamma", "interferon gamma"),
    "IL-2": ("interleukin 2",),
    "IL-4": ("interleukin 4",),
    "IL-5": ("interleukin 5",),
    "IL-12p70": ("IL-12(p70)", "interleukin 12 p70"),
    "IL-13": ("interleukin 13",),
    "IL-17A": ("interleukin 17A", "CTLA8"),
    "IL-1RA": ("IL1RN", "interleukin 1 receptor antagonist"),
    "sTNFR2": ("sTNF-R2", "sTNF-RII", "TNFRSF1B", "TNFR2"),
    "CCL2": ("MCP-1", "monocyte chemoattractant protein 1"),
    "CXCL10": ("IP-10", "interferon gamma induced protein 10"),
    "CCL3": ("MIP-1α", "MIP-1a", "MIP-1alpha"),
    "CCL4": ("MIP-1β", "MIP-1b", "MIP-1beta"),
    "CCL11": ("eotaxin", "eotaxin-1"),
    "VEGF": ("VEGF-A", "VEGFA", "vascular endothelial growth factor"),
    "GM-CSF": ("CSF2",),
    "TGF-β1": ("TGFb1", "TGF-beta1", "TGF-beta-1", "LAP TGF-beta-1"),
    "MIF": ("macrophage migration inhibitory factor",),
}
"""Standard name -> what means the same and nothing else: ``IL-1`` is not IL-1β, nor ``IL-12p40`` or
plain ``IL-12`` IL-12p70, nor ``IL-17`` without its letter IL-17A."""

GREEK = {"α": "alpha", "β": "beta", "γ": "gamma"}


def standard_name(text: str) -> str | None:
    """The standard name of an analyte, or None where nobody can tell.

    Case, spaces, hyphens, underscores and the Greek letter or its name make no difference.

    Examples
    --------
    >>> standard_name("IL6"), standard_name("tnf_alpha"), standard_name("IL-1")
    ('IL-6', 'TNF-α', None)
    """
    return _known().get(_folded(text))


def resolve(names: Iterable[str]) -> dict[str, str]:
    """Column -> standard name, for the columns that have one nobody else has.

    Where two columns mean one analyte, neither is resolved: a person has to say which is meant.
    """
    found = {name: standard for name in names if (standard := standard_name(name))}
    counts = list(found.values())
    return {name: standard for name, standard in found.items() if counts.count(standard) == 1}


@cache
def _known() -> dict[str, str]:
    return {
        _folded(spelling): name
        for name, synonyms in SYNONYMS.items()
        for spelling in (name, *synonyms)
    }


def _folded(text: str) -> str:
    for letter, word in GREEK.items():
        text = text.replace(letter, word).replace(letter.upper(), word)
    return re.sub(r"[\s_().,/-]+", "", text).casefold()
