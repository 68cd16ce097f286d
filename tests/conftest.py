"""Shape annotations are checked while tests run; and small drawn pictures to test on."""

import importlib.util
import pkgutil
from pathlib import Path

import numpy as np
import pytest
from jaxtyping import install_import_hook

EXCEPTIONS = {
    # Compiled: numba takes functions as they are written.
    "encoding.fit",
    "encoding.large",
    "encoding.starts",
    "rendering.cpu.accumulate",
    "rendering.cpu.emission",
    "rendering.cpu.footprints",
    "rendering.cpu.kernel",
    "rendering.cpu.simd",
    "rendering.cpu.tiles",
    "rendering.cpu.vectors",
}


def checked_modules() -> list[str]:
    """All modules of the package but the exceptions, and the packages, which only pass names on."""
    root = Path(importlib.util.find_spec("gaussiandiffusion").origin).parent
    found = pkgutil.walk_packages([str(root)], "gaussiandiffusion.")
    names = [module.name for module in found if not module.ispkg and not module.name.endswith("__main__")]
    return [name for name in names if name.removeprefix("gaussiandiffusion.") not in EXCEPTIONS]


install_import_hook(checked_modules(), "typechecker.typecheck")


@pytest.fixture(scope="session")
def strokes():
    """48 grey 16x16 pictures of three classes: bars, slanted bars and rings, each a little different."""
    from PIL import Image, ImageDraw

    random = np.random.default_rng(0)
    pictures = []
    for i in range(48):
        picture = Image.new("L", (64, 64))
        draw = ImageDraw.Draw(picture)
        dx, dy = random.integers(-6, 7, 2)
        if i % 3 == 0:
            draw.line((32 + dx, 12 + dy, 32 + dx, 52 + dy), 255, 7)
        elif i % 3 == 1:
            draw.line((16 + dx, 48 + dy, 48 + dx, 16 + dy), 255, 7)
        else:
            draw.ellipse((18 + dx, 18 + dy, 46 + dx, 46 + dy), outline=255, width=7)
        pictures.append(np.asarray(picture.resize((16, 16), Image.Resampling.BOX)))
    return np.stack(pictures)[:, None]


@pytest.fixture(scope="session")
def stroke_file(strokes, tmp_path_factory):
    """`strokes` with their labels as an .npz."""
    path = tmp_path_factory.mktemp("data") / "strokes.npz"
    np.savez(path, images=strokes, labels=np.arange(len(strokes)) % 3)
    return path


@pytest.fixture
def make_splats():
    """Random valid sets: `make_splats(n, k, height, width, channels)`."""
    import torch

    from gaussiandiffusion.splats import Canvas, Splats

    def make(n=2, k=9, height=12, width=17, channels=1, seed=0, dtype=torch.float32, **kwargs):
        g = torch.Generator().manual_seed(seed)
        draw = lambda *shape: torch.rand(*shape, generator=g, dtype=dtype)  # noqa: E731 (shorthand)
        return Splats(
            draw(n, k, 2) * 2.4 - 1.2,
            draw(n, k, 2) * 0.3 + 0.03,
            draw(n, k) * 1.8 - 0.9,
            draw(n, k, channels),
            Canvas(height, width, channels),
            **kwargs,
        )

    return make


@pytest.fixture
def unchecked():
    """Annotations are not checked, as on a user's machine: for the refusals that the package makes itself."""
    from jaxtyping import config

    config.update("jaxtyping_disable", True)
    yield
    config.update("jaxtyping_disable", False)
