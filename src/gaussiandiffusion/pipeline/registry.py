"""The components that a saved model may be made of, by the names of their classes, and how they are read and written.

`model_index.json` says which class lies in which folder. Only the classes below are ever made of it, and schedulers of
diffusers; no module is imported by a name in a file, and no Python file in a model's folder is run.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, get_type_hints

import diffusers.schedulers
import torch
from diffusers import SchedulerMixin
from msgspec import Meta

from gaussiandiffusion.diffusion.few_steps import FlowMatchFewStepScheduler
from gaussiandiffusion.diffusion.sampling import sample
from gaussiandiffusion.diffusion.schedulers import prediction_of, prepared
from gaussiandiffusion.ground.component import Component, load_component
from gaussiandiffusion.ground.errors import InputError
from gaussiandiffusion.ground.records import is_file, parse_json, read_text, to_record
from gaussiandiffusion.models import GaussianTransformer, Network, PixelUNet
from gaussiandiffusion.representation import PixelRepresentation, Representation, SplatRepresentation

INDEX_FILE = "model_index.json"
SCHEDULER_FILE = "scheduler_config.json"
LIBRARY = "gaussiandiffusion"
COMPONENTS: dict[str, dict[str, type[Component]]] = {
    "denoiser": {kind.__name__: kind for kind in (GaussianTransformer, PixelUNet)},
    "representation": {kind.__name__: kind for kind in (SplatRepresentation, PixelRepresentation)},
}
OLD_CHUNK = 32  # what every model was saved with until chunks went by device

Named = tuple[str, str]  # (library, class)


@dataclass(frozen=True)
class Index:
    """What `model_index.json` says."""

    denoiser: Named
    representation: Named
    scheduler: Named
    num_inference_steps: Annotated[int, Meta(ge=1, le=100_000)] = 10
    guidance_scale: Annotated[float, Meta(ge=-1000, le=1000)] = 1.0
    chunk_size: Annotated[int, Meta(ge=1, le=65_536)] | None = None
    latent_space: str | None = None

    @property
    def components(self) -> dict[str, Named]:
        return {"denoiser": self.denoiser, "representation": self.representation, "scheduler": self.scheduler}

    @property
    def defaults(self) -> dict[str, Any]:
        """Arguments of the pipeline beside its components."""
        return {
            "num_inference_steps": self.num_inference_steps,
            "guidance_scale": self.guidance_scale,
            "chunk_size": None if self.chunk_size == OLD_CHUNK else self.chunk_size,
            "latent_space": self.latent_space,
        }


def read_index(folder: Path) -> Index:
    """The index of a model's folder.

    Raises:
        InputError: there is none, it is damaged, or it asks for anything but a model's own components.
    """
    path = folder / INDEX_FILE
    if not is_file(path):
        raise InputError(f"{folder}: holds no model ({INDEX_FILE} is missing)")
    values = parse_json(read_text(path), path)
    if not isinstance(values, dict):
        raise InputError(f"{path}: must be a table of components, not {values!r:.40}")
    if values.get("_class_name") != "GaussianDiffusionPipeline":
        raise InputError(f"{folder}: holds a {values.get('_class_name')}, not a GaussianDiffusionPipeline")
    for name in ("denoiser", "representation", "scheduler"):
        if name not in values:
            raise InputError(f"{path}: component '{name}' is missing")
    index = to_record(values, Index, path)
    known = index.components
    if foreign := [name for name, value in values.items() if isinstance(value, list | dict) and name not in known]:
        raise InputError(f"{path}: component '{foreign[0]}' is none of a model's, and is not loaded")
    for name, (library, kind) in known.items():
        if library.split(".")[0] not in (LIBRARY, "diffusers"):
            raise InputError(f"{path}: component '{name}' asks for code from {library}, which is not loaded")
        if name in COMPONENTS and kind not in COMPONENTS[name]:
            raise InputError(f"{path}: component '{name}' is a {kind}; {' or '.join(COMPONENTS[name])} is due there")
    return index


def load_arguments(folder: Path, dtype: torch.dtype, given: Mapping[str, Any]) -> dict[str, Any]:
    """Arguments of the pipeline in a folder: what is given instead is not read.

    Args:
        dtype: of the network.

    Raises:
        InputError: a component is missing or damaged, or something is given that no pipeline takes.
    """
    index = read_index(folder)
    if unknown := sorted(given.keys() - {*index.components, *index.defaults}):
        known = ", ".join([*index.components, *index.defaults])
        raise InputError(f"from_pretrained takes no '{unknown[0]}'; it takes dtype, {known}")
    if not isinstance(dtype, torch.dtype):
        raise InputError(f"dtype must be one of PyTorch's, such as torch.bfloat16, not {dtype!r:.40}")
    if words := sorted(name for name in given.keys() & index.components.keys() if isinstance(given[name], str)):
        raise InputError(f"{words[0]} must be a component, not its name; a sampler by name is with_scheduler's")
    kinds = get_type_hints(Index, include_extras=True)
    for name in given.keys() & index.defaults.keys():
        to_record(given[name], kinds[name], name)
    loaders = {
        "denoiser": lambda: load_network(folder, dtype, index.denoiser[1]),
        "representation": lambda: load_representation(folder, index.representation[1]),
        "scheduler": lambda: load_scheduler(folder, index.scheduler[1]),
    }
    return {name: load() for name, load in loaders.items() if name not in given} | index.defaults


def load_network(folder: Path, dtype: torch.dtype, kind: str) -> Network:
    """The network in a model's folder, in evaluation mode; `kind` is its class, as the index says."""
    network = load_component(folder / "denoiser", {kind: COMPONENTS["denoiser"][kind]}, dtype)
    assert isinstance(network, Network)
    return network


