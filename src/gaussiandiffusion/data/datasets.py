"""The data sets known by name, and where their files lie."""

from __future__ import annotations

import difflib
import hashlib
import struct
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from gaussiandiffusion.data.idx import find_idx
from gaussiandiffusion.errors import InputError

SPLITS = {"train": "train", "test": "t10k"}  # our word -> the word in the file names
IMAGES, LABELS = "images-idx3-ubyte", "labels-idx1-ubyte"


@dataclass(frozen=True)
class IdxFile:
    """One published file.

    Args:
        name: its name, unpacked; published with `.gz` after it.
        size: bytes, unpacked.
        sha256: of the unpacked bytes, so that packing it again changes nothing.
    """

    name: str
    size: int
    sha256: str


@dataclass(frozen=True)
class DatasetSpec:
    """A data set of four IDX files.

    Args:
        name: what the user writes.
        files: train images, train labels, test images, test labels.
        mirrors: addresses of folders that hold the files, tried in turn; each ends in `/`.
        class_names: label -> name.
        canvas: (H, W, C).
    """

    name: str
    files: tuple[IdxFile, ...]
    mirrors: tuple[str, ...]
    class_names: tuple[str, ...]
    canvas: tuple[int, int, int]

    def of_split(self, split: str) -> tuple[IdxFile, IdxFile]:
        """The images and the labels file of a split."""
        by_name = {file.name: file for file in self.files}
        return by_name[f"{SPLITS[split]}-{IMAGES}"], by_name[f"{SPLITS[split]}-{LABELS}"]


def _four_files(train_images: str, train_labels: str, test_images: str, test_labels: str) -> tuple[IdxFile, ...]:
    """The files of 60,000 training and 10,000 test images of 28x28, given their sums."""
    return (
        IdxFile(f"train-{IMAGES}", 16 + 60_000 * 28 * 28, train_images),
        IdxFile(f"train-{LABELS}", 8 + 60_000, train_labels),
        IdxFile(f"t10k-{IMAGES}", 16 + 10_000 * 28 * 28, test_images),
        IdxFile(f"t10k-{LABELS}", 8 + 10_000, test_labels),
    )


MNIST = DatasetSpec(
    name="mnist",
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
    class_names=tuple("0123456789"),
    canvas=(28, 28, 1),
)

FASHION_MNIST = DatasetSpec(
    name="fashion-mnist",
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
    class_names=(
        *("T-shirt/top", "Trouser", "Pullover", "Dress", "Coat"),
        *("Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot"),
    ),
    canvas=(28, 28, 1),
)

DATASETS: dict[str, DatasetSpec] = {spec.name: spec for spec in (MNIST, FASHION_MNIST)}


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


def local_files(spec: DatasetSpec, split: str, data_dir: Path) -> tuple[Path, Path]:
    """The images and labels file of a split in `data_dir`, or in its sub-folder of that name.

    Raises:
        InputError: there is no such folder, or not both files in one place.
    """
    if not data_dir.is_dir():
        raise InputError(f"{data_dir}: no such folder; --data-dir needs one with the files of {spec.name}")
    # The sub-folder first: with several data sets in one folder, their equal file names would be mixed up.
    folders = [data_dir / spec.name, data_dir / spec.name.replace("-", "_"), data_dir]
    names = [file.name for file in spec.of_split(split)]
    for folder in folders:
        images, labels = (find_idx(folder, name) for name in names)
        if images and labels:
            return images, labels
    looked_in = ", ".join(dict.fromkeys(str(folder) for folder in folders))
    raise InputError(
        f"{data_dir}: does not hold both {names[0]} and {names[1]} (or their .gz) of {spec.name}; "
        f"put them into one of {looked_in}"
    )


def check_content(spec: DatasetSpec, images: np.ndarray, labels: np.ndarray, folder: Path) -> None:
    """Refuse files that cannot be this data set's; a subset of it passes.

    Args:
        images: uint8 [N, C, H, W].
        labels: int64 [N].

    Raises:
        InputError: another canvas, a label out of range, or the labels are another data set's.
    """
    height, width, channels = spec.canvas
    if images.shape[1:] != (channels, height, width):
        raise InputError(
            f"{folder}: holds images of {images.shape[3]}x{images.shape[2]} pixels, but those of "
            f"{spec.name} are {width}x{height}; give the images file itself as the source instead of the name"
        )
    if labels.max() >= len(spec.class_names):
        raise InputError(
            f"{folder}: holds the label {labels.max()}, but those of {spec.name} end at "
            f"{len(spec.class_names) - 1}; give the images file itself as the source instead of the name"
        )
    header = struct.pack(">HBBI", 0, 8, 1, len(labels))
    digest = hashlib.sha256(header + labels.astype(np.uint8).tobytes()).hexdigest()
    for other in DATASETS.values():
        if other.name != spec.name and digest in {file.sha256 for file in other.files}:
            raise InputError(
                f"{folder}: holds the files of {other.name}, not of {spec.name}; "
                f"name {other.name}, or give the folder of {spec.name}"
            )
