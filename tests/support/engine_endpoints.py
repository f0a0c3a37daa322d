"""The engines that tests of their adapters run on."""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

VARIABLE = "CHAT4ALL_TEST_ENGINES"
"""Names an engines.json, as `python -m tools.engines up` writes it. Where it is not set, no engine is tested."""


def engine_endpoints() -> Mapping[str, Any]:
    """What clients need to connect to each engine that is up."""
    path = os.environ.get(VARIABLE)
    if not path:
        return {}
    endpoints: Mapping[str, Any] = json.loads(Path(path).read_text())["endpoints"]
    return endpoints
