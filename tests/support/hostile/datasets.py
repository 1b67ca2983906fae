"""A dataset's YAML with anything in any place, and tables of a whole cohort with hostile cells."""

from __future__ import annotations

import copy
import csv
import math
from pathlib import Path
from typing import Any

import yaml
from hypothesis import strategies as st

from cytobench.data.table import load_table
from support.hostile.answers import Answer, answer, family
from support.hostile.texts import hostile, unicode_text, values

HEADER = [
    "id",
    "site",
    "drug",
    "age",
    "sex",
    "IL-6",
    "CRP",
    "before",
    "after",
    "day",
    "end",
    "unit",
]
ROWS = [
    ["p1", "Bonn", "A", "30", "f", "1.5", "0.7", "20", "8", "2024-01-01", "2024-02-01", "pg/mL"],
    ["p2", "Bonn", "A", "40", "m", "<0.5", "3.1", "22", "20", "2024-01-01", "2024-02-01", "pg/mL"],
    ["p3", "Bonn", "B", "50", "f", "2.5", "NA", "24", "5", "2024-01-01", "2024-02-01", "pg/mL"],
    ["p4", "Ulm", "B", "", "m", "*9.1", "12", "18", "18", "2024-01-01", "2024-02-01", "pg/mL"],
    ["p5", "Ulm", "A", "60", "f", "0.9", "1.1", "25", "", "2024-01-01", "2024-02-01", "pg/mL"],
    ["p6", "Ulm", "B", "35", "m", "1.1", "0.2", "21", "10", "2024-01-01", "2024-02-01", "pg/mL"],
]
FULL = yaml.safe_load("""
name: trial
summary: A trial
version: '1'
assignment: randomised
source:
  stack:
    - join:
        - {file: a.csv, separator: ',', encoding: utf-8, decimal: '.', missing: [NA],
        positions: {from: 1, to: 12}}
        - {file: b.csv, rename: {extra: weight}}
      by: id
      how: inner
    - file: c.csv
      extract: {ward: {column: id, pattern: '[pq](\\d)'}}
      constant: {batch: one}
      rows: [{column: age, min: 1, max: 99}, {column: sex, in: [f, m]}, {column: drug,
      present: true}]
      first_of: [id]
      drop: [batch]
decimal: '.'
missing: [unknown]
patient: id
analytes:
  columns: [IL-6, CRP]
  unit: pg/mL
  scale: linear
  platform: Luminex
  matrix: serum
  llod: {IL-6: 0.5, CRP: 0.1}
  uloq: 1000
  nondetect: missing
  below_limit: limit
  standard_names: true
  convert: {CRP: mg/L}
  each: {CRP: {unit: mg/L}}
covariates: {age: {column: age, type: number}, sex: {column: sex, map: {f: female, m: male}}}
arm: drug
site: {column: site, map: {Bonn: one, Ulm: two}}
holdout: {column: site, test: [Ulm]}
outcome: {scale: HAM-D17, baseline: before, endpoint: after, week: 8, remission_at: 7,
          minimum_baseline: 10, baseline_date: day, endpoint_date: end}
checks: {minimum_arm: 1}
files: [{file: a.csv, sha256: '0000000000000000000000000000000000000000000000000000000000000000',
         url: 'https://example.org/a.csv'}]
verify_files: false
""")
SHORT = yaml.safe_load("""
name: trial
source: {file: a.csv}
patient: id
analytes:
  columns: [IL-6, CRP]
  unit: pg/mL
  llod: {file: d.csv, analyte: assay, value: lod, match: {place: site}}
arm: drug
outcome: {label: sex, positive: [f], negative: [m], meaning: x, otherwise: y}
checks: {minimum_arm: 1}
""")


def write(folder: Path, header: list[str] = HEADER, rows: list[list[str]] = ROWS) -> None:
    """The tables that the configurations name."""
    tables = {
        "a": [header, *rows],
        "b": [["id", "extra"], *([f"p{k}", str(60 + k)] for k in range(1, 7))],
        "c": [HEADER, *([f"q{k}", *row[1:]] for k, row in enumerate(ROWS))],
        "d": [["assay", "place", "lod"], *([a, s, "0.5"] for a in ("IL-6", "CRP") for s in ("Bonn",
        "Ulm"))],
    }  # fmt: skip
    for name, lines in tables.items():
        with (folder / f"{name}.csv").open("w", encoding="utf-8", newline="") as stream:
            csv.writer(stream).writerows(lines)


