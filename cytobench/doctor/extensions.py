"""Plugins and configuration files of this folder that cannot be used."""

from __future__ import annotations

from collections.abc import Iterator

from cytobench.core.errors import UsageError
from cytobench.doctor.register import Situation, Symptom, check
from cytobench.registry.declared import conf_folders
from cytobench.registry.discover import Plugin, discover


@check(
    "D401", "a plugin that cannot be used", "breaks",
    "Its own cells are refused; everything else runs.",
)  # fmt: skip
def broken_plugin(situation: Situation) -> Iterator[Symptom]:
    """Read every plugin file without importing it."""
    del situation
    for plugin in _plugins():
        if plugin.problem and not plugin.namesakes:
            yield Symptom(
                f"the {plugin.kind} {plugin.name}: {plugin.problem}",
                plugin.origin,
                f"cytobench check {plugin.name}",
            )


@check(
    "D402", "two plugins of one name", "breaks",
    "Nobody can say which of them is meant: neither is used.",
)  # fmt: skip
def namesakes(situation: Situation) -> Iterator[Symptom]:
    """Compare the names of all folders and packages."""
    del situation
    for plugin in _plugins():
        if plugin.namesakes:
            yield Symptom(plugin.problem, plugin.origin, "rename or delete one of them")


@check(
    "D403", "a configuration that cannot be composed", "breaks",
    "cytobench run without any override ends with this error.",
)  # fmt: skip
def no_composition(situation: Situation) -> Iterator[Symptom]:
    """Say why composing failed."""
    if situation.problem:
        yield Symptom(situation.problem.splitlines()[0], "conf", "cytobench run --cfg")


@check(
    "D404", "a configuration file that is no YAML", "breaks",
    "Whatever names it ends with an error.",
)  # fmt: skip
def broken_yaml(situation: Situation) -> Iterator[Symptom]:
    """Read every file of the configuration folders."""
    del situation
    from cytobench.config import read_node

    for folder in conf_folders():
        for path in sorted(folder.rglob("*.yaml")):
            try:
                read_node(path)
            except UsageError as error:
                yield Symptom(error.message, error.where, error.hint)


def _plugins() -> list[Plugin]:
    return [*discover("model").values(), *discover("dataset").values()]
