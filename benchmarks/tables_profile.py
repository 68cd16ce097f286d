"""The table of benchmarks/results/profile.json, which `gaussiandiffusion profile --out FILE` writes."""

from __future__ import annotations

from typing import Any

from benchmarks import tables_encoding
from gaussiandiffusion.cli.profile import HEAD, cells, conditions, printed_sentence


def table(record: dict[str, Any]) -> str:
    """What an image costs, the model first, and what the paper prints."""
    parts = [tables_encoding.table(HEAD, [cells(row) for row in record["rows"]], texts=2), conditions(record)]
    if record["left_out"]:
        missing = "; ".join(f"{name} ({reason})" for name, reason in record["left_out"].items())
        parts.append(f"Left out: {missing}.")
    return "\n\n".join([*parts, printed_sentence(record["printed"])])
