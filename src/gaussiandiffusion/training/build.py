"""What a configuration stands for: the objective, the network that is to learn it, and the pipeline it becomes."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

from gaussiandiffusion.diffusion import Objective, Scheduler, make_scheduler, prepared
from gaussiandiffusion.ground.attributes import Absent
from gaussiandiffusion.ground.errors import InputError
from gaussiandiffusion.ground.weights import MIB
from gaussiandiffusion.models import Network, make_network
from gaussiandiffusion.pipeline import GaussianDiffusion
from gaussiandiffusion.representation import Representation
from gaussiandiffusion.training.config import ObjectiveConfig, SamplerConfig, TrainConfig
from gaussiandiffusion.training.latents import TrainingSet


def build_objective(config: ObjectiveConfig, bounded: bool) -> Objective:
    """The objective of a training; clean latents that are bounded are clipped by samplers."""
    return Objective(
        config.prediction,
        config.num_train_timesteps,
        config.beta_schedule,
        config.logit_mean,
        config.logit_std,
        clip_sample=bounded,
        times=config.times,
    )


def build_network(config: TrainConfig, data: TrainingSet) -> Network:
    """The teacher's network, or one with new weights, from PyTorch's global generator, or with those it begins with.

    Raises:
        InputError: the model to begin with is not there, or of another network.
    """
    if data.teacher is not None:
        return copy.deepcopy(data.teacher.denoiser).requires_grad_(True).train()
    anchors = data.representation.anchors
    network = make_network(
        config.network.size,
        data.representation.latent_shape,
        conditions=data.conditions.spec,
        num_anchor_features=0 if anchors is None else anchors.shape[1],
    ).train()
    if config.network.begin is not None:
        _begin(network, config.network.begin)
    return network


def _begin(network: Network, name: str) -> None:
    """Give a network the weights of a saved model."""
    trained = GaussianDiffusion.from_pretrained(name).denoiser
    if type(trained) is not type(network) or trained.config != network.config:
        others = {key for key, value in network.config.items() if trained.config.get(key) != value}
        what = ", ".join(sorted(others)) or type(trained).__name__
        raise InputError(f"{name}: is of another network than this training's ({what}); give its size and data")
    network.load_state_dict(trained.state_dict())


def build_scheduler(objective: Objective, defaults: SamplerConfig) -> Scheduler:
    """The sampler of the pipeline that is saved.

    Raises:
        InputError: it cannot integrate the objective, or not in so many steps.
    """
    scheduler = objective.scheduler
    if defaults.scheduler is not None:
        scheduler = make_scheduler(defaults.scheduler, scheduler)
    prepared(scheduler, defaults.num_inference_steps)
    return scheduler


def build_pipeline(
    network: Network,
    representation: Representation[Any],
    objective: Objective,
    defaults: SamplerConfig,
    absent: Absent | None = None,
) -> GaussianDiffusion:
    """A trained network as a pipeline, with the defaults that its training named.

    Args:
        absent: which values never came together in its training set.
    """
    return GaussianDiffusion(
        network,
        representation,
        build_scheduler(objective, defaults),
        num_inference_steps=defaults.num_inference_steps,
        guidance_scale=defaults.guidance_scale,
        absent=absent,
    )


def save_pipeline(pipeline: GaussianDiffusion, folder: Path, shard_size: float) -> None:
    """Write a model's folder, the network's weights in files of at most so many MiB; 0: in one.

    Raises:
        InputError: the folder cannot be written to, or a single tensor is larger.
    """
    pipeline.save_pretrained(folder)
    if shard_size:
        pipeline.denoiser.save_pretrained(folder / "denoiser", int(shard_size * MIB))
