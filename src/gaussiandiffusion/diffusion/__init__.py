"""Objectives, guidance, bound denoisers and sampling over latents."""

from gaussiandiffusion.diffusion.coupling import Coupling, couple
from gaussiandiffusion.diffusion.denoiser import Denoiser
from gaussiandiffusion.diffusion.guidance import Guidance
from gaussiandiffusion.diffusion.objectives import Objective
from gaussiandiffusion.diffusion.sampling import State, sample
from gaussiandiffusion.diffusion.schedulers import (
    SAMPLERS,
    Scheduler,
    make_scheduler,
    passes,
    prediction_of,
    prepared,
    times_of,
)

__all__ = [
    "SAMPLERS",
    "Coupling",
    "Denoiser",
    "Guidance",
    "Objective",
    "Scheduler",
    "State",
    "couple",
    "make_scheduler",
    "passes",
    "prediction_of",
    "prepared",
    "sample",
    "times_of",
]
