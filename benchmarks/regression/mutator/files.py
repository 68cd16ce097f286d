"""Damaged variants of a file, by its kind as its name tells it.

Every variant is drawn from a `random.Random`, so that the same seed gives the same variants.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from pathlib import Path
from random import Random

from benchmarks.regression.mutator.arrays import damaged_idx, damaged_npy, damaged_png
from benchmarks.regression.mutator.tensors import damaged_checkpoint, damaged_safetensors
from benchmarks.regression.mutator.text import Variant, damaged_bytes, damaged_json, damaged_lines, damaged_toml


def damaged_zip(content: bytes, random: Random) -> Variant:
    """A member changed, renamed, doubled or left out; its checksum is right again."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        members = [(name, archive.read(name)) for name in archive.namelist()]
    at = random.randrange(len(members))
    name, inner = members[at]
    done = random.choice(("changed", "changed", "changed", "left out", "doubled", "renamed"))
    if done == "changed":
        done, changed = damaged(name, inner, random)
        members[at] = name, changed
    elif done == "left out":
        del members[at]
    elif done == "doubled":
        members.append((name, members[0][1]))
    else:
        members[at] = (
            random.choice(("x.npy", "x", "../../x.png", "labels.npy", "a/b.png", ".x", "/x.png", name.upper())),
            inner,
        )
        done = f"renamed {members[at][0]}"
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", random.choice((zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED))) as archive:
        for member, inner in members:
            info = zipfile.ZipInfo(member)
            archive.writestr(info, inner)
    return f"{name}: {done}", file.getvalue()


BY_ENDING: dict[str, Callable[[bytes, Random], Variant]] = {
    ".json": damaged_json,
    ".jsonl": damaged_lines,
    ".toml": damaged_toml,
    ".safetensors": damaged_safetensors,
    ".pt": damaged_checkpoint,
    ".npz": damaged_zip,
    ".zip": damaged_zip,
    ".npy": damaged_npy,
    ".png": damaged_png,
    "-ubyte": damaged_idx,
}


def damaged(name: str, content: bytes, random: Random) -> Variant:
    """One variant of a file, as its name tells its kind."""
    ending = "-ubyte" if name.endswith("-ubyte") else Path(name).suffix
    own = BY_ENDING.get(ending)
    if own is None or not content or random.random() < 0.25:
        return damaged_bytes(content, random)
    return own(content, random)