def places(node: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The path of every value in plain data, mappings and lists with them."""
    inner = (
        node.items()
        if isinstance(node, dict)
        else enumerate(node)
        if isinstance(node, list)
        else ()
    )
    return [path, *(at for key, value in inner for at in places(value, (*path, key)))]


@family(
    "dataset YAML, any value",
    "a dataset's YAML with any value, of any type and size, in any place",
    "E322 with the key, or what the value itself is refused with",
)
def any_value(data: Any, folder: Path) -> Answer:
    """Any value in one or two places of a configuration that says all that can be said."""
    write(folder)
    config = copy.deepcopy(data.draw(st.sampled_from([FULL, FULL, SHORT])))
    for _ in range(data.draw(st.integers(1, 2))):
        *path, last = data.draw(st.sampled_from(places(config)[1:]))
        node = config
        for key in path:
            node = node[key]
        how = data.draw(st.sampled_from(["value", "value", "drop", "key"]))
        if how == "value" or isinstance(node, list):
            node[last] = data.draw(values)
        elif how == "drop":
            del node[last]
        else:
            node[data.draw(hostile | st.none() | st.integers() | st.booleans())] = node[last]
    return answer(lambda: load_table(config, folders=[folder]), right=None)


@family(
    "cohort, hostile cells",
    "a cohort's table with hostile numbers, names and dates in it",
    "the same numbers to the last bit, or E31x with file, line and column",
)
def hostile_cohort(data: Any, folder: Path) -> Answer:
    """What a cell says is what the cohort holds, or the cell is named."""
    rows = copy.deepcopy(ROWS)
    for _ in range(data.draw(st.integers(1, 3))):
        at, column = data.draw(st.integers(0, 5)), data.draw(st.integers(0, len(HEADER) - 1))
        rows[at][column] = data.draw(unicode_text)
    write(folder, rows=rows)
    config = {
        "name": "trial", "source": {"file": "a.csv"}, "patient": "id",
        "analytes": {"columns": ["IL-6", "CRP"]},
        "covariates": ["age", {"column": "sex", "type": "text"}] and {"age": "age", "sex": "sex"},
        "arm": "drug", "site": "site", "checks": {"minimum_arm": 1},
        "outcome": {"scale": "HAM-D17", "baseline": "before", "endpoint": "after",
                    "baseline_date": "day", "endpoint_date": "end"},
    }  # fmt: skip

    def right(cohort: Any) -> None:
        assert cohort.patients == [row[0].strip() for row in rows if any(row)]
        for column in ("IL-6", "CRP"):
            position = HEADER.index(column)
            for number, row in zip(cohort.column(column), rows, strict=True):
                assert not math.isinf(number)
                try:
                    wanted = float(row[position])
                except ValueError:
                    continue
                assert number == wanted or math.isnan(wanted)

    return answer(lambda: load_table(config, folders=[folder]), right)


NAME = unicode_text.filter(lambda t: t.strip())


@family(
    "cohort, hostile names",
    "columns and patients called by every hostile name",
    "the same names and numbers, or E31x and E32x with the column",
)
def hostile_names(data: Any, folder: Path) -> Answer:
    """A name is a name: what is asked for by it is found by it."""
    names = data.draw(st.lists(NAME, min_size=5, max_size=5, unique_by=str.strip))
    patient, marker, arm, before, after = (name.strip() for name in names)
    rows = [[f"p{k}", f"{k}.5", "AB"[k % 2], str(20 + k), str(8 + k)] for k in range(6)]
    write(folder, names, rows)
    config = {
        "name": data.draw(hostile), "source": {"file": "a.csv", "separator": ","},
        "patient": patient,
        "analytes": {"columns": [marker]}, "arm": arm, "checks": {"minimum_arm": 1},
        "outcome": {"scale": data.draw(hostile), "baseline": before, "endpoint": after},
        "summary": data.draw(hostile),
    }  # fmt: skip

    def right(cohort: Any) -> None:
        (name,) = cohort.analytes
        assert cohort.column(name).tolist() == [k + 0.5 for k in range(6)]
        assert cohort.patients == [f"p{k}" for k in range(6)]
        assert len(cohort.fingerprint) == 64

    return answer(lambda: load_table(config, folders=[folder]), right)
