"""Pictures in folders, zips and alone: order, labels, colour kinds, and what is refused."""

from __future__ import annotations

import io
import zipfile

import numpy as np
import pytest
from PIL import Image

from gaussiandiffusion.data import Framing, load_images
from gaussiandiffusion.data.paths import folder_classes, natural_key
from gaussiandiffusion.ground.errors import InputError


def grey(value: int, height: int = 4, width: int = 6) -> np.ndarray:
    return np.full((height, width), value, np.uint8)


def values(loaded) -> list[int]:
    return loaded.images[:, 0, 0, 0].tolist()


@pytest.fixture(params=["folder", "zip"])
def store(request, tmp_path, make):
    """A function from {name: content} to a source: once a folder, once a zip."""

    def build(members: dict[str, bytes]):
        if request.param == "zip":
            return make.zip(tmp_path / "pictures.zip", members)
        folder = tmp_path / "pictures"
        folder.mkdir()
        for name, content in members.items():
            make.write(folder / name, content)
        return folder

    return build


@pytest.mark.parametrize("channels", [None, 3, 4])
@pytest.mark.parametrize(("ending", "kind"), [(".png", "PNG"), (".bmp", "BMP"), (".WebP", "WEBP")])
def test_one_picture_comes_back_exactly(tmp_path, make, channels, ending, kind):
    pixels = make.noise(*((5, 7) if channels is None else (5, 7, channels)))
    if channels == 4:
        if kind == "BMP":
            pytest.skip("Pillow takes the fourth byte of a BMP for padding")
        pixels[..., 3] |= 1  # WebP forgets the colour of what is wholly transparent
    options = {"lossless": True} if kind == "WEBP" else {}
    path = make.write(tmp_path / f"one{ending}", make.picture_bytes(pixels, kind, **options))
    loaded = load_images(path)
    wanted = pixels[None] if channels is None else pixels.transpose(2, 0, 1)
    if kind == "WEBP" and channels is None:
        wanted = np.repeat(wanted, 3, axis=0)  # WebP has no grey
    np.testing.assert_array_equal(loaded.images[0], wanted)
    assert (loaded.labels, loaded.split, loaded.name) == (None, None, path.name)


def test_jpeg_and_first_gif_frame(tmp_path, make):
    make.write(tmp_path / "a.jpg", make.picture_bytes(grey(100), "JPEG"))
    assert load_images(tmp_path / "a.jpg").images.shape == (1, 1, 4, 6)
    frames = [Image.fromarray(np.full((4, 6, 3), value, np.uint8)) for value in ((200, 10, 10), (10, 200, 10))]
    frames[0].save(tmp_path / "a.gif", save_all=True, append_images=frames[1:])
    loaded = load_images(tmp_path / "a.gif")
    assert loaded.images.shape == (1, 3, 4, 6)
    assert loaded.images[0, :, 0, 0].tolist() == [200, 10, 10]


def test_palettes_become_colour(tmp_path):
    image = Image.fromarray(np.full((4, 6, 3), (10, 200, 30), np.uint8)).quantize(4)
    image.save(tmp_path / "plain.png")
    image.save(tmp_path / "clear.png", transparency=0)
    assert load_images(tmp_path / "plain.png").images[0, :, 0, 0].tolist() == [10, 200, 30]
    assert load_images(tmp_path / "clear.png").images.shape == (1, 4, 4, 6)


def test_photographs_are_turned_upright(tmp_path):
    image = Image.fromarray(grey(9, height=4, width=6))
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was held on its side
    image.save(tmp_path / "a.png", exif=exif)
    assert load_images(tmp_path / "a.png").images.shape == (1, 1, 6, 4)


def test_natural_order_and_passing_over(store, make):
    members = {f"{name}.png": make.picture_bytes(grey(name)) for name in (10, 9, 100, 2)}
    members |= {"notes.txt": b"x", ".hidden.png": b"x", "__MACOSX/._2.png": b"x", ".git/3.png": b"x"}
    source = store(members)
    assert values(load_images(source)) == [2, 9, 10, 100]
    assert values(load_images(source, limit=3)) == [2, 9, 10]
    assert load_images(source).labels is None


def test_natural_key_orders_everything():
    parts = ["", "0", "00", "a", "a2", "a10", "a10b", "9" * 5000, "٣", "b"]
    ordered = sorted(parts, key=natural_key)
    assert ordered.index("a2") < ordered.index("a10") < ordered.index("a10b") < ordered.index("b")
    assert sorted(["b/1", "a/10", "a/9", "a1", "a"], key=natural_key) == ["a", "a/9", "a/10", "a1", "b/1"]


def test_whole_number_folders_are_classes_of_that_name_and_counted_densely(store, make):
    source = store({f"deep/{label}/{i}.png": make.picture_bytes(grey(i)) for label in (7, 10, 0) for i in (1, 2)})
    loaded = load_images(source)
    assert loaded.labels.tolist() == [0, 0, 1, 1, 2, 2]
    assert loaded.conditions.spec.attributes == {"class": ("0", "7", "10")}


def test_class_folders_are_numbered_in_order(store, make):
    source = store({f"{name}/{i}.png": make.picture_bytes(grey(i)) for name in ("dog", "cat") for i in (2, 1)})
    assert load_images(source).labels.tolist() == [0, 0, 1, 1]
    assert load_images(source, limit=3).labels.tolist() == [0, 0, 1]


