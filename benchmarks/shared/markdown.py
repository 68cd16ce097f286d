"""Markdown tables, and the words below them about threads and machine."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

Record = dict[str, Any]
Results = dict[str, Record]  # a section: results by key


def table(head: Sequence[object], rows: Sequence[Sequence[object]], texts: int = 1) -> str:
    """A Markdown table; the first `texts` columns are text, the others numbers."""
    marks = ["---"] * texts + ["---:"] * (len(head) - texts)
    return "\n".join("| " + " | ".join(map(str, row)) + " |" for row in (head, marks, *rows))


def conditions(results: Results, core_time: bool = False) -> str:
    """Threads and machine, and a warning where settings were small.

    Args:
        core_time: the figures are processor time on one thread, whatever the run had.
    """
    runs = [result["run"] for result in results.values()]
    words = []
    for run in runs:
        threads = 1 if core_time else run["threads"]
        cores = run["machine"]["cpus"]
        kind = ", ".join(filter(None, (run["machine"]["processor"], run["machine"].get("vectors"))))
        machine = f"{cores} core{'s' if cores > 1 else ''} ({kind})"
        words.append(f"{threads} thread{'s' if threads > 1 else ''} on {machine}")
    quick = " **Quick settings: a trial, not a result.**" if any(run["quick"] for run in runs) else ""
    return "; ".join(dict.fromkeys(words)) + "." + quick
