"""The public media store: where platforms that fetch pictures by address find the approved files.

A file is kept under the hash of its content, written whole or not at all, and no address is given out
before the public side has been asked for it and answered with the right content. This module knows
fsspec and HTTP; it knows no platform and decides nothing about posts.
"""

from __future__ import annotations

import hashlib
import ipaddress
import secrets
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import requests

from adapters.contract import N_, Media
from adapters.errors import Misconfigured, NotReady, Rejected
from adapters.pictures import content_type
from adapters.transport import Transport, is_loopback, strip_secrets

#: Content type -> suffix: web servers and object stores tell the type of a file by its suffix.
SUFFIXES: Mapping[str, str] = {
    "image/jpeg": ".jpg",
    "image/png": ".png",
    "image/webp": ".webp",
    "image/gif": ".gif",
    "video/mp4": ".mp4",
    "video/quicktime": ".mov",
}
_CHUNK = 1024 * 1024
#: Answers to HEAD that say nothing about GET.
_NO_HEAD = (400, 403, 405, 501)


@dataclass(frozen=True, slots=True)
class MediaStore:
    """Files at ``store`` (any fsspec URL, or a folder) that the world sees under ``base_url``.

    ``options`` go to fsspec's file system as they are (an endpoint, a region). May be used by several
    threads at once. Raises Misconfigured if the two settings cannot work together.
    """

    store: str
    base_url: str
    options: Mapping[str, Any] = field(default_factory=dict)
    connect_timeout: float = 10.0
    read_timeout: float = 30.0

    def __post_init__(self) -> None:
        parts = urlsplit(self.base_url)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
            raise Misconfigured(
                N_("{base} is no usable base_url of the media store. Write it like https://host/folder."),
                base=strip_secrets(self.base_url),
            )
        if _is_private(parts.hostname):
            raise Misconfigured(
                N_(
                    "base_url {base} is an address inside a local network; no platform can fetch from it."
                    " Use the address under which the web server is seen from the internet."
                ),
                base=self.base_url,
            )
        if not self.store.strip():
            raise Misconfigured(N_("The media store has a base_url but no store, the place of its files."))

    def url_for(self, media: Media) -> str:
        """Put ``media`` into the store if it is not there, and return its public address.

        Raise NotReady while it cannot be stored or fetched (a person can mend that), Rejected if the file
        is no longer the approved one, Misconfigured if fsspec does not know the kind of place.
        """
        media = replace(media, mime=_kind(media))  # by its content: nothing else may become public here
        name = f"{media.sha256}{SUFFIXES[media.mime]}"
        size = self._keep(media, name)
        address = f"{self.base_url.rstrip('/')}/{name}"
        self._see(address, media, size)
        return address

    def _keep(self, media: Media, name: str) -> int:
        """Write the file under ``name`` unless a whole one is there; return its size in bytes."""
        with tempfile.TemporaryDirectory(prefix="gaung-media-") as folder:
            copy = Path(folder) / name  # under its final name: object stores take the type from the suffix
            size = _copy(media, copy)
            files, root = self._files()
            target = f"{root.rstrip('/')}/{name}"
            try:
                if files.exists(target) and files.size(target) == size:
                    return size
                files.makedirs(root, exist_ok=True)
                _write_whole(files, copy, target)
            except Exception as error:  # noqa: BLE001  (each fsspec back end brings its own; nothing is published)
                failure: Exception = error
            else:
                return size
        raise NotReady(
            N_("The public media store cannot be written; the post waits. Check [media] store: {why}").format(
                why=strip_secrets(f"{type(failure).__name__}: {failure}")[:200]
            ),
            code="media-store",
        )

    def _files(self) -> tuple[Any, str]:
        import fsspec

        try:
            files, root = fsspec.url_to_fs(self.store, **self.options)
        except (ValueError, ImportError, TypeError) as error:
            raise Misconfigured(
                N_("The media store {store} cannot be opened: {why}"),
                store=strip_secrets(self.store),
                why=strip_secrets(str(error)),
            ) from None
        return files, str(root)

    def _see(self, address: str, media: Media, size: int) -> None:
        """Ask for ``address`` as the platform will; raise NotReady unless exactly this file answers."""
        with Transport(connect_timeout=self.connect_timeout, read_timeout=self.read_timeout) as http:
            try:
                answer = http.head(address, allow_redirects=False, headers={"Accept-Encoding": "identity"})
                length = answer.headers.get("Content-Length", "")
                if answer.status_code in _NO_HEAD or (answer.ok and length in ("", "0")):
                    answer, length = _fetch(http, address, media.sha256)
            except requests.RequestException as error:
                why = vars(error).get("kind", "unknown")
                raise NotReady(
                    N_(
                        "The picture is not reachable under {address}; the post waits."
                        " Check the web server: {why}"
                    ).format(address=address, why=why),
                    code="media-unreachable",
                ) from None
        _judge(address, answer, length, media.mime, size)


