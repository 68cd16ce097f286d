"""The data sets known by name: their files, where these are published, and what reads them."""

from __future__ import annotations

import difflib
import hashlib
import struct
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from gaussiandiffusion.data import celeba, cifar, sprites
from gaussiandiffusion.data.idx import find_idx, open_idx
from gaussiandiffusion.data.stream import ImageSource
from gaussiandiffusion.ground.attributes import ConditionColumns, ConditionSpec
from gaussiandiffusion.ground.errors import InputError

SPLITS = {"train": "train", "test": "t10k"}  # our word -> the word in the names of IDX files
IMAGES, LABELS = "images-idx3-ubyte", "labels-idx1-ubyte"


@dataclass(frozen=True)
class PublishedFile:
    """One published file.

    Args:
        name: its name below the mirror's address and in the cache.
        size: bytes.
        sha256: of these bytes.
        gzipped: it is published with `.gz` after the name; size and sum are of the unpacked bytes, so that packing
            it again changes nothing.
    """

    name: str
    size: int
    sha256: str
    gzipped: bool = False

    @property
    def published(self) -> str:
        return f"{self.name}.gz" if self.gzipped else self.name


@dataclass(frozen=True)
class DatasetSpec:
    """A data set.

    Args:
        name: what the user writes.
        read: (folder, split) -> its images there, or None if the folder does not hold them.
        files: split -> the files to download; empty if it must be got by hand.
        mirrors: addresses of folders that hold the files, tried in turn; each ends in `/`.
        conditions: its attributes and the names of their values; empty for a data set without labels.
        canvas: (H, W, C).
        holds: what that folder must hold, for error sentences, where it is not simply the published files.
        how_to_get: what to do where nothing can be downloaded.
    """

    name: str
    read: Callable[[Path, str], ImageSource | None]
    files: Mapping[str, Sequence[PublishedFile]]
    mirrors: tuple[str, ...]
    conditions: ConditionSpec
    canvas: tuple[int, int, int]
    holds: str = ""
    how_to_get: str = ""

    def wanted(self, split: str) -> str:
        """What a folder must hold for a split, in words."""
        return self.holds or " and ".join(file.published for file in self.files[split])


def open_idx_split(folder: Path, split: str) -> ImageSource | None:
    """The split of a data set of four IDX files, or None if `folder` does not hold both files of it."""
    images, labels = (find_idx(folder, f"{SPLITS[split]}-{kind}") for kind in (IMAGES, LABELS))
    return open_idx(images, labels) if images and labels else None


def _four_files(
    train_images: str, train_labels: str, test_images: str, test_labels: str
) -> dict[str, tuple[PublishedFile, ...]]:
    """The files of 60,000 training and 10,000 test images of 28x28, given their sums."""
    sums = {"train": (60_000, train_images, train_labels), "test": (10_000, test_images, test_labels)}
    return {
        split: (
            PublishedFile(f"{SPLITS[split]}-{IMAGES}", 16 + count * 28 * 28, images, gzipped=True),
            PublishedFile(f"{SPLITS[split]}-{LABELS}", 8 + count, labels, gzipped=True),
        )
        for split, (count, images, labels) in sums.items()
    }


MNIST = DatasetSpec(
    name="mnist",
    read=open_idx_split,
    files=_four_files(
        "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
        "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
        "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
        "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
    ),
    mirrors=(
        "https://ossci-datasets.s3.amazonaws.com/mnist/",
        "https://storage.googleapis.com/cvdf-datasets/mnist/",
    ),
    conditions=ConditionSpec.of_classes(10),
    canvas=(28, 28, 1),
)

FASHION_MNIST = DatasetSpec(
    name="fashion-mnist",
    read=open_idx_split,
    files=_four_files(
        "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888",
        "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9",
        "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b",
        "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34",
    ),
    mirrors=(  # the one with https first; the sums guard both
        "https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion/",
        "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
    ),
    conditions=ConditionSpec.of_classes(
        ("T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot")
    ),
    canvas=(28, 28, 1),
)

_CIFAR10_ARCHIVE = PublishedFile(
    cifar.ARCHIVE, 170_052_171, "c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd"
)
CIFAR10 = DatasetSpec(
    name="cifar10",
    read=cifar.open_cifar10,
    holds=f"{cifar.ARCHIVE}, its .bin files, or sheets (train-1.npz ..., test.npz)",
    files={"train": (_CIFAR10_ARCHIVE,), "test": (_CIFAR10_ARCHIVE,)},
    mirrors=("https://www.cs.toronto.edu/~kriz/",),
    conditions=ConditionSpec.of_classes(
        ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
    ),
    canvas=(32, 32, 3),
)

