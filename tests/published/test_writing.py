"""Our sets as published files: the published renderer draws them as ours does, and read back they are the same."""

import pytest
import torch
from published_sets import decibels
from published_sets import published_rows as random_rows

from gaussiandiffusion.ground.errors import InputError
from gaussiandiffusion.published.drawing import draw, peak_factors
from gaussiandiffusion.published.writing import published_rows, write_hdf5, write_torch
from gaussiandiffusion.rendering import render
from gaussiandiffusion.splats import Canvas, SplatFile, Splats
from gaussiandiffusion.splats.formats import load_sets
from gaussiandiffusion.splats.storage import FORMAT_VERSION, Header


def random_splats(n, k, canvas, seed=0, output=None):
    g = torch.Generator().manual_seed(seed)
    means = torch.rand(n, k, 2, generator=g) * 2.2 - 1.1
    sigmas = 0.005 + torch.rand(n, k, 2, generator=g).square() * 0.5  # some far thinner than a pixel
    rhos = torch.rand(n, k, generator=g) * 1.98 - 0.99
    colors = torch.rand(n, k, canvas.channels, generator=g)
    return Splats(means, sigmas, rhos, colors, canvas, output=output)


def as_file(splats, labels=None):
    canvas = splats.canvas
    header = Header(FORMAT_VERSION, (canvas.height, canvas.width, canvas.channels), splats.blending, splats.output)
    return SplatFile(splats, header, labels, None)


@pytest.mark.parametrize("canvas", [Canvas(28, 28), Canvas(32, 20, 3), Canvas(2, 5, 3)])
@pytest.mark.parametrize("output", ["clamp", "soft"])
def test_the_published_renderer_draws_them_as_ours_does(canvas, output):
    splats = random_splats(4, 10, canvas, output=output)
    rows = published_rows(splats)
    drawn = draw(rows, canvas, kernel_size=min(canvas.height, canvas.width), output=output)
    assert float(decibels(drawn, render(splats, backend="reference")).min()) > 70


@pytest.mark.parametrize("canvas", [Canvas(9, 13), Canvas(32, 32, 3)])
def test_the_largest_pixel_is_found_without_looking_at_all(canvas):
    rows = random_rows(3, 200, 6 + canvas.channels)
    rows[:, :50, :2] *= 0.02  # thin ones, whose largest pixel is far along a ridge
    rows[:, :100, 2] *= 1.24
    wide = canvas.channels
    alone = torch.zeros(1, 600, 6 + wide) + rows.reshape(1, 600, -1)
    alone[..., 4:-2] = 1
    x, y = (torch.linspace(-1, 1, side, dtype=torch.float64) for side in (canvas.width, canvas.height))
    s = alone.double()[0]
    u = (x + s[:, -2, None])[:, None, :] * 5 / s[:, 0, None, None]
    v = (y + s[:, -1, None])[:, :, None] * 5 / s[:, 1, None, None]
    rho = s[:, 2, None, None]
    exponents = (u.square() - 2 * rho * u * v + v.square()) / (-2 * (1 - rho.square()).clamp_min(1e-6))
    expected = (-exponents.amax((1, 2)).clamp_min(-80)).exp()
    torch.testing.assert_close(peak_factors(alone.double(), canvas)[0], expected, rtol=1e-9, atol=0)


def test_written_and_read_back_they_are_the_same(tmp_path):
    pytest.importorskip("h5py")  # of an extra
    splats = random_splats(5, 8, Canvas(32, 20, 3), output="soft")
    splats = Splats(splats.means, splats.sigmas + 0.03, splats.rhos * 0.9, splats.colors, splats.canvas, output="soft")
    labels = torch.tensor([3, 1, 4, 1, 5])
    file = as_file(splats, labels)
    assert write_hdf5(iter([file[:2], file[2:]]), 9, tmp_path / "x.h5") == 5
    write_torch(file, [tmp_path / "folder" / f"{i}.pt" for i in range(5)])
    for path in (tmp_path / "x.h5", tmp_path / "folder"):
        found = load_sets(path)
        assert found.labels.tolist() == labels.tolist()
        assert found.splats.output == "soft"
        for name, value in splats.tensors().items():
            torch.testing.assert_close(getattr(found.splats, name), value, rtol=2e-5, atol=2e-6, msg=name)


@pytest.mark.parametrize(
    "splats",
    [
        random_splats(1, 3, Canvas(8, 8, 4)),
        random_splats(1, 3, Canvas(1, 8)),
        Splats(torch.zeros(1, 1, 2), torch.ones(1, 1, 2), torch.zeros(1, 1), torch.ones(1, 1, 1), Canvas(8, 8),
               background=torch.ones(1, 1)),
    ],
    ids=["RGBA", "a row", "background"],
)  # fmt: skip
def test_what_such_files_cannot_say_is_refused(splats, tmp_path):
    with pytest.raises(InputError, match=r"x\.h5: published files"):
        write_torch(as_file(splats), [tmp_path / "x.pt"], "x.h5")
    assert not list(tmp_path.iterdir())
