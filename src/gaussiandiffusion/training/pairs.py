"""Pairs of noise and what a trained model makes of it, to learn the same way in fewer steps (reflow)."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import torch
from jaxtyping import Float, Int64
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor

from gaussiandiffusion.diffusion import Guidance
from gaussiandiffusion.ground.seeds import seed_for
from gaussiandiffusion.ground.errors import InputError
from gaussiandiffusion.ground.files import atomic_path
from gaussiandiffusion.pipeline import GaussianDiffusionPipeline
from gaussiandiffusion.training.streams import Stream

BLOCK = 2048  # pairs a file, at most
KEY = "gaussiandiffusion"  # of the files' header

Precision = Literal["no", "bf16", "fp16"]


@dataclass(frozen=True)
class Pairs:
    """Noise, the latent that the teacher's sampler leads it to, and the class that was asked for."""

    noise: Float[Tensor, "n ..."]
    latents: Float[Tensor, "n ..."]
    labels: Int64[Tensor, " n"] | None


def teacher_pairs(
    teacher: GaussianDiffusionPipeline,
    count: int,
    folder: Path,
    *,
    steps: int,
    guidance: float = 1.0,
    guidance_below: float = 1.0,
    weaker: GaussianDiffusionPipeline | None = None,
    precision: Precision = "no",
    seed: int = 0,
    progress: Callable[[int], object] | None = None,
) -> Pairs:
    """Pairs of a model, made block by block; blocks that `folder` has of these very settings are not made again.

    The paths from noise to data that a model learned cross and bend; those between its own noise and samples do so
    less, and a network trained on them needs fewer steps. Guidance goes into the samples: the student needs none.

    Args:
        teacher: a flow model; its noise is none that sampling with any small seed will draw.
        count: number of pairs; classes in turn.
        precision: of the network, as in training; noise and latents are kept in float32.
        guidance_below: the times (0: data, 1: noise) below which it applies.
        weaker: a model to guide away from, see `diffusion.guided`.
        folder: gets `pairs-00000.safetensors` ...
        progress: told the number of pairs made or found.

    Raises:
        InputError: the folder holds pairs of other settings, or a damaged file.

    Source: Liu, Gong and Liu, "Flow Straight and Fast: Learning to Generate and Transfer Data with Rectified Flow",
    ICLR 2023, section 2.
    """
    sampler = type(teacher.scheduler).__name__
    header = {
        "count": count, "guidance": guidance, "precision": precision, "sampler": sampler, "seed": seed, "steps": steps,
        "teacher": fingerprint(teacher),
    }  # fmt: skip
    if guidance_below < 1:
        header["guidance_below"] = guidance_below
    if weaker is not None:
        header["weaker"] = fingerprint(weaker)
    network = None if weaker is None else teacher.weaker_network(weaker)
    guided = Guidance(guidance, high=guidance_below, weaker=network)
    chunk = teacher.config.chunk_size
    block = BLOCK // chunk * chunk or chunk
    blocks = []
    for number, start in enumerate(range(0, count, block)):
        path = folder / f"pairs-{number:05d}.safetensors"
        size = min(block, count - start)
        if path.is_file():
            blocks.append(_read(path, header))
        else:
            with mixed(teacher.denoiser.device, precision):
                blocks.append(_make(teacher, start, size, steps, guided, seed_for(seed, Stream.TEACHER)))
            _write(path, blocks[-1], header)
        if progress is not None:
            progress(size)
    joined = {name: torch.cat([part[name] for part in blocks]) for name in blocks[0]}
    return Pairs(joined["noise"], joined["latents"], joined.get("labels"))


def mixed(device: torch.device, precision: Precision) -> AbstractContextManager[Any]:
    """Matrix products in half the bits, or nothing changed."""
    if precision == "no":
        return nullcontext()
    return torch.autocast(device.type, torch.bfloat16 if precision == "bf16" else torch.float16)


def fingerprint(pipeline: GaussianDiffusionPipeline) -> str:
    """SHA-256 of a model's weights and latent statistics."""
    digest = hashlib.sha256()
    for part in (pipeline.denoiser, pipeline.representation):
        for name, value in sorted(part.state_dict().items()):
            digest.update(name.encode())
            digest.update(value.float().cpu().numpy().tobytes())
    return digest.hexdigest()


def _make(
    teacher: GaussianDiffusionPipeline, first: int, size: int, steps: int, guidance: Guidance, seed: int
) -> dict[str, Tensor]:
    chunk, classes = teacher.config.chunk_size, teacher.num_classes
    found: dict[str, list[Tensor]] = {"noise": [], "latents": []}
    labels = torch.arange(first, first + size) % classes if classes else None
    for start in range(0, size, chunk):
        part = None if labels is None else labels[start : start + chunk]
        path = teacher.denoise_chunk(first + start, part, steps, guidance, seed=seed, keep_path=True)
        for name, latent in (("noise", path[0]), ("latents", path[-1])):
            found[name].append(latent[: size - start].float().cpu())
    made = {name: torch.cat(parts) for name, parts in found.items()}
    return made if labels is None else made | {"labels": labels}


def _write(path: Path, block: dict[str, Tensor], header: dict[str, Any]) -> None:
    with atomic_path(path) as temporary:
        save_file(block, temporary, metadata={KEY: json.dumps(header, sort_keys=True)})


def _read(path: Path, header: dict[str, Any]) -> dict[str, Tensor]:
    try:
        with safe_open(path, "pt") as file:
            found = json.loads((file.metadata() or {}).get(KEY, "null"))
            block = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (not a dict)
    except Exception as error:  # safetensors raises its own kind
        raise InputError(f"{path}: is damaged ({error}); delete it, and it is made again") from error
    if found != header:
        raise InputError(f"{path}: holds pairs of another teacher or other settings; delete it or use another folder")
    return block
