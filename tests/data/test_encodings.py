"""Non-detects as published tables encode them: one truth, written in each way, read the same.

The seven encodings are those of the project's list of data sets: exact zeros, floor constants of a
batch with saturation, values kept below a table of limits, limits row by row, comment codes with
a filled value, empty cells, and logarithms floored at the limit.
"""

from dataclasses import dataclass, field

import numpy as np
import pandas as pd
import pytest

from cytobench import DataError
from cytobench.config import compose_jobs
from cytobench.data.table import load_table

N = 120
LIMIT = {"A": 0.8, "B": 1.5}
"""Lower limit by batch; the upper one is 30 in both."""
UPPER = 30.0
NAMES = ("IL-6", "IL-10", "TNF-α")
CENSORED = NAMES[:2]
"""The third is measured in everybody: a row without any value would not count as measured."""


def truth():
    """Levels before any limit, their batch, and the outcome."""
    draw = np.random.default_rng(7)
    normal = [(1.6, 1.6), (1.6, 1.6), (2.3, 0.2)]
    frame = pd.DataFrame(
        {name: np.exp(draw.normal(*about, N)).round(4)
         for name, about in zip(NAMES, normal, strict=True)}
    )  # fmt: skip
    frame.insert(0, "batch", np.where(np.arange(N) % 2, "A", "B"))
    return frame.assign(y=np.arange(N) // 2 % 2)


TRUE = truth()
LLOD = TRUE["batch"].map(LIMIT).to_numpy()
BELOW = {name: (TRUE[name] < LLOD).to_numpy() for name in NAMES}
ABOVE = {name: (TRUE[name] >= UPPER).to_numpy() for name in NAMES}


def filled(below, above):
    """The table with what stands in for non-detects and for saturated values."""
    columns = {
        name: np.where(BELOW[name], below(TRUE[name]), np.where(ABOVE[name], above, TRUE[name]))
        for name in NAMES
    }
    return TRUE.assign(**columns)


@dataclass(frozen=True)
class Encoding:
    """A way to write the truth, how the YAML says it, and what can be known of it."""

    table: pd.DataFrame
    analytes: dict
    values: str
    """What a non-detect's value is: the limit, the true one, or what the table wrote."""
    files: dict = field(default_factory=dict)
    written: object = None
    flagged: bool = True


def limits(**more):
    """A file of limits by batch."""
    return {"file": "lod.csv", "analyte": "assay", "value": "lod", "match": {"batch": "batch"},
            **more}  # fmt: skip


LOD = pd.DataFrame([(name, *item) for name in NAMES for item in LIMIT.items()],
                   columns=["assay", "batch", "lod"])  # fmt: skip
LOD2 = LOD.assign(lod=np.log2(LOD["lod"]))
BY_BATCH = {"llod": limits(), "uloq": UPPER}
COMMENTS = {
    f"{name}_comment": np.where(BELOW[name], 1, np.where(ABOVE[name], 2, 0)) for name in NAMES
}
COMMENT = {name: {"comment": {"column": f"{name}_comment", "below": [1], "above": [2]}} for name in
           NAMES}  # fmt: skip
ROOT = filled(lambda _: LLOD / np.sqrt(2), UPPER).assign(**COMMENTS)
EMPTY = filled(lambda _: np.nan, UPPER)
TEXT = filled(lambda _: "<" + pd.Series(LLOD).astype(str), f">{UPPER}")

ENCODINGS = {
    # 1. myasthenia, tuberculosis and schizophrenia tables
    "zero": Encoding(
        filled(lambda _: 0.0, UPPER), {"nondetect": "zero", "uloq": UPPER}, "written", written=0.0
    ),
    "zero, limits known": Encoding(
        filled(lambda _: 0.0, UPPER), {"nondetect": "zero", **BY_BATCH}, "limit", {"lod": LOD}
    ),
    # 2. MRSA panels: the constant is not the limit, and nothing says what it is
    "floor and ceiling of a batch": Encoding(
        filled(lambda _: LLOD / 2, UPPER),
        {"nondetect": "floor", "saturated": "ceiling", "floor_by": ["batch"]},
        "written",
        written=LLOD / 2,
    ),
    "floor, limits known": Encoding(
        filled(lambda _: LLOD / 2, UPPER),
        {"nondetect": "floor", "saturated": "ceiling", "floor_by": ["batch"], **BY_BATCH},
        "limit",
        {"lod": LOD},
    ),
    # 3. Olink of two hospitals
    "kept below a table of limits": Encoding(
        filled(lambda true: true, UPPER), {"below_limit": "keep", **BY_BATCH}, "true", {"lod": LOD}
    ),
    "below a table of limits, at the limit": Encoding(
        filled(lambda true: true, UPPER), BY_BATCH, "limit", {"lod": LOD}
    ),
    # 4. vaccine response: LLOQ and ULOQ stand in every row
    "limits row by row": Encoding(
        filled(lambda true: true, 99.0).assign(lloq=LLOD, uloq=UPPER),
        {
            "llod": {name: {"column": "lloq"} for name in NAMES},
            "each": {name: {"uloq": {"column": "uloq"}} for name in NAMES},
        },
        "limit",
    ),
    # 5. NHANES: a comment code beside LLOD / √2
    "comment code, limits known": Encoding(
        ROOT, {"each": COMMENT, **BY_BATCH}, "limit", {"lod": LOD}
    ),
    "comment code alone": Encoding(
        ROOT, {"each": COMMENT}, "written", written=LLOD / np.sqrt(2)
    ),
    # 6. liver and influenza panels
    "empty, said to be a non-detect": Encoding(
        EMPTY, {"nondetect": "missing", **BY_BATCH}, "limit", {"lod": LOD}
    ),
    "empty, which may as well be missing": Encoding(
        EMPTY, {"uloq": UPPER}, "written", written=np.nan, flagged=False
    ),
    # 7. diet trial: Olink floored at the limit
    "logarithms floored at the limit": Encoding(
        filled(lambda _: LLOD, UPPER).assign(
            **{name: np.log2(filled(lambda _: LLOD, UPPER)[name]) for name in NAMES}
        ),
        {"scale": "log2", "nondetect": "floor", "saturated": "ceiling", "floor_by": ["batch"]},
        "limit",
    ),
    "logarithms floored, limits known": Encoding(
        filled(lambda _: LLOD, UPPER).assign(
            **{name: np.log2(filled(lambda _: LLOD, UPPER)[name]) for name in NAMES}
        ),
        {"scale": "log2", "nondetect": "floor", "llod": limits(), "uloq": float(np.log2(UPPER))},
        "limit",
        {"lod": LOD2},
    ),
    # and what instruments write themselves
    "text of the instrument": Encoding(TEXT, {}, "limit"),
    "out of range, limits known": Encoding(
        filled(lambda _: "OOR <", "OOR >"), BY_BATCH, "limit", {"lod": LOD}
    ),
}  # fmt: skip


def read(encoding, folder):
    encoding.table.to_csv(folder / "t.csv", index=False)
    for name, table in encoding.files.items():
        table.to_csv(folder / f"{name}.csv", index=False)
    config = {
        "name": "t",
        "source": {"file": "t.csv"},
        "analytes": {"columns": list(NAMES), "unit": "pg/mL", **encoding.analytes},
        "outcome": {"label": "y", "positive": [1]},
    }
    return load_table(config, folders=[folder])


def flags(cohort, name, suffix):
    column = name + suffix
    return cohort.column(column).to_numpy() if column in cohort.flags else np.zeros(N, dtype=bool)


def test_the_truth_has_non_detects_and_saturation_in_both_batches():
    for name in CENSORED:
        for batch in LIMIT:
            rows = (TRUE["batch"] == batch).to_numpy()
            assert 3 <= BELOW[name][rows].sum() < N / 4
            assert 3 <= ABOVE[name][rows].sum() < N / 4
    assert not (BELOW["TNF-α"] | ABOVE["TNF-α"]).any()


@pytest.mark.parametrize("name", ENCODINGS)
def test_the_same_truth_gives_the_same_flags_and_values(tmp_path, name):
    encoding = ENCODINGS[name]

    cohort = read(encoding, tmp_path)

    for analyte in NAMES:
        below = BELOW[analyte] if encoding.flagged else np.zeros(N, dtype=bool)
        np.testing.assert_array_equal(flags(cohort, analyte, "__below"), below)
        np.testing.assert_array_equal(flags(cohort, analyte, "__above"), ABOVE[analyte])
        values = cohort.column(analyte).to_numpy()
        values = 2**values if encoding.analytes.get("scale") == "log2" else values
        stands_in = {"limit": LLOD, "true": TRUE[analyte], "written": encoding.written}
        expected = np.where(BELOW[analyte], stands_in[encoding.values],
                            np.minimum(TRUE[analyte], UPPER))  # fmt: skip
        np.testing.assert_allclose(values, expected, rtol=1e-9)


def test_a_row_without_any_value_was_not_measured(tmp_path):
    table = EMPTY.copy()
    table.loc[3, list(NAMES)] = np.nan

    cohort = read(Encoding(table, ENCODINGS["empty, said to be a non-detect"].analytes, "limit",
                           {"lod": LOD}), tmp_path)  # fmt: skip

    assert cohort.column("IL-6").isna().sum() == 1
    assert not cohort.column("IL-6__below").iloc[3]


def test_an_empty_cell_that_means_below_needs_a_limit(tmp_path):
    with pytest.raises(DataError, match=r"E317.*'IL-6'"):
        read(Encoding(EMPTY, {"nondetect": "missing"}, "limit"), tmp_path)


@pytest.mark.parametrize(
    ("analytes", "code", "said"),
    [
        ({"llod": {"IL-6": {"column": "lloqq"}}}, "E312", "mean 'lloq'"),
        ({"llod": {"IL-6": {"column": "batch"}}}, "E313", "line 2, column 'batch'"),
        ({"llod": {"IL-6": {"col": "lloq"}}}, "E322", "mean 'column'"),
        ({"each": {"IL-6": {"comment": {"column": "lloq"}}}}, "E322", "`below:` or `above:`"),
        ({"each": {"IL-6": {"comment": {"below": [1]}}}}, "E322", "`column:`"),
    ],
)
def test_limits_and_codes_that_cannot_be_meant_are_refused(tmp_path, analytes, code, said):
    table = TRUE.assign(lloq=LLOD)

    with pytest.raises(DataError) as caught:
        read(Encoding(table, analytes, "limit"), tmp_path)

    assert caught.value.code == code
    assert said in str(caught.value)


# The published tables themselves, where they are present.


def shares(name, folder):
    """Share of flagged cells below and above, and of missing ones, over the whole panel."""
    config = compose_jobs([f"dataset={name}", "model=prior"])[0]["dataset"]
    cohort = load_table(config, folders=[folder])
    cells = len(cohort) * len(cohort.panel)
    found = {
        side: sum(cohort.column(flag).sum() for flag in cohort.flags if flag.endswith(side)) / cells
        for side in ("__below", "__above")
    }
    missing = cohort.table[list(cohort.analytes)].isna().to_numpy().mean()
    return found["__below"], found["__above"], missing


@pytest.mark.data
@pytest.mark.parametrize(
    ("name", "below", "above", "missing"),
    [
        ("mg_steroid", (0.05, 0.15), 0.0, 0.0),  # 1. exact zeros, no empty cell
        ("scz_twosite", (0.12, 0.22), 0.0, 0.0),  # 1. 17 % exact zeros
        ("mrsa_serum", (0.3, 0.5), 25 / (129 * 38), 0.0),  # 2. floors and ceilings
        ("postcovid_olink", (0.15, 0.25), 0.0, 0.001),  # 3. about 20 % below in Breda
        ("nhanes_phq9", (0.003, 0.006), 0.0, 0.0),  # 5. 23 of 5,042, without the code's column
        ("liver_cirrhosis", (0.0, 0.0), 0.0, 0.06),  # 6. empty, and nobody says why
        ("cytomod_flu", (0.0, 0.0), 0.0, 0.0005),  # 6. whole rows, which are left out
    ],
)
def test_the_published_tables_are_read_by_their_encoding(data_folder, name, below, above, missing):
    found = shares(name, data_folder)

    assert below[0] <= found[0] <= below[1]
    assert found[1] == pytest.approx(above, abs=1e-9)
    assert found[2] == pytest.approx(missing, abs=0.01)
