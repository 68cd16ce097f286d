"""Write the tables of README.md, docs and the model card from benchmarks/results: python -m benchmarks.tables."""

from __future__ import annotations

import re
from pathlib import Path

from benchmarks import (
    tables_encoding,
    tables_evaluations,
    tables_generation,
    tables_models,
    tables_profile,
    tables_rendering,
    tables_representation,
)
from benchmarks.sections import RESULTS
from gaussiandiffusion.ground.files import read_json, write_bytes

ROOT = Path(__file__).parent.parent


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
    models = {path.name: read_json(RESULTS / f"{path.name}.json") for path in tables_models.folders()}
    fill(ROOT / "README.md", "quality", tables_models.quality(models))
    for path in tables_models.folders():
        fill(path / "README.md", "quality", tables_models.quality({path.name: models[path.name]}))
        fill(path / "README.md", "training", tables_models.training_sentence(models[path.name]))
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
                fill(ROOT / "docs" / "representation.md", name, make(record))
    evaluations = RESULTS / "evaluations.json"
    if evaluations.exists():
        for name, make in (("curves", tables_evaluations.curves), ("samplers", tables_evaluations.screening)):
            fill(ROOT / "docs" / "results.md", name, make(read_json(evaluations)))
        text = tables_evaluations.compute(generation, read_json(evaluations))
        fill(ROOT / "docs" / "results.md", "compute", text)
    training = RESULTS / "training.json"
    if training.exists():
        fill(ROOT / "docs" / "training.md", "speed", tables_representation.speed(read_json(training)))
    fill(ROOT / "README.md", "baselines", tables_generation.baselines(generation))
    fill(ROOT / "docs" / "results.md", "profile", tables_profile.table(read_json(RESULTS / "profile.json")))
    fill(ROOT / "docs" / "encoding.md", "published", tables_encoding.published(read_json(RESULTS / "published.json")))
    fill(ROOT / "README.md", "speed", tables_rendering.speed(rendering["ratio"], encoding))


if __name__ == "__main__":
    main()
