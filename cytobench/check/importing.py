"""CB1xx: a plugin is read, named, imported and described."""

from __future__ import annotations

import importlib
import re
import sys
from collections.abc import Iterator
from importlib.machinery import PathFinder
from pathlib import Path

from cytobench.check.register import NotTestable, check
from cytobench.check.subject import Subject, spoken
from cytobench.check.witness import (
    as_at_first,
    changed,
    overheard,
    random_states,
    seed_unusually,
    settings,
)
from cytobench.core.cards import ModelCard
from cytobench.core.space import Choice

SPDX = re.compile(r"\(?[A-Za-z0-9][A-Za-z0-9.+-]*\)?( (AND|OR|WITH) \(?[A-Za-z0-9.+-]+\)?)*\Z")
SOURCE = re.compile(r"(10\.\d{4,9}/\S+|arXiv:\d{4}\.\d{4,5}(v\d+)?|https?://\S+)\Z")
LONGEST_SUMMARY = 120


@check("CB101", "the file can be read and declares a plugin", "plugin")
def readable(subject: Subject) -> Iterator[str]:
    """Plugins are listed without importing them, from the syntax tree of their file. It has to
    parse, to call ``@model(...)`` or ``@dataset(...)``, and to give every parameter a plain
    default value. Two plugins of one name, or a name that is none, are found here too.
    """
    if subject.plugin.problem:
        hint = f"; {subject.plugin.hint}" if subject.plugin.hint else ""
        yield f"{subject.plugin.problem} ({subject.plugin.origin}){hint}"


@check("CB102", "importing it works", "plugin")
def importable(subject: Subject) -> Iterator[str]:
    """The file is imported when the plugin is chosen. A package that it needs and that is not
    installed belongs into ``extra=``, with the import inside the function.
    """
    try:
        subject.imported()
    except NotTestable:
        raise
    except (Exception, SystemExit) as error:
        yield spoken(error)


@check("CB103", "importing it has no side effect", "plugin", after="CB102")
def no_side_effect(subject: Subject) -> Iterator[str]:
    """An import must not print, draw or seed random numbers, change the folder, the environment,
    the search path, the filters of warnings: other plugins live in the same process.
    """
    subject.factory  # noqa: B018 - its packages are imported by now, only the file is left
    module = subject.plugin.module
    sys.modules.pop(module, None)
    with as_at_first(subject.start), overheard() as said:
        seed_unusually()
        before = settings() | random_states()
        importlib.import_module(module)
        after = settings() | random_states()
        words = said()
    for name in changed(before, after):
        yield f"importing it changes {name}"
    if words:
        yield f"importing it prints {words[:60]!r}"


@check("CB104", "a docstring says what it is", "plugin", after="CB102")
def summary(subject: Subject) -> Iterator[str]:
    """The first line of the docstring is the summary in listings, reports and the catalogue."""
    text = subject.card.summary
    if not text:
        yield "it has no docstring"
    elif len(text) > LONGEST_SUMMARY:
        yield f"the docstring's first line has {len(text)} characters; {LONGEST_SUMMARY} fit"


@check("CB105", "a licence is named", "plugin", after="CB102")
def licence(subject: Subject) -> Iterator[str]:
    """``licence=`` says what others may do with it, as an SPDX expression: ``"MIT"``."""
    text = subject.card.licence
    if not text:
        yield 'no licence is named: licence="MIT"'
    elif not SPDX.match(text):
        yield f"licence={text!r} is no SPDX expression"


@check("CB106", "the citation leads somewhere", "plugin", after="CB102")
def citation(subject: Subject) -> Iterator[str]:
    """``citation=`` is a DOI (``10.1023/A:1010933404324``), ``arXiv:1706.09516`` or an address."""
    text = subject.card.citation
    if text and not SOURCE.match(text):
        yield f"citation={text!r} is neither a DOI, nor arXiv:..., nor an address"


@check("CB107", "its name hides no Python package", "plugin", severity="warning")
def name(subject: Subject) -> Iterator[str]:
    """A file ``torch.py`` in a folder on Python's path would hide the package of that name."""
    file = subject.file()
    if file is None:
        return
    folder = file.parent.resolve()
    others = [entry for entry in sys.path if Path(entry or ".").resolve() != folder]
    if len(others) == len(sys.path):
        return  # nothing is looked for in its folder
    if file.stem in sys.stdlib_module_names or PathFinder.find_spec(file.stem, others) is not None:
        yield f"{file} hides the package {file.stem!r} from every program started in its folder"


@check("CB108", "it can be built", "model", after="CB102")
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


@check("CB109", "its search space fits its parameters", "model", after="CB108")
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
