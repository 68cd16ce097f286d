"""Tables of benchmarks/results/cifar10-baselines.json and sprites-baselines.json, for docs/results.md."""

from __future__ import annotations

from collections.abc import Callable

from benchmarks.colour.rows import ROWS, preset
from benchmarks.shared.markdown import Record, conditions, table
from benchmarks.shared.sampling import Sampling
from benchmarks.shared.training_records import settings
from gaussiandiffusion.training.presets import load_config, to_config, to_flat

HEAD = [
    "model", "latent", "parameters", "samples seen", "TFLOP", "sampler", "passes", "FID (min to max)", "precision",
    "recall", "as asked", "R", "ms an image",
]  # fmt: skip


def rows(record: Record) -> str:
    """Every model at its best sampler, with what its training saw."""
    found = {name: record["rows"][name] for name in ROWS if name in record["rows"]}
    first = next(iter(found.values()))
    real = first["reports"][0]
    told = real.get("paired") is not None
    body = [_row(row, record.get("speed", {}).get(name), told) for name, row in found.items()]
    train = real["precision_recall_train"]
    words = [
        f"{first['num']:,} samples against as many real test images, sampling seeds",
        f"{', '.join(map(str, first['seeds']))}; FID: mean over the seeds, the other columns the first seed. Features",
        f"and judge: `{real['features']['name']}`, {real['features']['dimension']} numbers, which names",
        f"{100 * real['label_accuracy_real']:.2f} % of the real test images rightly. As many real train images have",
        f"FID {real['floor_train']:.3f}, precision {train['precision']:.3f} and recall {train['recall']:.3f}. R: FID",
        "of test images encoded and drawn. Passes: of the network for an image; guidance counts double. TFLOP: of the",
        f"training, forward and backward. Quality: {conditions(record['rows'])}",
    ]
    if "speed" in record:
        batch = next(iter(record["speed"].values()))["batch"]
        words.append(f"Times: {conditions(record['speed'])} Medians, batches of {batch}, drawing included, in turn.")
    return f"{table([*HEAD, *(['PSNR to the true picture'] if told else [])], body)}\n\n{' '.join(words)}"


def training(record: Record) -> str:
    """The command and the clock of each row's training."""
    body = []
    for name in ROWS:
        if name in record["rows"]:
            cost = record["rows"][name]["training"]
            clock = f"{cost['seconds'] / 60:.0f} min"
            command = f"`{_command(record, name)}`"
            body.append([ROWS[name], f"{cost['steps']:,}", clock, cost["machine"]["threads"], command])
    return table(["model", "steps", "wall-clock", "threads", "command"], body)


def curve(record: Record) -> str:
    """What the plot of distance over samples seen shows."""
    row = next(iter(record["curve"].values()))
    words = [
        f"{row['num']:,} samples against as many random test images, {Sampling.of(row['sampling']).words}, one seed,",
        "averaged weights. The learning rate falls along one cosine over the whole training.",
    ]
    if "splats" in record["rows"]:
        floor = record["rows"]["splats"]["reports"][0]["floor_rendered"]
        words.append(f"Test images encoded and drawn stand at R = {floor:.3f}: sets of as many splats get no nearer.")
    return " ".join(words)


# Settings of what is learned, which a preset may have had otherwise when a row was trained.
LEARNED = ("splats", "network", "logit_mean", "render_weight", "render_below", "render_goal", "batch_size",
           "learning_rate")  # fmt: skip

SECTIONS: dict[str, tuple[str, Callable[[Record], str]]] = {
    "rows": ("rows", rows),
    "training": ("rows", training),
    "curve": ("curve", curve),
}  # section of the page, after the data set's name: (section of the results it needs, the text)


def _row(row: Record, speed: Record | None, told: bool) -> list[object]:
    report, cost, quality = row["reports"][0], row["training"], row["reports"][0]["precision_recall"]
    cells: list[object] = [
        row["title"], " x ".join(map(str, cost["representation"]["latent_shape"])), f"{cost['parameters'] / 1e6:.2f}M",
        f"{cost['samples_seen']:,}", f"{cost['flops'] / 1e12:.0f}", Sampling.of(row["sampling"]).words, row["passes"],
        f"{row['fid']['mean']:.3f} ({row['fid']['min']:.3f} to {row['fid']['max']:.3f})", f"{quality['precision']:.3f}",
        f"{quality['recall']:.3f}", f"{100 * report['label_accuracy']:.2f} %", f"{report['floor_rendered']:.3f}",
        f"{speed['milliseconds_per_image']:.1f}" if speed else "-",
    ]  # fmt: skip
    return [*cells, f"{report['paired']['psnr_mean']:.2f} dB"] if told else cells


def _command(record: Record, name: str) -> str:
    """What trained a row, with what it was told beside its preset as that is now."""
    cost = record["rows"][name]["training"]
    config = to_flat(to_config(settings(cost), name))  # a setting that came later had its default's effect
    used = preset(config["data"], name)
    usual = to_flat(load_config(used))
    told = {key: config[key] for key in LEARNED if config[key] != usual[key]}
    if "splats" in told:
        told["start"] = "template:FILE"  # the preset's own is of as many as that has
    words = [f"--{key.replace('_', '-')} {value}" for key, value in told.items()]
    words.append(f"--budget {config['budget']}" if config["budget"] else f"--max-steps {cost['steps']}")
    return f"gaussiandiffusion train {used} {' '.join(words)}"
