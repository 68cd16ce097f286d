"""GaussianDiffusionPipeline: noise -> splat sets -> pictures."""

from __future__ import annotations

import inspect
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from diffusers import DiffusionPipeline
from diffusers.utils import BaseOutput, logging
from jaxtyping import Float, Int64
from torch import Tensor

from gaussiandiffusion.diffusion import Guidance, guided, make_scheduler, prediction_of, set_timesteps
from gaussiandiffusion.diffusion.noise import generator_for
from gaussiandiffusion.errors import InputError
from gaussiandiffusion.pipeline.bundled import resolve_model
from gaussiandiffusion.rendering.pictures import to_image
from gaussiandiffusion.representation import fingerprint
from gaussiandiffusion.splats import Splats


@dataclass
class GaussianDiffusionOutput(BaseOutput):
    """Generated sets: `images` [N, C, H, W] in [0, 1] (or PIL), `splats` (None from a model of pixels), `labels` [N]
    or None, and on request `trajectory`, the denoised sets (or images) after each step, noise first."""

    images: Any
    splats: Splats | None = None
    labels: Int64[Tensor, " n"] | None = None
    trajectory: list[Splats] | list[Tensor] | None = None


class GaussianDiffusionPipeline(DiffusionPipeline):
    """Generate splat sets, or with a baseline's model pixels.

    Args:
        denoiser: `GaussianTransformer`, or a baseline's network.
        representation: its seam to images (`SplatRepresentation`, `PixelRepresentation`).
        scheduler: any diffusers scheduler that integrates the model's prediction; `with_scheduler` swaps it.
        num_inference_steps, guidance_scale: defaults of a call, chosen when the model was made.
        chunk_size: sets per run of the network. Fixed, the last chunk padded, so that a sample is the same
            however many are asked for.
        latent_space: fingerprint of the representation that the network was trained in, as saved with it; None: this
            one.

    Raises:
        InputError: a network and a representation that do not belong together.
    """

    def __init__(
        self,
        denoiser: Any,
        representation: Any,
        scheduler: Any,
        num_inference_steps: int = 10,
        guidance_scale: float = 1.0,
        chunk_size: int = 32,
        latent_space: str | None = None,
    ) -> None:
        super().__init__()
        _check_fit(denoiser, representation)
        if latent_space is None:
            latent_space = fingerprint(representation)
        elif latent_space != fingerprint(representation):
            raise InputError(
                "the network was trained in another latent space (template or statistics) than this representation's; "
                "take both from the same model"
            )
        self.register_modules(denoiser=denoiser, representation=representation, scheduler=scheduler)
        self.register_to_config(
            num_inference_steps=num_inference_steps,
            guidance_scale=guidance_scale,
            chunk_size=chunk_size,
            latent_space=latent_space,
        )

    @classmethod
    def from_pretrained(
        cls, name: str | os.PathLike[str], dtype: torch.dtype | None = None, **kwargs: Any
    ) -> GaussianDiffusionPipeline:
        """Load a model: an existing folder, a bundled name ("mnist"), or owner/name on the Hub.

        Args:
            dtype: of the network, such as torch.bfloat16; latents, statistics and pictures stay in float32. The older
                name that diffusers has for it, `torch_dtype`, is understood too.

        Raises:
            InputError: no such model, or a damaged or foreign folder.
        """
        dtype = kwargs.pop("torch_dtype", None) or dtype or torch.float32
        folder = resolve_model(name)
        # diffusers loads components only from modules that are already imported.
        import gaussiandiffusion.models
        import gaussiandiffusion.representation  # noqa: F401 (diffusers looks them up)

        bars = logging.is_progress_bar_enabled()
        logging.disable_progress_bar()  # three components load faster than a bar draws
        try:
            pipeline = super().from_pretrained(folder, low_cpu_mem_usage=False, **kwargs)
            torch.nn.Module.to(pipeline.denoiser, dtype)
            for part in (pipeline, pipeline.denoiser, pipeline.representation):
                part.register_to_config(_name_or_path="")  # a copy that is saved need not tell where this one lay
            return pipeline
        except InputError:
            raise
        except Exception as error:  # diffusers and safetensors raise many kinds
            raise InputError(f"{folder}: the model cannot be loaded ({str(error).splitlines()[0]})") from error
        finally:
            if bars:
                logging.enable_progress_bar()

    @property
    def num_classes(self) -> int:
        return self.denoiser.config.num_classes

    def with_scheduler(self, name: str) -> GaussianDiffusionPipeline:
        """The same model with another sampler (see `diffusion.schedulers.SAMPLERS`)."""
        components = self.components | {"scheduler": make_scheduler(name, self.scheduler)}
        names = ("num_inference_steps", "guidance_scale", "chunk_size", "latent_space")
        defaults = {name: self.config[name] for name in names}
        return type(self)(**components, **defaults)

    @torch.inference_mode()
    def __call__(
        self,
        num_samples: int = 1,
        class_labels: int | Sequence[int] | Tensor | None = None,
        num_inference_steps: int | None = None,
        guidance_scale: float | None = None,
        guidance_interval: tuple[float, float] = (0.0, 1.0),
        weaker: GaussianDiffusionPipeline | None = None,
        seed: int = 0,
        eta: float = 0.0,
        size: int | tuple[int, int] | None = None,
        output_type: str = "pt",
        return_trajectory: bool = False,
        callback: Callable[[int], None] | None = None,
        first_sample: int = 0,
    ) -> GaussianDiffusionOutput:
        """Generate.

        Args:
            num_samples: N >= 1.
            class_labels: one class for all, or one each; default: 0 ... C-1 in turn. Unconditional models: None.
            num_inference_steps: steps of the sampler; default: the model's.
            guidance_scale: classifier-free guidance, 1 = off; default: the model's.
            guidance_interval: shares of the process (0: data, 1: noise) between which it applies, see `Guidance`.
            weaker: a less trained or smaller model to guide away from, see `diffusion.guided`; default: itself without
                the class.
            seed: sample i depends on (seed, i) alone.
            eta: share of fresh noise in DDIM, 0 to 1.
            size: pixels of the pictures; default: the canvas.
            output_type: "pt" (tensor) or "pil".
            return_trajectory: keep the denoised sets after each step.
            callback: called with the number of network steps done since the last call.
            first_sample: index of the first sample, to go on with a set begun in another call; a multiple of
                the chunk size.

        Raises:
            InputError: counts, labels, steps or guidance that this model cannot take.
        """
        steps = self.config.num_inference_steps if num_inference_steps is None else num_inference_steps
        scale = self.config.guidance_scale if guidance_scale is None else guidance_scale
        guidance = Guidance(scale, *guidance_interval, None if weaker is None else self.weaker_network(weaker))
        labels = self._labels(num_samples, class_labels, first_sample)
        if first_sample % self.config.chunk_size:
            raise InputError(f"first_sample must be a multiple of {self.config.chunk_size}, not {first_sample}")
        if labels is None and weaker is None and guidance_scale not in (None, 1):
            raise InputError("guidance needs a class-conditional model; this one is unconditional, leave it at 1")
        if seed < 0:
            raise InputError(f"the seed must be >= 0, not {seed}")
        if output_type not in ("pt", "pil"):
            raise InputError(f"unknown output_type '{output_type}'; choose pt or pil")
        set_timesteps(self.scheduler, steps)  # refuses impossible steps before any work
        chunk = self.config.chunk_size
        pictures: list[Tensor] = []
        trajectories: list[list[Any]] = []
        for start in range(0, num_samples, chunk):
            part = None if labels is None else labels[start : start + chunk]
            path = self.denoise_chunk(
                first_sample + start, part, steps, guidance, seed=seed, eta=eta, keep_path=return_trajectory,
                callback=callback,
            )  # fmt: skip
            # Decoded and drawn with the padding too: vectorised exp rounds by an element's place in its block.
            states = [self.representation.decode(latent) for latent in path]
            keep = min(chunk, num_samples - start)
            pictures.append(self.representation.draw(states[-1], size)[:keep])
            trajectories.append([state[:keep] for state in states])
        images = torch.cat(pictures)
        states = [_joined(parts) for parts in zip(*trajectories, strict=True)]
        return GaussianDiffusionOutput(
            images=to_pil(images) if output_type == "pil" else images,
            splats=states[-1] if isinstance(states[-1], Splats) else None,
            labels=labels,
            trajectory=states if return_trajectory else None,
        )

    @torch.inference_mode()
    def denoise_chunk(
        self,
        start: int,
        labels: Int64[Tensor, " n"] | None,
        steps: int,
        guidance: Guidance,
        *,
        seed: int = 0,
        eta: float = 0.0,
        keep_path: bool = False,
        callback: Callable[[int], None] | None = None,
    ) -> list[Float[Tensor, "c ..."]]:
        """Latents of samples start ... start + chunk_size - 1, padding included.

        Args:
            labels: of the samples that are wanted; None from an unconditional model.
            keep_path: keep the noise and all steps; else the last latent alone.
        """
        chunk = self.config.chunk_size
        device = self.denoiser.device
        generators = [generator_for(seed, start + i) for i in range(chunk)]
        shape = self.representation.latent_shape
        latent = torch.stack([torch.randn(shape, generator=g) for g in generators]).to(device)
        if labels is not None:
            labels = torch.cat([labels, labels[-1:].expand(chunk - len(labels))]).to(device)
        anchors = self.representation.anchors if self.denoiser.config.get("num_anchor_features") else None
        # 1. a fresh scheduler state: multi-step solvers remember earlier steps
        timesteps = set_timesteps(self.scheduler, steps)
        latent = latent * self.scheduler.init_noise_sigma if hasattr(self.scheduler, "init_noise_sigma") else latent
        extra = _step_arguments(self.scheduler, generators, eta)
        path = [latent]
        for t in timesteps:
            # 2. predict
            scaled = self.scheduler.scale_model_input(latent, t) if _scales_input(self.scheduler) else latent
            time = torch.full((chunk,), float(t), device=device)
            share = float(t) / self.scheduler.config.num_train_timesteps
            prediction = guided(
                self.denoiser, scaled, time, labels, anchors,
                guidance_scale=guidance.at(share), null_label=self.num_classes, weaker=guidance.weaker,
            ).float()  # fmt: skip
            # 3. step
            latent = self.scheduler.step(prediction, t, latent, **extra).prev_sample
            path = [*path, latent] if keep_path else [latent]
            if callback is not None:
                callback(1)
        return path

    def weaker_network(self, other: GaussianDiffusionPipeline) -> Any:
        """The network of a model that this one can be guided away from.

        Raises:
            InputError: it works in another latent space, predicts something else or knows other classes.
        """
        if other.config.latent_space != self.config.latent_space:
            raise InputError("the weaker model works in another latent space; take a snapshot of the same training")
        if prediction_of(other.scheduler) != prediction_of(self.scheduler) or other.num_classes != self.num_classes:
            raise InputError("the weaker model has another objective or other classes than the model it is to guide")
        return other.denoiser

    def _labels(
        self, num_samples: int, class_labels: int | Sequence[int] | Tensor | None, first_sample: int
    ) -> Int64[Tensor, " n"] | None:
        if num_samples < 1:
            raise InputError(f"the number of samples must be >= 1, not {num_samples}")
        count = self.num_classes
        if not count:
            if class_labels is not None:
                raise InputError("this model is unconditional; leave the class label out")
            return None
        if class_labels is None:
            return torch.arange(first_sample, first_sample + num_samples) % count
        labels = torch.as_tensor(class_labels).long().cpu()
        labels = labels.expand(num_samples) if labels.ndim == 0 else labels
        if len(labels) != num_samples:
            raise InputError(f"{len(labels)} class labels were given for {num_samples} samples; give one each")
        if bool(((labels < 0) | (labels >= count)).any()):
            bad = int(labels[(labels < 0) | (labels >= count)][0])
            raise InputError(f"class label {bad} is unknown to this model; labels run from 0 to {count - 1}")
        return labels


