"""`gaussiandiffusion evaluate`: measure generated images against real ones."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from tqdm import tqdm

from gaussiandiffusion.cli.checks import check_file, check_images, check_installed, check_model, check_numbers
from gaussiandiffusion.cli.device import Device
from gaussiandiffusion.cli.framing import FramingFlags
from gaussiandiffusion.cli.reading import ReadingFlags
from gaussiandiffusion.data.framing import Framing
from gaussiandiffusion.data.reading import SetFlags
from gaussiandiffusion.ground.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np

    from gaussiandiffusion.evaluation import EvaluationReport


@dataclass(frozen=True)
class Command:
    """FID, KID, inception score, precision and recall, label accuracy and a memorisation check, as JSON.

    Beside each stands what real images get: of the train split (F), or encoded and rendered (R).

    Example: gaussiandiffusion evaluate --generated out/ --real mnist:test --num 1000 --out out/evaluation.json
    """

    generated: str
    """Folder that `sample` wrote, file or folder of sets, or image source."""
    real: str
    """NAME[:train|:test] of a data set, or an image source, so too if it has splits (test by default)."""
    out: Path
    """JSON file to write; the picture FILE.neighbours.png beside it shows the nearest training images."""
    num: int | None = None
    """Images on each side; default: as many as were generated."""
    features: str | None = None
    """Feature network: a bundled one, inception, a folder, or self: learned from the real images, in a minute or two;
    default: the one named like these."""
    judge: str | None = None
    """Classifier for label accuracy; default: the feature network."""
    model: str | None = None
    """Model whose encoder makes the floor R; default: the encoder's own defaults."""
    data_dir: Path | None = None
    """Folder with local copies of the data set."""
    seed: int | None = None
    """Seed of the generated images, to be noted; default: as their folder says."""
    framing: FramingFlags = field(default_factory=Framing)
    reading: ReadingFlags = field(default_factory=SetFlags)
    device: Device = "auto"
    """Metrics run on the CPU; other devices are refused."""

    def run(self) -> None:
        if self.device not in ("auto", "cpu"):
            raise InputError(f"metrics run on the CPU; use --device cpu instead of {self.device}")
        self._check()
        from gaussiandiffusion.evaluation import evaluate, features_for, neighbours_picture
        from gaussiandiffusion.evaluation.sources import load_generated, load_real
        from gaussiandiffusion.rendering.media import save_png

        generated = load_generated(self.generated, self.framing, self.reading.reading())
        for note in generated.notes:
            print(f"{self.generated}: {note}", file=sys.stderr)
        real, train = load_real(self.real, self.data_dir, self.framing)
        written = [self.out]

        def begin(part: str) -> None:
            bar.set_description_str(f"evaluate: {part} ", refresh=False)  # a refresh would not wait for the delay
            bar.update()

        with tqdm(desc="evaluate", bar_format="{desc}[{elapsed}]", leave=False, delay=1) as bar:
            report = evaluate(
                generated.images,
                real,
                features=features_for(real.name) if self.features is None else self.features,
                judge=self.judge,
                num=len(generated.images) if self.num is None else self.num,
                floor_train=train,
                floor_rendered=_floor_encoder(self.model),
                seed=generated.seed if self.seed is None else self.seed,
                progress=begin,
            )
        if train is not None and report.memorisation is not None:
            picture = neighbours_picture(report.memorisation, generated.images.images, train.images)
            written.append(self.out.with_suffix(".neighbours.png"))
            save_png(picture, written[-1])
        report.save(self.out)
        by = "re-rendered"
        if self.model is None and generated.model is not None:  # a name in a file is never loaded unasked
            by = f"re-rendered by the default encoder; --model {generated.model} takes the model's"
        print(f"{_summary(report, by)}: {', '.join(map(str, written))}")

    def _check(self) -> None:
        """Refuse what can be told to be wrong before anything is read."""
        from gaussiandiffusion.data.sources import named_split
        from gaussiandiffusion.ground.bundled_features import SELF, feature_folder

        check_numbers(num=self.num)
        check_numbers(0, seed=self.seed)
        check_file(self.out)
        check_installed("evaluate", "evaluate", "torchmetrics")
        for source in (self.generated, named_split(self.real)[0]):
            if not Path(source).exists():
                check_images(source)
        for network in (None if self.features == SELF else self.features, self.judge):
            if network is not None:
                feature_folder(network)
        if self.model is not None:
            check_model(self.model)


def _summary(report: EvaluationReport, rendered: str) -> str:
    """The numbers in one line; `rendered` says how the second floor was made."""
    floors = [f"FID {report.floor_rendered:.3f} {rendered}"]
    if report.floor_train is not None:
        floors.insert(0, f"FID {report.floor_train:.3f} real train images")
    parts = [
        f"FID {report.fid:.3f}",
        f"KID {report.kid.mean:.4f}",
        f"precision {report.precision_recall.precision:.3f}",
        f"recall {report.precision_recall.recall:.3f} over {report.num} images (floors: {', '.join(floors)})",
    ]
    if report.label_accuracy is not None:
        several = report.attribute_accuracy or {}
        each = ", ".join(f"{name} {100 * share:.2f} %" for name, share in several.items())
        parts.append(f"as asked {100 * report.label_accuracy:.2f} %" + (f" ({each})" if len(several) > 1 else ""))
    if report.paired is not None:
        parts.append(
            f"PSNR to the true picture {report.paired.psnr_mean:.2f} dB (a tenth below {report.paired.psnr_p10:.2f}) "
            f"of {report.paired.partners} that have one"
        )
    if report.memorisation is not None:
        near, expected = report.memorisation.share_near, report.memorisation.share_near_expected
        parts.append(f"near a training image {100 * near:.2f} % (real images {100 * expected:.0f} %)")
    if report.features.training is not None:
        parts.append(f"features {report.features.name}")
    return ", ".join(parts)


def _floor_encoder(model: str | None) -> Callable[[np.ndarray], np.ndarray]:
    """What is left of images that are encoded, as `model` or else the default encoder does, and drawn."""
    from gaussiandiffusion.encoding import make_encoder
    from gaussiandiffusion.ground.images import to_uint8
    from gaussiandiffusion.pipeline import GaussianDiffusion
    from gaussiandiffusion.rendering import render

    if model is not None:
        return GaussianDiffusion.from_pretrained(model).representation.reconstruct

    def encode_and_render(images: np.ndarray) -> np.ndarray:
        return to_uint8(render(make_encoder(images.shape[1]).encode(images).splats, backend="cpu")).numpy()

    return encode_and_render
