"""`python -m benchmarks.gpu`: a whole run in miniature, what it leaves behind, and how it answers what is wrong."""

import json
import math

import numpy as np
import pytest
from benchmarks.gpu import __main__ as command
from benchmarks.gpu import drawing, encoding, passes
from benchmarks.gpu.figures import Figure, LeftOut

QUICK = ("--device", "cpu", "--quick")
CEILINGS = (
    "float32 product", "float32 product, processor", "bfloat16 product", "copy on the device", "launch of a kernel"
)  # fmt: skip


def measure(out, *words):
    """The exit code and the record of a quick run."""
    code = command.main([*QUICK, "--out", str(out), *words])
    return code, json.loads(out.read_text())


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    return measure(tmp_path_factory.mktemp("gpu") / "gpu.json")


@pytest.fixture(scope="module")
def measured_ceilings(tmp_path_factory):
    out = tmp_path_factory.mktemp("ceilings") / "gpu.json"
    code, _ = measure(out, "--sections", "ceilings")
    assert code == 0
    return out.read_text()


@pytest.fixture
def out(measured_ceilings, tmp_path):
    """A file that holds the ceilings already."""
    path = tmp_path / "gpu.json"
    path.write_text(measured_ceilings)
    return path


@pytest.mark.slow
class TestWholeRun:
    def test_all_sections_are_done_in_their_order(self, whole):
        code, record = whole
        assert {name: section["state"] for name, section in record["sections"].items()} == dict.fromkeys(
            command.BUDGETS, "done"
        )
        assert list(record["sections"]) == list(command.BUDGETS)
        assert code == 0

    def test_the_record_says_what_it_was_measured_on(self, whole):
        _, record = whole
        assert record["device"]["kind"] == "cpu"
        assert record["device"]["name"]
        assert record["versions"]["torch"]
        assert record["machine"]["cpus"] >= 1
        assert record["quick"] is True
        assert record["seed"] == 0
        assert record["settings"]["data"] == "synthetic"
        assert all("/" not in str(value) for value in record["settings"].values())  # no places of this machine

    def test_figures_are_positive_and_stand_beside_their_ceilings(self, whole):
        _, record = whole
        for name, section in record["sections"].items():
            assert section["figures"], name
            for figure in section["figures"]:
                assert figure["value"] > 0, figure
                assert math.isfinite(figure["value"])
                if figure["ceiling"] is not None:
                    assert figure["limit"]
                    ratio = figure["value"] / figure["ceiling"]
                    assert figure["share"] == pytest.approx(ratio if figure["better"] == "more" else 1 / ratio)

    def test_every_section_has_figures_with_a_ceiling_and_the_ceilings_are_there(self, whole):
        _, record = whole
        found = {figure["name"] for figure in record["sections"]["ceilings"]["figures"]}
        assert found == set(CEILINGS)
        for name in command.BUDGETS:
            if name != "ceilings":
                assert any(figure["ceiling"] for figure in record["sections"][name]["figures"]), name

    def test_what_this_machine_lacks_is_left_out_with_its_reason(self, whole):
        _, record = whole
        left_out = {
            name: reason for section in record["sections"].values() for name, reason in section["left_out"].items()
        }
        assert {"tf32 product", "copy from pinned memory", "reference on the device"} <= set(left_out)
        assert any("compiled" in name for name in left_out)
        assert all(left_out.values())

    def test_samples_are_split_into_their_parts(self, whole):
        _, record = whole
        figures = {figure["name"]: figure for figure in record["sections"]["sampling"]["figures"]}
        first = next(iter(figures))
        assert {f"{first}: {part}" for part in ("noise", "network", "decoding", "drawing")} <= set(figures)
        assert figures[first]["target"] == 15
        assert figures[first]["detail"]["profile_of_a_chunk"]["kernels"] > 0

    def test_steps_are_split_into_their_parts_which_add_up(self, whole):
        _, record = whole
        figures = {figure["name"]: figure["value"] for figure in record["sections"]["steps"]["figures"]}
        parts = ("data", "forward", "backward", "clipping", "optimiser and average", "rest")
        total = sum(figures[f"bfloat16: {part}"] for part in parts)
        # Medians of the parts of two steps against the mean of both, on a machine that may be busy.
        assert total == pytest.approx(figures["bfloat16: step"], rel=0.5)

    def test_the_curve_tells_what_was_learned_from(self, whole):
        _, record = whole
        figures = {figure["name"]: figure for figure in record["sections"]["learning"]["figures"]}
        curve = figures["training"]["detail"]["curve"]
        steps = [step for step, _ in curve]
        assert steps == sorted(set(steps))
        assert all(loss > 0 for _, loss in curve)
        assert figures["training"]["detail"]["of"].startswith("synthetic")


@pytest.mark.slow
def test_given_pictures_are_learned_from_and_the_training_is_kept(out, tmp_path):
    random = np.random.default_rng(0)
    data = tmp_path / "data"
    data.mkdir()
    for i in range(1, 6):
        records = random.integers(0, 256, (8, 1 + 3 * 32 * 32), dtype=np.uint8)
        records[:, 0] = np.arange(8) % 10
        (data / f"data_batch_{i}.bin").write_bytes(records.tobytes())
    code, record = measure(
        out, "--sections", "encoding,learning", "--data-dir", str(data), "--minutes", "0.03", "--training-dir",
        str(tmp_path / "kept"),
    )  # fmt: skip
    assert code == 0
    training = {figure["name"]: figure for figure in record["sections"]["learning"]["figures"]}["training"]
    assert training["detail"]["of"] == "CIFAR-10"
    assert training["detail"]["minutes"] == 0.03
    assert record["settings"]["data"] == "cifar10"
    assert record["sections"]["encoding"]["figures"][0]["detail"]["of"] == "CIFAR-10"
    assert str(tmp_path) not in out.read_text()
    assert (tmp_path / "kept" / "learning" / "metrics.jsonl").is_file()


