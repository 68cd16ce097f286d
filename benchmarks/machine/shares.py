"""Figures as shares of what the machine could do, so that those of two machines can be compared."""

from __future__ import annotations

from collections.abc import Callable

from gaussiandiffusion.diffusion import Guidance, passes
from gaussiandiffusion.evaluation.cost.flops import pass_flops, training_flops
from gaussiandiffusion.models import make_network
from gaussiandiffusion.pipeline import GaussianDiffusion
from gaussiandiffusion.representation import PixelRepresentation


def operations() -> dict[str, float]:
    """GFLOPs of a sample, by the names of ceilings: only products of the networks count, all else is time alone."""
    found = {}
    for name, model in (("sampling", "mnist"), ("sampling-few", "mnist-few")):
        made = GaussianDiffusion.from_pretrained(model)
        defaults = made.config
        count = passes(made.scheduler, defaults["num_inference_steps"], Guidance(defaults["guidance_scale"]))
        found[name] = count * pass_flops(made.denoiser, made.representation) / 1e9
    found["sampling-all"] = found["sampling"]
    found["training"] = training_flops(made.denoiser, made.representation) / 1e9
    pixels = PixelRepresentation(28, 28, 1)
    unet = make_network("unet", pixels.latent_shape, conditions=made.condition_spec)
    found["training-unet"] = training_flops(unet, pixels) / 1e9
    return found


def share(name: str, unit: str, value: float, machine: dict[str, float], work: dict[str, float]) -> float | None:
    """How much of the ceiling called `name` a figure reaches, 0 to 1; None where there is none."""
    rules: dict[str, Callable[[], float]] = {
        "import": lambda: machine["import_torch_seconds"] / value,
        "sampling": lambda: 1e3 * work["sampling"] / value / machine["gflops_one_thread"],
        "sampling-few": lambda: 1e3 * work["sampling-few"] / value / machine["gflops_one_thread"],
        "sampling-all": lambda: 1e3 * work["sampling-all"] / value / machine["gflops"],
        "training": lambda: work["training"] * value / max(machine["gflops"], machine["gflops_bfloat16"]),
        "training-unet": lambda: work["training-unet"] * value / max(machine["gflops"], machine["gflops_bfloat16"]),
    }
    return rules[name]() if name in rules else None
