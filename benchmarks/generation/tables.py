"""Tables of benchmarks/results/generation.json, one function a section of docs/results.md."""

from __future__ import annotations

from collections.abc import Callable

from benchmarks.generation.rows import ROWS
from benchmarks.shared.markdown import Record, conditions, table
from benchmarks.shared.training_records import settings
from gaussiandiffusion.training.presets import load_config, to_flat


def rows(record: Record) -> str:
    """Quality of every model at its best sampler of at most ten passes, with floors."""
    found = [(name, row, record.get("speed", {}).get(name)) for name, row in _ordered(record["rows"])]
    found += [(name, row, None) for extra in ("own", "shorter") for name, row in _ordered(record.get(extra, {}))]
    head = [
        "model", "latent", "parameters", "sampler", "passes", "FID (min to max)", "KID x 1000", "precision", "recall",
        "as asked", "near train", "F", "R", "ms an image",
    ]  # fmt: skip
    first = next(iter(record["rows"].values()))
    real = first["reports"][0]
    features, train = real["features"], real["precision_recall_train"]
    batches = "".join(f" of {speed['batch']}" for speed in list(record.get("speed", {}).values())[:1])
    words = [
        f"MNIST, {first['num']:,} samples against as many real test images unless a row says otherwise, sampling seeds",
        f"{', '.join(map(str, first['seeds']))}. FID: mean over the seeds; the other columns: the first seed.",
        f"Passes: of the network for an image, guidance counts double. Features and judge: `{features['name']}`,",
        f"{features['layer']}, {features['dimension']} numbers; it names {100 * real['label_accuracy_real']:.2f} %",
        "of the real test images as they are labelled. F: FID of as many real train images; R: of test images encoded",
        f"and drawn. Real train images have precision {train['precision']:.3f} and recall {train['recall']:.3f}. Near",
        "train: share of samples nearer to a training image than all but 1 % of the real test images are. Networks in",
        f"bfloat16. {_conditions(record)} ms: medians, batches{batches}, drawing included, all rows in turn, one run.",
    ]
    return f"{table(head, [_row(row, speed) for _, row, speed in found])}\n\n{' '.join(words)}"


def baselines(record: Record) -> str:
    """The rows in short, for the README."""
    head = ["half an hour of training on two cores", "parameters", "passes", "FID (min to max)", "precision", "recall"]
    head += ["as asked", "ms an image"]
    body = []
    for name, row in _ordered(record["rows"]):
        report, speed = row["reports"][0], record.get("speed", {}).get(name)
        quality = report["precision_recall"]
        body.append(
            [
                row["title"], f"{row['training']['parameters'] / 1e6:.2f}M", row["passes"],
                f"{row['fid']['mean']:.2f} ({row['fid']['min']:.2f} to {row['fid']['max']:.2f})",
                f"{quality['precision']:.3f}", f"{quality['recall']:.3f}", f"{100 * report['label_accuracy']:.2f} %",
                f"{speed['milliseconds_per_image']:.1f}" if speed else "-",
            ]
        )  # fmt: skip
    first = next(iter(record["rows"].values()))
    floor = first["reports"][0]["floor_train"]
    words = (
        f"{first['num']:,} samples, {len(first['seeds'])} sampling seeds; as many real train images: FID {floor:.3f}."
    )
    return f"{table(head, body)}\n\nMNIST, {words} {_conditions(record)}"


def training(record: Record) -> str:
    """What each row's training cost, and its command."""
    body = []
    for name, row in _ordered(record["rows"]):
        cost = row["training"]
        body.append(
            [
                row["title"], f"{cost['steps']:,}", f"{cost['samples_seen']:,}", f"{cost['flops'] / 1e12:.0f}",
                _budget(cost), f"{cost['seconds'] / 60:.0f} min",
                f"`{_command(name, cost)}`",
            ]
        )  # fmt: skip
    head = ["model", "steps", "samples seen", "TFLOP", "budget", "wall-clock", "command"]
    words = [
        "Budget: minutes of training on two otherwise idle cores, turned into steps by timing some before it begins.",
        "The trainings then ran with one thread each beside other work, so that wall-clock compares little; steps,",
        "samples and FLOPs (forward and backward, 2 per multiply-add) do.",
    ]
    return f"{table(head, body)}\n\n{' '.join(words)}"


