"""Where a model's name leads: a folder, a bundled model, or a repository on the Hub."""

from __future__ import annotations

import json
import os
import re
from importlib import resources
from pathlib import Path

from gaussiandiffusion.errors import InputError

# Classes a pipeline folder may name: ours and diffusers'. Anything else would import foreign code.
_TRUSTED = re.compile(r"gaussiandiffusion(\.\w+)*|diffusers(\.\w+)*")


def bundled_models() -> dict[str, Path]:
    """Folders of the models that come with the package, by name."""
    root = Path(str(resources.files("gaussiandiffusion") / "pretrained"))
    return {path.parent.name: path.parent for path in sorted(root.glob("*/model_index.json"))}


def resolve_model(name: str | os.PathLike[str]) -> Path:
    """The folder of a model given as an existing path, a bundled name, or owner/name on the Hub (downloaded).

    Raises:
        InputError: nothing of that name, no pipeline in the folder, or one that names foreign classes.
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
    check_pipeline_folder(folder)
    return folder


def check_pipeline_folder(folder: Path) -> None:
    """Refuse folders that hold no pipeline, or one made of classes other than this package's and diffusers'."""
    try:
        index = json.loads((folder / "model_index.json").read_text())
        entries = {key: value for key, value in index.items() if isinstance(value, list)}
    except FileNotFoundError:
        raise InputError(f"{folder}: holds no model (model_index.json is missing)") from None
    except (OSError, ValueError, AttributeError) as error:
        raise InputError(f"{folder}/model_index.json: is not readable ({error})") from error
    if index.get("_class_name") != "GaussianDiffusionPipeline":
        raise InputError(f"{folder}: holds a {index.get('_class_name')}, not a GaussianDiffusionPipeline")
    for key, value in entries.items():
        if len(value) != 2 or not _TRUSTED.fullmatch(str(value[0])):
            raise InputError(f"{folder}: component '{key}' asks for code from {value[0]}, which is not loaded")
    for needed in ("denoiser", "representation", "scheduler"):
        if needed not in entries:
            raise InputError(f"{folder}/model_index.json: component '{needed}' is missing")


def _download(repository: str) -> Path:
    from huggingface_hub import snapshot_download

    patterns = ["*.json", "*/*.json", "*/*.safetensors", "README.md"]
    try:
        return Path(snapshot_download(repository, allow_patterns=patterns))
    except Exception as error:  # the hub raises many kinds; the user needs one sentence
        reason = str(error).splitlines()[0]
        raise InputError(f"model '{repository}' could not be fetched from the Hub ({reason})") from error
