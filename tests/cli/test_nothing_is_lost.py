"""No verb writes over what it reads: sets, pictures, what a history begins with."""

import shutil

import pytest
from commands import refused
from PIL import Image
from walkers import walker

from gaussiandiffusion.cli.checks import is_read
from gaussiandiffusion.cli.main import run
from gaussiandiffusion.gallery import GalleryWriter
from gaussiandiffusion.splats.storage import save


@pytest.fixture
def folder(tmp_path, monkeypatch, make_splats):
    """Sets, a picture of their size, and a gallery."""
    monkeypatch.chdir(tmp_path)
    save(make_splats(n=1, channels=3), "a.safetensors")
    Image.new("RGB", (17, 12), (255, 255, 255)).save("photo.png")
    (tmp_path / "images").mkdir()
    for name in ("g/images/00000.png", "g/grid.png", "images/1.png"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy("photo.png", name)
    save(make_splats(n=1, channels=3), "g/splats.safetensors")
    (tmp_path / "g/sample.json").write_text("{}")
    return tmp_path


def contents(folder):
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def edited(*words):
    return run(["edit", "a.safetensors", *words])


def test_the_picture_of_an_edit_leaves_those_alone_that_were_read(folder, make_splats):
    before = contents(folder)
    assert edited("--op", "move:x=1px", "--where", "mask(photo.png)", "--out", "photo.json") == 0
    assert (folder / "photo.edited.png").exists()
    assert run(["edit", "--replay", "photo.json", "--out", "photo.safetensors"]) == 0
    assert is_read(folder / "images/1.png", folder / "images")
    assert contents(folder).items() >= before.items()
    save(make_splats(n=1, channels=3), "of-photo.safetensors", source={"name": "photo.png"})
    assert run(["edit", "of-photo.safetensors", "--op", "flip", "--out", "photo.safetensors"]) == 0
    assert contents(folder).items() >= before.items()


def test_a_history_is_not_made_again_over_what_it_begins_with(folder, capsys):
    assert edited("--op", "flip", "--out", "b.safetensors") == 0
    assert run(["edit", "b.safetensors", "--op", "layer:file=g/splats.safetensors", "--out", "c.safetensors"]) == 0
    before = contents(folder)
    for out in ("a.safetensors", "g/splats.safetensors"):
        assert f"{out}: is what is read" in refused(capsys, "edit", "--replay", "c.safetensors", "--out", out)
    assert contents(folder) == before


def test_an_edited_gallery_is_made_again(folder):
    (folder / "h").mkdir()
    assert edited("--op", "flip", "--out", "h/splats.safetensors") == 0
    (folder / "h/sample.json").write_text("{}")
    assert run(["edit", "--replay", "h", "--out", "again.safetensors"]) == 0
    assert (folder / "again.safetensors").stat().st_size > 0


@pytest.mark.parametrize(
    "argv",
    [
        ["vary", "g"],
        ["vary", "g/splats.safetensors"],
        ["vary", "g/images"],
        ["vary", "a.safetensors", "--toward", "g/images/00000.png"],
        ["inpaint", "a.safetensors", "--keep", "mask(g/grid.png)"],
        ["transfer", "g/images/00000.png", "--label", "hair=red"],
        ["interpolate", "g/splats.safetensors", "a.safetensors"],
        ["interpolate", "1", "g/images/00000.png", "--model", "walker"],
    ],
)
def test_no_gallery_is_written_over_what_it_is_made_from(argv, folder, capsys):
    walker().save_pretrained("walker")
    model = [] if argv[0] == "interpolate" else ["--model", "walker"]
    before = contents(folder)
    assert "g: is what is read, or holds it" in refused(capsys, *argv, *model, "--out", "g")
    assert contents(folder) == before


def test_no_animation_is_written_over_its_source(folder, capsys):
    before = contents(folder)
    for source, out in (("photo.png", "photo.png"), ("images", "images/1.png")):
        assert f"{out}: is what is read" in refused(capsys, "animate", source, "--process", "encode", "--out", out)
    assert contents(folder) == before


def test_a_gallery_is_animated_by_its_own_pictures(folder):
    Image.new("RGB", (50, 40)).save("g/grid.png")
    command = ["animate", "g", "--process", "encode", "--splats", "4", "--iterations", "2", "--out", "x.png"]
    assert run([*command, "--strip", "1"]) == 0
    assert Image.open("x.png").width > 0


def test_a_gallery_is_a_file_of_sets_wherever_one_is_read(folder):
    assert run(["convert", "g", "g.json"]) == 0
    assert edited("--op", "layer:file=g", "--out", "b.safetensors") == 0
    assert run(["edit", "--replay", "b.safetensors", "--out", "c.safetensors"]) == 0
    assert (folder / "b.safetensors").read_bytes() == (folder / "c.safetensors").read_bytes()


def test_a_new_gallery_keeps_no_animation_of_the_one_before(folder):
    (folder / "g/interpolation.gif").write_bytes(b"")
    (folder / "g/of-mine.gif").write_bytes(b"")
    GalleryWriter(folder / "g", 1)
    assert [path.name for path in (folder / "g").glob("*.gif")] == ["of-mine.gif"]


def test_idle_and_senseless_flags_are_refused(folder, capsys):
    keep = ["inpaint", "g", "--keep", "index(0)", "--complete", "--out", "x"]
    assert "or --complete, not both" in refused(capsys, *keep)
    assert "give --toward PICTURE too" in refused(capsys, "vary", "g", "--pull", "2", "--out", "x")
    assert "'': is neither a file" in refused(capsys, "interpolate", "", "1", "--out", "x")
    frames = ["animate", "--process", "reverse", "--frames", "1000000000", "--out", "x.gif"]
    assert "--frames must lie between 1 and 10000" in refused(capsys, *frames)


def test_an_edits_picture_never_fills_memory(folder, capsys, monkeypatch):
    monkeypatch.setattr("gaussiandiffusion.cli.edit.MOST_VALUES", 3 * 40 * 40)
    assert edited("--op", "canvas:width=100,height=100", "--out", "b.safetensors") == 0
    assert Image.open("b.png").size == (40, 40)
    big = ["edit", "b.safetensors", "--op", "flip", "--size", "64", "--out", "c.safetensors"]
    assert "give a smaller --size" in refused(capsys, *big)
    assert not (folder / "c.safetensors").exists()
