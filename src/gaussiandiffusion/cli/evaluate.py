"""`gaussiandiffusion evaluate`: measure generated images against real ones."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gaussiandiffusion.cli.device import Device
from gaussiandiffusion.errors import InputError


@dataclass(frozen=True)
class Command:
    """Fréchet distance to real images beside its two floors, and label accuracy, as JSON.

    Example: gaussiandiffusion evaluate --generated out/ --real mnist:test --num 1000 --out out/evaluation.json
    """

    generated: str
    """Folder that `sample` wrote, splat file, or image source."""
    real: str
    """NAME[:train|:test] of a data set (test by default), or an image source."""
    out: Path
    """JSON file to write."""
    num: int | None = None
    """Images on each side; default: as many as were generated."""
    features: str = "mnist"
    """Feature network: mnist, inception, or a folder."""
    judge: str | None = None
    """Classifier for label accuracy; default: the feature network."""
    model: str | None = None
    """Model whose encoder makes the floor R; default: the one that generated, else the encoder's defaults."""
    data_dir: Path | None = None
    """Folder with local copies of the data set."""
    seed: int | None = None
    """Seed of the generated images, to be noted; default: as their folder says."""
    device: Device = "auto"
    """Metrics run on the CPU; other devices are refused."""

    def run(self) -> None:
        if self.device not in ("auto", "cpu"):
            raise InputError(f"metrics run on the CPU; use --device cpu instead of {self.device}")
        from gaussiandiffusion.evaluation import evaluate
        from gaussiandiffusion.evaluation.sources import load_generated, load_real

        generated = load_generated(self.generated)
        real, train = load_real(self.real, self.data_dir)
        model = self.model or generated.model
        report = evaluate(
            generated.images,
            real,
            features=self.features,
            judge=self.judge,
            num=len(generated.images) if self.num is None else self.num,
            floor_train=train,
            floor_rendered=_floor_encoder(model),
            seed=generated.seed if self.seed is None else self.seed,
        )
        report.save(self.out)
        floors = [f"{report.floor_rendered:.3f} re-rendered"]
        if report.floor_train is not None:
            floors.insert(0, f"{report.floor_train:.3f} real train images")
        accuracy = "" if report.label_accuracy is None else f", as asked {100 * report.label_accuracy:.2f} %"
        print(f"FID {report.fid:.3f} over {report.num} images (floors: {', '.join(floors)}){accuracy}: {self.out}")


def _floor_encoder(model: str | None) -> Any:
    """A function that encodes images as `model` does, and renders them."""
    from gaussiandiffusion.encoding import make_encoder
    from gaussiandiffusion.pipeline import GaussianDiffusionPipeline, to_uint8
    from gaussiandiffusion.rendering import render

    encoder = None
    if model is not None:
        encoder = GaussianDiffusionPipeline.from_pretrained(model).representation.encoder()

    def encode_and_render(images: Any) -> Any:
        chosen = encoder or make_encoder(images.shape[1])
        return to_uint8(render(chosen.encode(images).splats, backend="cpu")).numpy()

    return encode_and_render
