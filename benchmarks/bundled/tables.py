"""Tables of the bundled models' results, for README.md and their cards."""

from __future__ import annotations

from pathlib import Path

from benchmarks.shared.markdown import Record, table
from gaussiandiffusion.pipeline import bundled_models


def folders() -> list[Path]:
    """The bundled models' folders."""
    return sorted(bundled_models().values())


def quality(records: dict[str, Record]) -> str:
    """Rows of models beside their floors; models whose conditions say the whole picture get a table of their own."""
    drawn = {name: record for name, record in records.items() if not paired(record)}
    told = {name: record for name, record in records.items() if paired(record)}
    parts = []
    if drawn:
        parts.append(table(HEAD, rows(drawn)))
    if told:
        parts.append(table([*HEAD, "PSNR to the true picture", "a tenth below"], rows(told)))
    texts = [conditions(name, record) for name, record in records.items()]
    return "\n\n".join([*parts, *texts, LEGEND])


HEAD = [
    "model", "steps", "guidance", "passes", "FID (min to max over seeds)", "precision", "recall", "as asked",
    "near train", "ms an image",
]  # fmt: skip


def rows(records: dict[str, Record]) -> list[list[object]]:
    """One a setting of a model."""
    body: list[list[object]] = []
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
            if paired(record):
                truth = first["paired"]
                body[-1] += [f"{truth['psnr_mean']:.2f} dB", f"{truth['psnr_p10']:.2f} dB"]
    return body


def paired(record: Record) -> bool:
    """Whether its samples were held against true pictures."""
    return record["rows"][0]["runs"][0].get("paired") is not None


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
        f"{', '.join(map(str, record['rows'][0]['seeds']))}; {record['threads']} CPU threads; features",
        f"`{features['name']}`, {features['layer']}, {features['dimension']} numbers; judge `{judge['name']}`, which",
        f"names {100 * first['label_accuracy_real']:.2f} % of the real test images rightly. Real train images",
        f"have FID {record['floor_train']:.3f}, precision {real['precision']:.3f} and recall {real['recall']:.3f};",
        f"test images encoded and drawn ({drawn}) FID {record['floor_rendered']:.4f}.",
    ]
    if paired(record):
        words.append(attributes(first))
    return " ".join(words)


def attributes(run: Record) -> str:
    """How often each attribute is right, and of the real images."""
    real = run["attribute_accuracy_real"]
    each = [
        f"{name} {100 * share:.2f} % ({100 * real[name]:.2f} %)" for name, share in run["attribute_accuracy"].items()
    ]
    truth = run["paired"]
    return (
        f"Right by attribute, in brackets of the real pictures: {', '.join(each)}. Where a value counts as right that "
        f"would show nearly the same picture (40 dB), all are right in {100 * truth['as_asked']:.2f} %."
    )


def training_sentence(record: Record) -> str:
    """What the training cost."""
    training = record["training"]
    work = f", {training['flops'] / 1e12:,.0f} TFLOPs" if "flops" in training else ""
    return (
        f"{record['parameters']:,} parameters; {training['steps']:,} steps, {training['samples_seen']:,} samples seen"
        f"{work} in {training['minutes']:.0f} minutes, {training['threads']} CPU thread(s), seed "
        f"{training['seed']}."
    )
