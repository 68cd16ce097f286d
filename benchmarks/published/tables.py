"""The table of benchmarks/results/published.json."""

from __future__ import annotations

from benchmarks.shared.inputs import NAMES
from benchmarks.shared.markdown import Record, table


def races(record: Record) -> str:
    """Races against the published encoders, and the paper's figures measured again."""
    rows = []
    for race in record["races"]:
        theirs, ours = race["published"], race["ours"]
        rows.append(
            [
                NAMES[race["data"]], race["num_splats"], f"{theirs['psnr_median']:.1f} dB", theirs["iterations"],
                f"{1e3 * theirs['seconds_per_image']:,.0f} ms", f"{ours['psnr_median']:.1f} dB",
                ours["settings"]["iterations"], f"{1e3 * ours['seconds_per_image']:.3f} ms",
                "-" if race["ratio"] is None else f"{race['ratio']:,.0f}x",
            ]
        )  # fmt: skip
    head = ["data", "K", "published", "steps", "an image", "ours", "steps", "an image", "ratio"]
    race, machine = record["races"][0], record["machine"]
    targets = ", ".join(f"{NAMES[race['data']]} {race['target_psnr']:g} dB" for race in record["races"])
    reprints = "; ".join(
        f"{NAMES[row['data']]} {row['psnr_mean']:.1f} dB (printed {row['printed_psnr']:g})"
        for row in record["reprints"]
    )
    return (
        f"{table(head, rows)}\n\nMedian PSNR of {race['images']} random test images; sought: {targets}. Wall-clock, "
        f"{race['threads']} thread(s) on {machine['cpus']} cores ({machine['processor']}), seed {record['seed']}. The "
        f"paper's own encoder (L1 + DSSIM, normalised kernel, K = {record['reprints'][0]['settings']['num_splats']}), "
        f"with the constants it leaves open chosen by us: {reprints}, mean PSNR."
    )
