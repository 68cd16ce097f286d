"""Many splat files to one, tensor after tensor, so that their sets never have to be in memory together.

Layout of safetensors: the header's length as a little-endian uint64, the header as JSON padded with spaces to a
multiple of 8, then the tensors' bytes in the header's order. Source: https://github.com/huggingface/safetensors
"""

from __future__ import annotations

import json
import math
import struct
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from safetensors import safe_open

from gaussiandiffusion.ground.errors import InputError
from gaussiandiffusion.ground.files import atomic_path
from gaussiandiffusion.splats.storage import HEADER_KEY, load_header

BYTES = {"F32": 4, "I64": 8}  # of a value, by safetensors' names


def merge(paths: Sequence[Path], out: Path, source: Mapping[str, Any]) -> None:
    """Write the sets of several splat files as one, equal byte for byte to what `storage.save` would write.

    Args:
        paths: files of sets of one kind (tensors, K, canvas, settings), in order.
        out: the file to write, whole or not at all.
        source: what its header says of the images; all else is the first file's, but
            that the sets are signed if any file's are.

    Raises:
        InputError: a file cannot be read, or `out` cannot be written.
    """
    layouts = [_layout(path) for path in paths]
    for path, layout in zip(paths, layouts, strict=True):
        if _kinds(layout) != _kinds(layouts[0]) or any(kind not in BYTES for kind, *_ in _kinds(layout).values()):
            raise InputError(f"{path}: holds other tensors than sets beside it; delete it, and it is made again")
    headers = [load_header(path) for path in paths]
    header = replace(headers[0], source=dict(source), signed=any(each.signed for each in headers))
    merged: dict[str, Any] = {"__metadata__": {HEADER_KEY: header.to_json()}}
    end = 0
    for name, tensor in layouts[0].items():
        shape = [sum(layout[name]["shape"][0] for layout in layouts), *tensor["shape"][1:]]
        start, end = end, end + math.prod(shape) * BYTES[tensor["dtype"]]
        merged[name] = {"dtype": tensor["dtype"], "shape": shape, "data_offsets": [start, end]}
    text = json.dumps(merged, separators=(",", ":"), ensure_ascii=False).encode()
    text += b" " * (-len(text) % 8)
    with atomic_path(out) as temporary, open(temporary, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        for name in layouts[0]:
            for path in paths:
                with safe_open(path, "np") as part:
                    file.write(part.get_tensor(name).data)


def _kinds(layout: Mapping[str, Any]) -> dict[str, tuple[Any, ...]]:
    """Type and shape of each tensor, but for the number of sets."""
    return {name: (tensor["dtype"], *tensor["shape"][1:]) for name, tensor in layout.items()}


def _layout(path: Path) -> dict[str, Any]:
    """The tensors of a file, in the order they lie in it: name -> dtype, shape, data_offsets."""
    with open(path, "rb") as file:
        (length,) = struct.unpack("<Q", file.read(8))
        layout = json.loads(file.read(length))
    layout.pop("__metadata__")
    return layout
