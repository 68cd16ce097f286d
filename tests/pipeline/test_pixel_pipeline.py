"""The pipeline over pixels: the same promises as over splats."""

import pytest
import torch

from gaussiandiffusion.diffusion import Objective
from gaussiandiffusion.ground.attributes import ConditionSpec
from gaussiandiffusion.ground.errors import InputError
from gaussiandiffusion.models import PixelUNet, make_network
from gaussiandiffusion.pipeline import GaussianDiffusionPipeline, checked_run
from gaussiandiffusion.representation import PixelRepresentation


def make_pipeline(patch, num_classes=3, prediction="flow"):
    """An untrained model of 16x16 pixels, every weight random so that it does something."""
    representation = PixelRepresentation(16, 16, 1, patch)
    torch.manual_seed(0)
    spec = ConditionSpec.of_classes(num_classes)
    if patch:
        network = make_network("tiny", representation.latent_shape, conditions=spec, num_anchor_features=2)
        for parameter in network.parameters():  # at its initialisation it heeds neither time nor class
            torch.nn.init.normal_(parameter, std=0.2)
    else:
        network = PixelUNet((16, 16), widths=(8, 32), attention=(1,), norm_groups=4, conditions=spec.to_dict())
    scheduler = Objective(prediction, clip_sample=representation.bounded).scheduler
    pipeline = GaussianDiffusionPipeline(network.eval(), representation, scheduler, num_inference_steps=3, chunk_size=4)
    pipeline.set_progress_bar_config(disable=True)
    return pipeline


@pytest.fixture(scope="module", params=[0, 4], ids=["unet", "patches"])
def pipeline(request):
    return make_pipeline(request.param)


def test_it_generates_images_and_no_splats(pipeline):
    out = pipeline(num_samples=5)
    assert out.splats is None
    assert out.images.shape == (5, 1, 16, 16)
    assert 0 <= float(out.images.min()) < float(out.images.max()) <= 1
    assert out.labels.tolist() == [0, 1, 2, 0, 1]
    assert pipeline(num_samples=1, size=40).images.shape == (1, 1, 40, 40)
    assert pipeline(num_samples=1, output_type="pil").images[0].size == (16, 16)


def test_a_sample_does_not_depend_on_how_many_are_asked_for(pipeline):
    many = pipeline(num_samples=6, class_labels=1, seed=5).images
    assert torch.equal(pipeline(num_samples=1, class_labels=1, seed=5).images, many[:1])
    assert torch.equal(pipeline(num_samples=2, class_labels=1, seed=5, first_sample=4).images, many[4:])
    assert not torch.equal(pipeline(num_samples=1, class_labels=1, seed=6).images, many[:1])


@pytest.mark.parametrize("patch", [0, 4], ids=["unet", "patches"])
def test_it_runs_in_half_precision(patch):
    exact = make_pipeline(patch)(2).images
    half = make_pipeline(patch).to(torch.bfloat16)(2).images
    assert half.dtype == torch.float32
    assert 0 < float((half - exact).abs().mean()) < 0.05


def test_class_and_guidance_change_the_images(pipeline):
    images = pipeline(num_samples=2, class_labels=[0, 1]).images
    other = pipeline(num_samples=2, class_labels=[0, 2]).images
    assert torch.equal(images[0], other[0])
    assert not torch.equal(images[1], other[1])
    assert not torch.equal(images, pipeline(num_samples=2, class_labels=[0, 1], guidance_scale=3.0).images)


def test_the_trajectory_is_images_from_noise_to_the_result(pipeline):
    out = pipeline(num_samples=5, num_inference_steps=4, return_trajectory=True, size=20)
    assert [state.shape for state in out.trajectory] == [(5, 1, 16, 16)] * 5
    assert torch.equal(pipeline.representation.draw(out.trajectory[-1], 20), out.images)


def test_saving_and_loading_is_identity(pipeline, tmp_path):
    pipeline.save_pretrained(tmp_path / "model")
    loaded = GaussianDiffusionPipeline.from_pretrained(tmp_path / "model")
    assert type(loaded.denoiser) is type(pipeline.denoiser)
    assert torch.equal(loaded(num_samples=2).images, pipeline(num_samples=2).images)


@pytest.mark.parametrize("patch", [0, 4])
def test_an_unconditional_model_takes_no_label(patch):
    unconditional = make_pipeline(patch, num_classes=0)
    assert unconditional(num_samples=1).labels is None
    with pytest.raises(InputError, match="unconditional; leave the class label out"):
        unconditional(class_labels=0)


def test_estimates_of_clean_pixels_stay_in_their_range():
    # An untrained network's estimate at the last cosine time is thousands; ten steps on it would still be far out.
    pipeline = make_pipeline(0, prediction="epsilon").with_scheduler("ddim")
    *_, last = pipeline.states(checked_run(pipeline, 4, 0, num_inference_steps=10))
    latents = last.latent
    assert float(latents.detach().abs().max()) <= 1 + 1e-5
