"""The bundled models: small, right, and the same on any number of threads."""

import pytest
import torch

from gaussiandiffusion.evaluation import label_accuracy, load_features
from gaussiandiffusion.ground.images import to_uint8
from gaussiandiffusion.pipeline import GaussianDiffusion, GaussianDiffusionPipeline, bundled_models


@pytest.mark.parametrize(("names", "most"), [(("mnist", "mnist-few"), 4_000_000), (("fashion-mnist",), 3_000_000)])
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


@pytest.mark.parametrize("name", ["mnist-few", "fashion-mnist"])
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
