"""The encoder that sets came from, or one that makes others like them: saved with a model that is trained on them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from gaussiandiffusion.data.sets import SETS
from gaussiandiffusion.encoding import EncoderSettings, FitEncoder, make_encoder
from gaussiandiffusion.encoding.encoder import load_template
from gaussiandiffusion.encoding.parameters import to_parameters, to_splats
from gaussiandiffusion.encoding.settings import STARTS
from gaussiandiffusion.ground.errors import InputError
from gaussiandiffusion.ground.provenance import weights_sha256
from gaussiandiffusion.ground.records import to_record
from gaussiandiffusion.splats import SplatFile, Splats, storage
from gaussiandiffusion.splats.json_files import read_json_sets
from gaussiandiffusion.splats.shards import is_sharded, shard_files
from gaussiandiffusion.splats.storage import load_header
from gaussiandiffusion.training.budget import tell
from gaussiandiffusion.training.config import RepresentationConfig

CANONICAL = "template"
UNORDERED = (None, "random")  # starts without a common order; None: of another system, or samples of a model
DEFAULT = "hilbert"
LARGEST_TEMPLATE = 4 << 20  # bytes of a file that is looked into


def encoder_of(file: SplatFile, wanted: RepresentationConfig, source: str) -> FitEncoder:
    """That which the file names; where it names none of ours, the settings' own with as many splats.

    Args:
        wanted: settings, which the sets must be like.
        source: the sets' file, for errors.

    Raises:
        InputError: the sets are of another K, start or number of iterations, or from another template, than the
            settings say; or statistics a slot are asked for, of sets without slots.
    """
    count, settings = file.splats.num_splats, encoder_settings(file, source)
    if wanted.splats not in (None, count):
        raise InputError(f"{source}: its sets have {count} splats, not {wanted.splats}; give --splats {count}")
    start = None if settings is None else settings.start
    _check_order(start, wanted, source)
    signed = bool((file.splats.colors < 0).any()) if settings is None else settings.signed
    if wanted.signed and not signed:
        raise InputError(f"{source}: its sets were fitted without negative colours; leave signed out")
    if settings is None:
        return make_encoder(
            file.splats.canvas.channels,
            num_splats=count,
            start=wanted.start,
            iterations=wanted.iterations,
            signed=signed,
            pixels=file.splats.canvas.height * file.splats.canvas.width,
        )
    if wanted.iterations not in (None, settings.iterations):
        raise InputError(
            f"{source}: its sets were fitted in {settings.iterations} iterations, not {wanted.iterations}; "
            "leave iterations out"
        )
    return FitEncoder(settings, _template(file, wanted.start, source) if start == CANONICAL else None)


def start_of(path: Path) -> str:
    """The start that the sets of a file or folder were fitted from; of other systems' the default.

    Raises:
        InputError: a file of ours cannot be read.
    """
    if is_sharded(path):
        path = shard_files(path)[0]
    if path.suffix.lower() == ".json":
        header = read_json_sets(path).header
    elif path.suffix.lower() == SETS:
        header = load_header(path)
    else:
        return DEFAULT
    start = header.encoder.get("start")
    return start if start in STARTS else DEFAULT


def encoder_settings(file: SplatFile, source: str) -> EncoderSettings | None:
    """Those that a file of ours names; None of other files, of samples, and of sets that were changed since.

    Raises:
        InputError: they are damaged.
    """
    held = file.header.encoder
    if held.get("start") not in STARTS or held.get("num_splats") != file.splats.num_splats:
        return None
    settings: EncoderSettings = to_record(held, EncoderSettings, f"{source}: the header")
    negative = bool((file.splats.colors < 0).any())
    return replace(settings, signed=settings.signed or negative)


def _check_order(start: str | None, wanted: RepresentationConfig, source: str) -> None:
    """Refuse slots of sets that have none, and a start that is not the sets'."""
    said = wanted.start.partition(":")[0]
    if wanted.per_slot and start in UNORDERED:
        raise InputError(f"{source}: its sets are in no common order, so slots mean nothing; give --per-slot False")
    if start is None and said == CANONICAL:
        raise InputError(f"{source}: its sets are not known to come from a template; give --start {DEFAULT}")
    if start is not None and said != start:
        raise InputError(f"{source}: its sets were fitted from the start {start}, not {said}; give --start {start}")


def _template(file: SplatFile, start: str, source: str) -> Splats:
    """The sets' template, a batch of one: the file that the start names, or one beside them; else the mean of every
    slot. Says which of these."""
    path = start.partition(":")[2]
    if not path:
        beside = _template_beside(file, Path(source).expanduser())
        if beside is not None:
            tell(f"{source}: its template is {beside}")
            return load_template(beside).splats
        tell(f"{source}: its template is not beside it; the mean of each slot stands in "
             "(--start template:FILE names the template)")  # fmt: skip
        return mean_set(file.splats)
    template = load_template(path).splats
    if file.header.encoder.get("template_sha256") != weights_sha256(template.tensors()):
        raise InputError(
            f"{source}: its sets were fitted from another template than {path}; give theirs, "
            "or --start template for the mean of their slots"
        )
    return template


def _template_beside(file: SplatFile, path: Path) -> Path | None:
    """The splat file beside the sets' file, or in or beside their folder, that their template is."""
    wanted = file.header.encoder.get("template_sha256")
    folders = [path, path.parent] if path.is_dir() else [path.parent]
    for candidate in (each for folder in folders for each in sorted(folder.glob(f"*{SETS}"))):
        if candidate.stat().st_size > LARGEST_TEMPLATE or candidate == path:
            continue
        try:
            splats = storage.load(candidate).splats
        except InputError:
            continue
        if weights_sha256(splats.tensors()) == wanted:
            return candidate
    return None


def mean_set(splats: Splats) -> Splats:
    """The mean of every slot, a batch of one: where a template that is not at hand will have been, nearly."""
    if splats.opacities is not None:
        splats = replace(splats, colors=splats.colors * splats.opacities[..., None], opacities=None)
    mean = to_parameters(splats).mean(0, keepdims=True, dtype=np.float64)
    return to_splats(mean.astype(np.float32), splats.canvas)
