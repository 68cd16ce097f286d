"""The table of benchmarks/results/editing-operations.json."""

from __future__ import annotations

from benchmarks.shared.markdown import Record, conditions, table


def times(record: Record) -> str:
    """Milliseconds of each operation and selection."""
    rows = []
    for section in ("operations", "selections"):
        for row in record.get(section, {}).values():
            rows.append([f"`{row['example']}`".replace("|", "\\|"), f"{row['ms']:.1f}", f"{row['ms_most']:.1f}"])
    runs = record["operations"]
    one = next(iter(runs.values()))
    words = (
        f"One set of {one['splats']:,} splats in colour; operations that take a selection on half of them. "
        f"{one['rounds']} rounds, processor time, {conditions(runs, core_time=True)}"
    )
    return f"{table(['edit', 'median ms', 'slowest ms'], rows)}\n\n{words}"
