"""The guide for users of the original repository, on small files of theirs."""

import re
import shlex
import struct

import numpy as np
import pytest
import torch
from PIL import Image
from published_sets import published_rows
from tutorials import DOCS, follow

from gaussiandiffusion.cli.main import VERBS, run
from gaussiandiffusion.splats import storage
from gaussiandiffusion.training.presets import presets

h5py = pytest.importorskip("h5py")  # of an extra


def test_its_commands_run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mnist_gaussian_representations").mkdir()
    for i, rows in enumerate(published_rows(3, 5)):
        torch.save({"W": rows.clone()}, tmp_path / "mnist_gaussian_representations" / f"gaussian_{i}.pt")
    with h5py.File("cifar10_sets.h5", "w") as file:
        file["W"] = published_rows(4, 5, 9).numpy()
        file["done"] = [True] * 4
        file.attrs.update({"kernel_size": 32, "soft_clamp": True})
    follow("original.md", {})
    assert len(storage.load("cifar10-sets.safetensors").splats) == 4
    assert len(list((tmp_path / "pictures").iterdir())) == len(list((tmp_path / "back").iterdir())) == 3


def commands_of_tables():
    spans = [shlex.split(span) for span in re.findall(r"`([a-z]+ [^`]+)`", (DOCS / "original.md").read_text())]
    return [words for words in spans if words[0] in VERBS]


TINY = ["--network", "tiny", "--iterations", "2", "--budget", "0.002", "--render-weight", "0", "--batch-size", "4",
        "--mixed-precision", "no", "--num-inference-steps", "1", "--limit", "8", "--device", "cpu",
        "--output-dir", "run"]  # fmt: skip
SMALL = {"encode": ["--iterations", "2"], "render": [], "train": TINY, "sample": ["--num", "2", "--steps", "1"]}
INSTEAD = {"SETS": "sets.safetensors", "M": "run/pipeline", "NAME": "few-step", "N": "2"}


def test_commands_of_its_tables_run(tmp_path, monkeypatch, strokes):
    """Small, those that need a model last; of presets the published one; without what tests/cli runs for long."""
    monkeypatch.chdir(tmp_path)
    Image.fromarray(strokes[0, 0]).save("picture.png")
    for prefix in ("t10k", "train"):
        pixels, labels = np.zeros((12, 28, 28), np.uint8), np.arange(12, dtype=np.uint8) % 10
        pixels[:, 6:22, 6:22] = strokes[:12, 0]
        header = struct.pack(">4I", 2051, *pixels.shape)
        (tmp_path / f"{prefix}-images-idx3-ubyte").write_bytes(header + pixels.tobytes())
        (tmp_path / f"{prefix}-labels-idx1-ubyte").write_bytes(struct.pack(">2I", 2049, 12) + labels.tobytes())
    commands = [words for words in commands_of_tables() if words[0] in SMALL]
    trainings = [words for words in commands if words[:2] in (["train", "SETS"], ["train", "mnist-published"])]
    others = [words for words in commands if words[0] != "train"]
    order = [w for w in others if w[0] in ("encode", "render")] + trainings
    order += [w for w in others if w[0] not in ("encode", "render")]
    assert {words[0] for words in order} == SMALL.keys()
    assert len(trainings) == 2
    for verb, *words in order:
        known = [INSTEAD.get(word, word) for word in words]
        more = SMALL[verb] + (["--data-dir", "."] if "mnist" in words or "mnist-published" in words else [])
        if verb == "train":
            more = [*more, "--overwrite"] if "SETS" in words else [*more, "--splats", "8"]
        more += ["--model", "run/pipeline"] if verb == "sample" and "M" not in words else []
        more += ["--out", "samples"] if verb == "sample" and "--out" not in words else []
        assert run([verb, *known, *more]) == 0, (verb, words)
    assert len(storage.load("sets.safetensors").splats) == 12
    assert len(list((tmp_path / "DIR" / "images").iterdir())) == 2


def test_every_command_of_its_tables_exists(capsys):
    commands = commands_of_tables()
    assert {words[0] for words in commands} == {"encode", "render", "train", "sample", "evaluate", "profile"}
    for verb, *words in commands:
        assert run([verb, *(["mnist"] if verb == "train" else []), "--help"]) == 0
        told = capsys.readouterr().out
        assert all(word in told for word in words if word.startswith("--")), (verb, words)
        if verb == "train" and words[0] not in ("...", "SETS", "--network", "--latent-scaling"):
            assert words[0] in presets()
