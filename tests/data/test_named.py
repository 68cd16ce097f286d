"""CIFAR-10 and Sprites by name: every local layout gives the same images."""

from __future__ import annotations

import shutil
import tarfile

import numpy as np
import pytest
from PIL import Image

from gaussiandiffusion.data import DATASETS, load_images, open_images
from gaussiandiffusion.data import sprites as sprites_module
from gaussiandiffusion.ground.errors import InputError


@pytest.fixture
def cifar(make):
    """A function that writes 5 x 4 + 4 images to a folder in one of the layouts."""
    pixels, labels = make.noise(24, 32, 32, 3), np.arange(24) % 10

    def write(folder, layout):
        names = [*(f"data_batch_{i}.bin" for i in range(1, 6)), "test_batch.bin"]
        for i, name in enumerate(names):
            part = slice(4 * i, 4 * i + 4)
            if layout == "sheets":
                sheet = "test.npz" if i == 5 else f"train-{i + 1}.npz"
                make.sheets(folder / sheet, pixels[part], per_sheet=2, labels=labels[part].astype(np.uint8))
                continue
            planes = pixels[part].transpose(0, 3, 1, 2).reshape(4, -1)
            make.write(folder / name, np.c_[labels[part, None], planes].astype(np.uint8).tobytes())
        if layout == "tar":
            with tarfile.open(folder / "cifar-10-binary.tar.gz", "w:gz") as archive:
                for name in names:
                    archive.add(folder / name, f"cifar-10-batches-bin/{name}")
                    (folder / name).unlink()
        return pixels.transpose(0, 3, 1, 2), labels

    return write


@pytest.mark.parametrize("layout", ["bin", "sheets", "tar"])
@pytest.mark.parametrize("below", [".", "cifar10", "cifar"])
def test_cifar10_in_every_layout(tmp_path, cifar, layout, below):
    pixels, labels = cifar(tmp_path / below, layout)
    for split, part in (("train", slice(20)), ("test", slice(20, 24))):
        loaded = load_images("cifar10", split=split, data_dir=tmp_path)
        np.testing.assert_array_equal(loaded.images, pixels[part])
        assert (loaded.labels.tolist(), loaded.name, loaded.split) == (labels[part].tolist(), "cifar10", split)


def test_cifar10_in_part(tmp_path, cifar):
    cifar(tmp_path, "sheets")
    (tmp_path / "train-3.npz").unlink()
    assert len(open_images("cifar10", data_dir=tmp_path)) == 8  # the first files, without a gap


def test_cifar10_damaged_or_missing(tmp_path, cifar):
    cifar(tmp_path / "tar", "tar")
    archive = tmp_path / "tar" / "cifar-10-binary.tar.gz"
    archive.write_bytes(archive.read_bytes()[:3000])
    with pytest.raises(InputError, match="not a sound"):
        open_images("cifar10", data_dir=tmp_path / "tar")
    cifar(tmp_path / "bin", "bin")
    batch = tmp_path / "bin" / "data_batch_2.bin"
    batch.write_bytes(batch.read_bytes()[:-1])
    with pytest.raises(InputError, match=r"data_batch_2\.bin: .*no whole records"):
        open_images("cifar10", data_dir=tmp_path / "bin")
    batch.unlink()
    with pytest.raises(InputError, match=r"data_batch_2\.bin: cannot be read"):
        open_images("cifar10", data_dir=tmp_path / "bin")
    (tmp_path / "none").mkdir()
    with pytest.raises(InputError, match="does not hold the test split of cifar10"):
        open_images("cifar10", split="test", data_dir=tmp_path / "none")


@pytest.fixture(scope="module")
def whole_layers(tmp_path_factory):
    """The 25 sprite layers: each covers, half transparently for hair, its own rows and columns of every cell."""
    random = np.random.default_rng(0)
    folder = tmp_path_factory.mktemp("layers")
    for number, name in enumerate(sprites_module.LAYERS):
        coarse = random.integers(0, 256, (16 * 7, 13 * 7, 4), dtype=np.uint8)
        coarse[..., 3] = np.where(coarse[..., 3] < 100, 255 if number < 18 else 128, 0)
        (folder / name).parent.mkdir(exist_ok=True)
        size = (13 * 64, 16 * 64)
        Image.fromarray(coarse).resize(size, Image.Resampling.NEAREST).save(folder / name, compress_level=1)
    return folder


@pytest.fixture
def layers(whole_layers, tmp_path):
    return shutil.copytree(whole_layers, tmp_path / "layers")


