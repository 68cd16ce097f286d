"""Files of labels, by order or by the numbers of the sets."""

import pytest
import torch

from gaussiandiffusion.ground.errors import InputError
from gaussiandiffusion.published.labels import read_labels
from gaussiandiffusion.published.torch_files import files_in, numbers_of
from gaussiandiffusion.splats.formats import open_sets


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("l.json", "[3, 1, 2]"),
        ("l.json", '["3", "1", "2"]'),
        ("l.json", '{"7": 2, "0": 3, "5": 1, "9": 8}'),
        ("l.json", "[3, 0, 0, 0, 0, 1, 0, 2, 0]"),
        ("l.txt", "3\n1\n2\n"),
        ("l.csv", "\ufeff3\n1\n2"),
    ],
)
def test_by_order_or_by_number(tmp_path, name, text):
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    assert read_labels(path, 3, [0, 5, 7]).tolist() == [3, 1, 2]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[1, 2]", "has 2 labels for 3 sets"),
        ("[1, 2, 3, 4]", "has 4 labels for 3 sets"),
        ('"012"', "expected array, got str"),
        ("5", "expected array, got int"),
        ("[0, 1, 2.5]", r"\[2\]: expected int, got float"),
        ("[0, 1, NaN]", "got float"),
        ("[0, 1, Infinity]", "got float"),
        ("[0, 1, 99999999999999999999]", "expected int <= 9223372036854775807"),
        ("[0, 1, -1]", "expected int >= 0"),
        ("[true, false, true]", "got bool"),
        ("[0, 1, null]", "got null"),
        ('["0", "1", "' + "9" * 5000 + '"]', "expected int, got str"),
        ('{"a": 1}', "its keys must be the numbers of the sets"),
        ('{"0": 1, "5": 2}', "has no label of set number 7, and of 1 sets in all"),
        ('{"0": 1, "00": 2, "5": 1, "7": 1}', "has two labels of one set number"),
    ],
)
def test_anything_else_is_refused(tmp_path, text, said):
    path = tmp_path / "l.json"
    path.write_text(text)
    with pytest.raises(InputError, match=said) as error:
        read_labels(path, 3, [0, 5, 7])
    assert str(error.value).startswith(str(path))


def test_numbers_in_names(tmp_path):
    for number in (0, 10, 2, 100):
        (tmp_path / f"mnist28_{number}.pt").touch()
    (tmp_path / "._mnist28_2.pt").touch()  # as macOS strews about
    (tmp_path / "more.pt").mkdir()
    files = files_in(tmp_path)
    assert [path.stem for path in files] == ["mnist28_0", "mnist28_2", "mnist28_10", "mnist28_100"]
    assert numbers_of(files) == [0, 2, 10, 100]
    assert numbers_of([tmp_path / "a.pt", tmp_path / "b1.pt"]) is None


def test_labels_that_some_files_lack_are_told_of(tmp_path):
    rows = torch.rand(3, 7) * 0.5 + 0.1
    labels = [torch.tensor(2), torch.tensor([1]), -1]
    for i, label in enumerate(labels):
        torch.save({"W": rows, "label": label, "canvas": [8, 8], "kernel_size": 8, "soft_clamp": False},
                   tmp_path / f"{i}.pt")  # fmt: skip
    (part,) = open_sets(tmp_path).parts()
    assert part.labels.tolist() == [2, 1, -1]
    torch.save({"W": rows, "canvas": [8, 8], "kernel_size": 8, "soft_clamp": False}, tmp_path / "3.pt")
    source = open_sets(tmp_path)
    (part,) = source.parts()
    assert part.labels is None
    assert source.notes[1:] == ["labels left out: 1 of 4 files have none"]
    torch.save({"W": rows}, tmp_path / "4.pt")
    with pytest.raises(InputError, match=r"4\.pt: says of its drawing what 0\.pt does not"):
        open_sets(tmp_path)


def test_a_few_faults_do_not_make_a_file_raw(tmp_path):
    rows = torch.rand(6, 4, 7) * 0.5 + 0.1
    rows[4, 1, 0] = -0.1
    for i, each in enumerate(rows):
        torch.save({"W": each.clone()}, tmp_path / f"{i}.pt")
    source = open_sets(tmp_path)
    assert sum(len(part.splats) for part in source.parts()) == 5
    assert "numbers as drawn" in source.notes[0]
    assert source.notes[1:] == ["1 sets left out, with sigmas that are not > 0 (the first: 4)"]
