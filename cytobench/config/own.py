"""YAML files of the working directory's ``conf``: read within limits, refused with their place.

Hydra's loader builds no object from a tag. What it does not look at is size: a few lines of aliases
of aliases would be copied out to more values than any memory holds.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml
from hydra._internal.core_plugins.file_config_source import FileConfigSource
from hydra.errors import HydraException
from hydra.plugins.config_source import ConfigResult
from omegaconf import OmegaConf

from cytobench.core.errors import CytobenchError, UsageError

LARGEST = 512 * 1024
"""Bytes of a file; the bundled ones have a hundredth of that."""
MOST_VALUES = 100_000
"""With every alias written out."""


class OwnConfigSource(FileConfigSource):
    """A folder of YAML files that a person wrote, or was given."""

    @staticmethod
    def scheme() -> str:
        """Search-path prefix."""
        return "own"

    def load_config(self, config_path: str) -> ConfigResult:
        """A file's node; ``E117`` where it cannot be one."""
        path = Path(self.path) / self._normalize_file_name(config_path)
        if path.is_file():
            checked_text(path)
        try:
            return super().load_config(config_path)
        except (CytobenchError, HydraException):
            raise
        except Exception as error:  # PyYAML's constructors raise what their values raise
            raise _unreadable(path, error) from error


def checked_text(path: Path) -> str:
    """The text of a YAML file that holds one mapping of some size.

    Raises
    ------
    UsageError
        ``E117``, with the line where there is one.
    """
    try:
        if path.stat().st_size > LARGEST:
            raise ValueError(f"has more than {LARGEST} bytes")
        text = path.read_text(encoding="utf-8")
        node = yaml.compose(text, Loader=yaml.SafeLoader)
        if node is not None and not isinstance(node, yaml.MappingNode):
            raise ValueError("expected `key: value` pairs")
        _size(node, {}, ())
    except (yaml.YAMLError, OSError, ValueError, RecursionError) as error:
        raise _unreadable(path, error) from error
    return text


def read_node(path: Path, old: str = "", new: str = "") -> Any:
    """A file's node as plain data, its interpolations open; one text may stand for another.

    Raises
    ------
    UsageError
        ``E117``.
    """
    text = checked_text(path).replace(old, new)
    try:
        return OmegaConf.to_container(OmegaConf.create(text))
    except Exception as error:  # as above
        raise _unreadable(path, error) from error


def _unreadable(path: Path, error: Exception) -> UsageError:
    mark = getattr(error, "problem_mark", None)
    line = f", line {mark.line + 1}" if mark is not None else ""
    said = getattr(error, "problem", None) or str(error) or type(error).__name__
    return UsageError(
        "E117",
        f"cannot be read as a configuration: {said.splitlines()[0]}",
        where=f"{path}{line}",
        hint="YAML in UTF-8, `key: value` in each line; quote texts with a colon or a bracket",
    )


def _size(node: yaml.Node | None, known: dict[int, int], above: tuple[int, ...]) -> int:
    """How many values a node stands for once its aliases are written out; each is counted once."""
    if id(node) in above:
        raise ValueError("an alias stands within itself")
    if id(node) not in known:
        inner: list[yaml.Node] = []
        if isinstance(node, yaml.MappingNode):
            inner = [part for pair in node.value for part in pair]
        elif isinstance(node, yaml.SequenceNode):
            inner = node.value
        known[id(node)] = 1 + sum(_size(part, known, (*above, id(node))) for part in inner)
        if known[id(node)] > MOST_VALUES:
            raise ValueError(f"has more than {MOST_VALUES} values, aliases written out")
    return known[id(node)]
