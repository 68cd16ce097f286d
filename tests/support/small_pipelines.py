"""Small untrained pipelines over sets of grey pictures."""

import torch

from gaussiandiffusion.diffusion import Objective
from gaussiandiffusion.encoding import make_encoder
from gaussiandiffusion.ground.attributes import ConditionSpec
from gaussiandiffusion.models import make_transformer
from gaussiandiffusion.pipeline import GaussianDiffusionPipeline
from gaussiandiffusion.representation import SplatRepresentation


def make_pipeline(images, num_classes=3, prediction="flow", **kwargs):
    """An untrained model over sets of 8 splats, its output layer randomised so that it does something."""
    encoder = make_encoder(1, num_splats=8, iterations=10)
    representation = SplatRepresentation.fit(encoder, encoder.encode(images).splats, per_slot=False)
    torch.manual_seed(0)
    network = make_transformer("tiny", num_features=6, conditions=ConditionSpec.of_classes(num_classes).to_dict())
    torch.nn.init.normal_(network.out.weight, std=0.05)
    scheduler = Objective(prediction).scheduler
    pipeline = GaussianDiffusionPipeline(network.eval(), representation, scheduler, chunk_size=4, **kwargs)
    pipeline.set_progress_bar_config(disable=True)
    return pipeline


def equal(a, b):
    return all(torch.equal(x, y) for x, y in zip(a.tensors().values(), b.tensors().values(), strict=True))
