"""What a GPU does with our work in at most six minutes, every figure beside the best that the device could do.

    python -m benchmarks.gpu --out FILE.json [--data-dir DIR-OF-CIFAR10]

* ceilings: products of matrices by precision, copies, starting a kernel. The others are held against these.
* sampling: digits of `mnist-few`, by size of chunk and by part.
* passes: one pass of networks, ours and those of the published sizes.
* drawing: sets to pictures, by the reference and by the same compiled.
* encoding: pictures to sets, on the device and on the processor.
* steps: a training step, broken down.
* learning: a training of minutes, and how its loss falls.

It needs PyTorch and what the package depends on (steps and learning: also its extra "train"), no network and no
compiler: what a machine lacks is left out with the reason. An interrupted run keeps what it measured; the same command
with `--sections` measures some again. `--device cpu --quick` tries everything in miniature.
"""

from __future__ import annotations

import importlib
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import nullcontext, suppress
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any, Literal

import tyro

from benchmarks.gpu.deadline import Deadline
from benchmarks.gpu.figures import Entry
from benchmarks.gpu.session import Session
from benchmarks.gpu.tables import plain_table
from gaussiandiffusion.ground.errors import InputError

# Seconds that each section may take of the whole; the last has what is left, at least so many.
BUDGETS = {
    "ceilings": 15.0, "sampling": 35.0, "passes": 35.0, "drawing": 20.0, "encoding": 30.0, "steps": 75.0,
    "learning": 40.0,
}  # fmt: skip
WHOLE = 345.0
CEILINGS, LAST = "ceilings", "learning"
HURRY = 0.02  # of the time that measurements take, in a quick run
LONGEST = 24 * 60.0  # minutes of a training


@dataclass(frozen=True)
class Arguments:
    """Measure a GPU.

    Args:
        out: JSON file to write; sections are merged into one of the same device.
        device: where to measure; cpu only with `quick`.
        sections: some of them, with commas between; default: all.
        quick: everything in miniature, to see that it works.
        data_dir: folder with CIFAR-10's files, for encoding and learning; default: pictures drawn by formulas.
        minutes: of the short training; default: what is left, at most two and a half.
        training_dir: keep the short training's folder there.
        seed: of pictures, weights and samples.
    """

    out: Path = Path("out/gpu.json")
    device: Literal["cuda", "cpu"] = "cuda"
    sections: str = ",".join(BUDGETS)
    quick: bool = False
    data_dir: Path | None = None
    minutes: float | None = None
    training_dir: Path | None = None
    seed: int = 0


def chosen(sections: str) -> list[str]:
    """Sections by a list with commas, in the order they run in; raises InputError for one that there is not."""
    names = [name.strip() for name in sections.split(",") if name.strip()]
    for name in names:
        if name not in BUDGETS:
            raise InputError(f"--sections: unknown section '{name}'; choose some of {', '.join(BUDGETS)}")
    if not names:
        raise InputError(f"--sections names none; choose some of {', '.join(BUDGETS)}")
    return [name for name in BUDGETS if name in names]


def check(arguments: Arguments) -> None:
    """Refuse what can be told to be wrong before anything is measured; raises InputError."""
    if arguments.device == "cpu" and not arguments.quick:
        raise InputError("the sizes are a GPU's; --device cpu needs --quick")
    if arguments.device == "cuda" and not _cuda_is_there():
        raise InputError("there is no CUDA device that PyTorch can use; --device cpu --quick tries all in miniature")
    if arguments.minutes is not None and not 0 < arguments.minutes <= LONGEST:
        raise InputError(f"--minutes must lie above 0 and up to {LONGEST:g}, not {arguments.minutes:g}")
    if arguments.seed < 0:
        raise InputError(f"--seed must be at least 0, not {arguments.seed}")
    if arguments.out.is_dir():
        raise InputError(f"{arguments.out}: is a folder; --out names a file")
    if arguments.data_dir is not None:
        from gaussiandiffusion.data import open_images

        open_images("cifar10", split="train", data_dir=arguments.data_dir)


def _cuda_is_there() -> bool:
    import torch

    return torch.cuda.is_available()


def run(arguments: Arguments) -> dict[str, Any]:
    """Measure, and give the record that was written.

    Raises:
        InputError: arguments that nothing can be measured with.
    """
    names = chosen(arguments.sections)
    check(arguments)
    import torch

    from benchmarks.gpu.clock import Clock, device_words
    from benchmarks.shared.threads import one_thread
    from gaussiandiffusion.ground.provenance import library_versions, machine_words

    device = torch.device(arguments.device)
    about = {
        "device": device_words(device),
        "machine": machine_words(),
        "versions": library_versions(),
        "quick": arguments.quick,
        "seed": arguments.seed,
        "settings": {name: None if value is None else str(value) for name, value in _public(arguments).items()},
    }
    session, whole = Session.begin(arguments.out, about), Deadline(WHOLE + 60 * _beyond(arguments.minutes))
    if CEILINGS not in names and not session.figures(CEILINGS):
        names.insert(0, CEILINGS)  # the others are held against them
    clock = Clock(device, HURRY if arguments.quick else 1.0)
    alone = one_thread() if arguments.quick else nullcontext()  # small works are not worth sharing
    with alone, tempfile.TemporaryDirectory() as scratch:
        for name in names:
            session.run(name, partial(_section, name, arguments, session, clock, Path(scratch)), _seconds(name, whole))
            with suppress(Exception):  # a device that failed stays so
                clock.forget()
    return session.record


def _section(
    name: str, arguments: Arguments, session: Session, clock: Any, scratch: Path, deadline: Deadline
) -> Iterator[Entry]:
    """What a section yields; its module, and with it what it needs, is imported only now."""
    from benchmarks.gpu.rates import Rates
    from benchmarks.gpu.setting import Setting

    rates = Rates.unknown() if name == CEILINGS else _rates(session)
    setting = Setting(
        clock, rates, deadline, scratch, arguments.quick, arguments.seed, arguments.data_dir, arguments.minutes,
        arguments.training_dir,
    )  # fmt: skip
    yield from getattr(importlib.import_module(f"benchmarks.gpu.{name}"), name)(setting)


def _rates(session: Session) -> Any:
    from benchmarks.gpu.rates import Rates

    try:
        return Rates.of(session.figures(CEILINGS))
    except KeyError as error:
        raise RuntimeError(f"the ceilings lack {error}, so nothing can be held against them") from None


def _seconds(name: str, whole: Deadline) -> float:
    return max(BUDGETS[name], whole.left / 1.05) if name == LAST else BUDGETS[name]


def _beyond(minutes: float | None) -> float:
    """Minutes by which a training that was asked for is longer than what the whole has for it."""
    return 0.0 if minutes is None else max(0.0, minutes - 2.5)


def _public(arguments: Arguments) -> dict[str, Any]:
    """The arguments without places on this machine's disk."""
    places = ("out", "data_dir", "training_dir")
    values = {name: value for name, value in asdict(arguments).items() if name not in places}
    return values | {"data": "synthetic" if arguments.data_dir is None else "cifar10"}


def main(argv: Sequence[str] | None = None) -> int:
    """The command; returns its exit code."""
    try:
        record = run(tyro.cli(Arguments, args=argv, description=__doc__))
    except InputError as error:
        print(f"benchmarks.gpu: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("interrupted; what was measured is kept", file=sys.stderr)
        return 130
    print(plain_table(record))
    return 0 if all(section["state"] == "done" for section in record["sections"].values()) else 1


if __name__ == "__main__":
    sys.exit(main())
