"""What is measured: each by one number, in processes of its own, by names that earlier versions have too."""

from __future__ import annotations

import json
import shutil
import statistics
import tempfile
from collections.abc import Callable
from dataclasses import dataclass

from benchmarks.machine.versions import Version, busy_core

SAMPLE = ("sample", "--model", "mnist", "--num", "64", "--gif", "--out", "samples")
ENCODE = ("encode", "IMAGES", "--splats", "70", "--out", "sets.safetensors")
TRAIN = (
    "train", "PRESET", "--data", "IMAGES", "--limit", "2048", "--log-every", "1", "--sample-every", "1000",
    "--checkpoint-every", "1000", "--output-dir", "training",
)  # fmt: skip

# Each script prints a number; CLOCK is of the wall, or of all threads.
CLOCK = "import json, os, statistics, sys, time; clock = getattr(time, sys.argv[1]); import torch\n"
SAMPLING = f"""{CLOCK}
import gaussiandiffusion as gd
number, model = int(sys.argv[2]), sys.argv[3]
pipeline = gd.GaussianDiffusionPipeline.from_pretrained(model)
pipeline(num_samples=64, seed=1)
started = clock()
pipeline(num_samples=number, seed=0)
print(json.dumps(1000 * (clock() - started) / number))
"""
DRAWING = f"""{CLOCK}
import gaussiandiffusion as gd
from gaussiandiffusion.data import load_images
images = load_images(sys.argv[2], limit=1000).images
splats = gd.encode(images, num_splats=70)
seconds = []
for _ in range(9):
    started = clock()
    gd.render(splats, cutoff=3.5, backend="cpu")
    seconds.append(clock() - started)
print(json.dumps(1e6 * statistics.median(seconds[1:]) / len(images)))
"""
ENCODING = f"""{CLOCK}
import gaussiandiffusion as gd
from gaussiandiffusion.data import load_images
images = load_images(sys.argv[2], limit=4000).images
gd.encode(images[:64], num_splats=70)
seconds = []
for _ in range(3):
    started = clock()
    gd.encode(images, num_splats=70)
    seconds.append(clock() - started)
print(json.dumps(len(images) / statistics.median(seconds)))
"""
FEATURES = f"""{CLOCK}
from gaussiandiffusion.data import load_images
from gaussiandiffusion.evaluation import extract_features, load_features
images = load_images(sys.argv[2], limit=4000).images
network = load_features("mnist").network
extract_features(network, images[:256])
started = clock()
extract_features(network, images)
print(json.dumps(len(images) / (clock() - started)))
"""


@dataclass(frozen=True)
class Measure:
    """One number.

    Args:
        title: what it is of.
        unit: of the number; "s", "ms an image" and "us an image" are better when less, others when more.
        find: measures it.
        ceiling: which of the machine's it stands beside, see `shares`; none where there is none.
        repeats: how often, of which the median counts.
    """

    title: str
    unit: str
    find: Callable[[Version], float]
    ceiling: str = ""
    repeats: int = 3


def _named(version: Version, words: tuple[str, ...], **names: str) -> list[str]:
    names |= {"IMAGES": str(version.images)}
    return [names.get(word, word) for word in words]


def _beside_a_busy_core(version: Version) -> float:
    with busy_core():
        return version.command(*SAMPLE).wall


def _each_more(version: Version, number: int, clock: str, **environment: str) -> float:
    """Milliseconds of a digit beyond the first 64: start-up does not count, pictures written do."""
    sample = ("sample", "--model", "mnist", "--out", "samples", "--num")
    few, many = (version.command(*sample, str(count), **environment) for count in (64, 64 + number))
    return 1000 * (getattr(many, clock) - getattr(few, clock)) / number


def _after_installing(version: Version, *words: str) -> tuple[float, float]:
    """Wall-clock and processor time of a command that finds nothing compiled."""
    empty = tempfile.mkdtemp(dir=version.scratch)
    try:
        cost = version.command(*_named(version, words), NUMBA_CACHE_DIR=empty)
    finally:
        shutil.rmtree(empty, ignore_errors=True)
    return cost.wall, cost.cpu