def load_representation(folder: Path, kind: str) -> Representation[Any]:
    """The representation in a model's folder; its statistics stay in float32 whatever the network's numbers are."""
    representation = load_component(
        folder / "representation", {kind: COMPONENTS["representation"][kind]}, torch.float32
    )
    assert isinstance(representation, SplatRepresentation | PixelRepresentation)
    return representation


def load_scheduler(folder: Path, kind: str) -> Any:
    """The scheduler in a model's folder.

    Args:
        kind: name of its class, as the index says.

    Raises:
        InputError: no scheduler of ours or diffusers' is called so, or its settings make none.
    """
    path = folder / "scheduler" / SCHEDULER_FILE
    config = to_record(parse_json(read_text(path), path), dict[str, Any], path)
    found: Any = FlowMatchFewStepScheduler
    if kind != FlowMatchFewStepScheduler.__name__:
        found = getattr(diffusers.schedulers, kind, None) if re.fullmatch(r"[A-Z]\w*Scheduler", kind) else None
        if not (isinstance(found, type) and issubclass(found, SchedulerMixin)):
            raise InputError(f"{folder}/{INDEX_FILE}: there is no scheduler called {kind}")
    if config.get("_class_name") != kind:
        raise InputError(f"{path}: holds a {config.get('_class_name')}, the index says {kind}")
    steps = to_record(config.get("num_train_timesteps", 1000), Annotated[int, Meta(ge=1, le=100_000)], path)
    try:
        scheduler = found.from_config(config)
        prediction = prediction_of(scheduler)
        _try(scheduler)
    except Exception as error:  # diffusers' schedulers raise many kinds over settings they do not take
        raise InputError(f"{path}: makes no {kind} ({(str(error) or type(error).__name__).splitlines()[0]})") from error
    if prediction not in ("flow", "epsilon", "v_prediction") or scheduler.config.num_train_timesteps != steps:
        raise InputError(f"{path}: is for models that predict {prediction}, which none of ours does")
    return scheduler


def _try(scheduler: Scheduler) -> None:
    """Take a step, since settings of the wrong type are heeded only then."""
    latent = torch.zeros(1, 1, 1, 1)
    own = prepared(scheduler, min(2, scheduler.config.num_train_timesteps))
    for _ in sample(lambda noisy, timestep: noisy, own, latent):
        pass


def component_names(**components: Any) -> dict[str, Named]:
    """What the index says of components: the library, not the file of it, and the class."""
    ours = {name for kinds in COMPONENTS.values() for name in kinds} | {FlowMatchFewStepScheduler.__name__}
    named = {name: type(component).__name__ for name, component in components.items()}
    return {name: (LIBRARY if kind in ours else "diffusers", kind) for name, kind in named.items()}
