"""What a model is asked for, checked before any work, and the states that lead to it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from numbers import Integral
from typing import Any, Protocol, runtime_checkable

import torch
from jaxtyping import Float
from torch import Tensor

from gaussiandiffusion.diffusion import Denoiser, Guidance, Scheduler, State, prediction_of, prepared, sample
from gaussiandiffusion.diffusion.sampling import Project, Steer, draws_noise
from gaussiandiffusion.ground.attributes import CLASS, ConditionSpec, Value
from gaussiandiffusion.ground.conditions import Conditions, Request
from gaussiandiffusion.ground.errors import InputError
from gaussiandiffusion.ground.provenance import weights_sha256
from gaussiandiffusion.ground.seeds import generator_for, noise_for, noise_of
from gaussiandiffusion.models import Network
from gaussiandiffusion.representation import Representation

Labels = Value | Sequence[Value] | Tensor


@runtime_checkable
class Model(Protocol):
    """What a request knows of a pipeline."""

    denoiser: Network
    representation: Representation[Any]
    scheduler: Scheduler

    @property
    def config(self) -> Mapping[str, Any]: ...

    @property
    def condition_spec(self) -> ConditionSpec: ...

    @property
    def chunk_size(self) -> int: ...


@dataclass(frozen=True)
class Run:
    """Samples `first` ... and what they are asked to be, and how they are made."""

    conditions: Conditions
    steps: int
    guidance: Guidance
    seed: int = 0
    eta: float = 0.0
    first: int = 0
    noise: tuple[int, ...] | None = None  # numbers of the samples whose noise each has; None: its own
    sampler: Scheduler | None = None  # instead of the model's

    def noise_numbers(self, count: int) -> Sequence[int]:
        """The same of `count` samples, padding included."""
        if self.noise is None:
            return range(self.first, self.first + count)
        return self.noise + self.noise[-1:] * (count - len(self.noise))

    def chunks(self, size: int) -> Iterator[Run]:
        """The same in parts of at most `size` samples."""
        for start in range(0, len(self.conditions), size):
            part = self.conditions.select(slice(start, start + size))
            noise = None if self.noise is None else self.noise[start : start + size]
            yield replace(self, conditions=part, first=self.first + start, noise=noise)


def checked_run(
    model: Model,
    num_samples: int,
    class_labels: Labels = None,
    conditions: Request | Conditions | None = None,
    *,
    num_inference_steps: int | None = None,
    guidance_scale: float | None = None,
    guidance_interval: tuple[float, float] = (0.0, 1.0),
    weaker: Model | None = None,
    seed: int = 0,
    eta: float = 0.0,
    first_sample: int = 0,
    noise_samples: Sequence[int] | None = None,
) -> Run:
    """A request that the model can take; arguments as `GaussianDiffusion.__call__`.

    Raises:
        InputError: it cannot.
    """
    spec, config = model.condition_spec, model.config
    num_samples = whole("the number of samples", num_samples, 1)
    seed = whole("the seed", seed, 0)
    first = whole("first_sample", first_sample, 0)
    if first % model.chunk_size:
        raise InputError(f"first_sample must be a multiple of {model.chunk_size}, not {first}")
    if not spec and weaker is None and guidance_scale not in (None, 1):
        raise InputError("guidance needs a class-conditional model; this one is unconditional, leave it at 1")
    steps = config["num_inference_steps"] if num_inference_steps is None else num_inference_steps
    steps = whole("steps", steps, 1)
    prepared(model.scheduler, steps)  # refuses impossible steps
    scale = config["guidance_scale"] if guidance_scale is None else guidance_scale
    if len(guidance_interval) != 2:
        raise InputError(f"guidance_interval must be two shares (low, high), not {guidance_interval}")
    if weaker is not None and not isinstance(weaker, Model):
        raise InputError(f"weaker must be a pipeline, not {weaker!r:.40}; load it with from_pretrained")
    guidance = Guidance(scale, *guidance_interval, None if weaker is None else weaker_network(model, weaker))
    asked = Conditions.ask(spec, num_samples, _request(spec, class_labels, conditions), seed=seed, first=first)
    return Run(asked, steps, guidance, seed, eta, first, _noise_numbers(noise_samples, num_samples))


def _noise_numbers(numbers: Sequence[int] | None, count: int) -> tuple[int, ...] | None:
    if numbers is None:
        return None
    if len(numbers) != count:
        raise InputError(f"{len(numbers)} noise_samples were given for {count} samples; give one each")
    return tuple(whole("noise_samples", number, 0) for number in numbers)


def whole(name: str, value: object, least: int) -> int:
    """A whole number that is at least so much; raises InputError for anything else."""
    if not isinstance(value, Integral) or value < least:
        raise InputError(f"{name} must be >= {least}, not {value!r:.40}")
    return int(value)


def _request(spec: ConditionSpec, class_labels: Labels, conditions: Request | Conditions | None) -> Request:
    if class_labels is None:
        return conditions.words() if isinstance(conditions, Conditions) else conditions or {}
    if conditions:
        raise InputError("give class_labels or conditions, not both")
    if not spec:
        raise InputError("this model is unconditional; leave the class label out")
    if len(spec.attributes) > 1:
        known = ", ".join(spec.attributes)
        raise InputError(f"this model has several attributes ({known}); give conditions={{'NAME': VALUE}} instead")
    return {next(iter(spec.attributes), CLASS): class_labels}


def chunk_states(
    model: Model,
    run: Run,
    latent: Float[Tensor, "n ..."] | None,
    start: float,
    project: Project | None,
    steer: Steer | None,
) -> Iterator[State]:
    """States of one chunk of samples, padding included; arguments as `GaussianDiffusion.states`."""
    count, device = model.chunk_size, model.denoiser.device
    scheduler = prepared(run.sampler or model.scheduler, run.steps, start)
    shape, generators = model.representation.latent_shape, None
    if draws_noise(scheduler):
        generators = [generator_for(run.seed, number) for number in run.noise_numbers(count)]
    if latent is None and generators is not None:
        latent = torch.stack([torch.randn(shape, generator=generator) for generator in generators])
    elif latent is None and run.noise is None:
        latent = noise_for(run.seed, run.first, count, shape)
    elif latent is None:
        latent = noise_of(run.seed, run.noise_numbers(count), shape)
    yield from sample(
        chunk_denoiser(model, run), scheduler, latent.to(device), start=start, project=project, steer=steer,
        eta=run.eta, generators=generators,
    )  # fmt: skip


def chunk_denoiser(model: Model, run: Run) -> Denoiser:
    """The network bound to what one chunk of samples is asked to be, padding included."""
    return Denoiser(
        model.denoiser,
        run.conditions.padded(model.chunk_size).to(model.denoiser.device),
        model.representation.anchors if model.denoiser.num_anchor_features else None,
        run.guidance,
        model.scheduler.config["num_train_timesteps"],
    )


def weaker_network(model: Model, other: Model) -> Network:
    """The network of a model that this one can be guided away from.

    Raises:
        InputError: it works in another latent space, predicts something else or knows other classes.
    """
    if other.config["latent_space"] != model.config["latent_space"]:
        raise InputError("the weaker model works in another latent space; take a snapshot of the same training")
    alike = other.condition_spec.sizes == model.condition_spec.sizes
    if prediction_of(other.scheduler) != prediction_of(model.scheduler) or not alike:
        raise InputError("the weaker model has another objective or other classes than the model it is to guide")
    return other.denoiser


def check_fit(network: Network, representation: Representation[Any], latent_space: str | None) -> str:
    """Refuse a network for latents of other features, anchors or statistics; returns the latent space's checksum.

    Args:
        latent_space: checksum of the one that the network was trained in; None: this one.

    Raises:
        InputError: it is one.
    """
    # A setting that is not set counts for nothing, so that one that came later leaves older checksums as they were.
    settings = {name: value for name, value in representation.config.items() if value is not None}
    found = weights_sha256(representation.state_dict(), settings=settings)
    if latent_space not in (None, found):
        raise InputError(
            "the network was trained in another latent space (template or statistics) than this representation's; "
            "take both from the same model"
        )
    wanted = network.config.get("num_features")
    if wanted is None:
        return found  # a pixel network, known by its sample size
    features = representation.latent_shape[-1]
    anchors = 0 if representation.anchors is None else representation.anchors.shape[1]
    if wanted != features or network.num_anchor_features not in (0, anchors):
        raise InputError(
            f"the network takes {wanted} features and {network.num_anchor_features} of an anchor a splat, the "
            f"representation has {features} and {anchors}; take both from the same model"
        )
    return found
