"""``cytobench new model|dataset NAME``: a working plugin and its test, in a second."""

from __future__ import annotations

import argparse
from pathlib import Path

from cytobench import console


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command's arguments."""
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("kind", choices=("model", "dataset"), help="what to write")
    parser.add_argument("name", help="letters, digits and underscores: my_model")
    parser.add_argument(
        "--task", action="append", metavar="TASK",
        help="of a model: response and remission unless given; or percent_change",
    )  # fmt: skip
    parser.add_argument(
        "--table", type=Path, metavar="FILE", help="of a dataset: draft a YAML for this table"
    )
    parser.add_argument(
        "--folder", type=Path, default=Path(), help="the project's folder (default: here)"
    )
    parser.epilog = (
        "examples:\n"
        "  cytobench new model my_model\n"
        "  cytobench new dataset my_simulation\n"
        "  cytobench new dataset my_trial --table data/my_trial.csv"
    )


def execute(options: argparse.Namespace) -> int:
    """Run the command."""
    from cytobench.core.errors import UsageError
    from cytobench.registry.scaffold import new_dataset, new_model, new_table

    if options.kind == "model" and options.table is not None:
        raise UsageError("E140", "a model is not made from a table", where="--table")
    if options.kind == "dataset" and options.task:
        raise UsageError("E140", "a dataset has no task", where="--task")
    if options.kind == "model":
        tasks = tuple(dict.fromkeys(options.task or ("response", "remission")))
        written = new_model(options.name, tasks, options.folder)
    elif options.table is not None:
        written = new_table(options.name, options.table, options.folder)
    else:
        written = new_dataset(options.name, options.folder)
    for path in written.files:
        console.say(f"wrote {path}")
    console.say("next:", style="bold")
    for command in written.next:
        console.say(f"  {command}")
    return 0
