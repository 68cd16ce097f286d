"""This version of the package beside another, side by side: start-up, sampling, encoding and training; writes JSON.

    python -m benchmarks.regression.times --other PATH/src --data-dir DIR --out FILE.json

Everything runs in processes of its own, both versions in turn, and only by names that both have. Whatever either has to
compile is compiled before anything counts.
"""

from __future__ import annotations

import importlib.util
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import tyro

from gaussiandiffusion.ground.files import write_json
from gaussiandiffusion.ground.provenance import library_versions, machine_words

SAMPLING = """
import statistics, time
import gaussiandiffusion as gd
pipeline = gd.GaussianDiffusionPipeline.from_pretrained("mnist")
pipeline(num_samples=32, seed=1)
seconds = []
for _ in range(3):
    started = time.perf_counter()
    pipeline(num_samples=512, seed=0)
    seconds.append(time.perf_counter() - started)
print(1000 * statistics.median(seconds) / 512)
"""
ENCODING = """
import statistics, sys, time
import gaussiandiffusion as gd
from gaussiandiffusion.data import load_images
images = load_images("mnist", split="train", data_dir=sys.argv[1], limit=4000).images
gd.encode(images[:64], num_splats=70)
seconds = []
for _ in range(5):
    started = time.perf_counter()
    gd.encode(images, num_splats=70)
    seconds.append(time.perf_counter() - started)
print(len(images) / statistics.median(seconds))
"""
TRAINING = (
    "train", "mnist", "--limit", "2048", "--mixed-precision", "no", "--max-steps", "60", "--log-every", "10",
    "--sample-every", "1000", "--checkpoint-every", "1000",
)  # fmt: skip


@dataclass(frozen=True)
class Arguments:
    """Compare two versions."""

    other: Path
    """Folder that holds the other version's package, to come first on PYTHONPATH."""
    data_dir: Path
    """Folder with MNIST's files."""
    out: Path
    """JSON file to write."""
    rounds: int = 5
    """How often everything runs on each side."""
    threads: int | None = None
    """Of either side; default: as many as PyTorch takes. One is steadiest beside other work."""


@dataclass(frozen=True)
class Version:
    """One side: where its package lies, the data, a folder to write to, and threads."""

    source: Path
    data_dir: Path
    scratch: Path
    threads: int | None = None

    def call(self, *words: str) -> str:
        """What Python prints of some words of a command line."""
        environment = os.environ | {"PYTHONPATH": str(self.source)}
        if self.threads is not None:
            environment["OMP_NUM_THREADS"] = str(self.threads)
        done = subprocess.run(
            [sys.executable, *words], cwd=self.scratch, env=environment, capture_output=True, text=True
        )
        if done.returncode:
            raise RuntimeError(f"{self.source}: {' '.join(words)[:200]} failed\n{done.stderr[-2000:]}")
        return done.stdout

    def command(self, *words: str) -> str:
        """What `gaussiandiffusion` prints."""
        return self.call("-m", "gaussiandiffusion", *words)

    def check(self) -> None:
        """Refuse a folder from which Python does not take the package; raises ValueError."""
        found = Path(self.call("-c", "import gaussiandiffusion; print(gaussiandiffusion.__file__)").strip())
        if not found.is_relative_to(self.source):
            raise ValueError(f"{self.source}: holds no package gaussiandiffusion; Python takes that of {found.parent}")


def wall(work: Callable[[], object]) -> float:
    """Seconds that a process takes, start and end included."""
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def sample(version: Version) -> str:
    """64 digits by the command line."""
    return version.command("sample", "--num", "64", "--out", str(version.scratch / "samples"))


def training_rate(version: Version) -> float:
    """Median samples per second of a training's log, but for its first line, which compiles and warms."""
    folder = version.scratch / "training"
    version.command(*TRAINING, "--data-dir", str(version.data_dir), "--output-dir", str(folder))
    lines = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
    return statistics.median(line["samples_per_second"] for line in lines[1:])


MEASURES: dict[str, tuple[str, Callable[[Version], float]]] = {
    "import": ("s", lambda v: wall(lambda: v.call("-c", "import gaussiandiffusion"))),
    "--help": ("s", lambda v: wall(lambda: v.command("--help"))),
    "sample --help": ("s", lambda v: wall(lambda: v.command("sample", "--help"))),
    "sample --num 64": ("s", lambda v: wall(lambda: sample(v))),
    "512 digits": ("ms an image", lambda v: float(v.call("-c", SAMPLING))),
    "encoding, K = 70": ("images/s", lambda v: float(v.call("-c", ENCODING, str(v.data_dir)))),
    "training, float32": ("samples/s", training_rate),
}  # name: (unit, figure)


def compare(versions: dict[str, Version], rounds: int) -> dict[str, dict[str, Any]]:
    """Medians of every measure on each side, whose turn comes first changing from round to round."""
    found: dict[str, dict[str, list[float]]] = {name: {side: [] for side in versions} for name in MEASURES}
    for version in versions.values():
        version.check()
        sample(version)  # compiles, and brings the files to memory
    for i in range(rounds):
        for name, (unit, measure) in MEASURES.items():
            for side in list(versions) if i % 2 == 0 else reversed(versions):
                found[name][side].append(measure(versions[side]))
                print(f"round {i + 1}, {name}, {side}: {found[name][side][-1]:.4g} {unit}", flush=True)
    return {name: row(MEASURES[name][0], sides) for name, sides in found.items()}


def row(unit: str, sides: dict[str, list[float]]) -> dict[str, Any]:
    """One measure; the ratio is of this version's figure to the other's."""
    medians = {side: statistics.median(values) for side, values in sides.items()}
    return {
        "unit": unit,
        **{side: {"median": medians[side], "values": values} for side, values in sides.items()},
        "ratio": medians["this"] / medians["other"],
    }


def plain_table(measures: dict[str, dict[str, Any]]) -> str:
    """The medians, aligned by spaces."""
    lines = [f"{'':20}{'unit':>12}{'this':>10}{'other':>10}{'ratio':>8}"]
    for name, found in measures.items():
        this, other = (f"{found[side]['median']:.4g}" for side in ("this", "other"))
        lines.append(f"{name:20}{found['unit']:>12}{this:>10}{other:>10}{found['ratio']:>8.3f}")
    return "\n".join(lines)


def own_source() -> Path:
    """The folder that this process takes the package from."""
    spec = importlib.util.find_spec("gaussiandiffusion")
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).resolve().parent.parent


def main(arguments: Arguments) -> None:
    sources = {"this": own_source(), "other": arguments.other.resolve()}
    with tempfile.TemporaryDirectory() as folder:
        versions = {}
        for side, source in sources.items():
            scratch = Path(folder) / side
            scratch.mkdir()
            versions[side] = Version(source, arguments.data_dir.resolve(), scratch, arguments.threads)
        measures = compare(versions, arguments.rounds)
    record = {
        "rounds": arguments.rounds,
        "threads": arguments.threads,
        "measures": measures,
        "machine": machine_words(),
        "versions": library_versions(),
    }
    write_json(arguments.out, record)
    print(plain_table(measures))


if __name__ == "__main__":
    main(tyro.cli(Arguments, description=__doc__))
