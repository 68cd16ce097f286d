"""Tables of benchmarks/results/passes.json: quality against passes of the network."""

from __future__ import annotations

from benchmarks.shared.markdown import Record, conditions, table
from benchmarks.shared.sampling import Sampling


def curves(record: Record) -> str:
    """Every model at every number of passes, with its best sampler."""
    speed = record.get("speed", {})
    body = []
    for key, row in record["rows"].items():
        report, fid = row["reports"][0], row["fid"]
        quality = report["precision_recall"]
        body.append(
            [
                row["title"], Sampling.of(row["sampling"]).words, row["passes"],
                f"{fid['mean']:.3f} ({fid['min']:.3f} to {fid['max']:.3f})", f"{quality['precision']:.3f}",
                f"{quality['recall']:.3f}", f"{100 * report['label_accuracy']:.2f} %",
                f"{100 * report['memorisation']['share_near']:.2f} %",
                f"{speed[key]['milliseconds_per_image']:.2f}" if key in speed else "-",
            ]
        )  # fmt: skip
    head = [
        "model",
        "sampler",
        "passes",
        "FID (min to max)",
        "precision",
        "recall",
        "as asked",
        "near train",
        "ms an image",
    ]
    first = next(iter(record["rows"].values()))
    real = first["reports"][0]
    train = real["precision_recall_train"]
    text = [
        f"MNIST, {first['num']:,} samples against as many real test images, sampling seeds",
        f"{', '.join(map(str, first['seeds']))}. Real train images have FID {real['floor_train']:.3f}, precision",
        f"{train['precision']:.3f} and recall {train['recall']:.3f}. Other words as in the table of baselines.",
        f"Quality: {conditions(record['rows'])}",
    ]
    if speed:
        batch = next(iter(speed.values()))["batch"]
        text.append(f"Times: {conditions(speed)} Medians, batches of {batch}, drawing included, all rows in turn.")
    return f"{table(head, body, texts=2)}\n\n{' '.join(text)}"


def screening(record: Record) -> str:
    """Every sampler that was tried, on few samples."""
    body = []
    for key, result in record["screen"].items():
        for candidate in result["candidates"]:
            body.append([*key.rsplit("-", 1), Sampling.of(candidate).words, f"{candidate['fid_train']:.2f}"])
    number = next(iter(record["screen"].values()))["num"]
    head = ["model", "passes", "sampler", "FID to train images"]
    return f"{table(head, body)}\n\n{number:,} samples against as many training images, one seed."


def compute(generation: Record, passes: Record) -> str:
    """Quality against training: the rows of half an hour and the longer trainings, by floating-point operations."""
    rows = list(generation["rows"].values())
    for model in ("splats", "unet"):
        longer = [row for row in passes["rows"].values() if row["model"] == model]
        rows.append(min(longer, key=lambda row: row["fid"]["mean"]))
    body = []
    for row in sorted(rows, key=lambda row: row["training"]["flops"]):
        cost, fid = row["training"], row["fid"]
        shape = " x ".join(map(str, cost["representation"]["latent_shape"]))
        body.append(
            [
                row["title"], shape, f"{cost['parameters'] / 1e6:.2f}M", f"{cost['steps']:,}",
                f"{cost['flops'] / 1e12:.0f}", row["passes"], f"{fid['mean']:.3f}",
            ]
        )  # fmt: skip
    head = ["model", "latent", "parameters", "steps", "TFLOP of training", "passes", "FID"]
    return table(head, body, texts=2)
