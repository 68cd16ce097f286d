"""What this machine gives, beside what it could: start-up, sampling, drawing, encoding, training; JSON and a table.

    python -m benchmarks.machine --data-dir DIR
    python -m benchmarks.machine --data-dir DIR --other PATH/src

Everything runs in processes of its own; with `--other` another version of the package takes turns with this one. With
`ATEN_CPU_CAPABILITY=avx2 ONEDNN_MAX_CPU_ISA=AVX2 NUMBA_CPU_NAME=znver3` one with AVX-512 stands for one without.
"""

from __future__ import annotations

import os
import statistics
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import tyro

from benchmarks.machine.ceilings import ceilings, clock_share
from benchmarks.machine.measures import Measure, measures
from benchmarks.machine.shares import operations, share
from benchmarks.machine.versions import Version, own_source
from benchmarks.shared.inputs import strokes
from benchmarks.shared.sections import results_file
from gaussiandiffusion.data import load_images
from gaussiandiffusion.ground.files import write_json
from gaussiandiffusion.ground.provenance import library_versions, machine_words
from gaussiandiffusion.ground.records import read_record

STROKES = 10_000  # pictures that stand for MNIST's 60,000 where those are not at hand
LESS_IS_BETTER = ("s", "CPU-s", "ms an image", "us an image")
EMULATION = ("ATEN_CPU_CAPABILITY", "ONEDNN_MAX_CPU_ISA", "NUMBA_CPU_NAME", "OMP_NUM_THREADS")


@dataclass(frozen=True)
class Arguments:
    """Measure this machine."""

    data_dir: Path | None = None
    """Folder with MNIST's files; default: drawn strokes in its place."""
    other: Path | None = None
    """Folder that holds another version's package, to be measured in turn."""
    only: tuple[str, ...] = ()
    """Measures by name, to replace those that the file has of a machine like this one; default: all."""
    out: Path | None = None
    """JSON file; default: by its vectors in benchmarks/results, such as machine-avx2.json."""
    quick: bool = False
    """A trial: little work, written to out/."""


def write_images(path: Path, arguments: Arguments) -> str:
    """The images that all work on, as an .npz; returns what they are."""
    if arguments.data_dir is not None and not arguments.quick:
        train = load_images("mnist", split="train", data_dir=arguments.data_dir)
        np.savez(path, images=train.images, labels=train.labels)
        return f"MNIST, {len(train):,} images"
    count = STROKES // 40 if arguments.quick else STROKES
    pictures = strokes(min(count, 1000), 28, seed=0)
    pictures = np.concatenate([pictures] * (count // len(pictures)))
    np.savez(path, images=pictures, labels=np.arange(len(pictures)) % 10)
    return f"strokes, {len(pictures):,} images"


def measured(
    measure: Measure, versions: Mapping[str, Version], machine: dict[str, float], work: dict[str, float], quick: bool
) -> dict[str, Any]:
    """One row: medians of all versions, in turn, and their shares of the ceiling."""
    values: dict[str, list[float]] = {side: [] for side in versions}
    for i in range(1 if quick else measure.repeats):
        for side in list(versions) if i % 2 == 0 else reversed(versions):
            values[side].append(measure.find(versions[side]))
    row: dict[str, Any] = {"title": measure.title, "unit": measure.unit}
    for side, found in values.items():
        median = statistics.median(found)
        row[side] = {
            "median": median,
            "values": found,
            "share": share(measure.ceiling, measure.unit, median, machine, work),
        }
    if "other" in row:
        ratio = row["other"]["median"] / row["this"]["median"]
        row["faster"] = ratio if measure.unit in LESS_IS_BETTER else 1 / ratio
    return row


def kept(out: Path, record: dict[str, Any]) -> dict[str, Any]:
    """Rows that an earlier run wrote, on a machine and with libraries like this one's."""
    before = read_record(out, dict[str, Any]) if out.is_file() else {}
    alike = all(before.get(name) == record[name] for name in ("images", "quick", "environment", "machine", "versions"))
    return before["measures"] if alike else {}


def plain_table(record: dict[str, Any]) -> str:
    """All rows, aligned by spaces."""
    lines = [f"{'':46}{'unit':>14}{'this':>10}{'of ceiling':>12}{'other':>10}{'faster':>9}"]
    for row in record["measures"].values():
        part = row["this"]["share"]
        line = f"{row['title']:46}{row['unit']:>14}{row['this']['median']:>10.4g}"
        line += f"{'' if part is None else f'{100 * part:.0f} %':>12}"
        if "other" in row:
            line += f"{row['other']['median']:>10.4g}{row['faster']:>8.2f}x"
        lines.append(line)
    return "\n".join(lines)


def main(arguments: Arguments) -> None:
    quick = arguments.quick
    small = {"steps": 4, "samples": 32, "emulated_steps": 2} if quick else {}
    wanted = measures(**small)
    if unknown := [name for name in arguments.only if name not in wanted]:
        raise SystemExit(f"unknown measure '{unknown[0]}'; there are {', '.join(wanted)}")
    out = arguments.out or results_file(f"machine-{machine_words()['vectors'].lower()}", quick)
    sources = {"this": own_source()}
    if arguments.other is not None:
        sources["other"] = arguments.other.resolve()
    started = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        images = Path(folder) / "images.npz"
        shown = write_images(images, arguments)
        versions = {}
        for side, source in sources.items():
            scratch = Path(folder) / side
            scratch.mkdir()
            versions[side] = Version(source, images, scratch)
            versions[side].check()
        machine, work = ceilings(quick), operations()
        record: dict[str, Any] = {
            "images": shown,
            "quick": quick,
            "clock_share": clock_share(),
            "ceilings": machine,
            "gflops_of_a_sample": work,
            "environment": {name: os.environ[name] for name in EMULATION if name in os.environ},
            "machine": machine_words(),
            "versions": library_versions(),
        }
        record["measures"] = kept(out, record) if arguments.only else {}
        for version in versions.values():  # whatever has to be compiled is compiled before anything counts
            version.command("encode", str(images), "--limit", "64", "--splats", "70", "--out", "warm.safetensors")
        for name in arguments.only or wanted:
            row = measured(wanted[name], versions, machine, work, quick)
            found = record["measures"] | {name: row}
            record["measures"] = {each: found[each] for each in wanted if each in found}
            write_json(out, record)
            took = time.perf_counter() - started
            print(f"{took:5.0f} s  {name}: {record['measures'][name]['this']['median']:.4g}", flush=True)
    print(plain_table(record))


if __name__ == "__main__":
    main(tyro.cli(Arguments, description=__doc__))
