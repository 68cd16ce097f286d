"""`prune` and `densify` as operations by name."""

import numpy as np
import torch
from PIL import Image

from gaussiandiffusion.edit import Prune, parse_operation, prune
from gaussiandiffusion.encoding import FitEncoder, default_settings


def test_operations_do_what_the_functions_do(tmp_path):
    y, x = np.mgrid[:24, :24] / 6
    image = (128 + 100 * np.sin(x * y)).astype(np.uint8)
    Image.fromarray(image).save(tmp_path / "photo.png")
    splats = FitEncoder(default_settings(1, num_splats=20, iterations=10)).encode(image[None, None]).splats
    assert parse_operation("prune:keep=12") == Prune(keep=12)
    assert torch.equal(Prune(keep=12).apply(splats).means, prune(splats, keep=12).means)
    where = torch.arange(20)[None] < 10
    edited = parse_operation(f"densify:file={tmp_path / 'photo.png'},splats=26").edit(splats, where)
    assert edited.splats.num_splats == 26
    assert int(edited.selected.sum()) == 16
    assert torch.equal(edited.splats.means[:, 10:20], splats.means[:, 10:])
