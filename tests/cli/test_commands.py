"""The command line as a user types it: what it writes, and what it says of bad input."""

import json
import subprocess
import sys

import numpy as np
import pytest
from commands import refused
from PIL import Image

from gaussiandiffusion.cli.main import run
from gaussiandiffusion.splats import Splats, storage
from gaussiandiffusion.splats.formats import load_sets


def test_help_is_fast_and_imports_no_torch():
    for argv in (["--help"], ["sample", "--help"], ["train", "mnist", "--help"], ["encode", "--help"],
                 ["render", "--help"], ["evaluate", "--help"], ["profile", "--help"]):  # fmt: skip
        code = (
            "import sys; from gaussiandiffusion.cli.main import run; "
            f"code = run({argv!r}); assert 'torch' not in sys.modules and 'numba' not in sys.modules; sys.exit(code)"
        )
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stderr
        assert "Example: gaussiandiffusion" in done.stdout


WRONG = [
    ["smaple"],
    ["sample", "--nmu", "3", "--out", "OUT"],
    ["sample", "--num", "0", "--out", "OUT"],
    ["sample", "--seed", "-1", "--out", "OUT"],
    ["sample", "--size", "99999", "--out", "OUT"],
    ["sample", "--scheduler", "eluer", "--out", "OUT"],
    ["sample", "--model", "mnsit", "--out", "OUT"],
    ["sample", "--model", "FOLDER", "--out", "OUT"],
    ["sample", "--label", "12", "--out", "OUT"],
    ["sample", "--out", "FILE"],
    ["sample", "--out", "FILE/below"],
    ["encode", "mnits", "--out", "OUT"],
    ["encode", "FILE", "--out", "OUT"],
    ["encode", "mnist", "--data-dir", "FOLDER", "--out", "OUT"],
    ["encode", "mnist", "--workers", "-1", "--out", "OUT"],
    ["encode", "mnist", "--start", "template:none.safetensors", "--out", "OUT"],
    ["encode", "mnist"],
    ["render", "none.safetensors", "--out", "OUT"],
    ["render", "FILE", "--size", "0", "--out", "OUT"],
    ["evaluate", "--generated", "nowhere", "--real", "mnist", "--out", "OUT"],
    ["evaluate", "--generated", "FOLDER", "--real", "minst:test", "--out", "OUT"],
    ["evaluate", "--generated", "FOLDER", "--real", "mnist", "--features", "cfar", "--out", "OUT"],
    ["evaluate", "--generated", "FOLDER", "--real", "mnist", "--out", "FOLDER"],
    ["profile", "--model", "mnsit"],
    ["profile", "--repeats", "0"],
    ["train", "minst"],
    ["train", "mnist", "--max-stepz", "3"],
    ["train", "mnist", "--batch-size", "0"],
]


