"""Find plugins without importing any: syntax trees of files, metadata of installed packages."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any, Literal

from cytobench import plugins as plugin_root
from cytobench.core.cards import BINARY_TASKS, INPUTS, DatasetCard, ModelCard
from cytobench.core.declare import INJECTED, first_line, model_card, no_default, reasons
from cytobench.core.errors import PluginError, did_you_mean
from cytobench.core.space import Choice, Float, Int

Kind = Literal["model", "dataset"]
NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*\Z")


@dataclass(frozen=True)
class Plugin:
    """One plugin as found, not yet imported.

    Attributes
    ----------
    module, attribute : str
        Where the decorated object is imported from.
    origin : str
        ``file:line``, or the distribution of an entry point.
    card : ModelCard or DatasetCard or None
        None for an entry point, whose card needs an import, and for a broken plugin.
    parameters : mapping or None
        Defaults of the signature; None where unknown without an import.
    problem : str
        Why the plugin cannot be used; empty where nothing is wrong.
    code, hint : str
        Of the problem: ``E202`` where the file cannot be read or the name is taken, that of
        :mod:`cytobench.core.declare` where the declaration is at fault.
    namesakes : tuple of str
        Origins of others that have its name.
    injected : frozenset of str
        Arguments that the framework fills in; empty where unknown without an import.
    """

    kind: Kind
    name: str
    module: str
    attribute: str
    origin: str
    card: ModelCard | DatasetCard | None = None
    parameters: Mapping[str, Any] | None = None
    problem: str = ""
    code: str = "E202"
    hint: str = ""
    namesakes: tuple[str, ...] = ()
    injected: frozenset[str] = frozenset()

    @property
    def error(self) -> PluginError:
        """Its problem, with the place."""
        return PluginError(self.code, self.problem, where=self.origin, hint=self.hint)


def discover(kind: Kind) -> dict[str, Plugin]:
    """All plugins of a kind by name, broken ones included.

    Two plugins of one name become one entry whose problem names both origins.
    """
    found: dict[str, Plugin] = {}
    for plugin in (*_drop_ins(kind), *_entry_points(kind)):
        other = found.get(plugin.name)
        if other is not None:
            problem = f"two {kind}s are called {plugin.name!r}: {other.origin} and {plugin.origin}"
            others = (*other.namesakes, plugin.origin)
            plugin = replace(
                other, problem=problem, code="E202", hint="", card=None, namesakes=others
            )
        found[plugin.name] = plugin
    return dict(sorted(found.items()))


def find(kind: Kind, name: str) -> Plugin:
    """The plugin of that name.

    Raises
    ------
    PluginError
        ``E201`` where there is none, and the code of its problem where it is broken.
    """
    found = discover(kind)
    if name not in found:
        raise PluginError(
            "E201", f"there is no {kind} called {name!r}", hint=did_you_mean(name, list(found))
        )
    plugin = found[name]
    if plugin.problem:
        raise plugin.error
    return plugin


def _entry_points(kind: Kind) -> Iterator[Plugin]:
    yield from _installed(kind, tuple(sys.path))


@lru_cache(maxsize=8)
def _installed(kind: Kind, path: tuple[str, ...]) -> tuple[Plugin, ...]:
    """Plugins of installed packages; their metadata is read once for each import path."""
    del path
    return tuple(
        Plugin(
            kind,
            point.name,
            point.module,
            point.attr,
            f"package {point.dist.name if point.dist else 'unknown package'}",
        )
        for point in entry_points(group=f"cytobench.{kind}s")
    )


def _drop_ins(kind: Kind) -> Iterator[Plugin]:
    for root in plugin_root.folders():
        folder = root / f"{kind}s"
        if not folder.is_dir():
            continue
        for hidden in (root / "__init__.py", folder / "__init__.py"):
            if hidden.exists():
                yield _broken(
                    kind,
                    f"{hidden.parent.name}__init__",
                    str(hidden),
                    "an __init__.py here hides the plugins of every other folder; delete it",
                )
        for path in sorted(folder.glob("*.py")):
            if not path.name.startswith("_"):
                state = path.stat()
                yield from _read_file(kind, path, (state.st_mtime_ns, state.st_size))


def _broken(kind: Kind, name: str, origin: str, problem: str, hint: str = "") -> Plugin:
    module = f"cytobench.plugins.{kind}s.{name}"
    return Plugin(kind, name, module, name, origin, problem=problem, hint=hint)


@lru_cache(maxsize=1024)
def _read_file(kind: Kind, path: Path, state: tuple[int, int]) -> tuple[Plugin, ...]:
    """Plugins of one file; read again when its time or size has changed."""
    del state
    return tuple(_parse_file(kind, path))


def _parse_file(kind: Kind, path: Path) -> Iterator[Plugin]:
    if not NAME.match(path.stem):
        problem = "a plugin's file name must be letters, digits and underscores"
        hint = f"call it {re.sub(r'[^A-Za-z0-9]+', '_', path.stem).strip('_') or kind}.py"
        yield _broken(kind, path.stem, str(path), problem, hint)
        return
    try:
        tree = ast.parse(path.read_text(encoding="utf-8"), filename=str(path))
    except (SyntaxError, UnicodeDecodeError, ValueError) as error:
        line = getattr(error, "lineno", None) or 1
        said = getattr(error, "msg", None) or str(error)  # the place is said once
        yield _broken(kind, path.stem, f"{path}:{line}", f"cannot be parsed: {said}")
        return
    declared = [
        _read_definition(kind, path, tree, node, decorator)
        for node in tree.body
        if isinstance(node, (ast.FunctionDef, ast.ClassDef))
        for decorator in node.decorator_list
        if _is_call_to(decorator, kind)
    ]
    if not declared:
        yield _undeclared(kind, path, tree)
    yield from declared


def _undeclared(kind: Kind, path: Path, tree: ast.Module) -> Plugin:
    """A file without a declaration; the parentheses alone are forgotten easily."""
    for node in tree.body:
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            for decorator in node.decorator_list:
                if _is_called(decorator, kind):
                    bare = f"@{kind} stands there without parentheses"
                    hint = f'write @{kind}(licence="MIT"), or @{kind}()'
                    return _broken(kind, path.stem, f"{path}:{decorator.lineno}", bare, hint)
    hint = f"write @{kind}(...) above the function: `cytobench new {kind} NAME` shows how"
    return _broken(kind, path.stem, str(path), f"declares no @{kind}(...)", hint)


def _is_call_to(node: ast.expr, name: str) -> bool:
    return isinstance(node, ast.Call) and _is_called(node.func, name)


def _is_called(node: ast.expr, name: str) -> bool:
    """Whether an expression is this name, of its own or of a module."""
    return (isinstance(node, ast.Name) and node.id == name) or (
        isinstance(node, ast.Attribute) and node.attr == name
    )


def _read_definition(
    kind: Kind,
    path: Path,
    tree: ast.Module,
    node: ast.FunctionDef | ast.ClassDef,
    decorator: ast.expr,
) -> Plugin:
    origin = f"{path}:{node.lineno}"
    module = f"cytobench.plugins.{kind}s.{path.stem}"
    try:
        assert isinstance(decorator, ast.Call)
        fields = {item.arg: _literal(item.value) for item in decorator.keywords if item.arg}
        name = str(fields.pop("name", None) or node.name)
        if not NAME.match(name):
            raise PluginError("E214", f"{name!r} is no name: use letters, digits and underscores")
        parameters = _signature(node)
        doc = ast.get_docstring(node) or ast.get_docstring(tree) or ""
        card = _CARDS[kind](name, doc, parameters, fields, origin)
    except PluginError as error:
        return Plugin(
            kind, node.name, module, node.name, origin,
            problem=error.message, code=error.code, hint=error.hint,
        )  # fmt: skip
    except (ValueError, TypeError) as error:
        return Plugin(kind, node.name, module, node.name, origin, problem=str(error))
    tunable = {key: value for key, value in parameters.items() if key not in INJECTED}
    injected = frozenset(parameters) & frozenset(INJECTED)
    return Plugin(kind, name, module, node.name, origin, card, tunable, injected=injected)


def _model(
    name: str, doc: str, parameters: dict[str, Any], fields: dict[str, Any], origin: str
) -> ModelCard:
    given = {"tasks": BINARY_TASKS, "space": {}, "inputs": INPUTS, "needs": (), "role": "model"}
    return model_card(
        name=name, doc=doc, parameters=parameters, **{**given, **fields, "origin": origin}
    )


def _dataset(
    name: str, doc: str, parameters: dict[str, Any], fields: dict[str, Any], origin: str
) -> DatasetCard:
    del parameters  # a dataset's parameters are not part of its card
    excused = reasons(name, fields.pop("excused", None) or {})
    return DatasetCard(name=name, summary=first_line(doc), origin=origin, excused=excused, **fields)


_CARDS: dict[Kind, Callable[..., ModelCard | DatasetCard]] = {
    "model": _model,
    "dataset": _dataset,
}


def _signature(node: ast.FunctionDef | ast.ClassDef) -> dict[str, Any]:
    """Parameter -> default of a function, or of a class's ``__init__``."""
    if isinstance(node, ast.ClassDef):
        inits = [
            item
            for item in node.body
            if isinstance(item, ast.FunctionDef) and item.name == "__init__"
        ]
        if not inits:
            return {}
        function = inits[0]
    else:
        function = node
    positional = [item.arg for item in (*function.args.posonlyargs, *function.args.args)]
    if isinstance(node, ast.ClassDef):
        positional = positional[1:]
    defaults = function.args.defaults
    bare = positional[: len(positional) - len(defaults)]
    given = dict(zip(positional[len(bare) :], map(_literal, defaults), strict=True))
    for argument, default in zip(function.args.kwonlyargs, function.args.kw_defaults, strict=True):
        if default is None:
            bare.append(argument.arg)
        else:
            given[argument.arg] = _literal(default)
    without = [name for name in bare if name not in INJECTED]
    if without:
        raise no_default(without[0], node.name)
    return {**dict.fromkeys(bare), **given}


def _literal(node: ast.expr) -> Any:
    """The value of a literal, of ``Float``, ``Int`` or ``Choice`` calls, or of dicts of them."""
    for kind in (Float, Int, Choice):
        if _is_call_to(node, kind.__name__):
            assert isinstance(node, ast.Call)
            arguments = [_literal(item) for item in node.args]
            named = {item.arg: _literal(item.value) for item in node.keywords if item.arg}
            return kind(*arguments, **named)
    if isinstance(node, ast.Dict) and all(key is not None for key in node.keys):
        keys = [_literal(key) for key in node.keys if key is not None]
        return dict(zip(keys, map(_literal, node.values), strict=True))
    try:
        return ast.literal_eval(node)
    except ValueError as error:
        raise PluginError(
            "E215",
            f"line {node.lineno}: {ast.unparse(node)!r} is not a plain value; a declaration is "
            "read without running the file, so write numbers, strings, Float, Int or Choice",
        ) from error
