"""Settings that are numbers lie in ranges."""

from __future__ import annotations

from gaussiandiffusion.ground.errors import InputError


def within(low: float, high: float, **values: float) -> None:
    """Refuse settings that lie outside, or are no number; raises InputError."""
    for name, value in values.items():
        if not low <= value <= high:
            raise InputError(f"{name} must lie in [{low}, {high}], not {value}")


def at_least(least: int, **values: int) -> None:
    """Refuse settings that are less; raises InputError."""
    for name, value in values.items():
        if value < least:
            raise InputError(f"{name} must be >= {least}, not {value}")
