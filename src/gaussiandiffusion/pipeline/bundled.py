"""Where a model's name leads: a folder, a bundled model, or a repository on the Hub."""

from __future__ import annotations

import os
import re
from importlib import resources
from pathlib import Path

from gaussiandiffusion.ground.errors import InputError


def bundled_models() -> dict[str, Path]:
    """Folders of the models that come with the package, by name."""
    root = Path(str(resources.files("gaussiandiffusion") / "pretrained"))
    return {path.parent.name: path.parent for path in sorted(root.glob("*/model_index.json"))}


def resolve_model(name: str | os.PathLike[str]) -> Path:
    """The folder of a model given as an existing path, a bundled name, or owner/name on the Hub (downloaded).

    Raises:
        InputError: nothing of that name.
    """
    text = os.fspath(name)
    if Path(text).is_dir():
        folder = Path(text)
    elif text in (bundled := bundled_models()):
        folder = bundled[text]
    elif re.fullmatch(r"[\w.-]+/[\w.-]+", text) and not Path(text).parent.is_dir():
        folder = _download(text)
    else:
        known = ", ".join(bundled) or "none"
        raise InputError(f"no model '{text}': neither a folder nor a bundled model ({known}) nor owner/name on the Hub")
    return folder


def _download(repository: str) -> Path:
    from huggingface_hub import snapshot_download

    patterns = ["*.json", "*/*.json", "*/*.safetensors", "README.md"]
    try:
        return Path(snapshot_download(repository, allow_patterns=patterns))
    except Exception as error:  # the hub raises many kinds; the user needs one sentence
        reason = str(error).splitlines()[0]
        raise InputError(f"model '{repository}' could not be fetched from the Hub ({reason})") from error
