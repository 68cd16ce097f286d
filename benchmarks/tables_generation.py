"""Markdown of benchmarks/results/generation.json for docs/results.md."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Record = dict[str, Any]


def rows(record: Record) -> str:
    """Quality of every model at its best sampler of at most ten evaluations, with floors."""
    lines = [
        "| model | K x F | parameters | sampler | NFE | FID (min to max) | KID x 1000 | precision | recall | as asked "
        "| near train | F | R | ms/image |",
        "| --- | --- | ---: | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    for section in ("rows", "own"):
        for name, row in record.get(section, {}).items():
            speed = record.get("speed", {}).get(name, {}) if section == "rows" else {}
            lines.append(_row(row, speed))
    first = next(iter(record["rows"].values()))
    features = first["reports"][0]["features"]
    real = first["reports"][0]
    recall, precision = real["precision_recall_train"]["recall"], real["precision_recall_train"]["precision"]
    lines += [
        "",
        f"MNIST, {first['num']:,} samples against as many real test images unless a row says otherwise, sampling seeds "
        f"{_list(first['seeds'])}; FID: mean over the seeds, other columns: the first seed. NFE: passes of the network "
        f"for an image, guidance counts double. Features and judge: `{features['name']}`, {features['layer']}, "
        f"{features['dimension']} numbers (the judge classifies {100 * real['label_accuracy_real']:.2f} % of the real "
        f"test images as labelled). F: real train images; R: test images encoded and drawn. Real train images have "
        f"precision {precision:.3f} and recall {recall:.3f}. Near train: share of samples nearer to a training image "
        f"than all but 1 % of the real test images are. {_machine(first)}, networks in bfloat16; ms: batches of "
        f"{_batch(record)}, drawing included, all rows in turn in one run.",
    ]
    return "\n".join(lines)


def training(record: Record) -> str:
    """What each row's training cost, and its command."""
    lines = [
        "| model | steps | samples seen | FLOPs | budget | wall-clock | command |",
        "| --- | ---: | ---: | ---: | --- | ---: | --- |",
    ]
    for name, row in record["rows"].items():
        cost = row["training"]
        lines.append(
            f"| {row['title']} | {cost['steps']:,} | {cost['samples_seen']:,} | {cost['flops']:.3g} | {_budget(cost)} "
            f"| {cost['seconds'] / 60:.0f} min | `{_command(name, cost)}` |"
        )
    lines += [
        "",
        "Budget: minutes of training on two otherwise idle cores, turned into steps by timing some before the "
        "training (`--budget`). The trainings then shared the machine with other work, one thread each, so that the "
        "wall-clock of a row says little; steps, samples and FLOPs (forward and backward, 2 per multiply-add) are what "
        "compares.",
    ]
    return "\n".join(lines)


def screening(record: Record) -> str:
    """The samplers that were compared on training images."""
    found = record["screen"]
    lines = ["| model | sampler | guidance | NFE | FID to train images |", "| --- | --- | ---: | ---: | ---: |"]
    for name, result in found.items():
        for candidate in result["candidates"]:
            evaluations = candidate["steps"] * (1 if candidate["guidance"] == 1 else 2)
            lines.append(
                f"| {record['rows'][name]['title']} | {candidate['scheduler']} {candidate['steps']} "
                f"| {candidate['guidance']:g} | {evaluations} | {candidate['fid_train']:.2f} |"
            )
    number = next(iter(found.values()))["num"]
    return "\n".join([*lines, "", f"{number:,} samples against as many training images, one seed."])


def stability(record: Record) -> str:
    """FID at equal training FLOPs."""
    found = record["stability"]
    count = len(next(iter(found.values()))["checkpoints"])
    lines = ["| model |" + " checkpoint: steps, FLOPs, FID |" * count, "| --- |" + " ---: |" * count]
    for name, result in found.items():
        cells = [f"{c['steps']:,}, {c['flops']:.2g}, {c['fid']:.2f}" for c in result["checkpoints"]]
        lines.append(f"| {record['rows'][name]['title']} | " + " | ".join(cells) + " |")
    first = next(iter(found.values()))
    sampling = first["sampling"]
    lines += [
        "",
        f"{first['num']:,} samples against as many random test images, {sampling['scheduler']} {sampling['steps']} steps, "
        "no guidance, one seed. The learning rate falls along one cosine over the whole training, so that early "
        "checkpoints are not what a shorter training would have given.",
    ]
    return "\n".join(lines)


SECTIONS: dict[str, tuple[str, Callable[[Record], str]]] = {
    "rows": ("rows", rows),
    "training": ("rows", training),
    "screening": ("screen", screening),
    "stability": ("stability", stability),
}


def _row(row: Record, speed: Record) -> str:
    report, sampling, cost = row["reports"][0], row["sampling"], row["training"]
    guidance = "" if sampling["guidance"] == 1 else f", guidance {sampling['guidance']:g}"
    one = len(row["seeds"]) == 1
    spread = f" ({row['num']:,} samples, one seed)" if one else f" ({row['fid']['min']:.2f} to {row['fid']['max']:.2f})"
    shape = " x ".join(map(str, cost["representation"]["latent_shape"]))
    near = report["memorisation"]["share_near"]
    milliseconds = f"{speed['milliseconds_per_image']:.1f}" if speed else "-"
    return (
        f"| {row['title']} | {shape} | {cost['parameters'] / 1e6:.2f}M | {sampling['scheduler']} {sampling['steps']}"
        f"{guidance} | {row['evaluations']} | {row['fid']['mean']:.2f}{spread} | {1000 * report['kid']['mean']:.2f} "
        f"| {report['precision_recall']['precision']:.3f} | {report['precision_recall']['recall']:.3f} "
        f"| {100 * report['label_accuracy']:.2f} % | {100 * near:.2f} % | {report['floor_train']:.3f} "
        f"| {report['floor_rendered']:.4f} | {milliseconds} |"
    )


def _budget(cost: Record) -> str:
    seconds = cost["budget_seconds_per_step"]
    if seconds is None:
        return "-"
    return f"{cost['config']['budget']} ({cost['steps'] * seconds / 60:.1f} min at {1000 * seconds:.0f} ms a step)"


def _command(name: str, cost: Record) -> str:
    config = cost["config"]
    preset = "mnist" if name == "splats" else f"mnist-{name}"
    length = f"--budget {config['budget']}" if config["budget"] else f"--max-steps {cost['steps']}"
    return f"gaussiandiffusion train {preset} {length}" + (" --compile" if config["compile"] else "")


def _machine(row: Record) -> str:
    machine = row["run"]["machine"]
    return f"{row['run']['threads']} threads on {machine['cpus']} cores ({machine['processor']})"


def _batch(record: Record) -> str:
    speeds = record.get("speed", {})
    return str(next(iter(speeds.values()))["batch"]) if speeds else "-"


def _list(numbers: list[int]) -> str:
    return ", ".join(map(str, numbers))
