"""Tables of benchmarks/results/representation.json."""

from __future__ import annotations

from collections.abc import Callable

from benchmarks.shared.markdown import Record, table
from benchmarks.shared.sampling import Sampling
from benchmarks.shared.training_records import settings


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
            body.append([model, Sampling.of(found).words, str(found["passes"]), *_quality(found)])
    head = ["model", "sampler", "passes", "FID", "as asked", "precision", "recall"]
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
        numbers = [f"{cost['encoding_psnr_train_mean']:.1f} dB", str(settings(cost)["splats"]), f"{cost['steps']:,}"]
        body.append([row["title"], *numbers, *(cell for found in row["found"] for cell in _quality(found))])
    first = next(iter(rows.values()))["found"]
    plain, guided = (Sampling.of(found).words for found in first[:2])
    words = [
        f"{first[0]['num']:,} samples against as many training images, one seed of training and one of sampling.",
        f"FID: {plain}; guided FID: {guided}; ten passes each, and dpm++ in place of",
        "few-step for what is no flow.",
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
