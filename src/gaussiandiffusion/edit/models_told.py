"""The models that a history tells of, found again and known by their weights."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import torch

from gaussiandiffusion.edit.by_model import ByModel
from gaussiandiffusion.edit.history import FileMark
from gaussiandiffusion.ground.errors import InputError
from gaussiandiffusion.pipeline import GaussianDiffusion
from gaussiandiffusion.pipeline.bundled import bundled_models

Place = GaussianDiffusion | str | os.PathLike[str]


class ModelsTold:
    """Models of one history, each loaded once.

    Args:
        edited: the file whose history it is.
        given: one of them, or its name or folder; the others are looked for where they lay.
    """

    def __init__(self, edited: Path, given: Place | None = None) -> None:
        self._edited, self._given = edited, given
        self._loaded: dict[tuple[str, str], tuple[GaussianDiffusion, str]] = {}

    def of(self, told: ByModel, files: Mapping[str, FileMark]) -> GaussianDiffusion:
        """The model of an edit, on the kind of device that it computed on.

        Args:
            files: of the edit; of a model's folder they tell where it lay.

        Raises:
            InputError: it is not there or has other weights, or there is no such device.
        """
        given, lies = self._given, self._lies(told, files)
        if isinstance(given, GaussianDiffusion):
            name = "the model given"
            if given.weights_sha256 == told.weights:
                return given
        elif given is None and lies is None:
            raise InputError(f"{told.model}: is the model that {self._edited} was made with, and is not there; "
                             "give its name or folder by --model")  # fmt: skip
        else:
            name = str(told.model if given is None else given)
        for place in (given, lies):
            if isinstance(place, str | os.PathLike):
                pipe, weights = self._load(os.fspath(place), told.device)
                if weights == told.weights:
                    return pipe
        raise InputError(
            f"{name}: is not the model that {self._edited} was made with, the SHA-256 of its weights is not "
            f"{str(told.weights)[:12]}...; give the model as it was by --model"
        )

    def _lies(self, told: ByModel, files: Mapping[str, FileMark]) -> str | None:
        """Where a model lies that the history names: bundled, or in a folder; the Hub is not asked unbidden."""
        name = str(told.model)
        if name not in files:
            return str(bundled_models()[name]) if name in bundled_models() else None
        folder = Path(os.path.normpath(self._edited.parent / files[name].path))
        places = (folder, self._edited.parent / folder.name)
        return next((str(place) for place in places if _is_folder(place)), None)

    def _load(self, name: str, device: str) -> tuple[GaussianDiffusion, str]:
        """A model and the checksum of its weights."""
        if (name, device) not in self._loaded:
            there = {"cpu": True, "cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
            if not there.get(device, False):
                raise InputError(f"{self._edited}: was made on a device '{device:.20}', which this machine does "
                                 "not have, and it would come out otherwise elsewhere; replay it there")  # fmt: skip
            pipe = GaussianDiffusion.from_pretrained(name).to(device)
            self._loaded[name, device] = pipe, pipe.weights_sha256
        return self._loaded[name, device]


def _is_folder(path: Path) -> bool:
    try:
        return path.is_dir()
    except (OSError, ValueError):
        return False
