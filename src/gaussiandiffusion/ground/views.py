"""How sets show themselves as pictures, though drawing is done further up. Imports nothing.

A view is named as "module:function" and imported when somebody looks, as readers of files are (`set_readers`), so that
sets know no renderer. The package names them when it is imported.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any

VIEWS: dict[str, str] = {}  # name of a view -> "module:function"


def register_views(views: Mapping[str, str]) -> None:
    """Name the functions that draw."""
    VIEWS.update(views)


def view(name: str) -> Callable[..., Any]:
    """The function that draws so."""
    module, _, function = VIEWS[name].partition(":")
    found: Callable[..., Any] = getattr(import_module(module), function)
    return found
