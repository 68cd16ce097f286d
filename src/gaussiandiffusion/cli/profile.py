"""`gaussiandiffusion profile`: what an image costs to generate, against the published networks and baselines."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tqdm import tqdm

from gaussiandiffusion.cli.checks import check_file, check_model, check_numbers
from gaussiandiffusion.cli.device import Device, resolve

HEAD = (
    "network", "latent", "parameters", "passes", "GFLOPs each", "GFLOPs an image", "ratio",
    "ms each", "ms drawing", "s an image", "ratio",
)  # fmt: skip


@dataclass(frozen=True)
class Command:
    """Parameters, operations and time per image of a model, of the published networks and of the pixel baselines.

    Example: gaussiandiffusion profile --model mnist --out out/profile.json
    """

    model: str = "mnist"
    """Bundled model, folder of a trained pipeline, or owner/name on the Hub; at its own steps and guidance."""
    out: Path | None = None
    """JSON file to write; default: only the table is printed."""
    batch_size: int = 4
    """Images per timed pass."""
    repeats: int = 20
    """Timed passes of every network; fewer than 20 are a trial."""
    seed: int = 0
    """Of the untrained networks' weights, which change no cost."""
    device: Device = "auto"
    """Where to compute."""

    def run(self) -> None:
        check_numbers(batch_size=self.batch_size, repeats=self.repeats)
        check_numbers(0, seed=self.seed)
        check_file(self.out)
        check_model(self.model)
        device = resolve(self.device)  # imports torch
        from gaussiandiffusion.evaluation.cost.cost_report import CostReport
        from gaussiandiffusion.evaluation.cost.profile import RIVALS, comparison, profile, timed_works
        from gaussiandiffusion.pipeline import GaussianDiffusion

        pipeline = GaussianDiffusion.from_pretrained(self.model).to(device)
        sides, left_out = comparison(self.model, pipeline, RIVALS, self.seed)
        with tqdm(total=timed_works(sides, self.repeats), desc="profile", unit="run", leave=False) as bar:
            rows = profile(sides, batch_size=self.batch_size, repeats=self.repeats, progress=bar.update)
        report = CostReport.of(self.model, pipeline, rows, left_out, batch_size=self.batch_size, repeats=self.repeats)
        record = report.to_dict()
        print(plain_table([HEAD, *map(cells, record["rows"])]))
        print(f"\n{circumstances(record)}")
        for name, reason in left_out.items():
            print(f"Left out: {name} ({reason})")
        print(printed_sentence(record["printed"]))
        if self.out is not None:
            report.save(self.out)
            print(f"Profile of {len(rows)} networks: {self.out}")


def cells(row: dict[str, Any]) -> list[str]:
    """A row of the report's JSON under `HEAD`."""
    guided = f" (guidance {row['guidance_scale']:g})" if row["guidance_scale"] != 1 else ""
    return [
        row["name"],
        f"{row['representation']} {'x'.join(map(str, row['latent_shape']))}",
        f"{row['parameters'] / 1e6:.2f}M",
        f"{row['passes']:,}{guided}",
        _rounded(row["flops_per_pass"] / 1e9),
        _rounded(row["flops_per_image"] / 1e9),
        _rounded(row["flops_ratio"], 2) + "x",
        _rounded(row["milliseconds_per_pass"]),
        _rounded(row["render_milliseconds"]) if row["render_milliseconds"] else "-",
        _rounded(row["seconds_per_image"]),
        _rounded(row["seconds_ratio"], 2) + "x",
    ]


def circumstances(record: dict[str, Any]) -> str:
    """How the report's numbers were made."""
    machine = record["machine"]
    threads, cores = (
        f"{n} {word}{'s' if n > 1 else ''}" for n, word in ((machine["threads"], "thread"), (machine["cpus"], "core"))
    )
    trial = " Fewer repeats than a result needs: a trial." if record["quick"] else ""
    height, width, channels = record["canvas"]
    return (
        f"Canvas {width}x{height}x{channels}; {record['device']}, {threads} on {cores} "
        f"({machine['processor']}); batches of {record['batch_size']}, medians of {record['repeats']}. "
        f"{' '.join(record['notes'])}{trial}"
    )


def printed_sentence(printed: dict[str, Any]) -> str:
    """What the paper prints."""
    rows = "; ".join(
        f"{row['name']} {row['parameters'] / 1e6:.0f}M parameters, {row['gflops_per_step']:g} GFLOPs a step, "
        f"{row['steps']:,} steps"
        for row in printed["rows"]
    )
    return f"The paper prints: {rows}; {printed['seconds_ratio']}x. {printed['note']} ({printed['source']})"


def plain_table(rows: Sequence[Sequence[str]]) -> str:
    """Columns aligned by spaces: two of text to the left, numbers to the right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(
        "  ".join(
            cell.ljust(w) if i < 2 else cell.rjust(w) for i, (cell, w) in enumerate(zip(row, widths, strict=True))
        )
        for row in rows
    )


def _rounded(value: float, digits: int = 3) -> str:
    """So many digits, and never fewer than those of the whole part."""
    return f"{value:,.0f}" if value >= 10**digits / 10 else f"{value:.{digits}g}"
