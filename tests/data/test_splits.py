"""Sub-folders `train` and `test`: which pictures a split has, and how its classes are called."""

from __future__ import annotations

import numpy as np
import pytest

from gaussiandiffusion.data import load_images, open_images
from gaussiandiffusion.data.paths import find_split
from gaussiandiffusion.ground.errors import InputError


@pytest.fixture(params=["folder", "zip", "zip in a folder"])
def store(request, tmp_path, make):
    """A function from paths, each a grey picture of its place in the list, to a source."""

    def build(*paths: str):
        members = {path: make.picture_bytes(np.full((4, 4), i, np.uint8)) for i, path in enumerate(paths)}
        if request.param != "folder":
            top = "icons/" if "in a" in request.param else ""
            return make.zip(tmp_path / "icons.zip", {top + path: content for path, content in members.items()})
        for path, content in members.items():
            make.write(tmp_path / "icons" / path, content)
        return tmp_path / "icons"

    return build


def shown(source, split: str) -> tuple[list[int], list[int] | None, str | None]:
    loaded = load_images(source, split=split)
    labels = None if loaded.labels is None else loaded.labels.tolist()
    return loaded.images[:, 0, 0, 0].tolist(), labels, loaded.split


def refused(source, split: str) -> str:
    with pytest.raises(InputError) as caught:
        open_images(source, split=split)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_each_split_has_its_own_pictures(store):
    source = store("train/a.png", "train/b.png", "test/c.png", "val/d.png")
    assert shown(source, "train") == ([0, 1], None, "train")
    assert shown(source, "test") == ([2], None, "test")


def test_classes_are_called_and_numbered_alike(store):
    source = store("train/apple/a.png", "train/bow/b.png", "train/cup/c.png", "test/cup/d.png", "test/bow/e.png")
    assert shown(source, "train") == ([0, 1, 2], [0, 1, 2], "train")
    assert shown(source, "test") == ([4, 3], [1, 2], "test")
    spec = {"class": ("apple", "bow", "cup")}
    assert load_images(source).conditions.spec.attributes == spec
    assert load_images(source, split="test").conditions.spec.attributes == spec


def test_one_class_alone_is_tested_under_its_number(store):
    source = store("train/7/a.png", "train/12/b.png", "test/012/c.png")
    assert shown(source, "test") == ([2], [1], "test")


def test_test_pictures_may_have_no_classes(store):
    source = store("train/apple/a.png", "train/bow/b.png", "test/c.png")
    assert shown(source, "train")[1] == [0, 1]
    assert shown(source, "test") == ([2], None, "test")


@pytest.mark.parametrize("split", ["train", "test"])
def test_classes_that_training_lacks_are_refused(store, split):
    sentence = refused(store("train/apple/a.png", "train/bow/b.png", "test/bwo/c.png"), split)
    assert "test/bwo/c.png: its folder is none of the classes" in sentence
    assert "(apple, bow)" in sentence


def test_classes_of_tests_alone_are_refused(store):
    sentence = refused(store("train/a.png", "test/apple/b.png", "test/bow/c.png"), "train")
    assert "test: has classes (apple, bow), but" in sentence


@pytest.mark.parametrize(
    "paths", [("a.png", "b.png"), ("apple/a.png", "bow/b.png"), ("train/a.png", "plane/b.png", "car/c.png")]
)
def test_without_splits_everything_is_for_training(store, paths):
    source = store(*paths)
    values, labels, split = shown(source, "train")
    assert sorted(values) == list(range(len(paths)))
    assert split is None
    assert (labels is None) == (paths[0] == "a.png")
    assert "has no test split; leave --split out" in refused(source, "test")


@pytest.mark.parametrize(("there", "asked"), [("train", "test"), ("test", "train")])
def test_a_split_that_is_not_there(store, there, asked):
    source = store(f"{there}/a.png", f"{there}/b.png")
    assert shown(source, there)[0] == [0, 1]
    assert f"holds {there}/ but no {asked}/; add that" in refused(source, asked)


def test_pictures_beside_the_splits_are_not_lost_silently(store):
    assert "a.png: lies beside the sub-folders train/ and test/" in refused(
        store("a.png", "train/b.png", "test/c.png"), "train"
    )


def test_other_sources_have_no_test_split_either(tmp_path, make):
    np.savez(tmp_path / "x.npz", images=make.noise(3, 8, 8))
    make.png(tmp_path / "a.png", make.noise(4, 4))
    make.idx(tmp_path / "train-images-idx3-ubyte", make.noise(3, 8, 8))
    for name in ("x.npz", "a.png", "train-images-idx3-ubyte"):
        assert "has no test split" in refused(tmp_path / name, "test")
    test = make.idx(tmp_path / "t10k-images-idx3-ubyte", make.noise(3, 8, 8))
    assert open_images(test, split="test").split == open_images(test).split == "test"


def test_splits_lie_below_what_all_paths_share():
    deep = find_split(["a/b/train/x.png", "a/b/test/y.png"], "test", "place")
    assert (deep.prefix, deep.describe(["a/b/test/y.png"])) == ("a/b/test/", None)
    assert find_split(["a/train/x.png", "b/test/y.png"], "train", "place") is None
    assert find_split(["trains/x.png", "tests/y.png"], "train", "place") is None
