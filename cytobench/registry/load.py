"""Import the chosen plugin, call it, and say in plain words what is wrong where that fails."""

from __future__ import annotations

import importlib
import importlib.util
import inspect
import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

from cytobench.core.cards import BINARY_TASKS, DatasetCard, ModelCard
from cytobench.core.declare import DECLARATION
from cytobench.core.errors import CytobenchError, NotApplicable, PluginError
from cytobench.core.hashing import digest, file_digest
from cytobench.core.space import Dimension, from_config
from cytobench.registry.discover import Plugin, find
from cytobench.registry.extras import install_hint

TaskKind = Literal["classification", "regression"]
Contract = Literal["outcome", "effect", "rule"]
CORE = Path(__file__).parents[1] / "core"
"""Decorators and spaces refuse what a plugin declares: the fault is where they are called."""
CHOOSES = ("recommend", "predict_effect")
"""Methods by which a model answers ``benefit`` without predicting outcomes: a rule, an effect."""


@dataclass(frozen=True)
class LoadedModel:
    """A model that is ready to build estimators.

    Attributes
    ----------
    card : ModelCard
    plugin : Plugin
        Imported where an estimator is first asked for: finished cells need none.
    parameters : mapping
        Values that hold unless a trial says otherwise.
    space : mapping
        What is tuned.
    source : str
        Sha256 of the plugin's file and of those of its parts, part of every result's key.
    extras : tuple of str
        Optional packages that it and its parts need.
    """

    card: ModelCard
    plugin: Plugin
    parameters: Mapping[str, Any]
    space: Mapping[str, Dimension]
    source: str
    extras: tuple[str, ...] = ()
    declared: bool = True

    @cached_property
    def factory(self) -> Callable[..., Any]:
        """What builds estimators.

        Raises
        ------
        PluginError
            As :func:`import_plugin`.
        """
        return import_plugin(self.plugin, declared=self.declared)

    def build(
        self,
        params: Mapping[str, Any],
        *,
        random_state: int | None,
        kind: TaskKind,
        device: str = "auto",
        units: Mapping[str, str] | None = None,
        arm: str | None = None,
        arms: Sequence[str] = (),
    ) -> Any:
        """A fresh estimator with these parameters over the defaults.

        Parameters
        ----------
        kind : {"classification", "regression"}
            Of the outcome.
        arms : sequence of str
            Treatments to choose between: a model of the effect, or a rule, will then do.

        Raises
        ------
        PluginError
            ``E203`` where the factory raises, ``E204`` where its answer is no estimator,
            ``E220`` where a package is missing.
        """
        injected = {
            "random_state": random_state,
            "kind": kind,
            "device": device,
            "units": dict(units or {}),
            "arm": arm,
            "arms": tuple(arms),
        }
        arguments = {key: value for key, value in injected.items() if key in self._accepted}
        estimator = call(
            self.factory,
            {**self.parameters, **params, **arguments},
            self.card.name,
            self.card.extra,
        )
        usual = "predict_proba" if kind == "classification" else "predict"
        asked = (*CHOOSES, usual) if arms else (usual,)
        missing = next(
            (one for one in (("fit",), asked) if not any(_has(estimator, name) for name in one)), ()
        )
        if missing:
            raise PluginError(
                "E204",
                f"returned {type(estimator).__name__}, which has no method "
                f"{' or '.join(f'{name}()' for name in missing)}",
                where=f"model {self.card.name!r} ({self.card.origin})",
                hint=f"a {kind} model needs fit and {usual}, as in scikit-learn"
                + (f"; one that chooses treatments {' or '.join(CHOOSES)}" if arms else ""),
            )
        return estimator

    @property
    def looks_at_units(self) -> bool:
        """Whether it is told of the cohort's units, and may say that it needs others."""
        if self.plugin.card is not None:  # known without importing it
            return "units" in self.plugin.injected
        return self.declared and "units" in self._accepted

    @cached_property
    def _accepted(self) -> frozenset[str]:
        return frozenset(inspect.signature(self.factory).parameters)

    @cached_property
    def solver(self) -> Callable[..., Any] | None:
        """What fits many problems of this model together; None where it declares nothing.

        Raises
        ------
        PluginError
            ``E203`` or ``E220`` where its module cannot be imported, ``E206`` where it has no such
            function.
        """
        if self.card.solver is None:
            return None
        module, attribute = _solver_place(self.card.solver, self.plugin.module)
        place = f"solver: {self.card.solver} of {self.card.origin}"
        plugin = Plugin("model", self.card.name, module, attribute, place)
        return import_plugin(plugin, declared=False)


