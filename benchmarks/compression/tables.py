"""The table of benchmarks/results/compression.json."""

from __future__ import annotations

from benchmarks.shared.inputs import NAMES
from benchmarks.shared.markdown import Record, table

MORE_NAMES = {"fashion-mnist": "Fashion-MNIST", "sprites64": "Sprites 64"}


def compression(record: Record) -> str:
    """Splats an image, compression and PSNR."""
    rows, larger = [], []
    for name, results in record.items():
        title = (NAMES | MORE_NAMES)[name]
        for row in sorted(results.values(), key=lambda row: (row["splats"], row["kind"])):
            below = row["ratio_numbers"] < 1
            ratio = f"{row['ratio_numbers']:.2f}"
            rows.append(
                [
                    title, row["kind"], row["splats"], f"{row['set_numbers']:,}", f"{row['picture_numbers']:,}",
                    f"**{ratio}**" if below else ratio, f"{row['ratio_bytes']:.2f}", f"{row['psnr_mean']:.1f} dB",
                    f"{row['psnr_p1']:.1f} dB",
                ]
            )  # fmt: skip
            if below:
                larger.append(f"{title} with {row['splats']}")
    head = ["data", "sets", "K", "numbers", "pixels x channels", "ratio", "in bytes", "mean PSNR", "p1"]
    runs = [row["run"] for results in record.values() for row in results.values()]
    images = "/".join(dict.fromkeys(f"{row['images']:,}" for results in record.values() for row in results.values()))
    words = [
        f"{images} random test images of each data set.",
        "Ratio: numbers of the picture over numbers of the set; above 1, the set is the smaller of the two.",
        "In bytes: 8 bits a number of the picture, 32 of the set.",
    ]
    if larger:
        words.append(f"Bold, no compression at all but more numbers than pixels: {', '.join(dict.fromkeys(larger))}.")
    if any(run["quick"] for run in runs):
        words.append("**Quick settings: a trial, not a result.**")
    return f"{table(head, rows, 2)}\n\n{' '.join(words)}"
