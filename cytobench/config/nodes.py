"""Discovered plugins as nodes of the configuration, and where Hydra looks for all others."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

from hydra.core.config_search_path import ConfigSearchPath
from hydra.core.object_type import ObjectType
from hydra.plugins.config_source import ConfigResult, ConfigSource
from hydra.plugins.search_path_plugin import SearchPathPlugin
from omegaconf import OmegaConf

from cytobench import plugins as plugin_root
from cytobench.config.bundled import BundledConfigSource
from cytobench.config.own import OwnConfigSource, read_node
from cytobench.core.errors import UsageError, did_you_mean
from cytobench.core.space import to_config
from cytobench.registry.discover import Kind, Plugin, discover

GROUPS: tuple[Kind, ...] = ("model", "dataset")
POOL = "+"
"""Between the names of studies that are pooled into one dataset."""


class PluginConfigSource(ConfigSource):
    """Every discovered plugin as a config node: its defaults and its search space."""

    @staticmethod
    def scheme() -> str:
        """Search-path prefix."""
        return "cytobench"

    def available(self) -> bool:
        """There is always something to look for."""
        return True

    def is_group(self, config_path: str) -> bool:
        """``model`` and ``dataset`` are groups."""
        return config_path.strip("/") in ("", *GROUPS)

    def is_config(self, config_path: str) -> bool:
        """A name is a config where a plugin of that name was found."""
        group, _, name = config_path.removesuffix(".yaml").partition("/")
        return group in GROUPS and (name in discover(group) or _is_pool(group, name))

    def list(self, config_path: str, results_filter: ObjectType | None) -> list[str]:
        """Names in a group."""
        path = config_path.strip("/")
        if path in GROUPS:
            return [] if results_filter is ObjectType.GROUP else list(discover(path))
        return [] if path or results_filter is ObjectType.CONFIG else list(GROUPS)

    def load_config(self, config_path: str) -> ConfigResult:
        """The node of one plugin."""
        group, _, name = config_path.removesuffix(".yaml").partition("/")
        node = pool_node(name) if _is_pool(group, name) else _node(cast(Kind, group), name)
        return ConfigResult(
            provider="cytobench",
            path=f"cytobench://{config_path}",
            config=OmegaConf.create(node),
            header={"package": None},
        )


def _is_pool(group: str, name: str) -> bool:
    """Whether a name means several studies: ``dataset=gendep+comed``."""
    return group == "dataset" and POOL in name


def pool_node(name: str) -> dict[str, Any]:
    """Several studies as one dataset: each with its own node, to be overridden there.

    Raises
    ------
    UsageError
        ``E102`` for a study that is not known.
    """
    known = {**dict.fromkeys(discover("dataset"), None), **_dataset_files()}
    studies: dict[str, Any] = {}
    for study in name.split(POOL):
        if study not in known:
            raise UsageError(
                "E102",
                f"there is no dataset called {study!r}",
                where=f"dataset={name}",
                hint=did_you_mean(study, sorted(known)),
            )
        file = known[study]
        if file is None:
            studies[study] = _node("dataset", study)
            continue
        # A dataset's own interpolations start at the root. They move with it, and stay open: an
        # override of the name that they refer to would otherwise be without effect.
        below = f"${{dataset.studies.{study}."
        studies[study] = {"name": study, **(read_node(file, "${dataset.", below) or {})}
    return {"name": name, "studies": studies}


def _dataset_files() -> dict[str, Path]:
    """Datasets that are YAML files, those of the working directory in front."""
    folders = (plugin_root.bundled("conf"), Path.cwd() / "conf")
    return {path.stem: path for folder in folders for path in folder.glob("dataset/*.yaml")}


def _node(group: Kind, name: str) -> dict[str, Any]:
    plugin = discover(group)[name]
    # A broken plugin fails when its own cell is loaded, and costs that cell only.
    return {"name": name} if plugin.problem else plugin_node(plugin)


def plugin_node(plugin: Plugin) -> dict[str, Any]:
    """A plugin's configuration: name, parameters, and for a model the space."""
    card: Any = plugin.card
    parameters = plugin.parameters
    if card is None or parameters is None:
        card, parameters = _import_card(plugin)
    node = {"name": plugin.name, **parameters}
    if plugin.kind == "model":
        node["space"] = to_config(card.space)
    return node


def _import_card(plugin: Plugin) -> tuple[Any, Mapping[str, Any]]:
    """Card and defaults of an entry point; only the chosen one is ever imported."""
    import inspect

    from cytobench.core.declare import DECLARATION, INJECTED
    from cytobench.registry.load import import_plugin

    factory = import_plugin(plugin)
    signature = inspect.signature(factory).parameters
    defaults = {key: item.default for key, item in signature.items() if key not in INJECTED}
    return getattr(factory, DECLARATION), defaults


class PluginSearchPath(SearchPathPlugin):
    """Search order: ``./conf``, the bundled ``conf``, then the plugins."""

    def manipulate_search_path(self, search_path: ConfigSearchPath) -> None:
        """Add the working directory's ``conf`` in front and the plugins behind."""
        bundled, own = plugin_root.bundled("conf"), Path.cwd() / "conf"
        search_path.prepend("bundled", f"{BundledConfigSource.scheme()}://{bundled}")
        if own.is_dir() and own.resolve() != bundled:
            search_path.prepend("working directory", f"{OwnConfigSource.scheme()}://{own}")
        search_path.append("cytobench", "cytobench://")
