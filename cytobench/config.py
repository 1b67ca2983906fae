"""Compose configurations from ``conf/``, plugins and overrides; all that knows Hydra."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, cast

from hydra import compose, initialize_config_dir
from hydra._internal.sources_registry import SourcesRegistry
from hydra.core.config_search_path import ConfigSearchPath
from hydra.core.global_hydra import GlobalHydra
from hydra.core.object_type import ObjectType
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override
from hydra.core.plugins import Plugins
from hydra.errors import HydraException
from hydra.plugins.config_source import ConfigResult, ConfigSource
from hydra.plugins.search_path_plugin import SearchPathPlugin
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from cytobench import plugins as plugin_root
from cytobench.core.errors import PluginError, UsageError, did_you_mean
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
        text = file.read_text(encoding="utf-8")
        moved = text.replace("${dataset.", f"${{dataset.studies.{study}.")
        studies[study] = cast(Any, OmegaConf.to_container(OmegaConf.create(moved)))
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
        own = Path.cwd() / "conf"
        if own.is_dir() and own.resolve() != plugin_root.bundled("conf"):
            search_path.prepend("working directory", f"file://{own}")
        search_path.append("cytobench", "cytobench://")


def compose_jobs(overrides: Sequence[str]) -> list[dict[str, Any]]:
    """Resolve overrides, sweeps expanded, to one plain configuration per cell.

    Parameters
    ----------
    overrides : sequence of str
        Hydra's grammar: ``model=a,b``, ``seed=range(0,3)``, ``model=glob(*)``, ``tuning.trials=5``.

    Raises
    ------
    UsageError
        ``E101`` for an override that cannot be parsed, ``E102`` for one that names nothing.
    """
    with _hydra():
        parsed = _parse(overrides)
        swept = [_expand(item) for item in parsed]
        return [_compose(list(choice)) for choice in itertools.product(*swept)]


def load_suite(name: str) -> dict[str, Any]:
    """A suite's definition from ``conf/suite``.

    Raises
    ------
    UsageError
        ``E102`` where there is none of that name.
    """
    with _hydra():
        names = GlobalHydra.instance().config_loader().list_groups("suite")
        options = GlobalHydra.instance().config_loader().get_group_options("suite")
        if name not in options:
            raise UsageError(
                "E102",
                f"there is no suite called {name!r}",
                where=f"suite={name}",
                hint=did_you_mean(name, [*options, *names]),
            )
        suite = OmegaConf.to_container(compose(config_name=f"suite/{name}").suite, resolve=True)
    assert isinstance(suite, dict)
    return {str(key): value for key, value in suite.items()}


def to_yaml(config: Mapping[str, Any]) -> str:
    """A composed configuration as YAML."""
    return OmegaConf.to_yaml(OmegaConf.create(dict(config))).rstrip()


def keys_of(overrides: Sequence[str]) -> list[str]:
    """The keys that overrides assign: ``["model=a,b", "+x.y=1"]`` gives ``["model", "x.y"]``."""
    with _hydra():
        return [item.key_or_group for item in _parse(overrides)]


def _hydra() -> Any:
    plugins = Plugins.instance()
    plugins.register(PluginSearchPath)
    plugins.register(PluginConfigSource)
    SourcesRegistry.instance().register(PluginConfigSource)
    return initialize_config_dir(config_dir=str(plugin_root.bundled("conf")), version_base="1.3")


def _parse(overrides: Sequence[str]) -> list[Override]:
    parser = OverridesParser.create(config_loader=GlobalHydra.instance().config_loader())
    parsed = []
    for text in overrides:
        try:
            # Acknowledgements are keyed by codes that no configuration can list beforehand.
            free = text.startswith("audit.acknowledge.")
            parsed += parser.parse_overrides([f"+{text}" if free else text])
        except HydraException as error:
            raise UsageError(
                "E101",
                "is no override",
                where=text,
                hint="write key=value, for example model=elastic_net or tuning.trials=10",
            ) from error
    return parsed


def _expand(override: Override) -> list[str]:
    if not override.is_sweep_override():
        assert override.input_line is not None
        return [override.input_line]
    key = override.get_key_element()
    try:
        values = [f"{key}={value}" for value in override.sweep_string_iterator()]
    except HydraException as error:
        raise UsageError("E101", str(error), where=override.input_line or key) from error
    if not values:
        raise UsageError("E102", "matches nothing", where=override.input_line or key)
    return values


def _compose(overrides: list[str]) -> dict[str, Any]:
    try:
        config = compose(config_name="config", overrides=overrides)
        plain = OmegaConf.to_container(config, resolve=True)
    except PluginError:
        raise
    except (HydraException, OmegaConfBaseException) as error:
        raise _explain(error, overrides) from error
    except ValueError as error:
        # Hydra reads model=nan and task=3 as numbers, which name no node of a group.
        raise UsageError(
            "E101",
            f"a name is read as a value: {error}",
            where=" ".join(text for text in overrides if "." not in text.partition("=")[0]),
            hint="quote it: \"model='nan'\"",
        ) from error
    assert isinstance(plain, dict)
    composed = {str(key): value for key, value in plain.items()}
    _fix_assigned(composed, overrides)
    return composed


def _fix_assigned(config: dict[str, Any], overrides: Sequence[str]) -> None:
    """``model.C=3`` means 3: C leaves the search space unless its space is named too."""
    keys = [text.lstrip("+~").partition("=")[0] for text in overrides]
    space = config["model"].get("space") or {}
    for name in list(space):
        if f"model.{name}" in keys and not any(k.startswith(f"model.space.{name}") for k in keys):
            del space[name]


def _explain(error: Exception, overrides: Sequence[str]) -> UsageError:
    """Hydra's error with the override at fault in front."""
    cause = error.__cause__
    if isinstance(cause, (PluginError, UsageError)):
        return UsageError(cause.code, cause.message, where=cause.where, hint=cause.hint)
    text = str(error)
    for override in overrides:
        key, _, value = override.partition("=")
        group = key.lstrip("+~")
        missing_option = f"'{group}/{value}'" in text
        missing_key = f"'{group.rpartition('.')[2]}'" in text or f"'{group}'" in text
        if missing_option:
            loader = GlobalHydra.instance().config_loader()
            hint = did_you_mean(value, sorted(loader.get_group_options(group)))
            return UsageError(
                "E102", f"there is no {group} called {value!r}", where=override, hint=hint
            )
        if missing_key:
            return UsageError(
                "E102",
                text.splitlines()[0],
                where=override,
                hint=_keys_beside(group, [text for text in overrides if text != override]),
            )
    return UsageError("E102", text.splitlines()[0])


def _keys_beside(key: str, others: list[str]) -> str:
    """The keys of the node that a mistyped key was looked for in."""
    parent, _, last = key.rpartition(".")
    try:
        config = compose(config_name="config", overrides=others)
        node = OmegaConf.select(config, parent) if parent else config
    except (HydraException, OmegaConfBaseException):
        node = None  # another override is wrong as well; one at a time
    if isinstance(node, DictConfig):
        return did_you_mean(last, [str(name) for name in node])
    return "`cytobench run --cfg` prints every key"