def _judge(address: str, answer: requests.Response, length: str, mime: str, size: int) -> None:
    if 300 <= answer.status_code < 400:
        raise NotReady(
            N_(
                "{address} only redirects to {other}; the platforms may not follow. The post waits until"
                " base_url is the final address."
            ).format(address=address, other=answer.headers.get("Location", "?")),
            code="media-redirect",
        )
    if answer.status_code != 200:
        raise NotReady(
            N_(
                "{address} answers {status} instead of the picture; the post waits."
                " Check that the web server serves the folder of the media store."
            ).format(address=address, status=answer.status_code),
            code="media-unreachable",
        )
    kind = answer.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    if kind != mime:
        raise NotReady(
            N_(
                "{address} is served as {kind} instead of {mime};"
                " the post waits until the web server is corrected."
            ).format(address=address, kind=kind or "?", mime=mime),
            code="media-type",
        )
    if length != str(size):
        raise NotReady(
            N_(
                "{address} has {length} bytes instead of {size}; the post waits."
                " Something before the store changes the files, or it is not the same folder."
            ).format(address=address, length=length, size=size),
            code="media-length",
        )


def _fetch(http: Transport, address: str, sha256: str) -> tuple[requests.Response, str]:
    """GET the file, where HEAD said too little; the length counts only if the content is the right one."""
    digest, length = hashlib.sha256(), 0
    with http.get(
        address, allow_redirects=False, stream=True, headers={"Accept-Encoding": "identity"}
    ) as answer:
        for chunk in answer.iter_content(_CHUNK):
            digest.update(chunk)
            length += len(chunk)
    return answer, str(length) if digest.hexdigest() == sha256 else "other"


def _kind(media: Media) -> str:
    try:
        with media.path.open("rb") as file:
            kind = content_type(file.read(64))
    except OSError as error:
        raise Rejected(N_("The file of a picture cannot be read."), code=media.path.name) from error
    if kind not in SUFFIXES:
        raise Rejected(N_("The public media store takes pictures and videos only."), code=media.path.name)
    return kind


def _copy(media: Media, to: Path) -> int:
    """Copy the approved file, hashing it on the way; raise Rejected if it is not the approved one."""
    digest, size = hashlib.sha256(), 0
    try:
        with media.path.open("rb") as source, to.open("wb") as target:
            while chunk := source.read(_CHUNK):
                digest.update(chunk)
                size += target.write(chunk)
    except OSError as error:
        raise Rejected(N_("The file of a picture cannot be read."), code=media.path.name) from error
    if digest.hexdigest() != media.sha256:
        raise Rejected(N_("The file of a picture changed after it was approved."), code=media.path.name)
    return size


def _write_whole(files: Any, source: Path, target: str) -> None:
    """Write beside the target and move: a reader, or a crash, meets the whole file or none."""
    folder, _, name = target.rpartition("/")
    # The suffix stays last, because some back ends take the content type from it.
    part = f"{folder}/.{secrets.token_hex(8)}.{name}"
    try:
        files.put_file(str(source), part)
        if "file" in (files.protocol if isinstance(files.protocol, tuple) else (files.protocol,)):
            files.chmod(part, 0o644)  # the daemon's umask must not hide it from the web server
        files.mv(part, target)
    except BaseException:
        if files.exists(part):
            files.rm_file(part)
        raise


def _is_private(host: str) -> bool:
    if is_loopback(host):  # practice and tests
        return False
    try:
        return not ipaddress.ip_address(host.strip("[]")).is_global
    except ValueError:
        return "." not in host


__all__ = ["SUFFIXES", "MediaStore"]
