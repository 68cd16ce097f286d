"""Fetching a data set's files once, into the user's cache folder."""

from __future__ import annotations

import hashlib
import http.client
import os
import urllib.error
import urllib.request
import zlib
from pathlib import Path
from typing import IO

from gaussiandiffusion.data.datasets import DatasetSpec, PublishedFile
from gaussiandiffusion.ground.errors import InputError
from gaussiandiffusion.ground.files import atomic_path

TIMEOUT = 30.0  # seconds without an answer
CHUNK = 1 << 16
GZIP = 31  # zlib's word for "gzip, largest window"


class MirrorError(Exception):
    """One mirror did not give the file; the next may."""


def cache_folder(name: str) -> Path:
    """Where a data set is kept: `gaussiandiffusion/datasets/NAME` in XDG_CACHE_HOME or `~/.cache`."""
    base = os.environ.get("XDG_CACHE_HOME", "")
    root = Path(base) if os.path.isabs(base) else Path.home() / ".cache"  # the XDG rule: relative ones are ignored
    return root / "gaussiandiffusion" / "datasets" / name


def fetch(spec: DatasetSpec, split: str, again: bool = False) -> Path:
    """The cache folder with the files of a split, downloaded unless they are there.

    Args:
        again: download even if they are there.

    Raises:
        InputError: it cannot be downloaded, no mirror gave a file with the right checksum, or the cache cannot be
            written to.
    """
    if not spec.files:
        raise InputError(f"{spec.name}: is not downloaded by this program; {spec.how_to_get}")
    for file in spec.files[split]:
        target = cache_folder(spec.name) / file.published
        if again or not target.is_file():
            _fetch_file(spec, file, split, target)
    return cache_folder(spec.name)


def _fetch_file(spec: DatasetSpec, file: PublishedFile, split: str, target: Path) -> None:
    failures = []
    for mirror in spec.mirrors:
        url = mirror + file.published
        try:
            with atomic_path(target) as temporary, open(temporary, "wb") as output:
                _download(url, file, output)
            return
        except MirrorError as error:
            failures.append(f"{url} ({error})")
    raise InputError(
        f"{spec.name}: cannot be downloaded; tried {', '.join(failures)}; "
        f"try again later, or give --data-dir DIR with {spec.wanted(split)}"
    )


def _download(url: str, file: PublishedFile, output: IO[bytes]) -> None:
    """Copy `url` to `output`; size and sum are checked alongside, of the unpacked bytes where they are packed.

    Raises:
        MirrorError: anything wrong at the other end (own disk errors stay OSError).
    """
    from tqdm import tqdm

    digest = hashlib.sha256()
    unpacker = zlib.decompressobj(GZIP) if file.gzipped else None
    size = 0
    try:
        request = urllib.request.Request(url, headers={"User-Agent": "gaussiandiffusion"})
        response = urllib.request.urlopen(request, timeout=TIMEOUT)
    except urllib.error.HTTPError as error:
        error.close()
        raise MirrorError(f"HTTP {error.code} {error.reason}") from None
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise MirrorError(_reason(error)) from None
    length = response.headers.get("Content-Length", "")
    total = int(length) if length.isdecimal() else None
    with response, tqdm(total=total, unit="B", unit_scale=True, desc=file.published) as bar:
        while unpacker is None or not unpacker.eof:
            try:
                chunk = response.read(CHUNK)
                content = unpacker.decompress(chunk) if unpacker else chunk
            except zlib.error:
                raise MirrorError("what came is not gzip") from None
            except (OSError, http.client.HTTPException) as error:
                raise MirrorError(_reason(error)) from None
            if not chunk:
                break
            digest.update(content)
            size += len(content)
            if size > file.size:
                raise MirrorError("the file is larger than published")
            output.write(chunk)
            bar.update(len(chunk))
    broken_off = (total is not None and bar.n < total) if unpacker is None else not unpacker.eof
    if broken_off:
        raise MirrorError("the download broke off")
    if (unpacker and unpacker.unused_data) or size != file.size or digest.hexdigest() != file.sha256:
        raise MirrorError("the checksum differs")


def _reason(error: Exception) -> str:
    """The short cause of a network error, without nesting."""
    cause = getattr(error, "reason", error)
    if isinstance(cause, TimeoutError):
        return "no answer in time"
    return str(getattr(cause, "strerror", None) or cause or type(error).__name__)
