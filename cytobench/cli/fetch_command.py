"""``cytobench fetch DATASET``: download the files of a public dataset, verified by their sha256."""

from __future__ import annotations

import argparse
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cytobench import console


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command's arguments."""
    parser.add_argument(
        "name", help="a dataset that is described by a YAML file; several studies as a+b or a,b"
    )
    parser.add_argument(
        "--to", metavar="FOLDER", help="default: $CYTOBENCH_DATA, else the folder data"
    )


def execute(options: argparse.Namespace) -> int:
    """Run the command.

    Raises
    ------
    UsageError
        ``E106`` for a dataset without files to fetch.
    """
    from cytobench.config import compose_jobs

    folder = Path(options.to or os.environ.get("CYTOBENCH_DATA") or "data")
    failed = 0
    for config in compose_jobs([f"dataset={options.name}"]):
        dataset = config["dataset"]
        for study in dataset.get("studies", {dataset["name"]: dataset}).values():
            failed += _fetch_all(study, folder)
    return 1 if failed else 0


def _fetch_all(dataset: Mapping[str, Any], folder: Path) -> int:
    """Fetch the files of one dataset; returns how many are still missing."""
    from cytobench.core.errors import DataError, UsageError
    from cytobench.data.download import fetch, pinned_files

    files = pinned_files(dataset.get("files"))
    if not files:
        raise UsageError(
            "E106",
            f"{dataset['name']} names no files that could be fetched",
            hint=str(dataset.get("access") or _without_files(dataset)),
        )
    console.say(f"{dataset['name']}: {dataset.get('summary', '')}", style="bold")
    for key in ("licence", "origin", "caveat"):
        if dataset.get(key):
            console.say(f"  {key}: {dataset[key]}")
    failed = 0
    for pinned in files:
        if not pinned.url and not (folder / pinned.file).is_file():
            why = pinned.why or "no address is known"
            console.say(f"  {pinned.file}: cannot be fetched; {why}")
            failed += 1
            continue
        try:
            size = fetch(pinned, folder)
        except DataError as error:
            console.fail(str(error))
            failed += 1
            continue
        said = f"{size:,} bytes, sha256 verified" if size else "was there already, verified"
        console.say(f"  {folder / pinned.file}: {said}")
    return failed


def _without_files(dataset: Mapping[str, Any]) -> str:
    if "source" in dataset:
        return "a table of your own is looked for in data=FOLDER, $CYTOBENCH_DATA and ./data"
    return "simulated cohorts need none"
