"""The page of a cohort: its card, its picture and its numbers, from aggregates alone."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from cytobench.evaluate.cohort_facts import FEWEST, OTHERS, estimate_of
from cytobench.leaderboard.tables import number
from cytobench.report import cohort_figures as draw
from cytobench.report.illustrations import Illustration
from cytobench.report.tables import Table
from cytobench.report.text import slug
from cytobench.report.writing import render, write_page

Facts = Mapping[str, Any]
CARD = ("summary", "kind", "population", "treatment", "outcome", "version", "licence", "citation",
        "caveat", "access")  # fmt: skip
HIDDEN = "too few to show"


def cohort_page(facts: Facts, drawn: list[Illustration] | None = None, *, home: str = "") -> str:
    """One self-contained HTML page.

    Parameters
    ----------
    facts : mapping
        Of :func:`cytobench.evaluate.cohort_facts.cohort_facts`.
    drawn : list of Illustration, optional
        The figures, where they were drawn already.
    home : str
        Address of the page that links here; empty for a page that stands alone.
    """
    card = facts["card"]
    return render(
        "cohort.html",
        title=f"Cohort {card['name']}",
        home=home,
        simulated=card["kind"] == "simulated",
        caveat=card["caveat"].rstrip("."),
        lead=card["summary"],
        keys=_keys(facts),
        figures=list(illustrations(facts)) if drawn is None else drawn,
        tables=tables(facts),
        card=card_rows(facts),
        notes=facts["notes"],
        fewest=FEWEST,
    )


def write_cohort_page(facts: Facts, folder: Path, *, home: str = "") -> Path:
    """Write ``cohort-<name>.html``, and its figures as SVG and PNG beside it."""
    drawn = list(illustrations(facts))
    name = file_name(facts)
    for illustration in drawn:
        for file, content in illustration.files().items():
            write_page(folder / "figures" / name / file, content)
    return write_page(folder / f"{name}.html", cohort_page(facts, drawn, home=home).encode())


def file_name(facts: Facts) -> str:
    """Without suffix."""
    return f"cohort-{slug(facts['card']['name'])}"


def card_rows(facts: Facts) -> list[tuple[str, str]]:
    """The card, and where the cohort stands."""
    rows = [(name, str(facts["card"].get(name) or "")) for name in CARD]
    rows += [("patients", str(facts["n"])), ("fingerprint", facts["fingerprint"])]
    return [(name, text) for name, text in rows if text]


def illustrations(facts: Facts) -> Iterator[Illustration]:
    """The figures of a cohort, with their words."""
    analytes = facts["analytes"]
    if any(item.get("histogram") for item in analytes):
        yield Illustration(
            "distributions", draw.distributions(facts),
            "Each analyte at baseline, logarithmic for concentrations, from about its 1st to the "
            "99th percentile. Solid line: median; dashed: limit of detection, where one is the "
            f"same for all and not far below. Bins hold {FEWEST} patients or more.",
            f"Histograms of {len(analytes)} analytes; medians and quartiles are in the table.",
            wide=True,
        )  # fmt: skip
    yield Illustration(
        "detection", draw.detection(facts),
        "Share of patients with a detected value, below or above a limit, and without a value.",
        f"Stacked bars for {len(analytes)} analytes; the shares are in the table.", wide=True,
    )  # fmt: skip
    for part in facts["outcomes"]:
        yield Illustration(
            f"outcome-{slug(part['task'])}", draw.outcome(facts, part),
            f"{part['meaning']}, in all patients and by arm, with 95 % intervals.",
            f"Forest plot of {part['task']} by arm; the numbers are in the table.", wide=True,
        )  # fmt: skip
    if facts["correlation"]:
        yield Illustration(
            "correlation", draw.correlation(facts),
            "Spearman correlations at baseline; analytes that go together stand side by side.",
            "Heat map of rank correlations between analytes.", wide=True,
        )  # fmt: skip
    if facts["plates"]:
        yield Illustration(
            "plates", draw.plates(facts),
            f"Shift of each plate with {FEWEST} patients or more.",
            "Heat map of plates by analytes.", wide=True,
        )  # fmt: skip
    if any(row["value"] is not None for row in facts["followup"]):
        yield Illustration(
            "followup", draw.followup(facts),
            "Change from baseline to end point by arm, in SDs of the baseline (Becker 1988).",
            "Forest plot of changes; the numbers are in the table.", wide=True,
        )  # fmt: skip


def tables(facts: Facts) -> list[Table]:
    """Every number of the figures, and those of the covariates."""
    found = [_analytes(facts)]
    if facts["covariates"]:
        found.append(_covariates(facts))
    found += [_outcome(part) for part in facts["outcomes"]]
    groups = [
        [role, label, _count(n)]
        for role, counts in facts["groups"].items()
        if len(counts) > 1
        for label, n in counts.items()
    ]
    if groups:
        found.append(Table("Groups", "Patients by group", ["group", "", "n"], groups))
    if facts["followup"]:
        rows = [
            [
                row["analyte"],
                row["arm"],
                number(estimate_of(row, ""), signed=True),
                _count(row["n"]),
            ]
            for row in facts["followup"]
        ]
        columns = ["analyte", "arm", "change in SDs (95 % interval)", "n"]
        found.append(Table("Change to the end point", "By arm", columns, rows))
    return found + _truth(facts)


def _analytes(facts: Facts) -> Table:
    rows = [
        [
            item["name"], item["unit"], item["matrix"], _number(item["llod"]),
            _quartiles(item), _percent(item["below"]), _percent(item["above"]),
            _percent(item["missing"]), _count(item["n"]),
        ]
        for item in facts["analytes"]
    ]  # fmt: skip
    columns = ["analyte", "unit", "matrix", "limit", "median (quartiles)", "below", "above",
               "missing", "n"]  # fmt: skip
    note = "Below and above: of those measured. Values beyond a limit count as the limit."
    return Table("Analytes", "At baseline", columns, rows, (note,))


def _covariates(facts: Facts) -> Table:
    rows = []
    for item in facts["covariates"]:
        said = _quartiles(item) if item["kind"] == "number" else _levels(item["levels"])
        rows.append([item["name"], said, _percent(item["missing"]), _count(item["n"])])
    columns = ["covariate", "median (quartiles), or patients", "missing", "n"]
    return Table("Covariates", "At baseline", columns, rows)


def _count(n: int | None) -> str:
    return HIDDEN if n is None else str(n)


def _levels(levels: Mapping[str, int | None]) -> str:
    return ", ".join(f"{name} {_count(n)}" for name, n in levels.items())


def _outcome(part: Facts) -> Table:
    percent = part["kind"] == "classification"
    rows = [
        [
            row["arm"],
            HIDDEN if row["value"] is None else number(estimate_of(row, "")),
            _count(row["known"]), _count(row["n"]),
        ]
        for row in part["arms"]
    ]  # fmt: skip
    measure = "share" if percent else "mean"
    columns = ["arm", f"{measure} (95 % interval)", "outcome known", "patients"]
    method = "Wilson's interval." if percent else "Normal interval of the mean."
    name = part["task"].replace("_", " ").capitalize()
    return Table(f"Outcome: {name}", part["meaning"], columns, rows, (method,))


def _truth(facts: Facts) -> list[Table]:
    truth = facts["truth"]
    if not truth:
        return []
    rows = [[f"AUC of the truth for {task}", f"{auc:.3f}"] for task, auc in truth["auc"].items()]
    best = truth["best_arm"]
    if best:
        rows += [[f"response if all get {arm}", _percent(value)]
                 for arm, value in best["response"].items()]  # fmt: skip
        rows.append(["response if each gets the best arm", _percent(best["response_of_best"])])
        rows += [[f"best arm is {arm}", _percent(value)] for arm, value in best["share"].items()]
    note = (
        "Known because the patients are simulated: expected values, given true levels, clinical "
        "state and arm. No model can do better."
    )
    return [Table("Truth", "What knowing everything achieves", ["", "value"], rows, (note,))]


def _keys(facts: Facts) -> list[dict[str, str]]:
    found = [
        _key("Patients", str(facts["n"]), _arms(facts)),
        _key("Analytes", str(len(facts["analytes"])), _matrices(facts)),
    ]
    for part in facts["outcomes"][:2]:
        everybody = part["arms"][0]
        if everybody["value"] is None:
            continue
        value = everybody["value"]
        said = _percent(value) if part["kind"] == "classification" else f"{value:.1f} %"
        note = f"outcome known for {everybody['known']}"
        found.append(_key(part["task"].replace("_", " ").capitalize(), said, note))
    if facts["truth"] and "response" in facts["truth"]["auc"]:
        auc = f"{facts['truth']['auc']['response']:.3f}"
        found.append(_key("AUC of the truth", auc, "response; the ceiling"))
    return found


def _key(name: str, value: str, note: str) -> dict[str, str]:
    return {"name": name, "value": value, "note": note}


def _arms(facts: Facts) -> str:
    arms = facts["groups"].get("arm", {})
    studies = facts["groups"].get("study", {})
    said = f"{len(arms)} arms" if len(arms) > 1 else "one arm"
    if OTHERS in arms:
        said = "arms, some too small to be named"
    return f"{said}, {len(studies)} studies" if studies else said


def _matrices(facts: Facts) -> str:
    found = dict.fromkeys(item["matrix"] for item in facts["analytes"] if item["matrix"])
    return ", ".join(found) or "matrix not stated"


def _quartiles(item: Facts) -> str:
    if "q50" not in item:
        return HIDDEN
    if "q25" not in item:  # five patients are beyond the median, and fewer beyond a quartile
        return _number(item["q50"])
    return f"{_number(item['q50'])} ({_number(item['q25'])} to {_number(item['q75'])})"


def _number(value: float | None) -> str:
    if value is None or math.isnan(value):
        return ""
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %" if share >= 0.01 or share == 0 else f"{100 * share:.1f} %"
