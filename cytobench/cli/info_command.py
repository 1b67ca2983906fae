"""``cytobench info NAME``: the card of a model or a dataset."""

from __future__ import annotations

import argparse
from dataclasses import fields

from cytobench import console


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command's arguments."""
    parser.add_argument("name", help="a model or a dataset")


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
    models, datasets = discover("model"), discover("dataset")
    for plugin in (models.get(name), datasets.get(name)):
        if plugin is None:
            continue
        console.say(f"{plugin.kind} {name}", style="bold")
        for field in fields(plugin.card) if plugin.card else ():
            value = getattr(plugin.card, field.name)
            if value not in ("", (), None) and field.name not in ("name", "space", "parameters"):
                text = ", ".join(value) if isinstance(value, tuple) else str(value)
                console.say(f"  {field.name:<10} {text}")
        _parameters(plugin)
        if plugin.problem:
            console.fail(f"  broken: {plugin.problem}")
        return 1 if plugin.problem else 0
    tables = declared("dataset")
    if name in tables:
        console.say(f"dataset {name}", style="bold")
        console.say(f"  summary    {tables[name]['summary']}")
        console.say(f"  origin     {tables[name]['origin']}")
        return 0
    known = [*models, *datasets, *tables]
    raise UsageError("E105", f"nothing is called {name!r}", hint=did_you_mean(name, known))


def _parameters(plugin: object) -> None:
    from cytobench.core.cards import ModelCard

    card = getattr(plugin, "card", None)
    space = card.space if isinstance(card, ModelCard) else {}
    for key, value in (getattr(plugin, "parameters", None) or {}).items():
        tuned = f", tuned over {space[key]}" if key in space else ""
        console.say(f"  {key} = {value!r}{tuned}")
