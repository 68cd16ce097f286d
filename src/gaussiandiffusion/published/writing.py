"""Our sets as the follow-up's files: `.pt`, one set each, and HDF5 arrays (extra `[hdf5]`).

They are for the direct path, whose Gaussians are ours: its users draw them with a kernel as large as the picture.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from gaussiandiffusion.ground.errors import InputError
from gaussiandiffusion.ground.files import atomic_path
from gaussiandiffusion.published.drawing import FLATTEST, UNITS, peak_factors
from gaussiandiffusion.published.hdf5_files import library
from gaussiandiffusion.splats import SplatFile, Splats


def published_rows(splats: Splats, where: str = "splats") -> Float[Tensor, "n k f"]:
    """Rows [sigma_x, sigma_y, rho, alpha = 1, colour(s), x, y] that the direct path draws like the sets: the inverse of
    `to_splats`. Opacities go into the colours.

    Raises:
        InputError: what such files cannot say: RGBA, a background, alpha blending; or one row or column of pixels.
    """
    canvas = splats.canvas
    if canvas.channels == 4 or splats.blending != "sum" or bool((splats.background != 0).any()):
        others = "on a background" if splats.blending == "sum" else "blended by alpha"
        what = "RGBA" if canvas.channels == 4 else others
        raise InputError(f"{where}: published files hold grey or RGB sets that are summed over black, and these are "
                         f"{what}; convert to .safetensors or .json")  # fmt: skip
    if min(canvas.height, canvas.width) < 2:
        raise InputError(f"{where}: published files need pictures of at least 2x2 pixels")
    pixels = splats.means.new_tensor([canvas.width - 1, canvas.height - 1])
    rhos = splats.rhos[..., None]
    flatness = (1 - rhos) * (1 + rhos)
    narrower = (flatness / flatness.clamp_min(FLATTEST)).sqrt()
    sigmas = splats.sigmas * UNITS * canvas.longer_side / pixels * narrower
    places = -splats.means * canvas.longer_side / pixels
    colors = splats.colors if splats.opacities is None else splats.colors * splats.opacities[..., None]
    rows = torch.cat([sigmas, rhos, torch.ones_like(rhos), colors, places], -1)
    rows[..., 4:-2] /= peak_factors(rows, canvas)[..., None]
    return rows


def write_torch(file: SplatFile, paths: Sequence[Path], where: str = "splats") -> None:
    """Write sets as `.pt` files, one each.

    Args:
        where: their file, for errors.

    Raises:
        InputError: as `published_rows`; or the files cannot be written.
    """
    rows = published_rows(file.splats, where)
    drawing = _drawing(file.splats)
    for place, (each, path) in enumerate(zip(rows, paths, strict=True)):
        # Beside the rows, what a reader must be told otherwise.
        state: dict[str, Any] = {"W": each.float().contiguous().clone(), **drawing}
        if file.labels is not None:
            state["label"] = int(file.labels[place])
        with atomic_path(path) as temporary:
            torch.save(state, temporary)


def write_hdf5(parts: Iterable[SplatFile], count: int, path: Path) -> int:
    """Write sets part by part as the arrays' layout; returns how many.

    Args:
        count: of sets at most.

    Raises:
        InputError: as `published_rows`; the parts differ, or there are none; or the file cannot be written.
    """
    h5py = library()
    written = 0
    with atomic_path(path) as temporary, _new_file(h5py, temporary, path) as out:
        for part in parts:
            rows = published_rows(part.splats, str(path))
            columns = {"labels": part.labels, "psnr": part.psnr}
            if written == 0:
                shape = rows.shape[1:]
                out.create_dataset("W", (count, *shape), "f4", maxshape=(None, *shape), chunks=(1, *shape))
                for name, values in columns.items():
                    if values is not None:
                        out.create_dataset(name, (count,), "i8" if name == "labels" else "f4", maxshape=(None,))
                out.attrs.update(_drawing(part.splats))
            place = slice(written, written + len(rows))
            out["W"][place] = rows.numpy()
            for name, values in columns.items():
                if name in out and values is not None:
                    out[name][place] = values.numpy()
            written += len(rows)
        if written == 0:
            raise InputError(f"{path}: there are no sets to write")
        for name in out:
            out[name].resize(written, axis=0)
        out.create_dataset("done", data=[True] * written)
    return written


def _drawing(splats: Splats) -> dict[str, Any]:
    """How the rows are drawn: by kernels as large as the picture."""
    height, width = splats.canvas.height, splats.canvas.width
    return {"canvas": [height, width], "kernel_size": min(height, width), "soft_clamp": splats.output == "soft"}


def _new_file(h5py: Any, temporary: Path, path: Path) -> Any:
    with suppress(OSError):
        return h5py.File(temporary, "w")
    raise InputError(f"{path}: cannot be written; choose another place")
