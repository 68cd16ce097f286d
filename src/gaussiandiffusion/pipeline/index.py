"""`model_index.json`: which components a saved model is made of, read without importing any of them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any

from msgspec import Meta

from gaussiandiffusion.ground.attributes import ConditionSpec, saved_conditions
from gaussiandiffusion.ground.errors import InputError
from gaussiandiffusion.ground.records import is_file, parse_json, read_record, read_text, to_record

INDEX_FILE = "model_index.json"
CLASS_NAME = "GaussianDiffusionPipeline"
LIBRARY = "gaussiandiffusion"
KINDS = {
    "denoiser": ("GaussianTransformer", "PixelUNet"),
    "representation": ("SplatRepresentation", "PixelRepresentation"),
}
OLD_CHUNK = 32  # what every model was saved with until chunks went by device

Named = tuple[str, str]  # (library, class)


@dataclass(frozen=True)
class Index:
    """What `model_index.json` says."""

    denoiser: Named
    representation: Named
    scheduler: Named
    num_inference_steps: Annotated[int, Meta(ge=1, le=100_000)] = 10
    guidance_scale: Annotated[float, Meta(ge=-1000, le=1000)] = 1.0
    chunk_size: Annotated[int, Meta(ge=1, le=65_536)] | None = None
    latent_space: str | None = None
    absent: dict[str, dict[str, dict[str, list[str]]]] | None = None

    @property
    def components(self) -> dict[str, Named]:
        return {"denoiser": self.denoiser, "representation": self.representation, "scheduler": self.scheduler}

    @property
    def defaults(self) -> dict[str, Any]:
        """Arguments of the pipeline beside its components."""
        return {
            "num_inference_steps": self.num_inference_steps,
            "guidance_scale": self.guidance_scale,
            "chunk_size": None if self.chunk_size == OLD_CHUNK else self.chunk_size,
            "latent_space": self.latent_space,
            "absent": self.absent,
        }


def read_index(folder: Path) -> Index:
    """The index of a model's folder.

    Raises:
        InputError: there is none, it is damaged, or it asks for anything but a model's own components.
    """
    path = folder / INDEX_FILE
    if not is_file(path):
        raise InputError(f"{folder}: holds no model ({INDEX_FILE} is missing)")
    values = parse_json(read_text(path), path)
    if not isinstance(values, dict):
        raise InputError(f"{path}: must be a table of components, not {values!r:.40}")
    if values.get("_class_name") != CLASS_NAME:
        raise InputError(f"{folder}: holds a {values.get('_class_name')}, not a {CLASS_NAME}")
    for name in ("denoiser", "representation", "scheduler"):
        if name not in values:
            raise InputError(f"{path}: component '{name}' is missing")
    index = to_record(values, Index, path)
    known = index.components
    settings = index.defaults
    if foreign := [name for name, value in values.items()
                   if isinstance(value, list | dict) and name not in known and name not in settings]:  # fmt: skip
        raise InputError(f"{path}: component '{foreign[0]}' is none of a model's, and is not loaded")
    for name, (library, kind) in known.items():
        if library.split(".")[0] not in (LIBRARY, "diffusers"):
            raise InputError(f"{path}: component '{name}' asks for code from {library}, which is not loaded")
        if name in KINDS and kind not in KINDS[name]:
            raise InputError(f"{path}: component '{name}' is a {kind}; {' or '.join(KINDS[name])} is due there")
    return index


def read_conditions(folder: Path) -> ConditionSpec:
    """What the model in a folder can be asked for, by its network's configuration and its index.

    Raises:
        InputError: the configuration or the index is missing or damaged.
    """
    path = folder / "denoiser" / "config.json"
    named = saved_conditions(read_record(path, dict[str, Any]))
    spec = ConditionSpec(to_record(named or {}, dict[str, list[str]], f"{path}: conditions"))
    absent = read_index(folder).absent or {}
    try:
        return replace(spec, absent=absent)
    except InputError as error:
        raise InputError(f"{folder / INDEX_FILE}: {error}") from error
