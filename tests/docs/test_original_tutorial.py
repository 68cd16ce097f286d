"""The guide for users of the original repository, on small files of theirs."""

import re
import shlex

import pytest
import torch
from published_sets import published_rows
from tutorials import DOCS, follow

from gaussiandiffusion.cli.main import VERBS, run
from gaussiandiffusion.splats import storage
from gaussiandiffusion.training.presets import presets

h5py = pytest.importorskip("h5py")


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


def test_every_command_of_its_tables_exists(capsys):
    spans = [shlex.split(span) for span in re.findall(r"`([a-z]+ [^`]+)`", (DOCS / "original.md").read_text())]
    commands = [words for words in spans if words[0] in VERBS]
    assert {words[0] for words in commands} == {"encode", "render", "train", "sample", "evaluate", "profile"}
    for verb, *words in commands:
        assert run([verb, *(["mnist"] if verb == "train" else []), "--help"]) == 0
        told = capsys.readouterr().out
        assert all(word in told for word in words if word.startswith("--")), (verb, words)
        if verb == "train" and words[0] not in ("...", "SETS", "--network", "--latent-scaling"):
            assert words[0] in presets()
