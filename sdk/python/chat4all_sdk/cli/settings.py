"""What the global options say."""

from dataclasses import dataclass
from pathlib import Path

__all__ = ["Settings"]


@dataclass(frozen=True, slots=True)
class Settings:
    """The server to talk to, in whose name, and in which form to answer."""

    server: str
    profile: str
    json: bool
    tls: bool | None
    timeout: float
    folder: Path
    """Where sessions are saved."""
