"""One set as a `.ply` of 3D Gaussian splatting, for viewers of such files: a flat picture at z = 0.

What a viewer shows is near, not equal. It blends by opacity, front to back, where sets of blending "sum" add up: a
splat here hides a part of those behind it, so overlaps come out darker than their sum, and which of the splats at one
depth lies in front is the viewer's choice. So the opacity is as small as the colour allows: its largest channel, the
colour divided by it (for RGBA the alpha channel; for output "soft" 1 - exp(-largest), which for white splats blends as
their sum). Sets of blending "alpha" keep their opacities and colours, and their splats lie one behind the other in
their order. Colours below 0 become 0, opacities above 0.99 become 0.99; the background is not in the file; viewers
that soften splats by a part of a pixel do so here too.

Source: Kerbl et al., "3D Gaussian Splatting for Real-Time Radiance Field Rendering", 2023, and its files.
"""

from __future__ import annotations

import os

import numpy as np
import torch
from jaxtyping import Float64
from numpy import ndarray
from torch import Tensor

from gaussiandiffusion.ground.errors import InputError
from gaussiandiffusion.ground.files import write_bytes
from gaussiandiffusion.splats.splats import Splats

HARMONIC = 0.28209479177387814  # of degree 0: a colour is 0.5 + HARMONIC * f_dc
THINNEST = 1e-4  # sigma of the third axis, and the step between layers, in canvas units
FAINTEST, DENSEST = 1e-4, 0.99  # opacities whose logits viewers can use
PROPERTIES = (
    *("x", "y", "z", "nx", "ny", "nz", "f_dc_0", "f_dc_1", "f_dc_2", "opacity"),
    *("scale_0", "scale_1", "scale_2", "rot_0", "rot_1", "rot_2", "rot_3"),
)


def write_ply(splats: Splats, path: str | os.PathLike[str], *, turned: bool = True) -> None:
    """Write one set as 3D Gaussians, whole or not at all; the picture's longer side is 2 units.

    Args:
        splats: a batch of one set.
        path: the file to write.
        turned: whether the file lies half a turn about z from how it is seen, as scenes of 3D Gaussian splatting do
            and as SuperSplat and others expect, which turn them back when they open them. False: for viewers that show
            files as they are. Either way it is seen from +z with y up.

    Raises:
        InputError: several sets, values out of range, or the file cannot be written.
    """
    if len(splats) != 1:
        raise InputError(f"{path}: a .ply holds one set, not {len(splats)}; choose one, as splats[0]")
    splats.validate(str(path))
    sign = -1.0 if turned else 1.0
    angles, scales = _axes(splats)
    colors, opacities = _appearance(splats)
    columns = torch.zeros(splats.num_splats, len(PROPERTIES), dtype=torch.float64)
    columns[:, 0:2] = sign * splats.means[0].double().cpu() * columns.new_tensor([1, -1])
    if splats.blending == "alpha":
        columns[:, 2] = -THINNEST * torch.arange(splats.num_splats)
    columns[:, 5] = 1  # the normal
    columns[:, 6:9] = (colors - 0.5) / HARMONIC
    columns[:, 9] = torch.logit(opacities.clamp(FAINTEST, DENSEST))
    columns[:, 10:12] = scales.log()
    columns[:, 12] = np.log(THINNEST)
    columns[:, 13], columns[:, 16] = (angles / 2).cos(), (angles / 2).sin()  # w, z: a turn about z
    write_bytes(path, _header(splats.num_splats) + _bytes(columns.numpy()))


def _axes(splats: Splats) -> tuple[Float64[Tensor, " k"], Float64[Tensor, "k 2"]]:
    """Angle of the longer axis, anticlockwise with y up, and sigmas along and across it; a half turn changes none."""
    sigma_x, sigma_y = splats.sigmas[0].double().cpu().unbind(-1)
    rho = splats.rhos[0].double().cpu()
    xx, yy, xy = sigma_x.square(), sigma_y.square(), -rho * sigma_x * sigma_y  # y turned over
    longer = (xx + yy) / 2 + torch.hypot((xx - yy) / 2, xy)
    shorter = xx * yy * (1 - rho) * (1 + rho) / longer  # the determinant keeps digits that a difference loses
    return torch.atan2(2 * xy, xx - yy) / 2, torch.stack([longer, shorter], -1).sqrt()


def _appearance(splats: Splats) -> tuple[Float64[Tensor, "k 3"], Float64[Tensor, " k"]]:
    """Colours in [0, 1], and opacities."""
    colors = splats.colors[0].double().cpu().clamp_min(0)
    given = None if splats.opacities is None else splats.opacities[0].double().cpu()
    if splats.blending == "alpha" and splats.canvas.channels < 4:
        opacities = torch.ones(len(colors), dtype=torch.float64) if given is None else given
        return colors.clamp_max(1).expand(-1, 3), opacities
    light = colors if given is None else colors * given[:, None]
    if splats.output == "soft":
        light = -torch.expm1(-light)
    opacities = light[:, 3] if splats.canvas.channels == 4 else light.amax(-1)
    largest = opacities.clamp_min(torch.finfo(torch.float32).tiny)  # of a splat that adds nothing, any colour will do
    return (light[:, :3] / largest[:, None]).clamp_max(1).expand(-1, 3), opacities


def _header(count: int) -> bytes:
    properties = "".join(f"property float {name}\n" for name in PROPERTIES)
    return f"ply\nformat binary_little_endian 1.0\nelement vertex {count}\n{properties}end_header\n".encode("ascii")


def _bytes(columns: ndarray) -> bytes:
    return np.ascontiguousarray(columns, dtype="<f4").tobytes()
