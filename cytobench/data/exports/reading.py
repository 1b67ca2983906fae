"""Read an export: wells, what of them is a sample, replicates, plates; one row per sample."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cytobench.core.errors import DataError
from cytobench.data.cells import MISSING
from cytobench.data.exports.bioplex import read_bioplex
from cytobench.data.exports.measure import measure, standard_limits
from cytobench.data.exports.msd import read_msd
from cytobench.data.exports.options import Options, read_options
from cytobench.data.exports.replicates import Measurement, combine
from cytobench.data.exports.sheets import Sheet, read_sheets
from cytobench.data.exports.tables import read_long, read_wide
from cytobench.data.exports.wells import Well, kind_of
from cytobench.data.exports.xponent import read_xponent
from cytobench.data.grammar import listed
from cytobench.data.readers import Files

LAYOUTS: Mapping[str, Callable[[list[Sheet], Options], Iterable[Well]]] = {
    "xponent": read_xponent,
    "bioplex": read_bioplex,
    "msd": read_msd,
    "long": read_long,
    "wells": read_wide,
}
NAMED = 5
"""How many names a note lists."""


@dataclass(frozen=True)
class Export:
    """What the wells of one export say.

    Attributes
    ----------
    measurements : sequence of Measurement
        One for each plate, sample and analyte.
    notes : sequence of str
        What was left out, and which replicates disagree.
    """

    measurements: Sequence[Measurement]
    notes: Sequence[str]
    options: Options


def read_measurements(node: Mapping[str, Any], files: Files, where: str = "source") -> Export:
    """Wells of an export, replicates combined.

    Raises
    ------
    DataError
        ``E310``, ``E311``, ``E322``; ``E331`` for another layout, ``E332`` where no sample is
        left, ``E333`` (text in a number), ``E334`` (dilution), ``E335`` (a well twice), ``E336``
        (replicates), ``E337`` (units), ``E339`` (no analyte).
    """
    options = read_options(node, where)
    wells = _wells(node, files, options)
    kinds = [_kind(well, options) for well in wells]
    kept = [well for well, kind in zip(wells, kinds, strict=True) if kind in options.keep]
    if not kept:
        found = ", ".join(sorted(set(kinds))) or "no well"
        raise DataError(
            "E332",
            f"no well of a sample is left: there are {found}",
            where=", ".join(map(str, listed(node["file"]))),
            hint="say which names are standards, blanks and controls: `types: {standard: REGEX}`",
        )
    _check_named(kept)
    _check_once(kept)
    standards = (
        standard_limits(
            [w for w, kind in zip(wells, kinds, strict=True) if kind == "standard"],
            options.recovery,
        )
        if options.from_standards
        else {}
    )
    together: dict[tuple[str, str, str], list[Well]] = {}
    for well in kept:
        together.setdefault((well.sample, well.plate, well.analyte), []).append(well)
    measurements = [
        combine(group, [measure(well, options, standards) for well in group])
        for group in together.values()
    ]
    notes = [*_left_out(wells, kinds, options), *_odd(measurements)]
    return Export(measurements, notes, options)


def _wells(node: Mapping[str, Any], files: Files, options: Options) -> list[Well]:
    wells: list[Well] = []
    for name in listed(node["file"]):
        sheets = read_sheets({**node, "file": name}, files)
        wells += LAYOUTS[options.format](sheets, options)
    return wells


def _kind(well: Well, options: Options) -> str:
    return "empty" if well.sample in MISSING else kind_of(well, options.patterns)


def _check_named(wells: Sequence[Well]) -> None:
    nameless = next((well for well in wells if well.analyte in MISSING), None)
    if nameless is not None:
        raise DataError(
            "E339",
            f"a result of sample {nameless.sample!r} is of no analyte",
            where=nameless.place(),
            hint="fill in the analyte's name, or delete the line",
        )


def _check_once(wells: Sequence[Well]) -> None:
    seen: dict[tuple[str, str, str], Well] = {}
    for well in wells:
        key = (well.plate, well.well, well.analyte)
        if well.well and key in seen:
            raise DataError(
                "E335",
                f"well {well.well} of plate {well.plate!r} is there twice for {well.analyte!r}, "
                f"first at {seen[key].place()}",
                where=well.place(),
                hint="give plates different names: `plate: NAME` for a file, or a column of plates",
            )
        seen[key] = well


def _left_out(wells: Sequence[Well], kinds: Sequence[str], options: Options) -> list[str]:
    """How many wells of standards, blanks, controls, and which."""
    notes = []
    for kind in ("standard", "blank", "control", "empty", "sample"):
        if kind in options.keep:
            continue
        out = [well for well, one in zip(wells, kinds, strict=True) if one == kind]
        if out:
            spots = {(well.file, well.plate, well.well or well.line) for well in out}
            names = list(dict.fromkeys(well.sample for well in out if well.sample))
            which = f": {_first(names)}" if names else ""
            word = "without a sample" if kind == "empty" else f"of {kind}s"
            files = ", ".join(dict.fromkeys(well.file for well in out))
            count = f"{len(spots)} well{'s' if len(spots) > 1 else ''}"
            notes.append(f"{files}: {count} {word} left out{which}")
    return notes


def _odd(measurements: Sequence[Measurement]) -> list[str]:
    """Cells that a person should know of: extrapolated, without a result, in contradiction."""
    wells = [well for one in measurements for well in one.wells]
    marked = [well for well in wells if well.text.startswith("*") and well.measured]
    without = [well for well in wells if not well.measured]
    torn = [
        one
        for one in measurements
        if one.value.missing and any(not value.missing for value in one.values)
    ]
    notes = []
    for found, words in (
        (marked, "extrapolated beyond the standard curve (`*`), and kept"),
        (without, "without a result (outlier, invalid, empty)"),
    ):
        if found:
            notes.append(f"{len(found)} of {len(wells)} results {words}; first {found[0].place()}")
    if torn:
        notes.append(
            f"{len(torn)} results are missing, as replicates are below and above the limits; "
            f"first {torn[0].spot}, column {torn[0].analyte!r}"
        )
    return notes


def _first(names: Sequence[str]) -> str:
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return ", ".join(map(repr, names[:NAMED])) + more
