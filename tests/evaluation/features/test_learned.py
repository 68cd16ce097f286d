"""Features learned from the reference: with classes or without, of any shape, and the same each time."""

import numpy as np
import pytest

from gaussiandiffusion.data import ImageSet
from gaussiandiffusion.evaluation import evaluate, extract_features, frechet_distance
from gaussiandiffusion.evaluation.features import learned
from gaussiandiffusion.evaluation.features.learned import learn_features
from gaussiandiffusion.ground.errors import InputError


@pytest.fixture(autouse=True)
def _quick(monkeypatch):
    monkeypatch.setattr(learned, "STEPS", 40)


def bars(count: int, seed: int, *, classes: bool, shape: tuple[int, int, int] = (3, 12, 20), shift: int = 0):
    """Noise with a bar that lies, stands or is missing."""
    kind = np.arange(count) % 3
    images = np.random.default_rng(seed).integers(0, 100, (count, *shape), dtype=np.uint8)
    images[kind == 0, :, 3:6] = 230
    images[kind == 1, :, :, 4:8] = 230
    images = np.roll(images, shift, axis=3)
    return ImageSet.labelled(images, kind, name="bars") if classes else ImageSet(images, name="bars")


@pytest.mark.parametrize("classes", [True, False])
def test_a_seed_decides_and_what_was_learned_is_told(classes, monkeypatch):
    monkeypatch.setattr(learned, "STEPS", 40 if classes else 10)
    real = bars(120, 0, classes=classes)
    first, second, other = learn_features(real, 120), learn_features(real, 120), learn_features(real, 120, seed=1)
    assert first.sha256 == second.sha256 != other.sha256
    assert first.name == ("self-classifier(bars)" if classes else "self-autoencoder(bars)")
    assert (first.dimension, first.training["images"], first.training["held_out"]) == (30, 108, 12)
    if classes:
        assert first.training["held_out_accuracy"] > 0.8
    else:
        assert first.training["held_out_psnr"] > 5


@pytest.mark.parametrize("shape", [(1, 9, 9), (4, 40, 12), (3, 33, 64)])
@pytest.mark.parametrize("classes", [True, False])
def test_distances_tell_like_from_unlike_on_every_canvas(classes, shape, monkeypatch):
    monkeypatch.setattr(learned, "STEPS", 40 if classes else 20)
    real = bars(96, 0, classes=classes, shape=shape)
    space = learn_features(real, 96)
    cloud, like, unlike = (
        extract_features(space.network, images.images)
        for images in (real, bars(96, 1, classes=False, shape=shape), bars(96, 1, classes=False, shape=shape, shift=5))
    )
    assert frechet_distance(like, cloud) < 0.5 * frechet_distance(unlike, cloud)


def test_hidden_colours_do_not_count():
    real = bars(60, 0, classes=True, shape=(4, 12, 12))
    space = learn_features(real, 60)
    clear = real.images.copy()
    clear[:, 3] = 0
    other = clear.copy()
    other[:, :3] = 255 - other[:, :3]
    assert extract_features(space.network, clear).equal(extract_features(space.network, other))


def test_rare_classes_are_not_learned(monkeypatch):
    monkeypatch.setattr(learned, "STEPS", 2)
    real = bars(60, 0, classes=True)
    lone = ImageSet.labelled(real.images, np.r_[np.zeros(55), np.ones(5)].astype(int), name="bars")
    assert learn_features(lone, 60).name == "self-autoencoder(bars)"


def test_too_few_images_are_refused():
    with pytest.raises(InputError, match="31 images are too few to learn features from; give at least 32"):
        learn_features(bars(60, 0, classes=True), 31)


def test_an_evaluation_says_what_it_learned():
    parts = []
    report = evaluate(bars(90, 1, classes=True), bars(90, 0, classes=True), features="self", progress=parts.append)
    assert parts[0] == "learning features"
    assert report.features.name == "self-classifier(bars)"
    assert report.to_dict()["features"]["training"]["seed"] == 0
    assert report.label_accuracy > 0.8
    silent = evaluate(bars(90, 1, classes=True), bars(90, 0, classes=False), features="self")
    assert silent.label_accuracy is silent.judge is None  # an autoencoder names no classes
