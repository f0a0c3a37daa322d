"""The real engines as plain processes on loopback, for development and for tests where there are no containers.

`python -m tools.engines` is the command line; `Engines` is the same for programs, such as tests that kill engines.
Needs Linux; nothing beyond the standard library. docs/engines.md tells the rest.
"""

from .engines import Engines
from .errors import EngineError
from .ports import FixedPorts, FreePorts

__all__ = ["EngineError", "Engines", "FixedPorts", "FreePorts"]