def _check_fit(denoiser: Any, representation: Any) -> None:
    """Refuse a network for latents of other features or anchors."""
    wanted = denoiser.config.get("num_features")
    if wanted is None:
        return  # a pixel network, known by its sample size
    features = representation.latent_shape[-1]
    anchors = 0 if representation.anchors is None else representation.anchors.shape[1]
    if wanted != features or denoiser.config.num_anchor_features not in (0, anchors):
        raise InputError(
            f"the network takes {wanted} features and {denoiser.config.num_anchor_features} of an anchor a splat, the "
            f"representation has {features} and {anchors}; take both from the same model"
        )


def _joined(parts: Sequence[Any]) -> Splats | Tensor:
    """Chunks of decoded samples as one batch."""
    return Splats.cat(parts) if isinstance(parts[0], Splats) else torch.cat(list(parts))


def to_uint8(images: Float[Tensor, "n c h w"]) -> Tensor:
    """Pictures in [0, 1] as 8-bit, the way they are saved."""
    return (images * 255).round().to(torch.uint8).cpu()


def to_pil(images: Float[Tensor, "n c h w"]) -> list[Any]:
    """Pictures as PIL images."""
    return [to_image(picture) for picture in to_uint8(images)]


def _scales_input(scheduler: Any) -> bool:
    return hasattr(scheduler, "scale_model_input")


def _step_arguments(scheduler: Any, generators: list[torch.Generator], eta: float) -> dict[str, Any]:
    accepted = inspect.signature(scheduler.step).parameters
    extra: dict[str, Any] = {}
    if "eta" in accepted:
        extra["eta"] = eta
    elif eta:
        raise InputError(f"eta is for the ddim scheduler only, not {type(scheduler).__name__}; leave it at 0")
    if "generator" in accepted:
        extra["generator"] = generators
    return extra
