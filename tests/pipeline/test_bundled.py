"""The bundled models: small, right, and the same on any number of threads."""

import pytest
import torch

from gaussiandiffusion.evaluation import label_accuracy, load_features
from gaussiandiffusion.ground.images import to_uint8
from gaussiandiffusion.pipeline import GaussianDiffusion, GaussianDiffusionPipeline, bundled_models

MIB = 1 << 20
BUDGETS = [
    (("mnist", "mnist-few"), 4 * MIB),
    (("fashion-mnist",), 3 * MIB),
    (("sprites",), 4 * MIB),
    (("cifar10",), 4 * MIB),
]


@pytest.mark.parametrize(("names", "most"), BUDGETS)
def test_the_bundled_models_are_small(names, most):
    folders = [bundled_models()[name] for name in names]
    files = [path for folder in folders for path in folder.rglob("*") if path.is_file()]
    assert sum(path.stat().st_size for path in files) <= most
    assert all((folder / "README.md").is_file() for folder in folders)


BUNDLED = [("mnist", None, 0.95), ("mnist-few", None, 0.95), ("mnist-few", 2, 0.95), ("mnist-few", 1, 0.95)]


@pytest.mark.parametrize(("name", "steps", "least"), [*BUNDLED, ("fashion-mnist", None, 0.8)])
def test_bundled_models_draw_what_is_asked_for(name, steps, least):
    out = GaussianDiffusionPipeline.from_pretrained(name)(num_samples=100, num_inference_steps=steps)
    features = load_features(name.removesuffix("-few")).network
    accuracy = label_accuracy(features, to_uint8(out.images).numpy(), out.labels.numpy())
    assert accuracy >= least  # digits: 99 % over thousands; of 100 a few may miss


def test_characters_look_as_asked_and_like_themselves_whatever_the_noise():
    """Attributes say all: bright hair is green where green is asked for, and noise changes little."""
    pipeline = GaussianDiffusion.from_pretrained("sprites")
    asked = {"body": "light", "bottomwear": "red-trousers", "topwear": "white-shirt", "action": "walk", "frame": "0"}
    images = {
        hair: pipeline(8, conditions=asked | {"hair": hair, "direction": "front"}, seed=3).images
        for hair in ("green", "blue", "red")
    }
    for channel, hair in ((1, "green"), (2, "blue"), (0, "red")):
        top = images[hair][:, :, 2:10].mean((0, 2, 3))
        assert int(top.argmax()) == channel
        assert float(images[hair].std(0).mean()) < 0.02


def test_characters_are_drawn_only_in_frames_that_exist():
    words = GaussianDiffusion.from_pretrained("sprites")(64, num_inference_steps=1, seed=5).conditions.words()
    seen = set(zip(words["action"], words["frame"], strict=True))
    assert not seen & {("spellcast", "7"), ("slash", "6"), ("slash", "7")}
    assert {action for action, _ in seen} == {"walk", "spellcast", "slash"}


@pytest.mark.parametrize("name", ["mnist-few", "fashion-mnist", "sprites"])
def test_the_number_of_threads_changes_no_bit(name):
    """Of those PyTorch may use; and steps that are watched one by one are those of a call."""
    pipeline = GaussianDiffusion.from_pretrained(name, chunk_size=8)
    before, found = torch.get_num_threads(), []
    try:
        for threads in (1, 2, 5):
            torch.set_num_threads(threads)
            found.append(pipeline(20, num_inference_steps=2).images)
            last = [state.images() for state in pipeline.stream(20, num_inference_steps=2) if state.step == state.steps]
            assert torch.equal(torch.cat(last), found[-1])
            assert torch.get_num_threads() == threads
    finally:
        torch.set_num_threads(before)
    assert torch.equal(found[0], found[1])
    assert torch.equal(found[0], found[2])
