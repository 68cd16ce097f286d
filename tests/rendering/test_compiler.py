"""What compiled functions promise around their results: kept, announced, and as wide as the processor."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import gaussiandiffusion

PACKAGE = Path(gaussiandiffusion.__file__).parent
BIN = """
import sys, warnings
import numpy as np
caught = warnings.catch_warnings(record=True).__enter__()
warnings.simplefilter("always")
from gaussiandiffusion.rendering.cpu import tiles
{between}
geometry = np.array([[9, 150], [9, 9], [1, 1], [0, 0], [1, 1]], np.float32)
starts, members = tiles.bin_splats(geometry, 2, tiles.tile_grid(64, 192), np.float32(3.5))
kept = [w for w in caught if "cannot be kept" in str(w.message)]
print(starts.tolist(), members.tolist(), len(kept))
"""
EXPECTED = "[0, 1, 1, 2] [0, 1] "


def run(program, source=PACKAGE.parent, **environment):
    """A program's output and what it said on stderr."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("NUMBA_")}
    environment = inherited | {"PYTHONPATH": str(source), "PYTHONDONTWRITEBYTECODE": "1"} | environment
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, env=environment)
    return done.stdout, done.stderr


def test_what_is_compiled_is_announced_and_kept_until_a_source_changes(tmp_path):
    """Also a source that the compiled function's own file only imports."""
    source, kept = copied(tmp_path), str(tmp_path / "kept")
    first, second = (run(BIN.format(between=""), source, NUMBA_CACHE_DIR=kept) for _ in range(2))
    module = source / "gaussiandiffusion" / "rendering" / "cpu" / "simd.py"
    module.write_text(module.read_text() + "\n# changed\n")
    third = run(BIN.format(between=""), source, NUMBA_CACHE_DIR=kept)
    assert {out for out, _ in (first, second, third)} == {EXPECTED + "0\n"}
    assert [said.count("compiling the kernel, once after installing") for _, said in (first, second, third)] == [
        1,
        0,
        1,
    ]


def test_an_installation_that_cannot_be_written_costs_one_warning(tmp_path):
    """Neither the package's folder, nor the user's, nor the one asked for: files are where those would have to be."""
    source = copied(tmp_path)
    for folder in [*source.rglob("*/")]:
        (folder / "__pycache__").touch()
    file = tmp_path / "file"
    file.touch()
    places = dict.fromkeys(["HOME", "XDG_CACHE_HOME", "NUMBA_CACHE_DIR"], str(file / "folder"))
    assert run(BIN.format(between=""), source, **places)[0] == EXPECTED + "1\n"


def test_a_folder_that_is_lost_on_the_way_costs_one_warning(tmp_path):
    folder = tmp_path / "kept"
    between = f"""
import pathlib, shutil
shutil.rmtree({str(folder)!r})
pathlib.Path({str(folder)!r}).touch()
"""
    assert run(BIN.format(between=between), NUMBA_CACHE_DIR=str(folder))[0] == EXPECTED + "1\n"


def copied(tmp_path):
    """A folder with a copy of the package's code."""
    source = tmp_path / "source"
    shutil.copytree(PACKAGE, source / PACKAGE.name, ignore=shutil.ignore_patterns("pretrained", "__pycache__"))
    return source


@pytest.mark.slow
def test_vectors_of_the_other_width_draw_and_differentiate_alike(tmp_path):
    """Eight lanes where sixteen are usual, or else sixteen, of which LLVM makes pairs of registers."""
    program = """
import numpy as np, torch
from gaussiandiffusion.rendering.cpu import compiler
other = 24 - compiler.vector_lanes()
compiler.vector_lanes = lambda: other
from gaussiandiffusion.rendering import accumulate
from gaussiandiffusion.rendering.cpu import simd
from gaussiandiffusion.splats import Canvas, Splats
assert simd.LANES == other
generator = torch.Generator().manual_seed(0)
draw = lambda *shape: torch.rand(*shape, generator=generator)
for channels in (1, 4):
    values = [draw(2, 40, 2) * 2.4 - 1.2, draw(2, 40, 2) * 0.3 + 0.03, draw(2, 40) * 1.8 - 0.9, draw(2, 40, channels)]
    found = []
    for backend, dtype in (("reference", torch.float64), ("cpu", torch.float32)):
        leaves = [value.to(dtype).requires_grad_() for value in values]
        picture = accumulate(Splats(*leaves, Canvas(21, 37, channels)), backend=backend)
        picture.square().sum().backward()
        found.append([picture.detach(), *[leaf.grad for leaf in leaves]])
    for expected, got in zip(*found, strict=True):
        print(float((got - expected).abs().max() / expected.abs().max()))
"""
    out, _ = run(program, NUMBA_CACHE_DIR=str(tmp_path))
    assert max(map(float, out.split())) < 1e-5  # rounding: the worst here is 1e-6
