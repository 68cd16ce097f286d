"""Damaged files that were once met, each refused, or read as far as it is sound."""

import json

import pytest
import torch
from benchmarks.regression.kinds import (
    make_gallery,
    make_pairs,
    make_splat_file,
    make_training,
    pixel_training,
    resume_training,
    splat_model,
    splats,
)

from gaussiandiffusion.cli import main as command_line
from gaussiandiffusion.encoding import make_encoder
from gaussiandiffusion.evaluation.sources import load_generated
from gaussiandiffusion.ground.errors import InputError
from gaussiandiffusion.ground.records import parse_json
from gaussiandiffusion.models import PixelUNet
from gaussiandiffusion.pipeline import GaussianDiffusionPipeline
from gaussiandiffusion.splats import storage
from gaussiandiffusion.training.checkpoint import load_checkpoint
from gaussiandiffusion.training.metrics import read_metrics, truncate_metrics
from gaussiandiffusion.training.presets import load_config

LINE = '{"step": 1, "samples_per_second": 10.0, "loss": 0.5}\n'
HALF = '{"step": 2, "samples_per'


def rewrite_header(path, **changes):
    """A splat file's header with other values; None leaves one out."""
    content = path.read_bytes()
    length = int.from_bytes(content[:8], "little")
    header = json.loads(content[8 : 8 + length])
    own = json.loads(header["__metadata__"][storage.HEADER_KEY]) | changes
    own = {name: value for name, value in own.items() if value is not None}
    header["__metadata__"][storage.HEADER_KEY] = json.dumps(own)
    text = json.dumps(header).encode()
    path.write_bytes(len(text).to_bytes(8, "little") + text + content[8 + length :])


@pytest.fixture
def splat_file(tmp_path):
    make_splat_file(tmp_path)
    return tmp_path / "sets.safetensors"


@pytest.fixture
def model(tmp_path):
    splat_model().save_pretrained(tmp_path)
    return tmp_path


def change_json(path, **changes):
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


@pytest.mark.parametrize("state", [[1, 2], 3, {}, {"step": "x"}, None, torch.zeros(2)])
def test_a_checkpoint_that_is_no_state_is_refused(tmp_path, state):
    make_training(tmp_path)
    (path,) = (tmp_path / "checkpoints").iterdir()
    torch.save(state, path)
    with pytest.raises(InputError, match=r"step-00000002\.pt: is damaged"):
        load_checkpoint(tmp_path, pixel_training()[0])


def damage(state, name):
    moments = state["optimizer"]["state"]
    if name == "a moment is missing":
        del moments[3]
    elif name == "a moment is of another shape":
        moments[0]["exp_avg"] = torch.zeros(2)
    elif name == "a variance is negative":
        moments[0]["exp_avg_sq"] = torch.full(moments[0]["exp_avg_sq"]["shape"], -1.0)
    elif name == "an average is of truths":
        state["ema"]["differences"][0] = torch.ones(state["ema"]["differences"][0]["shape"], dtype=torch.bool)
    elif name == "an average is short of bytes":
        state["ema"]["differences"][0]["others"] = state["ema"]["differences"][0]["others"][:-1]
    elif name == "an average codes other bytes":
        state["ema"]["differences"][0]["first"] = torch.zeros(9, dtype=torch.uint8)
    elif name == "an average is endless":
        state["ema"]["differences"][0] = torch.zeros(1).expand(10**13)
    else:
        next(iter(state["model"].values())).fill_(float("nan"))


@pytest.mark.parametrize(
    "name",
    [
        "a moment is missing",
        "a moment is of another shape",
        "a variance is negative",
        "an average is of truths",
        "an average is short of bytes",
        "an average codes other bytes",
        "an average is endless",
        "a weight is NaN",
    ],
)
def test_a_checkpoint_that_no_training_wrote_is_refused_before_the_first_step(tmp_path, name):
    make_training(tmp_path)
    (path,) = (tmp_path / "checkpoints").iterdir()
    state = torch.load(path, weights_only=True)
    damage(state, name)
    torch.save(state, path)
    with pytest.raises(InputError, match=r"its checkpoint|is damaged"):
        resume_training(tmp_path)


def test_of_a_log_half_a_last_line_is_passed_over(tmp_path):
    log = tmp_path / "metrics.jsonl"
    log.write_text(LINE + HALF)
    assert [line.step for line in read_metrics(log)] == [1]
    truncate_metrics(log, 1)
    assert log.read_text() == LINE


def test_half_a_line_amid_a_log_is_refused(tmp_path):
    log = tmp_path / "metrics.jsonl"
    log.write_text(HALF + "\n" + LINE)
    with pytest.raises(InputError, match=r"metrics\.jsonl: line 1"):
        read_metrics(log)


def test_a_header_need_not_name_the_encoder(splat_file):
    rewrite_header(splat_file, encoder=None)
    assert storage.load(splat_file).header.encoder == {}
    assert len(load_generated(str(splat_file)).images) == 2


@pytest.mark.parametrize("encoder", [[], 3, "x"])
def test_an_encoder_that_is_no_table_is_refused(splat_file, encoder):
    rewrite_header(splat_file, encoder=encoder)
    with pytest.raises(InputError, match=r"sets\.safetensors: the header: encoder"):
        storage.load_header(splat_file)


