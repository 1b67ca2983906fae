"""Which columns are analytes and what they are called; standard names of analytes and matrices."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any

from cytobench.core.errors import DataError
from cytobench.data.columns import Reader
from cytobench.data.grammar import check_keys, listed, pairs, required

SYNONYMS: dict[str, tuple[str, ...]] = {
    "CRP": ("hsCRP", "CRP-hs", "C-reactive protein", "hs C-reactive protein",
            "high-sensitivity CRP", "high-sensitivity C-reactive protein"),
    "IL-6": ("interleukin 6", "IFNB2", "BSF2"),
    "TNF-α": ("TNF", "TNFa", "TNF-alpha", "TNFSF2", "cachectin", "tumor necrosis factor",
              "tumour necrosis factor", "tumor necrosis factor alpha",
              "tumour necrosis factor alpha"),
    "IL-1β": ("IL1b", "IL-1beta", "interleukin 1 beta", "interleukin 1b", "IL1F2"),
    "IL-8": ("CXCL8", "interleukin 8"),
    "IL-10": ("interleukin 10",),
    "IFN-γ": ("IFNg", "IFN-gamma", "interferon gamma", "gamma interferon"),
    "IL-2": ("interleukin 2",),
    "IL-4": ("interleukin 4",),
    "IL-5": ("interleukin 5",),
    "IL-12p70": ("IL-12(p70)", "interleukin 12 p70"),
    "IL-13": ("interleukin 13",),
    "IL-17A": ("interleukin 17A", "CTLA8"),
    "IL-1RA": ("IL1RN", "sIL-1RA", "IL1F3", "interleukin 1 receptor antagonist"),
    "sTNFR2": ("sTNF-R2", "sTNF-RII", "TNF-RII", "TNFR2", "TNF-R2", "TNFRSF1B", "CD120b",
               "soluble TNF receptor 2", "TNF receptor 2"),
    "CCL2": ("MCP-1", "JE", "monocyte chemoattractant protein 1",
             "monocyte chemotactic protein 1"),
    "CXCL10": ("IP-10", "interferon gamma induced protein 10"),
    "CCL3": ("MIP-1α", "MIP-1a", "macrophage inflammatory protein 1 alpha"),
    "CCL4": ("MIP-1β", "MIP-1b", "macrophage inflammatory protein 1 beta"),
    "CCL11": ("eotaxin", "eotaxin-1"),
    "VEGF": ("VEGF-A", "vascular endothelial growth factor",
             "vascular endothelial growth factor A"),
    "GM-CSF": ("CSF2", "granulocyte macrophage colony stimulating factor"),
    "TGF-β1": ("TGFb1", "TGF-beta1", "TGFB1", "transforming growth factor beta 1"),
    "MIF": ("macrophage migration inhibitory factor",),
}  # fmt: skip
"""Standard name -> what means the same and nothing else (HGNC symbols, UniProt's and the kits'
names). ``IL-1`` is not IL-1β, ``IL-12p40`` or plain ``IL-12`` is not IL-12p70, ``IL-17`` without
its letter is not IL-17A, TGF-β without its number not TGF-β1, nor is its latency-associated peptide
(``LAP TGF-beta-1``); receptors are not their ligands."""

GREEK = {"α": "alpha", "β": "beta", "ß": "beta", "γ": "gamma"}
SEPARATOR = r"[\s_().,/\-\u2010-\u2015\u2212]+"
SPECIES = re.compile(r"\A(?:human|hu)[\s_.-]+", re.IGNORECASE)
PREFIXED = r"[fpnuµμm]?c?(?:g|mol)"
SUFFIX = re.compile(
    rf"\s*(?:[\[(]\s*{PREFIXED}\s*/\s*[munpcdµμ]?l\s*[\])]|\(\d{{1,3}}\)"
    rf"|[\s_.]{PREFIXED}[\s_./]?[mdµμu]?l)\s*\Z",
    re.IGNORECASE,
)
"""What headers append: a unit, or the number of a bead region (``Hu IL-6 (19)``)."""

ADJECTIVES = {"human", "fasting", "frozen", "thawed", "venous", "peripheral", "blood"}
MATRICES = {
    "serum": ({"serum", "sst"}, ADJECTIVES),
    "plasma": (
        {"plasma", "edta", "k2edta", "k3edta", "heparin", "liheparin", "naheparin", "heparinised",
         "heparinized", "citrate", "citrated", "ctad", "p100", "p800"},
        {*ADJECTIVES, "k2", "k3", "li", "lithium", "na", "sodium", "dipotassium", "tripotassium",
         "anticoagulated", "platelet", "poor"},
    ),
}  # fmt: skip
"""Matrix -> words that mean it, and words that may stand beside them. A word of neither kind leaves
the text as it is: ``serum-free medium`` and ``serum/plasma`` are neither serum nor plasma."""


def standard_name(text: str) -> str | None:
    """The standard name of an analyte, or None where nobody can tell.

    Case, spaces, hyphens, underscores and the Greek letter or its name make no difference; a unit
    or a bead region behind the name is left aside. Several names at once have to agree.

    Examples
    --------
    >>> standard_name("IL6"), standard_name("tnf_alpha"), standard_name("IL-1")
    ('IL-6', 'TNF-α', None)
    >>> standard_name("CXCL8/IL-8"), standard_name("Hu MCP-1 (53)"), standard_name("hsCRP (mg/L)")
    ('IL-8', 'CCL2', 'CRP')
    """
    plain = SPECIES.sub("", text.strip())
    for candidate in (plain, SUFFIX.sub("", plain)):
        found = _known().get(_folded(candidate)) or _agreed(candidate)
        if found:
            return found
    return None


def resolve(names: Iterable[str]) -> dict[str, str]:
    """Column -> standard name, for the columns that have one nobody else has.

    Where two columns mean one analyte, neither is resolved: a person has to say which is meant.
    """
    found = {name: standard for name in names if (standard := standard_name(name))}
    counts = list(found.values())
    return {name: standard for name, standard in found.items() if counts.count(standard) == 1}


def matrix_kind(text: str) -> str | None:
    """``serum`` or ``plasma`` where the text means one of them, whatever the anticoagulant.

    Examples
    --------
    >>> matrix_kind("K2-EDTA plasma"), matrix_kind("Serum (SST)"), matrix_kind("CSF")
    ('plasma', 'serum', None)
    """
    words = set(re.findall(r"\w+", re.sub(r"_", " ", text).casefold()))
    for kind, (meaning, beside) in MATRICES.items():
        if words & meaning and words <= meaning | beside:
            return kind
    return None


def named_columns(reader: Reader, spec: Mapping[str, Any]) -> dict[str, str]:
    """The analytes' names, each with its column, as the YAML chooses and renames them.

    Parameters
    ----------
    spec : mapping
        ``columns``, ``rename``, ``standard_names`` (true: whoever has a standard name that no other
        column has is given it, which is noted).

    Raises
    ------
    DataError
        ``E312`` for a column that is not there, ``E322``, ``E326`` for two of one name.
    """
    chosen = _choose(required(spec, "columns", "analytes"), reader)
    columns = _renamed(chosen, spec.get("rename"))
    wanted = spec.get("standard_names")
    if wanted not in (None, True, False):
        raise DataError(
            "E322", f"expected true or false, found {wanted!r}", where="analytes.standard_names"
        )
    return _standardised(columns, reader) if wanted else columns


def _choose(spec: Any, reader: Reader) -> list[str]:
    """Names of columns from ``{all_except: [...]}``, or from names and ``{from:, to:}``."""
    source = reader.source
    if isinstance(spec, Mapping) and "all_except" in spec:
        check_keys(spec, ("all_except",), "analytes.columns")
        others = [str(column) for column in listed(spec["all_except"])]
        for column in others:
            source.require(column)
        return [column for column in source.columns if column not in others]
    chosen: list[str] = []
    for item in listed(spec):
        if isinstance(item, Mapping):
            chosen += _range(item, reader)
        else:
            source.require(str(item))
            chosen.append(str(item))
    return chosen


def _range(spec: Mapping[str, Any], reader: Reader) -> list[str]:
    """All columns from one to another, both included, in the order of the file."""
    check_keys(spec, ("from", "to"), "analytes.columns")
    ends = [str(required(spec, end, "analytes.columns")) for end in ("from", "to")]
    for column in ends:
        reader.source.require(column)
    columns = reader.source.columns
    first, last = (columns.index(column) for column in ends)
    if last < first:
        raise DataError("E322", f"{ends[1]!r} is before {ends[0]!r}", where="analytes.columns")
    return columns[first : last + 1]


def _renamed(columns: list[str], rename: Any) -> dict[str, str]:
    """Standard name -> column."""
    new = {column: str(name) for column, name in pairs(rename, "analytes.rename").items()}
    check_keys(new, columns, "analytes.rename")
    names: dict[str, str] = {}
    for column in columns:
        name = new.get(column, column)
        if name in names:
            raise DataError(
                "E326",
                f"columns {names[name]!r} and {column!r} would both be {name!r}",
                where="analytes",
            )
        names[name] = column
    return names


def _standardised(columns: Mapping[str, str], reader: Reader) -> dict[str, str]:
    """Columns under their standard names, where one column alone has it; noted."""
    new = resolve(columns)
    changed = {name: standard for name, standard in new.items() if name != standard}
    if changed:
        said = ", ".join(f"{name} -> {standard}" for name, standard in changed.items())
        reader.notes.append(f"analytes were given their standard names: {said}")
    meanings: dict[str, list[str]] = {}
    for name in columns:
        meanings.setdefault(standard_name(name) or "", []).append(name)
    reader.notes += [
        f"{' and '.join(map(repr, names))} both mean {standard}: neither was renamed"
        for standard, names in meanings.items()
        if standard and len(names) > 1
    ]
    return {new.get(name, name): column for name, column in columns.items()}


def _agreed(text: str) -> str | None:
    """One analyte by several of its names: ``IP-10 (CXCL10)``, ``CCL2/JE/MCP-1``."""
    parts = [part for part in re.split(r"[/()|;]", text) if part.strip()]
    if len(parts) < 2:
        return None
    found = {_known().get(_folded(part)) for part in parts}
    return found.pop() if len(found) == 1 else None


@cache
def _known() -> dict[str, str]:
    return {
        _folded(spelling): name
        for name, synonyms in SYNONYMS.items()
        for spelling in (name, *synonyms)
    }


def _folded(text: str) -> str:
    """What is left when spelling makes no difference; two numbers never become one."""
    for letter, word in GREEK.items():
        text = text.replace(letter, word).replace(letter.upper(), word)
    text = unicodedata.normalize("NFKC", text)
    text = re.sub(rf"(?<=\d){SEPARATOR}(?=\d)", "|", text.strip())
    return re.sub(SEPARATOR, "", text).casefold()
