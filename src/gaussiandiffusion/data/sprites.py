"""Sprites: 1,296 characters of the Liberated Pixel Cup, walking, casting and slashing, seen from three sides.

Each character is one of six bodies, trousers, tops and hairs, drawn in this order over black, then shoes; each is
shown in every frame of 3 actions and 3 directions: 81,648 pictures of 64x64, or of 32x32 as the mean of 2x2 pixels.
Sheets hold 13 cells of 64x64 a row. The split is by character: 1,000 for training, 296 for testing.

Source: Li and Mandt, "Disentangled Sequential Autoencoder", ICML 2018; https://github.com/YingzhenLi/Sprites
Licence of the art: CC BY-SA 3.0 and GPL 3.0; credit the artists of the Liberated Pixel Cup when showing frames.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
from PIL import Image

from gaussiandiffusion.data.sheets import Columns, open_sheets
from gaussiandiffusion.data.stream import ImageSource
from gaussiandiffusion.ground.attributes import ConditionColumns, ConditionSpec
from gaussiandiffusion.ground.errors import InputError

KINDS = 6  # of each part
PARTS = ("body", "bottomwear", "topwear", "hair")
LAYERS = (*(f"{part}/{kind}.png" for part in PARTS for kind in range(KINDS)), "shoes/1.png")
ACTIONS = ("walk", "spellcast", "slash")
DIRECTIONS = ("front", "left", "right")
CELL, CELLS_ACROSS = 64, 13
# The first cell and the number of frames of each action and direction; cells are numbered row by row.
FRAMES = ((131, 8), (118, 8), (144, 8), (26, 7), (13, 7), (39, 7), (182, 6), (169, 6), (195, 6))
CHARACTERS = KINDS ** len(PARTS)
CONDITIONS = ConditionSpec(
    {  # as the parts look; published they have numbers only, which these stand in the order of
        "body": ("light", "golden", "grey", "lilac", "brown", "dark-brown"),
        "bottomwear": (
            "white-trousers",
            "gold-greaves",
            "red-trousers",
            "steel-greaves",
            "teal-trousers",
            "green-trousers",
        ),
        "topwear": ("maroon-shirt", "blue-shirt", "white-shirt", "steel-armour", "leather-vest", "jacket"),
        "hair": ("green", "blue", "orange", "white", "red", "purple"),
        "action": ACTIONS,
        "direction": DIRECTIONS,
        "frame": tuple(map(str, range(max(count for _, count in FRAMES)))),
    }
)
TRAIN_CHARACTERS, SPLIT_SEED = 1000, 423  # the authors' split


def reader(size: int) -> Callable[[Path, str], ImageSource | None]:
    """`open_sprites` for pictures of `size` 64 or 32."""
    return partial(open_sprites, size=size)


def open_sprites(folder: Path, split: str, size: int) -> ImageSource | None:
    """A split from `folder`, or None if it holds neither `sprites64.npz` (`sprites32.npz`) nor the 25 layers
    (`body/0.png` ... `shoes/1.png`).

    Frames come action by action and direction by direction, within these frame by frame, within it character by
    character. Their conditions are those of `CONDITIONS`.

    Raises:
        InputError: files are damaged.
    """
    sheets = folder / f"sprites{size}.npz"
    if sheets.is_file():
        return open_sheets(
            [sheets], _described, lambda columns: _column(columns, "is_test", sheets) == (split == "test")
        )
    if all((folder / layer).is_file() for layer in LAYERS):
        return _composed(folder, split, size)
    return None


def _described(columns: Columns) -> ConditionColumns:
    parts = columns["attributes"].astype(np.int64)
    others = [columns[name].astype(np.int64) for name in ("action", "direction", "frame")]
    return ConditionColumns(CONDITIONS, np.column_stack([parts, *others]))


def _column(columns: Columns, name: str, path: Path) -> np.ndarray:
    if name not in columns:
        raise InputError(f"{path}: lacks the array {name!r}; get it again")
    return columns[name]


def _composed(folder: Path, split: str, size: int) -> ImageSource:
    """Frames drawn from the layers when asked for: all characters of a cell take about a tenth of a second."""
    layers = {layer: _layer(folder / layer) for layer in LAYERS}
    cells = [first + frame for first, count in FRAMES for frame in range(count)]
    kind, frame = (
        np.array(v) for v in zip(*((k, f) for k, (_, count) in enumerate(FRAMES) for f in range(count)), strict=True)
    )
    shown = np.column_stack([*np.divmod(kind, len(DIRECTIONS)), frame])  # of each cell: action, direction, frame
    worn = np.column_stack(np.unravel_index(np.arange(CHARACTERS), (KINDS,) * len(PARTS)))
    values = np.column_stack([np.tile(worn, (len(cells), 1)), np.repeat(shown, CHARACTERS, 0)]).astype(np.int64)

    def fetch(positions: np.ndarray) -> np.ndarray:
        pixels = np.empty((len(positions), 3, size, size), np.uint8)
        place, character = np.divmod(positions, CHARACTERS)
        for index in np.unique(place):
            chosen = place == index
            pixels[chosen] = _halved(_cell(layers, cells[index]), CELL // size)[character[chosen]]
        return pixels

    order = np.random.RandomState(SPLIT_SEED).permutation(CHARACTERS)  # the authors' generator
    is_test = np.zeros(CHARACTERS, bool)
    is_test[order[TRAIN_CHARACTERS:]] = True
    whole = ImageSource(len(cells) * CHARACTERS, (size, size, 3), fetch, ConditionColumns(CONDITIONS, values))
    return whole.select(np.flatnonzero(np.tile(is_test == (split == "test"), len(cells))))


def _layer(path: Path) -> Image.Image:
    rows = max(first + count for first, count in FRAMES) // CELLS_ACROSS + 1
    try:
        with Image.open(path, formats=["PNG"]) as image:
            if image.width < CELLS_ACROSS * CELL or image.height < rows * CELL:
                raise InputError(f"{path}: is {image.width}x{image.height} pixels, too small for a sprite layer")
            return image.convert("RGBA")
    except InputError:
        raise
    except Exception as error:  # damaged files make decoders raise nearly anything
        raise InputError(f"{path}: is not a sound sprite layer ({error}); get it again") from error


def _cell(layers: dict[str, Image.Image], cell: int) -> np.ndarray:
    """All characters in one cell, uint8 [1296, 3, 64, 64]; the hair's kind runs fastest, the body's slowest."""
    row, column = divmod(cell, CELLS_ACROSS)
    box = (column * CELL, row * CELL, (column + 1) * CELL, (row + 1) * CELL)
    crops = {name: layer.crop(box) for name, layer in layers.items()}
    drawn = [Image.new("RGBA", (CELL, CELL), (0, 0, 0, 255))]
    for part in PARTS:
        kinds = [crops[f"{part}/{kind}.png"] for kind in range(KINDS)]
        drawn = [Image.alpha_composite(below, kind) for below in drawn for kind in kinds]
    shod = [np.asarray(Image.alpha_composite(below, crops["shoes/1.png"])) for below in drawn]
    return np.ascontiguousarray(np.stack(shod)[..., :3].transpose(0, 3, 1, 2))


def _halved(pixels: np.ndarray, factor: int) -> np.ndarray:
    """Means of `factor` x `factor` pixels, halves rounded up: [n, c, h, w] -> [n, c, h / factor, w / factor]."""
    total = np.full(pixels[:, :, ::factor, ::factor].shape, factor * factor // 2, np.uint16)
    for row in range(factor):
        for column in range(factor):
            total += pixels[:, :, row::factor, column::factor]
    return (total // (factor * factor)).astype(np.uint8)
