"""Paths among the settings: relative to the file that names them, absolute from then on."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from gaussiandiffusion.data.datasets import find_dataset

TEMPLATE = "template:"


def located(settings: dict[str, Any], base: Path) -> dict[str, Any]:
    """Flat settings whose paths are absolute: images, labels, template, and models that are folders.

    Args:
        settings: names of data sets and of models stay as they are, and so does what is no text.
        base: the folder that relative paths begin in.
    """
    found = dict(settings)
    source, start = settings.get("data"), settings.get("start")
    if isinstance(source, str) and source and find_dataset(source) is None:
        found["data"] = _absolute(source, base)
    if isinstance(start, str) and start.startswith(TEMPLATE) and start != TEMPLATE:
        found["start"] = TEMPLATE + _absolute(start.removeprefix(TEMPLATE), base)
    labels = settings.get("labels")
    if isinstance(labels, str) and labels:
        found["labels"] = _absolute(labels, base)
    for name in ("teacher", "teacher_weaker", "begin"):
        model = settings.get(name)
        if isinstance(model, str) and model and os.path.isdir(path := _absolute(model, base)):
            found[name] = path
    return found


def _absolute(path: str, base: Path) -> str:
    return os.path.abspath(base / os.path.expanduser(path))
