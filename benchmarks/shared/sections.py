"""Results by section and key: a run that is interrupted, or asked for one section, loses nothing of the others."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from gaussiandiffusion.ground.files import write_json
from gaussiandiffusion.ground.provenance import library_versions, machine_words
from gaussiandiffusion.ground.records import read_record

ROOT = Path(__file__).parent.parent.parent  # of the repository
RESULTS = ROOT / "benchmarks" / "results"
TRIALS = Path("out")  # git ignores it

Section = Callable[[], Iterator[tuple[str, dict[str, Any]]]]  # yields (key, result), such as one data set's rows


@dataclass(frozen=True, kw_only=True)
class SectionArguments:
    """What every benchmark by sections takes."""

    data_dir: Path | None = None
    """Folder of the images' files; default: the cache, filled by downloading."""
    out: Path | None = None
    """JSON file that sections are merged into; default: of the benchmark's name in benchmarks/results."""
    only: tuple[str, ...] = ()
    """Sections to run; default: all."""
    quick: bool = False
    """A trial: little work, written to out/."""


def results_file(name: str, quick: bool) -> Path:
    """Where a benchmark writes unless told otherwise: quick trials must not replace results."""
    return (TRIALS if quick else RESULTS) / f"{name}.json"


def read_result(path: Path) -> dict[str, Any]:
    """What a benchmark wrote."""
    return read_record(path, dict[str, Any])


def run_sections(out: Path, sections: Mapping[str, Section], only: Sequence[str], **about: Any) -> None:
    """Run sections and merge what they yield into the JSON file `out`, each result as it comes.

    Args:
        only: the sections to run; empty: all.
        about: recorded beside every result, with the machine.
    """
    about |= {"threads": torch.get_num_threads(), "machine": machine_words(), "versions": library_versions()}
    for name in only or sections:
        started = time.perf_counter()
        for key, result in sections[name]():
            record = read_result(out) if out.exists() else {}
            record.setdefault(name, {})[key] = result | {"run": about}
            write_json(out, record)
            print(f"{name}, {key}: {time.perf_counter() - started:.1f} s", flush=True)
