"""``cytobench verify RUN``: finished folds are run again and compared to the last bit."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cytobench import console

if TYPE_CHECKING:
    from cytobench.run.reproduce import Reproduction


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command's arguments."""
    from cytobench.cli.submitting import add_limit

    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument(
        "run", metavar="RUN",
        help="a cell: its folder, the first digits of its key, or ENTRY[/MODEL]",
    )  # fmt: skip
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--fold", type=int, metavar="N", help="this fold")
    which.add_argument("--all", action="store_true", help="every finished fold")
    parser.add_argument("--seed", type=int, default=0, help="draws the fold (default: 0)")
    parser.add_argument("--store", default="runs", help="run store (default: runs)")
    parser.add_argument(
        "--trust", action="store_true", help="import what the store names (models by _target_)"
    )
    add_limit(parser)
    parser.add_argument("--json", action="store_true", help="print what was found as JSON")
    parser.epilog = (
        "one fold of each cell is tuned, fitted and predicted again as things are here, and\n"
        "held against the stored one: predictions, parameters, threshold, search. What is not\n"
        "as it was is named: versions, processor, linear algebra, plugin, cohort.\n"
        "  cytobench verify 3fa9c1\n"
        "  cytobench verify quickstart/sim_inflamed_mdd-remission/elastic_net --all\n\n"
        "Exit code: 0 the same to the last bit, 1 different, 2 it cannot be told."
    )


def execute(options: argparse.Namespace) -> int:
    """Run the command.

    Raises
    ------
    UsageError
        ``E141`` where no cell is called so, ``E142`` where one cannot be run again.
    """
    from cytobench.cli.submitting import check_limit
    from cytobench.run.engine import one_thread_each

    check_limit(options.fold_seconds)
    one_thread_each()
    from cytobench.run.reproduce import Choice, named, reproduce

    choice = Choice(
        options.fold, options.all, options.seed, options.fold_seconds, trusted=options.trust
    )
    done = []
    for found in named(options.run, Path(options.store)):
        done.append(reproduce(found, choice))
        if not options.json:
            _show(done[-1])
    if options.json:
        import json

        console.say(json.dumps([_record(one) for one in done], indent=2, ensure_ascii=False))
    return 0 if all(one.same for one in done) else 1


def _show(done: Reproduction) -> None:
    found = done.found
    console.say(
        f"{done.model} in {found.suite}/{found.entry}: {'same' if done.same else 'different'}",
        style="green" if done.same else "red",
    )
    for fold, unlike in done.folds.items():
        console.say(f"  fold {fold}: {'; '.join(unlike) or 'the same to the last bit'}")
    for said in done.changed or ["nothing that matters has changed since"]:
        console.say(f"  {said}", style="dim")


def _record(done: Reproduction) -> dict[str, Any]:
    return {
        "cell": done.found.key,
        "suite": done.found.suite,
        "entry": done.found.entry,
        "model": done.model,
        "same": done.same,
        "folds": [
            {"fold": fold, "same": not unlike, "differs": list(unlike)}
            for fold, unlike in done.folds.items()
        ],
        "changed": list(done.changed),
    }
