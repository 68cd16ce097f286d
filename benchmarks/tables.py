"""Write the tables of README.md, docs and the model cards from benchmarks/results: python -m benchmarks.tables."""

from __future__ import annotations

import re
from pathlib import Path

from benchmarks.bundled import tables as bundled
from benchmarks.colour import tables as colour
from benchmarks.compression import tables as compression
from benchmarks.editing import operation_tables
from benchmarks.editing import tables as editing
from benchmarks.encoding import tables as encoding
from benchmarks.generation import tables as generation
from benchmarks.machine import tables as machine
from benchmarks.passes import tables as passes
from benchmarks.pictures.sizes import sizes_table
from benchmarks.profile import tables as profile
from benchmarks.published import tables as published
from benchmarks.rendering import tables as rendering
from benchmarks.representation import tables as representation
from benchmarks.shared.markdown import Record
from benchmarks.shared.sections import RESULTS, ROOT, read_result
from benchmarks.training import tables as training
from gaussiandiffusion.ground.files import write_bytes

README, DOCS = ROOT / "README.md", ROOT / "docs"


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


def result(name: str) -> Record:
    """What a benchmark wrote; nothing where it has not run."""
    path = RESULTS / f"{name}.json"
    return read_result(path) if path.exists() else {}


def models() -> None:
    """The bundled models: all in the README, each in its card."""
    records = {path.name: result(path.name) for path in bundled.folders()}
    fill(README, "quality", bundled.quality(records))
    for path in bundled.folders():
        fill(path / "README.md", "quality", bundled.quality({path.name: records[path.name]}))
        fill(path / "README.md", "training", bundled.training_sentence(records[path.name]))


def speed() -> None:
    """Renderer and encoder."""
    drawn, encoded = result("rendering"), result("encoding")
    for subject, record, page in ((rendering, drawn, "rendering.md"), (encoding, encoded, "encoding.md")):
        for name, make in subject.SECTIONS.items():
            if name in record:
                fill(DOCS / page, name, make(record[name]))
            else:
                print(f"docs/{page}: nothing measured for {name} yet")
    fill(README, "speed", rendering.speed(drawn["ratio"], encoded))
    fill(DOCS / "encoding.md", "published", published.races(result("published")))
    if compressed := result("compression"):
        fill(DOCS / "encoding.md", "compression", compression.compression(compressed))


def quality() -> None:
    """Generated digits."""
    digits, curves = result("generation"), result("passes")
    for name, (needed, make) in generation.SECTIONS.items():
        if needed in digits:
            fill(DOCS / "results.md", name, make(digits))
    fill(README, "baselines", generation.baselines(digits))
    if curves:
        fill(DOCS / "results.md", "curves", passes.curves(curves))
        fill(DOCS / "results.md", "samplers", passes.screening(curves))
        fill(DOCS / "results.md", "compute", passes.compute(digits, curves))
    choices = result("representation")
    for name, make in representation.SECTIONS.items():
        if name in choices:
            fill(DOCS / "representation.md", name, make(choices))


def colours() -> None:
    """Generated photographs and characters, ours beside pixels."""
    for data in ("cifar10", "sprites"):
        record = result(f"{data}-baselines")
        for name, (needed, make) in colour.SECTIONS.items():
            if needed in record:
                fill(DOCS / "results.md", f"{data}-{name}", make(record))


def costs() -> None:
    """Training and sampling."""
    if rates := result("training"):
        fill(DOCS / "training.md", "speed", training.speed(rates))
    fill(DOCS / "results.md", "profile", profile.costs(result("profile")))


def edits() -> None:
    """Edits of sets, by hand and by a model."""
    if edited := result("editing-operations"):
        fill(DOCS / "editing.md", "times", operation_tables.times(edited))
    by_model = result("editing")
    for name, make in editing.SECTIONS.items():
        if name in by_model:
            fill(DOCS / "model-edits.md", f"edit-{name}", make(by_model[name]))


def animations() -> None:
    """How large animations are."""
    if measured := result("animations"):
        fill(DOCS / "animation.md", "sizes", sizes_table(measured))


def machines() -> None:
    """What machines give beside what they could."""
    records = [read_result(path) for path in sorted(RESULTS.glob("machine-*.json"))]
    if records:
        fill(DOCS / "performance.md", "machines", machine.figures(records))


def main() -> None:
    models()
    speed()
    quality()
    colours()
    costs()
    edits()
    animations()
    machines()


if __name__ == "__main__":
    main()
