"""Tables of the bundled models' results, for README.md and their cards."""

from __future__ import annotations

from pathlib import Path

from benchmarks.shared.markdown import Record, table
from gaussiandiffusion.pipeline import bundled_models


def folders() -> list[Path]:
    """The bundled models' folders."""
    return sorted(bundled_models().values())


def quality(records: dict[str, Record]) -> str:
    """Rows of models beside their floors."""
    body = []
    for name, record in records.items():
        for row in record["rows"]:
            first = row["runs"][0]
            measures, near = first["precision_recall"], first["memorisation"]
            body.append(
                [
                    f"`{name}`", row["steps"], f"{row['guidance']:g}", row["passes"],
                    f"{row['fid_mean']:.3f} ({row['fid_min']:.3f} to {row['fid_max']:.3f})",
                    f"{measures['precision']:.3f}", f"{measures['recall']:.3f}",
                    f"{100 * row['label_accuracy']:.2f} %", f"{100 * near['share_near']:.2f} %",
                    f"{1000 * row['seconds_per_image']:.1f}",
                ]
            )  # fmt: skip
    head = [
        "model", "steps", "guidance", "passes", "FID (min to max over seeds)", "precision", "recall", "as asked",
        "near train", "ms an image",
    ]  # fmt: skip
    texts = [conditions(name, record) for name, record in records.items()]
    return "\n\n".join([table(head, body), *texts, LEGEND])


LEGEND = (
    '"As asked" is judged by a classifier that had no part in training, choosing or FID. Near train: share of samples '
    "nearer to a training image than all but 1 % of the real test images are. Passes: of the network for an image; "
    "guidance counts double. Times are in float32, drawing included."
)


def conditions(name: str, record: Record) -> str:
    """What one model's rows were measured on, and what real images get."""
    first = record["rows"][0]["runs"][0]
    psnr, real = record["encoding_psnr_test_mean"], first["precision_recall_train"]
    drawn = "of pixels nothing is lost" if psnr is None else f"{psnr:.1f} dB on average"
    features, judge = first["features"], first["judge"]
    words = [
        f"`{name}`: {record['num']:,} samples against as many real test images, sampling seeds",
        f"{', '.join(map(str, record['rows'][0]['seeds']))}, {record['threads']} CPU threads; features",
        f"`{features['name']}`, {features['layer']}, {features['dimension']} numbers; judge `{judge['name']}`, which",
        f"names {100 * first['label_accuracy_real']:.2f} % of the real test images rightly. Real train images",
        f"have FID {record['floor_train']:.3f}, precision {real['precision']:.3f} and recall {real['recall']:.3f};",
        f"test images encoded and drawn ({drawn}) FID {record['floor_rendered']:.4f}.",
    ]
    return " ".join(words)


def training_sentence(record: Record) -> str:
    """What the training cost."""
    training = record["training"]
    work = f", {training['flops'] / 1e12:,.0f} TFLOPs" if "flops" in training else ""
    return (
        f"{record['parameters']:,} parameters; {training['steps']:,} steps, {training['samples_seen']:,} samples seen"
        f"{work} in {training['minutes']:.0f} minutes, {training['threads']} CPU thread(s), seed "
        f"{training['seed']}."
    )
