"""Fetching a data set's files once, into the user's cache folder."""

from __future__ import annotations

import hashlib
import http.client
import os
import urllib.error
import urllib.request
import zlib
from pathlib import Path
from typing import BinaryIO

from gaussiandiffusion.data.datasets import DatasetSpec, IdxFile
from gaussiandiffusion.errors import InputError
from gaussiandiffusion.files import atomic_path

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


def fetch(spec: DatasetSpec, split: str, again: bool = False) -> tuple[Path, Path]:
    """The images and labels file (.gz) of a split in the cache, downloaded unless they are there.

    Args:
        again: download even if they are there.

    Raises:
        InputError: no mirror gave a file with the right checksum, or the cache cannot be written to.
    """
    images, labels = (_fetch_file(spec, file, split, again) for file in spec.of_split(split))
    return images, labels


def _fetch_file(spec: DatasetSpec, file: IdxFile, split: str, again: bool) -> Path:
    target = cache_folder(spec.name) / f"{file.name}.gz"
    if target.is_file() and not again:
        return target
    failures = []
    for mirror in spec.mirrors:
        url = f"{mirror}{file.name}.gz"
        try:
            with atomic_path(target) as temporary, open(temporary, "wb") as output:
                _download(url, file, output)
            return target
        except MirrorError as error:
            failures.append(f"{url} ({error})")
    names = " and ".join(f"{wanted.name}.gz" for wanted in spec.of_split(split))
    raise InputError(
        f"{spec.name}: cannot be downloaded; tried {', '.join(failures)}; "
        f"try again later, or give --data-dir DIR with the files {names}"
    )


def _download(url: str, file: IdxFile, output: BinaryIO) -> None:
    """Copy `url` to `output`, unpacking alongside to check size and sum.

    Raises:
        MirrorError: anything wrong at the other end (own disk errors stay OSError).
    """
    from tqdm import tqdm

    digest = hashlib.sha256()
    unpacker = zlib.decompressobj(GZIP)
    unpacked = 0
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
    with response, tqdm(total=total, unit="B", unit_scale=True, desc=f"{file.name}.gz") as bar:
        while not unpacker.eof:
            try:
                chunk = response.read(CHUNK)
                content = unpacker.decompress(chunk)
            except zlib.error:
                raise MirrorError("what came is not gzip") from None
            except (OSError, http.client.HTTPException) as error:
                raise MirrorError(_reason(error)) from None
            if not chunk:
                raise MirrorError("the download broke off")
            digest.update(content)
            unpacked += len(content)
            if unpacked > file.size:
                raise MirrorError("the file is larger than published")
            output.write(chunk)
            bar.update(len(chunk))
    if unpacker.unused_data or unpacked != file.size or digest.hexdigest() != file.sha256:
        raise MirrorError("the checksum differs")


def _reason(error: Exception) -> str:
    """The short cause of a network error, without nesting."""
    cause = getattr(error, "reason", error)
    if isinstance(cause, TimeoutError):
        return "no answer in time"
    return str(getattr(cause, "strerror", None) or cause or type(error).__name__)
