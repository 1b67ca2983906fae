"""Paths as they may be read elsewhere: without home folders."""

from __future__ import annotations

import os
from pathlib import Path


def elsewhere(text: str) -> str:
    """A text in which the working directory is ``.`` and the home folder ``~``."""
    for folder, short in ((str(Path.cwd()), "."), (str(Path.home()), "~")):
        if len(folder) > 1:  # in a container either may be the root
            text = text.replace(folder + os.sep, short + os.sep)
    return text
