"""Draw all plots into docs/pictures from benchmarks/results: python -m benchmarks.plots (extra `[bench]`)."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import tyro
from matplotlib import rc_context

import benchmarks.colour.plots
import benchmarks.encoding.plots
import benchmarks.passes.plots
from benchmarks.shared.plotting import STYLE, save
from benchmarks.shared.sections import RESULTS, ROOT, read_result

SUBJECTS = {
    "cifar10-baselines": benchmarks.colour.plots.PLOTS,
    "encoding": benchmarks.encoding.plots.PLOTS,
    "passes": benchmarks.passes.plots.PLOTS,
}


@dataclass(frozen=True)
class Arguments:
    """Draw the plots.

    Args:
        results: folder of the measurements' files.
        out: folder for the SVGs.
    """

    results: Path = RESULTS
    out: Path = ROOT / "docs" / "pictures"


def main(arguments: Arguments) -> None:
    with rc_context(STYLE):
        for subject, plots in SUBJECTS.items():
            path = arguments.results / f"{subject}.json"
            record = read_result(path) if path.exists() else {}
            for name, (section, draw) in plots.items():
                if section in record:
                    save(draw(record), arguments.out / f"{name}.svg")
                else:
                    print(f"{name}: nothing measured for {section} yet")


if __name__ == "__main__":
    main(tyro.cli(Arguments, description=__doc__))
