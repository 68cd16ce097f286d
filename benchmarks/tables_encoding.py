"""Tables of benchmarks/results/encoding.json, one function a section."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from typing import Any

from benchmarks.samples import NAMES

Results = dict[str, dict[str, Any]]  # a section: results by key


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
        machine = f"{cores} core{'s' if cores > 1 else ''} ({run['machine']['processor']})"
        words.append(f"{threads} thread{'s' if threads > 1 else ''} on {machine}")
    quick = " **Quick settings: a trial, not a result.**" if any(run["quick"] for run in runs) else ""
    return "; ".join(dict.fromkeys(words)) + "." + quick


def throughput(results: Results) -> str:
    """Whole data sets."""
    head = ["data", "K", "asked for", "images", "seconds", "images/s", "mean PSNR", "p1", "min", "below", "peak memory"]
    rows = []
    for result in results.values():
        psnr, target = result["psnr"], result["target_psnr"]
        rows.append(
            [
                NAMES[result["data"]], result["num_splats"], "-" if target is None else f"{target:g} dB",
                f"{result['images']:,}", f"{result['seconds']:.1f}", f"{result['images_per_second']:,.0f}",
                *(f"{psnr[key]:.1f} dB" for key in ("mean", "p1", "min")),
                "-" if target is None else result["below_target"], f"{result['peak_memory_bytes'] / 2**20:.0f} MiB",
            ]
        )  # fmt: skip
    return f"{table(head, rows)}\n\nTraining splits; wall-clock, {conditions(results)}"


def splats(results: Results) -> str:
    """PSNR by number of splats and iterations, a table a data set."""
    parts = []
    for name, result in results.items():
        steps = sorted({row["iterations"] for row in result["rows"]})
        cells = {(row["splats"], row["iterations"]): _cell(row) for row in result["rows"]}
        counts = sorted({count for count, _ in cells})
        rows = [[count, *(cells[count, step] for step in steps)] for count in counts]
        head = [f"{NAMES[name]}, K", *(f"{step} iterations" for step in steps)]
        parts.append(table(head, rows))
    return "\n\n".join(parts) + f"\n\n{_legend(results)}"


def iterations(results: Results) -> str:
    """PSNR by iterations, a column a data set."""
    cells = {(name, row["iterations"]): _cell(row) for name, result in results.items() for row in result["rows"]}
    steps = sorted({step for _, step in cells})
    head = ["iterations", *(f"{NAMES[name]}, K = {result['num_splats']}" for name, result in results.items())]
    rows = [[step, *(cells.get((name, step), "-") for name in results)] for step in steps]
    return f"{table(head, rows)}\n\n{_legend(results)}"


def starts(results: Results) -> str:
    """Starts at equal splats and iterations, and the canonical settings against their targets."""
    rows, sentences = [], []
    for name, result in results.items():
        for row in result["rows"]:
            start = f"**{row['start']}**" if row["canonical"] else row["start"]
            figures = (f"{row[key]:.2f}" for key in ("noise", "neighbours", "random", "ratio"))
            cells = [NAMES[name], start, row["iterations"], f"{row['psnr']:.1f} dB", *figures]
            rows.append(cells)
        target = result["canonical_target"]
        ratio = "" if target["ratio"] is None else f", ratio at most {target['ratio']:.2f}"
        sentences.append(
            f"{NAMES[name]} (K = {result['num_splats']}): at least {target['psnr']:g} dB, noise at most "
            f"{target['noise']:.2f}{ratio}: {'reached' if result['canonical_reached'] else '**not reached**'}."
        )
    head = ["data", "start", "iterations", "PSNR", "noise", "neighbours", "random", "ratio"]
    return (
        f"{table(head, rows, 2)}\n\nBold: the canonical settings. Asked of them: {' '.join(sentences)} "
        f"{_images(results)} test images; {conditions(results)}"
    )


def colours(results: Results) -> str:
    """Non-negative against signed colours."""
    rows = []
    for name, result in results.items():
        psnr = {(row["iterations"], row["signed"]): row["psnr_mean"] for row in result["rows"]}
        for step in sorted({step for step, _ in psnr}):
            plain, signed = psnr[step, False], psnr[step, True]
            rows.append([NAMES[name], step, f"{plain:.1f} dB", f"{signed:.1f} dB", f"{signed - plain:+.1f} dB"])
    head = ["data", "iterations", "non-negative", "signed", "gain"]
    return f"{table(head, rows)}\n\nMeans over {_images(results)} test images of each data set. {conditions(results)}"


def photographs(results: Results) -> str:
    """PSNR and seconds over all photographs."""
    cells: dict[tuple[int, int], list[dict[str, Any]]] = {}
    for result in results.values():
        for row in result["rows"]:
            cells.setdefault((row["splats"], row["iterations"]), []).append(row)
    rows = []
    for (count, step), found in sorted(cells.items()):
        psnr, seconds = [row["psnr"] for row in found], [row["seconds"] for row in found]
        rows.append(
            [
                f"{count:,}", step, f"{statistics.mean(psnr):.1f} dB", f"{min(psnr):.1f} to {max(psnr):.1f}",
                f"{statistics.median(seconds):.1f} s", f"{max(seconds):.1f} s",
            ]
        )  # fmt: skip
    sizes = ", ".join(sorted({f"{result['width']}x{result['height']}" for result in results.values()}))
    head = ["K", "iterations", "mean PSNR", "min to max", "median time", "longest"]
    return (
        f"{table(head, rows, 0)}\n\n{len(results)} photograph(s) of {sizes} pixels; wall-clock, {conditions(results)}"
    )


def published(record: dict[str, Any]) -> str:
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


def _cell(row: dict[str, Any]) -> str:
    return f"{row['psnr_mean']:.1f} ({row['psnr_p10']:.1f}), {row['core_milliseconds']:.2f} ms"


def _images(results: Results) -> str:
    return "/".join(dict.fromkeys(f"{result['images']:,}" for result in results.values()))


def _legend(results: Results) -> str:
    return (
        f"Mean PSNR in dB (10th percentile) of {_images(results)} test images of each data set, and core-milliseconds "
        f"an image: {conditions(results, core_time=True)}"
    )


SECTIONS = {
    "throughput": throughput,
    "splats": splats,
    "iterations": iterations,
    "starts": starts,
    "colours": colours,
    "photographs": photographs,
}
