"""The catalogue of bundled plugins, made from their cards.

``python -m cytobench.registry.catalogue > docs/catalogue.md``
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from cytobench.core.cards import DatasetCard, ModelCard
from cytobench.core.space import Choice, Dimension
from cytobench.plugins import bundled
from cytobench.registry.declared import declared
from cytobench.registry.discover import Kind, discover

HEAD = """# Catalogue

Every bundled plugin, from what it says of itself. `cytobench info NAME` tells more, and `cytobench
list models` also what is installed.
"""
DOI = re.compile(r"10\.\d{4,9}/\S+\Z")


def catalogue() -> str:
    """The page as Markdown, the same for the same plugins."""
    models = [card for card in _cards("model") if isinstance(card, ModelCard)]
    datasets = [card for card in _cards("dataset") if isinstance(card, DatasetCard)]
    parts = [HEAD, "## Models\n"]
    parts.append(
        "Floors are what a model has to beat; they run beside every other model. *Needs* is an "
        "extra: `pip install 'cytobench[lightgbm]'`.\n"
    )
    for role, title in (("floor", "Floors"), ("model", "Models")):
        parts.append(f"### {title}\n")
        parts += [_model(card) for card in models if card.role == role]
    parts.append("## Simulated cohorts\n\nThe truth of each is known, and so the ceiling.\n")
    parts += [_dataset(card) for card in datasets]
    parts.append(
        "## Tables\n\nFiles that you have, or get, and a YAML that reads them "
        "([how to get each](cohorts.md)).\n"
    )
    parts.append("| dataset | what |\n|---|---|")
    folder = str(bundled("conf").resolve())
    parts += [
        f"| `{name}` | {_text(item['summary'])} |"
        for name, item in declared("dataset").items()
        if item["origin"].startswith(folder)
    ]
    return "\n".join(parts) + "\n"


def _cards(kind: Kind) -> Iterator[ModelCard | DatasetCard]:
    folder = bundled("plugins").resolve()
    for plugin in discover(kind).values():
        file = Path(plugin.origin.rpartition(":")[0])
        if plugin.card is not None and folder in file.parents:
            yield plugin.card


def _model(card: ModelCard) -> str:
    facts = [f"tasks: {', '.join(card.tasks)}"]
    if card.inputs != ("analytes", "clinical"):
        facts.append(f"looks at: {', '.join(card.inputs)}")
    if card.needs:
        facts.append(f"asks for: {', '.join(card.needs)}")
    if card.composed:
        named = card.parameters[card.composed]
        names = [named] if isinstance(named, str) else named
        facts.append(f"made of: {', '.join(f'`{name}`' for name in names)}")
    if card.space:
        tuned = ", ".join(f"`{name}` {_range(item)}" for name, item in card.space.items())
        facts.append(f"tuned: {tuned}")
    if card.extra:
        facts.append(f"needs: `{card.extra}`")
    return _entry(card.name, card.summary, facts, card.licence, card.citation)


def _dataset(card: DatasetCard) -> str:
    facts = [card.caveat] if card.caveat else []
    return _entry(card.name, card.summary, facts, card.licence, card.citation)


def _entry(name: str, summary: str, facts: Sequence[str], licence: str, citation: str) -> str:
    ends = [f"licence: {licence}" if licence else "", _link(citation)]
    told = "; ".join(filter(None, [*map(_text, facts), *ends]))
    return f"**`{name}`** {_text(summary)}.\n{told[:1].upper()}{told[1:]}.\n"


def _range(dimension: Dimension) -> str:
    if isinstance(dimension, Choice):
        return "in " + "/".join(map(str, dimension.options))
    return f"{dimension.low:g} to {dimension.high:g}" + (" (log)" if dimension.log else "")


def _link(citation: str) -> str:
    return f"[{citation}](https://doi.org/{citation})" if DOI.match(citation) else citation


def _text(words: str) -> str:
    """What a card says, without what Markdown or HTML would take for markup."""
    return re.sub(r"([|<>*\[\]])", r"\\\1", words)


if __name__ == "__main__":
    import sys

    sys.stdout.write(catalogue())
