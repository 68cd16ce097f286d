"""Pairs of noise and what a trained model makes of it, to learn the same way in fewer steps (reflow)."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Float
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor

from gaussiandiffusion.ground.attributes import ConditionSpec
from gaussiandiffusion.ground.conditions import Conditions
from gaussiandiffusion.ground.errors import InputError
from gaussiandiffusion.ground.files import atomic_path
from gaussiandiffusion.ground.records import parse_json, to_record
from gaussiandiffusion.ground.seeds import Stream, seed_for
from gaussiandiffusion.ground.threads import side_by_side
from gaussiandiffusion.models.precision import Precision, mixed
from gaussiandiffusion.pipeline import GaussianDiffusion, Run, checked_run

BLOCK = 2048  # pairs a file, at most
FILE = "pairs-{:05d}.safetensors"
KEY = "gaussiandiffusion"  # of the files' header


@dataclass(frozen=True)
class Pairs:
    """Noise, the latent that the teacher's sampler leads it to, and what was asked for."""

    noise: Float[Tensor, "n ..."]
    latents: Float[Tensor, "n ..."]
    conditions: Conditions


def teacher_pairs(
    teacher: GaussianDiffusion,
    count: int,
    folder: Path,
    *,
    steps: int,
    guidance: float = 1.0,
    guidance_below: float = 1.0,
    weaker: GaussianDiffusion | None = None,
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
        weaker: a model to guide away from, see `Guidance`.
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
        "teacher": teacher.weights_sha256,
    }  # fmt: skip
    if guidance_below < 1:
        header["guidance_below"] = guidance_below
    if weaker is not None:
        header["weaker"] = weaker.weights_sha256
    run = checked_run(
        teacher, count, num_inference_steps=steps, guidance_scale=guidance, guidance_interval=(0.0, guidance_below),
        weaker=weaker, seed=seed_for(seed, Stream.TEACHER),
    )  # fmt: skip
    chunk = teacher.chunk_size
    block = BLOCK // chunk * chunk or chunk
    blocks = []
    for number, part in enumerate(run.chunks(block)):
        path = folder / FILE.format(number)
        if path.is_file():
            blocks.append(_read(path, header, part, teacher.representation.latent_shape))
        else:
            blocks.append(_make(teacher, part, precision))
            _write(path, blocks[-1], header)
        if progress is not None:
            progress(len(part.conditions))
    joined = {
        name: torch.cat([part[name] for part in blocks]) for name in ("noise", "latents", *_asked(run.conditions))
    }
    return Pairs(joined["noise"], joined["latents"], _conditions(joined, teacher.condition_spec, count, folder))


def kept_precision(folder: Path) -> Precision | None:
    """In which a folder's pairs were made; None where there are none yet.

    Raises:
        InputError: the first file is damaged.
    """
    path = folder / FILE.format(0)
    if not path.is_file():
        return None
    found = _header(path)
    precision = found.get("precision") if isinstance(found, dict) else None
    return to_record(precision, Precision, f"{path}: precision")


def _make(teacher: GaussianDiffusion, run: Run, precision: Precision) -> dict[str, Tensor]:
    """The first and the last state of every sample of a block."""

    def ends(part: Run) -> dict[str, Tensor]:
        with mixed(teacher.device, precision):
            first, *_, last = teacher.states(part)
        states = {"noise": first, "latents": last}
        return {name: state.latent[: len(part.conditions)].float().cpu() for name, state in states.items()}

    parts = list(side_by_side(ends, run.chunks(teacher.chunk_size), teacher.threads))
    return {name: torch.cat([part[name] for part in parts]) for name in ("noise", "latents")} | _asked(run.conditions)


def _asked(conditions: Conditions) -> dict[str, Tensor]:
    """What was asked for, as it is kept."""
    if not conditions.spec:
        return {}
    labels = conditions.labels
    return {"conditions": conditions.values.clone()} if labels is None else {"labels": labels.clone()}


def _conditions(joined: dict[str, Tensor], spec: ConditionSpec, count: int, folder: Path) -> Conditions:
    if not spec:
        return Conditions.ask(spec, count)
    values = joined["labels"][:, None] if "labels" in joined else joined["conditions"]
    if bool(((values < 0) | (values > values.new_tensor(spec.sizes))).any()):
        raise InputError(f"{folder}: a condition of its pairs is none of the teacher's; delete them to make them again")
    return Conditions(spec, values)


def _write(path: Path, block: dict[str, Tensor], header: dict[str, Any]) -> None:
    with atomic_path(path) as temporary:
        save_file(block, temporary, metadata={KEY: json.dumps(header, sort_keys=True)})


def _opened(path: Path, read: Callable[[Any], Any]) -> Any:
    try:
        with safe_open(path, "pt") as file:
            return read(file)
    except Exception as error:  # safetensors raises its own kind
        raise InputError(f"{path}: is damaged ({error}); delete it, and it is made again") from error


def _header(path: Path) -> Any:
    return _opened(path, lambda file: parse_json((file.metadata() or {}).get(KEY, "null"), path))


def _read(path: Path, header: dict[str, Any], run: Run, shape: tuple[int, ...]) -> dict[str, Tensor]:
    if _header(path) != header:
        raise InputError(f"{path}: holds pairs of another teacher or other settings; delete it or use another folder")
    block = _opened(path, lambda file: {name: file.get_tensor(name) for name in file.keys()})  # noqa: SIM118 (no dict)
    numbers = torch.empty(len(run.conditions), *shape, device="meta")
    for name, due in {"noise": numbers, "latents": numbers, **_asked(run.conditions)}.items():
        held = block.get(name)
        if held is None or (held.shape, held.dtype) != (due.shape, due.dtype) or not bool(held.isfinite().all()):
            raise InputError(
                f"{path}: its {name} are not finite {due.dtype} {list(due.shape)}; delete it, and it is made again"
            )
    return block
