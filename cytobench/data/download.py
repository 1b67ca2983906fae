"""Pinned files of a dataset: what is there is verified, what is missing can be fetched."""

from __future__ import annotations

import hashlib
import os
import re
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path
from typing import Any, BinaryIO
from urllib.error import HTTPError
from urllib.parse import urlsplit
from urllib.request import HTTPRedirectHandler, Request, build_opener

from cytobench.core.errors import DataError
from cytobench.data.grammar import check_keys, listed, required

KEYS = ("file", "sha256", "url", "why")
LARGEST = 512 * 2**20
"""Bytes; a file of a cohort is far smaller."""
SECONDS = 60.0
LOOPBACK = ("127.0.0.1", "localhost", "::1")
PIECE = 2**20
HEX = re.compile("[0-9a-fA-F]{64}")


@dataclass(frozen=True)
class Pinned:
    """One file of a dataset.

    Attributes
    ----------
    file : str
        Relative to a data folder.
    sha256 : str
        Of the version that the dataset was described from.
    url : str
        Where that version can be had; empty where it cannot.
    why : str
        Why it cannot.
    """

    file: str
    sha256: str
    url: str = ""
    why: str = ""


def pinned_files(spec: Any) -> list[Pinned]:
    """Read a dataset's ``files``.

    Raises
    ------
    DataError
        ``E322`` for what cannot be meant, ``E374`` for an address that is neither https nor this
        machine's own.
    """
    found = []
    for item in listed(spec):
        check_keys(item, KEYS, "files")
        file, sha256 = (str(required(item, key, "files")) for key in ("file", "sha256"))
        if not HEX.fullmatch(sha256) or Path(file).is_absolute() or ".." in Path(file).parts:
            raise DataError(
                "E322",
                "expected a relative path and a sha256 of 64 hex digits",
                where=f"files: {file}",
            )
        pinned = Pinned(
            file, sha256.lower(), str(item.get("url") or ""), str(item.get("why") or "")
        )
        if pinned.url:
            _check_address(pinned.url, file)
        found.append(pinned)
    return found


def verify(files: Sequence[Pinned], folders: Sequence[Path]) -> None:
    """Compare what is there with what was pinned.

    Raises
    ------
    DataError
        ``E371`` for a file with another content.
    """
    for pinned in files:
        path = next((f / pinned.file for f in folders if (f / pinned.file).is_file()), None)
        if path is None:
            continue
        found = file_sha256(path)
        if found != pinned.sha256:
            raise DataError(
                "E371",
                f"is another version than the one described: sha256 {found[:12]}..., expected "
                f"{pinned.sha256[:12]}...",
                where=str(path),
                hint="get that version, or accept this one with `verify_files: false` "
                "(++dataset.verify_files=false on the command line)",
            )


def fetch(pinned: Pinned, folder: Path) -> int:
    """Download a file; it gets its name once its content is verified, and replaces nothing.

    Returns
    -------
    int
        Bytes written; 0 where the file was there already, and is the pinned one.

    Raises
    ------
    DataError
        ``E371`` where another version is there, ``E372`` where the address does not answer,
        ``E373`` for another content, ``E374`` for a redirection away from https, ``E375`` where
        the folder cannot be written to.
    """
    verify([pinned], [folder])
    target = folder / pinned.file
    if target.is_file():
        return 0
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        return _fetch(pinned, target)
    except OSError as error:
        raise DataError(
            "E375",
            f"cannot be written: {error.strerror or error}",
            where=str(target),
            hint="name another folder with --to",
        ) from error


def _fetch(pinned: Pinned, target: Path) -> int:
    handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
    try:
        with os.fdopen(handle, "wb") as stream:
            size, found = _download(pinned, stream)
        if found != pinned.sha256:
            raise DataError(
                "E373",
                f"has sha256 {found[:12]}..., expected {pinned.sha256[:12]}...; nothing was kept",
                where=pinned.url,
                hint="the origin has changed, or somebody is in between",
            )
        # Claiming the name fails where a file is by now; a hard link would, but not on every disk.
        with target.open("xb"):
            pass
        Path(name).chmod(target.stat().st_mode & 0o777)
        Path(name).replace(target)
    finally:
        Path(name).unlink(missing_ok=True)
    return size


def _download(pinned: Pinned, stream: BinaryIO) -> tuple[int, str]:
    """Bytes and sha256 of what an address answers."""
    state, size = hashlib.sha256(), 0
    request = Request(pinned.url, headers={"User-Agent": "cytobench"})  # noqa: S310
    try:
        with build_opener(_SameTrust()).open(request, timeout=SECONDS) as answer:
            while piece := answer.read(PIECE):
                size += len(piece)
                if size > LARGEST:
                    raise DataError(
                        "E372", f"is larger than {LARGEST // 2**20} MB", where=pinned.url
                    )
                state.update(piece)
                stream.write(piece)
    except (OSError, HTTPException) as error:
        if isinstance(error, HTTPError):
            error.close()  # it holds the connection
        reason = getattr(error, "reason", error)
        raise DataError(
            "E372",
            f"cannot be fetched: {reason}",
            where=pinned.url,
            hint="check the connection; or download it by hand into the data folder",
        ) from error
    return size, state.hexdigest()


class _SameTrust(HTTPRedirectHandler):
    """Follows redirections that stay on https, or on this machine where they began there."""

    def redirect_request(
        self, req: Request, fp: Any, code: int, msg: str, headers: Any, newurl: str
    ) -> Request | None:
        """Refuse to be led from elsewhere to a service of this machine, or off https."""
        old, new = urlsplit(req.full_url), urlsplit(newurl)
        local = _is_loopback(old.scheme, old.hostname) and _is_loopback(new.scheme, new.hostname)
        if new.scheme != "https" and not local:
            fp.close()  # nobody else does once this is raised
            raise DataError("E374", f"is redirected to {newurl!r}, off https", where=req.full_url)
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def _is_loopback(scheme: str, host: str | None) -> bool:
    return scheme == "http" and host in LOOPBACK


def _check_address(url: str, what: str) -> None:
    try:
        parts = urlsplit(url)
        if (parts.scheme == "https" and parts.hostname) or _is_loopback(
            parts.scheme, parts.hostname
        ):
            return
    except ValueError as error:
        raise DataError("E374", f"{url!r}: {error}", where=f"files: {what}") from error
    raise DataError("E374", f"{url!r} is no https address", where=f"files: {what}")


def file_sha256(path: Path) -> str:
    """Sha256 of a file."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def how_to_get(config: Mapping[str, Any]) -> str:
    """What a person can do about a missing file of a dataset; empty where it does not say."""
    if config.get("access"):
        return f"access: {config['access']}"
    if any(item.url for item in pinned_files(config.get("files"))):
        return f"cytobench fetch {config['name']}"
    reasons = dict.fromkeys(item.why for item in pinned_files(config.get("files")) if item.why)
    return "; ".join(reasons)
