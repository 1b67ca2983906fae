"""CB1xx: a plugin is read, named, imported and described."""

from __future__ import annotations

import contextlib
import importlib
import io
import os
import re
import sys
from collections.abc import Iterator
from typing import Any

import numpy as np

from cytobench.check.register import NotTestable, check
from cytobench.check.subject import Subject, spoken
from cytobench.core.cards import ModelCard
from cytobench.core.space import Choice

SPDX = re.compile(r"\(?[A-Za-z0-9][A-Za-z0-9.+-]*\)?( (AND|OR|WITH) \(?[A-Za-z0-9.+-]+\)?)*\Z")
SOURCE = re.compile(r"(10\.\d{4,9}/\S+|arXiv:\d{4}\.\d{4,5}(v\d+)?|https?://\S+)\Z")
LONGEST_SUMMARY = 120
UNUSUAL = 738_205_193
"""A seed that nobody takes."""


@check("CB101", "the file can be read and declares a plugin", "plugin")
def readable(subject: Subject) -> Iterator[str]:
    """Plugins are listed without importing them, from the syntax tree of their file. It has to
    parse, to call ``@model(...)`` or ``@dataset(...)``, and to give every parameter a plain
    default value. Two plugins of one name, or a name that is none, are found here too.
    """
    if subject.plugin.problem:
        yield f"{subject.plugin.problem} ({subject.plugin.origin})"


@check("CB102", "importing it works", "plugin")
def importable(subject: Subject) -> Iterator[str]:
    """The file is imported when the plugin is chosen. A package that it needs and that is not
    installed belongs into ``extra=``, with the import inside the function.
    """
    try:
        subject.imported()
    except NotTestable:
        raise
    except Exception as error:
        yield spoken(error)


@check("CB103", "importing it has no side effect", "plugin")
def no_side_effect(subject: Subject) -> Iterator[str]:
    """An import must not print, draw random numbers, change the folder or the environment: other
    plugins live in the same process.
    """
    subject.factory  # noqa: B018 - its packages are imported by now, only the file is left
    module = subject.plugin.module
    sys.modules.pop(module, None)
    np.random.seed(UNUSUAL)  # noqa: NPY002 - a plugin that seeds to what is there would not show
    before = _state()
    said = io.StringIO()
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
        importlib.import_module(module)
    for name, value in _state().items():
        if value != before[name]:
            yield f"importing it changes {name}"
    if said.getvalue():
        yield f"importing it prints {said.getvalue()[:60]!r}"


def _state() -> dict[str, Any]:
    _, keys, position, *_ = np.random.get_state()  # noqa: NPY002
    return {
        "numpy's global random state": (np.asarray(keys).tobytes(), position),
        "the working directory": os.getcwd(),  # noqa: PTH109 - a changed one may not exist
        "the environment": dict(os.environ),
    }


@check("CB104", "a docstring says what it is", "plugin")
def summary(subject: Subject) -> Iterator[str]:
    """The first line of the docstring is the summary in listings, reports and the catalogue."""
    text = subject.card.summary
    if not text:
        yield "it has no docstring"
    elif len(text) > LONGEST_SUMMARY:
        yield f"the docstring's first line has {len(text)} characters; {LONGEST_SUMMARY} fit"


@check("CB105", "a licence is named", "plugin")
def licence(subject: Subject) -> Iterator[str]:
    """``licence=`` says what others may do with it, as an SPDX expression: ``"MIT"``."""
    text = subject.card.licence
    if not text:
        yield 'no licence is named: licence="MIT"'
    elif not SPDX.match(text):
        yield f"licence={text!r} is no SPDX expression"


@check("CB106", "the citation leads somewhere", "plugin")
def citation(subject: Subject) -> Iterator[str]:
    """``citation=`` is a DOI (``10.1023/A:1010933404324``), ``arXiv:1706.09516`` or an address."""
    text = subject.card.citation
    if text and not SOURCE.match(text):
        yield f"citation={text!r} is neither a DOI, nor arXiv:..., nor an address"


@check("CB107", "its name hides no Python package", "plugin", severity="warning")
def name(subject: Subject) -> Iterator[str]:
    """A file ``torch.py`` in a folder on Python's path would hide the package of that name."""
    file = subject.file()
    folder = str(file.parent) if file is not None else ""
    if file is not None and folder in sys.path and file.stem in sys.stdlib_module_names:
        yield f"{file} hides Python's own {file.stem!r}"


@check("CB108", "it can be built", "model")
def buildable(subject: Subject) -> Iterator[str]:
    """Calling the function with its defaults, for every kind of task that it declares, returns an
    estimator with ``fit`` and ``predict_proba`` (classification) or ``predict`` (regression).
    """
    for kind in subject.kinds:
        try:
            subject.build(kind)
        except NotTestable:
            raise
        except Exception as error:
            yield f"{kind}: {spoken(error)}"
    if not subject.kinds:
        raise NotTestable("no task of it is a classification or a regression")


@check("CB109", "its search space fits its parameters", "model")
def space(subject: Subject) -> Iterator[str]:
    """Defaults lie inside the space, since tuning starts with them, and an estimator can be built
    at both ends of every dimension.
    """
    card = subject.card
    assert isinstance(card, ModelCard)
    for parameter, dimension in card.space.items():
        default = card.parameters[parameter]
        if isinstance(dimension, Choice):
            inside, ends = default in dimension.options, list(dimension.options)
        else:
            numeric = isinstance(default, (int, float)) and not isinstance(default, bool)
            inside = numeric and dimension.low <= default <= dimension.high
            ends = [dimension.low, dimension.high]
        if not inside:
            yield f"the default {parameter}={default!r} is outside {dimension!r}"
        for end in ends:
            for kind in subject.kinds:
                try:
                    subject.build(kind, {parameter: end})
                except NotTestable:
                    raise
                except Exception as error:
                    yield f"{parameter}={end!r}: {spoken(error)}"
