"""The feature networks that come with the package, by name."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

from gaussiandiffusion.ground.errors import InputError

BUNDLED_PREFIX = "features-"
INCEPTION = "inception"  # fetched when it is first asked for
SELF = "self"  # learned from the reference by `evaluate`


def bundled_features() -> list[str]:
    """Names of the feature networks that come with the package."""
    folder = files("gaussiandiffusion") / "pretrained"
    if not folder.is_dir():
        return []
    names = [entry.name for entry in folder.iterdir()]
    return sorted(name.removeprefix(BUNDLED_PREFIX) for name in names if name.startswith(BUNDLED_PREFIX))


def feature_folder(name: str) -> Path | None:
    """Where a feature network lies that is named by a folder, a file in it, or a bundled name; None: "inception".

    Raises:
        InputError: nothing of that name.
    """
    path = Path(name)
    if path.exists():
        return path.resolve() if path.is_dir() else path.resolve().parent
    if name == INCEPTION:
        return None
    if name not in bundled_features():
        known = ", ".join([*bundled_features(), INCEPTION])
        raise InputError(f"{name}: no such folder and no known feature network; known are {known}")
    return Path(str(files("gaussiandiffusion") / "pretrained" / f"{BUNDLED_PREFIX}{name}"))


def features_for(data_set: str) -> str:
    """Name of the bundled feature network made for a data set.

    Raises:
        InputError: there is none.
    """
    if data_set not in bundled_features():
        raise InputError(
            f"{data_set}: no feature network comes with the package for these images; give --features {SELF} to learn "
            f"some from them, one of {', '.join([*bundled_features(), INCEPTION])}, or a folder"
        )
    return data_set
