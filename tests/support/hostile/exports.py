"""Exports of instruments: broken ones are refused, those that are well formed say what they say."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

from cytobench.data.cells import read_numbers
from cytobench.data.readers import Files
from cytobench.data.sources import read_source
from support.hostile.answers import Answer, answer, family
from support.hostile.tables import mutated
from support.hostile.texts import known, unicode_text

EXPORTS = Path(__file__).parents[2] / "data" / "exports"
HONEST = {
    "xponent": ("xponent_1.csv", {"dilution": "already"}),
    "bioplex": ("bioplex_blocks.csv", {"dilution": "already", "limits": "standards"}),
    "msd": ("msd.csv", {"dilution": "already", "limit_dilution": "multiply"}),
    "long": (
        "elisa_long.csv",
        {
            "dilution": "multiply",
            "columns": {
                "sample": "Sample ID",
                "value": "Concentration",
                "dilution": "Dilution factor",
            },
        },
    ),
    "wells": ("elisa_wells.csv", {}),
}


def read(folder: Path, **node: Any) -> Any:
    """An export as a source, one row per sample."""
    return read_source({"file": "e.csv", **node}, Files([folder]))


def throw(data: Any, folder: Path, layout: str) -> Answer:
    """An honest export with some of its cells, lines or bytes made hostile."""
    file, options = HONEST[layout]
    content = (EXPORTS / file).read_bytes()
    how = data.draw(st.sampled_from(["bytes", "cells", "cells", "lines"]))
    if how == "bytes":
        content = bytes(mutated(data.draw, bytearray(content)))
    else:
        lines = list(csv.reader(io.StringIO(content.decode())))
        for _ in range(data.draw(st.integers(1, 4))):
            at = data.draw(st.integers(0, len(lines) - 1))
            if how == "lines":
                other = data.draw(st.integers(0, len(lines) - 1))
                lines[at : at + 1] = data.draw(
                    st.sampled_from([[], [lines[at]] * 2, [lines[other]]])
                )
                lines = lines or [[""]]
            elif lines[at]:
                column = data.draw(st.integers(0, len(lines[at]) - 1))
                lines[at][column] = data.draw(unicode_text)
        stream = io.StringIO()
        csv.writer(stream).writerows(lines)
        content = stream.getvalue().encode()
    (folder / "e.csv").write_bytes(content)
    if data.draw(st.booleans()):
        options = {**options, "decimal": data.draw(st.sampled_from([".", ","]))}
    return answer(lambda: sound(read(folder, format=layout, **options)), right=None)


def sound(source: Any) -> Any:
    """Every cell is text, and has a place."""
    for column in source.columns:
        assert all(isinstance(text, str) for text in source.texts(column))
        assert source.place(column, 0)
    return source


for _layout in HONEST:
    family(
        f"{_layout}, broken",
        f"{_layout} exports with cells, lines or bytes changed",
        "E311, or E331 to E339 with file, line, well and column",
        share=0.5,
    )(lambda data, folder, layout=_layout: throw(data, folder, layout))

NAMES = (
    known.filter(lambda t: not any("\ud800" <= c <= "\udfff" for c in t))
    .map(lambda t: "".join(t.split())[:200])
    .filter(bool)
)
NUMBERS = st.floats(min_value=0, max_value=1e99)


@family(
    "exports, hostile names",
    "the five layouts with hostile names of samples and analytes",
    "the same values to the last bit, or E33x with the well",
)
def written(data: Any, folder: Path) -> Answer:
    """What is written in each layout is read as it was."""
    layout = data.draw(st.sampled_from(sorted(HONEST)))
    samples = data.draw(st.lists(NAMES, min_size=1, max_size=3, unique=True))
    analytes = data.draw(st.lists(NAMES, min_size=1, max_size=2, unique=True))
    values = {(s, a): data.draw(NUMBERS) for s in samples for a in analytes}
    stream = io.StringIO()
    lines = LAYOUTS[layout](samples, analytes, values)
    csv.writer(stream, quoting=csv.QUOTE_ALL).writerows(lines)
    (folder / "e.csv").write_text(stream.getvalue(), encoding="utf-8", newline="")

    def right(source: Any) -> None:
        texts = source.texts("sample")
        assert set(texts) <= set(samples), (layout, texts, samples)
        for name in source.columns:
            if name in ("sample", "plate", "well"):
                continue
            # A header may state the unit: it is taken off the name.
            of = [a for a in analytes if a == name or a.startswith(name) or name in a]
            assert of
            numbers = read_numbers(source.texts(name)).values
            for sample, number in zip(texts, numbers, strict=True):
                assert any(values[sample, a] == number for a in of), (sample, name, number)

    return answer(lambda: sound(read(folder, format=layout)), right)


def _xponent(samples: Any, analytes: Any, values: Any) -> list[list[str]]:
    rows = [
        [f"{k}(1,A{k})", s, *(repr(values[s, a]) for a in analytes)]
        for k, s in enumerate(samples, 1)
    ]
    return [["Batch", "b"], [], ["DataType:", "Result"], ["Location", "Sample", *analytes], *rows]


def _bioplex(samples: Any, analytes: Any, values: Any) -> list[list[str]]:
    lines = []
    for a in analytes:
        lines += [[f"Analyte: {a}"], ["Type", "Well", "Description", "Obs Conc"]]
        lines += [[f"X{k}", f"A{k}", s, repr(values[s, a])] for k, s in enumerate(samples, 1)]
        lines += [[]]
    return lines


def _msd(samples: Any, analytes: Any, values: Any) -> list[list[str]]:
    rows = [[s, a, f"A{k}", repr(values[s, a])] for k, s in enumerate(samples, 1) for a in analytes]
    return [["Sample", "Assay", "Well", "Calc. Concentration"], *rows]


def _long(samples: Any, analytes: Any, values: Any) -> list[list[str]]:
    rows = [[s, a, f"A{k}", repr(values[s, a])] for k, s in enumerate(samples, 1) for a in analytes]
    return [["sample", "analyte", "well", "value"], *rows]


def _wells(samples: Any, analytes: Any, values: Any) -> list[list[str]]:
    rows = [[s, f"A{k}", *(repr(values[s, a]) for a in analytes)] for k, s in enumerate(samples, 1)]
    return [["sample", "well", *analytes], *rows]


LAYOUTS = {
    "xponent": _xponent, "bioplex": _bioplex, "msd": _msd, "long": _long, "wells": _wells,
}  # fmt: skip
