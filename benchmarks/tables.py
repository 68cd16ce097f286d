"""Write the tables of README.md, docs and the model card from benchmarks/results: python -m benchmarks.tables."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from benchmarks import (
    tables_encoding,
    tables_evaluations,
    tables_generation,
    tables_profile,
    tables_rendering,
    tables_representation,
)
from benchmarks.sections import RESULTS
from gaussiandiffusion.files import read_json, write_bytes

ROOT = Path(__file__).parent.parent
CARD = ROOT / "src" / "gaussiandiffusion" / "pretrained" / "mnist" / "README.md"


def model_table(record: dict[str, Any]) -> str:
    """Quality rows of a model beside its floors."""
    runs = record["rows"][0]["runs"][0]
    psnr = record["encoding_psnr_test_mean"]
    quality = "of pixels nothing is lost" if psnr is None else f"{psnr:.1f} dB on average"
    features, judge = runs["features"], runs["judge"]
    lines = [
        "| steps | guidance | evaluations | FID (min to max over seeds) | as asked | ms per image |",
        "| ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    for row in record["rows"]:
        lines.append(
            f"| {row['steps']} | {row['guidance']} | {row['evaluations']} "
            f"| {row['fid_mean']:.2f} ({row['fid_min']:.2f} to {row['fid_max']:.2f}) "
            f"| {100 * row['label_accuracy']:.2f} % | {1000 * row['seconds_per_image']:.1f} |"
        )
    seeds = ", ".join(map(str, record["rows"][0]["seeds"]))
    lines += [
        "",
        f"{record['num']:,} samples against as many real test images, seeds {seeds}; {record['scheduler']}; features: "
        f"`{features['name']}`, {features['layer']}, {features['dimension']} numbers. Floors: F (real train images) "
        f"{record['floor_train']:.3f}, R (test images encoded and rendered, {quality}) "
        f'{record["floor_rendered"]:.4f}. "As asked" is judged by a classifier that had no part in '
        f"training, choosing or FID (`{judge['name']}`, {100 * runs['label_accuracy_real']:.2f} % on the real test "
        f"images). An evaluation is one pass of the network; guidance counts double. {record['threads']} CPU threads.",
    ]
    return "\n".join(lines)


def training_sentence(record: dict[str, Any]) -> str:
    """What the training cost."""
    training = record["training"]
    work = f", {training['flops'] / 1e15:,.1f} PFLOPs" if "flops" in training else ""
    return (
        f"{record['parameters']:,} parameters; {training['steps']:,} steps, {training['samples_seen']:,} samples seen"
        f"{work} in {training['minutes']:.0f} minutes on {record['threads']} CPU cores shared with other work, seed "
        f"{training['seed']}."
    )


def fill(path: Path, name: str, text: str) -> None:
    """Replace what stands between `<!-- NAME -->` and `<!-- /NAME -->`.

    Raises:
        ValueError: the file has no such section.
    """
    content = path.read_text()
    pattern = re.compile(rf"(<!-- {name} -->\n).*?(<!-- /{name} -->)", re.DOTALL)
    if not pattern.search(content):
        raise ValueError(f"{path}: has no section <!-- {name} -->")
    write_bytes(path, pattern.sub(lambda m: f"{m[1]}{text}\n{m[2]}", content).encode())


def main() -> None:
    model = read_json(RESULTS / "mnist.json")
    for path in (ROOT / "README.md", CARD):
        fill(path, "quality", model_table(model))
    fill(CARD, "training", training_sentence(model))
    rendering, encoding = (read_json(RESULTS / f"{name}.json") for name in ("rendering", "encoding"))
    for module, record, page in (
        (tables_rendering, rendering, "rendering.md"),
        (tables_encoding, encoding, "encoding.md"),
    ):
        for name, make in module.SECTIONS.items():
            if name in record:
                fill(ROOT / "docs" / page, name, make(record[name]))
            else:
                print(f"docs/{page}: nothing measured for {name} yet")
    generation = read_json(RESULTS / "generation.json")
    for name, (needed, make) in tables_generation.SECTIONS.items():
        if needed in generation:
            fill(ROOT / "docs" / "results.md", name, make(generation))
    choices = RESULTS / "representation.json"
    if choices.exists():
        for name, make in tables_representation.SECTIONS.items():
            if name in (record := read_json(choices)):
                fill(ROOT / "docs" / "representation.md", name, make(record[name]))
    evaluations = RESULTS / "evaluations.json"
    if evaluations.exists():
        for name, make in (("curves", tables_evaluations.curves), ("samplers", tables_evaluations.screening)):
            fill(ROOT / "docs" / "results.md", name, make(read_json(evaluations)))
    training = RESULTS / "training.json"
    if training.exists():
        fill(ROOT / "docs" / "training.md", "speed", tables_representation.speed(read_json(training)))
    fill(ROOT / "README.md", "baselines", tables_generation.baselines(generation))
    fill(ROOT / "docs" / "results.md", "profile", tables_profile.table(read_json(RESULTS / "profile.json")))
    fill(ROOT / "docs" / "encoding.md", "published", tables_encoding.published(read_json(RESULTS / "published.json")))
    fill(ROOT / "README.md", "speed", tables_rendering.speed(rendering["ratio"], encoding))


if __name__ == "__main__":
    main()
