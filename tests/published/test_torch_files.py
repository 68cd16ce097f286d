"""Published `.pt` files as sets of ours: the pictures that the published renderer draws."""

import pickle

import numpy as np
import pytest
import torch
from published_sets import decibels, published_rows

from gaussiandiffusion.ground.errors import InputError
from gaussiandiffusion.published.drawing import draw
from gaussiandiffusion.rendering import render
from gaussiandiffusion.splats import Canvas, Splats
from gaussiandiffusion.splats.formats import load_sets, open_sets
from gaussiandiffusion.splats.set_source import Reading


@pytest.fixture
def folder(tmp_path):
    """Ten files of the follow-up, whose names sort otherwise than their numbers."""
    sets = published_rows(12, 20)
    for i, each in enumerate(sets):
        torch.save({"W": each.clone()}, tmp_path / f"gaussian_{i}.pt")
    return tmp_path, sets


def test_a_direct_file_is_drawn_as_published(folder):
    place, sets = folder
    found = load_sets(place, Reading(kernel_size=28))
    expected = draw(sets, Canvas(28, 28), kernel_size=28)
    assert float(decibels(render(found.splats), expected).min()) > 90
    one = Splats.load(place / "gaussian_3.pt")
    assert len(one) == 1


def test_the_grid_path_is_fitted_to_what_is_drawn(folder):
    place, sets = folder
    source = open_sets(place)
    (part,) = source.parts()
    assert float(decibels(render(part.splats), draw(sets, Canvas(28, 28), kernel_size=11)).min()) >= 35
    (note,) = source.notes
    assert "28x28 pixels, kernel size 11, hard clamp, numbers as drawn (--sets-canvas" in note


def test_raw_values_of_the_papers_time(tmp_path):
    final = published_rows(1, 9)[0]
    raw = final.clone()
    raw[:, :2], raw[:, 2] = final[:, :2].logit(), final[:, 2].atanh()
    raw[:, 3] = 0.4
    torch.save({"W": raw, "label": 5, "loss_history": [0.2, 0.1]}, tmp_path / "img_0.pt")
    torch.save({"W": raw[:4], "label": 7, "loss_history": [0.2]}, tmp_path / "img_1.pt")
    source = open_sets(tmp_path, Reading(kernel_size=28))
    (part,) = source.parts()
    assert part.labels.tolist() == [5, 7]
    assert part.splats.num_splats == 9
    final[:, 4] *= torch.tensor(0.4).sigmoid()
    assert float(decibels(render(part.splats[0]), draw(final[None], Canvas(28, 28), kernel_size=28))) > 90
    assert float(decibels(render(part.splats[1]), draw(final[None, :4], Canvas(28, 28), kernel_size=28))) > 90
    assert "1 sets of fewer than 9 rows" in source.notes[-1]
    assert "before sigmoid and tanh" in source.notes[0]


def test_labels_come_from_a_file(folder, tmp_path_factory):
    place, _ = folder
    labels = tmp_path_factory.mktemp("labels") / "labels.txt"
    labels.write_text("\n".join(str(i % 3) for i in range(12)))
    assert load_sets(place, Reading(labels=labels)).labels.tolist() == [i % 3 for i in range(12)]
    labels = labels.with_suffix(".json")
    labels.write_text('{"10": 1, "9": 2}')
    with pytest.raises(InputError, match=r"labels\.json: has no label of set number 0, and of 10 sets in all"):
        load_sets(place, Reading(labels=labels))


def test_unsound_sets_are_left_out_counted_and_named(tmp_path):
    sets = published_rows(4, 5)
    sets[1, 2, 4] = float("nan")
    sets[2, 0, 0] = -0.1
    for i, each in enumerate(sets):
        torch.save({"W": each.clone()}, tmp_path / f"{i}.pt")
    source = open_sets(tmp_path, Reading(kernel_size=28, values="final"))
    assert sum(len(part.splats) for part in source.parts(2)) == 2
    assert source.notes[1:] == [
        "1 sets left out, with NaN or infinity (the first: 1)",
        "1 sets left out, with sigmas that are not > 0 (the first: 2)",
    ]


class Code:
    def __reduce__(self):
        return (print, ("run",))


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "is no readable .pt file"),
        (b"PK\x03\x04 broken", "is no readable .pt file"),
        (pickle.dumps({"W": Code()}, 2), "could run code are not read"),
        ({"W": Code()}, "could run code are not read"),
        ({"V": torch.zeros(2, 7)}, r"holds no tensor W, .* \(it holds V\)"),
        ({"W": torch.zeros(0, 7)}, r"W is float32 \(0, 7\), not floats of shape \(K, 7\)"),
        ({"W": torch.ones(3, 7).int()}, r"W is int32 \(3, 7\), not floats"),
        ({"W": torch.ones(3, 7).to_sparse()}, "W is no tensor that lies in the file number by number"),
        ({"W": torch.ones(3, 7, device="meta")}, "W is no tensor that lies in the file number by number"),
        ({"W": torch.ones(1, 1).expand(10**9, 7)}, "W is no tensor that lies in the file number by number"),
        ({"W": torch.ones(3, 7), "label": 10**30}, "label: expected int <= "),
        ({"W": torch.ones(3, 7), "label": "seven"}, "label: expected int"),
        ({"W": torch.ones(3, 6)}, "rows of 6 numbers are in no published file"),
        ([torch.zeros(2, 7)], "holds a list, not a dictionary"),
    ],
)
def test_bad_files_are_refused(tmp_path, content, words, capsys):
    path = tmp_path / "x.pt"
    if isinstance(content, bytes):
        path.write_bytes(content)
    else:
        torch.save(content, path)
    with pytest.raises(InputError, match=words):
        load_sets(path)
    assert capsys.readouterr().out == ""


def test_a_truncated_file_is_refused(folder):
    place, _ = folder
    path = place / "gaussian_0.pt"
    path.write_bytes(path.read_bytes()[:-200])
    with pytest.raises(InputError, match=r"gaussian_0\.pt: is no readable"):
        load_sets(place)


def test_the_order_is_that_of_the_numbers(folder):
    place, sets = folder
    found = load_sets(place, Reading(kernel_size=28)).splats
    np.testing.assert_allclose(found.rhos, sets[..., 2], atol=1e-6)


def test_a_folder_is_a_data_set_by_its_pt_files_alone(folder):
    place, _ = folder
    (place / "labels.json").write_text("[1]")
    assert len(open_sets(place)) == 12
    for path in place.glob("*.pt"):
        path.unlink()
    with pytest.raises(InputError, match="is a folder without files of which a folder is one data set"):
        open_sets(place)
