"""`Component`: a module whose constructor arguments are its saved configuration, in diffusers' folder layout.

A folder holds `config.json`, with the class's name and its arguments, and `diffusion_pytorch_model.safetensors`, or
several files and their index, with its weights. Nothing in it says which file of ours the class is in, and nothing in
it is ever run.
"""

from __future__ import annotations

import functools
import inspect
import itertools
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NoReturn, TypeVar, get_type_hints

import torch
from safetensors import SafetensorError
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from gaussiandiffusion.ground.errors import InputError
from gaussiandiffusion.ground.files import write_json
from gaussiandiffusion.ground.records import read_record, to_record
from gaussiandiffusion.ground.weights import WEIGHTS_FILE, read_weights, write_weights

CONFIG_FILE = "config.json"

__all__ = ["CONFIG_FILE", "WEIGHTS_FILE", "Component", "Config", "configured", "load_component"]

Init = TypeVar("Init", bound=Callable[..., None])
Own = TypeVar("Own", bound="Component")


class Config(dict[str, Any]):
    """Constructor arguments by name, also as attributes; never changed."""

    def __getattr__(self, name: str) -> Any:
        try:
            return self[name]
        except KeyError:
            raise AttributeError(name) from None

    def __setitem__(self, name: str, value: object) -> NoReturn:
        raise TypeError("a configuration does not change; make a new component")

    def __reduce__(self) -> tuple[type[Config], tuple[dict[str, Any]]]:
        return Config, (dict(self),)


def configured(init: Init) -> Init:
    """Let a constructor keep its arguments, defaults included, as `self.config`."""
    signature = inspect.signature(init)

    @functools.wraps(init)
    def keeping(self: Any, *args: Any, **kwargs: Any) -> None:
        bound = signature.bind(self, *args, **kwargs)
        bound.apply_defaults()
        self.__dict__["config"] = Config(list(bound.arguments.items())[1:])
        init(self, *args, **kwargs)

    return keeping  # type: ignore[return-value]  # wraps keeps the signature


class Component(nn.Module):
    """A part of a model: a network, or a representation."""

    config: Config

    @property
    def device(self) -> torch.device:
        return self._some_tensor().device

    @property
    def dtype(self) -> torch.dtype:
        return self._some_tensor().dtype

    def _some_tensor(self) -> Tensor:
        return next(itertools.chain(self.parameters(), self.buffers()))

    @classmethod
    def upgraded(cls, config: dict[str, Any]) -> dict[str, Any]:
        """The arguments that a configuration saved by an earlier version stands for."""
        return config

    @classmethod
    def from_config(cls: type[Own], config: Mapping[str, Any], where: str | os.PathLike[str] = "config") -> Own:
        """A component of these arguments, with weights not yet loaded.

        Args:
            config: by name; those that begin with `_` are remarks.
            where: names the configuration in errors.

        Raises:
            InputError: unknown arguments, or values of another type or out of range.
        """
        arguments = cls.upgraded({name: value for name, value in config.items() if not name.startswith("_")})
        kinds = get_type_hints(cls.__init__)
        kinds.pop("return", None)
        if unknown := sorted(arguments.keys() - kinds.keys()):
            raise InputError(f"{where}: {cls.__name__} takes no '{unknown[0]}'; it is of a newer version, or damaged")
        checked = {name: to_record(value, kinds[name], f"{where}: {name}") for name, value in arguments.items()}
        try:
            return cls(**checked)
        except InputError as error:
            raise InputError(f"{where}: {error}") from error
        except (TypeError, ValueError, LookupError, RuntimeError, ArithmeticError, MemoryError) as error:  # PyTorch's
            raise InputError(f"{where}: is no {cls.__name__} ({_first_line(error)})") from error

    def save_pretrained(self, folder: str | os.PathLike[str], largest: int | None = None) -> None:
        """Write configuration and weights, each whole or not at all.

        Args:
            largest: bytes of a file of weights; more become several and an index.

        Raises:
            InputError: the folder cannot be written to, or a single tensor is larger.
        """
        folder = Path(folder)
        write_json(folder / CONFIG_FILE, {"_class_name": type(self).__name__, **dict(sorted(self.config.items()))})
        weights = {name: value.detach().cpu().contiguous() for name, value in self.state_dict().items()}
        write_weights(folder, weights, largest)

    @classmethod
    def from_pretrained(cls: type[Own], folder: str | os.PathLike[str], dtype: torch.dtype | None = None) -> Own:
        """Read what `save_pretrained` wrote; weights in `dtype`, by default as they were saved.

        Raises:
            InputError: files are missing or damaged, or are another component's.
        """
        folder = Path(folder)
        name = read_record(folder / CONFIG_FILE, dict[str, Any]).get("_class_name")
        if name != cls.__name__:
            raise InputError(f"{folder}: holds a {name}, not a {cls.__name__}")
        return load_component(folder, {cls.__name__: cls}, dtype)  # type: ignore[return-value]  # of that class alone


def load_component(folder: Path, classes: Mapping[str, type[Component]], dtype: torch.dtype | None = None) -> Component:
    """The component in a folder, of one of the classes that may be there.

    It is laid out without memory first, so a configuration cannot ask for more than the weights beside it hold.

    Raises:
        InputError: another class, a configuration that it does not take, or weights that do not fit it.
    """
    config = read_record(folder / CONFIG_FILE, dict[str, Any])
    name = str(config.get("_class_name"))
    if name not in classes:
        raise InputError(f"{folder}/{CONFIG_FILE}: holds a {name}; {' or '.join(classes)} is due there")
    with torch.device("meta"), _Undrawn():
        component = classes[name].from_config(config, folder / CONFIG_FILE)
    try:
        weights = read_weights(folder)
        if dtype is not None:
            weights = {name: value.to(dtype) if value.is_floating_point() else value for name, value in weights.items()}
        _check_weights(weights, component.state_dict())
        component.load_state_dict(weights, assign=True)
    except (SafetensorError, RuntimeError, OSError, ValueError, TypeError, AttributeError) as error:
        raise InputError(f"{folder}: its weights do not fit its {CONFIG_FILE} ({_first_line(error)})") from error
    return component.eval()


class _Undrawn(TorchFunctionMode):
    """Leaves first weights as they are: drawing some that have no memory would import PyTorch's compiler."""

    def __torch_function__(
        self, func: Callable[..., Any], types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        if func in (Tensor.normal_, Tensor.uniform_) or getattr(func, "__module__", None) == nn.init.__name__:
            return args[0] if args else (kwargs or {})["tensor"]
        return func(*args, **(kwargs or {}))


def _check_weights(weights: Mapping[str, Tensor], wanted: Mapping[str, Tensor]) -> None:
    """What `load_state_dict` lets pass; raises ValueError."""
    for name, value in weights.items():
        if name in wanted and value.is_floating_point() != wanted[name].is_floating_point():
            raise ValueError(f"{name} is {value.dtype}")
        if not bool(value.isfinite().all()):
            raise ValueError(f"{name} holds NaN or infinity")


def _first_line(error: BaseException) -> str:
    lines = str(error).strip().splitlines() or [type(error).__name__]
    return " ".join(line.strip() for line in lines[: 1 + lines[0].endswith(":")])  # a heading says nothing alone
