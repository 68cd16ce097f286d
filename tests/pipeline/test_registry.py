"""Which components a model folder may be made of: exactly the expected ones."""

import json
import shutil
import sys
from pathlib import Path

import pytest

from gaussiandiffusion.ground.errors import InputError
from gaussiandiffusion.pipeline import GaussianDiffusionPipeline

SAVED = Path(__file__).parents[1] / "fixtures" / "saved"


@pytest.fixture
def folder(tmp_path):
    return shutil.copytree(SAVED / "template-few-step", tmp_path / "model")


def rewrite(path, **changes):
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"denoiser": ["os", "system"]}, "asks for code from os, which is not loaded"),
        ({"denoiser": ["antigravity", "GaussianTransformer"]}, "asks for code from antigravity"),
        ({"denoiser": ["gaussiandiffusionx", "GaussianTransformer"]}, "asks for code from gaussiandiffusionx"),
        ({"denoiser": ["diffusers", "UNet2DModel"]}, "is a UNet2DModel; GaussianTransformer or PixelUNet is due"),
        ({"denoiser": ["gaussiandiffusion", "GaussianDiffusionPipeline"]}, "is a GaussianDiffusionPipeline;"),
        ({"denoiser": ["gaussiandiffusion", "SplatRepresentation"]}, "is a SplatRepresentation;"),
        ({"representation": ["gaussiandiffusion", "LatentTransform"]}, "is a LatentTransform;"),
        ({"scheduler": ["diffusers", "DiffusionPipeline"]}, "there is no scheduler called DiffusionPipeline"),
        ({"scheduler": ["diffusers", "SchedulerMixin"]}, "there is no scheduler called SchedulerMixin"),
        ({"scheduler": ["diffusers", "os"]}, "there is no scheduler called os"),
        ({"scheduler": ["diffusers", "DDPMScheduler"]}, "holds a FlowMatchFewStepScheduler, the index says DDPM"),
        ({"denoiser": []}, r"denoiser: expected array of length 2"),
        ({"denoiser": "GaussianTransformer"}, "denoiser: expected array"),
        ({"denoiser": [None, None]}, r"denoiser\[0\]: expected str, got null"),
        ({"denoiser": None}, "denoiser: expected array"),
        ({"vae": ["diffusers", "AutoencoderKL"]}, "component 'vae' is none of a model's"),
        ({"inner": {"_class_name": "DiffusionPipeline"}}, "component 'inner' is none of a model's"),
        ({"_class_name": "StableDiffusionPipeline"}, "holds a StableDiffusionPipeline"),
        ({"num_inference_steps": 0}, "num_inference_steps: expected int >= 1"),
        ({"num_inference_steps": "many"}, "num_inference_steps: expected int, got str"),
        ({"guidance_scale": "strong"}, "guidance_scale: expected float, got str"),
        ({"chunk_size": 10**9}, "chunk_size: expected int <= 65536"),
        ({"latent_space": "0" * 64}, "trained in another latent space"),
    ],
)
def test_indices_that_ask_for_anything_else_are_refused(folder, changes, complaint):
    rewrite(folder / "model_index.json", **changes)
    before = set(sys.modules)
    with pytest.raises(InputError, match=complaint):
        GaussianDiffusionPipeline.from_pretrained(folder)
    assert "antigravity" not in set(sys.modules) - before


@pytest.mark.parametrize("text", ["[]", "3", "null", "{", "", "[" * 5000, '{"a":' * 5000])
def test_an_index_that_is_no_table_is_refused(folder, text):
    (folder / "model_index.json").write_text(text)
    with pytest.raises(InputError, match=r"model_index\.json"):
        GaussianDiffusionPipeline.from_pretrained(folder)


@pytest.mark.parametrize(
    ("part", "changes", "complaint"),
    [
        (
            "denoiser",
            {"_class_name": "PixelUNet"},
            "holds a PixelUNet; GaussianTransformer is due there",
        ),
        ("denoiser", {"_class_name": "Linear"}, "holds a Linear; GaussianTransformer is due there"),
        ("denoiser", {"width": "16"}, "width: expected int, got str"),
        ("denoiser", {"width": 10**12}, "width must lie between 1 and 65536"),
        ("denoiser", {"depth": 10**9}, "depth must lie between 1 and 256"),
        ("denoiser", {"width": 60_000}, "its weights do not fit"),
        ("denoiser", {"num_heads": 0}, "num_heads must lie between"),
        ("denoiser", {"sparkle": 1}, "GaussianTransformer takes no 'sparkle'"),
        ("denoiser", {"conditions": {"class": ["a", "a"]}}, "values of different names"),
        ("denoiser", {"conditions": {"class": []}}, "values of different names"),
        ("denoiser", {"conditions": [1]}, "conditions: expected object"),
        ("denoiser", {"num_classes": 10**12}, "its weights do not fit"),
        ("representation", {"height": -8}, "is empty"),
        ("representation", {"height": 10**7, "width": 10**7}, "is too large"),
        ("representation", {"encoder": {"num_splats": 10**9}}, "number of splats must lie between"),
        ("representation", {"encoder": {"start": "magic"}}, "unknown start 'magic'"),
        ("representation", {"encoder": [1]}, "encoder: expected object"),
        ("representation", {"form": "angles"}, "form: must be log_covariance or deviations, not 'angles'"),
        ("scheduler", {"num_train_timesteps": 10**15}, "expected int <= 100000"),
        ("scheduler", {"last_level": 7}, r"last_level must lie in \(0, 1\]"),
        ("scheduler", {"solver_order": "two"}, "makes no FlowMatchFewStepScheduler"),
    ],
)
def test_configurations_that_no_component_has_are_refused(folder, part, changes, complaint):
    name = "scheduler_config.json" if part == "scheduler" else "config.json"
    rewrite(folder / part / name, **changes)
    with pytest.raises(InputError, match=complaint):
        GaussianDiffusionPipeline.from_pretrained(folder)


@pytest.mark.parametrize("part", ["denoiser", "representation", "scheduler"])
@pytest.mark.parametrize("text", ["[]", "null", "{", "[" * 5000])
def test_configurations_that_are_no_table_are_refused(folder, part, text):
    name = "scheduler_config.json" if part == "scheduler" else "config.json"
    (folder / part / name).write_text(text)
    with pytest.raises(InputError, match=rf"{part}/{name}"):
        GaussianDiffusionPipeline.from_pretrained(folder)


def test_components_may_be_given_and_others_are_refused(folder):
    pipeline = GaussianDiffusionPipeline.from_pretrained(folder)
    swapped = GaussianDiffusionPipeline.from_pretrained(
        folder, scheduler=pipeline.with_scheduler("euler").scheduler, num_inference_steps=7
    )
    assert type(swapped.scheduler).__name__ == "FlowMatchEulerDiscreteScheduler"
    assert swapped.config.num_inference_steps == 7
    with pytest.raises(InputError, match="takes no 'vae'"):
        GaussianDiffusionPipeline.from_pretrained(folder, vae=None)