def screening(record: Record) -> str:
    """The samplers that were compared on training images."""
    found = record["screen"]
    body = []
    for name, result in _ordered(found):
        for candidate in result["candidates"]:
            steps, guidance = candidate["steps"], candidate["guidance"]
            passes = steps * (1 if guidance == 1 else 2)
            words = [f"{candidate['scheduler']} {steps}", f"{guidance:g}", passes, f"{candidate['fid_train']:.2f}"]
            body.append([record["rows"][name]["title"], *words])
    number = next(iter(found.values()))["num"]
    head = ["model", "sampler", "guidance", "passes", "FID to train images"]
    return f"{table(head, body)}\n\n{number:,} samples against as many training images, one seed."


def stability(record: Record) -> str:
    """FID at equal training FLOPs."""
    found = record["stability"]
    first = next(iter(found.values()))
    body = [
        [result["title"]]
        + [f"{c['fid']:.2f} ({c['steps']:,} steps, {c['flops'] / 1e12:.0f} TFLOP)" for c in result["checkpoints"]]
        for result in found.values()
    ]
    head = ["model"] + [f"FID at checkpoint {i + 1}" for i in range(len(first["checkpoints"]))]
    sampling = first["sampling"]
    words = [
        f"{first['num']:,} samples against as many random test images, {sampling['scheduler']} {sampling['steps']}",
        "steps, no guidance, one seed. The learning rate falls along one cosine over the whole training: an early",
        "checkpoint is not what a shorter training would have given.",
    ]
    return f"{table(head, body)}\n\n{' '.join(words)}"


SECTIONS: dict[str, tuple[str, Callable[[Record], str]]] = {
    "rows": ("rows", rows),
    "training": ("rows", training),
    "screening": ("screen", screening),
    "stability": ("stability", stability),
}  # section of the page: (section of the results it needs, the text)


def _ordered(section: Record) -> list[tuple[str, Record]]:
    """The rows there are, in the benchmark's order, whatever the order in which they were measured."""
    return [(name, section[name]) for name in ROWS if name in section]


def _conditions(record: Record) -> str:
    """Threads and machine, of the times too."""
    quality, speed = conditions(record["rows"]), record.get("speed")
    return f"Quality: {quality} Times: {conditions(speed)}" if speed else quality


def _row(row: Record, speed: Record | None) -> list[str]:
    report, sampling, cost = row["reports"][0], row["sampling"], row["training"]
    guidance = "" if sampling["guidance"] == 1 else f", guidance {sampling['guidance']:g}"
    spread = f"{row['fid']['min']:.2f} to {row['fid']['max']:.2f}"
    if len(row["seeds"]) == 1:
        spread = f"{row['num']:,} samples, one seed"
    quality = report["precision_recall"]
    return [
        row["title"], " x ".join(map(str, cost["representation"]["latent_shape"])), f"{cost['parameters'] / 1e6:.2f}M",
        f"{sampling['scheduler']} {sampling['steps']}{guidance}", str(row["passes"]),
        f"{row['fid']['mean']:.2f} ({spread})", f"{1000 * report['kid']['mean']:.2f}", f"{quality['precision']:.3f}",
        f"{quality['recall']:.3f}", f"{100 * report['label_accuracy']:.2f} %",
        f"{100 * report['memorisation']['share_near']:.2f} %", f"{report['floor_train']:.3f}",
        f"{report['floor_rendered']:.4f}", f"{speed['milliseconds_per_image']:.1f}" if speed else "-",
    ]  # fmt: skip


def _budget(cost: Record) -> str:
    seconds = cost["budget_seconds_per_step"]
    if seconds is None:
        return "-"
    return f"{settings(cost)['budget']}, {1000 * seconds:.0f} ms a step"


def _command(name: str, cost: Record) -> str:
    """The training's command, with what it changed of the preset as it is now."""
    config = settings(cost)
    preset = "mnist" if name in ("splats", "splats-32", "tenth") else f"mnist-{name}"
    now = to_flat(load_config(preset))
    length = f"--budget {config['budget']}" if config["budget"] else f"--max-steps {cost['steps']}"
    words = [f"gaussiandiffusion train {preset} {length}"]
    words += [
        f"--{key.replace('_', '-')} {config[key]}"
        for key in ("network", "splats", "warmup_steps")
        if config[key] != now[key]
    ]
    if config["splats"] != now["splats"] and config["start"].endswith(".safetensors"):
        words.append("--start template:FILE")
    return " ".join([*words, *(["--compile"] if config["compile"] else [])])
