"""A picture of one row or one column through the command line: encoded, drawn at other sizes, as SVG."""

import numpy as np
import pytest
from PIL import Image

from gaussiandiffusion.cli.main import run
from gaussiandiffusion.splats import Splats


@pytest.mark.parametrize("upright", [False, True])
def test_a_narrow_picture_is_encoded_and_drawn_at_any_size(tmp_path, capsys, upright):
    row = (127 + 100 * np.sin(np.arange(3000) / 40)).astype(np.uint8)
    pixels = row[:, None] if upright else row[None]
    Image.fromarray(pixels).save(tmp_path / "narrow.png")
    sets = tmp_path / "sets.safetensors"
    assert run(["encode", str(tmp_path / "narrow.png"), "--out", str(sets)]) == 0
    assert "1 sets of 70 splats, PSNR mean" in capsys.readouterr().out
    Splats.load(sets).validate()
    for size in (None, 300, 6000):
        out = tmp_path / str(size)
        more = [] if size is None else ["--size", str(size)]
        assert run(["render", str(sets), "--svg", *more, "--out", str(out)]) == 0
        drawn = np.asarray(Image.open(next(out.glob("*.png"))), float)
        longer, shorter = size or 3000, max(1, (size or 3000) // 3000)
        assert drawn.shape == ((longer, shorter) if upright else (shorter, longer))
        line = drawn.mean(1 if upright else 0)
        expected = np.interp((np.arange(longer) + 0.5) * 3000 / longer - 0.5, np.arange(3000), row)
        assert np.abs(line - expected).mean() < 6  # grey levels
        width, height = (shorter, longer) if upright else (longer, shorter)
        assert f'width="{width}" height="{height}"' in next(out.glob("*.svg")).read_text()
