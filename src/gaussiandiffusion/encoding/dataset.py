"""Whole data sets to splat files: shard by shard, resumable after a kill."""

from __future__ import annotations

import math
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch

from gaussiandiffusion.data import ImageSet
from gaussiandiffusion.encoding.encoder import Encoder
from gaussiandiffusion.errors import InputError
from gaussiandiffusion.files import write_json
from gaussiandiffusion.splats import SplatFile, Splats, storage

SHARD_IMAGES = 4096
SHARDS = "shard-*-of-*.safetensors"


def encode_dataset(
    images: ImageSet,
    encoder: Encoder,
    out: Path,
    *,
    target_psnr: float | None = None,
    resume: bool = False,
    progress: Callable[[int], None] | None = None,
) -> dict[str, Any]:
    """Encode images to `out`: one file if it ends in .safetensors, otherwise a folder of shards.

    Shards are written whole, one after another; for a single file they lie in `NAME.partial/` until it is complete.
    With `resume`, complete shards of the same images and settings are kept; the result equals that of an
    uninterrupted run byte for byte.

    Returns:
        The report, also written as JSON beside the sets.

    Raises:
        InputError: shards of other images or settings are in the way, or `out` cannot be written.
    """
    single = out.suffix == ".safetensors"
    folder = out.with_name(out.name + ".partial") if single else out
    count = math.ceil(len(images) / SHARD_IMAGES)
    paths = [folder / f"shard-{i:05d}-of-{count:05d}.safetensors" for i in range(count)]
    encoder_header = encoder.header() | {"target_psnr": target_psnr}
    source = {"name": images.name, "split": images.split, "sha256": images.sha256, "num": len(images)}
    if resume:
        _refuse_others(folder, paths)
    else:
        _clear(folder)
    started, fitted = time.perf_counter(), 0
    psnr = []
    for i, path in enumerate(paths):
        part = images[i * SHARD_IMAGES : (i + 1) * SHARD_IMAGES]
        done = _kept(path, encoder_header, source) if resume and path.exists() else None
        if done is None:
            encoded = encoder.encode(part.images, target_psnr=target_psnr, progress=progress)
            encoded.splats.save(
                path,
                labels=None if part.labels is None else torch.from_numpy(part.labels),
                psnr=encoded.psnr,
                signed=encoder.settings.signed,
                encoder=encoder_header,
                source=source,
            )
            psnr.append(encoded.psnr.numpy())
            fitted += len(part)
        else:
            psnr.append(_psnr_of(path, done))
            if progress is not None:
                progress(len(part))
    report = _report(np.concatenate(psnr), fitted, time.perf_counter() - started, target_psnr)
    report |= {"encoder": encoder_header, "source": source}
    if single:
        _merge(paths, out)
        shutil.rmtree(folder)
        write_json(out.with_suffix(".encode.json"), report)
    else:
        write_json(out / "encode.json", report)
    return report


def _kept(path: Path, encoder: dict[str, Any], source: dict[str, Any]) -> SplatFile | None:
    """A shard of an earlier run if it belongs to this one; None if it is damaged and must be written again."""
    try:
        file = storage.load(path)
    except InputError:
        return None
    if file.header.get("encoder") != encoder or file.header.get("source") != source:
        raise InputError(
            f"{path}: was made from other images or settings; give another --out, or leave --resume out to replace it"
        )
    return file


def _psnr_of(path: Path, file: SplatFile) -> np.ndarray:
    if file.psnr is None:
        raise InputError(f"{path}: holds no PSNR; leave --resume out to write it again")
    return file.psnr.numpy()


def _refuse_others(folder: Path, paths: list[Path]) -> None:
    """Shards of another number of images would lie beside these and be read with them."""
    if others := sorted(set(folder.glob(SHARDS)) - set(paths)):
        raise InputError(f"{others[0]}: was made from other images; give another --out, or leave --resume out")


def _clear(folder: Path) -> None:
    """Remove the shards of an earlier run, and nothing else."""
    for path in folder.glob(SHARDS):
        path.unlink()


def _merge(paths: list[Path], out: Path) -> None:
    files = [storage.load(path) for path in paths]
    labels = [file.labels for file in files if file.labels is not None]
    psnr = [file.psnr for file in files if file.psnr is not None]
    header = files[0].header
    Splats.cat([file.splats for file in files]).save(
        out,
        labels=torch.cat(labels) if labels else None,
        psnr=torch.cat(psnr),
        signed=header["signed"],
        encoder=header["encoder"],
        source=header["source"],
    )


def _report(psnr: np.ndarray, fitted: int, seconds: float, target_psnr: float | None) -> dict[str, Any]:
    quantiles = {f"p{q}": round(float(np.percentile(psnr, q)), 3) for q in (1, 10, 50, 90, 99)}
    report: dict[str, Any] = {
        "num": len(psnr),
        "psnr": {"mean": round(float(psnr.mean()), 3), "min": round(float(psnr.min()), 3), **quantiles},
        "fitted_now": fitted,
        "seconds": round(seconds, 3),
        "images_per_second": round(fitted / seconds, 1) if fitted else None,
        "threads": torch.get_num_threads(),
    }
    if target_psnr is not None:
        report["target_psnr"] = target_psnr
        report["below_target"] = int((psnr < target_psnr - 0.05).sum())
    return report
