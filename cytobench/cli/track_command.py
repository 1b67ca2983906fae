"""``cytobench track``: mirror the run store to MLflow."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from cytobench import console

if TYPE_CHECKING:
    from cytobench.tracking import Mirror


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command's arguments."""
    parser.add_argument(
        "overrides", nargs="*", metavar="OVERRIDE", help="such as tracking.uri=http://server:5000"
    )
    parser.add_argument("--store", help="run store (default: the configuration's, runs)")
    parser.add_argument(
        "--rebuild",
        action="store_true",
        help="delete the runs that came from this store and write them anew; `mlflow gc` frees "
        "their space",
    )
    parser.add_argument(
        "--champion",
        metavar="SUITE/ENTRY",
        help="fit the entry's best model on all patients and register it in MLflow",
    )


def execute(options: argparse.Namespace) -> int:
    """Run the command."""
    from cytobench.config import compose_jobs
    from cytobench.core.errors import UsageError
    from cytobench.core.secrets import without_secrets
    from cytobench.run.store import RunStore
    from cytobench.tracking import Mirror

    config = compose_jobs(options.overrides)[0]
    if config["tracking"]["name"] == "none":
        raise UsageError("E605", "there is nowhere to write to", where="tracking=none")
    store = RunStore(Path(options.store or config["store"]))
    if not store.entries():
        console.warn(f"no cells in {store.root}; start a run: cytobench run")
        return 1
    mirror = Mirror(store, config["tracking"])
    if options.champion:
        return _champion(mirror, options.champion)
    written, present = mirror.everything(rebuild=options.rebuild)
    console.say(
        f"{written} cells written to {without_secrets(mirror.uri)}, {present} were already there"
    )
    console.say("browse:  cytobench ui")
    return 0


def _champion(mirror: Mirror, where: str) -> int:
    from cytobench.tracking.champion import register_champion

    done = register_champion(mirror, where)
    console.say(
        f"{done.model}, fitted on all {done.patients} patients, is version {done.version} of "
        f"{done.name}"
    )
    console.say(f'load it:  mlflow.pyfunc.load_model("{done.address}")')
    return 0
