"""Training state on disk: whole or not at all, and refused by a training it does not belong to."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, NotRequired, TypedDict

import torch
from msgspec import Meta
from torch import Tensor, nn

from gaussiandiffusion.data.datasets import find_dataset
from gaussiandiffusion.ground.errors import InputError
from gaussiandiffusion.ground.files import atomic_path, write_json
from gaussiandiffusion.ground.records import read_record, to_record
from gaussiandiffusion.models.precision import Precision
from gaussiandiffusion.training.config import TrainConfig
from gaussiandiffusion.training.folder import checkpoints
from gaussiandiffusion.training.packing import packed, unpacked
from gaussiandiffusion.training.presets import flat_settings, to_config, to_flat

KEEP = 2
CONFIG_FILE = "config.json"
# Settings that may change between a checkpoint and its continuation: they do not alter the steps already taken.
RESUMABLE = {
    "max_steps",
    "log_every",
    "sample_every",
    "checkpoint_every",
    "snapshot_every",
    "shard_size",
    "scheduler",
    "num_inference_steps",
    "guidance_scale",
}


Count = Annotated[int, Meta(ge=0, le=2**53)]


class MomentsState(TypedDict):
    """What AdamW remembers of a parameter."""

    step: Tensor
    exp_avg: Tensor
    exp_avg_sq: Tensor


class Group(TypedDict):
    """What changes of AdamW's settings; the others are the configuration's."""

    lr: Annotated[float, Meta(ge=0)]


class OptimizerState(TypedDict):
    """By the parameters' numbers; of none before the first step."""

    state: dict[int, MomentsState]
    param_groups: Annotated[list[Group], Meta(min_length=1, max_length=1)]


class AverageState(TypedDict):
    """The averaged weights, as differences to the others; in checkpoints of before as they are."""

    optimization_step: Count
    differences: NotRequired[list[Tensor]]
    shadow_params: NotRequired[list[Tensor]]


@dataclass
class TrainState:
    """What a checkpoint holds, as dictionaries of tensors and numbers.

    Attributes:
        step: steps taken.
        model, optimizer, schedule, ema: their states; the schedule's follows from the step.
        representation: tensors of the latent space; None in checkpoints of early versions.
        seconds_per_step: that a budget was computed with.
        precision: of the network's products, as chosen when training began; None where the configuration says it.
    """

    step: Count
    model: dict[str, Tensor]
    optimizer: OptimizerState
    schedule: dict[str, Any]
    ema: AverageState
    representation: dict[str, Tensor] | None = None
    seconds_per_step: float | None = None
    precision: Precision | None = None


def save_checkpoint(folder: Path, state: TrainState, config: TrainConfig) -> Path:
    """Write `checkpoints/step-N.pt` and drop all but the last `KEEP`; the configuration lies beside them."""
    path = folder / "checkpoints" / f"step-{state.step:08d}.pt"
    write_json(folder / CONFIG_FILE, config.to_dict())
    with atomic_path(path) as temporary:
        try:
            torch.save(packed(vars(state)), temporary)
        except RuntimeError as error:  # torch reports a full disk so
            raise OSError(str(error)) from error
    for old in checkpoints(folder)[:-KEEP]:
        old.unlink()
    return path


def load_checkpoint(folder: Path, config: TrainConfig) -> TrainState | None:
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
            return to_record(unpacked(torch.load(path, weights_only=True, map_location="cpu")), TrainState, path)
        except Exception:  # zip, pickle and OS errors, and anything but a state, all mean: damaged
            continue
    raise InputError(f"{found[-1]}: is damaged, and so is every older checkpoint; train without --resume")


def check_same(folder: Path, config: TrainConfig) -> None:
    """Refuse to go on with settings other than the ones training began with."""
    # A setting that came after the checkpoint was written had its default's effect.
    before, now = saved_settings(folder), to_flat(config)
    for name in sorted(now.keys() - RESUMABLE):
        if before[name] != now[name] and not _means_the_same(name, before[name], now[name]):
            raise InputError(
                f"{folder}: its checkpoint was trained with {name} = {before[name]!r}, not {now[name]!r}; "
                "use the same settings or another --output-dir"
            )