def test_a_section_that_fails_is_recorded_and_the_others_go_on(out, monkeypatch, capsys):
    def broken(setting):
        yield LeftOut("one thing", "there is none")
        raise RuntimeError("the device fell over\nand more words")

    def sound(setting):
        yield Figure("speed", 2.0, "images/s", rate=True, ceiling=4.0, limit="memory")

    monkeypatch.setattr(drawing, "drawing", broken)
    monkeypatch.setattr(encoding, "encoding", sound)
    code, record = measure(out, "--sections", "drawing,encoding")
    assert code == 1
    assert record["sections"]["drawing"]["state"] == "failed"
    assert record["sections"]["drawing"]["reason"] == "RuntimeError: the device fell over"
    assert record["sections"]["encoding"]["state"] == "done"
    assert record["sections"]["encoding"]["figures"][0]["share"] == 0.5
    table = capsys.readouterr().out
    assert "failed, RuntimeError: the device fell over" in table
    assert "left out: one thing: there is none" in table


def test_what_is_left_out_everywhere_is_a_failure(out, monkeypatch):
    monkeypatch.setattr(drawing, "drawing", lambda setting: iter([LeftOut("all", "no memory")]))
    code, record = measure(out, "--sections", "drawing")
    assert code == 1
    assert record["sections"]["drawing"]["reason"] == "nothing could be measured"


def test_figures_are_on_disk_as_soon_as_they_are_measured(out, monkeypatch):
    def interrupted(setting):
        yield Figure("first", 1.0, "us")
        assert json.loads(out.read_text())["sections"]["drawing"]["figures"][0]["name"] == "first"
        raise KeyboardInterrupt

    monkeypatch.setattr(drawing, "drawing", interrupted)
    code = command.main([*QUICK, "--out", str(out), "--sections", "drawing,encoding"])
    record = json.loads(out.read_text())
    assert code == 130
    assert record["sections"]["drawing"]["reason"] == "interrupted"
    assert [figure["name"] for figure in record["sections"]["drawing"]["figures"]] == ["first"]
    assert "ceilings" in record["sections"]
    assert "encoding" not in record["sections"]


def test_a_section_that_does_not_end_is_ended(out, monkeypatch):
    def endless(setting):
        yield Figure("first", 1.0, "us")
        while True:
            pass

    monkeypatch.setattr(passes, "passes", endless)
    monkeypatch.setitem(command.BUDGETS, "passes", 0.1)
    code, record = measure(out, "--sections", "passes")
    assert code == 1
    assert record["sections"]["passes"]["reason"].startswith("not done after")
    assert record["sections"]["passes"]["figures"]


def test_ceilings_are_measured_first_where_there_are_none(tmp_path, monkeypatch):
    monkeypatch.setattr(drawing, "drawing", lambda setting: iter([Figure("rate", setting.rates.copy, "B/s")]))
    _, record = measure(tmp_path / "new.json", "--sections", "drawing")
    assert list(record["sections"]) == ["ceilings", "drawing"]
    copy = next(f for f in record["sections"]["ceilings"]["figures"] if f["name"] == "copy on the device")
    assert record["sections"]["drawing"]["figures"][0]["value"] == pytest.approx(1e9 * copy["value"])


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("--device", "cpu"), "--device cpu needs --quick"),
        (("--device", "cuda"), "there is no CUDA device"),
        ((*QUICK, "--sections", "speed"), "unknown section 'speed'; choose some of ceilings"),
        ((*QUICK, "--sections", ","), "names none"),
        ((*QUICK, "--minutes", "0"), "--minutes must lie above 0"),
        ((*QUICK, "--minutes", "nan"), "--minutes must lie above 0"),
        ((*QUICK, "--seed", "-1"), "--seed must be at least 0"),
        ((*QUICK, "--data-dir", "nowhere"), "nowhere: no such folder"),
    ],
)
def test_bad_arguments_are_answered_in_a_sentence(words, says, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    assert command.main([*words, "--out", str(tmp_path / "gpu.json")]) == 2
    assert says in capsys.readouterr().err
    assert not (tmp_path / "gpu.json").exists()


def test_files_of_others_are_left_alone(out, tmp_path, capsys):
    foreign = tmp_path / "foreign.json"
    foreign.write_text('{"rows": []}')
    assert command.main([*QUICK, "--out", str(foreign)]) == 2
    assert "holds no figures of this command" in capsys.readouterr().err
    assert foreign.read_text() == '{"rows": []}'
    record = json.loads(out.read_text())
    record["device"]["name"] = "another"
    out.write_text(json.dumps(record))
    assert command.main([*QUICK, "--out", str(out)]) == 2
    assert "figures of another device" in capsys.readouterr().err
    assert command.main([*QUICK, "--out", str(tmp_path)]) == 2
    assert "is a folder" in capsys.readouterr().err
