"""A teacher's pairs: what its sampler makes of the noise, kept on disk, and learned in fewer steps."""

import pytest
import torch

from gaussiandiffusion.diffusion import Guidance, Objective
from gaussiandiffusion.encoding import make_encoder
from gaussiandiffusion.ground.attributes import ConditionSpec
from gaussiandiffusion.ground.errors import InputError
from gaussiandiffusion.ground.seeds import generator_for
from gaussiandiffusion.models import make_network, make_transformer
from gaussiandiffusion.pipeline import GaussianDiffusionPipeline
from gaussiandiffusion.representation import PixelRepresentation, SplatRepresentation
from gaussiandiffusion.training import pairs as module
from gaussiandiffusion.training.config import TrainConfig
from gaussiandiffusion.training.latents import load_training_set
from gaussiandiffusion.training.pairs import teacher_pairs
from gaussiandiffusion.training.presets import with_settings
from gaussiandiffusion.training.trainer import Trainer


def make_teacher(images, num_classes=3, prediction="flow"):
    """A random network of some strength, so that its paths bend."""
    encoder = make_encoder(1, num_splats=6, iterations=10)
    representation = SplatRepresentation.fit(encoder, encoder.encode(images).splats)
    torch.manual_seed(1)
    network = make_transformer(
        "tiny", num_features=6, conditions=ConditionSpec.of_classes(num_classes).to_dict(), num_anchor_features=6
    )
    for layer in (network.out, network.final):
        torch.nn.init.normal_(layer.weight, std=0.2)
    return GaussianDiffusionPipeline(network.eval(), representation, Objective(prediction).scheduler, chunk_size=8)


@pytest.fixture(scope="module")
def teacher(strokes):
    return make_teacher(strokes)


@pytest.fixture(scope="module")
def folder(teacher, tmp_path_factory):
    folder = tmp_path_factory.mktemp("teacher")
    teacher.save_pretrained(folder)
    return folder


def test_pairs_are_what_the_sampler_makes_of_the_noise(teacher, tmp_path):
    pairs = teacher_pairs(teacher, 10, tmp_path, steps=4, guidance=2.0)
    assert pairs.conditions.labels.tolist() == [0, 1, 2, 0, 1, 2, 0, 1, 2, 0]
    latent = pairs.noise[:8]
    labels, anchors = pairs.conditions.values[:8], teacher.representation.anchors
    with torch.no_grad():
        for time in (1.0, 0.75, 0.5, 0.25):  # Euler
            at = torch.full((8,), 1000 * time)
            named, unnamed = (teacher.denoiser(latent, at, c, anchors) for c in (labels, torch.full_like(labels, 3)))
            latent = latent - 0.25 * (unnamed + 2.0 * (named - unnamed))
    torch.testing.assert_close(latent, pairs.latents[:8], atol=1e-4, rtol=1e-4)


def test_guidance_below_a_time_leaves_the_noisier_steps_alone(teacher, tmp_path):
    never, plain, late = (
        teacher_pairs(teacher, 4, tmp_path / name, steps=4, **guidance).latents
        for name, guidance in (
            ("never", {"guidance": 3.0, "guidance_below": 0.0}),
            ("plain", {}),
            ("late", {"guidance": 3.0, "guidance_below": 0.3}),  # the last of the times 1, 3/4, 1/2, 1/4
        )
    )
    assert torch.equal(never, plain)
    assert not torch.allclose(late, plain, atol=1e-3)


def test_a_weaker_model_takes_the_place_of_the_teacher_without_class(teacher, strokes, tmp_path):
    weaker = make_teacher(strokes)
    for parameter in weaker.denoiser.parameters():
        parameter.data.mul_(0.5)
    pairs = teacher_pairs(teacher, 8, tmp_path, steps=1, guidance=1.5, weaker=weaker)
    labels, anchors, at = pairs.conditions.values, teacher.representation.anchors, torch.full((8,), 1000.0)
    with torch.no_grad():
        named = teacher.denoiser(pairs.noise, at, labels, anchors)
        unnamed = weaker.denoiser(pairs.noise, at, torch.full_like(labels, 3), anchors)
    torch.testing.assert_close(pairs.latents, pairs.noise - unnamed - 1.5 * (named - unnamed), atol=1e-4, rtol=1e-4)
    with pytest.raises(InputError, match="another teacher or other settings"):
        teacher_pairs(teacher, 8, tmp_path, steps=1, guidance=1.5)


def test_their_noise_is_none_that_a_small_seed_samples_with(teacher, tmp_path):
    pairs = teacher_pairs(teacher, 2, tmp_path, steps=1, seed=0)
    for seed in range(5):
        assert not torch.equal(torch.randn(6, 6, generator=generator_for(seed, 0)), pairs.noise[0])


