"""What to say of pictures that differ in size or kind of colour: how many there are of each, and what mends it."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice

from gaussiandiffusion.data.decoding import look
from gaussiandiffusion.data.image_set import CHANNELS
from gaussiandiffusion.ground.errors import InputError

SURVEYED = 10_000  # pictures whose headers are read for the sentence
SHOWN = 4  # kinds named, at most


def mixture(where: str, pictures: Iterable[tuple[str, bytes]], sizes: bool, kinds: bool) -> InputError:
    """The error for pictures that cannot be one set.

    Args:
        where: what holds them.
        pictures: name and bytes of each; unsound ones are left out of the count.
        sizes, kinds: what to look at; they differ in one of these at least.
    """
    found: dict[str, dict[str, list[str]]] = {"size": {}, "kind": {}}
    count = 0
    for name, content in islice(pictures, SURVEYED):
        try:
            channels, height, width = look(content, name)
        except InputError:
            continue
        count += 1
        found["size"].setdefault(f"{width}x{height}", []).append(name)
        found["kind"].setdefault(CHANNELS[channels], []).append(name)
    said, mends = [], []
    if sizes and len(found["size"]) > 1:
        said.append(f"of several sizes ({_listed(found['size'], 'of ')})")
        mends.append("--canvas N (with --fit crop, pad or stretch)")
    if kinds and len(found["kind"]) > 1:
        said.append(f"of several kinds ({_listed(found['kind'])})")
        mends.append("--mode RGB, RGBA or L")
    of = f" of the first {SURVEYED}" if count == SURVEYED else ""
    return InputError(f"{where}: holds pictures {' and '.join(said)}{of}; bring them to one with {' and '.join(mends)}")


def _listed(groups: dict[str, list[str]], of: str = "") -> str:
    ordered = sorted(groups.items(), key=lambda group: -len(group[1]))
    words = [f"{len(names)} {of}{what}, such as {names[0]}" for what, names in ordered[:SHOWN]]
    return "; ".join([*words, f"and {len(ordered) - SHOWN} others"] if len(ordered) > SHOWN else words)
