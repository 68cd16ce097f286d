"""Templates as files: learned, saved, named in the header, and used."""

import numpy as np
import pytest
import torch

import gaussiandiffusion as gd
from gaussiandiffusion.encoding import FitEncoder, default_settings, learn_template, make_encoder
from gaussiandiffusion.ground.errors import InputError
from gaussiandiffusion.ground.provenance import weights_sha256
from gaussiandiffusion.splats import Splats


@pytest.fixture(scope="module")
def settings():
    return default_settings(1, num_splats=10, start="template", iterations=25)


@pytest.fixture(scope="module")
def learned(strokes, settings):
    return learn_template(strokes, settings, rounds=6)


def test_a_template_from_its_file_encodes_alike_and_is_known_by_its_sum(strokes, settings, learned, tmp_path):
    path = tmp_path / "t.safetensors"
    learned.save(path)
    encoder = make_encoder(1, start=f"template:{path}", iterations=25)
    assert encoder.header() == FitEncoder(settings, learned).header()
    assert encoder.header()["template_sha256"] == weights_sha256(Splats.load(path).tensors())
    direct = FitEncoder(settings, learned).encode(strokes).splats
    assert torch.equal(encoder.encode(strokes).splats.means, direct.means)
    assert torch.equal(gd.encode(strokes, start=f"template:{path}", iterations=25).means, direct.means)
    assert weights_sha256(learned.translate(1e-6, 0).tensors()) != weights_sha256(learned.tensors())
    assert make_encoder(1, num_splats=10).header()["template_sha256"] is None


def test_the_seed_alone_chooses_the_images(strokes, settings, learned):
    assert torch.equal(learn_template(strokes, settings, rounds=6, seed=5).means, learned.means)  # all are used
    few = [learn_template(strokes, settings, rounds=6, images_per_round=10, seed=seed) for seed in (5, 5, 6)]
    assert torch.equal(few[0].means, few[1].means)
    assert not torch.equal(few[0].means, few[2].means)


def test_every_round_is_reported_and_the_template_is_a_valid_set_of_one(strokes, settings, learned):
    seen = []
    learn_template(strokes, settings, rounds=3, progress=seen.append)
    assert seen == [1, 1, 1]
    assert (len(learned.validate()), learned.num_splats, learned.canvas) == (1, 10, gd.Canvas(16, 16, 1))


def test_a_template_beats_the_grid_start_at_the_same_iterations(strokes, settings, learned):
    """Held out: learned on even pictures, compared on odd ones."""
    half = learn_template(strokes[::2], settings, rounds=6)
    grid = make_encoder(1, num_splats=10, start="grid", iterations=25).encode(strokes[1::2])
    assert float(FitEncoder(settings, half).encode(strokes[1::2]).psnr.mean()) > float(grid.psnr.mean())


def test_slots_stay_alike_from_image_to_image(strokes, settings, learned):
    """What a template is for: slot by slot, sets differ less than those of the content-adaptive start."""
    canonical = FitEncoder(settings, learned).encode(strokes[::3]).splats.means.std(0).mean()
    adaptive = make_encoder(1, num_splats=10).encode(strokes[::3]).splats.means.std(0).mean()
    assert float(canonical) < float(adaptive)


def test_templates_of_another_canvas_are_refused(strokes, settings, learned):
    encoder = FitEncoder(settings, learned)
    for images in (np.zeros((1, 3, 16, 16), np.uint8), strokes.repeat(2, 2)):
        with pytest.raises(InputError, match="the template was learned for"):
            encoder.encode(images)


def test_damaged_and_missing_template_files_are_named(learned, tmp_path):
    path = tmp_path / "t.safetensors"
    with pytest.raises(InputError, match=r"t\.safetensors: no such splat file"):
        make_encoder(1, start=f"template:{path}")
    learned.save(path)
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(InputError, match=r"t\.safetensors: is not a readable"):
        make_encoder(1, start=f"template:{path}")


def test_texture_is_followed_down_to_single_grey_levels():
    """Faint stripes, within what canonical sets otherwise take for noise."""
    random = np.random.default_rng(0)
    pictures = np.full((12, 1, 16, 16), 120, np.uint8)
    for picture in pictures:
        picture[0, :, ::2] += random.integers(2, 4, dtype=np.uint8)
    plain, fine = (default_settings(1, num_splats=24, start="template", texture=texture) for texture in (False, True))
    means = []
    for settings in (plain, fine):
        template = learn_template(pictures, settings, rounds=3)
        means.append(float(FitEncoder(settings, template).encode(pictures).psnr.mean()))
    assert fine.iterations > plain.iterations
    assert means[1] > means[0] + 3


def test_texture_is_for_templates():
    with pytest.raises(InputError, match="template"):
        default_settings(1, texture=True)
