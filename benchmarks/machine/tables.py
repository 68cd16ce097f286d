"""Tables of benchmarks/results/machine-*.json, one a machine, for docs/performance.md and README."""

from __future__ import annotations

from collections.abc import Sequence

from benchmarks.shared.markdown import Record, table

UNITS = {"s": "s", "CPU-s": "CPU-s", "ms an image": "ms", "us an image": "us", "images/s": "/s", "samples/s": "/s"}
CEILINGS = {
    "gflops_one_thread": "float32 products, one thread: {:,.0f} GFLOP/s",
    "gflops": "all threads: {:,.0f}",
    "gflops_bfloat16": "bfloat16: {:,.0f}",
    "gigabytes_per_second": "copies: {:.1f} GB/s",
    "import_torch_seconds": "`import torch`: {:.2f} s",
}


def figures(records: Sequence[Record]) -> str:
    """A table for each machine: before, now, and the share of what it could do."""
    return "\n\n".join(_machine(record) for record in records)


def _machine(record: Record) -> str:
    rows = []
    for row in record["measures"].values():
        this, other = row["this"], row.get("other")
        share = this["share"]
        rows.append(
            [
                row["title"],
                "-" if other is None else _value(other["median"], row["unit"]),
                _value(this["median"], row["unit"]),
                "-" if other is None else f"{row['faster']:.2f}x",
                "-" if share is None else f"{100 * share:.0f} %",
            ]
        )
    machine = record["machine"]
    cores, threads = machine["cpus"], machine["threads"]
    words = "; ".join(text.format(record["ceilings"][name]) for name, text in CEILINGS.items())
    emulated = " ".join(f"{name}={value}" for name, value in record["environment"].items())
    note = f" Under `{emulated}`." if emulated else ""
    trial = " **Quick settings: a trial, not a result.**" if record["quick"] else ""
    return (
        f"{table(['', 'before', 'now', 'faster', 'of the ceiling'], rows)}\n\n"
        f"{machine['vectors']}, {cores} core{'s' if cores > 1 else ''} ({machine['processor']}), "
        f"{threads} thread{'s' if threads > 1 else ''}; {record['images']}.{note} Ceilings, in the same run: {words}. "
        f"A busy loop got {100 * record['clock_share']:.0f} % of a core.{trial}"
    )


def _value(value: float, unit: str) -> str:
    digits = f"{value:,.0f}" if value >= 100 else f"{value:.3g}"
    return f"{digits} {UNITS[unit]}"