def contract_of(estimator: Any) -> Contract:
    """What a model says of a patient: an outcome, the effect of each arm, or an arm."""
    if _has(estimator, "recommend"):
        return "rule"
    return "effect" if _has(estimator, "predict_effect") else "outcome"


def _has(estimator: Any, method: str) -> bool:
    return callable(getattr(estimator, method, None))


def load_model(config: Mapping[str, Any]) -> LoadedModel:
    """The model that a composed ``model`` node describes.

    Parameters
    ----------
    config : mapping
        ``name``, parameters, ``space``; or ``_target_`` for anything importable.
    """
    fields = {str(key): value for key, value in config.items()}
    name = str(fields.pop("name", ""))
    space = fields.pop("space", None) or {}
    if not isinstance(space, Mapping):
        raise PluginError(
            "E211", f"expected parameter: dimension, not {space!r}", where="model.space"
        )
    space = from_config({str(key): item for key, item in space.items() if item is not None})
    target = fields.pop("_target_", None)
    if target is not None:
        return _load_target(str(target), name, fields, space)
    plugin = find("model", name)
    # A drop-in's card is read without an import, that of an installed package is not.
    card = plugin.card or getattr(import_plugin(plugin), DECLARATION)
    assert isinstance(card, ModelCard)
    known = set(card.parameters)
    unknown = [key for key in (*fields, *space) if key not in known]
    if unknown:
        raise PluginError(
            "E205",
            f"model {name!r} has no parameter {unknown[0]!r}",
            where=plugin.origin,
            hint=f"it has: {', '.join(sorted(known)) or 'none'}",
        )
    card = replace(card, origin=plugin.origin)
    source = _with_solver(source_of(plugin), card, plugin.module)
    loaded = LoadedModel(card, plugin, fields, space, source, _extras(card))
    return loaded if card.composed is None else _with_parts(loaded)


def estimator(
    name: str,
    *,
    kind: TaskKind = "classification",
    random_state: int | None = None,
    device: str = "auto",
    units: Mapping[str, str] | None = None,
    arm: str | None = None,
    **parameters: Any,
) -> Any:
    """An estimator of another model plugin: its defaults with these parameters over them.

    A plugin that calls it declares ``composed=`` with the parameter that holds the names, so that
    a change of a part's source changes the results' key.

    Raises
    ------
    PluginError
        As :func:`load_model` and :meth:`LoadedModel.build`.
    NotApplicable
        ``E225`` where a number is asked of a model that tells classes apart.
    """
    loaded = load_model({"name": name, **parameters})
    if kind == "regression" and "percent_change" not in loaded.card.tasks:
        # A classifier has a predict() too, and would answer with labels.
        raise NotApplicable(
            "E225",
            f"{name} predicts no number, which is asked of it here",
            hint="name another one, such as ridge or random_forest",
        )
    return loaded.build(
        {}, random_state=random_state, kind=kind, device=device, units=units, arm=arm
    )


def _with_parts(loaded: LoadedModel) -> LoadedModel:
    """The same, with the sources and extras of the models that it is composed of.

    The parameter holds one name where its default is one, else several.

    Raises
    ------
    PluginError
        ``E224`` where a part is itself composed, or looks at other columns than its whole.
    """
    card = loaded.card
    assert card.composed is not None
    usual = card.parameters[card.composed]
    names = loaded.parameters.get(card.composed, usual)
    where = f"model {card.name!r} ({card.origin})"
    one = isinstance(usual, str)
    if one and isinstance(names, str):
        names = [names]
    if isinstance(names, str) or not all(isinstance(name, str) for name in names) or not names:
        raise PluginError(
            "E224",
            f"{card.composed} is {names!r}, expected {'a name' if one else 'names'}",
            where=where,
        )
    parts = [load_model({"name": name}) for name in names if name != card.name]
    for part in parts:
        if part.card.raw or part.card.composed or part.card.inputs != card.inputs:
            raise PluginError(
                "E224",
                f"{part.card.name} cannot be a part: it is composed itself, or looks at other "
                "columns",
                where=where,
                hint=f"name other models: model.{card.composed}="
                + ("random_forest" if one else "[elastic_net,random_forest]"),
            )
    if len(parts) < len(names):
        raise PluginError("E224", "names itself as a part", where=where)
    extras = tuple(dict.fromkeys([*loaded.extras, *(e for part in parts for e in part.extras)]))
    source = digest([loaded.source, *(part.source for part in parts)])
    return replace(loaded, source=source, extras=extras)


def _extras(card: ModelCard) -> tuple[str, ...]:
    return () if card.extra is None else (card.extra,)


