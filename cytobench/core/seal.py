"""A checksum inside the file that it is of: a bit that changed on a disk is seen before it is read.

The seal is text, so that it may stand in JSON as well as in the metadata of a Parquet file; the
sha256 is that of the file with zeros in its place.
"""

from __future__ import annotations

import hashlib

_MARK = b"cytobench:sha256:"
_DIGITS = 64
BLANK = (_MARK + b"0" * _DIGITS).decode()
"""What a writer puts where the seal will be, after everything that others have said."""


def sealed(content: bytes) -> bytes:
    """Put the checksum into the last `BLANK` of a content."""
    start = content.rindex(_MARK) + len(_MARK)
    return content[:start] + _digest(content, start) + content[start + _DIGITS :]


def intact(content: bytes) -> bool | None:
    """Whether a content is what was sealed; None where it carries no seal."""
    found = content.rfind(_MARK)
    if found < 0:
        return None
    start = found + len(_MARK)
    return content[start : start + _DIGITS] == _digest(content, start)


def _digest(content: bytes, start: int) -> bytes:
    whole = hashlib.sha256(content[:start])
    whole.update(b"0" * _DIGITS)
    whole.update(content[start + _DIGITS :])
    return whole.hexdigest().encode()
