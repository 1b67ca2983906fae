"""``cytobench info NAME``: the card of a model, or the card and the picture of a cohort."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

from cytobench import console

MOST_SHOWN = 30
"""Analytes in the terminal; the page has all."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command's arguments."""
    parser.usage = "cytobench info [--output FOLDER] [--json] [--debug] NAME [OVERRIDE ...]"
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("name", help="a model or a dataset; several studies as a+b")
    parser.add_argument(
        "overrides", nargs="*", metavar="OVERRIDE", help="of a dataset, as for `cytobench run`"
    )
    parser.add_argument("--output", metavar="FOLDER", help="write the cohort's page there")
    parser.add_argument("--json", action="store_true", help="print the cohort's aggregates as JSON")
    parser.epilog = (
        "a dataset is read, and shown in aggregates; no row of a patient is printed or written:\n"
        "  cytobench info sim_inflamed_mdd dataset.n=1000\n"
        "  cytobench info psoriasis_hads data=tables --output pages"
    )


def execute(options: argparse.Namespace) -> int:
    """Run the command.

    Raises
    ------
    UsageError
        ``E105`` where nothing is called so.
    """
    from cytobench.core.errors import UsageError, did_you_mean
    from cytobench.registry.declared import declared
    from cytobench.registry.discover import discover

    name = options.name
    models, datasets = discover("model"), {**discover("dataset"), **declared("dataset")}
    if set(name.split("+")) <= set(datasets):
        return _cohort(options)
    if name in models:
        return _model(models[name])
    if name in declared("model"):
        _declared(name, declared("model")[name])
        return 0
    known = [*models, *declared("model"), *datasets]
    raise UsageError("E105", f"nothing is called {name!r}", hint=did_you_mean(name, known))


def _cohort(options: argparse.Namespace) -> int:
    from cytobench.config import compose_jobs
    from cytobench.core.errors import DataError
    from cytobench.evaluate.cohort_facts import cohort_facts
    from cytobench.run.cells import load_cohort

    (config, *_) = compose_jobs([f"dataset={options.name}", *options.overrides])
    try:
        facts = cohort_facts(load_cohort(config["dataset"], config["data"]))
    except DataError as error:
        if error.code == "E310" and not options.json:  # the card says how to get the files
            _card_alone(config["dataset"])
        raise
    if options.json:
        import json

        console.say(json.dumps(facts, indent=1, ensure_ascii=False))
    else:
        _show(facts)
    if options.output:
        from cytobench.report.cohort_page import write_cohort_page

        page = write_cohort_page(facts, Path(options.output))
        if not options.json:
            console.say(f"wrote {page}")
    elif not options.json:
        console.say("its page, with figures: --output FOLDER", style="dim")
    return 0


def _card_alone(node: Mapping[str, Any]) -> None:
    """The card of a table whose files are not there."""
    from cytobench.data.table import CARD_KEYS

    console.say(f"dataset {node['name']}", style="bold")
    for key in CARD_KEYS:
        if node.get(key) and key != "name":
            console.say(f"  {key:<11} {node[key]}")


def _show(facts: Mapping[str, Any]) -> None:
    from cytobench.report.cohort_page import card_rows, tables

    console.say(f"dataset {facts['card']['name']}", style="bold")
    for key, text in card_rows(facts):
        console.say(f"  {key:<11} {text}")
    for table in tables(facts):
        columns, rows = _fitting(table.columns, table.rows)
        console.table(columns, rows[:MOST_SHOWN], title=table.title, right=("n",))
        if len(rows) > MOST_SHOWN:
            console.say(f"  and {len(rows) - MOST_SHOWN} more on the page", style="dim")
    for note in facts["notes"]:
        console.say(f"  {note}", style="dim")


def _fitting(
    columns: Sequence[str], rows: Sequence[Sequence[str]]
) -> tuple[list[str], list[list[str]]]:
    """Without the columns that are empty or 0 % in every row."""
    kept = [
        k for k in range(len(columns)) if k == 0 or any(row[k] not in ("", "0 %") for row in rows)
    ]
    return [columns[k] for k in kept], [[row[k] for k in kept] for row in rows]


def _model(plugin: Any) -> int:
    console.say(f"model {plugin.name}", style="bold")
    for field in fields(plugin.card) if plugin.card else ():
        value = getattr(plugin.card, field.name)
        if value not in ("", (), None) and field.name not in ("name", "space", "parameters"):
            text = ", ".join(value) if isinstance(value, tuple) else str(value)
            console.say(f"  {field.name:<10} {text}")
    space = plugin.card.space if plugin.card else {}
    for key, value in (plugin.parameters or {}).items():
        tuned = f", tuned over {space[key]}" if key in space else ""
        console.say(f"  {key} = {value!r}{tuned}")
    if plugin.problem:
        console.fail(f"  broken: {plugin.error}")
    return 1 if plugin.problem else 0


def _declared(name: str, about: Mapping[str, Any]) -> None:
    console.say(f"model {name}", style="bold")
    console.say(f"  summary    {about['summary']}")
    console.say(f"  origin     {about['origin']}")