_SPRITE_SUMS = (  # size and SHA-256 of the files in `sprites.LAYERS`, in that order
    (33734, "27d1ac78db37c42f35a20d15c42705efc5e58d47c236cc01423879d4f797f151"),
    (32036, "1535e9228357b884df80f777a0d1dac10ac35e550e4d8d077105ccad014a1460"),
    (33247, "7c241033b4897501cb3721b6c3a9ebfa94b13db10a539edbd9bcc3e0c2a4bcb9"),
    (33232, "055f5aa33fc112d8444b42fce2cf50608a9fbbf2466c54ceaa46c777589a717a"),
    (33226, "57f3b9c510482379aba9a32fc0de7d48e9cbe3dc40f2447283547f773b77ca72"),
    (31114, "91e49453aeab5ebbb4fd2b48253812895dcfb4cb1829b84e24425c66de8f04ff"),
    (7581, "4ec356c488e272fde2d2d0d722b12a80217871e41161d43ba784caf243969ec2"),
    (8304, "0674312eaa4ab548f8bb31ef95d7dbd46b41555758cec51bd6c3e9fac9a0f936"),
    (7585, "3b464feb0d20ff34b0ca2a6d1fd00766ad86e2229c3d56ff91379fe27588a893"),
    (8227, "b366e84ea0519d06cf693f51e0ee2f9ac32b3132d27c75dfdc4b6f52fca072de"),
    (8322, "4ed7e7702e4f50b9692c0043be04b7296a108d85ea97230fb50d13c150d98771"),
    (5375, "a5c5e7e33f13fe5ad37b5836a5a74fb0d2094a0877c2146961b88688ff85840d"),
    (15643, "b917edcf2b3c35d51ef57a6fad67557c5edf048785bea29db09a640d09ac9a90"),
    (15643, "e33c6cb31ed1268a2c0dc73b665b1c9b9420e22baf3321880222bdb22682368b"),
    (15643, "2b9b8fefa08894b7ea536cd62b86d494aefe6e54495c5c1d83460827b13b6448"),
    (10561, "807f5b628592f6747e2814be9435963069dba6c360577168c02f57bbe903433d"),
    (10940, "b51b17878503877e179ce4f9231713bf2b2d2d666c3ec9ee29f4e784469867a2"),
    (25293, "1b6049d43f83ebfda857cc405d1936ac9fd80be480fa6ad239024a6a75ad0372"),
    (8049, "e4007b0635a239ad16cdebfe90759349ccc73dfc6836c9d19625714be185f43d"),
    (8751, "fa6369f84d3310705df6d8ca8c9d515a7d211e73d2826c50a9cb5bb285652c66"),
    (8360, "1b8046752be7233e829ebe9b11048e171d8d181ee6f68e07042b34f57bb8af0d"),
    (8337, "333783285c5fd94ff434ae5000d2da39aac7940269f173119eaa70d34c8acfa1"),
    (7363, "24df8e9b291cbd444f6c4d12d35b3d43d909cd13f04e6401e0fd8ab10216d5a2"),
    (8236, "4dd471cc20e0b1cf71adcaab01c88598767e5cfe680adacdf560ca91574f17ae"),
    (5504, "d56a561616a20a12030d2d40a52eeec63e6d048871bf3b6994221869362151f1"),
)
_SPRITE_LAYERS = tuple(PublishedFile(name, *sums) for name, sums in zip(sprites.LAYERS, _SPRITE_SUMS, strict=True))


def _sprites(name: str, size: int) -> DatasetSpec:
    return DatasetSpec(
        name=name,
        read=sprites.reader(size),
        holds=f"sprites{size}.npz, or the layers body/0.png ... shoes/1.png",
        files={"train": _SPRITE_LAYERS, "test": _SPRITE_LAYERS},
        mirrors=("https://raw.githubusercontent.com/YingzhenLi/Sprites/3ce4048c5227802bd8f1888e293fd3afdba91c0c/",),
        conditions=sprites.CONDITIONS,
        canvas=(size, size, 3),
    )


