"""Paths and addresses as they may be read elsewhere: without home folders and passwords."""

from __future__ import annotations

import os
import re
from pathlib import Path

PASSWORD = re.compile(r"(://[^/\s:@]*:)[^/\s@]+(?=@)")


def elsewhere(text: str) -> str:
    """A text in which the working directory is ``.`` and the home folder ``~``."""
    for folder, short in ((str(Path.cwd()), "."), (str(Path.home()), "~")):
        if len(folder) > 1:  # in a container either may be the root
            text = text.replace(folder + os.sep, short + os.sep)
    return text


def without_password(text: str) -> str:
    """A text in which the password of an address is ``***``."""
    return PASSWORD.sub(r"\1***", text)
