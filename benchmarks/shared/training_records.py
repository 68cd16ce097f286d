"""What trainings cost: their `training.json`, whichever version wrote it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from gaussiandiffusion.ground.records import read_record
from gaussiandiffusion.training.presets import flat_settings
from gaussiandiffusion.training.record import FILE

GONE = "feature_weights"  # a setting that some recorded trainings tried and no training has any more


def settings(training: dict[str, Any]) -> dict[str, Any]:
    """A training's settings by the names of their flags."""
    return flat_settings({name: value for name, value in training["config"].items() if name != GONE}, FILE)


def training_record(folder: Path) -> dict[str, Any]:
    """What the training in a folder cost; of the template's file its name, not where somebody keeps it."""
    record = read_record(folder / FILE, dict[str, Any])
    config = settings(record)
    config["start"] = config["start"].rpartition("/")[2]
    return record | {"config": config}