def saved_settings(folder: Path) -> dict[str, Any]:
    """Flat settings that a folder's checkpoint was trained with."""
    path = folder / CONFIG_FILE
    return to_flat(to_config(flat_settings(read_record(path, dict[str, Any]), path), path))


def share_done(folder: Path, config: TrainConfig) -> float:
    """Share of a training's steps that its newest checkpoint has behind it; 0 where there is none."""
    found = checkpoints(folder)
    if not found:
        return 0.0
    budget = config.optimiser.budget is not None  # what it holds was found out when the training began
    last = saved_settings(folder)["max_steps"] if budget else config.optimiser.max_steps
    return min(1.0, int(found[-1].stem.removeprefix("step-")) / last)


def check_tensors(folder: Path, state: TrainState, network: nn.Module) -> None:
    """Refuse a state whose tensors are of other shapes than the network's, or hold no numbers to go on from."""
    moments = state.optimizer["state"]
    wanted = dict(enumerate((parameter.shape, True) for parameter in network.parameters()))
    held = {name: {i: kept[name] for i, kept in moments.items()} for name in ("exp_avg", "exp_avg_sq")}
    held["ema"] = dict(enumerate(state.ema.get("differences", state.ema.get("shadow_params", []))))
    for name, tensors in held.items():
        found = {i: (tensor.shape, tensor.is_floating_point()) for i, tensor in tensors.items()}
        if found != wanted and (moments or name == "ema"):
            raise InputError(f"{folder}: its checkpoint fits another model ({name} has other shapes or types)")
    weights = {name: value.shape for name, value in network.state_dict().items()}
    if {name: value.shape for name, value in state.model.items()} != weights:
        raise InputError(f"{folder}: its checkpoint fits another model (its weights have other names or shapes)")
    numbers = [*state.model.values(), *(tensor for tensors in held.values() for tensor in tensors.values())]
    steps = [kept["step"] for kept in moments.values()]
    positive = all(bool((tensor >= 0).all()) for tensor in held["exp_avg_sq"].values())
    counted = all(step.numel() == 1 and bool((step >= 0).all()) for step in steps)
    # Numbers whose squares overflow are none that a training comes to, and would end the next step.
    if not (positive and counted and all(bool(value.float().square().sum().isfinite()) for value in numbers)):
        raise InputError(f"{folder}: its checkpoint holds numbers that no training comes to; train without --resume")


def check_latents(folder: Path, state: TrainState, representation: dict[str, torch.Tensor]) -> None:
    """Refuse to go on with another template or other latent statistics than training began with, but for rounding."""
    before = state.representation
    if before is None:
        return
    same = before.keys() == representation.keys() and all(
        before[name].shape == value.shape and torch.allclose(before[name].to(value), value, rtol=1e-2, atol=1e-3)
        for name, value in representation.items()
    )
    if not same:
        raise InputError(
            f"{folder}: its checkpoint was trained in another latent space: the template, the images or the encoder "
            "changed; take those of then or another --output-dir"
        )


def _means_the_same(name: str, before: object, now: object) -> bool:
    if name == "mixed_precision":  # a choice that was left open is the one that training began with
        return now == "auto" and before in ("no", "bf16")
    if name == "splats":  # likewise; the latents' shape tells it
        return None in (before, now)
    if not (isinstance(before, str) and isinstance(now, str)):
        return False
    # A template is known by its tensors in the latents, images by the latents' statistics; their places may change.
    if name == "labels":
        return Path(before).name == Path(now).name
    if name == "data":
        return find_dataset(before) is None and find_dataset(now) is None and Path(before).name == Path(now).name
    return name == "start" and all(value == "template" or value.startswith("template:") for value in (before, now))
