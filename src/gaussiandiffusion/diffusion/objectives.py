"""What a network learns: the noising process, the target, and the way back to the clean latent."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any, Literal, get_args

import torch
from jaxtyping import Float
from torch import Tensor

from gaussiandiffusion.ground.errors import InputError

Prediction = Literal["epsilon", "v_prediction", "flow"]
Times = Literal["uniform", "logit_normal"]


@dataclass(frozen=True)
class Objective:
    """A diffusion objective over latents x0 with Gaussian noise e.

    "epsilon" and "v_prediction": x_t = sqrt(abar_t) x0 + sqrt(1 - abar_t) e at integer t < T; the target is e, or
    sqrt(abar_t) e - sqrt(1 - abar_t) x0 (Ho et al., 2020; Salimans and Ho, 2022). "flow": x_s = (1 - s) x0 + s e
    with s in (0, 1) and t = 1000 s; the target is e - x0 (Lipman et al., 2023; Liu et al., 2023).

    Args:
        prediction: one of the three.
        num_train_timesteps: T; the published system has 200, pixels usually 1000. Flow: 1000, a unit of time only.
        beta_schedule: "linear" (betas scaled by 1000 / T, so that every T ends in noise) or "cosine"
            (Nichol and Dhariwal, 2021); not used by flow.
        times: law of the training times: "uniform", or "logit_normal", in which the logarithm of noise over signal is
            normal: flow times are then sigmoid(mean + std z) (Esser et al., "SD3", 2024, section 3.1), and discrete
            processes take the nearest of theirs. Default: "logit_normal" for flow, else "uniform".
        logit_mean, logit_std: of that normal law.
        clip_sample: the clean latents lie in [-1, 1], and samplers bring every estimate of one there. "epsilon" under
            "cosine" needs it, however many the steps: at the last time sqrt(abar) is 2e-4, and to divide by it turns
            the slightest error of the network into the estimate. Not used by flow, which divides by nothing.

    The preconditioning and weighting of EDM (Karras et al., 2022) are "v_prediction" with "logit_normal" times of mean
    -1.2 and deviation 1.2: for data of deviation 1, as standardised latents are, their scaled input is x_t, their
    network's target is -v, and all levels weigh alike.
    """

    prediction: Prediction = "flow"
    num_train_timesteps: int = 1000
    beta_schedule: Literal["linear", "cosine"] = "cosine"
    logit_mean: float = 0.0
    logit_std: float = 1.0
    clip_sample: bool = False
    times: Times | None = None

    def __post_init__(self) -> None:
        if self.prediction not in ("epsilon", "v_prediction", "flow"):
            raise InputError(f"unknown prediction '{self.prediction}'; choose epsilon, v_prediction or flow")
        if self.beta_schedule not in ("linear", "cosine"):
            raise InputError(f"unknown beta schedule '{self.beta_schedule}'; choose linear or cosine")
        if self.times not in (None, *get_args(Times)):
            raise InputError(f"unknown times '{self.times}'; choose uniform or logit_normal")
        if self.num_train_timesteps < 1:
            raise InputError(f"num_train_timesteps must be >= 1, not {self.num_train_timesteps}")
        if self.prediction == "flow" and self.num_train_timesteps != 1000:
            raise InputError("flow matching counts time in 1000ths; leave num_train_timesteps at 1000")

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)

    @cached_property
    def scheduler(self) -> Scheduler:
        """The diffusers scheduler this objective was defined by; others are made `from_config`."""
        from diffusers import DDPMScheduler, FlowMatchEulerDiscreteScheduler  # slow to import

        if self.prediction == "flow":
            return FlowMatchEulerDiscreteScheduler(num_train_timesteps=self.num_train_timesteps)
        scale = 1000 / self.num_train_timesteps
        return DDPMScheduler(
            num_train_timesteps=self.num_train_timesteps,
            beta_schedule="linear" if self.beta_schedule == "linear" else "squaredcos_cap_v2",
            beta_start=1e-4 * scale,
            beta_end=min(0.02 * scale, 0.999),
            prediction_type=self.prediction,
            # Thresholding at 1 clips to [-1, 1]; unlike diffusers' own clip_sample, every sampler knows it.
            clip_sample=False,
            thresholding=self.clip_sample,
            sample_max_value=1.0,
        )

    def sample_timesteps(self, count: int, generator: torch.Generator) -> Float[Tensor, " n"]:
        """Random training times in 0 ... T, on the generator's device: whole numbers for the discrete processes."""
        flow, total, device = self.prediction == "flow", self.num_train_timesteps, generator.device
        if (self.times or ("logit_normal" if flow else "uniform")) == "uniform":
            if flow:
                return torch.rand(count, generator=generator, device=device) * total
            return torch.randint(total, (count,), generator=generator, device=device).float()
        logits = self.logit_mean + self.logit_std * torch.randn(count, generator=generator, device=device)
        if flow:
            return torch.sigmoid(logits) * total
        abar = self._abar(device)
        known = ((1 - abar) / abar).log() / 2  # of noise over signal, rising
        return torch.bucketize(logits, (known[1:] + known[:-1]) / 2).float()

    @cached_property
    def _tables(self) -> dict[torch.device, Tensor]:
        return {}

    def _abar(self, device: torch.device) -> Float[Tensor, " t"]:
        """The discrete processes' table, copied to a device once: a copy waits for all that the device has to do."""
        if device not in self._tables:
            self._tables[device] = self.scheduler.alphas_cumprod.to(device)
        return self._tables[device]

    def coefficients(self, timesteps: Float[Tensor, " n"], like: Tensor) -> tuple[Tensor, Tensor]:
        """Weights (n, 1, ...) of signal and noise in x_t, shaped to multiply `like` (n, ...)."""
        timesteps = timesteps.view(-1, *[1] * (like.ndim - 1))
        if self.prediction == "flow":
            sigma = timesteps / self.num_train_timesteps
            return 1 - sigma, sigma
        abar = self._abar(timesteps.device)[timesteps.long()]
        return abar.sqrt(), (1 - abar).sqrt()

    def add_noise(
        self, clean: Float[Tensor, "n ..."], noise: Float[Tensor, "n ..."], timesteps: Float[Tensor, " n"]
    ) -> Float[Tensor, "n ..."]:
        signal, sigma = self.coefficients(timesteps, clean)
        return signal * clean + sigma * noise

    def target(
        self, clean: Float[Tensor, "n ..."], noise: Float[Tensor, "n ..."], timesteps: Float[Tensor, " n"]
    ) -> Float[Tensor, "n ..."]:
        """What the network should output."""
        if self.prediction == "epsilon":
            return noise
        if self.prediction == "flow":
            return noise - clean
        signal, sigma = self.coefficients(timesteps, clean)
        return signal * noise - sigma * clean

    def clean(
        self, noisy: Float[Tensor, "n ..."], output: Float[Tensor, "n ..."], timesteps: Float[Tensor, " n"]
    ) -> Float[Tensor, "n ..."]:
        """The clean latent that a network output stands for."""
        signal, sigma = self.coefficients(timesteps, noisy)
        if self.prediction == "epsilon":
            return (noisy - sigma * output) / signal
        if self.prediction == "flow":
            return noisy - sigma * output
        return signal * noisy - sigma * output