@pytest.mark.parametrize("canvas", [[100_000, 100_000, 1], [0, 8, 1], [8, 8], [8, 8, 2], [8, "8", 1], 8])
def test_a_canvas_that_is_none_is_refused(splat_file, canvas):
    rewrite_header(splat_file, canvas=canvas)
    with pytest.raises(InputError, match=r"sets\.safetensors"):
        storage.load(splat_file)


@pytest.mark.parametrize("text", ["[]", "3", "", "{", '{"labels": 3}', '{"labels": [0]}'])
def test_a_gallery_whose_record_is_none_is_refused(tmp_path, text):
    make_gallery(tmp_path)
    (tmp_path / "sample.json").write_text(text)
    with pytest.raises(InputError, match=r"sample\.json"):
        load_generated(str(tmp_path))


@pytest.mark.parametrize("text", ["[1]", "1", '{"optimiser": [1]}', '{"seed": "x"}', "[" * 10_000])
def test_a_preset_that_is_no_table_of_settings_is_refused(tmp_path, text):
    path = tmp_path / "own.json"
    path.write_text(text)
    with pytest.raises(InputError, match=r"own\.json"):
        load_config(path)


@pytest.mark.parametrize("component", ["denoiser", "representation", "scheduler"])
@pytest.mark.parametrize("value", [[], ["gaussiandiffusion"], {}, None])
def test_an_index_that_does_not_name_a_component_is_refused(model, component, value):
    change_json(model / "model_index.json", **{component: value})
    with pytest.raises(InputError, match=r"model_index\.json"):
        GaussianDiffusionPipeline.from_pretrained(model)


def test_a_scheduler_whose_settings_fail_only_at_work_is_refused(model):
    change_json(model / "scheduler/scheduler_config.json", use_dynamic_shifting=True)
    with pytest.raises(InputError, match=r"scheduler_config\.json: makes no Flow"):
        GaussianDiffusionPipeline.from_pretrained(model)


def test_weights_that_are_no_numbers_are_refused(model):
    pipeline = splat_model()
    pipeline.denoiser.out.bias.data[0] = float("nan")
    pipeline.denoiser.save_pretrained(model / "denoiser")
    with pytest.raises(InputError, match=r"denoiser: .*out\.bias holds NaN or infinity"):
        GaussianDiffusionPipeline.from_pretrained(model)


def test_half_a_character_is_no_text():
    with pytest.raises(InputError, match="half a character"):
        parse_json('{"a": "\\ud800"}', "x")
    assert parse_json('{"a": "\\ud83d\\ude00"}', "x") == {"a": "\N{GRINNING FACE}"}


def test_a_sentence_is_one_line():
    assert str(InputError("a\nb\r\nc")) == "a b c"


@pytest.mark.parametrize("changes", [{"iterations": 10**30}, {"lr_mean": float("nan")}, {"num_splats": 70}])
def test_a_template_with_settings_that_are_none_is_refused_by_its_name(tmp_path, changes):
    path = tmp_path / "template.safetensors"
    settings = make_encoder(1, num_splats=4, iterations=3).settings.to_dict() | {"start": "template"} | changes
    splats(1).save(path, encoder=settings)
    with pytest.raises(InputError, match=r"template\.safetensors"):
        make_encoder(1, start=f"template:{path}")


@pytest.mark.parametrize("name", ["noise", "labels"])
def test_pairs_without_their_tensors_are_refused(tmp_path, name):
    from safetensors import safe_open
    from safetensors.torch import load_file, save_file

    make_pairs(tmp_path)
    (path,) = tmp_path.iterdir()
    with safe_open(path, "pt") as file:
        metadata = file.metadata()
    held = load_file(path)
    for value in (None, torch.tensor(1)):
        changed = {key: tensor for key, tensor in held.items() if key != name} | (
            {} if value is None else {name: value}
        )
        save_file(changed, path, metadata)
        with pytest.raises(InputError, match=rf"pairs-00000\.safetensors: its {name} are not"):
            make_pairs(tmp_path)


def test_a_unet_too_narrow_for_attention_is_refused():
    with pytest.raises(InputError, match="at least 32 wide"):
        PixelUNet((8, 8), widths=(8, 8), attention=(), norm_groups=4)
    with pytest.raises(InputError, match="height and a width"):
        PixelUNet((8, 8, 8), widths=(8, 32), norm_groups=4)


@pytest.mark.parametrize(
    "error",
    [MemoryError(), RuntimeError("[enforce fail at alloc_cpu.cpp] DefaultCPUAllocator: can't allocate memory")],
    ids=["Python", "PyTorch"],
)
def test_too_little_memory_is_told_in_one_line(monkeypatch, capsys, error):
    from gaussiandiffusion.cli import render

    def run(self):
        raise error

    monkeypatch.setattr(render.Command, "run", run)
    with pytest.raises(SystemExit) as exit_:
        command_line(["render", "x.safetensors", "--out", "x.png"])
    assert exit_.value.code == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert "not enough memory" in line
