"""Tables of benchmarks/results/editing.json, for docs/model-edits.md."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from benchmarks.shared.markdown import Results, table


def variation(results: Results) -> str:
    """Change and class by strength."""
    rows = []
    for name, row in results.items():
        kind, _, rest = name.partition(", ")
        asked = "left open" if rest == "left open" else "given"
        change = f"{row['mean_change']:.4f}" if "mean_change" in row else ""
        rows.append([kind, f"{row['strength']:g}", asked, share(row["same_class"]), change])
    head = ["digits", "strength", "label", "same class", "mean change of a pixel"]
    return f"{table(head, rows)}\n\n{_told(results)} A pixel changes between 0 and 1."


def inpainting(results: Results) -> str:
    """What is kept, what is made, and whether a seam is seen."""
    controls = results["controls"]
    rows = [
        [
            name,
            "yes" if row["kept_identical"] else "no",
            share(row["label_accuracy"]),
            share(row["label_accuracy_left_open"]),
            share(row["seam"]["accuracy"]),
            f"{1000 * row['seconds_per_image']:.0f}",
        ]
        for name, row in results.items()
        if name != "controls"
    ]
    head = ["", "kept bit for bit", "as asked, label given", "left open", "told from whole samples", "ms a digit"]
    words = [
        f"Whole samples are as asked in {share(controls['label_accuracy_whole'])}. The classifier that tells completed",
        f"digits from whole ones learns from {_pairs(controls, 'num_train')} of each and is asked about",
        f"{_pairs(controls, 'num_test')} others of each; 50 % is chance. It tells whole from other whole samples in",
        f"{share(controls['whole_from_whole']['accuracy'])}, and in {share(controls['pasted_from_whole']['accuracy'])}",
        "upper halves with the lower half of another digit of the same class.",
    ]
    return f"{table(head, rows)}\n\n{_told(results)} {' '.join(words)}"


def returning(results: Results) -> str:
    """To the noise and back."""
    row = results["real"]
    return (
        f"{row['num']} test digits led to their noise and back: {row['psnr_back_median']:.1f} dB in the median; "
        f"led back as another digit, {share(row['as_asked'])} are seen as asked."
    )


def share(value: float) -> str:
    """As a percentage."""
    return f"{100 * value:.1f} %"


def _pairs(controls: dict[str, Any], name: str) -> str:
    return f"{controls['whole_from_whole'][name] // 2:,}"


def _told(results: Results) -> str:
    run = next(iter(results.values()))["run"]
    return (
        f"Model `{run['model']}`, {run['num']:,} digits, {run['steps']} steps, guidance {run['guidance']:g}; judged by "
        f"the features `{run['judge']}`."
    )


SECTIONS: dict[str, Callable[[Results], str]] = {
    "variation": variation,
    "inpainting": inpainting,
    "returning": returning,
}