CELEBA64 = DatasetSpec(
    name="celeba64",
    read=celeba.open_celeba64,
    holds=f"{celeba.ARCHIVE}, a folder {celeba.FOLDER}, or Parquet files train-* and test-*",
    files={},
    mirrors=(),
    conditions=ConditionSpec.of_classes(0),
    canvas=(celeba.SIDE, celeba.SIDE, 3),
    how_to_get=celeba.HOW_TO_GET,
)

DATASETS: dict[str, DatasetSpec] = {
    spec.name: spec
    for spec in (MNIST, FASHION_MNIST, CIFAR10, _sprites("sprites", 32), _sprites("sprites64", 64), CELEBA64)
}


def check_split(split: str) -> str:
    """Return `split` if it is one.

    Raises:
        InputError: it is neither "train" nor "test".
    """
    if split not in SPLITS:
        raise InputError(f"split {split!r}: there is none of that name; use train or test")
    return split


def find_dataset(source: str) -> DatasetSpec | None:
    """The data set of that name (`_` for `-` and capitals allowed), or None."""
    return DATASETS.get(source.lower().replace("_", "-"))


def unknown_dataset(source: str) -> InputError:
    """The error for a word that is no path and no data set: suggests the nearest name and lists all."""
    near = difflib.get_close_matches(source.lower().replace("_", "-"), DATASETS, n=1)
    fix = f"did you mean {near[0]}?" if near else "give one of these or a path"
    return InputError(f"{source}: is neither a path nor a data set ({', '.join(DATASETS)}); {fix}")


def open_local(spec: DatasetSpec, split: str, data_dir: Path) -> ImageSource:
    """A split of a data set in `data_dir`, or in its sub-folder of that name.

    Raises:
        InputError: there is no such folder, the files are not there, or they are damaged or another data set's.
    """
    if not data_dir.is_dir():
        raise InputError(f"{data_dir}: no such folder; --data-dir needs one with the files of {spec.name}")
    # The sub-folder first: with several data sets in one folder, their equal file names would be mixed up.
    names = dict.fromkeys((spec.name, spec.name.replace("-", "_"), spec.name.rstrip("0123456789")))
    folders = [*(data_dir / name for name in names), data_dir]
    for folder in folders:
        source = spec.read(folder, split)
        if source is not None:
            return checked(spec, source, split, folder)
    raise InputError(
        f"{data_dir}: does not hold the {split} split of {spec.name}: {spec.wanted(split)}; "
        f"put that into one of {', '.join(map(str, folders))}"
    )


def checked(spec: DatasetSpec, source: ImageSource, split: str, folder: Path) -> ImageSource:
    """The source, named, unless it cannot be this data set; a subset of it passes.

    Raises:
        InputError: another canvas, a label out of range, or the labels are another data set's.
    """
    if source.canvas != spec.canvas:
        raise InputError(
            f"{folder}: holds images of {_size(source.canvas)} pixels, but those of {spec.name} are "
            f"{_size(spec.canvas)}; give the images file itself as the source instead of the name"
        )
    conditions = source.conditions
    if source.labels is not None and spec.conditions:
        _check_labels(spec, source.labels, folder)
        conditions = ConditionColumns(spec.conditions, source.labels[:, None])
    return replace(source, name=spec.name, split=split, conditions=conditions)


def _size(canvas: tuple[int, int, int]) -> str:
    kind = {1: "grey", 3: "RGB", 4: "RGBA"}[canvas[2]]
    return f"{canvas[1]}x{canvas[0]} {kind}"


def _check_labels(spec: DatasetSpec, labels: np.ndarray, folder: Path) -> None:
    (classes,) = spec.conditions.sizes
    if labels.max() >= classes:
        raise InputError(
            f"{folder}: holds the label {labels.max()}, but those of {spec.name} end at "
            f"{classes - 1}; give the images file itself as the source instead of the name"
        )
    header = struct.pack(">HBBI", 0, 8, 1, len(labels))
    digest = hashlib.sha256(header + labels.astype(np.uint8).tobytes()).hexdigest()
    for other in DATASETS.values():
        if other.name != spec.name and digest in {file.sha256 for files in other.files.values() for file in files}:
            raise InputError(
                f"{folder}: holds the files of {other.name}, not of {spec.name}; "
                f"name {other.name}, or give the folder of {spec.name}"
            )
