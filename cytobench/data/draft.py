"""A first YAML for a table, its columns' roles guessed from the header; a person has to read it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from cytobench.core.errors import DataError
from cytobench.data.names import standard_name
from cytobench.data.readers import Files, read_file

ROLES: Mapping[str, tuple[str, ...]] = {
    "patient": ("id", "patient", "patientid", "subject", "subjectid", "participant",
                "participantid", "recordid", "subjlabel", "studyid", "usubjid"),
    "arm": ("arm", "treatment", "drug", "treatmentarm", "allocation", "medication"),
    "site": ("site", "centre", "center", "clinic", "hospital", "siteid"),
    "plate": ("plate", "plateid", "assayplate"),
}  # fmt: skip
COVARIATES = ("age", "sex", "gender", "bmi", "smoking", "smoker")
LABELS = ("response", "responder", "responded", "remission", "remitter", "remitted", "outcome")
POSITIVE = ("1", "yes", "y", "true", "responder", "response", "remitter", "remission", "responded")
SCALES = {"hamd": "HAM-D17", "hdrs": "HAM-D17", "madrs": "MADRS", "qids": "QIDS-SR16",
          "phq9": "PHQ-9"}  # fmt: skip
BASELINE = re.compile(r"(baseline|base|bl|pre|week0|wk0|w0|t0|v0)\Z")
CYTOKINE = re.compile(
    r"(?:hu(?:man)?[\s_.-]+)?(?:IL|TNF|IFN|TGF|CCL|CXCL|CX3CL|MCP|MIP|VEGF|EGF|FGF|HGF|PDGF|CSF|GM.?CSF"
    r"|G.?CSF|IP|RANTES|EOTAXIN|CRP|SAA|LEPTIN|BDNF|MIF|S?CD40L|S?IL)[\s_.-]?[\w.()αβγ-]*\Z",
    re.IGNORECASE,
)
COMMA = re.compile(r"\d+,\d+\Z")
PLAIN = re.compile(r"[A-Za-z][A-Za-z0-9_.]*\Z")
YAML_WORDS = ("yes", "no", "true", "false", "on", "off", "null", "y", "n")


@dataclass
class Draft:
    """What the columns of a table seem to be.

    Attributes
    ----------
    roles : dict
        ``patient``, ``arm``, ``site``, ``plate`` -> column.
    scale : tuple or None
        Name of the scale, column at baseline, column at the end point.
    label : tuple or None
        Column, positive and negative values.
    unused : list of str
        Columns that nobody here can place.
    comma : bool
        Numbers are written with a decimal comma.
    """

    name: str
    file: Path
    roles: dict[str, str] = field(default_factory=dict)
    analytes: list[str] = field(default_factory=list)
    covariates: list[str] = field(default_factory=list)
    scale: tuple[str, str, str] | None = None
    label: tuple[str, list[str], list[str]] | None = None
    unused: list[str] = field(default_factory=list)
    comma: bool = False


def draft_table(path: Path, name: str) -> Draft:
    """Read a table and guess what its columns are.

    Raises
    ------
    DataError
        ``E310`` or ``E311`` for a file that cannot be read, ``E344`` where no column looks like an
        analyte.
    """
    table = read_file({"file": str(path.resolve())}, Files([]))
    found = Draft(name, path)
    left = [str(column) for column in table.columns]
    for role, words in ROLES.items():
        column = next((item for item in left if _folded(item) in words), None)
        if column is not None:
            found.roles[role] = column
            left.remove(column)
    found.covariates = _take(left, (item for item in left if _folded(item) in COVARIATES))
    found.scale = _scale(left)
    if found.scale is not None:
        _take(left, found.scale[1:])
    else:
        found.label = _label(table, left)
        if found.label is not None:
            _take(left, found.label[:1])
    found.analytes = _take(left, (item for item in left if _is_analyte(item)))
    found.unused = left
    cells = table[found.analytes].astype(str).to_numpy().ravel()
    found.comma = any(COMMA.match(cell.strip()) for cell in cells)
    if not found.analytes:
        raise DataError(
            "E344",
            "no column looks like a cytokine",
            where=str(path),
            hint="write the YAML by hand: docs/bring-your-own-table.md",
        )
    return found


def to_yaml(draft: Draft) -> str:
    """The draft as a dataset's YAML, with a ``# say:`` wherever a person knows better."""
    crp = [item for item in draft.analytes if standard_name(item) == "CRP"]
    others = [item for item in draft.analytes if item not in crp]
    lines = [
        f"# Drafted from the header of {draft.file.name}; read each line, answer each `# say:`.",
        f"name: {draft.name}",
        f"summary: {_scalar(f'Cohort of {draft.file.name}')}  # say: who, treated with what",
        "population: unknown  # say: diagnosis, setting, how many",
        "licence: unknown  # say: who may use these data",
        "citation: ''  # say: DOI of the study",
        f"source: {{file: {_scalar(draft.file.name)}}}",
    ]
    if draft.comma:
        lines.append('decimal: ","')
    if "patient" in draft.roles:
        lines.append(f"patient: {_scalar(draft.roles['patient'])}")
    lines += [
        "analytes:",
        f"  columns: {_listed(draft.analytes)}",
        f"  unit: {'pg/mL' if others else 'mg/L'}  # say: the unit of the export",
    ]
    if crp and others:
        lines.append("  each: {CRP: {unit: mg/L}}  # say: mg/L, or another")
    lines.append("  standard_names: true")
    lines.append(
        "  # say: llod: {analyte: limit}, or where zeros and empty cells mean not detected"
    )
    if draft.covariates:
        lines.append(f"covariates: {_listed(draft.covariates)}")
    lines += [
        f"{role}: {_scalar(draft.roles[role])}"
        for role in ("arm", "site", "plate")
        if role in draft.roles
    ]
    lines += _outcome(draft)
    if draft.unused:
        lines.append(f"# not used: {', '.join(draft.unused)}".replace("\n", " "))
    return "\n".join(lines) + "\n"


