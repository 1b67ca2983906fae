"""From measurements to one row per sample, each cell with its place in the export."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from cytobench.core.errors import DataError
from cytobench.data.exports.measure import Value
from cytobench.data.exports.options import Options
from cytobench.data.exports.reading import read_measurements
from cytobench.data.exports.replicates import Measurement, agreed
from cytobench.data.readers import Files

OWN_COLUMNS = ("sample", "plate", "well")


@dataclass(frozen=True)
class ExportRows:
    """One row per sample.

    Attributes
    ----------
    columns : mapping
        ``sample``, ``plate``, ``well`` and every analyte -> cells as text.
    spots : mapping
        Column -> ``file, line, well`` of each cell; empty where a sample lacks the analyte.
    notes : sequence of str
    """

    columns: Mapping[str, Sequence[str]]
    spots: Mapping[str, Sequence[str]]
    notes: Sequence[str]


@dataclass(frozen=True)
class _Cell:
    value: Value
    parts: Sequence[Measurement]


def read_export(node: Mapping[str, Any], files: Files, where: str = "source") -> ExportRows:
    """An export as one row per sample.

    Parameters
    ----------
    node : mapping
        A source node with ``file`` (one or several) and ``format``; see ``docs/exports.md``.

    Raises
    ------
    DataError
        As :func:`~cytobench.data.exports.reading.read_measurements`; ``E338`` for a sample on two
        plates; ``E331`` for an analyte that is called as one of the table's own columns.
    """
    export = read_measurements(node, files, where)
    options = export.options
    checked, notes = _check_replicates(export.measurements, options)
    analytes = list(dict.fromkeys(one.analyte for one in checked))
    for own in OWN_COLUMNS:
        if own in analytes:
            at = next(one for one in checked if one.analyte == own)
            raise DataError("E331", f"an analyte is called {own!r}", where=at.wells[0].place())
    cells: dict[str, dict[str, _Cell]] = {}
    together: dict[tuple[str, str], list[Measurement]] = {}
    for one in checked:
        together.setdefault((one.sample, one.analyte), []).append(one)
    for (sample, analyte), parts in together.items():
        cells.setdefault(sample, {})[analyte] = _across_plates(parts, options)
    bridging = {one.sample for parts in together.values() if len(parts) > 1 for one in parts}
    if bridging:
        kept = "the mean" if options.bridge == "mean" else "the first"
        many = "samples are" if len(bridging) > 1 else "sample is"
        notes.append(f"{len(bridging)} {many} on several plates; {kept} of each was taken")
    columns, spots = _columns(cells, analytes)
    return ExportRows(columns, spots, [*export.notes, *notes])


def _check_replicates(
    measurements: Sequence[Measurement], options: Options
) -> tuple[list[Measurement], list[str]]:
    bad = [one for one in measurements if one.cv > options.replicate_cv]
    if not bad:
        return list(measurements), []
    worst = max(bad, key=lambda one: one.cv)
    several = sum(one.cv == one.cv for one in measurements)
    said = (
        f"replicate wells differ by more than {options.replicate_cv:.0%} (CV) in {len(bad)} of "
        f"{several} replicated results; worst {worst.cv:.0%}: sample {worst.sample!r}, "
        f"{worst.spot}, column {worst.analyte!r}"
    )
    if options.replicate_cv_action == "error":
        raise DataError(
            "E336",
            said,
            where=worst.wells[0].place(),
            hint="look at the wells; `replicate_cv_action: note` or `drop` goes on without asking",
        )
    if options.replicate_cv_action == "note":
        return list(measurements), [said]
    out = {id(one) for one in bad}
    kept = [replace(one, value=Value()) if id(one) in out else one for one in measurements]
    return kept, [f"{said}; they were set to missing"]


def _across_plates(parts: Sequence[Measurement], options: Options) -> _Cell:
    first = parts[0]
    if len(parts) == 1:
        return _Cell(first.value, parts)
    if options.bridge is None:
        raise DataError(
            "E338",
            f"{first.analyte!r} of sample {first.sample!r} is on plates {first.plate!r} and "
            f"{parts[1].plate!r}, first at {first.wells[0].place()}",
            where=parts[1].wells[0].place(),
            hint="for bridging samples write `bridge: first` or `bridge: mean`; else correct the "
            "sample's name",
        )
    there = [one for one in parts if not one.value.missing] or [first]
    if options.bridge == "first":
        return _Cell(there[0].value, there[:1])
    # Plates may differ in dilution; that must not silence the one that is beyond a limit.
    values = [replace(one.value, dilution=1.0) for one in there]
    return _Cell(agreed(values), there)


def _columns(
    cells: Mapping[str, Mapping[str, _Cell]], analytes: Sequence[str]
) -> tuple[dict[str, list[str]], dict[str, list[str]]]:
    columns: dict[str, list[str]] = {name: [] for name in (*OWN_COLUMNS, *analytes)}
    spots: dict[str, list[str]] = {name: [] for name in ("sample", *analytes)}
    for sample, row in cells.items():
        # The first plate of each cell: a label of its own for bridging samples would be a batch.
        plates = dict.fromkeys(cell.parts[0].plate for cell in row.values())
        wells = dict.fromkeys(
            well.well for cell in row.values() for one in cell.parts for well in one.wells
        )
        columns["sample"].append(sample)
        columns["plate"].append(" + ".join(plates))
        columns["well"].append(", ".join(well for well in wells if well))
        spots["sample"].append(next(iter(row.values())).parts[0].spot)
        for analyte in analytes:
            cell = row.get(analyte)
            columns[analyte].append("" if cell is None else cell.value.cell())
            spots[analyte].append("" if cell is None else cell.parts[0].spot)
    return columns, spots
