"""Tables of benchmarks/results/rendering.json, one function a section."""

from __future__ import annotations

from benchmarks.encoding.tables import throughput
from benchmarks.shared.markdown import Record, Results, conditions, table

KINDS = {"forward": "forward", "both": "forward and gradients"}


def ratio(results: Results) -> str:
    """Kernel against reference."""
    (result,) = results.values()
    rows = []
    for kind, name in KINDS.items():
        slow, fast, exact = (result[side] for side in ("reference", "kernel", "kernel_exact"))
        rows.append(
            [
                name, f"{1e6 * slow[kind]:,.0f} us", f"{1e6 * fast[kind]:.1f} us", f"{fast['ratio'][kind]:.0f}x",
                f"{1e6 * exact[kind]:.1f} us", f"{exact['ratio'][kind]:.0f}x",
            ]
        )  # fmt: skip
    count, height, width = result["images"], *result["size"]
    head = ["per image", "reference", f"kernel, cut at {result['cutoff']:g} sigma", "ratio", "kernel, no cut", "ratio"]
    return (
        f"{table(head, rows)}\n\nEncoded {result['source']} of {width}x{height} pixels, K = {result['num_splats']}: "
        f"the kernel draws {count['kernel']:,}, the reference, whose cost an image does not depend on their number, "
        f"{count['reference']:,}; medians of {result['repeats']} rounds, both sides in turn, compilation excluded. "
        f"Wall-clock, {conditions(results)}"
    )


def peak(results: Results) -> str:
    """Shares of the floating-point rate."""
    rows = []
    for result in results.values():
        drawn = f"{result['source']}, {'x'.join(map(str, result['size']))}, K = {result['num_splats']}"
        for kind, name in KINDS.items():
            row = result[kind]
            rows.append(
                [
                    drawn, name, f"{result['lanes_per_splat']:.0f}", f"{100 * result['useful_lanes']:.0f} %",
                    f"{row['nanoseconds_per_splat']:.0f} ns", f"{row['gflops']:.1f}", f"{100 * row['share']:.1f} %",
                ]
            )  # fmt: skip
    head = ["grey sets", "one thread", "lanes a splat", "useful", "a splat", "GFLOP/s", "of the peak"]
    peaks = ", ".join(f"{result['peak_gflops']:.0f}" for result in results.values())
    result = next(iter(results.values()))
    return (
        f"{table(head, rows, 2)}\n\nPeak, measured by a loop of multiply-adds in the same run: {peaks} GFLOP/s. "
        f"Operations a lane: {result['forward']['operations_per_lane']}, {result['both']['operations_per_lane']} "
        f"with gradients; {result['sets']:,} sets in turn. Useful lanes lie inside the ellipse at "
        f"{result['cutoff']:g} sigma. Processor time, {conditions(results, core_time=True)}"
    )


def scaling(results: Results) -> str:
    """Cost against summed footprint."""
    (result,) = results.values()
    rows = []
    for row in result["rows"]:
        costs = []
        for kind in KINDS:
            costs += [f"{row[f'{kind}_milliseconds']:.2f} ms", f"{row[f'{kind}_nanoseconds_per_pixel']:.1f} ns"]
        rows.append([f"{row['size']}x{row['size']}", f"{row['num_splats']:,}", f"{row['footprint'] / 1e6:.2f}", *costs])
    head = ["picture", "K", "footprint, million pixels", "forward", "a pixel", "forward and gradients", "a pixel"]
    usual = f"of at least {result['usual_pixels_per_splat']} pixels of the picture a splat"
    return (
        f"{table(head, rows)}\n\nRandom colour sets. A pixel of the footprint costs the most against the "
        f"least {result['forward_spread']:.1f}x forward and {result['both_spread']:.1f}x with gradients; in sets "
        f"{usual}, {result['forward_usual_spread']:.1f}x and {result['both_usual_spread']:.1f}x. "
        f"Processor time, {conditions(results, core_time=True)}"
    )


def any_size(results: Results) -> str:
    """One set at growing sizes."""
    (result,) = results.values()
    rows = [[f"{row['size']}x{row['size']}", f"{row['milliseconds']:.2f} ms"] for row in result["rows"]]
    return (
        f"{table(['drawn at', 'time'], rows)}\n\nOne set, K = {result['num_splats']}; wall-clock, {conditions(results)}"
    )


def speed(rendering: Results, encoding: Record) -> str:
    """The README's table: both renderers, and how fast whole data sets are encoded."""
    parts = [ratio(rendering)]
    if "throughput" in encoding:
        parts.append(throughput(encoding["throughput"]))
    return "\n\n".join(parts)


SECTIONS = {"ratio": ratio, "peak": peak, "scaling": scaling, "any-size": any_size}
