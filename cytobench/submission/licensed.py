"""The plugin of a cell, and whether its source may be passed on."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cytobench import plugins as plugin_root
from cytobench.core.errors import UsageError
from cytobench.registry.discover import Plugin, find
from cytobench.registry.load import load_model, source_of

OPEN = (
    "0BSD", "AGPL-3.0-only", "AGPL-3.0-or-later", "Apache-2.0", "BSD-2-Clause", "BSD-3-Clause",
    "BSL-1.0", "CC0-1.0", "GPL-2.0-only", "GPL-2.0-or-later", "GPL-3.0-only", "GPL-3.0-or-later",
    "ISC", "LGPL-2.1-or-later", "LGPL-3.0-or-later", "MIT", "MIT-0", "MPL-2.0", "Unlicense", "Zlib",
)  # fmt: skip
"""SPDX identifiers of licences under which a source may be passed on."""


def plugin_of(about: Mapping[str, Any], where: str) -> tuple[dict[str, Any], bytes | None]:
    """Hashes of the plugin and its parts; its source where the licence lets it travel."""
    config = about["config"]["model"]
    loaded = load_model(config)
    if loaded.source != about["model"]["source"]:
        raise UsageError(
            "E706",
            "the plugin's file has changed since the cell was run",
            where=where,
            hint=f"run it again: {about['command']}",
        )
    if "_target_" in config:
        why = "is no plugin, but a configuration of what is importable"
        return {"source": loaded.source, "file": loaded.source, "parts": [], "why": why}, None
    plugin = find("model", str(config["name"]))
    file = source_of(plugin)
    parts: list[str] = []
    if loaded.card.composed is not None:
        names = loaded.parameters.get(
            loaded.card.composed, loaded.card.parameters[loaded.card.composed]
        )
        names = [names] if isinstance(names, str) else names
        parts = [load_model({"name": name}).source for name in names]
    path = _file_of(plugin)
    licence = about["model"]["licence"]
    if not path.is_file():
        why = "is part of an installed package"
    elif comes_with_cytobench(plugin):
        why = "comes with cytobench"
    elif licence not in OPEN:
        why = f"its card names no open licence (SPDX): {licence or 'none at all'}"
    else:
        why = ""
    said = {"source": loaded.source, "file": file, "parts": parts, "why": why}
    return said, None if why else path.read_bytes()


def comes_with_cytobench(plugin: Plugin) -> bool:
    """Whether a plugin is one of the bundled ones."""
    return _file_of(plugin).is_relative_to(plugin_root.bundled("plugins").resolve())


def _file_of(plugin: Plugin) -> Path:
    return Path(plugin.origin.rpartition(":")[0])