def test_missing_blocks_are_made_again_and_the_others_kept(teacher, tmp_path, monkeypatch):
    monkeypatch.setattr(module, "BLOCK", 8)
    whole = teacher_pairs(teacher, 20, tmp_path, steps=2)
    files = sorted(tmp_path.iterdir())
    assert [file.name for file in files] == [f"pairs-0000{i}.safetensors" for i in range(3)]
    content = [file.read_bytes() for file in files]
    files[1].unlink()
    kept = files[0].stat().st_mtime_ns
    told = []
    again = teacher_pairs(teacher, 20, tmp_path, steps=2, progress=told.append)
    assert torch.equal(whole.latents, again.latents)
    assert [file.read_bytes() for file in files] == content
    assert files[0].stat().st_mtime_ns == kept
    assert told == [8, 8, 4]


def test_pairs_of_other_settings_and_damaged_files_are_refused(teacher, tmp_path):
    teacher_pairs(teacher, 4, tmp_path, steps=2)
    with pytest.raises(InputError, match="another teacher or other settings"):
        teacher_pairs(teacher, 4, tmp_path, steps=3)
    (file,) = tmp_path.iterdir()
    file.write_bytes(file.read_bytes()[:100])
    with pytest.raises(InputError, match=r"pairs-00000\.safetensors: is damaged"):
        teacher_pairs(teacher, 4, tmp_path, steps=2)


def test_a_student_needs_fewer_steps(teacher, folder, tmp_path):
    config = with_settings(
        TrainConfig(),
        teacher=str(folder), teacher_pairs=256, teacher_steps=8, label_dropout=0.0, logit_std=2.0, max_steps=150,
        batch_size=64, learning_rate=3e-3, warmup_steps=5, ema_decay=0.95, mixed_precision="no", num_inference_steps=1,
    )  # fmt: skip
    data = load_training_set(config, None, tmp_path / "pairs")
    assert data.representation.latent_shape == (6, 6)
    assert Trainer(config, data, tmp_path, "cpu").train()
    student = GaussianDiffusionPipeline.from_pretrained(tmp_path / "pipeline")
    wanted = teacher(num_samples=8, num_inference_steps=8, seed=1).splats.means
    errors = [
        float((pipeline(num_samples=8, num_inference_steps=1, seed=1).splats.means - wanted).square().mean())
        for pipeline in (student, teacher)
    ]
    assert errors[0] < 0.5 * errors[1]


def test_what_no_teacher_can_do_is_refused(strokes, folder, tmp_path):
    config = with_settings(TrainConfig(), teacher=str(folder), teacher_pairs=4)
    with pytest.raises(InputError, match="coupling independent"):
        with_settings(config, coupling="optimal", per_slot=False)
    with pytest.raises(InputError, match="give --render-goal sets"):
        with_settings(config, render_goal="images")
    with pytest.raises(InputError, match="no model"):
        load_training_set(with_settings(config, teacher="nobody"), None, tmp_path)
    with pytest.raises(InputError, match="steps must lie between"):
        load_training_set(with_settings(config, teacher_steps=2000), None, tmp_path)
    pixels = GaussianDiffusionPipeline(
        make_network("unet", (1, 16, 16)), PixelRepresentation(16, 16, 1), Objective().scheduler
    )
    pixels.save_pretrained(tmp_path / "pixels")
    with pytest.raises(InputError, match="set render_weight to 0"):
        load_training_set(with_settings(config, teacher=str(tmp_path / "pixels"), render_weight=1.0), None, tmp_path)
    for name, others in (("epsilon", {"prediction": "epsilon"}), ("plain", {"num_classes": 0})):
        make_teacher(strokes, **others).save_pretrained(tmp_path / name)
    with pytest.raises(InputError, match="is no flow model"):
        load_training_set(with_settings(config, teacher=str(tmp_path / "epsilon")), None, tmp_path)
    with pytest.raises(InputError, match="takes no guidance"):
        load_training_set(with_settings(config, teacher=str(tmp_path / "plain"), teacher_guidance=2.0), None, tmp_path)
    with pytest.raises(InputError, match="other classes"):
        load_training_set(with_settings(config, teacher_weaker=str(tmp_path / "plain")), None, tmp_path)
    make_teacher(strokes[:5]).save_pretrained(tmp_path / "elsewhere")
    with pytest.raises(InputError, match="another latent space"):
        load_training_set(with_settings(config, teacher_weaker=str(tmp_path / "elsewhere")), None, tmp_path)


def test_guidance_knows_its_interval():
    guidance = Guidance(2.0, 0.25, 0.75)
    assert [guidance.at(share) for share in (0.1, 0.25, 0.5, 0.75, 1.0)] == [1.0, 2.0, 2.0, 2.0, 1.0]
    with pytest.raises(InputError, match="guidance_interval"):
        Guidance(2.0, 0.8, 0.2)
