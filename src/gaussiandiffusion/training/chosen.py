"""What the first word of `train` names: a preset, a file of settings, one's own pictures or sets, or a data set."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from gaussiandiffusion.data.datasets import find_dataset
from gaussiandiffusion.data.sets import holds_sets, is_json_of_sets
from gaussiandiffusion.ground.errors import InputError
from gaussiandiffusion.training.config import TrainConfig
from gaussiandiffusion.training.presets import load_config, presets, with_settings

OWN = "folder"  # the preset for pictures of one's own
SETTINGS_FILES = (".toml", ".json")


@dataclass(frozen=True)
class Chosen:
    """What a word names.

    Attributes:
        settings: of the training.
        name: that its output folder gets.
        note: for the user, where the word could have meant something else too.
    """

    settings: TrainConfig
    name: str
    note: str | None = None


def choose(word: str) -> Chosen:
    """Settings by a word: a preset comes first, then a file of settings, then a source of pictures or sets, then a data
    set.

    A data set that has no preset of its own is trained as pictures of one's own are; sets likewise, from the start that
    they were fitted from, and with slots if that is a template.

    Raises:
        InputError: it is none of these, or the settings are wrong.
    """
    path = Path(os.path.expanduser(word))
    if word in presets():
        note = None
        if path.exists():
            note = f"'{word}' is taken for the preset; for what lies here under that name, write ./{word}"
        return Chosen(load_config(word), word, note)
    if not os.path.lexists(path) and (dataset := find_dataset(word)) is not None:
        known = dataset.name in presets()
        return Chosen(load_config(dataset.name) if known else with_settings(load_config(OWN), data=word), dataset.name)
    if not os.path.lexists(path):
        raise InputError(f"no preset or file '{word}', nor a folder of pictures; presets: {', '.join(presets())}")
    if path.suffix in SETTINGS_FILES and not is_json_of_sets(path):
        return Chosen(load_config(path), path.stem)
    place = Path(os.path.abspath(path))
    settings = with_settings(load_config(OWN), data=str(place))
    if holds_sets(place):
        from gaussiandiffusion.training.sets_encoder import start_of  # imports PyTorch

        start = start_of(place)
        settings = with_settings(settings, start=start, per_slot=start == "template")
    return Chosen(settings, (place.name if place.is_dir() else place.stem) or "pictures")
