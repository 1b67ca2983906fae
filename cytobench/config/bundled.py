"""The bundled configuration's files, parsed by libyaml where PyYAML has it: the same, sooner."""

from __future__ import annotations

from pathlib import Path

import yaml
from hydra._internal.core_plugins.file_config_source import FileConfigSource
from hydra.plugins.config_source import ConfigResult
from omegaconf import OmegaConf
from omegaconf._utils import get_yaml_loader
from yaml.constructor import SafeConstructor
from yaml.resolver import Resolver


class BundledConfigSource(FileConfigSource):
    """The folder of YAML files that comes with cytobench.

    What a person wrote is parsed in Python, whose messages are the better ones.
    """

    @staticmethod
    def scheme() -> str:
        """Search-path prefix."""
        return "bundled"

    def load_config(self, config_path: str) -> ConfigResult:
        """A file's node."""
        if not yaml.__with_libyaml__:
            return super().load_config(config_path)
        path = Path(self.path) / self._normalize_file_name(config_path)
        text = path.read_text(encoding="utf-8")
        return ConfigResult(
            config=OmegaConf.create(yaml.load(text, Loader=_loader()) or {}),  # noqa: S506
            path=f"{self.scheme()}://{self.path}",
            provider=self.provider,
            header=self._get_header_dict(text[:512]),
        )


def _loader() -> type:
    """OmegaConf's loader, which builds plain data only, behind libyaml's parser."""
    from yaml.cyaml import CParser

    class Loader(CParser, get_yaml_loader()):  # type: ignore[misc]
        def __init__(self, stream: str) -> None:
            CParser.__init__(self, stream)
            SafeConstructor.__init__(self)
            Resolver.__init__(self)

    return Loader
