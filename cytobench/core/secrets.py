"""Passwords in addresses and options: nothing that is shown, stored or sent may hold them."""

from __future__ import annotations

import re

HIDDEN = "***"
_IN_ADDRESS = re.compile(r"(?<=://)(?:[^\s/@'\"]*|[^\s/@:'\"]*:[^\s'\"]*)@")
"""What stands between the scheme and the host; a password may hold ``/`` and ``@``."""
NAMED = (
    r"password|passphrase|passwd|pwd|secret|token|credentials?|authorization"
    r"|(?:access|account|api|auth|encryption|private|secret|signing)[_-]?key"
)
"""How names end whose values open something."""
_QUOTED = r"\"(?:\\.|[^\"\\])*\"|'(?:\\.|[^'\\])*'"
_IN_OPTION = re.compile(
    rf"((?<![\w])[\"']?[\w.-]*(?:{NAMED})[\"']?\s*[=:]\s*(?:(?:bearer|basic)\s+)?)"
    rf"(?!\$\{{)({_QUOTED}|[^\s,}}'\"]+)",
    re.IGNORECASE,
)
"""``password: word`` in YAML, ``{password: word}`` and ``a.token=word`` in an override,
``export API_KEY=word``, ``Authorization: Bearer word``."""


def without_secrets(text: str) -> str:
    """A text with ``***`` for who logs in to an address, and for values of options named so.

    An interpolation such as ``${oc.env:PASSWORD}`` holds no secret and stays.
    """
    return _IN_OPTION.sub(rf"\1{HIDDEN}", _IN_ADDRESS.sub(f"{HIDDEN}@", text))
