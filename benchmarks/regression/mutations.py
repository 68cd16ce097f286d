"""Damaged files of every kind that the program reads: each must be read, or refused in one line that names it.

    python -m benchmarks.regression.mutations --count 28000 --out FILE.json

The variants are drawn by a seed, so a finding is repeated by its kind and number.
"""

from __future__ import annotations

import contextlib
import shutil
import signal
import sys
import tempfile
import time
import warnings
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any, Literal, NoReturn

import tyro

from benchmarks.regression.kinds import KINDS, Kind
from benchmarks.regression.mutator import damaged
from gaussiandiffusion.ground.errors import InputError
from gaussiandiffusion.ground.files import write_json
from gaussiandiffusion.ground.provenance import library_versions

ROOM = 4 << 30  # bytes that a reading may take beyond what the process has
SLOW = 2.0  # seconds
ENDLESS = 20  # seconds after which a reading is broken off

# "read" and "refused" are right; "unclear" is a refusal of several lines, or one that does not name the file.
Ending = Literal["read", "refused", "unclear", "raised", "slow"]


@dataclass(frozen=True)
class Outcome:
    """How the reading of one variant ended."""

    kind: str
    number: int
    variant: str
    ending: Ending
    said: str
    seconds: float

    @property
    def right(self) -> bool:
        return self.ending in ("read", "refused")


@dataclass(frozen=True)
class Arguments:
    """Read damaged files."""

    out: Path
    """JSON file to write."""
    count: int = 28_000
    """Variants of all kinds together."""
    seed: int = 0
    kind: str | None = None
    """One kind only."""


class Endless(BaseException):
    """A reading that does not end; no `except Exception` takes it for a damaged file."""


@contextlib.contextmanager
def limited() -> Iterator[None]:
    """Bound memory, where the system can, and time."""
    if sys.platform == "win32":
        yield
        return
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    if sys.platform == "linux":
        pages = int(Path("/proc/self/statm").read_text().split()[0])
        resource.setrlimit(resource.RLIMIT_AS, (pages * resource.getpagesize() + ROOM, hard))
    before = signal.signal(signal.SIGALRM, _break_off)
    signal.alarm(ENDLESS)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)
        resource.setrlimit(resource.RLIMIT_AS, (soft, hard))


def _break_off(number: int, frame: Any) -> NoReturn:
    raise Endless(f"no end after {ENDLESS} s")


def outcomes(name: str, kind: Kind, numbers: range, seed: int, scratch: Path) -> Iterator[Outcome]:
    """Make the original of a kind, and read its variants of some numbers."""
    sound, folder = scratch / "sound", scratch / "damaged"
    sound.mkdir(parents=True)
    kind.make(sound)
    with limited():
        _laid(sound, folder)
        kind.read(folder)  # compiles, and shows that the original is sound
    for number in numbers:
        _laid(sound, folder)
        files = kind.damageable(folder)
        path = files[number % len(files)]
        random = Random(f"{seed} {name} {number}")
        what, content = damaged(path.name, path.read_bytes(), random)
        path.write_bytes(content)
        started = time.perf_counter()
        ending, said = _attempt(kind, folder)
        seconds = time.perf_counter() - started
        if seconds > SLOW and ending in ("read", "refused"):
            ending, said = "slow", f"{seconds:.1f} s, {ending}: {said}"
        variant = f"{path.relative_to(folder)}: {what}"
        yield Outcome(name, number, variant, ending, said.replace(str(folder), "FOLDER"), seconds)


def _laid(sound: Path, folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(sound, folder)


def _attempt(kind: Kind, folder: Path) -> tuple[Ending, str]:
    try:
        with limited():
            kind.read(folder)
    except InputError as error:
        text = str(error)
        clear = str(folder) in text and len(text.splitlines()) == 1
        return "refused" if clear else "unclear", text
    except (Exception, Endless) as error:
        return "raised", f"{type(error).__name__}: {error}"
    return "read", ""


def run(count: int, seed: int, only: str | None = None) -> Iterator[Outcome]:
    """Variants of all kinds, or of one."""
    kinds = {name: kind for name, kind in KINDS.items() if only in (None, name)}
    total = sum(kind.share for kind in kinds.values())
    with tempfile.TemporaryDirectory() as scratch:
        for place, (name, kind) in enumerate(kinds.items()):
            numbers = range(max(1, round(count * kind.share / total)))
            yield from outcomes(name, kind, numbers, seed, Path(scratch, str(place)))


def main(arguments: Arguments) -> None:
    warnings.simplefilter("ignore")
    counts: dict[str, Counter[str]] = {}
    wrong = []
    for outcome in run(arguments.count, arguments.seed, arguments.kind):
        counts.setdefault(outcome.kind, Counter())[outcome.ending] += 1
        if not outcome.right:
            wrong.append(vars(outcome))
            print(f"{outcome.kind} {outcome.number}: {outcome.variant}\n    {outcome.said[:300]}", flush=True)
    record = {"seed": arguments.seed, "kinds": counts, "wrong": wrong, "versions": library_versions()}
    write_json(arguments.out, record)
    for name, found in counts.items():
        print(f"{name:20}" + "".join(f"{ending:>10} {number:5}" for ending, number in sorted(found.items())))


if __name__ == "__main__":
    main(tyro.cli(Arguments, description=__doc__))
