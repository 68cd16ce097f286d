"""The table of benchmarks/results/training.json."""

from __future__ import annotations

from benchmarks.shared.markdown import Record, conditions, table


def speed(record: Record) -> str:
    """Rates of training, and the share of the machine's best product of matrices."""
    best = record["peak"]
    body = []
    for row in record["steps"].values():
        peak = best["bfloat16"]["gflops_per_second"]
        body.append(
            [
                row["title"], f"{1000 * row['seconds_per_step']:.0f}", f"{row['samples_per_second']:.0f}",
                f"{row['gflops_per_sample']:.2f}", f"{row['gflops_per_second']:.0f}",
                f"{100 * row['gflops_per_second'] / peak:.0f} %",
            ]
        )  # fmt: skip
    head = ["training", "ms a step", "samples/s", "GFLOPs a sample", "GFLOP/s", "share of peak"]
    side = best["bfloat16"]["side"]
    rates = [best[name]["gflops_per_second"] for name in ("bfloat16", "float32")]
    words = [
        f"Peak: the product of two {side:,} x {side:,} matrices in bfloat16, {rates[0]:,.0f} GFLOP/s",
        f"({rates[1]:,.0f} in float32).",
        f"Medians, all rows in turn, batches of 128. {conditions(record['steps'])}",
    ]
    return f"{table(head, body)}\n\n{' '.join(words)}"
