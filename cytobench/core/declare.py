"""``@model`` and ``@dataset``: how a plugin declares itself.

The decorators attach a declaration and return the function unchanged; nothing is registered, so
importing a plugin has no side effect and finding one needs no import.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal, TypeVar

from cytobench.core.cards import (
    BINARY_TASKS,
    INPUTS,
    TASKS,
    Assignment,
    DatasetCard,
    Input,
    ModelCard,
    Role,
)
from cytobench.core.errors import PluginError
from cytobench.core.space import Dimension

DECLARATION = "__cytobench__"
SOLVER = re.compile(r"[\w.]*:[A-Za-z_]\w*\Z")
INJECTED = ("random_state", "kind", "device", "units", "arm", "arms")
"""Arguments that the framework fills in where a model's signature accepts them."""

Factory = TypeVar("Factory", bound=Callable[..., Any])


def model(
    *,
    tasks: Sequence[str] = BINARY_TASKS,
    space: Mapping[str, Dimension] | None = None,
    inputs: Sequence[Input] = INPUTS,
    raw: bool = False,
    needs: Sequence[str] = (),
    extra: str | None = None,
    composed: str | None = None,
    solver: str | None = None,
    together: bool = True,
    excused: Mapping[str, str] | None = None,
    role: Role = "model",
    name: str | None = None,
    version: str = "1",
    licence: str = "",
    citation: str = "",
) -> Callable[[Factory], Factory]:
    """Declare a factory (or a class) of scikit-learn estimators as a model plugin.

    The parameters are those of :class:`cytobench.core.cards.ModelCard`; the name, the summary and
    the parameters' defaults are read from the decorated object. ``random_state``, ``kind``
    (``"classification"`` or ``"regression"``), ``device``, ``units`` (analyte -> unit), ``arm``
    (the column of the treatment, or None) and ``arms`` (the treatments that ``benefit`` chooses
    between) are filled in where accepted.

    Raises
    ------
    PluginError
        ``E212`` for an unknown task or input, or a space over a parameter that does not exist,
        ``E213`` for a parameter without a default,
        ``E216`` for an excuse without a reason, ``E217`` for a solver that cannot be one.
    """

    def declare(factory: Factory) -> Factory:
        card = model_card(
            name=name or factory.__name__,
            doc=inspect.getdoc(factory) or inspect.getdoc(inspect.getmodule(factory)) or "",
            parameters=_defaults(factory),
            tasks=tasks,
            space=space or {},
            inputs=inputs,
            raw=raw,
            needs=needs,
            extra=extra,
            composed=composed,
            solver=solver,
            together=together,
            excused=excused or {},
            role=role,
            version=version,
            licence=licence,
            citation=citation,
        )
        setattr(factory, DECLARATION, card)
        return factory

    return declare


def dataset(
    *,
    kind: Literal["real", "simulated"] = "real",
    name: str | None = None,
    version: str = "1",
    licence: str = "",
    citation: str = "",
    caveat: str = "",
    assignment: Assignment = "",
    cohort: str = "",
    excused: Mapping[str, str] | None = None,
) -> Callable[[Factory], Factory]:
    """Declare a function that returns a :class:`cytobench.Cohort` as a dataset plugin.

    ``seed`` is filled in from the dataset's configuration like any other parameter.
    """

    def declare(factory: Factory) -> Factory:
        card = DatasetCard(
            name=name or factory.__name__,
            summary=first_line(
                inspect.getdoc(factory) or inspect.getdoc(inspect.getmodule(factory)) or ""
            ),
            kind=kind,
            version=version,
            licence=licence,
            citation=citation,
            caveat=caveat,
            assignment=assignment,
            cohort=cohort,
            excused=reasons(name or factory.__name__, excused or {}),
        )
        setattr(factory, DECLARATION, card)
        return factory

    return declare


def model_card(*, name: str, doc: str, parameters: Mapping[str, Any], **fields: Any) -> ModelCard:
    """Build and check a model card, from a decorator's arguments or from a syntax tree."""
    tasks, inputs, space = (
        tuple(fields["tasks"]),
        tuple(fields["inputs"]),
        dict(fields["space"]),
    )
    _all_known(name, "task", tasks, TASKS)
    _all_known(name, "input", inputs, INPUTS)
    _all_known(name, "role", (fields["role"],), ("model", "floor"))
    tunable = [key for key in parameters if key not in INJECTED]
    _all_known(name, "parameter in space", tuple(space), tuple(tunable))
    if fields.get("composed") is not None:
        _all_known(name, "parameter in composed", (fields["composed"],), tuple(tunable))
    if fields.get("solver") is not None:
        _check_solver(name, fields["solver"], raw=bool(fields.get("raw")))
    elif not fields.get("together", True):
        raise PluginError(
            "E217",
            "together=False says how a solver is used, and there is none",
            where=f"plugin {name!r}",
        )
    return ModelCard(
        **{
            **fields,
            "name": name,
            "summary": first_line(doc),
            "tasks": tasks,
            "inputs": inputs,
            "space": space,
            "needs": tuple(fields["needs"]),
            "excused": reasons(name, fields.get("excused") or {}),
            "parameters": {key: parameters[key] for key in tunable},
        }
    )


def reasons(name: str, excused: Mapping[str, str]) -> dict[str, str]:
    """Excused checks, each with its reason in words.

    Raises
    ------
    PluginError
        ``E216`` where one has none.
    """
    for code, reason in excused.items():
        if not isinstance(reason, str) or not reason.strip():
            raise PluginError(
                "E216",
                f"excused check {code!r} has no reason",
                where=f"plugin {name!r}",
                hint='write excused={"CB203": "why this is expected"}',
            )
    return {str(code): reason for code, reason in excused.items()}


def _check_solver(name: str, solver: object, *, raw: bool) -> None:
    if not isinstance(solver, str) or not SOLVER.match(solver):
        raise PluginError(
            "E217",
            f"solver is {solver!r}, expected 'module:function', or ':function' in the same file",
            where=f"plugin {name!r}",
            hint="it is read without importing it; a name alone would run the file",
        )
    if raw:
        raise PluginError(
            "E217",
            "a solver is given encoded numbers, and raw=True asks for the cohort's own columns",
            where=f"plugin {name!r}",
        )


def first_line(doc: str) -> str:
    """The first line of a docstring, without its full stop."""
    return doc.strip().split("\n", 1)[0].strip().rstrip(".")


def _all_known(name: str, what: str, given: tuple[object, ...], known: tuple[object, ...]) -> None:
    unknown = [item for item in given if item not in known]
    if unknown:
        options = ", ".join(map(str, known)) or "none"
        raise PluginError(
            "E212", f"unknown {what} {unknown[0]!r}; there are: {options}", where=f"plugin {name!r}"
        )


def _defaults(factory: Callable[..., Any]) -> dict[str, Any]:
    defaults: dict[str, Any] = {}
    for parameter in inspect.signature(factory).parameters.values():
        if parameter.kind in (parameter.VAR_KEYWORD, parameter.VAR_POSITIONAL):
            continue
        if parameter.default is parameter.empty and parameter.name not in INJECTED:
            raise no_default(parameter.name, factory.__name__)
        defaults[parameter.name] = parameter.default
    return defaults


def no_default(parameter: str, name: str) -> PluginError:
    """``E213``: a parameter that would have to be given."""
    return PluginError(
        "E213",
        f"parameter {parameter!r} has no default value",
        where=f"plugin {name!r}",
        hint="give every parameter a default: it is what runs where nobody says otherwise",
    )
