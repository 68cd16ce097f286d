"""`sample --sheet` as a user types it."""

import json
import subprocess
import sys

import pytest
from PIL import Image
from walkers import walker

from gaussiandiffusion.cli.main import run


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("walker")
    walker().save_pretrained(path)
    return str(path)


def test_a_character_is_written_to_the_folder_and_told_of(folder, tmp_path, capsys):
    out = tmp_path / "hero"
    argv = ["sample", "--model", folder, "--sheet", "--label", "hair=red", "--fps", "24", "--size", "16"]
    assert run([*argv, "--seed", "2", "--out", str(out)]) == 0
    said = capsys.readouterr().out
    assert "a character of 14 drawn frames" in said
    assert f"{out}/sheet.png, sheet.json, sheet.aseprite.json, animations/, splats.safetensors" in said
    told = json.loads((out / "sheet.json").read_text())
    assert Image.open(out / "sheet.png").size == (12 * 16, 4 * 16)
    assert (told["meta"]["app"], told["meta"]["model"], told["meta"]["seed"]) == ("gaussiandiffusion", folder, 2)
    spans = {tag["name"]: tag["to"] - tag["from"] + 1 for tag in told["meta"]["frameTags"]}
    assert spans == {"walk-front": 12, "walk-left": 12, "slash-front": 7, "slash-left": 7}
    before = (out / "sheet.png").read_bytes(), (out / "sheet.json").read_bytes()
    assert run([*argv, "--seed", "2", "--out", str(out)]) == 0
    assert before == ((out / "sheet.png").read_bytes(), (out / "sheet.json").read_bytes())


def test_several_characters_have_folders_of_their_own(folder, tmp_path):
    out = tmp_path / "heroes"
    assert run(["sample", "--model", folder, "--sheet", "--num", "2", "--label", "walk", "--out", str(out)]) == 0
    assert sorted(path.name for path in out.iterdir()) == ["00000", "00001"]
    first, second = ((out / name / "sheet.png").read_bytes() for name in ("00000", "00001"))
    assert first != second
    assert [path.name for path in (out / "00001" / "animations").iterdir()] == ["walk.gif"]


def test_actions_that_go_round_are_named(folder, tmp_path):
    argv = ["sample", "--model", folder, "--sheet", "--loop", "slash", "--out", str(tmp_path)]
    assert run(argv) == 0
    tags = json.loads((tmp_path / "sheet.aseprite.json").read_text())["meta"]["frameTags"]
    assert ["repeat" in tag for tag in tags] == [True, True, False, False]


WRONG = [
    (["--model", "mnist", "--sheet"], "mnist: a sheet needs a model with the attributes action and frame"),
    (["--model", "FOLDER", "--sheet", "--label", "slash", "--label", "frame=3"], "no frame comes together"),
    (["--model", "FOLDER", "--sheet", "--fps", "0"], "--fps must"),
    (["--model", "FOLDER", "--fps", "24"], "give --sheet too"),
    (["--model", "FOLDER", "--loop", "slash"], "give --sheet too"),
    (["--model", "FOLDER", "--sheet", "--svg"], "leave --gif, --mp4, --apng and --svg out"),
]


def test_what_makes_no_sheet_is_answered_in_a_sentence_before_pytorch_is_imported(folder, tmp_path):
    argvs = [
        ["sample", *(folder if word == "FOLDER" else word for word in argv), "--out", str(tmp_path / "out")]
        for argv, _ in WRONG
    ]
    code = (
        "import sys; from gaussiandiffusion.cli.main import run\n"
        f"for argv in {argvs!r}:\n"
        "    assert run(argv) == 2, argv\n"
        "    assert 'torch' not in sys.modules, argv"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    lines = done.stderr.splitlines()
    assert len(lines) == len(WRONG)
    for line, (_, complaint) in zip(lines, WRONG, strict=True):
        assert complaint in line
    assert not (tmp_path / "out").exists()
