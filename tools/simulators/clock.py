"""Time, as the simulators see it."""

from collections.abc import Callable
from typing import TypeAlias

Now: TypeAlias = Callable[[], float]
"""Seconds since 1970."""
