"""The components that a saved model may be made of, by the names of their classes, and how they are read and written.

`model_index.json` says which class lies in which folder. Only the classes below are ever made of it, and schedulers of
diffusers; no module is imported by a name in a file, and no Python file in a model's folder is run.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Any, get_type_hints

import torch
from msgspec import Meta

from gaussiandiffusion.diffusion.few_steps import SCHEDULER_FILE, FlowMatchFewStepScheduler
from gaussiandiffusion.diffusion.sampling import sample
from gaussiandiffusion.diffusion.schedulers import prediction_of, prepared
from gaussiandiffusion.ground.component import Component, load_component
from gaussiandiffusion.ground.errors import InputError
from gaussiandiffusion.ground.files import write_json
from gaussiandiffusion.ground.records import parse_json, read_text, to_record
from gaussiandiffusion.models import GaussianTransformer, Network, PixelUNet
from gaussiandiffusion.pipeline.index import CLASS_NAME, INDEX_FILE, LIBRARY, Index, Named, read_index
from gaussiandiffusion.representation import PixelRepresentation, Representation, SplatRepresentation

COMPONENTS: dict[str, dict[str, type[Component]]] = {
    "denoiser": {kind.__name__: kind for kind in (GaussianTransformer, PixelUNet)},
    "representation": {kind.__name__: kind for kind in (SplatRepresentation, PixelRepresentation)},
}


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
    found = _scheduler_class(kind)
    if found is None:
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


def _scheduler_class(name: str) -> Any:
    """Ours, or the one that diffusers has of that name, if any."""
    if name == FlowMatchFewStepScheduler.__name__:
        return FlowMatchFewStepScheduler
    if not re.fullmatch(r"[A-Z]\w*Scheduler", name):
        return None
    import diffusers.schedulers  # slow to import

    found = getattr(diffusers.schedulers, name, None)
    return found if isinstance(found, type) and issubclass(found, diffusers.SchedulerMixin) else None


def _try(scheduler: Scheduler) -> None:
    """Take a step, since settings of the wrong type are heeded only then."""
    latent = torch.zeros(1, 1, 1, 1)
    own = prepared(scheduler, min(2, scheduler.config.num_train_timesteps))
    for _ in sample(lambda noisy, timestep: noisy, own, latent):
        pass


def write_index(folder: Path, config: Mapping[str, Any]) -> None:
    """Write `model_index.json`, in diffusers' layout."""
    head = {"_class_name": CLASS_NAME, "_diffusers_version": version("diffusers")}
    write_json(folder / INDEX_FILE, head | dict(sorted(config.items())))


def component_names(**components: Any) -> dict[str, Named]:
    """What the index says of components: the library, not the file of it, and the class."""
    ours = {name for kinds in COMPONENTS.values() for name in kinds} | {FlowMatchFewStepScheduler.__name__}
    named = {name: type(component).__name__ for name, component in components.items()}
    return {name: (LIBRARY if kind in ours else "diffusers", kind) for name, kind in named.items()}