def _training_rate(version: Version, preset: str, steps: int, *flags: str) -> float:
    """Samples a second of a training's log, but for its first steps, which compile and fill caches."""
    shutil.rmtree(version.scratch / "training", ignore_errors=True)
    version.command(*_named(version, TRAIN, PRESET=preset), "--max-steps", str(steps), *flags)
    lines = (version.scratch / "training" / "metrics.jsonl").read_text().splitlines()
    return statistics.median(json.loads(line)["samples_per_second"] for line in lines[steps // 4 :])


def measures(steps: int = 24, samples: int = 512, emulated_steps: int = 4) -> dict[str, Measure]:
    """All of them by name.

    Args:
        steps: of a training.
        samples: for rates of sampling; all threads share twice as many.
        emulated_steps: of a training in bfloat16, which some processors only imitate.
    """
    one = {"OMP_NUM_THREADS": "1"}
    return {
        "help": Measure("--help", "s", lambda v: v.command("--help").wall),
        "refusal": Measure(
            "a wrong argument answered", "s",
            lambda v: v.command("sample", "--model", "mnsit", "--out", "x", refused=True).wall,
        ),
        "sample": Measure("64 digits, command line", "s", lambda v: v.command(*SAMPLE).wall, "import"),
        "busy": Measure("the same beside a busy core", "s", _beside_a_busy_core, "import"),
        "first-sample": Measure(
            "the same, the first after installing", "s", lambda v: _after_installing(v, *SAMPLE)[0], "import", 1
        ),
        "first-encode": Measure(
            "first 1,000 images encoded after installing", "CPU-s",
            lambda v: _after_installing(v, *ENCODE, "--limit", "1000")[1], "", 1,
        ),
        "digits": Measure(
            "digits, one thread", "ms an image",
            lambda v: v.script(SAMPLING, "process_time", str(samples), "mnist", **one), "sampling",
        ),
        "digits-one": Measure(
            "more digits, command line, one thread, processor time", "ms an image",
            lambda v: _each_more(v, samples, "cpu", **one), "sampling",
        ),
        "digits-cpu": Measure(
            "the same, all threads, processor time", "ms an image", lambda v: _each_more(v, 2 * samples, "cpu"), "",
        ),
        "digits-all": Measure(
            "the same, all threads", "ms an image", lambda v: _each_more(v, 2 * samples, "wall"), "sampling-all",
        ),
        "few": Measure(
            "digits by mnist-few, one thread", "ms an image",
            lambda v: v.script(SAMPLING, "process_time", str(samples), "mnist-few", **one), "sampling-few",
        ),
        "drawing": Measure(
            "28x28 fits of 70 splats drawn, one thread", "us an image",
            lambda v: v.script(DRAWING, "process_time", str(v.images), **one), "", 1,
        ),
        "encoding": Measure(
            "encoding, K = 70, one thread", "images/s",
            lambda v: v.script(ENCODING, "process_time", str(v.images), **one), "", 1,
        ),
        "encoding-all": Measure(
            "encoding, K = 70, all threads", "images/s",
            lambda v: v.script(ENCODING, "perf_counter", str(v.images)), "", 1,
        ),
        "data-set": Measure(
            "all images encoded, command line", "s", lambda v: v.command(*_named(v, ENCODE)).wall, "", 1
        ),
        "features": Measure(
            "features of images, all threads", "images/s",
            lambda v: v.script(FEATURES, "perf_counter", str(v.images)), "", 1,
        ),
        "training": Measure(
            "train mnist, as it is", "samples/s", lambda v: _training_rate(v, "mnist", steps), "training", 1
        ),
        "training-float32": Measure(
            "train mnist --mixed-precision no", "samples/s",
            lambda v: _training_rate(v, "mnist", steps, "--mixed-precision", "no"), "training", 1,
        ),
        "training-bfloat16": Measure(
            "train mnist --mixed-precision bf16", "samples/s",
            lambda v: _training_rate(v, "mnist", emulated_steps, "--mixed-precision", "bf16"), "training", 1,
        ),
        "unet": Measure(
            "train mnist-unet, as it is", "samples/s",
            lambda v: _training_rate(v, "mnist-unet", max(4, steps // 4)), "training-unet", 1,
        ),
    }  # fmt: skip
