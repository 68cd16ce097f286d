"""Loading feature networks and running them over sets of images."""

import json
import os
import pickle
import subprocess
import sys
from importlib.resources import files

import numpy as np
import pytest
import torch

from gaussiandiffusion.evaluation import bundled_features, extract_features, load_features
from gaussiandiffusion.evaluation.features.network import FeatureNetwork
from gaussiandiffusion.evaluation.features.spaces import WEIGHTS_FILE, unit_features
from gaussiandiffusion.ground.errors import InputError


@pytest.fixture
def folder(tmp_path):
    torch.manual_seed(1)
    network = FeatureNetwork(image_size=8, num_features=6, width=2)
    network.bfloat16().save_pretrained(tmp_path / "small")
    return tmp_path / "small"


def digits(count: int = 9) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (count, 1, 28, 28), dtype=np.uint8)


@pytest.mark.parametrize("name", bundled_features())
def test_bundled_networks_are_small_and_say_where_they_come_from(name):
    folder = files("gaussiandiffusion") / "pretrained" / f"features-{name}"
    assert len((folder / WEIGHTS_FILE).read_bytes()) <= 1_000_000
    record = json.loads((folder / "training.json").read_text())
    card = (folder / "README.md").read_text()
    assert f"{100 * record['test_accuracy']:.2f} %" in card
    assert record["command"] in card
    assert f"{record['parameters']:,}" in card


def test_all_bundled_networks_together_are_small():
    folders = [files("gaussiandiffusion") / "pretrained" / f"features-{name}" for name in bundled_features()]
    assert sum(len((folder / WEIGHTS_FILE).read_bytes()) for folder in folders) <= 2_000_000


ACCURACIES = [("mnist", 0.994), ("fashion-mnist", 0.93), ("sprites", 0.96), ("cifar10", 0.9)]


@pytest.mark.parametrize(("name", "accuracy"), ACCURACIES)
def test_the_bundled_classifiers_are_there_and_accurate(name, accuracy):
    assert name in bundled_features()
    record = json.loads((files("gaussiandiffusion") / f"pretrained/features-{name}/training.json").read_text())
    assert record["test_images"] >= 10_000
    assert record["test_accuracy"] >= accuracy


def test_the_bundled_network_is_frozen_deterministic_and_of_its_dimension():
    first, second = load_features("mnist"), load_features("mnist")
    assert not first.network.training
    assert not any(weight.requires_grad for weight in first.network.parameters())
    assert all(weight.dtype == torch.float32 for weight in first.network.parameters())
    features = extract_features(first.network, digits())
    assert features.shape == (9, first.dimension)
    assert torch.equal(features, extract_features(second.network, digits()))
    assert first.sha256 == second.sha256


def test_features_do_not_depend_on_the_batch_size():
    network = load_features("mnist").network
    whole, pieces = (extract_features(network, digits(), batch_size=size) for size in (9, 4))
    torch.testing.assert_close(whole, pieces)


def test_a_folder_and_a_file_in_it_name_the_same_network(folder):
    space = load_features(folder)
    assert (space.name, space.layer, space.dimension) == ("small", "penultimate", 6)
    assert load_features(folder / WEIGHTS_FILE).sha256 == space.sha256


def test_unknown_names_are_refused_with_those_known():
    with pytest.raises(InputError, match=r"mnist, .*inception"):
        load_features("no-such-network")


def test_inception_without_its_extra_is_refused(monkeypatch):
    monkeypatch.setitem(sys.modules, "torch_fidelity.feature_extractor_inceptionv3", None)
    with pytest.raises(InputError, match=r"pip install 'gaussiandiffusion\[inception\]'"):
        load_features("inception")


def test_a_folder_of_something_else_is_refused(tmp_path):
    with pytest.raises(InputError, match=r"config\.json: no such file"):
        load_features(tmp_path)
    (tmp_path / "config.json").write_text('{"_class_name": "UNet2DModel"}')
    (tmp_path / WEIGHTS_FILE).write_bytes(b"")
    with pytest.raises(InputError, match="holds a UNet2DModel; FeatureNetwork is due there"):
        load_features(tmp_path)


def test_weights_that_do_not_fit_are_refused(folder):
    (folder / "config.json").write_text(json.dumps(json.loads((folder / "config.json").read_text()) | {"width": 3}))
    with pytest.raises(InputError, match="do not fit"):
        load_features(folder)
    (folder / WEIGHTS_FILE).write_bytes(b"\0" * 40)
    with pytest.raises(InputError, match="do not fit"):
        load_features(folder)


def test_a_pickle_in_the_place_of_weights_is_never_run(folder, tmp_path):
    class Trap:
        def __reduce__(self):
            return os.mkdir, (str(tmp_path / "sprung"),)

    (folder / WEIGHTS_FILE).rename(tmp_path / "kept")
    for name in ("diffusion_pytorch_model.bin", WEIGHTS_FILE):
        (folder / name).write_bytes(pickle.dumps(Trap()))
        with pytest.raises(InputError):
            load_features(folder)
    assert not (tmp_path / "sprung").exists()


@pytest.mark.usefixtures("unchecked")
def test_images_the_network_does_not_take_are_refused(folder):
    network = load_features(folder).network
    with pytest.raises(InputError, match=r"\[N, 1, 8, 8\]"):
        extract_features(network, digits())
    with pytest.raises(InputError, match=r"\[N, 1, 8, 8\]"):
        extract_features(network, np.zeros((3, 3, 8, 8), dtype=np.uint8))
    with pytest.raises(InputError, match="uint8"):
        extract_features(network, np.zeros((3, 1, 8, 8), dtype=np.float32))
    with pytest.raises(InputError, match="at least one image"):
        extract_features(network, np.zeros((0, 1, 8, 8), dtype=np.uint8))
    with pytest.raises(InputError, match="batch_size"):
        extract_features(network, np.zeros((3, 1, 8, 8), dtype=np.uint8), batch_size=0)


@pytest.mark.usefixtures("unchecked")
def test_bytes_where_floats_are_due_are_refused(folder):
    """The slip behind published figures: 0..255 handed to a network that was shown 0..1."""
    network = load_features(folder).network
    with pytest.raises(InputError, match="uint8"):
        unit_features(network, torch.zeros(3, 1, 8, 8, dtype=torch.uint8))
    with pytest.raises(InputError, match="span 0 to 200"):
        unit_features(network, torch.tensor([0.0, 200.0]).reshape(2, 1, 1, 1).expand(2, 1, 8, 8))


def test_importing_evaluation_does_not_import_torchmetrics():
    code = "import sys, gaussiandiffusion.evaluation; sys.exit('torchmetrics' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
