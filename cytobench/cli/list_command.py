"""``cytobench list``: what there is, without importing any of it."""

from __future__ import annotations

import argparse

from cytobench import console

KINDS = ("models", "datasets", "tasks", "protocols", "tuning", "preprocess", "engines", "suites")
GROUPS = {
    "tasks": "task",
    "protocols": "protocol",
    "tuning": "tuning",
    "preprocess": "preprocess",
    "engines": "engine",
    "suites": "suite",
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command's arguments."""
    parser.add_argument("kind", choices=KINDS, help="what to list")


def execute(options: argparse.Namespace) -> int:
    """Run the command; 1 where a plugin is broken, so that CI can call it."""
    from cytobench.registry.declared import declared

    if options.kind in GROUPS:
        found = declared(GROUPS[options.kind])
        rows = [[name, item["summary"]] for name, item in found.items()]
        console.table([options.kind, "summary"], rows)
        return 0
    return _list_models() if options.kind == "models" else _list_datasets()


def _list_models() -> int:
    from cytobench.core.cards import ModelCard
    from cytobench.registry.declared import declared
    from cytobench.registry.discover import discover
    from cytobench.registry.extras import absent, install_hint

    rows, broken = [], []
    for plugin in discover("model").values():
        if plugin.problem:
            broken.append(plugin)
            continue
        card = plugin.card
        if not isinstance(card, ModelCard):
            rows.append([plugin.name, "?", "", "", plugin.origin])
            continue
        lacking = card.extra is not None and absent(card.extra)
        state = f"needs {install_hint(str(card.extra))}" if lacking else "ready"
        rows.append([card.name, ", ".join(card.tasks), card.role, state, card.summary])
    known = {row[0] for row in rows}
    for name, item in declared("model").items():
        if name not in known:
            rows.append([name, "", "model", "ready", item["summary"]])
    console.table(["model", "tasks", "role", "state", "summary"], rows)
    for plugin in broken:
        console.fail(f"broken: {plugin.name}: {plugin.error}")
    return 1 if broken else 0


def _list_datasets() -> int:
    from cytobench.core.cards import DatasetCard
    from cytobench.registry.declared import declared
    from cytobench.registry.discover import discover

    rows, broken = [], []
    for plugin in discover("dataset").values():
        if plugin.problem:
            broken.append(plugin)
        elif isinstance(plugin.card, DatasetCard):
            rows.append([plugin.name, plugin.card.kind, plugin.card.summary])
        else:
            rows.append([plugin.name, "?", plugin.origin])
    rows += [[name, "table", item["summary"]] for name, item in declared("dataset").items()]
    console.table(["dataset", "kind", "summary"], rows)
    for plugin in broken:
        console.fail(f"broken: {plugin.name}: {plugin.error}")
    return 1 if broken else 0
