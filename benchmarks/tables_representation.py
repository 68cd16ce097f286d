"""Tables of benchmarks/results/representation.json and training.json."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from benchmarks.sampling import Sampling
from benchmarks.tables_encoding import conditions, table

Record = dict[str, Any]


def sets(record: Record) -> str:
    """What is learned by the same objective."""
    return _trainings(record["representation"])


def objectives(record: Record) -> str:
    """Other objectives for the same sets, beside the plain one."""
    plain = record["representation"]["template-48"] | {"title": "flow, rendered loss at low noise"}
    return _trainings({"template-48": plain} | record["objective"])


def samplers(record: Record) -> str:
    """One model under many samplers, flow and discrete."""
    body = []
    for name, row in record["samplers"].items():
        for found in row["found"]:
            model = "flow" if name == "template-48" else name
            body.append([model, _sampling(found), str(found["evaluations"]), *_quality(found)])
    head = ["model", "sampler", "evaluations", "FID", "as asked", "precision", "recall"]
    return table(head, body)


def _trainings(rows: Record) -> str:
    """Rows of short trainings, the best guided distance first."""
    head = [
        "what is learned", "PSNR", "K", "steps", "FID", "as asked", "precision", "recall", "guided FID", "as asked",
        "precision", "recall",
    ]  # fmt: skip
    body = []
    for row in sorted(rows.values(), key=lambda row: row["found"][1]["fid_train"]):
        cost = row["training"]
        numbers = [f"{cost['encoding_psnr_train_mean']:.1f} dB", str(cost["config"]["splats"]), f"{cost['steps']:,}"]
        body.append([row["title"], *numbers, *(cell for found in row["found"] for cell in _quality(found))])
    first = next(iter(rows.values()))["found"]
    words = [
        f"{first[0]['num']:,} samples against as many training images, one seed of training and one of sampling.",
        f"FID: {_sampling(first[0])}; guided FID: {_sampling(first[1])}; ten evaluations each, and dpm++ in place of",
        "few-step for what is no flow.",
    ]
    return f"{table(head, body)}\n\n{' '.join(words)}"


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


SECTIONS: dict[str, Callable[[Record], str]] = {  # given the whole record
    "representation": sets,
    "objective": objectives,
    "samplers": samplers,
}


def _quality(found: Record) -> list[str]:
    return [
        f"{found['fid_train']:.2f}", f"{100 * found['label_accuracy']:.1f} %", f"{found['precision']:.3f}",
        f"{found['recall']:.3f}",
    ]  # fmt: skip


def _sampling(found: Record) -> str:
    return Sampling(*(found[name] for name in ("scheduler", "steps", "guidance", "low", "high"))).words
