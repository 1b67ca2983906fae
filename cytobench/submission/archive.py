"""A bundle as bytes: one zip archive, written in one way only and read within limits.

Members are stored, not compressed: equal content gives equal bytes whatever zlib is installed, and
no member can be larger than the file that holds it. What is read has to be, byte for byte, what
writing the same members would give, so that nothing hides between them.
"""

from __future__ import annotations

import io
import re
import stat
import struct
import zipfile
from collections import Counter
from collections.abc import Mapping

from cytobench.submission.codes import refusal

LARGEST = 64 * 1024 * 1024
"""Bytes of a bundle, and of its members together."""
LARGEST_MEMBER = 16 * 1024 * 1024
MOST_MEMBERS = 2048
NAME = re.compile(r"[a-z0-9_]+(/[a-z0-9_]+)?\.(json|parquet|py)\Z")
MADE = (1980, 1, 1, 0, 0, 0)
"""The time of every member: the earliest that a zip archive knows."""
UNIX = 3


def pack(members: Mapping[str, bytes]) -> bytes:
    """The archive of these members, in alphabetical order."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for name in sorted(members):
            info = zipfile.ZipInfo(name, MADE)
            info.create_system = UNIX
            info.external_attr = (stat.S_IFREG | 0o644) << 16
            archive.writestr(info, members[name])
    return buffer.getvalue()


def unpack(content: bytes, where: str) -> dict[str, bytes]:
    """The members of an archive, each checked before it is read.

    Raises
    ------
    BundleError
        ``E710`` to ``E714`` and ``E719``.
    """
    if len(content) > LARGEST:
        raise refusal("E711", f"has {len(content)} bytes, at most {LARGEST}", where)
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            infos = archive.infolist()
            _check_all(infos, where)
            members = {info.filename: archive.read(info) for info in infos}
    except (
        zipfile.BadZipFile,
        zipfile.LargeZipFile,
        NotImplementedError,  # a version or a method that zipfile does not know
        RuntimeError,
        EOFError,
        OSError,
        ValueError,
        IndexError,
        struct.error,
    ) as error:
        raise refusal("E710", f"cannot be read as a zip archive: {error}", where) from error
    if pack(members) != content:
        raise refusal(
            "E719",
            "is not what its members alone would give: a comment, extra fields, bytes between "
            "members, or another order",
            where,
        )
    return members


def _check_all(infos: list[zipfile.ZipInfo], where: str) -> None:
    if len(infos) > MOST_MEMBERS:
        raise refusal("E711", f"has {len(infos)} members, at most {MOST_MEMBERS}", where)
    for info in infos:
        _check_name(info, where)
    folded = [info.filename.casefold() for info in infos]
    twice = [name for name, times in Counter(folded).items() if times > 1]
    if twice:
        raise refusal("E713", f"has {twice[0]!r} more than once", where)
    total = sum(info.file_size for info in infos)
    largest = max((info.file_size for info in infos), default=0)
    if total > LARGEST or largest > LARGEST_MEMBER:
        raise refusal(
            "E711",
            f"would unpack to {total} bytes, {largest} of them in one member; at most {LARGEST} "
            f"and {LARGEST_MEMBER}",
            where,
        )
    for info in infos:
        _check_kind(info, where)


def _check_name(info: zipfile.ZipInfo, where: str) -> None:
    # orig_filename: zipfile cuts the other one at the first NUL.
    name = info.orig_filename
    if name != info.filename or name.startswith(("/", "\\")) or ":" in name or "\\" in name:
        raise refusal("E712", f"has a member called {name!r}", where)
    if ".." in name.split("/") or "" in name.removesuffix("/").split("/"):
        raise refusal("E712", f"has a member called {name!r}", where)
    if not name.isascii() or not name.isprintable() or len(name) > 100:
        raise refusal("E712", f"has a member called {name[:100]!r}", where)


def _check_kind(info: zipfile.ZipInfo, where: str) -> None:
    at = f"{where}, {info.filename}"
    mode = info.external_attr >> 16
    if info.is_dir() or (mode and not stat.S_ISREG(mode)):
        raise refusal("E714", "is a folder, a link or a device; members are plain files", at)
    if info.flag_bits & 0x1:
        raise refusal("E714", "is encrypted", at)
    if info.compress_type != zipfile.ZIP_STORED or info.compress_size != info.file_size:
        raise refusal("E714", "is compressed; members are stored as they are", at)
    if not NAME.match(info.filename):
        raise refusal("E715", "is no member of a bundle", at)
