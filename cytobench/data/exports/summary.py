"""How well replicates agree, and which limits each plate has."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from cytobench.data.exports.reading import read_measurements
from cytobench.data.exports.replicates import Measurement
from cytobench.data.readers import Files


@dataclass(frozen=True)
class WellSummary:
    """Wells of an export, counted.

    Attributes
    ----------
    replicates : DataFrame
        One row for each ``sample``, ``plate`` and ``analyte``: the ``wells``, how many were
        ``detected``, ``below``, ``above`` or ``missing``, the ``value`` (NaN unless detected),
        its ``unit``, and the ``cv`` of the detected wells (a share, NaN for fewer than two).
    limits : DataFrame
        One row for each ``plate`` and ``analyte``: ``llod`` and ``uloq`` on the sample's scale (the
        higher lower, the lower upper one where wells differ; NaN where not stated), how many
        ``samples``, how many of them ``below`` and ``above``, and the ``median_cv``.
    notes : sequence of str
        What was left out.
    """

    replicates: pd.DataFrame
    limits: pd.DataFrame
    notes: Sequence[str]


def well_summary(node: Mapping[str, Any], files: Files) -> WellSummary:
    """Replicates and limits of an export.

    Parameters
    ----------
    node : mapping
        A source node with ``file`` and ``format``, as in a dataset's YAML.

    Raises
    ------
    DataError
        As :func:`~cytobench.data.exports.reading.read_measurements`.
    """
    export = read_measurements(node, files)
    replicates = pd.DataFrame([_replicate(one) for one in export.measurements])
    plates: dict[tuple[str, str], list[Measurement]] = {}
    for one in export.measurements:
        plates.setdefault((one.plate, one.analyte), []).append(one)
    limits = pd.DataFrame([_limit(*key, parts) for key, parts in plates.items()])
    return WellSummary(replicates, limits, tuple(export.notes))


def _replicate(one: Measurement) -> dict[str, Any]:
    return {
        "sample": one.sample,
        "plate": one.plate,
        "analyte": one.analyte,
        "wells": ", ".join(well.well for well in one.wells if well.well),
        "detected": sum(value.detected for value in one.values),
        "below": sum(value.below for value in one.values),
        "above": sum(value.above for value in one.values),
        "missing": sum(value.missing for value in one.values),
        "value": one.value.number if one.value.detected else math.nan,
        "unit": one.value.unit,
        "cv": one.cv,
    }


def _limit(plate: str, analyte: str, parts: Sequence[Measurement]) -> dict[str, Any]:
    values = [value for one in parts for value in one.values]
    lower = [v.llod for v in values if v.llod is not None]
    lower += [v.number for v in values if v.below and not math.isnan(v.number)]
    upper = [v.uloq for v in values if v.uloq is not None]
    upper += [v.number for v in values if v.above and not math.isnan(v.number)]
    return {
        "plate": plate,
        "analyte": analyte,
        "llod": max(lower, default=math.nan),
        "uloq": min(upper, default=math.nan),
        "samples": len(parts),
        "below": sum(one.value.below for one in parts),
        "above": sum(one.value.above for one in parts),
        "median_cv": pd.Series([one.cv for one in parts], dtype=float).median(),
    }
