"""What a pipeline is asked for, checked before any work."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from torch import Tensor

from gaussiandiffusion.diffusion import Guidance, prediction_of, prepared
from gaussiandiffusion.ground.attributes import CLASS, ConditionSpec, Value
from gaussiandiffusion.ground.conditions import Conditions, Request
from gaussiandiffusion.ground.errors import InputError
from gaussiandiffusion.models import Network
from gaussiandiffusion.representation import Representation

if TYPE_CHECKING:
    from gaussiandiffusion.pipeline.pipeline import GaussianDiffusionPipeline

Labels = Value | Sequence[Value] | Tensor


@dataclass(frozen=True)
class Run:
    """Samples `first` ... and what they are asked to be, and how they are made."""

    conditions: Conditions
    steps: int
    guidance: Guidance
    seed: int = 0
    eta: float = 0.0
    first: int = 0

    def chunks(self, size: int) -> Iterator[Run]:
        """The same in parts of at most `size` samples."""
        for start in range(0, len(self.conditions), size):
            part = self.conditions.select(slice(start, start + size))
            yield replace(self, conditions=part, first=self.first + start)


def checked_run(
    pipeline: GaussianDiffusionPipeline,
    num_samples: int,
    class_labels: Labels = None,
    conditions: Request | None = None,
    *,
    steps: int | None = None,
    guidance_scale: float | None = None,
    guidance_interval: tuple[float, float] = (0.0, 1.0),
    weaker: GaussianDiffusionPipeline | None = None,
    seed: int = 0,
    eta: float = 0.0,
    first: int = 0,
) -> Run:
    """A request that the model can take; arguments as `GaussianDiffusionPipeline.__call__`.

    Raises:
        InputError: it cannot.
    """
    spec, config = pipeline.condition_spec, pipeline.config
    if num_samples < 1:
        raise InputError(f"the number of samples must be >= 1, not {num_samples}")
    if first % pipeline.chunk_size:
        raise InputError(f"first_sample must be a multiple of {pipeline.chunk_size}, not {first}")
    if not spec and weaker is None and guidance_scale not in (None, 1):
        raise InputError("guidance needs a class-conditional model; this one is unconditional, leave it at 1")
    if seed < 0:
        raise InputError(f"the seed must be >= 0, not {seed}")
    steps = config.num_inference_steps if steps is None else steps
    prepared(pipeline.scheduler, steps)  # refuses impossible steps
    scale = config.guidance_scale if guidance_scale is None else guidance_scale
    guidance = Guidance(scale, *guidance_interval, None if weaker is None else weaker_network(pipeline, weaker))
    asked = Conditions.ask(spec, num_samples, _request(spec, class_labels, conditions), seed=seed, first=first)
    return Run(asked, steps, guidance, seed, eta, first)


def _request(spec: ConditionSpec, class_labels: Labels, conditions: Request | None) -> Request:
    if class_labels is None:
        return conditions or {}
    if conditions:
        raise InputError("give class_labels or conditions, not both")
    if not spec:
        raise InputError("this model is unconditional; leave the class label out")
    if len(spec.attributes) > 1:
        known = ", ".join(spec.attributes)
        raise InputError(f"this model has several attributes ({known}); give conditions={{'NAME': VALUE}} instead")
    return {next(iter(spec.attributes), CLASS): class_labels}


def weaker_network(pipeline: GaussianDiffusionPipeline, other: GaussianDiffusionPipeline) -> Network:
    """The network of a model that this one can be guided away from.

    Raises:
        InputError: it works in another latent space, predicts something else or knows other classes.
    """
    if other.config.latent_space != pipeline.config.latent_space:
        raise InputError("the weaker model works in another latent space; take a snapshot of the same training")
    alike = other.condition_spec.sizes == pipeline.condition_spec.sizes
    if prediction_of(other.scheduler) != prediction_of(pipeline.scheduler) or not alike:
        raise InputError("the weaker model has another objective or other classes than the model it is to guide")
    return other.denoiser


def check_fit(network: Network, representation: Representation[Any]) -> None:
    """Refuse a network for latents of other features or anchors.

    Raises:
        InputError: it is one.
    """
    wanted = network.config.get("num_features")
    if wanted is None:
        return  # a pixel network, known by its sample size
    features = representation.latent_shape[-1]
    anchors = 0 if representation.anchors is None else representation.anchors.shape[1]
    if wanted != features or network.num_anchor_features not in (0, anchors):
        raise InputError(
            f"the network takes {wanted} features and {network.num_anchor_features} of an anchor a splat, the "
            f"representation has {features} and {anchors}; take both from the same model"
        )
