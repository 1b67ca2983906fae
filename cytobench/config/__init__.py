"""Compose configurations from ``conf/``, plugins and overrides; all that knows Hydra."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

from hydra import initialize_config_dir
from hydra._internal.sources_registry import SourcesRegistry
from hydra.core.global_hydra import GlobalHydra
from hydra.core.override_parser.types import Override
from hydra.core.plugins import Plugins
from hydra.errors import HydraException
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException
from yaml import YAMLError

from cytobench import plugins as plugin_root
from cytobench.config.bundled import BundledConfigSource
from cytobench.config.composer import Composer
from cytobench.config.nodes import GROUPS, PluginConfigSource, PluginSearchPath, plugin_node
from cytobench.config.own import OwnConfigSource, checked_text
from cytobench.core.errors import PluginError, UsageError, did_you_mean
from cytobench.registry.discover import Kind, discover

MOST_JOBS = 10_000
"""Of one command line; nobody waits for more."""
DESCRIBED: dict[Kind, tuple[str, str]] = {
    "model": ("_target_", "such as `_target_: sklearn.linear_model.LogisticRegression`"),
    "dataset": ("source", "`cytobench new dataset NAME --table FILE` drafts one"),
}
"""The key by which a file describes what no plugin declares, and how one is begun."""

__all__ = [
    "compose_jobs",
    "composing",
    "keys_of",
    "load_suite",
    "plugin_node",
    "to_yaml",
    "unreadable",
]

_open: list[Composer] = []
"""The composer of the block that is being carried out."""


@contextmanager
def composing() -> Iterator[Composer]:
    """Share what is read, parsed and composed among all that is asked for in a block.

    Files that change meanwhile are those that were there first.
    """
    if _open:
        yield _open[0]
        return
    plugins = Plugins.instance()
    plugins.register(PluginSearchPath)
    for source in (BundledConfigSource, PluginConfigSource, OwnConfigSource):
        plugins.register(source)
        SourcesRegistry.instance().register(source)
    conf = str(plugin_root.bundled("conf"))
    with initialize_config_dir(config_dir=conf, version_base="1.3"):
        _open.append(Composer())
        try:
            yield _open[0]
        finally:
            _open.clear()


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
    with composing() as composer:
        parsed = _parse(overrides, composer)
        swept = [_expand(item) for item in parsed]
        jobs = math.prod(map(len, swept))
        if jobs > MOST_JOBS:
            raise _too_many(jobs, " ".join(overrides))
        return [_compose(list(choice), composer) for choice in itertools.product(*swept)]


def load_suite(name: str) -> dict[str, Any]:
    """A suite's definition from ``conf/suite``.

    Raises
    ------
    UsageError
        ``E102`` where there is none of that name, ``E117`` and ``E119`` where it says nothing.
    """
    with composing() as composer:
        names = GlobalHydra.instance().config_loader().list_groups("suite")
        options = GlobalHydra.instance().config_loader().get_group_options("suite")
        if name not in options:
            raise UsageError(
                "E102",
                f"there is no suite called {name!r}",
                where=f"suite={name}",
                hint=did_you_mean(name, [*options, *names]),
            )
        try:
            composed = composer.compose([], f"suite/{name}")
            suite = OmegaConf.to_container(composed.suite, resolve=True)
        except (HydraException, OmegaConfBaseException, OSError, ValueError) as error:
            said = str(error).splitlines()[0]
            raise UsageError(
                "E119", f"cannot be composed: {said}", where=f"suite={name}"
            ) from error
    if not isinstance(suite, dict):
        raise UsageError("E119", "expected `key: value` pairs", where=f"suite={name}")
    return {str(key): value for key, value in suite.items()}


def to_yaml(config: Mapping[str, Any]) -> str:
    """A composed configuration as YAML."""
    return OmegaConf.to_yaml(OmegaConf.create(dict(config))).rstrip()


def unreadable(path: Path) -> str:
    """Why a configuration file cannot be read, in one line; empty where it can."""
    try:
        OmegaConf.create(checked_text(path))
    except UsageError as error:
        line = error.where.removeprefix(str(path)).removeprefix(", ")
        return f"{line}: {error.message}" if line else error.message
    except (YAMLError, OmegaConfBaseException, ValueError) as error:
        return " ".join(str(error).split())
    return ""


def keys_of(overrides: Sequence[str]) -> list[str]:
    """The keys that overrides assign: ``["model=a,b", "+x.y=1"]`` gives ``["model", "x.y"]``."""
    with composing() as composer:
        return [item.key_or_group for item in _parse(overrides, composer)]


def _parse(overrides: Sequence[str], composer: Composer) -> list[Override]:
    parsed = []
    for text in overrides:
        try:
            # Acknowledgements are keyed by codes that no configuration can list beforehand.
            free = text.startswith("audit.acknowledge.")
            found = composer.parse(f"+{text}" if free else text)
            if not found.key_or_group:
                raise HydraException("names no key before its @")
            parsed.append(found)
        except HydraException as error:
            raise UsageError(
                "E101", "is no override", where=text, hint=_how_to_write(text, composer)
            ) from error
    return parsed


def _how_to_write(text: str, composer: Composer) -> str:
    """What the commonest slips lack: a key, what stood behind a space, the end of a list."""
    key, assigned, value = text.partition("=")
    for kind in GROUPS:
        if text in composer.loader.get_group_options(kind):
            return f"write {kind}={text}"
    if assigned and value.strip().strip(",") != value.strip():
        return f"no comma at an end, and no space behind one: {key}=a,b"
    if assigned and key:
        return "close brackets and quotation marks; in a shell, quote the whole: 'key=[1,2]'"
    return (
        "write key=value, without spaces: for example model=elastic_net,ridge or tuning.trials=10"
    )


def _expand(override: Override) -> list[str]:
    if not override.is_sweep_override():
        assert override.input_line is not None
        return [override.input_line]
    key = override.get_key_element()
    try:
        found = itertools.islice(override.sweep_string_iterator(), MOST_JOBS + 1)
        values = [f"{key}={value}" for value in found]
    except (HydraException, ArithmeticError, ValueError, TypeError) as error:
        raise UsageError("E101", str(error), where=override.input_line or key) from error
    if len(values) > MOST_JOBS:
        raise _too_many(len(values), override.input_line or key)
    if not values:
        raise UsageError("E102", "matches nothing", where=override.input_line or key)
    return values


def _too_many(jobs: int, where: str) -> UsageError:
    return UsageError(
        "E101",
        f"asks for {jobs} jobs or more, at most {MOST_JOBS}",
        where=where,
        hint="a sweep runs every combination of its values",
    )


def _compose(overrides: list[str], composer: Composer) -> dict[str, Any]:
    try:
        plain = OmegaConf.to_container(composer.compose(overrides), resolve=True)
    except (PluginError, UsageError):
        raise
    except (HydraException, OmegaConfBaseException) as error:
        raise _explain(error, overrides) from error
    except OSError as error:
        raise UsageError(
            "E101",
            f"a name is read as a file's: {error.strerror}",
            where=" ".join(overrides),
            hint="cytobench list models, datasets, tasks, protocols ...",
        ) from error
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
    for kind in GROUPS:
        if isinstance(composed[kind], dict) and "name" not in composed[kind]:
            composed[kind]["name"] = _chosen(kind, overrides, composer)
            _says_something(kind, composed[kind])
    _fix_assigned(composed, overrides)
    return composed


def _chosen(kind: Kind, overrides: Sequence[str], composer: Composer) -> str:
    """The file that a node without a name was read from: what it is called by is its name."""
    named = [item.value() for item in map(composer.parse, overrides) if item.key_or_group == kind]
    return next((name for name in reversed(named) if isinstance(name, str)), "")


def _says_something(kind: Kind, node: Mapping[str, Any]) -> None:
    """Refuse a file that names no plugin and describes nothing, such as an empty one.

    Raises
    ------
    UsageError
        ``E117``.
    """
    key, start = DESCRIBED[kind]
    if key not in node and "studies" not in node and node["name"] not in discover(kind):
        raise UsageError(
            "E117",
            f"expected `{key}:`, or `name:` of a {kind} plugin",
            where=f"{kind}={node['name']}",
            hint=start,
        )


def _fix_assigned(config: dict[str, Any], overrides: Sequence[str]) -> None:
    """``model.C=3`` means 3: C leaves the search space unless its space is named too."""
    keys = [text.lstrip("+~").partition("=")[0] for text in overrides]
    space = config["model"].get("space") or {}
    for name in list(space) if isinstance(space, dict) else []:
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
            config = _without(override, overrides)
            return _broken(group, config) or UsageError(
                "E102", text.splitlines()[0], where=override, hint=_keys_beside(group, config)
            )
    return UsageError("E102", text.splitlines()[0])


def _without(override: str, overrides: Sequence[str]) -> DictConfig | None:
    """What the other overrides compose to; None where another is wrong as well: one at a time."""
    try:
        return Composer().compose([text for text in overrides if text != override])
    except (HydraException, OmegaConfBaseException):
        return None


def _broken(key: str, config: DictConfig | None) -> UsageError | None:
    """What is wrong with the plugin that a key is of: a broken one has no parameters."""
    kind = key.partition(".")[0]
    if kind not in ("model", "dataset") or config is None:
        return None
    plugin = discover(cast(Kind, kind)).get(str(OmegaConf.select(config, f"{kind}.name")))
    if plugin is None or not plugin.problem:
        return None
    return UsageError(plugin.code, plugin.problem, where=plugin.origin, hint=plugin.hint)


def _keys_beside(key: str, config: DictConfig | None) -> str:
    """The keys of the node that a mistyped key was looked for in."""
    parent, _, last = key.rpartition(".")
    try:
        node = OmegaConf.select(config, parent) if config is not None and parent else config
    except OmegaConfBaseException:
        node = None
    if isinstance(node, DictConfig):
        return did_you_mean(last, [str(name) for name in node])
    return "`cytobench run --cfg` prints every key"
