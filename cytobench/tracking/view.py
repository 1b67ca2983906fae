"""The columns and the order in which MLflow first shows an entry's runs.

MLflow's UI can share a view of the runs table under a key: an experiment tag with the compressed
state. The format is not documented; a UI that does not know it shows its default columns instead.
"""

from __future__ import annotations

import base64
import json
import zlib

KEY = "leaderboard"
TAG = f"mlflow.sharedViewState.{KEY}"


def columns(kind: str) -> list[str]:
    """Columns of the runs table, from left to right."""
    if kind == "benefit":
        shown = ("value", "gain", "gain lower", "gain upper", "gain over CRP rule")
        return [*(f"metrics.`{name}`" for name in shown), "tags.`role`"]
    headline = "AUC" if kind == "classification" else "MAE"
    second = "Brier" if kind == "classification" else "R2"
    metrics = (
        headline,
        f"{headline} added",
        f"{headline} lower",
        f"{headline} upper",
        second,
    )
    return [*(f"metrics.`{name}`" for name in metrics), "tags.`role`"]


def state(kind: str) -> str:
    """The value of the tag: best run first."""
    selected = columns(kind)
    view = {
        "selectedColumns": selected,
        "orderByKey": selected[0],
        "orderByAsc": kind == "regression",
        "searchFilter": "",
        "runsExpanded": {},
        "runsPinned": [],
    }
    document = {"name": KEY, "createdAt": 0, "updatedAt": 0, "state": _packed(view)}
    return json.dumps(document)


def _packed(view: dict[str, object]) -> str:
    return "deflate;" + base64.b64encode(zlib.compress(json.dumps(view).encode())).decode()


def link(base: str, experiment: str, name: str) -> str:
    """Address of an experiment's runs table, that of an entry in the chosen view.

    A suite's own experiment has no such view: an address that asks for it ends at GenAI's pages.
    """
    view = f"&viewStateShareKey={KEY}" if "/" in name else ""
    return f"{base}/#/experiments/{experiment}/runs?workflowType=machine_learning{view}"
