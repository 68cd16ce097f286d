"""The table of benchmarks/results/profile.json, which `gaussiandiffusion profile --out FILE` writes."""

from __future__ import annotations

from benchmarks.shared.markdown import Record, table
from gaussiandiffusion.cli.profile import HEAD, cells, circumstances, printed_sentence


def costs(record: Record) -> str:
    """What an image costs, the model first, and what the paper prints."""
    parts = [table(HEAD, [cells(row) for row in record["rows"]], texts=2), circumstances(record)]
    if record["left_out"]:
        missing = "; ".join(f"{name} ({reason})" for name, reason in record["left_out"].items())
        parts.append(f"Left out: {missing}.")
    return "\n\n".join([*parts, printed_sentence(record["printed"])])
