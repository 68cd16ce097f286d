"""Small untrained models of characters that walk and slash."""

from typing import Any

import torch

from gaussiandiffusion.diffusion.few_steps import FlowMatchFewStepScheduler
from gaussiandiffusion.ground.attributes import ConditionSpec
from gaussiandiffusion.models import make_network
from gaussiandiffusion.pipeline import GaussianDiffusion
from gaussiandiffusion.representation import PixelRepresentation, SplatRepresentation

WALKER = ConditionSpec(
    {
        "hair": ("red", "green"),
        "action": ("walk", "slash"),
        "direction": ("front", "left"),
        "frame": ("0", "1", "2", "3"),
    },
    absent={"action": {"slash": {"frame": ["3"]}}},
)


def walker(spec: ConditionSpec = WALKER, *, pixels: bool = False, **settings: Any) -> GaussianDiffusion:
    """A model of 8x8 pictures, of six splats or of pixels, that hears all that is asked."""
    torch.manual_seed(0)
    if pixels:
        representation = PixelRepresentation(8, 8, 3, 4)
        anchors = 2
    else:
        representation = SplatRepresentation(8, 8, 3, {"num_splats": 6})
        transform = representation.latent_transform
        transform.mean[:] = torch.tensor([0.0, 0.0, -3.0, 0.0, 0.0, 0.5, 0.4, 0.3]) + 0.1 * torch.randn(6, 8)
        transform.std[:] = 0.3
        anchors = representation.anchors.shape[1]
    network = make_network("tiny", representation.latent_shape, conditions=spec, num_anchor_features=anchors)
    for parameter in network.parameters():
        torch.nn.init.normal_(parameter, std=0.2)
    settings = {"num_inference_steps": 2, "chunk_size": 8, "absent": spec.absent} | settings
    return GaussianDiffusion(network.eval(), representation, FlowMatchFewStepScheduler(), **settings)
