"""Objectives, guidance and samplers over latents."""

from gaussiandiffusion.diffusion.coupling import Coupling, couple
from gaussiandiffusion.diffusion.guidance import Guidance, drop_labels, guided
from gaussiandiffusion.diffusion.objectives import Objective
from gaussiandiffusion.diffusion.schedulers import (
    SAMPLERS,
    evaluations,
    make_scheduler,
    prediction_of,
    set_timesteps,
)

__all__ = [
    "SAMPLERS",
    "Coupling",
    "Guidance",
    "Objective",
    "couple",
    "drop_labels",
    "evaluations",
    "guided",
    "make_scheduler",
    "prediction_of",
    "set_timesteps",
]