def test_wrong_arguments_are_answered_before_pytorch_is_imported(tmp_path):
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").write_text("")
    places = {"OUT": "out", "FOLDER": "folder", "FILE": "file"}
    argvs = []
    for argv in WRONG:
        words = [
            "/".join([str(tmp_path / places[first]), *rest]) if (first := word.split("/")[0]) in places else word
            for word, rest in ((word, word.split("/")[1:]) for word in argv)
        ]
        argvs.append(words)
    code = (
        "import sys; from gaussiandiffusion.cli.main import run\n"
        f"for argv in {argvs!r}:\n"
        "    assert run(argv) == 2, argv\n"
        "    assert 'torch' not in sys.modules, argv"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stderr.count("gaussiandiffusion: ") == len(WRONG)
    assert not (tmp_path / "out").exists()


def test_sample_imports_no_training_or_metric_code(tmp_path):
    code = (
        "import sys; from gaussiandiffusion.cli.main import run; "
        f"code = run(['sample', '--num', '2', '--steps', '1', '--out', {str(tmp_path / 'out')!r}]); "
        "bad = [m for m in ('torchmetrics', 'tensorboard', 'gaussiandiffusion.training', 'diffusers', 'numba', "
        "'torch._dynamo', 'scipy') "
        "if m in sys.modules]; assert not bad, bad; sys.exit(code)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr


def test_sample_writes_everything_it_tells_of(tmp_path):
    out = tmp_path / "out"
    argv = ["sample", "--label", "3", "--num", "4", "--steps", "2", "--gif", "--svg", "--mp4", "--size", "56",
            "--out", str(out)]  # fmt: skip
    assert run(argv) == 0
    assert Image.open(out / "images" / "00003.png").size == (56, 56)
    assert Image.open(out / "materialisation.gif").n_frames == 3
    assert (out / "materialisation.mp4").stat().st_size > 0
    drawn = sorted((out / "svg").glob("*.svg"))
    assert len(drawn) == 4
    assert load_sets(drawn[0]).header.source == storage.load_header(out / "splats.safetensors").source
    record = json.loads((out / "sample.json").read_text())
    assert (record["labels"], record["steps"], record["seed"]) == ([3] * 4, 2, 0)
    file = storage.load(out / "splats.safetensors")
    assert file.labels.tolist() == [3] * 4
    # Sampling again with fewer leaves no picture of before.
    assert run([*argv[:3], "--num", "2", "--steps", "2", "--batch-size", "1", "--out", str(out)]) == 0
    assert sorted(path.name for path in (out / "images").iterdir()) == ["00000.png", "00001.png"]
    again = Splats.load(out / "splats.safetensors")
    assert bool((again.means == file.splats[:2].means).all())


def test_encode_render_and_evaluate_follow_one_another(tmp_path, stroke_file, capsys):
    sets = tmp_path / "sets.safetensors"
    assert run(["encode", str(stroke_file), "--splats", "12", "--out", str(sets)]) == 0
    report = json.loads((tmp_path / "sets.encode.json").read_text())
    assert report["num"] == 48
    assert report["psnr"]["mean"] > 25
    assert run(["render", str(sets), "--out", str(tmp_path / "png"), "--limit", "3", "--size", "32"]) == 0
    assert Image.open(tmp_path / "png" / "00002.png").size == (32, 32)
    shards = tmp_path / "shards"
    assert run(["encode", str(stroke_file), "--splats", "12", "--out", str(shards)]) == 0
    assert (shards / "shard-00000-of-00001.safetensors").read_bytes() == sets.read_bytes()


def test_learned_template_and_training_go_together(tmp_path, stroke_file):
    template = tmp_path / "template.safetensors"
    out = tmp_path / "sets.safetensors"
    argv = ["encode", str(stroke_file), "--splats", "8", "--iterations", "10"]
    assert run([*argv, "--learn-template", str(template), "--out", str(out)]) == 0
    header = storage.load(out).header
    assert header.encoder["start"] == "template"
    assert len(header.encoder["template_sha256"]) == 64
    preset = tmp_path / "own.toml"
    preset.write_text(
        f'data = "{stroke_file}"\nsplats = 8\niterations = 10\nstart = "template:template.safetensors"\n'
        'model = "tiny"\nbatch_size = 16\nmixed_precision = "no"\n'
    )
    folder = tmp_path / "run"
    argv = ["train", str(preset), "--output-dir", str(folder), "--device", "cpu"]
    assert run([*argv, "--max-steps", "2"]) == 0
    assert run([*argv, "--max-steps", "3", "--resume"]) == 0
    assert run(["sample", "--model", str(folder / "pipeline"), "--num", "2", "--out", str(tmp_path / "o")]) == 0
    assert run([*argv, "--max-steps", "3", "--resume", "--learning-rate", "0.5"]) == 2


def test_training_encodes_live_as_typed(tmp_path, stroke_file, capsys):
    preset = tmp_path / "own.toml"
    preset.write_text(
        f'data = "{stroke_file}"\nsplats = 8\niterations = 10\nmodel = "tiny"\nbatch_size = 16\n'
        'mixed_precision = "no"\n'
    )
    folder = tmp_path / "run"
    argv = ["train", str(preset), "--output-dir", str(folder), "--device", "cpu", "--conditional", "False"]
    live = ["--encode", "live", "--augment.flip", "True", "--augment.shift", "0.5"]
    assert "augment needs encode = live" in refused(capsys, *argv, "--augment.flip", "True")
    assert run([*argv, *live, "--max-steps", "2"]) == 0
    assert run([*argv, *live, "--max-steps", "3", "--resume"]) == 0
    config = json.loads((folder / "config.json").read_text())
    assert (config["data"]["encode"], config["network"]["conditional"]) == ("live", False)
    assert config["data"]["augment"] == {"flip": True, "shift": 0.5, "rotate": 0, "zoom": 0}
    assert "was trained with augment" in refused(capsys, *argv, "--resume", *live[:2], "--augment.no-flip")
    assert run(["sample", "--model", str(folder / "pipeline"), "--num", "2", "--out", str(tmp_path / "o")]) == 0


def test_a_template_of_a_large_split_is_learned_from_a_sample_of_all_of_it(tmp_path, stroke_file, monkeypatch):
    from gaussiandiffusion.cli import encode
    from gaussiandiffusion.data import open_images

    whole = open_images(stroke_file)
    assert encode._sample(whole, 0).sha256 == whole.read().sha256
    monkeypatch.setattr(encode, "SAMPLE_LEAST", 12)
    monkeypatch.setattr(encode, "SAMPLE_BYTES", 0)
    sample = encode._sample(whole, 0)
    assert len(sample) == 12
    assert sample.sha256 == encode._sample(whole, 0).sha256 != encode._sample(whole, 1).sha256
    everything = {image.tobytes() for image in whole.read().images}
    drawn = {image.tobytes() for seed in range(20) for image in encode._sample(whole, seed).images}
    assert drawn == everything
    template = tmp_path / "template.safetensors"
    argv = ["encode", str(stroke_file), "--splats", "6", "--iterations", "3", "--limit", "2"]
    assert run([*argv, "--learn-template", str(template)]) == 0
    assert storage.load(template).header.source["sha256"] == sample.sha256


def test_bad_words_are_answered_in_one_line(tmp_path, capsys):
    out = tmp_path / "o"
    for argv, complaint in [
        (["smaple"], "unknown verb 'smaple'; choose one of sample, encode"),
        (["sample", "--nmu", "3", "--out", out], "--nmu"),
        (["sample"], "--out"),
        (["sample", "--num", "x", "--out", out], "--num"),
        (["sample", "--num", "0", "--out", out], "at least 1"),
        (["sample", "--label", "12", "--out", out], "unknown class '12'"),
        (["sample", "--model", "nope", "--out", out], "no model 'nope'"),
        (["sample", "--steps", "0", "--out", out], "--steps must be at least 1, not 0"),
        (["sample", "--steps", "1001", "--out", out], "steps must lie between 1 and 1000"),
        (["sample", "--model", "mnsit", "--out", out], "did you mean mnist?"),
        (["sample", "--scheduler", "ddpm", "--out", out], "cannot sample a flow model"),
        (["sample", "--device", "tpu", "--out", out], "--device"),
        (["train", "minst"], "no preset or file 'minst'"),
        (["train", "mnist", "--max-stepz", "3"], "--max-stepz"),
        (["train", "mnist", "--encode", "sometimes"], "--encode"),
        (["train", "mnist", "--encode", "live", "--augment.shift", "-1"], "augment.shift must be a number of at least"),
        (["encode", "minst", "--out", out], "mnist"),
        (["encode", "mnist", "--workers", "0", "--out", out], "--workers must be at least 1"),
        (["encode", "celeba64", "--out", out], "celeba64: is not downloaded"),
        (["render", tmp_path / "none.safetensors", "--out", out], "no such splat file"),
    ]:
        assert complaint in refused(capsys, *argv), argv
    assert not out.exists()


def test_bad_files_are_answered_in_one_line(tmp_path, capsys, stroke_file):
    out = tmp_path / "o.safetensors"
    empty = tmp_path / "empty"
    empty.mkdir()
    refused(capsys, "encode", empty, "--out", out)
    broken = tmp_path / "broken.png"
    broken.write_bytes(b"\x89PNG\r\n\x1a\nnot really")
    refused(capsys, "encode", broken, "--out", out)
    mixed = tmp_path / "mixed"
    mixed.mkdir()
    for name, size in (("a", 4), ("b", 5)):
        Image.fromarray(np.zeros((size, 4), np.uint8)).save(mixed / f"{name}.png")
    refused(capsys, "encode", mixed, "--out", out)
    for count in (0, 10**9):
        assert "number of splats must lie between" in refused(
            capsys, "encode", stroke_file, "--splats", count, "--out", out
        )
    assert "nothing to write" in refused(capsys, "encode", stroke_file)
    assert "--learn-template" in refused(capsys, "encode", stroke_file, "--texture", "--out", "x.safetensors")
    template = ["encode", stroke_file, "--learn-template", tmp_path / "t.safetensors"]
    assert "leave --start grid out" in refused(capsys, *template, "--start", "grid")
    for flag in (["--target-psnr", "30"], ["--allocate", "start"], ["--resume"]):
        assert f"{flag[0]} is of sets, and a template alone is asked for" in refused(capsys, *template, *flag)
    assert "cannot be written" in refused(capsys, "encode", stroke_file, "--out", stroke_file / "x.safetensors")
    truncated = tmp_path / "cut.safetensors"
    assert run(["encode", str(stroke_file), "--limit", "2", "--splats", "4", "--out", str(truncated)]) == 0
    truncated.write_bytes(truncated.read_bytes()[:-10])
    assert "not a readable safetensors" in refused(capsys, "render", truncated, "--out", tmp_path / "p")
    assert not out.exists()
    assert not list(tmp_path.glob(".*tmp"))


def test_full_disks_are_reported(tmp_path, capsys, monkeypatch, stroke_file):
    from pathlib import Path

    def full(self, content):
        raise OSError(28, "No space left on device", str(self))

    monkeypatch.setattr(Path, "write_bytes", full)
    message = refused(
        capsys, "encode", stroke_file, "--limit", "2", "--splats", "4", "--out", tmp_path / "x.safetensors"
    )
    assert "No space left on device" in message
    assert not (tmp_path / "x.safetensors").exists()


def test_the_running_psnr_is_in_the_bar_and_ray_is_asked_for_by_name(tmp_path, stroke_file, capsys, monkeypatch):
    argv = ["encode", stroke_file, "--splats", "4", "--iterations", "2", "--out", tmp_path / "sets"]
    assert run([*map(str, argv), "--workers", "2"]) == 0
    assert "PSNR" in capsys.readouterr().err
    monkeypatch.setitem(sys.modules, "ray", None)
    assert "gaussiandiffusion[ray]" in refused(capsys, *argv, "--engine", "ray")


@pytest.mark.parametrize("verb", [[], ["--help"], ["--version"]])
def test_the_program_introduces_itself(verb, capsys):
    assert run(verb) == (0 if verb else 2)
    captured = capsys.readouterr()
    assert "gaussiandiffusion" in captured.out + captured.err


def test_a_closed_pipe_is_no_error():
    command = f"{sys.executable} -m gaussiandiffusion sample --help | head -c 1; exit ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")
