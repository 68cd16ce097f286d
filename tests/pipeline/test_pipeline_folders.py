"""Pipelines as folders: written and read again, and folders that are none."""

import json
import shutil

import pytest
from small_pipelines import equal, make_pipeline

from gaussiandiffusion.encoding import make_encoder
from gaussiandiffusion.ground.errors import InputError
from gaussiandiffusion.models import make_transformer
from gaussiandiffusion.pipeline import GaussianDiffusionPipeline, resolve_model
from gaussiandiffusion.representation import SplatRepresentation


@pytest.fixture(scope="module")
def pipeline(strokes):
    return make_pipeline(strokes, num_inference_steps=3)


@pytest.mark.parametrize("scheduler", ["euler", "few-step"])
def test_saving_and_loading_is_identity(pipeline, tmp_path, scheduler):
    pipeline = pipeline.with_scheduler(scheduler)
    pipeline.save_pretrained(tmp_path / "model")
    loaded = GaussianDiffusionPipeline.from_pretrained(tmp_path / "model")
    assert loaded.config.num_inference_steps == 3
    assert equal(loaded(num_samples=2).splats, pipeline(num_samples=2).splats)
    assert type(loaded.scheduler) is type(pipeline.scheduler)


def test_a_model_that_is_loaded_and_saved_names_no_folder_of_this_machine(pipeline, tmp_path):
    pipeline.save_pretrained(tmp_path / "model")
    GaussianDiffusionPipeline.from_pretrained(tmp_path / "model").save_pretrained(tmp_path / "copy")
    texts = [path.read_text() for path in (tmp_path / "copy").rglob("*.json")]
    assert texts
    assert not any(str(tmp_path) in text for text in texts)


def test_a_folder_that_asks_for_foreign_code_is_refused(pipeline, tmp_path):
    folder = tmp_path / "model"
    pipeline.save_pretrained(folder)
    index = json.loads((folder / "model_index.json").read_text())
    index["denoiser"] = ["os", "system"]
    (folder / "model_index.json").write_text(json.dumps(index))
    with pytest.raises(InputError, match="asks for code from os, which is not loaded"):
        GaussianDiffusionPipeline.from_pretrained(folder)


def test_parts_of_different_models_are_refused(pipeline, strokes, tmp_path):
    encoder = make_encoder(1, num_splats=8, iterations=10)
    sets = encoder.encode(strokes).splats
    with pytest.raises(InputError, match="takes 7 features and 0 of an anchor a splat, the representation has 6 and 6"):
        GaussianDiffusionPipeline(
            make_transformer("tiny", num_features=7), SplatRepresentation.fit(encoder, sets), pipeline.scheduler
        )
    folder, other = tmp_path / "model", tmp_path / "other"
    pipeline.save_pretrained(folder)
    # the same shapes, fitted to other images: nothing else would tell
    stranger = SplatRepresentation.fit(encoder, encoder.encode(strokes[: len(strokes) // 2]).splats, per_slot=False)
    GaussianDiffusionPipeline(pipeline.denoiser, stranger, pipeline.scheduler).save_pretrained(other)
    shutil.rmtree(folder / "representation")
    shutil.copytree(other / "representation", folder / "representation")
    with pytest.raises(InputError, match="trained in another latent space"):
        GaussianDiffusionPipeline.from_pretrained(folder)


def test_damaged_and_missing_models_are_refused(pipeline, tmp_path):
    with pytest.raises(InputError, match="no model 'minst'"):
        resolve_model("minst")
    with pytest.raises(InputError, match=r"model_index\.json is missing"):
        GaussianDiffusionPipeline.from_pretrained(tmp_path)
    folder = tmp_path / "model"
    pipeline.save_pretrained(folder)
    weights = folder / "denoiser" / "diffusion_pytorch_model.safetensors"
    weights.write_bytes(weights.read_bytes()[:200])
    with pytest.raises(InputError, match=r"its weights do not fit its config\.json"):
        GaussianDiffusionPipeline.from_pretrained(folder)
    shutil.rmtree(folder / "denoiser")
    with pytest.raises(InputError, match=r"denoiser/config\.json: no such file"):
        GaussianDiffusionPipeline.from_pretrained(folder)
