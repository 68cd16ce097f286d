"""In a real browser our SVG looks as we draw it, and sliders slide. Skipped where there is no Chromium.

It is looked for in the environment variable CHROMIUM, and by its names in PATH.
"""

import os
import re
import shutil
import subprocess

import numpy as np
import pytest
import torch
from PIL import Image

import gaussiandiffusion as gd
from gaussiandiffusion.ground.images import psnr
from gaussiandiffusion.rendering.notebook import slider_page
from gaussiandiffusion.splats import Splats

NAMES = ("chromium", "chromium-headless-shell", "chromium-browser", "google-chrome", "chrome", "chrome-headless-shell")
CHROMIUM = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)
LEAST = 30  # dB; Chromium 150 reaches 43 to 52

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium in PATH, and CHROMIUM is not set")


def chromium(page, *options):
    """What headless Chromium prints when it opens a page."""
    window = ("--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--force-device-scale-factor=1")
    profile = f"--user-data-dir={page.parent / 'profile'}"
    return subprocess.run(
        [CHROMIUM, *window, *options, profile, page.as_uri()], check=True, capture_output=True, timeout=60, text=True
    ).stdout


def screenshot(path, height, width):
    """uint8 [height, width, 3] of what Chromium shows of a file."""
    picture = path.with_suffix(".png")
    page = path.with_suffix(".html")  # a window has a least size, so the picture is cut out of a larger one
    page.write_text(f'<body style="margin:0;background:#000"><img src="{path.name}" style="display:block"></body>')
    chromium(page, f"--window-size={max(width, 800)},{max(height, 600)}", f"--screenshot={picture}")
    return np.asarray(Image.open(picture).convert("RGB"))[:height, :width]


def likeness(splats, path, size=None):
    """PSNR (dB) of what Chromium shows of a file against what we draw of a set."""
    canvas = splats.canvas.resized(size)
    wanted = gd.render(splats, size)[0].permute(1, 2, 0).expand(-1, -1, 3).numpy()
    shown = screenshot(path, canvas.height, canvas.width) / 255
    return float(psnr(float(np.square(shown - wanted).mean())))


@pytest.mark.parametrize("size", [None, 400])
@pytest.mark.parametrize("kind", ["random", "bright", "encoded"])
def test_chromium_draws_what_we_draw(make_splats, strokes, tmp_path, kind, size):
    if kind == "encoded":
        splats = gd.encode(strokes[2:3], 40)
    else:
        splats = make_splats(1, 60, 40, 60, 3, background=torch.tensor([[0.1, 0.0, 0.2]]))
        splats = Splats(**splats.tensors() | {"colors": splats.colors * 0.2}, canvas=splats.canvas)
        if kind == "bright":
            splats.colors[0, :3] *= 15  # in three layers
    gd.to_svg(splats, tmp_path / "x.svg", size=size)
    reached = likeness(splats, tmp_path / "x.svg", size)
    print(f"{kind} at {size}: {reached:.1f} dB")
    assert reached >= LEAST


def test_a_file_edited_by_hand_is_read_as_chromium_shows_it(make_splats, tmp_path):
    splats = make_splats(1, 12, 90, 120, 3)
    gd.to_svg(splats, tmp_path / "x.svg")
    head, *shapes = (tmp_path / "x.svg").read_text().split("<g ")
    shapes = ["<g " + shape for shape in shapes]
    shapes[0] = f'<g transform="translate(30,-9) rotate(40 60 45)" opacity="0.5">{shapes[0]}</g>\n'
    shapes[1] = re.sub('fill="[^"]*"', 'style="fill:tomato;fill-opacity:0.6"', shapes[1])
    shapes[2] = ""
    shapes[3] = shapes[3].replace("matrix", "skewX(20) scale(1.2 0.5) matrix")
    shapes[4] = shapes[4].replace("<g ", '<g visibility="hidden" ')
    shapes[5] = f"{shapes[5]}{shapes[5].replace('matrix', 'translate(20) matrix')}"
    (tmp_path / "x.svg").write_text(head + "".join(shapes))
    read = gd.Splats.load(tmp_path / "x.svg")
    assert read.num_splats == 12 - 2 + 1
    assert likeness(splats, tmp_path / "x.svg") < 25  # it was edited
    assert likeness(read, tmp_path / "x.svg") >= 40


def test_a_slider_shows_the_state_that_it_stands_at(tmp_path):
    frames = [Image.new("L", (40, 30), level) for level in (10, 120, 250)]
    shown = "var i=document.querySelector('input');i.value=1;i.dispatchEvent(new Event('input'))"
    (tmp_path / "x.html").write_text(f"{slider_page(frames, ['one', 'two', 'three'])}<script>{shown}</script>")
    page = chromium(tmp_path / "x.html", "--dump-dom")
    assert "<div>two</div>" in page
    assert re.search(r"object-position: 0(px)? -30px", page)