@pytest.mark.parametrize(
    ("paths", "labels", "names"),
    [
        (["a.png", "b.png"], None, None),
        (["one/a.png", "one/b.png"], None, None),
        (["cat/a.png", "b.png"], None, None),
        (["cat/a.png", "dog/deep/b.png"], None, None),
        (["set/cat/a.png", "set/dog/b.png"], [0, 1], ("cat", "dog")),
        (["1/a.png", "dog/b.png"], [0, 1], ("1", "dog")),
        (["train/3/a.png", "test/5/b.png"], [0, 1], ("3", "5")),
        (["2024/a.png", "2023/b.png"], [1, 0], ("2023", "2024")),
        (["class10/a.png", "class9/b.png"], [1, 0], ("class9", "class10")),
    ],
)
def test_folder_classes(paths, labels, names):
    found = folder_classes(paths)
    assert (found if found is None else found.labels.tolist()) == labels
    assert (found if found is None else found.spec.attributes["class"]) == names


def refuses(source, *words: str) -> None:
    with pytest.raises(InputError) as caught:
        load_images(source)
    sentence = str(caught.value)
    assert "\n" not in sentence
    for word in words:
        assert word in sentence


def test_mixed_sizes_are_counted_and_the_flag_named(store, make):
    members = {f"{i}.png": make.picture_bytes(grey(1)) for i in range(3)}
    source = store(members | {"b.png": make.picture_bytes(grey(1, 5, 8)), "c.png": b"no picture"})
    refuses(source, "of several sizes (3 of 6x4, such as 0.png; 1 of 8x5, such as b.png)", "--canvas N (with --fit")
    with pytest.raises(InputError, match=r"c\.png: is not a PNG"):
        load_images(source, framing=Framing(8))


def test_mixed_kinds_are_counted_and_the_flag_named(store, make):
    colour = [make.picture_bytes(make.noise(4, 6, channels)) for channels in (3, 4)]
    source = store({"a.png": make.picture_bytes(grey(1)), "b.png": colour[0], "c.png": colour[1], "d.png": colour[1]})
    refuses(source, "of several kinds (2 RGBA, such as c.png; 1 grey, such as a.png; 1 RGB", "--mode RGB, RGBA or L")
    assert load_images(source, framing=Framing(mode="L")).images.shape == (4, 1, 4, 6)


def test_what_is_mixed_still_is_all_that_is_told(store, make):
    members = {"a.png": make.picture_bytes(grey(1)), "b.png": make.picture_bytes(make.noise(5, 8, 3))}
    source = store(members)
    refuses(source, "of several sizes", "of several kinds", "--canvas", "--mode")
    for framing, left in ((Framing(8), "--mode"), (Framing(mode="RGB"), "--canvas")):
        with pytest.raises(InputError) as caught:
            load_images(source, framing=framing)
        assert [flag in str(caught.value) for flag in ("--canvas", "--mode")] == [left == "--canvas", left == "--mode"]


def test_many_sizes_are_told_in_short(tmp_path, make):
    for side in range(2, 40):
        make.png(tmp_path / f"{side}.png", make.noise(side, side, 3))
    refuses(tmp_path, "1 of 2x2, such as 2.png", "and 34 others")


def test_no_pictures(store):
    refuses(store({"notes.txt": b"x"}), "pictures", "holds no pictures")


@pytest.mark.parametrize("content", [b"", b"no picture at all", b"\x89PNG\r\n\x1a\n"])
def test_what_is_no_picture(store, content):
    refuses(store({"a.png": content}), "a.png")


def test_picture_called_wrongly(store, make):
    refuses(store({"a.png": make.picture_bytes(grey(1), "JPEG")}), "a.png", "really a JPEG", ".jpeg")


@pytest.mark.filterwarnings("ignore::UserWarning:PIL.TiffImagePlugin")
@pytest.mark.parametrize("kind", ["PNG", "BMP", "GIF", "WEBP", "JPEG", "TIFF"])
def test_cut_short_never_gives_other_pixels(tmp_path, make, kind):
    path = tmp_path / f"a.{kind.lower()}"
    whole = make.write(path, make.picture_bytes(make.noise(8, 8), kind)).read_bytes()
    wanted = load_images(path).images
    for length in [*range(0, len(whole), 9), *range(len(whole) - 9, len(whole))]:
        path.write_bytes(whole[:length])
        try:
            loaded = load_images(path)
        except InputError:
            continue
        np.testing.assert_array_equal(loaded.images, wanted)  # only an end mark was lost


def test_enormous_pictures_are_refused_by_their_header(tmp_path, make):
    image = Image.new("1", (20000, 10000))
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    refuses(make.write(tmp_path / "bomb.png", buffer.getvalue()), "bomb.png", "too many pixels")


def test_zip_members_that_climb_are_only_read(tmp_path, make):
    source = make.zip(
        tmp_path / "x.zip",
        {"../../evil.png": make.picture_bytes(grey(5)), "/abs/olute.png": make.picture_bytes(grey(6))},
    )
    before = sorted(tmp_path.rglob("*"))
    assert sorted(values(load_images(source))) == [5, 6]
    assert sorted(tmp_path.rglob("*")) == before
    assert not (tmp_path.parent.parent / "evil.png").exists()


@pytest.mark.parametrize("content", [b"", b"no zip", b"PK\x03\x04"])
def test_what_is_no_zip(tmp_path, make, content):
    refuses(make.write(tmp_path / "x.zip", content), "x.zip", "not a sound zip")


def test_damaged_zip_member_is_named(tmp_path, make):
    source = make.zip(tmp_path / "x.zip", {"a.png": make.picture_bytes(make.noise(9, 9))})
    whole = bytearray(source.read_bytes())
    whole[80] ^= 0xFF
    source.write_bytes(bytes(whole))
    refuses(source, "x.zip/a.png")


def test_zip_of_nothing(tmp_path):
    zipfile.ZipFile(tmp_path / "x.zip", "w").close()
    refuses(tmp_path / "x.zip", "holds no pictures")
