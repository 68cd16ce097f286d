"""Shape annotations of the whole package are checked while its tests run."""

from jaxtyping import install_import_hook

install_import_hook("gaussiandiffusion", "beartype.beartype")


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