def test_sprites_are_composed_layer_on_layer(layers):
    source = open_images("sprites64", data_dir=layers, split="train")
    test = open_images("sprites64", data_dir=layers, split="test")
    assert (len(source), len(test), source.canvas) == (63 * 1000, 63 * 296, (64, 64, 3))
    assert source.conditions.spec == sprites_module.CONDITIONS
    action, direction = source.conditions.values[:, 4:6].T
    assert np.bincount(3 * action + direction).tolist() == [8000] * 3 + [7000] * 3 + [6000] * 3
    # The authors' split, drawn again here; characters are counted with the hair running fastest.
    order = np.random.RandomState(423).permutation(1296)
    position = 17
    character = np.sort(order[:1000])[position]
    assert np.sort(order[1000:])[3] not in np.sort(order[:1000])
    body, bottom, top, hair = np.unravel_index(character, (6, 6, 6, 6))
    names = [f"body/{body}", f"bottomwear/{bottom}", f"topwear/{top}", f"hair/{hair}", "shoes/1"]
    frame = 2  # of walking to the left: the second class, whose first cell is 118
    expected = np.zeros((64, 64, 3))
    row, column = divmod(118 + frame, 13)
    for name in names:
        with Image.open(layers / f"{name}.png") as image:
            cell = np.asarray(image)[row * 64 : row * 64 + 64, column * 64 : column * 64 + 64].astype(float)
        alpha = cell[..., 3:] / 255
        expected = expected * (1 - alpha) + cell[..., :3] * alpha
    place = 8 * 1000 + frame * 1000 + position
    drawn = source.read(place, place + 1)
    assert drawn.conditions.values.tolist() == [[body, bottom, top, hair, 0, 1, frame]]
    assert np.abs(drawn.images[0].transpose(1, 2, 0) - expected).max() <= 2  # each layer rounds to 8 bits
    small = open_images("sprites", data_dir=layers, split="train").read(place, place + 1)
    means = drawn.images.reshape(1, 3, 32, 2, 32, 2).mean((3, 5))
    np.testing.assert_array_equal(small.images, np.floor(means + 0.5))


def test_sprites_from_sheets(tmp_path, make):
    pixels, is_test = make.noise(12, 32, 32, 3), np.arange(12) % 3 == 0
    shown = {"action": np.arange(12) % 3, "direction": np.arange(12) % 2, "frame": np.arange(12) % 6}
    columns = {"is_test": is_test, "attributes": make.noise(12, 4) % 6} | shown
    make.sheets(tmp_path / "sprites" / "sprites32.npz", pixels, per_sheet=4, **columns)
    train, test = (load_images("sprites", split=split, data_dir=tmp_path) for split in ("train", "test"))
    np.testing.assert_array_equal(train.images, pixels[~is_test].transpose(0, 3, 1, 2))
    assert test.conditions.values.tolist() == [
        [*columns["attributes"][i], i % 3, i % 2, i % 6] for i in range(0, 12, 3)
    ]
    make.sheets(tmp_path / "sprites" / "sprites32.npz", pixels, per_sheet=4, labels=np.arange(12))
    with pytest.raises(InputError, match=r"sprites32\.npz: is no sound"):
        open_images("sprites", data_dir=tmp_path)


def test_sprites_are_asked_for_in_words_or_by_number():
    spec = sprites_module.CONDITIONS
    assert spec.sizes == (6, 6, 6, 6, 3, 3, 8)
    words = [name for names in spec.attributes.values() for name in names]
    assert len(set(words)) == len(words)  # so a word alone says what it is of
    asked = spec.parse(["hair=2", "steel-armour", "body=dark-brown", "walk", "frame=7"])
    assert {name: spec.index(name, value) for name, value in asked.items()} == {
        "hair": 2, "topwear": 3, "body": 5, "action": 0, "frame": 7,
    }  # fmt: skip
    assert spec.index("hair", 2) == spec.index("hair", "orange")
    with pytest.raises(InputError, match="unknown hair 'pink'; known are green, blue, orange, white, red, purple"):
        spec.parse(["hair=pink"])


def test_damaged_sprite_layers_are_named(layers):
    (layers / "hair" / "3.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    with pytest.raises(InputError, match=r"hair/3\.png: is not a sound sprite layer"):
        open_images("sprites", data_dir=layers)
    Image.new("RGBA", (64, 64)).save(layers / "hair" / "3.png")
    with pytest.raises(InputError, match=r"hair/3\.png: is 64x64 pixels, too small"):
        open_images("sprites", data_dir=layers)
    (layers / "hair" / "3.png").unlink()
    with pytest.raises(InputError, match=r"sprites32\.npz, or the layers body/0\.png"):
        open_images("sprites", data_dir=layers)


@pytest.mark.parametrize("name", ["cifar10", "sprites", "sprites64"])
def test_published_files_are_fully_described(name):
    spec = DATASETS[name]
    for files in spec.files.values():
        assert all(len(file.sha256) == 64 and file.size > 0 for file in files)
    assert all(mirror.startswith("https://") and mirror.endswith("/") for mirror in spec.mirrors)
    assert spec.conditions.sizes in ((10,), (6, 6, 6, 6, 3, 3, 8))
