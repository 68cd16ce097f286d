"""CelebA from folders of its layout: the split, the crop, and the attributes beside it."""

from __future__ import annotations

import numpy as np
import pytest

from gaussiandiffusion.data import load_images, open_images
from gaussiandiffusion.ground.errors import InputError

NUMBERS = (1, 162_770, 162_771, 182_638, 202_599)  # photographs of both splits and of neither
SPLITS = {"train": (0, 1), "test": (3, 4)}
NAMES = ("5_o_Clock_Shadow", "Bald", "Smiling")


def photographs(make) -> dict[str, bytes]:
    """Grey in the centre, white beyond."""
    contents = {}
    for number in NUMBERS:
        pixels = np.full((218, 178, 3), 255, np.uint8)
        pixels[20:198] = number % 256
        contents[f"img_align_celeba/{number:06d}.jpg"] = make.picture_bytes(pixels, "JPEG", quality=100)
    return contents


LAYOUTS = ("zip", "folder", "published", "folder twice")


@pytest.fixture(params=LAYOUTS)
def faces(request, tmp_path, make):
    """A folder with photographs as they lie about."""
    contents = photographs(make)
    if request.param == "zip":
        make.zip(tmp_path / "img_align_celeba.zip", contents)
    elif request.param == "published":
        (tmp_path / "celeba" / "Img").mkdir(parents=True)
        make.zip(tmp_path / "celeba" / "Img" / "img_align_celeba.zip", contents)
        make.write(tmp_path / "celeba" / "Eval" / "list_eval_partition.txt", b"000001.jpg 0\n")
    else:
        below = "celeba/img_align_celeba" if request.param == "folder twice" else "celeba"
        for name, content in contents.items():
            make.write(tmp_path / below / name, content)
    return tmp_path


def test_celeba_is_split_by_number_cropped_and_reduced(faces):
    for split, places in SPLITS.items():
        loaded = load_images("celeba64", split=split, data_dir=faces)
        assert loaded.images.shape == (2, 3, 64, 64)
        shades = [NUMBERS[place] % 256 for place in places]
        assert loaded.images[:, 0, 5:-5, :].mean((1, 2)) == pytest.approx(shades, abs=2)
        assert (loaded.labels, loaded.name, loaded.split) == (None, "celeba64", split)


def table(kind: str = "txt", names: tuple[str, ...] = NAMES, rows: dict[int, str] | None = None) -> bytes:
    """Attributes of all photographs, by default -1 but for the one that each has, as the file is written."""
    rows = rows or {
        number: "  ".join("1" if place == i % 3 else "-1" for place in range(3)) for i, number in enumerate(NUMBERS)
    }
    if kind == "csv":
        lines = [",".join(("image_id", *names))]
        return "\n".join([*lines, *(f"{n:06d}.jpg,{','.join(row.split())}" for n, row in rows.items())]).encode()
    lines = [str(len(rows)), " ".join(names) + " "]
    return "\r\n".join([*lines, *(f"{n:06d}.jpg  {row}" for n, row in rows.items()), ""]).encode()


@pytest.mark.parametrize("place", ["list_attr_celeba.txt", "Anno/list_attr_celeba.txt", "list_attr_celeba.csv"])
def test_attributes_beside_the_photographs_are_conditions(faces, make, place):
    folder = faces / "celeba" if (faces / "celeba").is_dir() else faces
    make.write(folder / place, table(place[-3:]))
    for split, places in SPLITS.items():
        loaded = load_images("celeba64", split=split, data_dir=faces)
        assert loaded.conditions.spec.attributes == dict.fromkeys(NAMES, ("no", "yes"))
        assert loaded.conditions.values.tolist() == np.eye(3, dtype=int)[[i % 3 for i in places]].tolist()
    first = open_images("celeba64", split="test", data_dir=faces, limit=1)
    assert first.conditions.spec.parse(["Bald=no", "Smiling=yes"]) == {"Bald": "no", "Smiling": "yes"}
    with pytest.raises(InputError, match="several attributes"):
        first.conditions.spec.parse(["yes"])


WHOLE = table().decode()
DAMAGED = {
    "holds 4 rows, but says 5": WHOLE[: WHOLE.index("202599")],
    "line 4 has 2 values for 3 attributes": WHOLE.replace("162770.jpg  -1", "162770.jpg"),
    "line 4 has 4 values for 3 attributes": WHOLE.replace("162770.jpg", "162770.jpg 1"),
    "line 4 has the value '0'": WHOLE.replace("162770.jpg  -1", "162770.jpg  0"),
    "line 7 has 1 values": WHOLE[:-10],
    "has no row for img_align_celeba/162770.jpg": WHOLE.replace("162770", "162779"),
    "names an attribute twice": WHOLE.replace("Bald", "Smiling"),
    "is no table of attributes": "a picture",
    "is no table": "",
}


@pytest.mark.parametrize("message", DAMAGED)
def test_attributes_that_do_not_fit_are_refused(tmp_path, make, message):
    make.zip(tmp_path / "img_align_celeba.zip", photographs(make))
    make.write(tmp_path / "list_attr_celeba.txt", DAMAGED[message].encode())
    with pytest.raises(InputError) as caught:
        open_images("celeba64", data_dir=tmp_path)
    assert "list_attr_celeba.txt" in str(caught.value)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_celeba_is_not_downloaded_for_the_user(tmp_path):
    with pytest.raises(InputError, match=r"celeba64: is not downloaded.*licence.*--data-dir"):
        open_images("celeba64")
    with pytest.raises(InputError, match=r"img_align_celeba\.zip"):
        open_images("celeba64", data_dir=tmp_path)


def test_a_half_downloaded_archive_is_told(tmp_path, make):
    path = make.zip(tmp_path / "img_align_celeba.zip", photographs(make))
    path.write_bytes(path.read_bytes()[:-3000])
    with pytest.raises(InputError, match=r"img_align_celeba\.zip: is not a sound zip archive, or only a part of one"):
        open_images("celeba64", data_dir=tmp_path)
