"""Where a model's name leads: a folder, a bundled model, or a repository on the Hub."""

from __future__ import annotations

import difflib
import os
import re
from importlib import resources
from pathlib import Path

from gaussiandiffusion.ground.errors import InputError


def bundled_models() -> dict[str, Path]:
    """Folders of the models that come with the package, by name."""
    root = Path(str(resources.files("gaussiandiffusion") / "pretrained"))
    return {path.parent.name: path.parent for path in sorted(root.glob("*/model_index.json"))}


def local_model(name: str | os.PathLike[str]) -> Path | None:
    """The folder of a model given as an existing path or a bundled name; None: it is an owner/name on the Hub.

    Raises:
        InputError: nothing of that name.
    """
    text = os.fspath(name)
    bundled = bundled_models()
    if Path(text).is_dir():
        return Path(text)
    if text in bundled:
        return bundled[text]
    if re.fullmatch(r"[\w.-]+/[\w.-]+", text) and not Path(text).parent.is_dir():
        return None
    near = difflib.get_close_matches(text, bundled, n=1)
    hint = f"; did you mean {near[0]}?" if near else ""
    known = ", ".join(bundled) or "none"
    raise InputError(
        f"no model '{text}': neither a folder nor a bundled model ({known}) nor owner/name on the Hub{hint}"
    )


def resolve_model(name: str | os.PathLike[str]) -> Path:
    """The folder of a model given as an existing path, a bundled name, or owner/name on the Hub (downloaded).

    Raises:
        InputError: nothing of that name.
    """
    folder = local_model(name)
    return _download(os.fspath(name)) if folder is None else folder


def _download(repository: str) -> Path:
    from huggingface_hub import snapshot_download

    patterns = ["*.json", "*/*.json", "*/*.safetensors", "README.md"]
    try:
        return Path(snapshot_download(repository, allow_patterns=patterns))
    except Exception as error:  # the hub raises many kinds; the user needs one sentence
        reason = str(error).splitlines()[0]
        raise InputError(f"model '{repository}' could not be fetched from the Hub ({reason})") from error