def _outcome(draft: Draft) -> list[str]:
    if draft.scale is not None:
        scale, before, after = draft.scale
        week = re.search(r"(\d+)\D*\Z", after)
        weeks = f", week: {int(week[1])}" if week else ""
        return [
            f"outcome: {{scale: {scale}, baseline: {_scalar(before)}, endpoint: {_scalar(after)}"
            f"{weeks}}}  # say: is it this version of the scale?"
        ]
    if draft.label is not None:
        column, positive, negative = draft.label
        return [
            "outcome:",
            f"  label: {_scalar(column)}",
            f"  positive: {_listed(positive)}  # say: which values are the good outcome",
            f"  negative: {_listed(negative)}",
            f"  meaning: {_scalar(column)}  # say: its definition",
        ]
    return ["# say: outcome: {scale: HAM-D17, baseline: column, endpoint: column, week: 8}"]


def _take(left: list[str], wanted: Iterable[str]) -> list[str]:
    taken = list(wanted)
    left[:] = [item for item in left if item not in taken]
    return taken


def _scale(columns: Sequence[str]) -> tuple[str, str, str] | None:
    for prefix, scale in SCALES.items():
        mine = [item for item in columns if _folded(item).startswith(prefix)]
        before = [item for item in mine if BASELINE.search(_folded(item))]
        after = [item for item in mine if item not in before]
        if len(before) == 1 and after:
            return scale, before[0], max(after, key=_week)
    return None


def _week(column: str) -> int:
    numbers = re.findall(r"\d+", _folded(column))
    return int(numbers[-1]) if numbers else 0


def _label(table: pd.DataFrame, columns: Sequence[str]) -> tuple[str, list[str], list[str]] | None:
    for column in columns:
        if _folded(column) not in LABELS:
            continue
        values = sorted({text for text in table[column].astype(str).str.strip() if text})
        positive = [value for value in values if value.casefold() in POSITIVE]
        if len(values) == 2 and len(positive) == 1:
            return column, positive, [value for value in values if value not in positive]
    return None


def _is_analyte(column: str) -> bool:
    return standard_name(column) is not None or CYTOKINE.match(column.strip()) is not None


def _folded(column: str) -> str:
    return re.sub(r"[^a-z0-9]", "", column.casefold())


def _listed(items: Sequence[str]) -> str:
    return f"[{', '.join(map(_scalar, items))}]"


def _scalar(text: str) -> str:
    """A YAML scalar that reads back as this text."""
    if PLAIN.match(text) and text.casefold() not in YAML_WORDS:
        return text
    return json.dumps(text, ensure_ascii=False)
