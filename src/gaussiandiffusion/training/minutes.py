"""Budgets of time, by letter or in minutes."""

from __future__ import annotations

import math

from gaussiandiffusion.ground.errors import InputError

BUDGETS = {"S": 8.0, "M": 30.0, "L": 90.0}  # minutes


def budget_minutes(budget: str) -> float:
    """Minutes of a budget given by letter or as a number.

    Raises:
        InputError: neither.
    """
    try:
        minutes = BUDGETS[budget] if budget in BUDGETS else float(budget)
    except ValueError:
        minutes = math.nan
    if not 0 < minutes < math.inf:
        raise InputError(f"budget must be S, M, L or a number of minutes > 0, not '{budget}'")
    return minutes