def _load_target(
    target: str, name: str, fields: dict[str, Any], space: dict[str, Dimension]
) -> LoadedModel:
    about = {key: fields.pop(f"_{key}_", None) for key in ("tasks", "summary", "citation")}
    module, _, attribute = target.rpartition(".")
    plugin = Plugin("model", name or attribute, module, attribute, f"_target_: {target}")
    import_plugin(plugin, declared=False)  # what is not there is said first
    card = ModelCard(
        name=plugin.name,
        summary=about["summary"] or target,
        tasks=tuple(about["tasks"] or BINARY_TASKS),
        citation=about["citation"] or "",
        space=space,
        parameters=fields,
        origin=plugin.origin,
    )
    return LoadedModel(card, plugin, fields, space, source_of(plugin), declared=False)


def call(
    function: Callable[..., Any], arguments: Mapping[str, Any], name: str, extra: str | None = None
) -> Any:
    """Call plugin code; what it raises becomes a :class:`PluginError` with file and line."""
    try:
        return function(**arguments)
    except CytobenchError:
        raise
    except ModuleNotFoundError as error:
        raise _missing_package(error, name, extra) from error
    except Exception as error:
        raise PluginError(
            "E203", f"{type(error).__name__}: {error}", where=f"plugin {name!r} ({place(error)})"
        ) from error


def import_plugin(plugin: Plugin, *, declared: bool = True) -> Callable[..., Any]:
    """Import a plugin's function or class.

    Raises
    ------
    PluginError
        ``E203`` where the import raises, ``E206`` where the attribute is missing or undeclared,
        those of :func:`cytobench.core.declare.model` where the declaration is at fault.
    """
    where = f"{plugin.kind} {plugin.name!r} ({plugin.origin})"
    try:
        module = importlib.import_module(plugin.module)
    except ModuleNotFoundError as error:
        raise _missing_package(error, plugin.name, None) from error
    except PluginError as error:
        raise PluginError(
            error.code,
            error.message,
            where=f"{plugin.kind} {plugin.name!r} ({place(error)})",
            hint=error.hint,
        ) from error
    except Exception as error:
        raise PluginError(
            "E203",
            f"cannot be imported: {type(error).__name__}: {error}",
            where=f"{plugin.kind} {plugin.name!r} ({place(error)})",
        ) from error
    factory = getattr(module, plugin.attribute, None)
    if not callable(factory):
        raise PluginError("E206", f"{plugin.module} has no {plugin.attribute!r}", where=where)
    card_type = ModelCard if plugin.kind == "model" else DatasetCard
    if declared and not isinstance(getattr(factory, DECLARATION, None), card_type):
        raise PluginError("E206", f"is not decorated with @{plugin.kind}(...)", where=where)
    return factory  # type: ignore[no-any-return]


def source_of(plugin: Plugin) -> str:
    """Sha256 of the file that a plugin is defined in."""
    spec = importlib.util.find_spec(plugin.module)
    if spec is None or spec.origin is None or not Path(spec.origin).is_file():
        return ""
    return file_digest(Path(spec.origin))


def _solver_place(solver: str, own: str) -> tuple[str, str]:
    module, _, attribute = solver.partition(":")
    return module or own, attribute


def _with_solver(source: str, card: ModelCard, own: str) -> str:
    """The source's hash, with that of the solver's file where it is neither the plugin's nor ours.

    The framework's own solvers are part of its revision.
    """
    if card.solver is None:
        return source
    module, _ = _solver_place(card.solver, own)
    ours = module.startswith("cytobench.") and not module.startswith("cytobench.plugins.")
    if module == own or ours:
        return source
    try:
        return digest([source, source_of(Plugin("model", card.name, module, "", card.origin))])
    except ModuleNotFoundError as error:
        raise _missing_package(error, card.name, card.extra) from error


def place(error: BaseException) -> str:
    """``file:line`` of the innermost frame that is not cytobench's own."""
    if isinstance(error, SyntaxError) and error.filename:
        return f"{error.filename}:{error.lineno}"
    frames = traceback.extract_tb(error.__traceback__)
    outside = [
        frame
        for frame in frames
        if "importlib" not in frame.filename and Path(frame.filename).parent != CORE
    ]
    plugin = [frame for frame in outside if "plugins" in Path(frame.filename).parts]
    chosen = (plugin or outside or frames)[-1:]
    return f"{chosen[0].filename}:{chosen[0].lineno}" if chosen else "unknown place"


def _missing_package(error: ModuleNotFoundError, name: str, extra: str | None) -> PluginError:
    package = (error.name or "").partition(".")[0]
    return PluginError(
        "E220",
        f"needs the package {package!r}, which is not installed",
        where=f"plugin {name!r} ({place(error)})",
        hint=install_hint(extra or package),
    )
