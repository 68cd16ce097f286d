"""One version of the package in processes of its own, and what they cost."""

from __future__ import annotations

import importlib.util
import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Cost:
    """Seconds of a process, start and end included: on the wall, and of all its threads."""

    wall: float
    cpu: float


@dataclass(frozen=True)
class Version:
    """One side: where its package lies, the images to work on, and a folder to write to.

    Args:
        images: an .npz of images and labels.
        environment: what its processes have beside this one's.
    """

    source: Path
    images: Path
    scratch: Path
    environment: dict[str, str] = field(default_factory=dict)

    def run(self, *words: str, refused: bool = False, **environment: str) -> tuple[str, Cost]:
        """What Python prints of some words of a command line, and what that cost.

        Args:
            refused: that the program refuses them (2) is what is timed.

        Raises:
            RuntimeError: it ended otherwise.
        """
        around = os.environ | {"PYTHONPATH": str(self.source)} | self.environment | environment
        started, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
        done = subprocess.run([sys.executable, *words], cwd=self.scratch, env=around, capture_output=True, text=True)
        wall, after = time.perf_counter() - started, resource.getrusage(resource.RUSAGE_CHILDREN)
        if done.returncode != (2 if refused else 0):
            raise RuntimeError(f"{self.source}: {' '.join(words)[:200]} failed\n{done.stderr[-2000:]}")
        return done.stdout, Cost(wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)

    def command(self, *words: str, **arguments: Any) -> Cost:
        """What `gaussiandiffusion` costs."""
        return self.run("-m", "gaussiandiffusion", *words, **arguments)[1]

    def script(self, text: str, *words: str, **environment: str) -> Any:
        """The JSON that a script prints last."""
        return json.loads(self.run("-c", text, *words, **environment)[0].splitlines()[-1])

    def check(self) -> None:
        """Refuse a folder from which Python does not take the package; raises ValueError."""
        found = Path(self.run("-c", "import gaussiandiffusion; print(gaussiandiffusion.__file__)")[0].strip())
        if not found.is_relative_to(self.source):
            raise ValueError(f"{self.source}: holds no package gaussiandiffusion; Python takes that of {found.parent}")


@contextmanager
def busy_core() -> Iterator[None]:
    """Another process that never rests."""
    other = subprocess.Popen([sys.executable, "-c", "while True: pass"])
    try:
        yield
    finally:
        other.kill()
        other.wait()


def own_source() -> Path:
    """The folder that this process takes the package from."""
    spec = importlib.util.find_spec("gaussiandiffusion")
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).resolve().parent.parent
