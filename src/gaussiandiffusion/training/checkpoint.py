"""Training state on disk: whole or not at all, and refused by a training it does not belong to."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import Any

import torch

from gaussiandiffusion.ground.errors import InputError
from gaussiandiffusion.ground.files import atomic_path, read_json, write_json
from gaussiandiffusion.training.config import RESUMABLE, TrainConfig

KEEP = 2


def save_checkpoint(folder: Path, step: int, state: dict[str, Any], config: TrainConfig) -> Path:
    """Write `checkpoints/step-N.pt` and drop all but the last `KEEP`; the configuration lies beside them."""
    path = folder / "checkpoints" / f"step-{step:08d}.pt"
    write_json(folder / "config.json", config.to_dict())
    with atomic_path(path) as temporary:
        try:
            torch.save(state | {"step": step}, temporary)
        except RuntimeError as error:  # torch reports a full disk so
            raise OSError(str(error)) from error
    for old in checkpoints(folder)[:-KEEP]:
        old.unlink()
    return path


def checkpoints(folder: Path) -> list[Path]:
    """Complete checkpoints, oldest first."""
    found = (folder / "checkpoints").glob("step-*.pt")
    return sorted(path for path in found if re.fullmatch(r"step-\d+\.pt", path.name))


def load_checkpoint(folder: Path, config: TrainConfig) -> dict[str, Any] | None:
    """The newest readable state, or None where there is none yet.

    Raises:
        InputError: every checkpoint is damaged, or they belong to another configuration.
    """
    found = checkpoints(folder)
    if not found:
        return None
    check_same(folder, config)
    for path in reversed(found):
        try:
            return torch.load(path, weights_only=True, map_location="cpu")
        except Exception:  # zip, pickle and OS errors all mean: damaged
            continue
    raise InputError(f"{found[-1]}: is damaged, and so is every older checkpoint; train without --resume")


def check_same(folder: Path, config: TrainConfig) -> None:
    """Refuse to go on with settings other than the ones training began with."""
    # A setting that came after the checkpoint was written had its default's effect.
    before = TrainConfig().to_dict() | read_json(folder / "config.json")
    now = config.to_dict()
    for name in sorted(now.keys() - RESUMABLE):
        # A template is known by its checksum in the latents' header; its place may change.
        if before[name] != now[name] and not _both_templates(before[name], now[name]):
            raise InputError(
                f"{folder}: its checkpoint was trained with {name} = {before[name]!r}, not {now[name]!r}; "
                "use the same settings or another --output-dir"
            )


def check_latents(folder: Path, state: dict[str, Any], representation: dict[str, torch.Tensor]) -> None:
    """Refuse to go on with another template or other latent statistics than training began with, but for rounding."""
    before = state.get("representation")  # not kept by early versions
    if before is None:
        return
    same = before.keys() == representation.keys() and all(
        before[name].shape == value.shape and torch.allclose(before[name].cpu(), value.cpu(), rtol=1e-2, atol=1e-3)
        for name, value in representation.items()
    )
    if not same:
        raise InputError(
            f"{folder}: its checkpoint was trained in another latent space: the template, the images or the encoder "
            "changed; take those of then or another --output-dir"
        )


def clear(folder: Path) -> None:
    """Remove the states of an earlier training."""
    for name in ("checkpoints", "snapshots"):
        shutil.rmtree(folder / name, ignore_errors=True)


def _both_templates(before: Any, now: Any) -> bool:
    return all(isinstance(value, str) and value.startswith("template:") for value in (before, now))
